package recursor_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/dnssec"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/tree"
)

// capture is a server.Writer that keeps the answer.
type capture struct{ m *msg.Message }

func (c *capture) Write(m *msg.Message) error { c.m = m; return nil }
func (c *capture) WriteWire(p []byte) error   { c.m = new(msg.Message); return c.m.Unpack(p) }

// authority makes a scripted server of a handler.
func authority(h server.Handler) fakenet.Handler {
	return func(q *msg.Message, wire []byte, tcp bool) []fakenet.Reply {
		var c capture
		r := &server.Request{Msg: q, Wire: wire, Remote: netip.MustParseAddrPort("192.0.2.200:5353"), Limit: 0xffff}
		h.ServeDNS(context.Background(), &c, r)
		if c.m == nil {
			return nil
		}
		return []fakenet.Reply{{Msg: c.m}}
	}
}

// inTree runs f with a resolver that validates, over the tree of package tree.
func inTree(t *testing.T, o tree.Options, change func(*recursor.Config), f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, net: &fakenet.Net{}, servers: map[string]*fakenet.Server{}}
		o.Signed = true
		tr, err := tree.New(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range tr.Servers {
			h, err := tr.Handler(s)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range s.Addrs {
				w.server(a.String(), authority(h))
			}
		}
		cfg := recursor.Config{
			Network: w.net, Public: []msg.Name{msg.Root}, Hints: tr.Hints, Anchors: tr.Anchors,
			Trace: func(e recursor.Event) { w.events = append(w.events, e) },
		}
		if change != nil {
			change(&cfg)
		}
		if w.r, err = recursor.New(cfg); err != nil {
			t.Fatal(err)
		}
		f(w)
		w.r.Close()
	})
}

// everywhere edits the answers of all servers.
func (w *world) everywhere(f func(q, m *msg.Message)) {
	for _, s := range w.servers {
		s.Handle = fakenet.Edit(s.Handle, f)
	}
}

func (w *world) words() string {
	var b strings.Builder
	for _, e := range w.events {
		b.WriteString(strings.Repeat("  ", e.Depth) + e.String() + "\n")
	}
	return b.String()
}

// What is signed is validated from the root's keys down, denials included; AD is for those who want to know.
func TestSignedTree(t *testing.T) {
	inTree(t, tree.Options{}, nil, func(w *world) {
		for _, c := range []struct {
			name, typ string
			rcode     msg.Rcode
			answers   int
		}{
			{"www.weir.example", "A", 0, 1}, {"ftp.weir.example", "A", 0, 2}, {"blog.weir.example", "A", 0, 3},
			{"x.wild.weir.example", "A", 0, 1}, {"host.old.weir.example", "TYPE65400", 0, 2},
			{"nobody.weir.example", "A", msg.RcodeNameError, 0}, {"empty.weir.example", "A", 0, 0}, {"www.weir.example", "PTR", 0, 0},
			{"nobody.example", "A", msg.RcodeNameError, 0}, {"nobody", "A", msg.RcodeNameError, 0}, {"weir.example", "DNSKEY", 0, 2},
			{"weir.example", "DS", 0, 1}, {"www.weir.example", "DS", 0, 0}, {"big.weir.example", "TXT", 0, 0}, {".", "NS", 0, 2},
		} {
			a := w.askWith(c.name, c.typ, recursor.QueryOptions{DO: true})
			n := 0
			for _, rr := range a.Answer {
				if rr.Type != msg.TypeRRSIG {
					n++
				}
			}
			if a.Rcode != c.rcode || n != c.answers && c.answers > 0 || !a.AuthenticData {
				t.Errorf("%s %s: want %v, %d records and AD, got\n%v\n%s", c.name, c.typ, c.rcode, c.answers, a.Message, w.words())
			}
		}
		if a := w.ask("www.weir.example", "A"); a.AuthenticData || len(a.Answer) != 1 {
			t.Errorf("without DO and AD:\n%v", a.Message)
		}
		if a := w.askWith("www.weir.example", "A", recursor.QueryOptions{AD: true}); !a.AuthenticData || len(a.Answer) != 1 || a.sent != 0 {
			t.Errorf("with AD:\n%v", a.Message)
		}
	})
}

// From the proof that one name does not exist the resolver tells that others do not (RFC 8198).
func TestDenialsAreUsedAgain(t *testing.T) {
	inTree(t, tree.Options{}, nil, func(w *world) {
		w.ask("nobody.weir.example", "A")
		for _, name := range []string{"nobodx.weir.example", "a.b.nobodx.weir.example", "nobodyz.weir.example"} {
			a := w.askWith(name, "A", recursor.QueryOptions{DO: true})
			if a.Rcode != msg.RcodeNameError || a.sent != 0 || !a.has(msg.EDESynthesized) || !a.AuthenticData {
				t.Errorf("%s: %d queries\n%v\n%s", name, a.sent, a.Message, fakenet.Text(a.log))
			}
		}
		w.ask("www.weir.example", "PTR")
		if a := w.ask("www.weir.example", "RP"); a.Rcode != 0 || a.sent != 0 || !a.has(msg.EDESynthesized) {
			t.Errorf("NODATA: %d queries\n%v\n%s", a.sent, a.Message, w.words())
		}
		if a := w.ask("www.weir.example", "A"); len(a.Answer) != 1 {
			t.Errorf("what exists was denied:\n%v", a.Message)
		}
		if a := w.ask("x.wild.weir.example", "A"); len(a.Answer) != 1 {
			t.Errorf("a wildcard was denied:\n%v", a.Message)
		}
	})
}

// So does it where names are hashed, once it knows the zone's records (RFC 8198 §5.3).
func TestHashedDenialsAreUsedAgain(t *testing.T) {
	inTree(t, tree.Options{}, nil, func(w *world) {
		for i := range 30 {
			w.ask(fmt.Sprintf("nobody%d.example", i), "A")
		}
		for i := range 20 {
			a := w.askWith(fmt.Sprintf("somebody%d.example", i), "A", recursor.QueryOptions{DO: true})
			if a.Rcode != msg.RcodeNameError || a.sent != 0 || !a.has(msg.EDESynthesized) || !a.AuthenticData {
				t.Errorf("%d queries\n%v\n%s", a.sent, a.Message, fakenet.Text(a.log))
			}
		}
		if a := w.ask("www.weir.example", "A"); len(a.Answer) != 1 {
			t.Errorf("what exists was denied:\n%v", a.Message)
		}
	})
}

// Where no trust anchor matches a key of the root nothing resolves, and the answer says which keys there are and which are trusted. The log
// says what to do, once in an hour.
func TestNoTrustAnchorMatches(t *testing.T) {
	var log bytes.Buffer
	public := func(c *recursor.Config) {
		c.Anchors, c.Logger = dnssec.RootAnchors(), slog.New(slog.NewTextHandler(&log, nil))
	}
	inTree(t, tree.Options{}, public, func(w *world) {
		const want = "the trust anchors configured for it are of 20326, 38696"
		a := w.ask("www.weir.example", "A")
		if w.fails(a, msg.EDEDNSKEYMissing, 30, time.Second); len(a.EDE()) == 0 || !strings.Contains(a.EDE()[0].Text, want) {
			t.Errorf("%v", a.EDE())
		}
		if n := w.r.Count("anchor.failed"); n != 1 || strings.Count(log.String(), want) != 1 || !strings.Contains(log.String(), "replace the anchors") {
			t.Errorf("counted %d, logged: %s", n, log.String())
		}
		time.Sleep(30 * time.Minute)
		w.ask("www.weir.example", "A")
		if n := w.r.Count("anchor.failed"); n != 2 || strings.Count(log.String(), want) != 1 {
			t.Errorf("half an hour later counted %d, logged: %s", n, log.String())
		}
		time.Sleep(31 * time.Minute)
		if w.ask("www.weir.example", "A"); strings.Count(log.String(), want) != 2 {
			t.Errorf("an hour later logged: %s", log.String())
		}
	})
}

// forge changes the address of www.weir.example, and leaves its signature.
func forge(_, m *msg.Message) {
	for i, rr := range m.Answer {
		if rr.Type == msg.TypeA && rr.Name.Equal(msg.MustName("www.weir.example")) {
			m.Answer[i] = msg.A(rr.Name, rr.TTL, netip.MustParseAddr("203.0.113.66"))
		}
	}
}

func strip(_, m *msg.Message) {
	keep := m.Answer[:0:0]
	for _, rr := range m.Answer {
		if rr.Type != msg.TypeRRSIG {
			keep = append(keep, rr)
		}
	}
	m.Answer = keep
}

// What is forged gives SERVFAIL with the reason, again from the cache, and is there for who sets CD.
func TestForgedAnswersFail(t *testing.T) {
	long := 60 * 24 * time.Hour
	for name, c := range map[string]struct {
		age  time.Duration
		edit func(q, m *msg.Message)
		code uint16
	}{
		"forged": {0, forge, msg.EDEBogus}, "stripped": {0, strip, msg.EDERRSIGsMissing},
		"expired": {-long, nil, msg.EDESignatureExpired}, "early": {long, nil, msg.EDESignatureNotYetValid},
	} {
		t.Run(name, func(t *testing.T) {
			// The bubble's clock begins at this time.
			now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(c.age)
			inTree(t, tree.Options{Now: now}, nil, func(w *world) {
				if c.edit != nil {
					w.everywhere(c.edit)
				}
				a := w.ask("www.weir.example", "A")
				if a.Rcode != msg.RcodeServerFailure || len(a.EDE()) == 0 || name != "stripped" && !a.has(c.code) || a.sent > 60 {
					t.Errorf("want SERVFAIL with %d after few queries, got %d and\n%v\n%s", c.code, a.sent, a.Message, w.words())
				}
				if a = w.ask("www.weir.example", "A"); a.Rcode != msg.RcodeServerFailure || a.sent != 0 {
					t.Errorf("again: %d queries\n%v", a.sent, a.Message)
				}
				a = w.askWith("www.weir.example", "A", recursor.QueryOptions{CD: true})
				if a.Rcode != msg.RcodeSuccess || len(a.Answer) != 1 || a.AuthenticData {
					t.Errorf("CD: got\n%v\n%s", a.Message, w.words())
				}
			})
		})
	}
}

// One server that lies does not keep the others' answers away.
func TestLiarAmongServers(t *testing.T) {
	for range 5 {
		inTree(t, tree.Options{}, nil, func(w *world) {
			n := 0
			for addr, s := range w.servers {
				if n++; strings.HasSuffix(addr, ".8") { // ns1.weir.example, IPv4
					s.Handle = fakenet.Edit(s.Handle, forge)
				}
			}
			a := w.askWith("www.weir.example", "A", recursor.QueryOptions{AD: true})
			if len(a.Answer) != 1 || a.Answer[0].Addr().String() == "203.0.113.66" || !a.AuthenticData {
				t.Errorf("got\n%v\n%s", a.Message, w.words())
			}
		})
	}
}

// A zone that is not signed, and is proven not to be, is answered without AD; so is one below a negative anchor.
func TestInsecureIslands(t *testing.T) {
	inTree(t, tree.Options{Unsigned: []msg.Name{msg.MustName("shop.example"), msg.MustName("weir.example")}}, nil, func(w *world) {
		for _, name := range []string{"web.shop.example", "www.weir.example"} {
			a := w.askWith(name, "A", recursor.QueryOptions{DO: true})
			if len(a.Answer) != 1 || a.AuthenticData {
				t.Errorf("%s:\n%v\n%s", name, a.Message, w.words())
			}
		}
	})
	untrusted := func(c *recursor.Config) { c.Untrusted = []msg.Name{msg.MustName("weir.example")} }
	inTree(t, tree.Options{}, untrusted, func(w *world) {
		w.everywhere(forge)
		if a := w.ask("www.weir.example", "A"); len(a.Answer) != 1 || a.AuthenticData {
			t.Errorf("below a negative trust anchor:\n%v\n%s", a.Message, w.words())
		}
	})
}
