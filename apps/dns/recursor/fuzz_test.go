package recursor_test

import (
	"math/rand/v2"
	"slices"
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

// lies are records that the servers of example.com have no say about, with what might make one believe them.
var lies = msg.Message{
	Answer:     fakenet.Records("www.glueless.com. 300 IN A 192.0.2.66\nns.hoster.net. 300 IN A 192.0.2.66"),
	Authority:  fakenet.Records("c.example.com. 300 IN NS ns.hoster.net.\nglueless.com. 300 IN NS ns1.example.com."),
	Additional: fakenet.Records("ns.hoster.net. 300 IN A 192.0.2.66\nns.com. 300 IN A 192.0.2.66"),
}

// lie puts the lies into an answer, or makes it a referral with them.
func lie(m *msg.Message) {
	if m.Question[0].Name.Under(msg.MustName("c.example.com")) {
		m.Answer, m.Authority, m.Authoritative = nil, nil, false
	} else {
		m.Answer = slices.Concat(m.Answer, lies.Answer)
	}
	m.Authority = slices.Concat(m.Authority, lies.Authority)
	m.Additional = slices.Concat(m.Additional, lies.Additional)
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
				m, lied := *list[0].Msg, r.IntN(3) == 0
				if lied {
					lie(&m)
				}
				p, err := m.Append(nil, 1232)
				if err != nil {
					t.Fatal(err)
				}
				if addr == "192.0.2.2" || addr == "192.0.2.3" || addr == "192.0.2.1" {
					return list // what leads to the untouched zone
				}
				if !lied || r.IntN(2) == 0 {
					p = mutate(r, p)
				}
				return []fakenet.Reply{{Wire: p}, list[0]}
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
			if !strings.HasPrefix(line, ";") && !believable(line) {
				t.Errorf("seed %d: %s", seed, line)
			}
		}
		w.gives(w.ask("www.glueless.com", "A"), "A 192.0.2.90")
		w.gives(w.ask("ns.hoster.net", "A"), "A 198.51.100.3")
	})
}

// believable reports whether a record may be in the cache after a storm: it is of the zone whose servers' answers are
// mutated, or just what another zone has.
func believable(record string) bool {
	f := strings.Fields(record)                                                                            // owner, TTL, class, type, data
	if len(f) < 5 || f[0] == "example.com." || strings.HasSuffix(f[0], ".example.com.") || f[3] == "SOA" { // of a denial
		return true
	}
	for line := range strings.Lines(rootZone + comZone + netZone + hosterZone + gluelessZone) {
		if z := strings.Fields(line); len(z) == 5 && z[0] == f[0] && slices.Equal(z[3:], f[3:]) {
			return true
		}
	}
	return false
}

func TestBelievable(t *testing.T) {
	for record, want := range map[string]bool{
		"x.example.com. 1 IN A 192.0.2.66": true, "www.glueless.com. 300 IN A 192.0.2.90": true, "com. 9 IN NS ns.com.": true,
		"www.glueless.com. 300 IN A 192.0.2.66": false, "com. 9 IN NS ns.example.com.": false, "xexample.com. 9 IN A 192.0.2.66": false,
	} {
		if believable(record) != want {
			t.Errorf("%s: %v", record, !want)
		}
	}
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
