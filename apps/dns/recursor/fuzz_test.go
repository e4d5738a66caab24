package recursor_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/internal/fakenet"
	"github.com/weirnet/weir/apps/dns/msg"
)

// mutate changes octets of a packed answer, behind its header and question as often as in them.
func mutate(r *rand.Rand, p []byte) []byte {
	for range 1 + r.IntN(4) {
		at := r.IntN(len(p))
		switch r.IntN(5) {
		case 0:
			p[at] = byte(r.IntN(256))
		case 1:
			p[at] ^= 1 << r.IntN(8)
		case 2:
			p = p[:max(at, 1)]
		case 3:
			p = append(p, p[at:]...)
		case 4:
			copy(p[at:], p[r.IntN(len(p)):])
		}
	}
	return p
}

// storm asks a few questions of servers whose every answer is mutated before the right one comes. None may panic, go beyond
// the bounds, or make the cache believe anything about a zone that nobody has touched.
func storm(t *testing.T, seed uint64, questions int) {
	r := rand.New(rand.NewPCG(seed, 5))
	in(t, nil, func(w *world) {
		for addr, s := range w.servers {
			if addr == "198.51.100.3" { // of hoster.net and glueless.com
				continue
			}
			h := s.Handle
			s.Handle = func(q *msg.Message, wire []byte, tcp bool) []fakenet.Reply {
				list := h(q, wire, tcp)
				p, err := list[0].Msg.Append(nil, 1232)
				if err != nil {
					t.Fatal(err)
				}
				if addr == "192.0.2.2" || addr == "192.0.2.3" || addr == "192.0.2.1" {
					return list // what leads to the untouched zone
				}
				return []fakenet.Reply{{Wire: mutate(r, p)}, list[0]}
			}
		}
		names := []string{"www.example.com", "alias.example.com", "x.tree.example.com", "nothing.example.com", "a.b.c.example.com"}
		types := []string{"A", "TXT", "MX", "NS"}
		for range questions {
			w.ask(names[r.IntN(len(names))], types[r.IntN(len(types))])
			if r.IntN(4) == 0 {
				w.r.Cache().FlushTree(msg.MustName("example.com"))
			}
		}
		var b strings.Builder
		w.r.Cache().Dump(&b, msg.Root)
		for line := range strings.Lines(b.String()) {
			if !strings.HasPrefix(line, ";") && strings.Contains(line, "example.net.") {
				t.Errorf("seed %d: %s", seed, line)
			}
		}
		w.gives(w.ask("www.glueless.com", "A"), "A 192.0.2.90")
		w.gives(w.ask("ns.hoster.net", "A"), "A 198.51.100.3")
	})
}

func TestMutatedAnswers(t *testing.T) {
	for seed := range uint64(20) {
		storm(t, seed, 25)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { storm(t, seed, 25) })
}
