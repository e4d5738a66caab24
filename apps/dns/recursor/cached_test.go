package recursor_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/server"
)

// cut makes all servers silent, or lets them speak again.
func (w *world) cut(silent bool) {
	w.net.Do(func() {
		for _, s := range w.servers {
			s.NoUDP = silent
		}
	})
}

// When all servers are gone, what has expired is given out for as long as it is kept, with the code that says so.
func TestStaleAnswers(t *testing.T) {
	stale := func(c *recursor.Config) {
		c.ServeStale, c.Cache = true, cache.New(cache.Config{Stale: time.Hour})
	}
	in(t, stale, func(w *world) {
		w.gives(w.ask("alias.example.com", "A"), "CNAME www.example.com., "+wwwAddrs)
		w.ask("nothing.example.com", "A")
		w.cut(true)
		time.Sleep(10 * time.Minute)
		a := w.ask("alias.example.com", "A")
		w.gives(a, "CNAME www.example.com., "+wwwAddrs)
		if !a.has(msg.EDEStaleAnswer) || a.Answer[0].TTL != 30 || a.took != 1800*time.Millisecond {
			t.Errorf("after %v:\n%v", a.took, a.Message)
		}
		if a = w.ask("nothing.example.com", "A"); a.Rcode != msg.RcodeNameError || !a.has(msg.EDEStaleNXDomain) {
			t.Errorf("NXDOMAIN:\n%v", a.Message)
		}
		time.Sleep(10 * time.Second) // the search has failed by now
		w.ask("alias.example.com", "A")
		w.cut(false)
		time.Sleep(2 * time.Minute) // longer than servers are taken for dead
		w.ask("alias.example.com", "A")
		time.Sleep(time.Second)
		if a = w.ask("alias.example.com", "A"); a.has(msg.EDEStaleAnswer) || a.sent > 0 {
			t.Errorf("the servers are back, and\n%v", a.Message)
		}
		w.cut(true)
		time.Sleep(2 * time.Hour)
		if a = w.ask("alias.example.com", "A"); a.Rcode != msg.RcodeServerFailure {
			t.Errorf("two hours later:\n%v", a.Message)
		}
	})
}

// What is asked for near its end is fetched in the background: the client waits for nothing, and it does not expire.
func TestPrefetch(t *testing.T) {
	in(t, func(c *recursor.Config) { c.Prefetch = 10 }, func(w *world) {
		w.ask("www.example.com", "A")
		time.Sleep(250 * time.Second)
		w.ask("www.example.com", "A")
		time.Sleep(time.Second)
		if n := len(w.net.Log()); n != 0 {
			t.Errorf("fetched %d times with 50 s left", n)
		}
		for range 10 {
			time.Sleep(23 * time.Second)
			if a := w.ask("www.example.com", "A"); a.took != 0 || len(a.Answer) != 2 {
				t.Errorf("%v\n%v", a.took, a.Message)
			}
		}
		if w.r.Count("prefetched") != 1 {
			t.Errorf("%d times prefetched", w.r.Count("prefetched"))
		}
	})
}

// direct asks in the receive path.
func (w *world) direct(name, typ string, do bool) (*msg.Message, bool) {
	w.Helper()
	m := &msg.Message{Header: msg.Header{ID: 77, RecursionDesired: true}, Question: []msg.Question{question(name, typ)}}
	if do {
		m.EDNS = &msg.EDNS{Size: 1232, DO: true}
	}
	p, err := m.Append(nil, 0xffff)
	if err != nil {
		w.Fatal(err)
	}
	var q msg.Query
	if !q.Parse(p) {
		w.Fatal("not a plain query")
	}
	out, ok := w.r.AnswerDirect([]byte("before"), &q, netip.AddrPort{}, server.UDP)
	if !ok {
		return nil, false
	}
	r := new(msg.Message)
	if err := r.Unpack(out[len("before"):]); err != nil {
		w.Fatalf("%v: %x", err, out)
	}
	return r, true
}

// The receive path says the same as the slow one, of all that the cache has.
func TestDirectAnswersAreTheSame(t *testing.T) {
	in(t, nil, func(w *world) {
		for _, q := range [][2]string{
			{"WWW.example.com", "A"}, {"alias.example.com", "A"}, {"away.example.com", "A"}, {"Nothing.example.com", "A"},
			{"www.example.com", "MX"}, {"a.b.c.example.com", "TXT"}, {"example.com", "NS"},
		} {
			if _, ok := w.direct(q[0], q[1], false); ok {
				t.Errorf("%v is answered, and nobody has asked before", q)
			}
			w.ask(q[0], q[1])
			time.Sleep(10 * time.Second)
			want := w.ask(q[0], q[1])
			got, ok := w.direct(q[0], q[1], true)
			if !ok {
				t.Errorf("%v is not answered", q)
				continue
			}
			if !same(got.Answer, want.Answer) || !same(got.Authority, want.Authority) || got.Rcode != want.Rcode || got.ID != 77 ||
				!got.RecursionAvailable || got.Authoritative || !got.RecursionDesired || got.EDNS == nil || !got.EDNS.DO {
				t.Errorf("%v: in the receive path\n%v\nelse\n%v", q, got, want.Message)
			}
			if got.Question[0].Name != msg.MustName(q[0]) {
				t.Errorf("%v: the case of %v", q, got.Question[0].Name)
			}
		}
	})
}

// same compares sections without regard to order.
func same(a, b []msg.RR) bool {
	if len(a) != len(b) {
		return false
	}
	count := map[msg.RR]int{}
	for i := range a {
		count[a[i]]++
		count[b[i]]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// Names that mean something on every host, or nothing anywhere else, are not asked for.
func TestLocalNames(t *testing.T) {
	in(t, func(c *recursor.Config) { c.Public = []msg.Name{msg.MustName("2.0.192.in-addr.arpa")} }, func(w *world) {
		w.gives(w.ask("localhost", "A"), "A 127.0.0.1")
		w.gives(w.ask("db.localhost", "AAAA"), "AAAA ::1")
		w.gives(w.ask("localhost", "MX"), "")
		w.gives(w.ask("1.0.0.127.in-addr.arpa", "PTR"), "PTR localhost.")
		for _, name := range []string{"x.invalid", "1.1.168.192.in-addr.arpa", "1.0.20.172.in-addr.arpa", "1.0.100.100.in-addr.arpa", "x.onion"} {
			if a := w.ask(name, "PTR"); a.Rcode != msg.RcodeNameError || len(a.Authority) != 1 {
				t.Errorf("%s:\n%v", name, a.Message)
			}
		}
		if n := w.r.Count("upstream.sent"); n != 0 {
			t.Errorf("%d queries left", n)
		}
		w.ask("1.2.0.192.in-addr.arpa", "PTR")
		w.ask("1.0.32.172.in-addr.arpa", "PTR")
		if n := w.r.Count("upstream.sent"); n < 2 {
			t.Errorf("%d queries for what is not local", n)
		}
	})
}

// The steps in plain words.
func TestTraceTellsEveryStep(t *testing.T) {
	in(t, nil, func(w *world) {
		tell := func(name string) string {
			var b strings.Builder
			w.askWith(name, "A", recursor.QueryOptions{Trace: func(e recursor.Event) { b.WriteString(e.String() + "\n") }})
			s := strings.ReplaceAll(b.String(), "ns2.example.com. (198.51.100.2), a", "ns1.example.com. (198.51.100.1), a")
			s = strings.ReplaceAll(s, "ns2.example.com. (198.51.100.2) answers", "ns1.example.com. (198.51.100.1) answers")
			return strings.ReplaceAll(s, "ns2.example.com. (198.51.100.2), ns1.example.com. (198.51.100.1)", "ns1.example.com. (198.51.100.1), ns2.example.com. (198.51.100.2)")
		}
		want := `ask ns.root. (192.0.2.1), a server of ., for . NS
ns.root. (192.0.2.1) answers: NS ns.root. (kept for 86400 s; it took 10ms)
ask ns.root. (192.0.2.1), a server of ., for com. A
ns.root. (192.0.2.1) refers us to the servers of com.: ns.com. (192.0.2.2) (kept for 86400 s; it took 10ms)
ask ns.com. (192.0.2.2), a server of com., for example.com. A
ns.com. (192.0.2.2) refers us to the servers of example.com.: ns1.example.com. (198.51.100.1), ns2.example.com. (198.51.100.2) (kept for 3600 s; it took 10ms)
ask ns1.example.com. (198.51.100.1), a server of example.com., for www.example.com. A
ns1.example.com. (198.51.100.1) answers: A 192.0.2.80, A 192.0.2.81 (kept for 300 s; it took 10ms)
`
		if got := tell("www.example.com"); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
		want = "the cache has www.example.com. A: A 192.0.2.80, A 192.0.2.81 (300 s left)\n"
		if got := tell("www.example.com"); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	})
}

// Without RD a question is answered from the cache or not at all.
func TestOnlyFromTheCache(t *testing.T) {
	in(t, nil, func(w *world) {
		o := recursor.QueryOptions{CacheOnly: true}
		if _, err := w.r.Resolve(w.Context(), question("www.example.com", "A"), o); err != recursor.ErrNotCached {
			t.Errorf("%v", err)
		}
		w.ask("www.example.com", "A")
		w.gives(w.askWith("www.example.com", "A", o), wwwAddrs)
		if log := w.net.Log(); len(log) != 0 {
			t.Error(fakenet.Text(log))
		}
	})
}
