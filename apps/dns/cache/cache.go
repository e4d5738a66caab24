package cache

import (
	"hash/maphash"
	"math/bits"
	"slices"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Cache is a resolver's cache. Its methods may be called at once by many.
type Cache struct {
	cfg    Config
	seed   maphash.Seed
	start  time.Time
	shards []shard
	shift  uint // of a hash, to the shard's number
	stale  uint32
	spans  spans
}

// New returns an empty cache.
func New(cfg Config) *Cache {
	cfg.fill()
	n := 1
	for n < 64 && cfg.MaxOctets/int64(2*n) >= 1<<20 {
		n *= 2
	}
	c := &Cache{cfg: cfg, seed: maphash.MakeSeed(), start: time.Now(), shards: make([]shard, n)}
	c.shift, c.stale = uint(64-bits.TrailingZeros(uint(n))), seconds(cfg.Stale)
	for i := range c.shards {
		c.shards[i].max = cfg.MaxOctets / int64(n)
		c.shards[i].index.table = make([]slot, leastIndex)
	}
	c.spans.init(cfg.MaxSpans)
	return c
}

// now is the time in seconds since the cache was made, rounded down, plus one, so that zero is before all.
func (c *Cache) now() uint32 { return uint32(time.Since(c.start)/time.Second) + 1 }

// at returns the shard and the tag of a key. The name is in lower case.
func (c *Cache) at(name []byte, typ msg.Type, space byte) (*shard, uint32) {
	h := maphash.Bytes(c.seed, name)
	h = (h ^ uint64(typ)<<8 ^ uint64(space)) * 0x9e3779b97f4a7c15
	h ^= h >> 29
	return &c.shards[h>>c.shift], uint32(h) // a shift by 64 is zero
}

// Cap sets the TTLs of an entry, and of its sets, to what it is kept for: its own within the cache's caps. An answer that is given
// before or without Put so says the same as one from the cache.
func (c *Cache) Cap(e *Entry) {
	most := c.cfg.MaxTTL
	switch {
	case e.Kind == Failure:
		most = c.cfg.MaxFailureTTL
	case e.Security == Bogus:
		most = c.cfg.MaxBogusTTL
	case e.Kind == NoData || e.Kind == NXDomain:
		most = c.cfg.MaxNegativeTTL
	}
	within := func(t uint32) uint32 {
		if e.Kind != Failure {
			t = max(t, seconds(c.cfg.MinTTL))
		}
		if t > 1<<31-1 { // RFC 2181 §8: a TTL with the highest bit set is zero
			t = 0
		}
		return min(t, seconds(most))
	}
	e.TTL = within(e.TTL)
	for i := range e.Sets {
		e.Sets[i].TTL = within(e.lasts(i, e.TTL))
	}
}

// Put keeps an entry for its TTL, within the cache's caps. It reports false where it was not kept: its TTL is
// zero, it is too large, or what is there is live and of higher rank, or validated while e is not.
func (c *Cache) Put(e Entry) bool {
	e.Sets = slices.Clone(e.Sets)
	c.Cap(&e)
	ttl := e.TTL
	e.Name = e.Name.Fold()
	name := []byte(e.Name)
	s, tag := c.at(name, e.Type, e.Kind.space())
	now := c.now()
	var rec record
	if ttl > 0 {
		rec = appendRecord(make([]byte, 0, 256), tag, &e, ttl, now+ttl)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.stale = now, c.stale
	old, i := s.find(tag, name, e.Type, e.Kind.space())
	if old != nil && rec != nil && e.Kind == Failure {
		rec.last(old.again(now, ttl, seconds(c.cfg.MaxFailureTTL)), now)
	}
	if old != nil && old.expires() > now && !outranks(&e, old) {
		s.stats.Outranked++
		return false
	}
	if rec == nil {
		s.stats.Unfit++
		return false
	}
	if old != nil {
		s.drop(old, i)
	}
	s.stats.Inserted++
	s.insert(rec)
	return true
}

// outranks reports whether an entry replaces a live one.
func outranks(e *Entry, old record) bool {
	if e.Security == Bogus && old.security() != Bogus {
		return false
	}
	if old.security() == Bogus && e.Security != Bogus {
		return true
	}
	if old.security() == Secure && e.Security != Secure && old.rank() >= RankAnswer {
		return false
	}
	return e.Rank >= old.rank()
}

// Get returns the entry of a name of a kind; for Positive or NoData whichever there is, and typ is not looked at
// for NXDomain and Delegation. With stale it returns what has expired too, within Config.Stale. What it
// returns is the caller's own.
func (c *Cache) Get(name msg.Name, typ msg.Type, kind Kind, stale bool) (Entry, bool) {
	switch kind {
	case NXDomain:
		typ = 0
	case Delegation:
		typ = msg.TypeNS
	}
	var buf [256]byte
	key := fold(buf[:0], string(name))
	s, tag := c.at(key, typ, kind.space())
	now := c.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	rec, _ := s.find(tag, key, typ, kind.space())
	if rec == nil || rec.expires() <= now && !(stale && rec.expires()+c.stale > now) {
		s.stats.Misses++
		return Entry{}, false
	}
	s.stats.Hits++
	rec.touch()
	return rec.entry(now), true
}

// fold appends a name in lower case.
func fold(dst []byte, name string) []byte {
	for i := range len(name) {
		b := name[i]
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		dst = append(dst, b)
	}
	return dst
}

// entry copies a record out.
func (r record) entry(now uint32) Entry {
	text := string(r) // one allocation: names and data are parts of it
	e := Entry{
		Name: msg.Name(text[headLen : headLen+int(r[22])]), Type: r.typ(), Kind: r.kind(), Rank: r.rank(),
		Security: r.security(), EDE: r.ede(), Original: r.original(), Stale: r.expires() <= now,
	}
	if !e.Stale {
		e.TTL = r.expires() - now
	}
	e.Sets = make([]Set, r[20])
	rest := r.sets()
	for i := range e.Sets {
		var v set
		before := len(r) - len(rest)
		rest = v.next(rest)
		s := &e.Sets[i]
		if v.at == ownerFull {
			s.Name = msg.Name(text[before+1 : before+1+len(v.owner)])
		} else {
			s.Name = e.Name[v.at:]
		}
		s.Section, s.Type, s.Class, s.TTL = v.section, v.typ, msg.ClassINET, e.TTL+v.longer
		all := make([]string, v.rrs+v.sig)
		at := len(r) - len(rest) - len(v.data)
		for j := range all {
			n := int(le.Uint16(r[at:]))
			all[j] = text[at+2 : at+2+n]
			at += 2 + n
		}
		s.Data, s.Sigs = all[:v.rrs:v.rrs], all[v.rrs:]
	}
	return e
}
