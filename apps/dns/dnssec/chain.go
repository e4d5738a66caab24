package dnssec

import (
	"errors"
	"slices"
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

var errCollision = errors.New("two names have the same NSEC3 hash: choose another salt (RFC 5155 section 7.1)")

// addNSEC gives each name of the zone an NSEC record that points to the next one (RFC 4035
// section 2.3). Names below delegations, and those without records, have none.
func (z *unsigned) addNSEC() {
	var names []*node
	for _, n := range z.order {
		if !n.hidden {
			names = append(names, n)
		}
	}
	for i, n := range names {
		types, _ := n.types()
		types = append(types, msg.TypeNSEC, msg.TypeRRSIG)
		data := msg.NSEC{Next: names[(i+1)%len(names)].name, Types: msg.NewTypeSet(types...)}.Data()
		n.sets = append(n.sets, &msg.RRset{Name: n.name, Type: msg.TypeNSEC, Class: msg.ClassINET, TTL: z.ttl, Data: []string{data}})
	}
}

// hashed is a name with its hash.
type hashed struct {
	hash  string
	types msg.TypeSet
}

// addNSEC3 makes the chain of hashes (RFC 5155 section 7.1), of all names with records and of those
// between them and the apex.
func (z *unsigned) addNSEC3() error {
	o := z.o.NSEC3
	param := msg.NSEC3PARAM{Hash: hashSHA1, Iterations: o.Iterations, Salt: string(o.Salt)}
	if len(o.Salt) > 255 {
		return errors.New("the salt is longer than 255 octets")
	}
	z.nodes[z.origin].sets = append(z.nodes[z.origin].sets,
		&msg.RRset{Name: z.origin, Type: msg.TypeNSEC3PARAM, Class: msg.ClassINET, Data: []string{param.Data()}})
	chain := z.hashes(param)
	slices.SortFunc(chain, func(a, b hashed) int { return strings.Compare(a.hash, b.hash) })
	flags := uint8(0)
	if o.OptOut {
		flags = msg.FlagOptOut
	}
	for i, h := range chain {
		next := chain[(i+1)%len(chain)]
		if len(chain) > 1 && next.hash == h.hash {
			return errCollision
		}
		owner, err := z.origin.Child(encodeHash(h.hash))
		if err != nil {
			return err
		}
		data := msg.NSEC3{Hash: hashSHA1, Flags: flags, Iterations: o.Iterations, Salt: string(o.Salt), Next: next.hash, Types: h.types}.Data()
		if err := z.add(msg.NewRR(owner, msg.TypeNSEC3, z.ttl, data)); err != nil {
			return err
		}
	}
	z.arrange()
	return nil
}

func (z *unsigned) hashes(param msg.NSEC3PARAM) []hashed {
	var chain []hashed
	between := map[msg.Name]bool{}
	for _, n := range z.order {
		types, signed := n.types()
		if n.hidden || z.o.NSEC3.OptOut && n.cut && !signed {
			continue
		}
		if signed {
			types = append(types, msg.TypeRRSIG)
		}
		chain = append(chain, hashed{Hash(n.name, param), msg.NewTypeSet(types...)})
		for up := n.name.Parent(); up != z.origin && up.Under(z.origin) && z.nodes[up] == nil && !between[up]; up = up.Parent() {
			between[up] = true
			chain = append(chain, hashed{hash: Hash(up, param)})
		}
	}
	return chain
}
