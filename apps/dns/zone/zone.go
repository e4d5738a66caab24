package zone

import (
	"fmt"
	"iter"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Zone is one version of a zone. It never changes; [Zone.Apply] returns the next.
type Zone struct {
	origin  msg.Name
	folded  msg.Name
	labels  int
	names   tree
	hashes  tree                 // NSEC3
	cuts    [maxLabels + 1]int32 // how many delegations and DNAMEs there are so many labels below the origin
	cut     bool                 // whether there is one
	records int

	soaSet   Set // as an answer has it
	negative Set // as a denial has it: TTL of RFC 2308 §5
	soa      msg.SOA
	signed   bool // the SOA is, and so is the rest
	nsec3    *nsec3Param
}

// Origin returns the zone's name, as it was written.
func (z *Zone) Origin() msg.Name { return z.origin }

// SOA returns the zone's SOA record's content.
func (z *Zone) SOA() msg.SOA { return z.soa }

// SOASet returns the set of the SOA record and its signatures.
func (z *Zone) SOASet() Set { return z.soaSet }

// Serial returns the zone's serial number, to be compared as RFC 1982 says.
func (z *Zone) Serial() uint32 { return z.soa.Serial }

// Records returns the number of records.
func (z *Zone) Records() int { return z.records }

// Names returns the number of names that own records.
func (z *Zone) Names() int { return z.names.nodes + z.hashes.nodes }

// Octets returns the memory that the zone's content takes.
func (z *Zone) Octets() int { return z.names.octets() + z.hashes.octets() }

// Signed reports whether the zone has signatures to serve.
func (z *Zone) Signed() bool { return z.signed }

// finish fills what is told of the whole zone.
func (z *Zone) finish() error {
	apex, ok := z.names.get("")
	soa, found := Set{}, false
	if ok {
		soa, found = apex.set(msg.TypeSOA)
	}
	switch {
	case !found:
		return fmt.Errorf("zone %v: %w", z.origin, ErrNoSOA)
	case soa.Len() > 1:
		return fmt.Errorf("zone %v: %w", z.origin, ErrManySOA)
	}
	soa.Name = z.origin
	if z.soa, ok = msg.NewRR(z.origin, msg.TypeSOA, soa.TTL, soa.first()).SOA(); !ok {
		return fmt.Errorf("zone %v: the SOA record cannot be read", z.origin)
	}
	z.soaSet, z.negative = soa, soa
	z.negative.TTL = min(soa.TTL, z.soa.Minimum)
	z.signed = soa.Signatures() > 0
	z.nsec3 = nil
	if params, ok := apex.set(msg.TypeNSEC3PARAM); ok && z.hashes.nodes > 0 {
		z.nsec3 = chooseNSEC3(params)
	}
	z.cut = false
	for _, n := range z.cuts {
		z.cut = z.cut || n != 0
	}
	return nil
}

// Sets yields every set of the zone: the names in canonical order, the apex and within it the SOA first, and then
// those of NSEC3. A set of signatures alone has no records ([Set.Len]).
func (z *Zone) Sets() iter.Seq[Set] {
	return func(yield func(Set) bool) {
		if !yield(z.soaSet) {
			return
		}
		more := true
		visit := func(n node) bool {
			name := n.name(z.origin)
			n.each(func(s Set) bool {
				if s.Name = name; n.key == "" && s.Type == msg.TypeSOA {
					return true
				}
				more = yield(s)
				return more
			})
			return more
		}
		if z.names.each(visit); more {
			z.hashes.each(visit)
		}
	}
}

// All yields every record, in the order of [Zone.Sets].
func (z *Zone) All() iter.Seq[msg.RR] {
	return func(yield func(msg.RR) bool) {
		var rrs []msg.RR
		for s := range z.Sets() {
			rrs = s.AppendRRs(rrs[:0])
			for _, rr := range rrs {
				if !yield(rr) {
					return
				}
			}
		}
	}
}

// key writes the key of a name of the zone into buf.
func (z *Zone) key(buf *[maxKey]byte, name msg.Name) string {
	return text(appendKey(buf[:0], string(name), z.labels))
}

// Get returns the set of a type at exactly that name, glue and what is below a delegation included, and whether there
// is one.
func (z *Zone) Get(name msg.Name, t msg.Type) (Set, bool) {
	if !name.Under(z.origin) {
		return Set{}, false
	}
	var buf [maxKey]byte
	tree := &z.names
	if t == msg.TypeNSEC3 {
		tree = &z.hashes
	}
	n, ok := tree.get(z.key(&buf, name))
	if !ok {
		return Set{}, false
	}
	s, ok := n.set(t)
	s.Name = name
	return s, ok
}
