package dns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"

	"github.com/weirnet/weir/apps/dns/authority"
	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/server"
)

// Service is a DNS server and resolver.
type Service struct {
	cfg      Config
	zones    *authority.Set
	resolver *recursor.Resolver // nil without recursion
	server   *server.Server

	reload sync.Mutex
}

// New returns a service with its zones read and no sockets. The error names the zone that could not be read, or
// what is missing.
func New(cfg Config) (*Service, error) {
	s := &Service{cfg: cfg}
	c := &s.cfg
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Allow == nil {
		c.Allow = DefaultAllow()
	}
	if c.Recursion != nil {
		if err := s.recurse(); err != nil {
			return nil, err
		}
	}
	next, err := s.route()
	if err == nil {
		err = s.addZones(next)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	sc := c.Server
	if sc.RateLimit.Exempt == nil {
		sc.RateLimit.Exempt = c.Allow
	}
	if sc.Logger == nil {
		sc.Logger = c.Logger
	}
	if sc.Cache == nil && s.resolver != nil {
		sc.Cache = s.cacheHits
	}
	s.server = server.New(s.zones, sc)
	return s, nil
}

func (s *Service) recurse() (err error) {
	rc := *s.cfg.Recursion
	if rc.Network == nil {
		rc.Network = s.cfg.Network
	}
	if rc.Network == nil && rc.Client == nil {
		return errors.New("dns: recursion needs a network to ask other servers over: set Config.Network")
	}
	s.resolver, err = recursor.New(rc)
	return err
}

// route makes the way of what no zone here has.
func (s *Service) route() (*route, error) {
	r := &route{forward: map[string]target{}, allow: s.cfg.Allow, size: uint16(cmp.Or(s.cfg.Server.MaxUDP, server.DefaultMaxUDP))}
	if s.resolver != nil {
		r.recursion = newTarget(s.resolver)
	}
	for _, f := range s.cfg.Forward {
		if !f.Zone.Valid() || f.To == nil {
			return nil, fmt.Errorf("dns: zone %q is forwarded to nobody, or has no name", f.Zone)
		}
		r.forward[string(f.Zone.Fold())] = newTarget(f.To)
		r.longest = max(r.longest, f.Zone.Labels())
	}
	return r, nil
}

func (s *Service) addZones(next *route) error {
	ac := s.cfg.Authority
	if ac.Next == nil {
		ac.Next = next
	}
	if ac.Network == nil && s.cfg.Network != nil {
		ac.Network = s.cfg.Network
	}
	if ac.Logger == nil {
		ac.Logger = s.cfg.Logger
	}
	s.zones = authority.New(ac)
	for _, z := range s.cfg.Zones {
		err := error(nil)
		if z.File != "" {
			err = s.zones.Load(z)
		} else {
			err = s.zones.Add(z, nil)
		}
		if err != nil {
			return fmt.Errorf("dns: zone %v: %w", z.Origin, err)
		}
	}
	return s.addReverse()
}

// Name returns the service's name.
func (s *Service) Name() string { return "dns" }

// Zones returns the zones, to add, replace or look at some while they are served.
func (s *Service) Zones() *authority.Set { return s.zones }

// Resolver returns the recursor, or nil where there is none.
func (s *Service) Resolver() *recursor.Resolver { return s.resolver }

// Cache returns the recursor's cache, or nil where there is none.
func (s *Service) Cache() *cache.Cache {
	if s.resolver == nil {
		return nil
	}
	return s.resolver.Cache()
}

func (s *Service) cacheHits() (hits, misses uint64) {
	t := s.resolver.Cache().Stats()
	return t.Hits, t.Misses
}

// Listen opens the service's ports, UDP and TCP, and TLS where there is a certificate, on each of the addresses, or one of each
// for every address that nw has where none is given. On an error nothing is left open.
func (s *Service) Listen(nw server.Network, addrs ...netip.Addr) error {
	if len(addrs) == 0 {
		addrs = []netip.Addr{{}}
	}
	for _, a := range addrs {
		if err := s.listen(nw, a); err != nil {
			s.Close()
			return fmt.Errorf("dns: %w", err)
		}
	}
	return nil
}

func (s *Service) listen(nw server.Network, a netip.Addr) error {
	family, host := "", ""
	if a.IsValid() {
		host, family = a.String(), "6"
		if a.Is4() {
			family = "4"
		}
	}
	port := strconv.Itoa(int(cmp.Or(s.cfg.Port, Port)))
	for _, network := range []string{"udp", "tcp"} {
		if _, err := s.server.Listen(nw, network+family, net.JoinHostPort(host, port)); err != nil {
			return err
		}
	}
	if s.cfg.Server.TLS == nil {
		return nil
	}
	_, err := s.server.Listen(nw, "tls"+family, net.JoinHostPort(host, strconv.Itoa(int(cmp.Or(s.cfg.TLSPort, TLSPort)))))
	return err
}

// Serve serves until ctx is done or a socket fails for good: queries, and what zones need, such as notices to
// secondaries and transfers from masters. Everything is closed and every goroutine gone when it returns. It returns
// nil unless a socket failed for good.
func (s *Service) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var keeping sync.WaitGroup
	keeping.Go(func() { _ = s.zones.Run(ctx) }) // it fails only where it runs already
	err := s.server.Serve(ctx)
	cancel()
	keeping.Wait()
	s.Close()
	return err
}

// Close closes the sockets, and ends what the resolver is at. A running Serve then returns.
func (s *Service) Close() {
	if s.server != nil {
		s.server.Close()
	}
	if s.resolver != nil {
		s.resolver.Close()
	}
}

// Reload reads the files of the zones again. Queries are answered from what was there until a zone is read. One that
// cannot be read stays as it was, and is part of the error.
func (s *Service) Reload() error {
	s.reload.Lock()
	defer s.reload.Unlock()
	var errs []error
	for _, z := range s.cfg.Zones {
		if z.File == "" {
			continue
		}
		if err := s.zones.Reload(z.Origin); err != nil {
			errs = append(errs, fmt.Errorf("dns: zone %v stays as it was: %w", z.Origin, err))
		}
	}
	return errors.Join(append(errs, s.addReverse())...)
}

// Snapshot returns what the service has counted.
func (s *Service) Snapshot() server.Snapshot { return s.server.Snapshot() }

// Each calls f with the name and value of each counter, those of the zones among them, in the order of
// the names, as serve.Counters does.
func (s *Service) Each(f func(name string, value uint64)) {
	all := map[string]uint64{}
	add := func(name string, v uint64) { all[name] = v }
	s.zones.Each(add)
	snap := s.server.Snapshot()
	snap.Each(add)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f(name, all[name])
	}
}
