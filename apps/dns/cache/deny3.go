package cache

import (
	"sort"

	"github.com/weirnet/weir/apps/dns/dnssec"
	"github.com/weirnet/weir/apps/dns/msg"
)

// What a denial from NSEC3 records may cost: names of so many labels below the zone, each hashed with so many iterations. Zones
// with more, against RFC 9276 §3.1, are asked.
const (
	maxHashedLabels = 8
	maxIterations   = 20
)

// newSpan3 makes a span of an NSEC3 RRset. One with opt-out proves nothing about the names in it (RFC 8198 §5.3), and in a zone that
// opts out nearly all have it: such are not kept.
func newSpan3(zone msg.Name, set msg.RRset) (*span, msg.NSEC3PARAM) {
	var none msg.NSEC3PARAM
	if len(set.Data) != 1 || !set.Name.Under(zone) || set.Name.Labels() != zone.Labels()+1 {
		return nil, none
	}
	n, ok := msg.RR{Name: set.Name, Type: set.Type, Class: set.Class, Data: set.Data[0]}.NSEC3()
	owner, is := dnssec.OwnerHash(set.Name)
	if !ok || !is || n.Hash != 1 || n.Flags != 0 || len(n.Next) != len(owner) || n.Iterations > maxIterations {
		return nil, none
	}
	s := &span{zone: string(zone.Fold()), key: owner, next: n.Next, types: n.Types, hashed: true, set: set}
	return s, msg.NSEC3PARAM{Hash: n.Hash, Iterations: n.Iterations, Salt: n.Salt}
}

// deny3 is deny by NSEC3 records (RFC 8198 §5.3, RFC 5155 §8.4 to 8.7): one that matches the name, or those that match its closest
// encloser and cover the name next closer, and match or cover the wildcard there.
func (z *zoneSpans) deny3(name msg.Name, typ msg.Type, now uint32) (kind Kind, proof [3]*span, ok bool) {
	least := z.origin.Labels()
	if len(z.nsec3) == 0 || name.Labels()-least > maxHashedLabels {
		return 0, proof, false
	}
	s, cover := z.hashed(name, now)
	if s != nil {
		proof[0] = s
		return NoData, proof, s.noData(typ)
	}
	for labels := name.Labels() - 1; labels >= least; labels-- {
		next := cover
		if s, cover = z.hashed(name.Suffix(labels), now); s == nil {
			continue
		}
		wild, err := name.Suffix(labels).Wildcard()
		if err != nil || next == nil || s.delegation() || s.types.Has(msg.TypeDNAME) {
			return 0, proof, false
		}
		proof[0], proof[1] = s, next
		if s, cover = z.hashed(wild, now); s != nil {
			proof[2] = s
			return NoData, proof, s.noData(typ)
		}
		proof[2] = cover
		return NXDomain, proof, cover != nil
	}
	return 0, proof, false
}

// hashed returns the live span that a name's hash is the owner of, or the one that it lies in.
func (z *zoneSpans) hashed(name msg.Name, now uint32) (match, cover *span) {
	h := dnssec.Hash(name, z.param)
	i := sort.Search(len(z.nsec3), func(i int) bool { return z.nsec3[i].key > h })
	if i == 0 {
		i = len(z.nsec3) // before the first one is what the last one, which points to that, covers
	}
	s := z.nsec3[i-1]
	switch wraps := s.next <= s.key; {
	case s.expires <= now:
	case s.key == h:
		return s, nil
	case s.key < h && (h < s.next || wraps), wraps && h < s.next:
		return nil, s
	}
	return nil, nil
}
