package recursor_test

import (
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
)

// A domain whose parent has taken it back ends with the delegation, whatever its own servers delegate below it.
func TestDelegationsEndWithTheirParents(t *testing.T) {
	in(t, nil, func(w *world) {
		w.servers["198.51.100.1"].Handle = fakenet.Zone("example.com", exampleZone+
			"sub.example.com. 86400 IN NS ns.sub.example.com.\nns.sub.example.com. 86400 IN A 198.51.100.9")
		w.servers["198.51.100.2"].Handle = w.servers["198.51.100.1"].Handle
		w.server("198.51.100.9", fakenet.Zone("sub.example.com", "www.sub.example.com. 60 IN A 203.0.113.9"))
		w.gives(w.ask("www.sub.example.com", "A"), "A 203.0.113.9")
		w.servers["192.0.2.2"].Handle = fakenet.Zone("com", "com. 86400 IN NS ns.com.") // example.com is no more
		time.Sleep(3601 * time.Second)                                                  // its delegation's TTL
		if a := w.ask("www.sub.example.com", "A"); a.Rcode != msg.RcodeNameError {
			t.Errorf("the ghost of example.com answers:\n%v", a.Message)
		}
	})
}

// A TTL with its highest bit set is zero, also in the answer to who asked first (RFC 2181 §8), and what is truncated
// over TCP is no answer.
func TestOddTTLAndTruncation(t *testing.T) {
	in(t, nil, func(w *world) {
		edit := func(f func(q, m *msg.Message)) {
			h := fakenet.Edit(fakenet.Zone("example.com", exampleZone), f)
			w.servers["198.51.100.1"].Handle, w.servers["198.51.100.2"].Handle = h, h
		}
		edit(func(q, m *msg.Message) {
			for i := range m.Answer {
				m.Answer[i].TTL = 1<<31 + 5
			}
		})
		if a := w.ask("alias.example.com", "CNAME"); len(a.Answer) != 1 || a.Answer[0].TTL != 0 {
			t.Errorf("%v", a.Message)
		}
		edit(func(q, m *msg.Message) { m.Truncated = true })
		if a := w.ask("www.example.com", "A"); a.Rcode != msg.RcodeServerFailure {
			t.Errorf("%v", a.Message)
		}
	})
}
