package main_test

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

// TestTraceWalksTheTreeOfNSD has weir dns trace find names in the tree that NSD serves, over the kernel's sockets and
// over a device of its own, and look into the cache of a resolver for it.
func TestTraceWalksTheTreeOfNSD(t *testing.T) {
	l := newLab(t)
	tr, dir := comparedTree(t), t.TempDir()
	must(t, tr.Write(dir))
	l.nsdTree(tr, dir)
	hints, anchor := filepath.Join(dir, "root.hints"), filepath.Join(dir, "root.key")
	t.Run("trace", func(t *testing.T) { traces(l.in(t), hints, anchor) })
	t.Run("cache", func(t *testing.T) {
		u := l.in(t).serveNames("--recursive", "--hints", hints, "--anchor", anchor, "--resolve", ".")
		cacheOfTree(t, u)
		u.stop(syscall.SIGTERM)
	})
}

func traces(l *lab, hints, anchor string) {
	for _, c := range []struct {
		args   string
		status int
		want   []string // in this order
	}{
		{"www.weir.example", 0, []string{
			"refers us to the servers of example.: ns.tld.example.", "refers us to the servers of weir.example.: ns1.weir.example.",
			"answers: A 203.0.113.80", "DNSSEC: www.weir.example. A is secure", "www.weir.example. A:", "203.0.113.80", "questions to servers in",
		}},
		{"blog.weir.example AAAA", 0, []string{"blog.weir.example. is another name for pages.host.test.", "pages.host.test. is another name for web.shop.example.", "2001:db8:53::52"}},
		{"big.weir.example TXT", 0, []string{"asked again over TCP", "big.weir.example. TXT:"}},
		{"nobody.weir.example", 0, []string{"there is no name nobody.weir.example.", "There is no such name: nobody.weir.example."}},
		{"bench.lab.weir.example", 0, []string{"bench.lab.weir.example. A is insecure", "203.0.113.85"}},
		{"www.expired.example", 1, []string{"www.expired.example. A is bogus", "SERVFAIL", "Signature Expired"}},
		{"--twice www.weir.example", 0, []string{"The same question again:", "the cache has www.weir.example. A", "0 questions to servers"}},
	} {
		for _, how := range []string{"--kernel", ""} {
			args := append([]string{"dns", "trace", "--hints", hints, "--anchor", anchor}, strings.Fields(how+" "+c.args)...)
			r := l.finish("", command(weirBinary(l.t), args...), 2*patience)
			rest := r.stdout
			for _, w := range c.want {
				_, after, found := strings.Cut(rest, w)
				if !found {
					l.t.Errorf("weir %s: no %q in its place: %v", strings.Join(args, " "), w, r)
					break
				}
				rest = after
			}
			if r.status != c.status {
				l.t.Errorf("weir %s: want status %d: %v", strings.Join(args, " "), c.status, r)
			}
		}
	}
}

// cacheOfTree holds that the cache has what was asked for, and no more when it is flushed.
func cacheOfTree(t *testing.T, u *up) {
	q := u.in(t).questioner()
	for _, name := range []string{"www.weir.example.", "blog.weir.example.", "nobody.weir.example."} {
		if _, err := q.ask(weirAt, question(name, "A"), true, false); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"www.weir.example.", "blog.weir.example.", "web.shop.example.", "nobody.weir.example."} {
		if out := u.cacheCommand(t, "dump"); !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	if out := u.cacheCommand(t, "dump", "weir.example"); strings.Contains(out, "\nweb.shop.example.") || !strings.Contains(out, "www.weir.example.") {
		t.Errorf("dump weir.example:\n%s", out)
	}
	if out := u.cacheCommand(t, "stats"); !strings.Contains(out, "entries") || strings.HasPrefix(out, "entries   0") {
		t.Errorf("stats:\n%s", out)
	}
	if out := u.cacheCommand(t, "flush", "weir.example"); strings.HasPrefix(out, "0 ") {
		t.Errorf("flush: %s", out)
	}
	if out := u.cacheCommand(t, "dump"); strings.Contains(out, "\nwww.weir.example.") || !strings.Contains(out, "web.shop.example.") {
		t.Errorf("after flush weir.example:\n%s", out)
	}
	u.cacheCommand(t, "flush")
	if out := u.cacheCommand(t, "dump"); strings.Contains(out, "shop.example.") {
		t.Errorf("after flush:\n%s", out)
	}
	if m, err := q.ask(weirAt, question("www.weir.example.", "A"), true, false); err != nil || len(m.Answer) != 2 || !m.AuthenticData {
		t.Errorf("after flush: %v\n%v", err, m)
	}
}

// TestExpiredDataIsServedWhenNobodyAnswers takes the authority away and waits for the data's time to be over: with
// --serve-stale the answer is still there, marked (RFC 8767), without it there is none. When the authority is back, its answer is.
func TestExpiredDataIsServedWhenNobodyAnswers(t *testing.T) {
	l := newLab(t)
	s := l.scripted("203.0.113.30", true, func(q *msg.Message) []*msg.Message {
		if q.Question[0].Type != msg.TypeA || !q.Question[0].Name.Equal(msg.MustName("www.brief.example.")) {
			return one(authoritative(q, "brief.example."))
		}
		return one(authoritative(q, "brief.example.", q.Question[0].Name.String()+" 1 IN A 203.0.113.80"))
	})
	root, hints := l.scriptedRoot(t, []delegation{{"brief.example.", "ns.brief.example.", "203.0.113.30"}})
	l.serveNames("--recursive", "--hints", hints, "--resolve", ".", "--serve-stale", "3600")
	l.serveNames("--recursive", "--hints", hints, "--resolve", ".", "--tun", "weir1", "--addr", "198.51.100.2/24")
	q, www := l.questioner(), question("www.brief.example.", "A")
	for _, at := range []string{weirAt, plainAt} {
		if m, err := q.ask(at, www, false, false); err != nil || len(m.Answer) != 1 || len(m.EDE()) != 0 {
			t.Fatalf("%s: %v\n%v", at, err, m)
		}
	}
	s.silent.Store(true)
	root.silent.Store(true)
	var m *msg.Message
	eventually(t, "it answers with what has expired", func() bool {
		var err error
		m, err = q.ask(weirAt, www, false, false)
		return err == nil && len(m.EDE()) > 0
	})
	if m.Rcode != msg.RcodeSuccess || !slices.Contains(codesOf(m), msg.EDEStaleAnswer) || len(m.Answer) != 1 || m.Answer[0].Addr() != s80 || m.Answer[0].TTL != 30 {
		t.Errorf("stale:\n%v", m)
	}
	eventually(t, "without --serve-stale there is no answer", func() bool {
		m, err := q.ask(plainAt, www, false, false)
		return err == nil && m.Rcode == msg.RcodeServerFailure && len(m.Answer) == 0
	})
	s.silent.Store(false)
	root.silent.Store(false)
	eventually(t, "the authority is believed again", func() bool {
		m, err := q.ask(weirAt, www, false, false)
		return err == nil && m.Rcode == msg.RcodeSuccess && len(m.EDE()) == 0
	})
}

var s80 = record("www.brief.example. 1 IN A 203.0.113.80").Addr()

// TestDataIsFetchedBeforeItExpires asks for a name again and again: long before its time is over the authority
// is asked again, once, and without --prefetch it is not.
func TestDataIsFetchedBeforeItExpires(t *testing.T) {
	l := newLab(t)
	s := l.scripted("203.0.113.30", true, func(q *msg.Message) []*msg.Message {
		return one(address(q, "kept.example.", "203.0.113.80")) // for 300 s
	})
	_, hints := l.scriptedRoot(t, []delegation{{"kept.example.", "ns.kept.example.", "203.0.113.30"}})
	l.serveNames("--recursive", "--hints", hints, "--resolve", ".", "--prefetch", "99")
	l.serveNames("--recursive", "--hints", hints, "--resolve", ".", "--prefetch", "0", "--tun", "weir1", "--addr", "198.51.100.2/24")
	q := l.questioner()
	ask := func(at, name string) {
		if m, err := q.ask(at, question(name, "A"), false, false); err != nil || len(m.Answer) != 1 {
			t.Fatalf("%s: %v\n%v", name, err, m)
		}
	}
	ask(plainAt, "once.kept.example.")
	eventually(t, "the authority is through with whatever came for the first question", func() bool {
		_, err := l.rcode("203.0.113.30:53", "kept.example")
		return err == nil
	})
	first := s.under("once.kept.example.") // more than one only where the answer was not waited for
	eventually(t, "it is fetched again", func() bool {
		ask(weirAt, "always.kept.example.")
		ask(plainAt, "once.kept.example.")
		return s.under("always.kept.example.") >= 2
	})
	if n := s.under("once.kept.example."); first == 0 || n != first {
		t.Errorf("without prefetch it was asked for %d times more", n-first)
	}
}
