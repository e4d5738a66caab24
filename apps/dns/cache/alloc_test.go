package cache_test

import (
	"testing"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
)

// chain fills a cache with an alias and what it stands for, and a name that does not exist.
func chain() *cache.Cache {
	c := cache.New(cache.Config{})
	c.Put(addr("www.example", 3600, 1))
	n := msg.MustName("alias.example")
	c.Put(cache.Entry{Name: n, Type: msg.TypeCNAME, Rank: cache.RankAuthoritative, TTL: 3600, Sets: []cache.Set{{
		RRset: msg.RRset{Name: n, Type: msg.TypeCNAME, Class: msg.ClassINET, Data: []string{string(msg.MustName("www.example"))}},
	}}})
	soa := msg.SOA{MName: msg.Root, RName: msg.Root, Minimum: 60}
	c.Put(cache.Entry{Name: msg.MustName("no.example"), Kind: cache.NXDomain, Rank: cache.RankAuthority, TTL: 3600, Sets: []cache.Set{{
		RRset:   msg.RRset{Name: msg.MustName("example"), Type: msg.TypeSOA, Class: msg.ClassINET, Data: []string{soa.Data()}},
		Section: cache.InAuthority,
	}}})
	return c
}

func TestAnswersDoNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	c := chain()
	dst := make([]byte, 0, 1500)
	for _, name := range []string{"www.example", "alias.example", "no.example", "nobody.knows"} {
		q := query(t, name, msg.TypeA, true)
		if n := testing.AllocsPerRun(1000, func() { c.Answer(dst, q, cache.Answering{Prefetch: 10}) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkAnswer(b *testing.B) {
	c := chain()
	dst := make([]byte, 0, 1500)
	for _, name := range []string{"www.example", "alias.example", "no.example", "nobody.knows"} {
		b.Run(name, func(b *testing.B) {
			q := query(b, name, msg.TypeA, false)
			b.ReportAllocs()
			for b.Loop() {
				c.Answer(dst, q, cache.Answering{})
			}
		})
	}
}
