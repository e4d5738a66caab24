package cache

import (
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/weirnet/weir/apps/dns/msg"
)

// span is one NSEC record: nothing lies between its owner and the next name.
type span struct {
	zone    string // in lower case
	key     string // the owner in an order-preserving form
	next    string // the same of the next name
	nsec    msg.NSEC
	set     msg.RRset
	expires uint32
}

// spans is the validated NSEC records by zone, each zone's in canonical order.
type spans struct {
	mu     sync.RWMutex
	zones  map[string][]*span
	fifo   []*span // the oldest first; replaced ones are still in it
	n, max int
	denied uint64
}

func (x *spans) init(max int) { x.zones, x.max = map[string][]*span{}, max }

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

// PutSpan keeps a validated NSEC RRset of a zone, for denial without asking. It reports false where it is of no use.
func (c *Cache) PutSpan(zone msg.Name, set msg.RRset) bool {
	ttl := min(set.TTL, seconds(c.cfg.MaxNegativeTTL)) // RFC 8198 §5.4
	if set.Type != msg.TypeNSEC || len(set.Data) != 1 || ttl == 0 || c.cfg.MaxSpans < 0 || !set.Name.Under(zone) {
		return false
	}
	n, ok := msg.RR{Name: set.Name, Type: set.Type, Class: set.Class, Data: set.Data[0]}.NSEC()
	if !ok || !n.Next.Under(zone) {
		return false
	}
	s := &span{string(zone.Fold()), sortKey(set.Name), sortKey(n.Next), n, set, c.now() + ttl}
	x := &c.spans
	x.mu.Lock()
	defer x.mu.Unlock()
	list := x.zones[s.zone]
	i, found := slices.BinarySearchFunc(list, s.key, func(a *span, k string) int { return strings.Compare(a.key, k) })
	if found {
		list[i] = s
	} else {
		x.zones[s.zone] = slices.Insert(list, i, s)
		x.n++
	}
	x.fifo = append(x.fifo, s)
	for x.n > x.max || len(x.fifo) > 2*x.max {
		x.remove(x.fifo[0])
		x.fifo = x.fifo[1:]
	}
	return true
}

// remove takes a span out of its zone, unless it was replaced.
func (x *spans) remove(s *span) {
	list := x.zones[s.zone]
	i := sort.Search(len(list), func(i int) bool { return list[i].key >= s.key })
	if i == len(list) || list[i] != s {
		return
	}
	x.n--
	if list = slices.Delete(list, i, i+1); len(list) == 0 {
		delete(x.zones, s.zone)
		return
	}
	x.zones[s.zone] = list
}

// flush drops the spans of zones that a name is in or that lie below it.
func (x *spans) flush(name msg.Name) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for zone, list := range x.zones {
		if z := msg.Name(zone); z.Under(name) || name.Under(z) {
			x.n -= len(list)
			delete(x.zones, zone)
		}
	}
}

// before returns the live span of a zone whose owner is the name or the last before it.
func (x *spans) before(zone, key string, now uint32) *span {
	list := x.zones[zone]
	i := sort.Search(len(list), func(i int) bool { return list[i].key > key })
	if i == 0 || list[i-1].expires <= now {
		return nil
	}
	return list[i-1]
}

// covers reports whether a span proves that a name which is not its owner does not exist. What is
// below a delegation or a DNAME is not its zone's to deny (RFC 6840 §4.1).
func (s *span) covers(name msg.Name, key string) bool {
	if key <= s.key || s.next > s.key && key >= s.next {
		return false // the last span of a zone ends at the apex, which is before its owner
	}
	if name.Under(s.set.Name) && (s.nsec.Types.Has(msg.TypeDNAME) || s.delegation()) {
		return false
	}
	return true
}

func (s *span) delegation() bool {
	return s.nsec.Types.Has(msg.TypeNS) && !s.nsec.Types.Has(msg.TypeSOA)
}

// noData reports whether a span at the name itself proves that it has neither the type nor a CNAME.
func (s *span) noData(typ msg.Type) bool {
	if s.nsec.Types.Has(typ) || s.nsec.Types.Has(msg.TypeCNAME) {
		return false
	}
	if typ == msg.TypeDS {
		return !s.nsec.Types.Has(msg.TypeSOA) // the parent's side of a cut is asked about DS
	}
	return !s.delegation()
}
