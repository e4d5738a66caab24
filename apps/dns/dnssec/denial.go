package dnssec

import (
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// denial is the NSEC and NSEC3 records of an answer whose signatures are good, all of one zone.
type denial struct {
	b     *budget
	zone  msg.Name
	nsec  []nsecRecord
	nsec3 nsec3Chain
	soa   *msg.RRset
	sets  []*msg.RRset
	ttl   uint32
	ede   msg.EDE // what was wrong with one that is not among them
}

// verdict is what a denial proves.
type verdict uint8

const (
	unproven verdict = iota
	provenInsecure
	proven
)

// denier returns the zone that signed the denial of a name, which must be at or above it: the
// longest where there are several.
func (s *session) denier(sets []msg.RRset, name msg.Name) (msg.Name, bool) {
	var best msg.Name
	for i := range sets {
		switch sets[i].Type {
		case msg.TypeNSEC, msg.TypeNSEC3, msg.TypeSOA:
		default:
			continue
		}
		for _, zone := range s.signers(&sets[i]) {
			if anchor, ok := s.v.anchorAbove(name); ok && name.Under(zone) && zone.Under(anchor) && len(zone) > len(best) {
				best = zone
			}
		}
	}
	return best, best != ""
}

// denial verifies the records of a denial with the keys of a zone.
func (s *session) denial(sets []msg.RRset, zone msg.Name, keys []publicKey) *denial {
	d := &denial{b: &s.budget, zone: zone, ttl: 1<<32 - 1}
	d.nsec3.b, d.nsec3.zone = &s.budget, zone
	for i := range sets {
		set := &sets[i]
		switch set.Type {
		case msg.TypeNSEC, msg.TypeNSEC3, msg.TypeSOA:
			if len(set.Data) > 0 && set.Name.Under(zone) {
				d.take(set, keys, s.now)
			}
		}
	}
	return d
}

// take adds a set when its signature is good.
func (d *denial) take(set *msg.RRset, keys []publicKey, now time.Time) {
	v, ok := d.b.verify(set, d.zone, keys, now)
	if !ok {
		d.ede = v.ede
		return
	}
	if int(v.sig.Labels) != ownerLabels(set.Name) {
		d.ede = msg.EDE{Code: msg.EDEBogus, Text: describe(set) + " is made of a wildcard, and proves nothing"}
		return
	}
	switch set.Type {
	case msg.TypeSOA:
		d.soa = set
	case msg.TypeNSEC3:
		d.nsec3.add(set)
	default:
		for _, r := range set.RRs() {
			if n, ok := r.NSEC(); ok {
				d.nsec = append(d.nsec, nsecRecord{r.Name, n})
			}
		}
	}
	d.sets = append(d.sets, set)
	d.ttl = min(d.ttl, v.ttl)
}

// missing is what to say where nothing is proven.
func (d *denial) missing(text string) msg.EDE {
	switch {
	case d.b.over:
		return msg.EDE{Code: msg.EDEBogus, Text: "more signatures or hashes than are computed for one answer"}
	case d.ede.Code != 0:
		return d.ede
	}
	return msg.EDE{Code: msg.EDENSECMissing, Text: text}
}

// tooManyIterations is what to say of NSEC3 records that are not computed (RFC 9276 section 3.2).
var tooManyIterations = msg.EDE{Code: msg.EDEUnsupportedNSEC3Iterations, Text: "the zone's NSEC3 records have more iterations than are computed"}

// absent judges the denial of a name (nx) or of a type at it.
func (d *denial) absent(name msg.Name, typ msg.Type, nx bool) (verdict, msg.EDE) {
	switch {
	case d.nsec3.excess:
		return provenInsecure, tooManyIterations
	case nx && nsecNoName(d.nsec, name), !nx && nsecNoData(d.nsec, name, typ):
		return proven, msg.EDE{}
	}
	v := unproven
	if nx {
		v = d.nsec3.noName(name)
	} else {
		v = d.nsec3.noData(name, typ)
	}
	if v != unproven {
		return v, msg.EDE{}
	}
	what := name.String() + " does not exist"
	if !nx {
		what = name.String() + " has no " + typ.String()
	}
	return unproven, d.missing("nothing proves that " + what)
}

// noCloser judges whether a name that was made of a wildcard does not exist itself: next is the
// name one label longer than what the wildcard is below (RFC 4035 section 5.3.4).
func (d *denial) noCloser(name, next msg.Name) (verdict, msg.EDE) {
	if d.nsec3.excess {
		return provenInsecure, tooManyIterations
	}
	if n := covering(d.nsec, name); n != nil && !n.Next.Under(next) && !n.owner.Under(next) {
		return proven, msg.EDE{}
	}
	if v := d.nsec3.noCloser(next); v != unproven {
		return v, msg.EDE{}
	}
	return unproven, d.missing("nothing proves that " + name.String() + " is made of a wildcard")
}

// cut is what a name is to its parent zone.
type cut uint8

const (
	cutUnproven cut = iota
	cutInsecure     // a delegation to a zone that is not signed, or one may be
	cutNone         // the name exists and is none
	cutAbsent       // neither the name nor any below it is one
)

// delegation judges the denial of a DS record (RFC 4035 section 5.2, RFC 5155 section 8.9).
func (d *denial) delegation(name msg.Name) (cut, msg.EDE) {
	if d.nsec3.excess {
		return cutInsecure, tooManyIterations
	}
	c := nsecDelegation(d.nsec, name)
	if c == cutUnproven {
		c = d.nsec3.delegation(name)
	}
	if c == cutUnproven {
		return c, d.missing("nothing proves that " + name.String() + " has no DS")
	}
	return c, msg.EDE{}
}

// ofType is what the bitmap of a name that exists says of its delegation.
func ofTypes(types msg.TypeSet) cut {
	switch {
	case types.Has(msg.TypeDS), types.Has(msg.TypeSOA): // there is one; the child's (RFC 6840 section 4.4)
		return cutUnproven
	case types.Has(msg.TypeNS):
		return cutInsecure
	}
	return cutNone
}

// lacks reports whether a bitmap at the name itself proves that it has no such type: neither that
// nor a CNAME, and from the side of the zone cut that has the type (RFC 6840 section 4.1 and 4.4).
func lacks(types msg.TypeSet, typ msg.Type, name msg.Name) bool {
	parent := types.Has(msg.TypeNS) && !types.Has(msg.TypeSOA)
	switch {
	case types.Has(typ), types.Has(msg.TypeCNAME):
		return false
	case typ == msg.TypeDS:
		return !types.Has(msg.TypeSOA) || name == msg.Root
	}
	return !parent
}

// endsThere reports whether names below one with that bitmap are none of its zone's: at a delegation
// and below a DNAME (RFC 6840 section 4.1).
func endsThere(types msg.TypeSet) bool {
	return types.Has(msg.TypeDNAME) || types.Has(msg.TypeNS) && !types.Has(msg.TypeSOA)
}
