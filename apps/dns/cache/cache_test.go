package cache_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
)

func addr(name string, ttl uint32, last byte) cache.Entry {
	n := msg.MustName(name)
	return cache.Entry{Name: n, Type: msg.TypeA, Rank: cache.RankAuthoritative, TTL: ttl, Sets: []cache.Set{{
		RRset: msg.RRset{Name: n, Type: msg.TypeA, Class: msg.ClassINET, TTL: ttl, Data: []string{string([]byte{192, 0, 2, last})}},
	}}}
}

func last(e cache.Entry) byte { return e.Sets[0].Data[0][3] }

// Data is replaced by what is to be believed as much or more, and not by less, until it has expired.
func TestRanks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(cache.Config{})
		put := func(last byte, rank cache.Rank, sec cache.Security, want bool) {
			t.Helper()
			e := addr("www.example", 100, last)
			e.Rank, e.Security = rank, sec
			if c.Put(e) != want {
				t.Errorf("rank %d, %v: kept is %v", rank, sec, !want)
			}
		}
		put(1, cache.RankAnswer, cache.Unchecked, true)
		put(2, cache.RankAdditional, cache.Unchecked, false)
		put(3, cache.RankAuthoritative, cache.Unchecked, true)
		put(4, cache.RankAuthority, cache.Unchecked, false)
		put(5, cache.RankAuthoritative, cache.Secure, true)
		put(6, cache.RankAuthoritative, cache.Unchecked, false)
		put(7, cache.RankAuthoritative, cache.Bogus, false)
		put(8, cache.RankAuthoritative, cache.Secure, true)
		if e, ok := c.Get(msg.MustName("WWW.Example"), msg.TypeA, cache.Positive, false); !ok || last(e) != 8 {
			t.Errorf("%v %v", e, ok)
		}
		time.Sleep(101 * time.Second)
		put(9, cache.RankAdditional, cache.Bogus, true)
		put(10, cache.RankAdditional, cache.Unchecked, true)
	})
}

func TestTimeToLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(cache.Config{MaxTTL: time.Hour, Stale: time.Minute, MaxNegativeTTL: 10 * time.Second})
		c.Put(addr("a", 100, 1))
		c.Put(addr("long", 1<<30, 1))
		for _, ttl := range []uint32{0, 1 << 31, 1<<32 - 1} { // RFC 2181 §8
			if c.Put(addr("never", ttl, 1)) {
				t.Errorf("kept with a TTL of %d", ttl)
			}
		}
		no := cache.Entry{Name: msg.MustName("no"), Kind: cache.NXDomain, TTL: 100}
		c.Put(no)
		get := func(name string, kind cache.Kind, stale bool) (uint32, bool, bool) {
			e, ok := c.Get(msg.MustName(name), msg.TypeA, kind, stale)
			return e.TTL, e.Stale, ok
		}
		time.Sleep(9 * time.Second)
		if ttl, _, ok := get("no", cache.NXDomain, false); !ok || ttl != 1 {
			t.Errorf("NXDOMAIN: %d %v", ttl, ok)
		}
		time.Sleep(50 * time.Second)
		if ttl, stale, ok := get("a", cache.Positive, false); !ok || stale || ttl != 41 {
			t.Errorf("%d %v %v", ttl, stale, ok)
		}
		if ttl, _, _ := get("long", cache.Positive, false); ttl != 3600-59 {
			t.Errorf("%d", ttl)
		}
		time.Sleep(42 * time.Second)
		if _, _, ok := get("a", cache.Positive, false); ok {
			t.Error("not expired")
		}
		if ttl, stale, ok := get("a", cache.Positive, true); !ok || !stale || ttl != 0 {
			t.Errorf("stale: %d %v %v", ttl, stale, ok)
		}
		time.Sleep(time.Minute)
		if _, _, ok := get("a", cache.Positive, true); ok {
			t.Error("kept for too long")
		}
	})
}

// Memory stays within its bound whatever is put in, what is asked for often stays, and what comes once goes.
func TestMemoryIsBoundedAndTheUsefulStays(t *testing.T) {
	const bound = 4 << 20
	c := cache.New(cache.Config{MaxOctets: bound})
	hot := make([]msg.Name, 1000)
	for i := range hot {
		hot[i] = msg.MustName(fmt.Sprintf("host%d.example", i))
		c.Put(addr(hot[i].String(), 3600, byte(i)))
	}
	for i := range 300_000 { // names that come once, as in an attack with random labels
		c.Put(addr(fmt.Sprintf("x%d.random.example", i), 3600, 1))
		if i%3 == 0 {
			c.Get(hot[i/3%len(hot)], msg.TypeA, cache.Positive, false)
		}
		if i%10_000 == 0 && c.Stats().Octets > bound {
			t.Fatalf("%d octets", c.Stats().Octets)
		}
	}
	kept := 0
	for i, n := range hot {
		if e, ok := c.Get(n, msg.TypeA, cache.Positive, false); ok {
			if kept++; last(e) != byte(i) || e.Name != n {
				t.Errorf("%v is %v", n, e)
			}
		}
	}
	s := c.Stats()
	if kept < 990 || s.Evicted == 0 || s.Octets > bound {
		t.Errorf("%d of %d useful entries are there; %+v", kept, len(hot), s)
	}
}

// The cache holds what a map holds, or less: never something else.
func TestAgainstAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	c := cache.New(cache.Config{MaxOctets: 1 << 20})
	model := map[string]byte{}
	missing := 0
	for i := range 200_000 {
		name := fmt.Sprintf("n%d.Example", r.IntN(20_000))
		switch r.IntN(10) {
		case 0, 1, 2, 3:
			b := byte(r.IntN(256))
			e := addr(name, 3600, b)
			for range r.IntN(20) {
				e.Sets[0].Data = append(e.Sets[0].Data, "abcd")
			}
			c.Put(e)
			model[name] = b
		case 4:
			if r.IntN(100) == 0 {
				c.FlushName(msg.MustName(name))
				delete(model, name)
			}
		default:
			e, ok := c.Get(msg.MustName(name), msg.TypeA, cache.Positive, false)
			want, there := model[name]
			if ok && (!there || last(e) != want) {
				t.Fatalf("step %d: %s is %d, want %d (%v)", i, name, last(e), want, there)
			}
			if !ok && there {
				missing++
			}
		}
	}
	if s := c.Stats(); s.Octets > 1<<20 || missing == 0 {
		t.Errorf("%+v, %d missing: the bound was not reached", s, missing)
	}
}

// Of a positive entry the answer may last longer than the entry, and nothing else may; neither beyond the caps.
func TestSetsThatLastLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(cache.Config{MaxTTL: 200 * time.Second})
		for _, kind := range []cache.Kind{cache.Positive, cache.NoData} {
			e := addr("a.example", 60, 1)
			e.Kind, e.Sets[0].TTL = kind, 300
			e.Sets = append(e.Sets, cache.Set{RRset: e.Sets[0].RRset, Section: cache.InProof})
			c.Put(e)
			if e.Sets[0].TTL != 300 {
				t.Error("Put has changed what is its caller's")
			}
			time.Sleep(10 * time.Second)
			want := map[cache.Kind]uint32{cache.Positive: 190, cache.NoData: 50}[kind]
			e, ok := c.Get(e.Name, e.Type, kind, false)
			if !ok || e.TTL != 50 || e.Sets[0].TTL != want || e.Sets[1].TTL != 50 {
				t.Errorf("%v: %+v", kind, e)
			}
		}
	})
}

// In a bubble no second goes by between what is put and what is dumped.
func TestFlush(t *testing.T) { synctest.Test(t, flush) }

func flush(t *testing.T) {
	c := cache.New(cache.Config{})
	for _, n := range []string{"example", "a.example", "b.a.example", "other"} {
		c.Put(addr(n, 100, 1))
		c.Put(cache.Entry{Name: msg.MustName(n), Type: msg.TypeMX, Kind: cache.NoData, TTL: 100})
	}
	if n := c.Flush(msg.MustName("a.EXAMPLE"), msg.TypeMX); n != 1 {
		t.Errorf("%d", n)
	}
	if n := c.FlushName(msg.MustName("other")); n != 2 {
		t.Errorf("%d", n)
	}
	if n := c.FlushTree(msg.MustName("a.example")); n != 3 {
		t.Errorf("%d", n)
	}
	if s := c.Stats(); s.Entries != 2 || s.Flushed != 6 {
		t.Errorf("%+v", s)
	}
	var b strings.Builder
	c.Dump(&b, msg.MustName("example"))
	want := "; example. A: positive, authoritative, unchecked, 100 of 100 s left\nexample.\t100\tIN\tA\t192.0.2.1\n"
	if !strings.Contains(b.String(), want) || !strings.Contains(b.String(), "example. MX: nodata") {
		t.Errorf("the dump is\n%s", b.String())
	}
}

// query makes a plain query.
func query(t testing.TB, name string, typ msg.Type, do bool) *msg.Query {
	m := msg.NewQuery(msg.MustName(name), typ, true)
	m.ID = 4
	m.EDNS = &msg.EDNS{Size: 1232, DO: do}
	p, err := m.Append(nil, 512)
	if err != nil {
		t.Fatal(err)
	}
	q := new(msg.Query)
	if !q.Parse(p) {
		t.Fatal("not plain")
	}
	return q
}

// An answer that is longer than what the client takes is left to the slow path, and so is one of data that nobody has
// validated where that is wanted.
func TestWhatIsLeftToTheSlowPath(t *testing.T) {
	c := cache.New(cache.Config{})
	e := addr("many.example", 100, 1)
	for i := range 100 {
		e.Sets[0].Data = append(e.Sets[0].Data, string([]byte{198, 51, 100, byte(i)}))
	}
	c.Put(e)
	c.Put(addr("one.example", 100, 1))
	if _, _, ok := c.Answer(nil, query(t, "many.example", msg.TypeA, false), cache.Answering{}); ok {
		t.Error("an answer of 1600 octets fits 1232")
	}
	if _, _, ok := c.Answer(nil, query(t, "one.example", msg.TypeA, false), cache.Answering{}); !ok {
		t.Error("no answer")
	}
	if _, _, ok := c.Answer(nil, query(t, "one.example", msg.TypeA, false), cache.Answering{Validated: true}); ok {
		t.Error("an answer that nobody has validated")
	}
	q := query(t, "one.example", msg.TypeA, false)
	q.CD = true
	if _, _, ok := c.Answer(nil, q, cache.Answering{Validated: true}); !ok {
		t.Error("no answer with CD")
	}
}

// The records of an answer are turned from id to id, and their signatures stay behind them.
func TestAddressesAreTurned(t *testing.T) {
	c := cache.New(cache.Config{})
	e := addr("www.example", 100, 0)
	for i := range 4 {
		e.Sets[0].Data = append(e.Sets[0].Data, string([]byte{192, 0, 2, byte(i + 1)}))
	}
	sig := msg.RRSIG{Covered: msg.TypeA, Algorithm: 13, Labels: 2, Signer: msg.MustName("example"), Signature: strings.Repeat("s", 64)}
	e.Sets[0].Sigs = []string{sig.Data()}
	c.Put(e)
	for id := range 7 {
		q := query(t, "www.example", msg.TypeA, true)
		q.ID = uint16(id)
		out, _, ok := c.Answer(nil, q, cache.Answering{})
		var m msg.Message
		if err := m.Unpack(out); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if len(m.Answer) != 6 || m.Answer[5].Type != msg.TypeRRSIG || m.Answer[5].Data != sig.Data() {
			t.Fatalf("%v", &m)
		}
		for i, rr := range m.Answer[:5] {
			if want := netip.AddrFrom4([4]byte{192, 0, 2, byte((i + id) % 5)}); rr.Addr() != want {
				t.Errorf("id %d: record %d is %v, want %v", id, i, rr.Addr(), want)
			}
		}
	}
}

func TestNobodyStepsOnAnother(t *testing.T) {
	c := cache.New(cache.Config{MaxOctets: 1 << 20})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 5000 {
				name := fmt.Sprintf("h%d.example", (i*7+g)%3000)
				c.Put(addr(name, 100, byte(g)))
				c.Answer(nil, query(t, name, msg.TypeA, false), cache.Answering{})
				if i%1000 == 0 {
					c.FlushTree(msg.MustName(name))
					c.Stats()
				}
			}
		})
	}
	wg.Wait()
}

// heap is what is in use of the heap; the second collection takes what pools kept over the first.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// What an entry takes, of the heap.
func TestOctetsPerEntry(t *testing.T) {
	n := 50_000
	c := cache.New(cache.Config{MaxOctets: 1 << 30})
	before := heap()
	for i := range n {
		c.Put(addr(fmt.Sprintf("host-%d.some.example", i), 3600, 1))
	}
	s := c.Stats()
	per := float64(int64(heap())-int64(before)) / float64(n)
	t.Logf("%d entries: %d octets by the cache's own account, %.0f octets of heap each", s.Entries, s.Octets, per)
	if s.Entries != n || per < 50 || per > 250 {
		t.Errorf("%d entries, %.0f octets each", s.Entries, per)
	}
	runtime.KeepAlive(c)
}

// FuzzAnswer holds what Answer writes against what the message package reads, for records of any data.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("\x00\x05hello\x03www"), uint16(16), true)
	f.Add([]byte("\x04\xc0\x00\x02\x01\x04\xc0\x00\x02\x02\x04\xc0\x00\x02\x03"), uint16(1), true) // addresses, which are turned
	f.Fuzz(func(t *testing.T, data []byte, typ uint16, do bool) {
		if msg.Type(typ).Meta() || typ == 46 || len(data) == 0 {
			return
		}
		n := msg.MustName("www.example")
		var rrs []string
		for len(data) > 0 {
			l := min(int(data[0]), len(data)-1)
			rrs, data = append(rrs, string(data[1:1+l])), data[1+l:]
		}
		c := cache.New(cache.Config{})
		set := msg.RRset{Name: n, Type: msg.Type(typ), Class: msg.ClassINET, TTL: 9, Data: rrs, Sigs: rrs[:min(len(rrs), 200)]}
		c.Put(cache.Entry{Name: n, Type: msg.Type(typ), Rank: cache.RankAnswer, TTL: 9, Sets: []cache.Set{{RRset: set}}})
		q := query(t, "www.example", msg.Type(typ), do)
		q.Size = 0xffff
		out, _, ok := c.Answer(nil, q, cache.Answering{})
		if !ok {
			return
		}
		count := len(rrs)
		if do {
			count += len(set.Sigs)
		}
		if got := int(binary.BigEndian.Uint16(out[6:])); got != count || len(out) > 0xffff {
			t.Fatalf("%d records of %d, %d octets", got, count, len(out))
		}
		if _, opt, err := msg.LastRecord(out); err != nil || opt.Type != msg.TypeOPT { // which takes a walk over all of them
			t.Fatalf("the last record is %v: %v", opt.Type, err)
		}
	})
}
