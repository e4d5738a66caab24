package recursor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
)

const wwwAddrs = "A 192.0.2.80, A 192.0.2.81"

// From the root down: each server is asked for one label more than its zone has, and for the whole name at the end.
func TestWalkFromTheRoot(t *testing.T) {
	in(t, nil, func(w *world) {
		a := w.ask("WWW.example.com", "AAAA")
		if a.Rcode != msg.RcodeSuccess || len(a.Answer) > 0 || len(a.Authority) != 1 || a.Authority[0].Type != msg.TypeSOA {
			t.Errorf("NODATA is\n%v", a.Message)
		}
		got := strings.ReplaceAll(fakenet.Text(a.log), "198.51.100.2", "198.51.100.1")
		if want := `192.0.2.1 . NS
192.0.2.1 com. A
192.0.2.2 example.com. A
198.51.100.1 www.example.com. AAAA
`; got != want {
			t.Errorf("asked\n%swant\n%s", got, want)
		}
		a = w.ask("wWw.example.com", "A")
		w.gives(a, wwwAddrs)
		if a.sent != 1 || a.Answer[0].Name != msg.MustName("wWw.example.com") {
			t.Errorf("the zone is known: %d queries, answer\n%v", a.sent, a.Message)
		}
		a = w.ask("www.example.com", "A")
		w.gives(a, wwwAddrs)
		if a.sent != 0 || a.took != 0 {
			t.Errorf("the second time: %d queries", a.sent)
		}
		time.Sleep(100 * time.Second)
		if a = w.ask("www.example.com", "A"); a.sent != 0 || a.Answer[0].TTL > 200 || a.Answer[0].TTL < 199 {
			t.Errorf("after 100 s: %d queries, TTL %d", a.sent, a.Answer[0].TTL)
		}
		time.Sleep(201 * time.Second)
		if a = w.ask("www.example.com", "A"); a.sent != 1 {
			t.Errorf("after the TTL: %d queries", a.sent)
		}
	})
}

func TestAnswersOfEachKind(t *testing.T) {
	in(t, nil, func(w *world) {
		w.gives(w.ask("alias.example.com", "A"), "CNAME www.example.com., "+wwwAddrs)
		w.gives(w.ask("alias.example.com", "CNAME"), "CNAME www.example.com.")
		w.gives(w.ask("away.example.com", "A"), "CNAME www.glueless.com., A 192.0.2.90")
		w.gives(w.ask("www.tree.example.com", "A"), "DNAME example.com., CNAME www.example.com., "+wwwAddrs)
		w.gives(w.ask("alias.tree.example.com", "A"), "DNAME example.com., CNAME alias.example.com., CNAME www.example.com., "+wwwAddrs)
		w.gives(w.ask("a.b.c.example.com", "TXT"), `TXT "deep"`)
		w.gives(w.ask("b.c.example.com", "TXT"), "") // an empty non-terminal
		if a := w.ask("nothing.example.com", "A"); a.Rcode != msg.RcodeNameError || len(a.Authority) != 1 {
			t.Errorf("NXDOMAIN is\n%v", a.Message)
		}
		if a := w.ask("nothing.example.com", "MX"); a.Rcode != msg.RcodeNameError || a.sent != 0 {
			t.Errorf("another type of a name that does not exist: %d queries\n%v", a.sent, a.Message)
		}
		if a := w.ask("no.tld", "A"); a.Rcode != msg.RcodeNameError {
			t.Errorf("NXDOMAIN of the root is\n%v", a.Message)
		}
		if a := w.ask("example.com", "ANY"); len(a.Answer) != 1 || a.Answer[0].Type != msg.TypeHINFO || a.sent != 0 {
			t.Errorf("ANY is\n%v", a.Message)
		}
		if a := w.ask("example.com", "AXFR"); a.Rcode != msg.RcodeNotImplemented {
			t.Errorf("AXFR is\n%v", a.Message)
		}
	})
}

func TestLoopsOfAliasesEnd(t *testing.T) {
	in(t, nil, func(w *world) {
		w.fails(w.ask("loop1.example.com", "A"), msg.EDEOther, 6, time.Second)
		long := "e0.example.com. 60 IN NS ns1.example.com.\n"
		for i := range 30 {
			long += "c" + string(rune('a'+i%26)) + strings.Repeat("x", i/26) + ".example.com. 60 IN CNAME c" + string(rune('a'+(i+1)%26)) + strings.Repeat("x", (i+1)/26) + ".example.com.\n"
		}
		w.servers["198.51.100.1"].Handle = fakenet.Zone("example.com", long)
		w.servers["198.51.100.2"].Handle = fakenet.Zone("example.com", long)
		w.fails(w.ask("ca.example.com", "A"), msg.EDEOther, 20, time.Second)
		// A DNAME onto itself makes names longer and longer.
		w.servers["198.51.100.1"].Handle = fakenet.Zone("example.com", "t.example.com. 60 IN DNAME t.t.example.com.")
		w.servers["198.51.100.2"].Handle = w.servers["198.51.100.1"].Handle
		w.fails(w.ask("a.t.example.com", "A"), msg.EDEOther, 20, time.Second)
	})
}

// Data from out of the asked server's zone is not believed, wherever it stands.
func TestOutOfBailiwickIsNotBelieved(t *testing.T) {
	evil := fakenet.Records(`
www.glueless.com. 300 IN A 203.0.113.66
ns.hoster.net. 300 IN A 203.0.113.66
com. 300 IN NS ns1.example.com.
. 300 IN NS ns1.example.com.
net. 300 IN NS ns1.example.com.
`)
	in(t, nil, func(w *world) {
		poison := fakenet.Edit(fakenet.Zone("example.com", exampleZone), func(q, m *msg.Message) {
			m.Answer = append(m.Answer, evil[:2]...)
			m.Authority = append(m.Authority, evil[2:]...)
			m.Additional = append(m.Additional, evil[:2]...)
		})
		w.servers["198.51.100.1"].Handle, w.servers["198.51.100.2"].Handle = poison, poison
		w.servers["192.0.2.2"].Handle = fakenet.Edit(fakenet.Zone("com", comZone), func(q, m *msg.Message) {
			m.Additional = append(m.Additional, evil[1]) // the address of a server that is not com's to tell
		})
		w.gives(w.ask("www.example.com", "A"), wwwAddrs)
		w.gives(w.ask("away.example.com", "A"), "CNAME www.glueless.com., A 192.0.2.90")
		w.gives(w.ask("ns.hoster.net", "A"), "A 198.51.100.3")
		var b strings.Builder
		if w.r.Cache().Dump(&b, msg.Root); strings.Contains(b.String(), "203.0.113.66") {
			t.Errorf("the cache has what nobody may tell:\n%s", b.String())
		}
	})
}

// A server that refers upwards or aside, refuses, fails or denies having authority is left; the other one answers.
func TestUselessServers(t *testing.T) {
	up := func(zone string) fakenet.Handler {
		return fakenet.Edit(fakenet.Code(msg.RcodeSuccess), func(q, m *msg.Message) {
			m.Authority = fakenet.Records(zone + " 300 IN NS ns.root.")
		})
	}
	notAuth := fakenet.Edit(fakenet.Zone("example.com", exampleZone), func(q, m *msg.Message) { m.Authoritative = false })
	for name, h := range map[string]fakenet.Handler{
		"upward": up("."), "itself": up("example.com."), "parent": up("com."), "aside": up("net."), "refused": fakenet.Refuse,
		"servfail": fakenet.Code(msg.RcodeServerFailure), "empty": fakenet.Code(msg.RcodeSuccess), "no authority": notAuth,
		"garbage": func(*msg.Message, []byte, bool) []fakenet.Reply { return []fakenet.Reply{{Wire: []byte("garbage")}} },
	} {
		t.Run(name, func(t *testing.T) {
			in(t, nil, func(w *world) {
				w.servers["198.51.100.1"].Handle = h
				for range 10 {
					w.gives(w.ask("www.example.com", "A"), wwwAddrs)
					w.r.Cache().Flush(msg.MustName("www.example.com"), msg.TypeA)
				}
				w.r.Cache().FlushTree(msg.Root)
				w.servers["198.51.100.2"].Handle = h
				w.fails(w.ask("www.example.com", "A"), msg.EDENoReachableAuthority, 8, 9*time.Second)
				a := w.ask("www.example.com", "A")
				w.fails(a, msg.EDECachedError, 0, 0)
			})
		})
	}
}

func TestDeadServers(t *testing.T) {
	in(t, nil, func(w *world) {
		w.servers["198.51.100.1"].NoUDP = true
		var total time.Duration
		for range 50 {
			a := w.ask("www.example.com", "A")
			w.gives(a, wwwAddrs)
			total += a.took
			w.r.Cache().Flush(msg.MustName("www.example.com"), msg.TypeA)
		}
		if total > 15*time.Second {
			t.Errorf("50 questions with one of two servers dead took %v", total)
		}
		w.servers["198.51.100.2"].NoUDP = true
		time.Sleep(6 * time.Second)
		w.fails(w.ask("www.example.com", "MX"), msg.EDENoReachableAuthority, 10, 9*time.Second)
		w.servers["198.51.100.2"].NoUDP = false
		time.Sleep(70 * time.Second)
		w.gives(w.ask("www.example.com", "A"), wwwAddrs)
		w.servers["198.51.100.1"].Closed, w.servers["198.51.100.2"].Closed = true, true
		a := w.ask("www.example.com", "TXT")
		w.fails(a, msg.EDENetworkError, 10, time.Second)
	})
}

// Slow servers are found out, and the fast one is asked more often.
func TestFastServersAreAskedMost(t *testing.T) {
	in(t, nil, func(w *world) {
		w.servers["198.51.100.1"].Delay = 100 * time.Millisecond
		count := map[string]int{}
		for range 200 {
			for _, q := range w.ask("www.example.com", "A").log {
				count[q.To.Addr().String()]++
			}
			w.r.Cache().Flush(msg.MustName("www.example.com"), msg.TypeA)
		}
		if slow, fast := count["198.51.100.1"], count["198.51.100.2"]; slow > 40 || slow < 1 || fast < 160 {
			t.Errorf("the slow one was asked %d times, the fast one %d times", slow, fast)
		}
	})
}

// Names of servers that exist only to be looked up (NXNSAttack).
func TestNXNSAttackIsBounded(t *testing.T) {
	in(t, nil, func(w *world) {
		var ns string
		for i := range 50 {
			ns += "victim.example.com. 60 IN NS n" + strings.Repeat("x", i) + ".target.net.\n"
		}
		w.servers["198.51.100.1"].Handle = fakenet.Zone("example.com", ns)
		w.servers["198.51.100.2"].Handle = w.servers["198.51.100.1"].Handle
		a := w.ask("www.victim.example.com", "A")
		w.fails(a, msg.EDENoReachableAuthority, 20, 9*time.Second)
	})
}

// Two zones whose servers have names in each other (TsuNAME).
func TestCyclicDependenceEnds(t *testing.T) {
	in(t, nil, func(w *world) {
		w.servers["192.0.2.2"].Handle = fakenet.Zone("com", "one.com. 3600 IN NS ns.two.com.\ntwo.com. 3600 IN NS ns.one.com.\n")
		w.fails(w.ask("www.one.com", "A"), msg.EDENoReachableAuthority, 20, time.Second)
		a := w.ask("other.two.com", "A")
		w.fails(a, msg.EDENoReachableAuthority, 20, time.Second)
	})
}

func TestEqualQuestionsAreMerged(t *testing.T) {
	in(t, nil, func(w *world) {
		done := make(chan int)
		for range 500 {
			go func() {
				m, err := w.r.Resolve(w.Context(), question("www.example.com", "A"), recursor.QueryOptions{})
				if err != nil || len(m.Answer) != 2 {
					t.Errorf("%v %v", m, err)
				}
				done <- 1
			}()
		}
		for range 500 {
			<-done
		}
		if n := len(w.net.Log()); n != 4 {
			t.Errorf("%d queries for 500 equal questions", n)
		}
		if w.r.Count("merged") != 499 {
			t.Errorf("%d merged", w.r.Count("merged"))
		}
	})
}
