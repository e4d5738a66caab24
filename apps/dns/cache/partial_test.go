package cache_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/dnssec"
	"github.com/weirnet/weir/apps/dns/msg"
)

// Each record of a proof is needed for it: without it, or when it alone has expired, nothing is denied.
func TestPartsOfAProofDenyNothing(t *testing.T) {
	for _, o := range []*dnssec.NSEC3Options{nil, {Salt: []byte("salt"), Iterations: 3}} {
		synctest.Test(t, func(t *testing.T) {
			soa, sets := deniedZone(t, o)
			all := cache.New(cache.Config{})
			all.PutDenial(soa, sets)
			for _, q := range denied {
				e, _ := all.Deny(msg.MustName(q.name), q.typ)
				for _, needed := range e.Sets[min(1, len(e.Sets)):] {
					i := slices.IndexFunc(sets, func(s msg.RRset) bool { return s.Name.Equal(needed.Name) })
					without, brief := cache.New(cache.Config{}), cache.New(cache.Config{})
					without.PutDenial(soa, slices.Delete(slices.Clone(sets), i, i+1))
					shorter := slices.Clone(sets)
					shorter[i].TTL = 10
					brief.PutDenial(soa, shorter)
					time.Sleep(11 * time.Second)
					for what, c := range map[string]*cache.Cache{"without": without, "after the end of": brief} {
						if e, ok := c.Deny(msg.MustName(q.name), q.typ); ok {
							t.Errorf("%s %v %s %v: %+v", q.name, q.typ, what, needed.Name, e)
						}
					}
				}
			}
		})
	}
}

// Denials end with the SOA record that came with them, are not made of another zone's hashes, and are bounded over all zones.
func TestBoundsOfDenials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		soa, sets := deniedZone(t, &dnssec.NSEC3Options{})
		c := cache.New(cache.Config{MaxSpans: 5})
		for range 5 {
			if c.PutDenial(soa, sets); c.Stats().Spans != 5 {
				t.Errorf("%d spans, of 5 that may be", c.Stats().Spans)
			}
		}
		c = cache.New(cache.Config{})
		above := soa
		above.Name = msg.Root
		if c.PutDenial(above, sets); c.Stats().Spans != 0 {
			t.Errorf("%d spans of another zone", c.Stats().Spans)
		}
		soa.TTL = 20
		c.PutDenial(soa, sets)
		time.Sleep(21 * time.Second)
		if e, ok := c.Deny(msg.MustName("nobody.example"), msg.TypeA); ok {
			t.Errorf("without an SOA record: %+v", e)
		}
	})
}

// A failure lasts twice as long when it comes again at once, and as at first when it comes again later (RFC 9520 §3.2).
func TestFailuresThatComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, name := cache.New(cache.Config{}), msg.MustName("www.example")
		for i, x := range []struct {
			after time.Duration
			lasts uint32
		}{{0, 5}, {6 * time.Second, 10}, {2 * time.Second, 10}, {19 * time.Second, 20}, {21 * time.Second, 30}, {31 * time.Second, 30}, {61 * time.Second, 5}} {
			time.Sleep(x.after)
			c.Put(cache.Entry{Name: name, Type: msg.TypeA, Kind: cache.Failure, Rank: cache.RankAuthoritative, TTL: 5})
			if e, ok := c.Get(name, msg.TypeA, cache.Failure, false); !ok || e.TTL != x.lasts {
				t.Errorf("failure %d: %v, for %d s, want %d", i, ok, e.TTL, x.lasts)
			}
		}
	})
}
