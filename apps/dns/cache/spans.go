package cache

import (
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/weirnet/weir/apps/dns/msg"
)

// zoneSpans is what is known of the denials of one zone. The SOA record is kept here and not as an entry: in a denial it lasts no
// longer than its own minimum (RFC 2308 §5), and who asks for the zone's SOA is to get it with the TTL that it has there.
type zoneSpans struct {
	origin   msg.Name
	soa      msg.RRset
	soaUntil uint32
	nsec     chain // by the names' canonical order
	nsec3    chain // by their hashes, all made with param
	param    msg.NSEC3PARAM
}

func (z *zoneSpans) len() int { return len(z.nsec) + len(z.nsec3) }

// span is one NSEC or NSEC3 record: nothing lies between its owner and the next name.
type span struct {
	zone    string   // in lower case
	key     string   // the owner in an order-preserving form, or its hash
	next    string   // the same of the next name
	to      msg.Name // the next name, of NSEC
	types   msg.TypeSet
	hashed  bool // NSEC3
	set     msg.RRset
	expires uint32
}

// chain is spans in the order of their owners.
type chain []*span

// put adds a span, or puts it in the place of the one of the same owner.
func (c *chain) put(s *span) (added bool) {
	i, found := slices.BinarySearchFunc(*c, s.key, func(a *span, k string) int { return strings.Compare(a.key, k) })
	if found {
		(*c)[i] = s
		return false
	}
	*c = slices.Insert(*c, i, s)
	return true
}

// remove takes a span out, unless it was replaced.
func (c *chain) remove(s *span) (removed bool) {
	i := sort.Search(len(*c), func(i int) bool { return (*c)[i].key >= s.key })
	if i == len(*c) || (*c)[i] != s {
		return false
	}
	*c = slices.Delete(*c, i, i+1)
	return true
}

// before returns the live span whose owner is the key or the last before it.
func (c chain) before(key string, now uint32) *span {
	i := sort.Search(len(c), func(i int) bool { return c[i].key > key })
	if i == 0 || c[i-1].expires <= now {
		return nil
	}
	return c[i-1]
}

// spans is the validated NSEC and NSEC3 records by zone. A zone is there as long as it has one.
type spans struct {
	mu     sync.RWMutex
	zones  map[string]*zoneSpans
	fifo   []*span // the oldest first; replaced ones are still in it
	n, max int
	denied uint64
}

func (x *spans) init(max int) { x.zones, x.max = map[string]*zoneSpans{}, max }

func (x *spans) stats() (n int, denied uint64) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.n, x.denied
}

// sortKey turns a name into octets that compare as RFC 4034 §6.1 orders names: labels from the right, each ended by
// a zero octet; 0 and 1 in a label become two octets that begin with 1.
func sortKey(n msg.Name) string {
	var at [128]int
	count := 0
	for i := 0; i < len(n) && n[i] != 0 && count < len(at); i += 1 + int(n[i]) {
		at[count] = i
		count++
	}
	var b strings.Builder
	b.Grow(len(n))
	for ; count > 0; count-- {
		i := at[count-1]
		for _, c := range []byte(n[i+1 : i+1+int(n[i])]) {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			if c <= 1 {
				b.WriteByte(1)
				c++
			}
			b.WriteByte(c)
		}
		b.WriteByte(0)
	}
	return b.String()
}

// PutDenial keeps the validated NSEC and NSEC3 RRsets of a denial, and the SOA record that came with it, for denial without asking.
// What is of no use for that is left out. TTLs are those that the denial may be kept for.
func (c *Cache) PutDenial(soa msg.RRset, sets []msg.RRset) {
	if soa.Type != msg.TypeSOA || len(soa.Data) != 1 || soa.TTL == 0 || c.cfg.MaxSpans < 0 {
		return
	}
	now, most := c.now(), seconds(c.cfg.MaxNegativeTTL)
	if v, ok := soa.RRs()[0].SOA(); ok {
		soa.TTL = min(soa.TTL, v.Minimum) // RFC 8198 §5.4, RFC 2308 §5
	}
	x := &c.spans
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, set := range sets {
		s, param := newSpan(soa.Name, set)
		if s == nil || set.TTL == 0 {
			continue
		}
		s.expires = now + min(set.TTL, most)
		z := x.zones[s.zone]
		if z == nil {
			z = &zoneSpans{origin: msg.Name(s.zone)}
			x.zones[s.zone] = z
		}
		z.soa, z.soaUntil = soa, now+min(soa.TTL, most)
		if s.hashed && z.param != param { // the zone was hashed anew
			x.n -= len(z.nsec3)
			z.nsec3, z.param = nil, param
		}
		x.put(z, s)
	}
}

// newSpan makes a span of an NSEC RRset of a zone, or of an NSEC3 RRset that denies names, nil where it is none.
func newSpan(zone msg.Name, set msg.RRset) (*span, msg.NSEC3PARAM) {
	if set.Type == msg.TypeNSEC3 {
		return newSpan3(zone, set)
	}
	if set.Type != msg.TypeNSEC || len(set.Data) != 1 || !set.Name.Under(zone) {
		return nil, msg.NSEC3PARAM{}
	}
	n, ok := msg.RR{Name: set.Name, Type: set.Type, Class: set.Class, Data: set.Data[0]}.NSEC()
	if !ok || !n.Next.Under(zone) {
		return nil, msg.NSEC3PARAM{}
	}
	s := &span{zone: string(zone.Fold()), key: sortKey(set.Name), next: sortKey(n.Next), to: n.Next, types: n.Types, set: set}
	return s, msg.NSEC3PARAM{}
}

// put adds a span to its zone. The oldest of all zones go where there are too many.
func (x *spans) put(z *zoneSpans, s *span) {
	c := &z.nsec
	if s.hashed {
		c = &z.nsec3
	}
	if c.put(s) {
		x.n++
	}
	x.fifo = append(x.fifo, s)
	for x.n > x.max || len(x.fifo) > 2*x.max {
		x.remove(x.fifo[0])
		x.fifo = x.fifo[1:]
	}
}

// remove takes a span out of its zone, unless it was replaced, and the zone with its last one.
func (x *spans) remove(s *span) {
	z := x.zones[s.zone]
	if z == nil {
		return
	}
	if z.nsec.remove(s) || z.nsec3.remove(s) {
		x.n--
	}
	if z.len() == 0 {
		delete(x.zones, s.zone)
	}
}

// flush drops the spans of zones that a name is in or that lie below it.
func (x *spans) flush(name msg.Name) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for origin, z := range x.zones {
		if o := msg.Name(origin); o.Under(name) || name.Under(o) {
			x.n -= z.len()
			delete(x.zones, origin)
		}
	}
}

// covers reports whether a span proves that a name which is not its owner does not exist. What is
// below a delegation or a DNAME is not its zone's to deny (RFC 6840 §4.1).
func (s *span) covers(name msg.Name, key string) bool {
	if key <= s.key || s.next > s.key && key >= s.next {
		return false // the last span of a zone ends at the apex, which is before its owner
	}
	if name.Under(s.set.Name) && (s.types.Has(msg.TypeDNAME) || s.delegation()) {
		return false
	}
	return true
}

func (s *span) delegation() bool {
	return s.types.Has(msg.TypeNS) && !s.types.Has(msg.TypeSOA)
}

// noData reports whether a span at the name itself proves that it has neither the type nor a CNAME.
func (s *span) noData(typ msg.Type) bool {
	if s.types.Has(typ) || s.types.Has(msg.TypeCNAME) {
		return false
	}
	if typ == msg.TypeDS {
		return !s.types.Has(msg.TypeSOA) // the parent's side of a cut is asked about DS
	}
	return !s.delegation()
}
