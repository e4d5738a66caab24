package authority

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/zone"
)

const millionNames = 1_000_000

// million makes a zone of a million names with one A record each.
func million(b *testing.B) *zone.Zone {
	b.Helper()
	origin := msg.MustName("example.")
	z := zone.NewBuilder(origin)
	add := func(rr msg.RR) {
		if err := z.Add(rr); err != nil {
			b.Fatal(err)
		}
	}
	add(msg.NewRR(origin, msg.TypeSOA, 3600, msg.SOA{MName: origin, RName: origin, Serial: 1, Minimum: 300}.Data()))
	for i := range millionNames {
		add(msg.A(hostName(i), 3600, netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)})))
	}
	made, err := z.Zone()
	if err != nil {
		b.Fatal(err)
	}
	return made
}

func hostName(i int) msg.Name {
	return msg.Name(fmt.Sprintf("\x0bhost%07d\x07example\x00", i))
}

func BenchmarkMillionNames(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	z := million(b)
	runtime.GC()
	runtime.ReadMemStats(&after)
	heap := float64(after.HeapAlloc-before.HeapAlloc) / millionNames
	for _, c := range []struct {
		what  string
		slots int
		names int // asked for
		miss  bool
	}{{"hit", 0, 1000, false}, {"miss", -1, millionNames, false}, {"nxdomain", -1, millionNames, true}, {"all-names", 0, millionNames, false}} {
		b.Run(c.what, func(b *testing.B) {
			s := New(Config{CacheSlots: c.slots})
			if err := s.Add(ZoneConfig{Origin: z.Origin()}, z); err != nil {
				b.Fatal(err)
			}
			rnd := rand.New(rand.NewPCG(1, 2))
			queries := make([][]byte, 1<<16)
			for i := range queries {
				n := rnd.IntN(c.names)
				if c.miss {
					n += 5_000_000
				}
				queries[i] = packed(b, &msg.Message{Question: []msg.Question{{Name: hostName(n), Type: msg.TypeA, Class: msg.ClassINET}}, EDNS: &msg.EDNS{Size: 1232}})
			}
			var q msg.Query
			dst := make([]byte, 0, 4096)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				q.Parse(queries[i&(1<<16-1)])
				if _, ok := s.AnswerDirect(dst, &q, client, server.UDP); !ok {
					b.Fatal("not answered")
				}
			}
			b.ReportMetric(heap, "octets/name")
		})
	}
	runtime.KeepAlive(z)
}
