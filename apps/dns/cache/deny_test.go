package cache_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/dnssec"
	"github.com/weirnet/weir/apps/dns/msg"
)

// deniedZone is the SOA and the NSEC RRsets, or with options the NSEC3 RRsets, of a zone with a host, an empty non-terminal, a delegation, a DNAME and a wildcard.
func deniedZone(t *testing.T, o *dnssec.NSEC3Options) (soa msg.RRset, sets []msg.RRset) {
	t.Helper()
	var rrs []msg.RR
	for _, line := range strings.Split(strings.TrimSpace(`
example. 3600 IN SOA ns.example. root.example. 1 3600 600 604800 60
example. 3600 IN NS ns.example.
ns.example. 300 IN A 192.0.2.1
a.empty.example. 300 IN A 192.0.2.2
child.example. 300 IN NS ns.child.example.
old.example. 300 IN DNAME new.example.
*.wild.example. 300 IN TXT "any"`), "\n") {
		rr, err := msg.ParseRR(line)
		if err != nil {
			t.Fatal(err)
		}
		rrs = append(rrs, rr)
	}
	key, err := dnssec.NewKey("\x07example\x00", dnssec.ECDSAP256SHA256, msg.FlagZone|msg.FlagSEP, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	rrs, err = dnssec.SignZone(rrs, "\x07example\x00", dnssec.SignOptions{
		Keys: []*dnssec.Key{key}, Inception: now.Add(-time.Hour), Expiration: now.Add(time.Hour), NSEC3: o,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range msg.RRsets(rrs) {
		switch s.Type {
		case msg.TypeSOA:
			soa = s
		case msg.TypeNSEC, msg.TypeNSEC3:
			sets = append(sets, s)
		}
	}
	return soa, sets
}

const none = -1

// denied is what spans of all of the zone deny, and what they do not.
var denied = []denial{
	{"nobody.example", msg.TypeA, int(cache.NXDomain), 3}, {"a.b.c.nobody.example", msg.TypeA, int(cache.NXDomain), 3},
	{"x.ns.example", msg.TypeA, int(cache.NXDomain), 3}, {"ns.example", msg.TypeAAAA, int(cache.NoData), 1},
	{"empty.example", msg.TypeA, int(cache.NoData), 1}, {"b.empty.example", msg.TypeA, int(cache.NXDomain), 3},
	{"x.wild.example", msg.TypeA, int(cache.NoData), 3}, {"child.example", msg.TypeDS, int(cache.NoData), 1},
	{"old.example", msg.TypeA, int(cache.NoData), 1}, {"EXAMPLE", msg.TypeMX, int(cache.NoData), 1},
	{"ns.example", msg.TypeA, none, 0}, {"x.wild.example", msg.TypeTXT, none, 0}, {"child.example", msg.TypeA, none, 0},
	{"x.child.example", msg.TypeA, none, 0}, {"x.child.example", msg.TypeDS, none, 0}, {"x.old.example", msg.TypeA, none, 0},
	{"example", msg.TypeDS, none, 0}, {"other", msg.TypeA, none, 0}, {"a.empty.example", msg.TypeA, none, 0},
	{"1.2.3.4.5.6.7.8.9.example", msg.TypeA, none, 0}, // too many to hash
}

type denial struct {
	name string
	typ  msg.Type
	kind int
	most int // NSEC3 records of proof
}

// check asks a cache that has the spans.
func (q *denial) check(t *testing.T, c *cache.Cache, hashed bool) {
	t.Helper()
	e, ok := c.Deny(msg.MustName(q.name), q.typ)
	if ok != (q.kind != none) || ok && (int(e.Kind) != q.kind || e.TTL != 60 || e.Security != cache.Secure) {
		t.Errorf("%s %v: %v %+v", q.name, q.typ, ok, e)
	}
	if n := len(e.Sets) - 1; ok && hashed && (n > q.most || n < min(q.most, 2)) {
		t.Errorf("%s %v: %d records prove it, want %d", q.name, q.typ, n, q.most)
	}
}

// The same is denied by names in their order, and for no longer than any record of the proof lasts.
func TestDenials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(cache.Config{})
		soa, sets := deniedZone(t, nil)
		c.PutDenial(soa, sets)
		for _, q := range denied {
			if strings.HasPrefix(q.name, "1.2.") { // nothing is hashed
				q.kind = int(cache.NXDomain)
			}
			q.check(t, c, false)
		}
		for i := range sets {
			sets[i].TTL = 20
		}
		c.PutDenial(soa, sets)
		time.Sleep(5 * time.Second)
		if e, ok := c.Deny(msg.MustName("nobody.example"), msg.TypeA); !ok || e.TTL != 15 || e.Sets[0].TTL != 15 || e.Sets[1].TTL != 15 {
			t.Errorf("%v %+v", ok, e)
		}
		soa.TTL = 3600 // beyond its own minimum
		for i := range sets {
			sets[i].TTL = 3600
		}
		c.PutDenial(soa, sets)
		if e, ok := c.Deny(msg.MustName("nobody.example"), msg.TypeA); !ok || e.TTL != 60 {
			t.Errorf("%v %+v", ok, e)
		}
	})
}

// From all NSEC3 records of a zone everything that it has not is denied, with the records of RFC 5155 that prove it, and nothing
// that it has.
func TestHashedDenials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(cache.Config{})
		soa, sets := deniedZone(t, &dnssec.NSEC3Options{Salt: []byte("salt"), Iterations: 3})
		c.PutDenial(soa, sets)
		for _, q := range denied {
			q.check(t, c, true)
		}
		time.Sleep(60 * time.Second)
		if _, ok := c.Deny(msg.MustName("nobody.example"), msg.TypeA); ok {
			t.Error("denied by what has expired")
		}
	})
}

// What opts out, or costs too much, is not kept; what is hashed anew takes the place of what was.
func TestHashedSpansThatAreOfNoUse(t *testing.T) {
	c := cache.New(cache.Config{MaxSpans: 100})
	for _, o := range []*dnssec.NSEC3Options{{OptOut: true}, {Iterations: 21}} {
		if c.PutDenial(deniedZone(t, o)); c.Stats().Spans != 0 {
			t.Errorf("%+v: %d spans", o, c.Stats().Spans)
		}
	}
	for i := range 40 {
		c.PutDenial(deniedZone(t, &dnssec.NSEC3Options{Salt: []byte(fmt.Sprint(i))}))
		if n := c.Stats().Spans; n != 8 {
			t.Fatalf("%d spans, want 8", n)
		}
	}
	if _, ok := c.Deny(msg.MustName("nobody.example"), msg.TypeA); !ok {
		t.Error("nothing is denied")
	}
	if c.FlushTree(msg.Root); c.Stats().Spans != 0 {
		t.Errorf("%d spans are left", c.Stats().Spans)
	}
}

// A name is denied by all records of the proof together: with any of them missing it is not.
func TestProofsAreWhole(t *testing.T) {
	for _, o := range []*dnssec.NSEC3Options{nil, {}} {
		soa, sets := deniedZone(t, o)
		for _, q := range []denial{{name: "nobody.example", typ: msg.TypeA}, {name: "x.wild.example", typ: msg.TypeA}, {name: "x.ns.example", typ: msg.TypeA}} {
			whole := cache.New(cache.Config{})
			whole.PutDenial(soa, sets)
			e, ok := whole.Deny(msg.MustName(q.name), q.typ)
			if !ok || len(e.Sets) < 2 {
				t.Fatalf("%s: %v %+v", q.name, ok, e)
			}
			for _, missing := range e.Sets[1:] {
				c := cache.New(cache.Config{})
				for _, s := range sets {
					if !s.Name.Equal(missing.Name) {
						c.PutDenial(soa, []msg.RRset{s})
					}
				}
				if _, ok := c.Deny(msg.MustName(q.name), q.typ); ok {
					t.Errorf("%s is denied without the record of %v", q.name, missing.Name)
				}
			}
		}
	}
}
