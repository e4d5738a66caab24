//go:build !race

package authority

import (
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
)

func TestReceivePathAllocatesNothing(t *testing.T) {
	z := parseZone(t, "example.", exampleZone)
	cached, bare := newSet(t, Config{}, z), newSet(t, Config{CacheSlots: -1}, z)
	for _, c := range []struct {
		what string
		s    *Set
	}{{"from the cache", cached}, {"from the zone", bare}} {
		for _, name := range []string{"www.example.", "no.example.", "alias.example.", "x.sub.example.", "a.wild.example.", "refused.test."} {
			for _, edns := range []*msg.EDNS{nil, {Size: 1232, DO: true}} {
				var q msg.Query
				wire := packed(t, query(name, msg.TypeA, edns))
				dst := make([]byte, 0, 4096)
				n := testing.AllocsPerRun(100, func() {
					if q.Parse(wire) {
						if _, ok := c.s.AnswerDirect(dst, &q, client, server.UDP); !ok {
							t.Fatal("not answered")
						}
					}
				})
				if n != 0 {
					t.Errorf("%s, %s: %v allocations", name, c.what, n)
				}
			}
		}
	}
}
