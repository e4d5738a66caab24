package recursor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
)

// told asks with a trace and returns the steps in words, each behind its depth in blanks.
func (w *world) told(name, typ string) string {
	var b strings.Builder
	w.askWith(name, typ, recursor.QueryOptions{Trace: func(e recursor.Event) {
		b.WriteString(strings.Repeat(" ", e.Depth) + e.String() + "\n")
	}})
	return b.String()
}

// cutOff is a server whose answers over UDP are truncated.
func cutOff(h fakenet.Handler) fakenet.Handler {
	return func(q *msg.Message, wire []byte, tcp bool) []fakenet.Reply {
		list := h(q, wire, tcp)
		if !tcp {
			list[0].Msg.Truncated, list[0].Msg.Answer = true, nil
		}
		return list
	}
}

// Every kind of step is told where it happens, with what it is about.
func TestTraceTellsWhatHappens(t *testing.T) {
	for _, c := range []struct {
		name, typ string
		change    func(w *world)
		want      []string // in this order
	}{
		{"alias.example.com", "A", nil, []string{"\nalias.example.com. is another name for www.example.com.\n", "www.example.com. A", " answers: A 192.0.2."}},
		{"nothing.example.com", "A", nil, []string{" says: there is no name nothing.example.com. (kept for 60 s)\n"}},
		{"www.example.com", "MX", nil, []string{" says: www.example.com. exists and has no MX (kept for 60 s)\n"}},
		{"www.glueless.com", "A", nil, []string{
			" refers us to the servers of glueless.com.: ns.hoster.net. (kept for 3600 s; it took 10ms)\n",
			"\n to ask ns.hoster.net., a server of glueless.com., its address is needed\n", "\n ask ns.root. (192.0.2.1), a server of ., for net. A\n",
			"\n ns.hoster.net. (198.51.100.3) answers: A 198.51.100.3 (kept for 3600 s; it took 10ms)\n",
			"\nask ns.hoster.net. (198.51.100.3), a server of glueless.com., for www.glueless.com. A\n",
		}},
		{"www.example.com", "A", func(w *world) { w.servers["192.0.2.2"].NoUDP = true }, []string{
			"\nns.com. (192.0.2.2) did not answer within ", "\nno answer for www.example.com. A: no server of com. is of use: 192.0.2.2:53 timed out",
		}},
		{"www.example.com", "A", func(w *world) { w.servers["192.0.2.2"].Handle = fakenet.Refuse }, []string{
			"\nns.com. (192.0.2.2) is of no use for example.com. A: it answers REFUSED\n",
		}},
		{"www.example.com", "A", func(w *world) { w.servers["192.0.2.2"].Handle = cutOff(w.servers["192.0.2.2"].Handle) }, []string{
			"\nthe answer of ns.com. (192.0.2.2) over UDP was truncated: asked again over TCP\n", "\nns.com. (192.0.2.2) refers us to the servers of example.com.",
		}},
	} {
		in(t, nil, func(w *world) {
			if c.change != nil {
				w.net.Do(func() { c.change(w) })
			}
			all := w.told(c.name, c.typ)
			rest := all
			for _, s := range c.want {
				_, after, found := strings.Cut(rest, s)
				if !found {
					t.Errorf("%s %s: no %q in its place in\n%s", c.name, c.typ, s, all)
					break
				}
				rest = s[len(s)-1:] + after // the end of a line is where another begins
			}
		})
	}
}

// That the resolver has asked nobody is told too.
func TestTraceTellsWhatIsLocal(t *testing.T) {
	in(t, func(c *recursor.Config) { c.Public = nil }, func(w *world) {
		if got := w.told("localhost", "A"); got != "localhost. A is answered by every resolver itself\n" {
			t.Errorf("%s", got)
		}
	})
}

// The resolver's own trace has the steps of every question, those with a trace of their own among them; each has its time.
func TestResolversTraceHasEveryStep(t *testing.T) {
	var events []recursor.Event
	in(t, func(c *recursor.Config) { c.Trace = func(e recursor.Event) { events = append(events, e) } }, func(w *world) {
		w.told("www.example.com", "A")
		n := len(events)
		w.ask("nothing.example.com", "A")
		if n < 6 || len(events) <= n {
			t.Errorf("%d steps, and then %d", n, len(events))
		}
		for i, e := range events {
			if e.Time.IsZero() || time.Since(e.Time) > time.Second || i > 0 && e.Time.Before(events[i-1].Time) {
				t.Errorf("step %d is of %v: %v", i, e.Time, e)
			}
		}
	})
}
