package zone

import (
	"fmt"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Verify returns the first thing in the zone that no server should load it with, in one line, or nil: what [Check] finds as
// errors, without the places that it has for them.
func (z *Zone) Verify() error {
	var buf [maxKey]byte
	if apex, ok := z.names.get(z.key(&buf, z.origin)); ok {
		if s, ok := apex.set(msg.TypeNS); !ok || s.Len() == 0 {
			return fmt.Errorf("%v has no NS records", z.origin)
		}
	}
	var err error
	z.names.each(func(n node) bool {
		err = z.verify(n)
		return err == nil
	})
	return err
}

// verify looks at one name.
func (z *Zone) verify(n node) (err error) {
	cname, alone := n.set(msg.TypeCNAME)
	n.each(func(s Set) bool {
		if s.Len() == 0 { // signatures of nothing
			return true
		}
		apex := n.key == ""
		switch s.Type {
		case msg.TypeCNAME, msg.TypeDNAME:
			if s.Len() > 1 {
				err = fmt.Errorf("%v has %d %v records, it may have one", n.name(z.origin), s.Len(), s.Type)
			}
		case msg.TypeSOA:
			if !apex {
				err = fmt.Errorf("%v: an SOA record below the zone's name", n.name(z.origin))
			}
		case msg.TypeDS:
			if apex {
				err = fmt.Errorf("%v: DS at the zone's own name belongs into the zone above (RFC 4035 §2.4)", z.origin)
			}
		case msg.TypeNS:
			err = z.verifyNS(n, s)
		}
		if err == nil && alone && cname.Len() > 0 && !besideCNAME(s.Type) {
			err = fmt.Errorf("%v: CNAME and other data (%v)", n.name(z.origin), s.Type)
		}
		return err == nil
	})
	return err
}

// besideCNAME reports whether a type may stand at the name of a CNAME record (RFC 4034 §2.5 and §4, RFC 2535).
func besideCNAME(t msg.Type) bool {
	return t == msg.TypeCNAME || t == msg.TypeNSEC || t == msg.TypeKEY
}

// verifyNS looks at NS records: a wildcard has none, and those of the zone itself point to addresses.
func (z *Zone) verifyNS(n node, s Set) error {
	if name := n.name(z.origin); name.IsWildcard() {
		return fmt.Errorf("%v: a wildcard cannot be delegated (RFC 4592 §4.2)", name)
	}
	if n.key != "" {
		return nil
	}
	c := checker{origin: z.origin}
	s.Name = z.origin
	for _, rr := range s.unsigned().AppendRRs(nil) {
		c.points(z, rr)
		for _, p := range c.found {
			if p.Error {
				return fmt.Errorf("%s", p.Text)
			}
		}
	}
	return nil
}
