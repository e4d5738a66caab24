package cache_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
)

// put puts entries of a kind of name in, and asks for each of them so many times.
func put(c *cache.Cache, kind string, n, asked int) {
	for i := range n {
		e := addr(fmt.Sprintf("%s%d.example", kind, i), 1000, 1)
		c.Put(e)
		for range asked {
			c.Get(e.Name, e.Type, cache.Positive, false)
		}
	}
}

// alive counts those that are there.
func alive(c *cache.Cache, kind string, n int) (alive int) {
	for i := range n {
		if _, ok := c.Get(msg.MustName(fmt.Sprintf("%s%d.example", kind, i)), msg.TypeA, cache.Positive, false); ok {
			alive++
		}
	}
	return alive
}

// What was evicted unasked for and comes back soon goes to the main queue, where a flood of new names does not reach it.
func TestWhatComesBackStays(t *testing.T) {
	c := cache.New(cache.Config{MaxOctets: 1 << 20})
	put(c, "hot", 20000, 1)
	put(c, "back", 200, 0)
	put(c, "flood", 3000, 0)
	put(c, "back", 200, 0)
	put(c, "new", 200, 0)
	put(c, "more", 3000, 0)
	if n, m := alive(c, "back", 200), alive(c, "new", 200); n < 50 || m != 0 {
		t.Errorf("%d of 200 that came back are there, and %d of 200 that were new", n, m)
	}
}

// That an entry nears its end is told once, to one of those who ask for it.
func TestOneIsToldToFetchAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(cache.Config{})
		how := cache.Answering{Prefetch: 10}
		for range 2 {
			c.Put(addr("www.example", 100, 1))
			time.Sleep(95 * time.Second)
			for i := range 3 {
				if _, refresh, ok := c.Answer(nil, query(t, "www.example", msg.TypeA, false), how); !ok || refresh != (i == 0) {
					t.Errorf("question %d: %v, fetch anew %v", i, ok, refresh)
				}
			}
		}
	})
}

// Only what is under the zone is dumped.
func TestDumpOfAZone(t *testing.T) {
	c := cache.New(cache.Config{})
	put(c, "www", 2, 0)
	c.Put(addr("www.other", 100, 1))
	for zone, want := range map[string]int{"example": 2, "www1.example": 1, "other": 1, "ther": 0, ".": 3} {
		var b strings.Builder
		if c.Dump(&b, msg.MustName(zone)); strings.Count(b.String(), ";") != want {
			t.Errorf("%s: want %d entries\n%s", zone, want, b.String())
		}
	}
}

// The NSEC record of a zone's apex is not its parent's, and says nothing of a DS there (RFC 6840 §4.1).
func TestApexDeniesNoDS(t *testing.T) {
	c := cache.New(cache.Config{})
	soa := msg.SOA{MName: msg.Root, RName: msg.Root, Serial: 1, Refresh: 1, Retry: 1, Expire: 1, Minimum: 60}
	nsec := msg.NSEC{Next: msg.MustName("example"), Types: msg.NewTypeSet(msg.TypeSOA, msg.TypeNS, msg.TypeNSEC, msg.TypeRRSIG)}
	c.PutDenial(msg.RRset{Name: msg.Root, Type: msg.TypeSOA, Class: msg.ClassINET, TTL: 60, Data: []string{soa.Data()}}, []msg.RRset{
		{Name: msg.Root, Type: msg.TypeNSEC, Class: msg.ClassINET, TTL: 60, Data: []string{nsec.Data()}},
	})
	for typ, want := range map[msg.Type]bool{msg.TypeTXT: true, msg.TypeDS: false} {
		if _, ok := c.Deny(msg.Root, typ); ok != want {
			t.Errorf("%v denied: %v", typ, ok)
		}
	}
}
