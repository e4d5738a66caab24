package forward_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/forward"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/server"
)

const records = `
www.example. 60 IN CNAME www.other.
www.other. 60 IN A 192.0.2.80
other. 60 IN SOA ns. ns. 1 1 1 1 30
`

type world struct {
	*testing.T
	net   fakenet.Net
	r     *recursor.Resolver
	a, b  *fakenet.Server
	local *fakenet.Server
}

func srv(addr string, t client.Transport) forward.Server {
	return forward.Server{Addr: netip.MustParseAddrPort(addr), Transport: t}
}

// recursive is a zone that answers as a resolver does: without AA, with RA.
func recursive(origin, text string) fakenet.Handler {
	return fakenet.Edit(fakenet.Zone(origin, text), func(q, m *msg.Message) {
		if len(m.Answer) == 1 && m.Answer[0].Type == msg.TypeCNAME && q.Question[0].Type != msg.TypeCNAME {
			for _, rr := range fakenet.Records(text) {
				if rr.Name.Equal(m.Answer[0].Target()) && rr.Type == q.Question[0].Type {
					m.Answer = append(m.Answer, rr)
				}
			}
		}
		m.Authoritative, m.RecursionAvailable = false, true
	})
}

func in(t *testing.T, tr client.Transport, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t}
		w.a = &fakenet.Server{Handle: recursive(".", records), Delay: time.Millisecond}
		w.b = &fakenet.Server{Handle: recursive(".", records), Delay: time.Millisecond}
		w.local = &fakenet.Server{Handle: recursive("corp.example", "db.corp.example. 60 IN A 192.0.2.99"), Delay: time.Millisecond}
		w.net.Add("192.0.2.1", w.a)
		w.net.Add("192.0.2.2", w.b)
		w.net.Add("192.0.2.3", w.local)
		c := &client.Client{Network: &w.net}
		var err error
		w.r, err = forward.New(recursor.Config{Client: c},
			forward.Zone{Name: msg.Root, Servers: []forward.Server{srv("192.0.2.1:53", tr), srv("192.0.2.2:53", tr)}},
			forward.Zone{Name: msg.MustName("corp.example"), Servers: []forward.Server{srv("192.0.2.3:53", tr)}})
		if err != nil {
			t.Fatal(err)
		}
		f(w)
		w.r.Close()
		c.Close()
	})
}

func (w *world) ask(name string, typ msg.Type) (*msg.Message, time.Duration) {
	w.Helper()
	begun := time.Now()
	m, err := w.r.Resolve(w.Context(), msg.Question{Name: msg.MustName(name), Type: typ, Class: msg.ClassINET}, recursor.QueryOptions{})
	if err != nil {
		w.Fatal(err)
	}
	return m, time.Since(begun)
}

// to is whom the queries since the last call went to.
func (w *world) to() (list []string) {
	for _, q := range w.net.Log() {
		list = append(list, q.To.Addr().String())
	}
	return list
}

// The whole chain comes in one answer, is cached link by link, and the longest zone decides whom to ask.
func TestForwardedByZoneAndCached(t *testing.T) {
	for _, tr := range []client.Transport{client.UDP, client.TCP} {
		in(t, tr, func(w *world) {
			m, _ := w.ask("www.EXAMPLE", msg.TypeA)
			if len(m.Answer) != 2 || m.Answer[1].Addr().String() != "192.0.2.80" || !m.RecursionAvailable || m.Authoritative {
				t.Errorf("%v", m)
			}
			if to := w.to(); len(to) != 1 || to[0] != "192.0.2.1" {
				t.Errorf("asked %v", to)
			}
			w.ask("www.other", msg.TypeA)
			w.ask("www.example", msg.TypeA)
			if to := w.to(); len(to) != 0 {
				t.Errorf("cached, and asked %v", to)
			}
			if m, _ := w.ask("db.corp.example", msg.TypeA); len(m.Answer) != 1 {
				t.Errorf("%v", m)
			}
			if to := w.to(); len(to) != 1 || to[0] != "192.0.2.3" {
				t.Errorf("asked %v", to)
			}
			if m, _ := w.ask("nothing.other", msg.TypeA); m.Rcode != msg.RcodeNameError {
				t.Errorf("%v", m)
			}
			w.ask("nothing.other", msg.TypeA)
			if to := w.to(); len(to) != 1 {
				t.Errorf("NXDOMAIN is not cached: asked %v", to)
			}
		})
	}
}

// The second upstream is asked when the first is silent or fails; one that stays silent is left alone, and tried again.
func TestFailover(t *testing.T) {
	in(t, client.UDP, func(w *world) {
		w.a.NoUDP = true
		for i, name := range []string{"a", "b", "c"} {
			_, took := w.ask(name, msg.TypeA)
			if first := i < 2; first != (took > time.Second) || took > 2*time.Second {
				t.Errorf("question %d took %v", i, took)
			}
		}
		w.a.NoUDP = false
		time.Sleep(time.Minute)
		w.to()
		w.ask("d", msg.TypeA)
		if to := w.to(); len(to) != 1 || to[0] != "192.0.2.1" {
			t.Errorf("after its rest the first is not asked: %v", to)
		}
		w.a.Handle = fakenet.Code(msg.RcodeServerFailure)
		if m, took := w.ask("www.example", msg.TypeA); len(m.Answer) != 2 || took > time.Second {
			t.Errorf("%v\n%v", took, m)
		}
		w.b.Handle = fakenet.Refuse
		m, _ := w.ask("e", msg.TypeA)
		if m.Rcode != msg.RcodeServerFailure || len(m.EDE()) == 0 || m.EDE()[0].Code != msg.EDENetworkError {
			t.Errorf("%v", m)
		}
		w.a.NoUDP, w.b.NoUDP = true, true
		if m, took := w.ask("f", msg.TypeA); m.Rcode != msg.RcodeServerFailure || took > 8*time.Second {
			t.Errorf("%v\n%v", took, m)
		}
	})
}

type writer struct{ got chan *msg.Message }

func (w writer) Write(m *msg.Message) error { w.got <- m; return nil }
func (writer) WriteWire([]byte) error       { panic("not here") }

// serve has the resolver answer as a server does, and returns where its reply comes.
func (w *world) serve(q *msg.Message, from string) <-chan *msg.Message {
	got := writer{make(chan *msg.Message, 1)}
	go w.r.ServeDNS(context.Background(), got, &server.Request{Msg: q, Remote: netip.MustParseAddrPort(from)})
	return got.got
}

// A question that its upstreams forward to us is not sent again, and its failure tells which of them have asked.
func TestLoopIsFoundOut(t *testing.T) {
	in(t, client.UDP, func(w *world) {
		w.a.Handle = func(q *msg.Message, _ []byte, _ bool) []fakenet.Reply {
			w.serve(q, "[::ffff:192.0.2.1]:5353")
			return nil
		}
		w.b.Handle = func(*msg.Message, []byte, bool) []fakenet.Reply { return nil }
		m, took := w.ask("www.example", msg.TypeA)
		if m.Rcode != msg.RcodeServerFailure || took > 8*time.Second {
			t.Errorf("%v\n%v", took, m)
		}
		if e := m.EDE(); len(e) != 1 || !strings.HasSuffix(e[0].Text, "; 192.0.2.1 has asked us the same meanwhile: it may forward to us") {
			t.Errorf("it tells of no circle, or of too many: %v", e)
		}
		if to := w.to(); len(to) > 4 {
			t.Errorf("asked %d times", len(to))
		}
		// When it is over, it is forgotten.
		w.a.Handle = w.b.Handle
		if m, _ := w.ask("mail.example", msg.TypeA); len(m.EDE()) != 1 || strings.Contains(m.EDE()[0].Text, "meanwhile") {
			t.Errorf("%v", m)
		}
	})
}

// Who asks from an upstream's host what that upstream is being asked has the answer with the others.
func TestClientOnAnUpstreamsHost(t *testing.T) {
	in(t, client.UDP, func(w *world) {
		w.a.Delay = 100 * time.Millisecond
		var got []<-chan *msg.Message
		for _, from := range []string{"192.0.2.77:4000", "192.0.2.1:4001", "192.0.2.1:4002"} {
			q := &msg.Message{Question: []msg.Question{{Name: msg.MustName("www.example"), Type: msg.TypeA, Class: msg.ClassINET}}}
			q.RecursionDesired = true
			got = append(got, w.serve(q, from))
			time.Sleep(10 * time.Millisecond)
		}
		for i, c := range got {
			if m := <-c; m.Rcode != msg.RcodeSuccess || len(m.Answer) != 2 {
				t.Errorf("client %d: %v", i, m)
			}
		}
		if to := w.to(); len(to) != 1 {
			t.Errorf("asked %d times", len(to))
		}
	})
}

// That there is no room for one more connection is nothing that an upstream has done.
func TestFullClientIsNotTheUpstreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n fakenet.Net
		for _, a := range []string{"192.0.2.1", "192.0.2.2"} {
			n.Add(a, &fakenet.Server{Handle: recursive(".", records), Delay: 100 * time.Millisecond})
		}
		c := &client.Client{Network: &n, MaxConnections: 1}
		defer c.Close()
		u, err := forward.NewUpstreams(c,
			forward.Zone{Name: msg.Root, Servers: []forward.Server{srv("192.0.2.1:53", client.TCP)}},
			forward.Zone{Name: msg.MustName("example"), Servers: []forward.Server{srv("192.0.2.2:53", client.TCP)}})
		if err != nil {
			t.Fatal(err)
		}
		errs := make(chan error)
		for _, name := range []string{"www.other", "www.example"} {
			go func() {
				_, _, _, err := u.Forward(t.Context(), msg.Question{Name: msg.MustName(name), Type: msg.TypeA, Class: msg.ClassINET}, false)
				errs <- err
			}()
		}
		if a, b := <-errs, <-errs; (a == nil) == (b == nil) {
			t.Errorf("one of two finds a connection: %v, %v", a, b)
		}
		for _, h := range u.Health() {
			if h.Fails != 0 {
				t.Errorf("%v has failed %d times", h.Server, h.Fails)
			}
		}
	})
}
