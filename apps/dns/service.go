package dns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/weirnet/weir/apps/dns/authority"
	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/zone"
)

// Service is a DNS server and resolver.
type Service struct {
	zones  *authority.Set
	server *server.Server
	state  atomic.Pointer[state]
	first  Config // New's, of which the ports stay

	followed chan struct{} // a zone that is fetched has changed

	reload   sync.Mutex     // of what changes the zones and the state
	ending   sync.Mutex     // of closed, and of what takes the place of the state
	closed   bool           // no state comes any more, for nobody would close it
	retiring sync.WaitGroup // resolvers that are not asked any more
}

// state is what a service has of one configuration, beside the zones.
type state struct {
	cfg      Config
	resolver *recursor.Resolver // nil without recursion
	route    *route
}

// New returns a service with its zones read and no sockets. The error names the zone that could not be read, or
// what is missing.
func New(cfg Config) (*Service, error) {
	s := &Service{followed: make(chan struct{}, 1)}
	st, err := s.newState(cfg)
	if err != nil {
		return nil, err
	}
	ac := st.cfg.Authority
	if ac.Network == nil && st.cfg.Network != nil {
		ac.Network = st.cfg.Network
	}
	if ac.Logger == nil {
		ac.Logger = st.cfg.Logger
	}
	ac.Followed = func(origin msg.Name) {
		select {
		case s.followed <- struct{}{}:
		default:
		}
		if f := cfg.Authority.Followed; f != nil {
			f(origin)
		}
	}
	s.zones, s.first = authority.New(ac), st.cfg
	s.state.Store(st)
	if err := s.assign(st); err != nil {
		s.Close()
		return nil, err
	}
	sc := s.serverConfig(st)
	if err := sc.Check(); err != nil {
		s.Close()
		return nil, err
	}
	s.server = server.New(s.zones, sc)
	return s, nil
}

// newState makes what a configuration needs, which may be wrong.
func (s *Service) newState(cfg Config) (*state, error) {
	st := &state{cfg: cfg}
	c := &st.cfg
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Allow == nil {
		c.Allow = DefaultAllow()
	}
	if err := st.recurse(); err != nil {
		return nil, err
	}
	if err := st.forward(s); err != nil {
		st.close()
		return nil, err
	}
	return st, nil
}

func (st *state) recurse() (err error) {
	if st.cfg.Recursion == nil {
		return nil
	}
	rc := *st.cfg.Recursion
	if rc.Network == nil {
		rc.Network = st.cfg.Network
	}
	if rc.Logger == nil {
		rc.Logger = st.cfg.Logger
	}
	if rc.Network == nil && rc.Client == nil {
		return errors.New("dns: recursion needs a network to ask other servers over: set Config.Network")
	}
	st.resolver, err = recursor.New(rc)
	return err
}

// forward makes the way of what no zone here has.
func (st *state) forward(s *Service) error {
	r := &route{service: s, forward: map[string]target{}, allow: st.cfg.Allow, size: uint16(cmp.Or(st.cfg.Server.MaxUDP, server.DefaultMaxUDP)),
		settled: make(chan struct{})}
	if st.resolver != nil {
		r.recursion = newTarget(st.resolver)
	}
	for _, f := range st.cfg.Forward {
		if !f.Zone.Valid() || f.To == nil {
			return fmt.Errorf("dns: zone %q is forwarded to nobody, or has no name", f.Zone)
		}
		r.forward[string(f.Zone.Fold())] = newTarget(f.To)
		r.longest = max(r.longest, f.Zone.Labels())
	}
	st.route = r
	return nil
}

// next answers what no zone here has.
func (st *state) next() server.Handler {
	if st.cfg.Authority.Next != nil {
		return st.cfg.Authority.Next
	}
	return st.route
}

// close ends what the resolver is at.
func (st *state) close() {
	if st.resolver != nil {
		st.resolver.Close()
	}
}

// assign reads the zones of a configuration and serves those, the reverse zones, and what the state has for the rest. On an error
// everything is as it was.
func (s *Service) assign(st *state) error {
	c := &st.cfg
	var list []authority.Content
	var zones []*zone.Zone
	for _, zc := range c.Zones {
		content := authority.Content{ZoneConfig: zc}
		have := s.zones.Zone(zc.Origin)
		if zc.File != "" {
			z, err := zone.LoadVerified(zc.File, zc.Origin, s.first.Authority.Read)
			if err != nil {
				return fmt.Errorf("dns: zone %v: %w", zc.Origin, err)
			}
			content.Zone, have = z, z
		}
		if have != nil {
			zones = append(zones, have)
		}
		list = append(list, content)
	}
	reverse, err := s.reverse(c, zones)
	if err != nil {
		return err
	}
	if err := s.zones.Assign(append(list, reverse...), c.Authority.Keys, st.next()); err != nil {
		return fmt.Errorf("dns: %w", err)
	}
	return nil
}

// serverConfig is that of the server, completed by what the service knows.
func (s *Service) serverConfig(st *state) server.Config {
	sc := st.cfg.Server
	if sc.RateLimit.Exempt == nil {
		sc.RateLimit.Exempt = st.cfg.Allow
	}
	if sc.Logger == nil {
		sc.Logger = st.cfg.Logger
	}
	sc.Cache = s.cacheHits
	return sc
}

// Reconfigure has the service answer by another configuration: its zones, with their files read and in the place of all that there are now;
// its keys and who may transfer and is told; what is forwarded, recursion, and who may have it. No query is lost by it: each is answered by
// the one configuration or the other. An error says what is wrong; everything is then as it was. What cannot change while a service runs
// stays as New had it: sockets and ports, all of Config.Server but what server.Server.Reconfigure takes, all of Config.Authority but Keys and
// Next.
//
// settled is closed when the last query is answered that was given to what was forwarded to, which may then be closed.
func (s *Service) Reconfigure(cfg Config) (settled <-chan struct{}, err error) {
	s.reload.Lock()
	defer s.reload.Unlock()
	st, err := s.newState(cfg)
	if err != nil {
		return nil, err
	}
	sc := s.serverConfig(st)
	if err = sc.Check(); err == nil {
		err = s.assign(st)
	}
	if err != nil {
		st.close()
		return nil, err
	}
	s.ending.Lock()
	defer s.ending.Unlock()
	if s.closed {
		st.close()
		return nil, fmt.Errorf("dns: another configuration: the service has ended: %w", net.ErrClosed)
	}
	old := s.state.Swap(st)
	s.server.Reconfigure(sc)
	old.route.retire()
	if old.resolver != nil {
		s.retiring.Go(func() {
			<-old.route.settled
			old.close()
		})
	}
	return old.route.settled, nil
}

// Name returns the service's name.
func (s *Service) Name() string { return "dns" }

// Zones returns the zones, to add, replace or look at some while they are served.
func (s *Service) Zones() *authority.Set { return s.zones }

// Resolver returns the recursor, or nil where there is none.
func (s *Service) Resolver() *recursor.Resolver { return s.state.Load().resolver }

// Cache returns the recursor's cache, or nil where there is none.
func (s *Service) Cache() *cache.Cache {
	if r := s.Resolver(); r != nil {
		return r.Cache()
	}
	return nil
}

// cacheHits is what the server is told of the cache: by Config.Server.Cache where there is that.
func (s *Service) cacheHits() (hits, misses uint64) {
	st := s.state.Load()
	switch {
	case st.cfg.Server.Cache != nil:
		return st.cfg.Server.Cache()
	case st.resolver == nil:
		return 0, 0
	}
	t := st.resolver.Cache().Stats()
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
	cfg := &s.first
	port := strconv.Itoa(int(cmp.Or(cfg.Port, Port)))
	for _, network := range []string{"udp", "tcp"} {
		if _, err := s.server.Listen(nw, network+family, net.JoinHostPort(host, port)); err != nil {
			return err
		}
	}
	if cfg.Server.TLS == nil {
		return nil
	}
	_, err := s.server.Listen(nw, "tls"+family, net.JoinHostPort(host, strconv.Itoa(int(cmp.Or(cfg.TLSPort, TLSPort)))))
	return err
}

// Serve serves until ctx is done or a socket fails for good: queries, and what zones need, such as notices to
// secondaries and transfers from masters. Everything is closed and every goroutine gone when it returns. It returns
// nil unless a socket failed for good.
func (s *Service) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var keeping sync.WaitGroup
	keeping.Go(func() { _ = s.zones.Run(ctx) }) // it fails only where it runs already
	keeping.Go(func() { s.reverseFollows(ctx) })
	err := s.server.Serve(ctx)
	cancel()
	keeping.Wait()
	s.Close()
	s.retiring.Wait()
	return err
}

// Close closes the sockets, and ends what the resolver is at. A running Serve then returns, and there is no other configuration.
func (s *Service) Close() {
	if s.server != nil {
		s.server.Close()
	}
	s.ending.Lock()
	s.closed = true
	st := s.state.Load()
	s.ending.Unlock()
	st.close()
}

// Reload reads the files of the zones again. Queries are answered from what was there until a zone is read. One that
// cannot be read stays as it was, and is part of the error.
func (s *Service) Reload() error {
	s.reload.Lock()
	defer s.reload.Unlock()
	var errs []error
	cfg := &s.state.Load().cfg
	for _, z := range cfg.Zones {
		if z.File == "" {
			continue
		}
		err := s.zones.Reload(z.Origin)
		if errors.As(err, new(*authority.SerialError)) {
			errs = append(errs, fmt.Errorf("dns: %w", err))
		} else if err != nil {
			errs = append(errs, fmt.Errorf("dns: zone %v stays as it was: %w", z.Origin, err))
		}
	}
	return errors.Join(append(errs, s.remakeReverse(cfg))...)
}
