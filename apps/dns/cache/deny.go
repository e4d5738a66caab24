package cache

import (
	"slices"
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Deny tells from validated NSEC and NSEC3 records that a name, or its type, does not exist, as an entry of NXDomain or NoData
// with the proof (RFC 8198 §5.1 to 5.3). It lasts no longer than any record of the proof, and the SOA record that came with them (§5.4).
func (c *Cache) Deny(name msg.Name, typ msg.Type) (Entry, bool) {
	x := &c.spans
	now := c.now()
	x.mu.RLock()
	z := x.zoneOf(name, typ)
	if z == nil || z.soaUntil <= now {
		x.mu.RUnlock()
		return Entry{}, false
	}
	kind, proof, ok := z.deny(name, typ, now)
	if !ok {
		kind, proof, ok = z.deny3(name, typ, now)
	}
	soa, ttl := z.soa, z.soaUntil-now
	x.mu.RUnlock()
	if !ok {
		return Entry{}, false
	}
	x.mu.Lock()
	x.denied++
	x.mu.Unlock()
	e := Entry{Name: name, Type: typ, Kind: kind, Rank: RankAuthority, Security: Secure, TTL: ttl}
	e.Sets = append(e.Sets, Set{soa, InAuthority})
	for i, s := range proof {
		if s == nil || slices.Contains(proof[:i], s) {
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

// zoneOf returns the deepest zone with spans that a name is in, nil where there is none; a DS is its parent's.
func (x *spans) zoneOf(name msg.Name, typ msg.Type) *zoneSpans {
	n := name.Fold()
	if typ == msg.TypeDS && n != msg.Root {
		n = n.Parent()
	}
	for ; ; n = n.Parent() {
		if z := x.zones[string(n)]; z != nil || n == msg.Root {
			return z
		}
	}
}

func (z *zoneSpans) deny(name msg.Name, typ msg.Type, now uint32) (kind Kind, proof [3]*span, ok bool) {
	key := sortKey(name)
	s := z.nsec.before(key, now)
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
	w := z.nsec.before(wkey, now)
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
		if s.set.Name.Under(n) || s.to.Under(n) || n == msg.Root {
			return n
		}
	}
}
