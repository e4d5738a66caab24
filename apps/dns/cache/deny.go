package cache

import (
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Deny tells from validated NSEC records that a name, or its type, does not exist, as an entry of NXDomain or NoData
// with the proof (RFC 8198 §5.1). It never tells anything about a name whose zone's SOA it does not have.
func (c *Cache) Deny(name msg.Name, typ msg.Type) (Entry, bool) {
	zone, ok := c.spans.zoneOf(name, typ)
	if !ok {
		return Entry{}, false
	}
	soa, ok := c.Get(zone, msg.TypeSOA, Positive, false)
	if !ok || soa.Security != Secure || len(soa.Sets) == 0 {
		return Entry{}, false
	}
	now := c.now()
	x := &c.spans
	x.mu.RLock()
	kind, proof, ok := x.deny(string(zone.Fold()), name, typ, now)
	x.mu.RUnlock()
	if !ok {
		return Entry{}, false
	}
	x.mu.Lock()
	x.denied++
	x.mu.Unlock()
	e := Entry{Name: name, Type: typ, Kind: kind, Rank: RankAuthority, Security: Secure, TTL: soa.TTL}
	if v, ok := (msg.RR{Type: msg.TypeSOA, Data: soa.Sets[0].Data[0]}).SOA(); ok {
		e.TTL = min(e.TTL, v.Minimum)
	}
	e.Sets = append(e.Sets, Set{soa.Sets[0].RRset, InAuthority})
	for i, s := range proof {
		if s == nil || i > 0 && s == proof[0] {
			continue
		}
		e.TTL = min(e.TTL, s.expires-now)
		e.Sets = append(e.Sets, Set{s.set, InProof})
	}
	for i := range e.Sets {
		e.Sets[i].TTL = e.TTL
	}
	return e, true
}

// zoneOf returns the deepest zone with spans that a name is in; a DS is its parent's.
func (x *spans) zoneOf(name msg.Name, typ msg.Type) (msg.Name, bool) {
	n := name.Fold()
	if typ == msg.TypeDS && n != msg.Root {
		n = n.Parent()
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	for {
		if _, ok := x.zones[string(n)]; ok {
			return n, true
		}
		if n == msg.Root {
			return "", false
		}
		n = n.Parent()
	}
}

func (x *spans) deny(zone string, name msg.Name, typ msg.Type, now uint32) (kind Kind, proof [2]*span, ok bool) {
	key := sortKey(name)
	s := x.before(zone, key, now)
	if s == nil {
		return 0, proof, false
	}
	proof[0] = s
	if s.key == key {
		return NoData, proof, s.noData(typ)
	}
	if !s.covers(name, key) {
		return 0, proof, false
	}
	if strings.HasPrefix(s.next, key) { // it ends below the name, which is an empty non-terminal
		return NoData, proof, true
	}
	wild, err := s.encloser(name).Wildcard()
	if err != nil {
		return 0, proof, false
	}
	wkey := sortKey(wild)
	w := x.before(zone, wkey, now)
	if w == nil {
		return 0, proof, false
	}
	proof[1] = w
	if w.key == wkey {
		return NoData, proof, w.noData(typ)
	}
	return NXDomain, proof, w.covers(wild, wkey)
}

// encloser returns the closest encloser of a name that the span covers: the longest of its ancestors that is one of
// the owner or of the next name too.
func (s *span) encloser(name msg.Name) msg.Name {
	for n := name.Parent(); ; n = n.Parent() {
		if s.set.Name.Under(n) || s.nsec.Next.Under(n) || n == msg.Root {
			return n
		}
	}
}
