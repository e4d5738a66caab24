package dnssec

import (
	"errors"
	"fmt"
	"slices"

	"github.com/weirnet/weir/apps/dns/msg"
)

// unsigned is a zone that is being signed.
type unsigned struct {
	o      SignOptions
	origin msg.Name
	ttl    uint32             // of NSEC and NSEC3 (RFC 9077)
	nodes  map[msg.Name]*node // by names in lower case
	order  []*node            // canonical
}

// node is a name of the zone.
type node struct {
	name   msg.Name // in lower case
	sets   []*msg.RRset
	cut    bool // a delegation
	hidden bool // below a delegation or a DNAME: glue, which is not the zone's
}

func newUnsigned(records []msg.RR, origin msg.Name, o SignOptions) (*unsigned, error) {
	if len(o.Keys) == 0 {
		return nil, errors.New("there are no keys: set SignOptions.Keys")
	}
	z := &unsigned{o: o, origin: origin.Fold(), nodes: map[msg.Name]*node{}}
	for _, k := range o.Keys {
		if k.Zone != z.origin {
			return nil, fmt.Errorf("key %d is of the zone %s", k.Tag(), k.Zone)
		}
	}
	for _, r := range records {
		switch r.Type {
		case msg.TypeRRSIG, msg.TypeNSEC, msg.TypeNSEC3, msg.TypeNSEC3PARAM:
			continue
		}
		if err := z.add(r); err != nil {
			return nil, err
		}
	}
	soa, ok := z.soa()
	if !ok {
		return nil, errors.New("it has no SOA record")
	}
	z.ttl = min(soa.TTL, soaMinimum(soa))
	ttl := o.TTL
	if ttl == 0 {
		ttl = soa.TTL
	}
	for _, k := range o.Keys {
		if err := z.add(k.RR(ttl)); err != nil {
			return nil, err
		}
	}
	z.arrange()
	return z, nil
}

func soaMinimum(set *msg.RRset) uint32 {
	s, _ := msg.NewRR(set.Name, msg.TypeSOA, set.TTL, set.Data[0]).SOA()
	return s.Minimum
}

func (z *unsigned) soa() (*msg.RRset, bool) {
	apex, ok := z.nodes[z.origin]
	if !ok {
		return nil, false
	}
	s := apex.set(msg.TypeSOA)
	return s, s != nil
}

// add puts a record into its set. The TTL of a set is that of its first record.
func (z *unsigned) add(r msg.RR) error {
	if !r.Name.Under(z.origin) {
		return fmt.Errorf("%s is not in it", r.Name)
	}
	if err := r.Check(); err != nil {
		return fmt.Errorf("%s: %w", r, err)
	}
	name := r.Name.Fold()
	n := z.nodes[name]
	if n == nil {
		n = &node{name: name}
		z.nodes[name] = n
	}
	s := n.set(r.Type)
	if s == nil {
		s = &msg.RRset{Name: r.Name, Type: r.Type, Class: r.Class, TTL: r.TTL}
		n.sets = append(n.sets, s)
	}
	if !slices.Contains(s.Data, r.Data) {
		s.Data = append(s.Data, r.Data)
	}
	return nil
}

func (n *node) set(t msg.Type) *msg.RRset {
	for _, s := range n.sets {
		if s.Type == t {
			return s
		}
	}
	return nil
}

// arrange sorts the names, and finds the delegations and what they hide. In canonical order what is
// below a name comes right after it.
func (z *unsigned) arrange() {
	z.order = z.order[:0]
	for _, n := range z.nodes {
		z.order = append(z.order, n)
	}
	slices.SortFunc(z.order, func(a, b *node) int { return a.name.Compare(b.name) })
	var hiding msg.Name
	for _, n := range z.order {
		n.hidden = hiding != "" && n.name.Under(hiding)
		if n.set(msg.TypeNSEC3) != nil { // beside a DNAME of the apex as well
			n.hidden = false
			continue
		}
		if n.hidden {
			continue
		}
		n.cut = n.name != z.origin && n.set(msg.TypeNS) != nil
		if hiding = ""; n.cut || n.set(msg.TypeDNAME) != nil {
			hiding = n.name
		}
	}
}

// signs reports whether a set of the node is signed: at a delegation the DS set alone, and the
// NSEC record (RFC 4035 section 2.2).
func (n *node) signs(t msg.Type) bool {
	return !n.hidden && (!n.cut || t == msg.TypeDS || t == msg.TypeNSEC)
}

// types returns the types that an NSEC or NSEC3 record of the node lists, beside itself and RRSIG.
func (n *node) types() (types []msg.Type, signed bool) {
	for _, s := range n.sets {
		if n.signs(s.Type) {
			signed = true
		} else if s.Type != msg.TypeNS {
			continue // glue at a delegation
		}
		types = append(types, s.Type)
	}
	return types, signed
}

func (z *unsigned) sign() error {
	ksk, zsk := z.o.signers()
	for _, n := range z.order {
		for _, s := range n.sets {
			if !n.signs(s.Type) {
				continue
			}
			keys := zsk
			if s.Type == msg.TypeDNSKEY && n.name == z.origin {
				keys = ksk
			}
			for _, k := range keys {
				sig, err := SignSet(s, k, z.o.Inception, z.o.Expiration)
				if err != nil {
					return err
				}
				s.Sigs = append(s.Sigs, sig.Data)
			}
		}
	}
	return nil
}

// records returns all of the zone in canonical order, the SOA first.
func (z *unsigned) records() []msg.RR {
	soa, _ := z.soa()
	all := soa.AppendTo(nil, true)
	for _, n := range z.order {
		for _, s := range n.sets {
			if s != soa {
				all = s.AppendTo(all, true)
			}
		}
	}
	return all
}
