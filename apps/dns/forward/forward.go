package forward

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
)

// Server is an upstream.
type Server struct {
	Addr      netip.AddrPort
	Transport client.Transport
	Name      string // that it must prove over TLS; empty: nothing is proven
}

func (s Server) String() string {
	if s.Transport == client.UDP {
		return s.Addr.String()
	}
	return s.Transport.String() + "://" + s.Addr.String()
}

// Zone is a zone with the resolvers that are asked about it, the best first. Root is every name.
type Zone struct {
	Name    msg.Name
	Servers []Server
}

// Upstreams is the zones that are forwarded. It implements recursor.Upstream.
type Upstreams struct {
	client *client.Client
	// Timeout is how long each upstream is waited for over UDP, twice as long in a second round: 1 s.
	Timeout time.Duration

	zones map[msg.Name][]*upstream // by the name in lower case

	mu     sync.Mutex
	asking map[askKey]*asking
}

type upstream struct {
	Server
	mu    sync.Mutex
	fails int // in a row
	until time.Time
}

type askKey struct {
	name msg.Name
	typ  msg.Type
}

// asking is a question that is being forwarded.
type asking struct {
	times int          // at once
	by    []netip.Addr // upstreams that have asked us the same meanwhile
}

const (
	failsAllowed = 2
	restFor      = 30 * time.Second
)

// NewUpstreams returns the zones as an Upstream that asks by a client. A zone without servers is an error, and so is one that
// is there twice.
func NewUpstreams(c *client.Client, zones ...Zone) (*Upstreams, error) {
	u := &Upstreams{client: c, zones: map[msg.Name][]*upstream{}, asking: map[askKey]*asking{}}
	for _, z := range zones {
		name := z.Name.Fold()
		switch {
		case !z.Name.Valid():
			return nil, fmt.Errorf("forward: a zone has no name: give one, or \".\" for all")
		case len(z.Servers) == 0:
			return nil, fmt.Errorf("forward: zone %v has no upstream: give the address of a resolver", z.Name)
		case u.zones[name] != nil:
			return nil, fmt.Errorf("forward: zone %v is there twice: give all its upstreams at once", z.Name)
		}
		for _, s := range z.Servers {
			if !s.Addr.Addr().IsValid() {
				return nil, fmt.Errorf("forward: an upstream of zone %v has no address: give one", z.Name)
			}
			if s.Addr.Port() == 0 {
				port := uint16(53)
				if s.Transport == client.TLS {
					port = 853
				}
				s.Addr = netip.AddrPortFrom(s.Addr.Addr(), port)
			}
			u.zones[name] = append(u.zones[name], &upstream{Server: s})
		}
	}
	return u, nil
}

// New returns a forwarder of zones: a resolver that asks upstreams and nobody else. cfg.Upstream is set by it.
func New(cfg recursor.Config, zones ...Zone) (*recursor.Resolver, error) {
	if cfg.Client == nil {
		cfg.Client, cfg.OwnClient = &client.Client{Network: cfg.Network}, true
	}
	u, err := NewUpstreams(cfg.Client, zones...)
	if err != nil {
		return nil, err
	}
	cfg.Upstream, cfg.Hints = u, nil
	return recursor.New(cfg)
}

// Zone implements recursor.Upstream.
func (u *Upstreams) Zone(name msg.Name) (msg.Name, bool) {
	for n := name.Fold(); ; n = n.Parent() {
		if _, ok := u.zones[n]; ok {
			return n, true
		}
		if n == msg.Root {
			return "", false
		}
	}
}

// Asked implements recursor.Upstream.
func (u *Upstreams) Asked(q msg.Question, by netip.Addr) {
	u.mu.Lock()
	defer u.mu.Unlock()
	a, by := u.asking[keyOf(q)], by.Unmap()
	if a == nil || slices.Contains(a.by, by) {
		return
	}
	_, servers := u.serversOf(q)
	if slices.ContainsFunc(servers, func(s *upstream) bool { return s.Addr.Addr().Unmap() == by }) {
		a.by = append(a.by, by)
	}
}

func keyOf(q msg.Question) askKey { return askKey{q.Name.Fold(), q.Type} }

// serversOf returns the zone by which a question is forwarded, and whom it goes to: a DS record is its zone's parent's.
func (u *Upstreams) serversOf(q msg.Question) (zone msg.Name, servers []*upstream) {
	of := q.Name
	if q.Type == msg.TypeDS {
		of = of.Parent()
	}
	zone, _ = u.Zone(of)
	return zone, u.zones[zone]
}

// Forward implements recursor.Upstream.
func (u *Upstreams) Forward(ctx context.Context, q msg.Question, check bool) (*msg.Message, netip.AddrPort, int, error) {
	_, servers := u.serversOf(q)
	if servers == nil {
		return nil, netip.AddrPort{}, 0, fmt.Errorf("%v is in no zone that is forwarded", q.Name)
	}
	m := &msg.Message{Question: []msg.Question{q}, EDNS: &msg.EDNS{DO: true}}
	m.RecursionDesired, m.CheckingDisabled = true, check
	timeout := u.Timeout
	if timeout <= 0 {
		timeout = time.Second
	}
	a := u.begin(keyOf(q))
	defer u.end(keyOf(q), a)
	sent := 0
	var why []string
	for round := range 2 {
		for _, s := range order(servers) {
			if ctx.Err() != nil {
				return nil, netip.AddrPort{}, sent, errors.Join(ctx.Err(), u.failed(why, a))
			}
			reply, res, err := u.exchange(ctx, m, s, timeout<<round)
			sent += res.Sent
			if err == nil {
				return reply, s.Addr, sent, nil
			}
			if round == 0 {
				why = append(why, fmt.Sprintf("%v: %v", s.Server, err))
			}
		}
	}
	return nil, netip.AddrPort{}, sent, u.failed(why, a)
}

// failed tells why no upstream was of use, and which of them may have asked us.
func (u *Upstreams) failed(why []string, a *asking) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, by := range a.by {
		why = append(why, fmt.Sprintf("%v has asked us the same meanwhile: it may forward to us", by))
	}
	return errors.New(strings.Join(why, "; "))
}

// order is upstreams in the order in which they are asked: those that rest come last.
func order(servers []*upstream) (list []*upstream) {
	now := time.Now()
	for _, resting := range []bool{false, true} {
		for _, s := range servers {
			s.mu.Lock()
			if now.Before(s.until) == resting {
				list = append(list, s)
			}
			s.mu.Unlock()
		}
	}
	return list
}

func (u *Upstreams) exchange(ctx context.Context, m *msg.Message, s *upstream, timeout time.Duration) (*msg.Message, client.Result, error) {
	o := client.Options{Transport: s.Transport, ServerName: s.Name, Timeout: timeout}
	reply, res, err := u.client.Exchange(ctx, m, s.Addr, o)
	if ctx.Err() == nil && !errors.Is(err, client.ErrConnections) { // neither is the upstream's doing
		s.note(err == nil)
	}
	switch {
	case err != nil:
		return nil, res, cause(err)
	case reply.Rcode == msg.RcodeSuccess || reply.Rcode == msg.RcodeNameError:
		return reply, res, nil
	}
	text := "it answers " + reply.Rcode.String()
	for _, e := range reply.EDE() {
		text += ", " + e.String()
	}
	return nil, res, errors.New(text)
}

// cause is what an exchange failed with, without what the reader knows already.
func cause(err error) error {
	var e *client.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

func (u *Upstreams) begin(k askKey) *asking {
	u.mu.Lock()
	defer u.mu.Unlock()
	a := u.asking[k]
	if a == nil {
		a = new(asking)
		u.asking[k] = a
	}
	a.times++
	return a
}

func (u *Upstreams) end(k askKey, a *asking) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if a.times--; a.times == 0 {
		delete(u.asking, k)
	}
}

// note keeps account of an upstream's health.
func (s *upstream) note(ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ok {
		s.fails, s.until = 0, time.Time{}
		return
	}
	if s.fails++; s.fails >= failsAllowed {
		s.until = time.Now().Add(restFor)
	}
}

// Health is an upstream and whether it is left alone at the moment.
type Health struct {
	Zone    msg.Name
	Server  Server
	Fails   int // in a row
	Resting bool
}

// Health returns the state of all upstreams.
func (u *Upstreams) Health() (list []Health) {
	now := time.Now()
	for zone, servers := range u.zones {
		for _, s := range servers {
			s.mu.Lock()
			list = append(list, Health{zone, s.Server, s.fails, now.Before(s.until)})
			s.mu.Unlock()
		}
	}
	return list
}
