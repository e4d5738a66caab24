package tree

import (
	"fmt"

	"github.com/weirnet/weir/apps/dns/authority"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/zone"
)

// Handler returns what answers for a server of the tree: an authority for its zones, which whoever is on the
// tree's link may have whole (AXFR).
func (t *Tree) Handler(s Server) (*authority.Set, error) {
	set := authority.New(authority.Config{})
	for _, origin := range s.Zones {
		z, ok := t.Zone(origin)
		if !ok {
			return nil, fmt.Errorf("%v is said to have %v, which is not in the tree", s.Name, origin)
		}
		made, err := z.zone()
		if err == nil {
			err = set.Add(authority.ZoneConfig{Origin: origin, Transfer: authority.ACL{Prefixes: t.Prefixes()}}, made)
		}
		if err != nil {
			return nil, fmt.Errorf("zone %v: %w", origin, err)
		}
	}
	return set, nil
}

// zone returns the zone as servers have it.
func (z Zone) zone() (*zone.Zone, error) {
	b := zone.NewBuilder(z.Origin)
	for _, rr := range z.Records {
		if err := b.Add(rr); err != nil {
			return nil, fmt.Errorf("%v: %w", rr, err)
		}
	}
	return b.Zone()
}

// Origins are the names of the zones.
func (t *Tree) Origins() (list []msg.Name) {
	for _, z := range t.Zones {
		list = append(list, z.Origin)
	}
	return list
}
