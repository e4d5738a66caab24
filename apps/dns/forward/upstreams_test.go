package forward_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/dnssec"
	"github.com/weirnet/weir/apps/dns/forward"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
)

// pair is two upstreams, of every name and of corp.example.
type pair struct {
	*testing.T
	net       fakenet.Net
	u         *forward.Upstreams
	all, corp *fakenet.Server
}

func inPair(t *testing.T, f func(p *pair)) {
	synctest.Test(t, func(t *testing.T) {
		p := &pair{T: t}
		p.all = &fakenet.Server{Handle: recursive(".", records), Delay: time.Millisecond}
		p.corp = &fakenet.Server{Handle: recursive(".", records), Delay: time.Millisecond}
		p.net.Add("192.0.2.1", p.all)
		p.net.Add("192.0.2.3", p.corp)
		c := &client.Client{Network: &p.net}
		defer c.Close()
		var err error
		p.u, err = forward.NewUpstreams(c,
			forward.Zone{Name: msg.Root, Servers: []forward.Server{srv("192.0.2.1:53", client.UDP)}},
			forward.Zone{Name: msg.MustName("corp.example"), Servers: []forward.Server{srv("192.0.2.3:53", client.UDP)}})
		if err != nil {
			t.Fatal(err)
		}
		f(p)
	})
}

func (p *pair) ask(ctx context.Context, name string, typ msg.Type, check bool) error {
	_, _, _, err := p.u.Forward(ctx, msg.Question{Name: msg.MustName(name), Type: typ, Class: msg.ClassINET}, check)
	return err
}

// fails is how often the upstream of every name has failed in a row.
func (p *pair) fails() int {
	for _, h := range p.u.Health() {
		if h.Zone == msg.Root {
			return h.Fails
		}
	}
	return -1
}

// An upstream is asked to recurse, to leave validation to us where we validate, and for a DS that of the parent is asked.
func TestWhatUpstreamsAreAsked(t *testing.T) {
	inPair(t, func(p *pair) {
		for _, c := range []struct {
			name  string
			typ   msg.Type
			check bool
			to    string
		}{
			{"www.example", msg.TypeA, true, "192.0.2.1"}, {"corp.example", msg.TypeA, false, "192.0.2.3"},
			{"corp.example", msg.TypeDS, false, "192.0.2.1"}, {"x.corp.example", msg.TypeDS, true, "192.0.2.3"},
		} {
			if err := p.ask(p.Context(), c.name, c.typ, c.check); err != nil {
				p.Error(err)
			}
			log := p.net.Log()
			if len(log) != 1 || log[0].To.Addr().String() != c.to || !log[0].Msg.RecursionDesired || log[0].Msg.CheckingDisabled != c.check ||
				log[0].Msg.EDNS == nil || !log[0].Msg.EDNS.DO {
				p.Errorf("%+v: %+v", c, log)
			}
		}
	})
}

// In the second round there is twice the patience: what takes 1.5 s is answered.
func TestSlowUpstreamIsAnsweredInTheSecondRound(t *testing.T) {
	inPair(t, func(p *pair) {
		p.all.Delay = 750 * time.Millisecond
		begun := time.Now()
		if err := p.ask(p.Context(), "www.example", msg.TypeA, false); err != nil || time.Since(begun) != 2500*time.Millisecond {
			p.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// What is held against an upstream is forgotten when it answers; a caller that goes away is nothing that it has done.
func TestFailuresInARow(t *testing.T) {
	inPair(t, func(p *pair) {
		p.net.Do(func() { p.all.NoUDP = true })
		ctx, cancel := context.WithCancel(p.Context())
		time.AfterFunc(1500*time.Millisecond, cancel) // the second question does not come to its end
		if err := p.ask(ctx, "a", msg.TypeA, false); err == nil || p.fails() != 1 {
			p.Errorf("%v, %d failures", err, p.fails())
		}
		p.net.Do(func() { p.all.NoUDP = false })
		if err := p.ask(p.Context(), "www.example", msg.TypeA, false); err != nil || p.fails() != 0 {
			p.Errorf("%v, %d failures", err, p.fails())
		}
	})
}

// The error says what the upstream says, its extended errors included.
func TestWhyAnUpstreamFails(t *testing.T) {
	inPair(t, func(p *pair) {
		p.all.Handle = fakenet.Edit(fakenet.Code(msg.RcodeServerFailure), func(q, m *msg.Message) {
			m.AddEDE(msg.EDE{Code: msg.EDESignatureExpired, Text: "last week"})
		})
		err := p.ask(p.Context(), "www.example", msg.TypeA, false)
		if err == nil || !strings.Contains(err.Error(), "192.0.2.1:53: it answers SERVFAIL") || !strings.Contains(err.Error(), "last week") {
			p.Errorf("%v", err)
		}
	})
}

// What a cache that is shared with a resolver has of the zones above a forwarded one denies nothing in it: neither that the public root has no
// such top-level domain, nor that nothing is below that. What the forwarded zone itself denies holds for all below.
func TestZonesAboveDenyNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n fakenet.Net
		asked := 0
		n.Add("192.0.2.3", &fakenet.Server{Handle: fakenet.Edit(recursive("corp.internal", "db.a.corp.internal. 60 IN A 192.0.2.99"), func(_, _ *msg.Message) { asked++ })})
		corp := msg.MustName("corp.internal")
		rc := recursor.Config{Network: &n, Cache: cache.New(cache.Config{}), Public: []msg.Name{msg.Root}, Anchors: dnssec.RootAnchors(), Untrusted: []msg.Name{corp}}
		r, err := forward.New(rc, forward.Zone{Name: corp, Servers: []forward.Server{srv("192.0.2.3:53", client.UDP)}})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		root := msg.RRsets(fakenet.Records(". 600 IN SOA a. b. 1 1 1 1 600\n. 600 IN NSEC aaa. NS SOA RRSIG NSEC\nin. 600 IN NSEC it. NS DS RRSIG NSEC\n"))
		rc.Cache.PutDenial(root[0], root[1:])
		if _, ok := rc.Cache.Deny(msg.MustName("db.a.corp.internal"), msg.TypeA); !ok {
			t.Fatal("the root denies nothing")
		}
		deny := func(name string) {
			if !rc.Cache.Put(cache.Entry{Name: msg.MustName(name), Kind: cache.NXDomain, Rank: cache.RankAuthority, Security: cache.Secure, TTL: 600}) {
				t.Fatal(name)
			}
		}
		ask := func(name string, answers, questions int) {
			t.Helper()
			asked = 0
			m, err := r.Resolve(t.Context(), msg.Question{Name: msg.MustName(name), Type: msg.TypeA, Class: msg.ClassINET}, recursor.QueryOptions{})
			if err != nil || len(m.Answer) != answers || asked != questions {
				t.Errorf("%s: %v, %d questions\n%v", name, err, asked, m)
			}
		}
		deny("internal")
		ask("DB.a.Corp.Internal", 1, 1)
		deny("gone.corp.internal")
		ask("x.gone.corp.internal", 0, 0)
	})
}

// counted is a network that knows how many of its connections are open.
type counted struct {
	fakenet.Net
	open atomic.Int32
}

type countedConn struct {
	net.Conn
	close func()
}

func (c countedConn) Close() error {
	c.close()
	return c.Conn.Close()
}

func (n *counted) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := n.Net.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	n.open.Add(1)
	return countedConn{c, sync.OnceFunc(func() { n.open.Add(-1) })}, nil
}

// A forwarder that is closed leaves no connection of its own open.
func TestCloseClosesConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n counted
		n.Add("192.0.2.3", &fakenet.Server{Handle: recursive(".", records)})
		r, err := forward.New(recursor.Config{Network: &n}, forward.Zone{Name: msg.Root, Servers: []forward.Server{srv("192.0.2.3:53", client.TCP)}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Resolve(t.Context(), msg.Question{Name: msg.MustName("www.other"), Type: msg.TypeA, Class: msg.ClassINET}, recursor.QueryOptions{}); err != nil {
			t.Error(err)
		}
		before := n.open.Load()
		if r.Close(); before != 1 || n.open.Load() != 0 {
			t.Errorf("%d connections, and %d after its end", before, n.open.Load())
		}
	})
}

// A resolver from the root down that knows of zones which are forwarded asks for them there, when an alias leads into one too.
func TestResolverFollowsAliasesIntoForwardedZones(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n fakenet.Net
		n.Add("192.0.2.1", &fakenet.Server{Handle: fakenet.Zone(".", ". 60 IN NS ns.root.\nns.root. 60 IN A 192.0.2.1\nalias. 60 IN CNAME db.corp.internal.\n")})
		n.Add("192.0.2.3", &fakenet.Server{Handle: recursive("corp.internal", "db.corp.internal. 60 IN A 192.0.2.99")})
		c := &client.Client{Network: &n}
		u, err := forward.NewUpstreams(c, forward.Zone{Name: msg.MustName("corp.internal"), Servers: []forward.Server{srv("192.0.2.3:53", client.UDP)}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := recursor.New(recursor.Config{Client: c, OwnClient: true, Upstream: u, Hints: fakenet.Records(". 60 IN NS ns.root.\nns.root. 60 IN A 192.0.2.1"), Public: []msg.Name{msg.Root}})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for range 2 {
			m, err := r.Resolve(t.Context(), msg.Question{Name: msg.MustName("alias"), Type: msg.TypeA, Class: msg.ClassINET}, recursor.QueryOptions{})
			if err != nil || len(m.Answer) != 2 || m.Answer[1].Addr().String() != "192.0.2.99" {
				t.Errorf("%v, %v", m, err)
			}
		}
	})
}
