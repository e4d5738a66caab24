package dns

import (
	"context"
	"net/netip"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
)

// eager answers everything in the receive path.
type eager struct{ server.Handler }

func (eager) AnswerDirect(dst []byte, q *msg.Query, _ netip.AddrPort, _ server.Transport) ([]byte, bool) {
	return append(dst, q.Wire...), true
}

// The receive path asks who may, too: what a cache has is for neighbours only.
func TestDirectAnswersOfOthersAreForNeighbours(t *testing.T) {
	r := &route{recursion: newTarget(eager{}), allow: DefaultAllow(), size: 1232}
	p, err := msg.NewQuery(msg.MustName("www.test."), msg.TypeA, true).Append(nil, 512)
	if err != nil {
		t.Fatal(err)
	}
	var q msg.Query
	if !q.Parse(p) {
		t.Fatal("no plain query")
	}
	for from, want := range map[string]msg.Rcode{"10.0.0.1:4000": 0, "203.0.113.1:4000": msg.RcodeRefused} {
		answer, ok := r.AnswerDirect(nil, &q, netip.MustParseAddrPort(from), server.UDP)
		if !ok || msg.Rcode(answer[3]&15) != want {
			t.Errorf("%s: %x, %v", from, answer, ok)
		}
	}
}

// answers is a handler that says who it is.
func answers(addr string) server.Handler {
	return server.HandlerFunc(func(_ context.Context, w server.Writer, r *server.Request) {
		m := r.Msg.Reply()
		m.Answer = []msg.RR{msg.A(r.Msg.Question[0].Name, 60, netip.MustParseAddr(addr))}
		w.Write(m)
	})
}

// paper takes an answer.
type paper struct{ m *msg.Message }

func (p *paper) Write(m *msg.Message) error { p.m = m; return nil }

func (p *paper) WriteWire(b []byte) error {
	p.m = new(msg.Message)
	return p.m.Unpack(b)
}

// A query that was given to what is no longer asked is answered by what is, one whose signature is verified too.
func TestLateQueriesAreAnsweredByWhoIsAskedNow(t *testing.T) {
	config := func(addr string) Config {
		return Config{Forward: []Forward{{Zone: msg.MustName("test."), To: answers(addr)}}}
	}
	s, err := New(config("192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	old := s.state.Load().route
	if settled, err := s.Reconfigure(config("192.0.2.2")); err != nil {
		t.Fatal(err)
	} else {
		<-settled
	}
	for _, signed := range []bool{false, true} {
		m := msg.NewQuery(msg.MustName("a.test."), msg.TypeA, true)
		if signed { // it was verified on the way here
			m.Additional = []msg.RR{{Name: msg.MustName("k."), Type: msg.TypeTSIG, Class: msg.ClassANY}}
		}
		wire, err := msg.NewQuery(msg.MustName("a.test."), msg.TypeA, true).Append(nil, 512)
		if err != nil {
			t.Fatal(err)
		}
		w := new(paper)
		old.ServeDNS(t.Context(), w, &server.Request{Msg: m, Wire: wire, Remote: netip.MustParseAddrPort("10.0.0.1:4000"), Limit: 512})
		if w.m == nil || len(w.m.Answer) != 1 || w.m.Answer[0].Addr().String() != "192.0.2.2" {
			t.Errorf("signed %v: %v", signed, w.m)
		}
	}
}

// A DS record is the parent's to give (RFC 4035 §3.1.4.1): the resolver of a zone that is forwarded has it of its
// children, not of itself, unless nobody else is there to be asked.
func TestDSIsAskedForWhereTheParentIs(t *testing.T) {
	inner, outer, rest := answers("192.0.2.1"), answers("192.0.2.2"), answers("192.0.2.3")
	zones := map[string]target{}
	for zone, h := range map[string]server.Handler{"corp.example.": inner, "example.": outer} {
		zones[string(msg.MustName(zone))] = newTarget(h)
	}
	for _, x := range []struct {
		name string
		typ  msg.Type
		want string // who is asked where there is a resolver for the rest
		bare string // and where there is none
	}{
		{"corp.example.", msg.TypeDS, "192.0.2.2", "192.0.2.2"},
		{"corp.example.", msg.TypeA, "192.0.2.1", "192.0.2.1"},
		{"sub.corp.example.", msg.TypeDS, "192.0.2.1", "192.0.2.1"},
		{"CORP.example.", msg.TypeDS, "192.0.2.2", "192.0.2.2"},
		{"example.", msg.TypeDS, "192.0.2.3", "192.0.2.2"},
		{".", msg.TypeDS, "192.0.2.3", "-"},
		{"test.", msg.TypeDS, "192.0.2.3", "-"},
	} {
		for _, recursion := range []server.Handler{rest, nil} {
			r := &route{forward: zones, longest: 2, allow: DefaultAllow(), size: 1232}
			want := x.bare
			if recursion != nil {
				r.recursion, want = newTarget(recursion), x.want
			}
			w := new(paper)
			r.ServeDNS(t.Context(), w, &server.Request{
				Msg: msg.NewQuery(msg.MustName(x.name), x.typ, true), Remote: netip.MustParseAddrPort("10.0.0.1:4000")})
			got := "-"
			if len(w.m.Answer) > 0 {
				got = netip.AddrFrom4([4]byte([]byte(w.m.Answer[0].Data))).String()
			}
			if got != want {
				t.Errorf("%s %v: %s was asked, want %s", x.name, x.typ, got, want)
			}
		}
	}
}
