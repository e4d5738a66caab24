package recursor_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/tree"
)

// Who asks with CD gets what there is, whatever validation would say of it, and whether somebody without CD has asked before
// (RFC 4035 §3.2.2).
func TestFailureOfValidationIsNotToldToCD(t *testing.T) {
	for name, edit := range map[string]func(q, m *msg.Message){"forged": forgeShort, "keys out of reach": withoutKeys} {
		for _, before := range []bool{true, false} {
			inTree(t, tree.Options{}, nil, func(w *world) {
				w.everywhere(edit)
				if before {
					if a := w.ask("www.weir.example", "A"); a.Rcode != msg.RcodeServerFailure {
						t.Errorf("%s:\n%v", name, a.Message)
					}
				}
				a := w.askWith("www.weir.example", "A", recursor.QueryOptions{CD: true, AD: true})
				if len(a.Answer) != 1 || a.AuthenticData {
					t.Errorf("%s, CD, without CD before: %v:\n%v\n%s", name, before, a.Message, w.words())
				}
				if a = w.ask("www.weir.example", "A"); a.Rcode != msg.RcodeServerFailure || len(a.EDE()) == 0 {
					t.Errorf("%s, without CD:\n%v", name, a.Message)
				}
			})
		}
	}
}

// What has expired stands in for servers that are gone and never for an answer that came and is not valid: not when that is
// found out, and not while the cache remembers that it was (RFC 8767 §5, RFC 9520).
func TestNothingStaleStandsInForWhatIsNotValid(t *testing.T) {
	stale := func(c *recursor.Config) {
		c.ServeStale, c.Cache = true, cache.New(cache.Config{Stale: 7 * 24 * time.Hour})
	}
	silent := func(q, m *msg.Message) { m.Rcode, m.Answer = msg.RcodeServerFailure, nil }
	for name, x := range map[string]struct {
		edit func(q, m *msg.Message)
		want msg.Rcode
	}{
		"forged": {forgeShort, msg.RcodeServerFailure}, "no keys": {withoutKeys, msg.RcodeServerFailure}, "no answers": {silent, msg.RcodeSuccess},
	} {
		inTree(t, tree.Options{}, stale, func(w *world) {
			if a := w.ask("www.weir.example", "A"); len(a.Answer) != 1 {
				t.Errorf("%s, before:\n%v", name, a.Message)
			}
			time.Sleep(3 * 24 * time.Hour)
			w.everywhere(x.edit)
			for i := range 3 {
				if a := w.ask("www.weir.example", "A"); a.Rcode != x.want || x.want == 0 && !a.has(msg.EDEStaleAnswer) {
					t.Errorf("%s, question %d:\n%v\n%s", name, i, a.Message, w.words())
				}
				time.Sleep(time.Second)
			}
		})
	}
}

// forgeShort has answers forged that are not kept as bogus, for their TTL is zero.
func forgeShort(q, m *msg.Message) {
	forge(q, m)
	for i := range m.Answer {
		m.Answer[i].TTL = 0
	}
}

// withoutKeys has nobody give keys but the root's.
func withoutKeys(q, m *msg.Message) {
	if q.Question[0].Type == msg.TypeDNSKEY && q.Question[0].Name != msg.Root {
		m.Rcode, m.Answer = msg.RcodeServerFailure, nil
	}
}

// Keys that nobody gives are asked for once in five seconds, not for every name below (RFC 9520 §3.3).
func TestMissingKeysAreRemembered(t *testing.T) {
	inTree(t, tree.Options{}, nil, func(w *world) {
		w.everywhere(withoutKeys)
		w.ask("www.weir.example", "A")
		for _, name := range []string{"ftp.weir.example", "mail.weir.example", "blog.weir.example"} {
			for _, q := range w.ask(name, "A").log {
				if q.Q.Type == msg.TypeDNSKEY {
					t.Errorf("%s: asked again for the keys of %v", name, q.Q.Name)
				}
			}
		}
	})
}

// A failure is kept for five seconds, and twice as long each time that it comes again at once, up to the cache's cap
// (RFC 9520 §3.2). A CD that nobody answers is told of it too.
func TestFailuresAreKeptLongerEachTime(t *testing.T) {
	in(t, func(c *recursor.Config) { c.Cache = cache.New(cache.Config{MaxFailureTTL: 20 * time.Second}) }, func(w *world) {
		for _, s := range []string{"198.51.100.1", "198.51.100.2"} {
			w.servers[s].Handle = fakenet.Code(msg.RcodeServerFailure)
		}
		for _, long := range []time.Duration{5, 10, 20, 20, 20} {
			if a := w.ask("www.example.com", "A"); a.sent == 0 || a.Rcode != msg.RcodeServerFailure {
				t.Errorf("before %d s: %d queries\n%v", long, a.sent, a.Message)
			}
			time.Sleep((long - 1) * time.Second) // the cache counts whole seconds
			if a := w.askWith("www.example.com", "A", recursor.QueryOptions{CD: true}); a.sent > 0 || !a.has(msg.EDECachedError) {
				t.Errorf("within %d s: %d queries\n%v", long, a.sent, a.Message)
			}
			time.Sleep(1500 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		w.ask("www.example.com", "A")
		time.Sleep(6 * time.Second)
		if a := w.ask("www.example.com", "A"); a.sent == 0 {
			t.Error("a failure of a minute ago has not been forgotten")
		}
	})
}

// A zone's only server that says nothing for a moment is not dead, however many questions it is asked in that moment;
// one that stays silent is, and is then asked once for each question.
func TestMomentOfSilenceIsNoDeath(t *testing.T) {
	for _, x := range []struct {
		long  time.Duration
		rcode msg.Rcode
	}{{300 * time.Millisecond, msg.RcodeNameError}, {time.Hour, msg.RcodeServerFailure}} {
		in(t, nil, func(w *world) {
			w.ask("ns.hoster.net", "A") // the round trip is known
			awake, answer := time.Now().Add(x.long), w.servers["198.51.100.3"].Handle
			w.servers["198.51.100.3"].Handle = func(q *msg.Message, p []byte, tcp bool) []fakenet.Reply {
				if time.Now().Before(awake) {
					return nil
				}
				return answer(q, p, tcp)
			}
			var all sync.WaitGroup
			for n := range 20 {
				all.Go(func() {
					m, err := w.r.Resolve(w.Context(), question(fmt.Sprintf("x%d.hoster.net", n), "A"), recursor.QueryOptions{})
					if err != nil || m.Rcode != x.rcode {
						w.Errorf("silent for %v: %v\n%v", x.long, err, m)
					}
				})
			}
			all.Wait()
			if a := w.ask("later.hoster.net", "A"); a.Rcode != x.rcode || a.sent != 1 {
				w.Errorf("silent for %v, later: %d queries\n%v", x.long, a.sent, a.Message)
			}
		})
	}
}
