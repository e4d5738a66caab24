package recursor_test

import (
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
)

// A question takes the queries and the time that it may, and no more.
func TestBoundsAreKept(t *testing.T) {
	in(t, func(c *recursor.Config) { c.Limits.Queries = 3 }, func(w *world) {
		a := w.ask("www.example.com", "A") // four are needed
		w.fails(a, msg.EDEOther, 3, time.Second)
		if w.r.Count("exhausted") != 1 {
			t.Errorf("%v", w.r.Counters())
		}
	})
	in(t, func(c *recursor.Config) { c.Limits.Time = 50 * time.Millisecond }, func(w *world) {
		for _, s := range w.servers {
			s.Delay = 10 * time.Millisecond
		}
		w.fails(w.ask("www.example.com", "A"), msg.EDENoReachableAuthority, 3, 51*time.Millisecond)
	})
	in(t, func(c *recursor.Config) { c.Limits.InFlight = 2 }, func(w *world) {
		errs := make(chan error)
		for _, name := range []string{"a.com", "b.com", "c.com"} {
			go func() {
				_, err := w.r.Resolve(w.Context(), question(name, "A"), recursor.QueryOptions{})
				errs <- err
			}()
		}
		busy := 0
		for range 3 {
			if err := <-errs; err == recursor.ErrBusy {
				busy++
			}
		}
		if busy != 1 {
			t.Errorf("%d of three questions were refused, where two may be worked on", busy)
		}
	})
}

// A server without authority is asked once, and then not for a quarter of an hour.
func TestLameServersAreRemembered(t *testing.T) {
	in(t, nil, func(w *world) {
		w.servers["198.51.100.1"].Handle = fakenet.Refuse
		count := func(n int) (lame int) {
			for range n {
				for _, q := range w.ask("www.example.com", "A").log {
					if q.To.Addr().String() == "198.51.100.1" {
						lame++
					}
				}
				w.r.Cache().Flush(msg.MustName("www.example.com"), msg.TypeA)
			}
			return lame
		}
		if n := count(100); n != 1 {
			t.Errorf("asked %d times", n)
		}
		time.Sleep(16 * time.Minute)
		if n := count(100); n != 1 {
			t.Errorf("after a quarter of an hour asked %d times", n)
		}
	})
}

// The receive path has what nears its end fetched anew as well.
func TestPrefetchFromTheReceivePath(t *testing.T) {
	in(t, func(c *recursor.Config) { c.Prefetch = 10 }, func(w *world) {
		w.ask("www.example.com", "A")
		for _, step := range []struct {
			sleep time.Duration
			want  uint64
		}{{200 * time.Second, 0}, {80 * time.Second, 1}, {250 * time.Second, 1}} {
			time.Sleep(step.sleep)
			for range 3 {
				if _, ok := w.direct("www.example.com", "A", false); !ok {
					t.Error("no answer")
				}
			}
			time.Sleep(time.Second)
			if n := w.r.Count("prefetched"); n != step.want {
				t.Errorf("prefetched %d times, want %d", n, step.want)
			}
		}
	})
}
