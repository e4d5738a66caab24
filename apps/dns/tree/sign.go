package tree

import (
	"fmt"
	"io"
	"time"

	"github.com/weirnet/weir/apps/dns/dnssec"
	"github.com/weirnet/weir/apps/dns/msg"
)

// validity is how long signatures are good before and after the middle of their time.
const validity = 14 * 24 * time.Hour

// sign signs the zones, children before their parents, which get the DS records of their keys.
func (t *Tree) sign(o Options) error {
	for i := len(t.Zones) - 1; i >= 0; i-- {
		z := &t.Zones[i]
		if unsigned(o, z.Origin) {
			continue
		}
		ksk, err := newKey(o, z.Origin, msg.FlagZone|msg.FlagSEP)
		if err != nil {
			return err
		}
		zsk, err := newKey(o, z.Origin, msg.FlagZone)
		if err != nil {
			return err
		}
		so := dnssec.SignOptions{Keys: []*dnssec.Key{ksk, zsk}, Inception: o.Now.Add(-validity), Expiration: o.Now.Add(validity)}
		if z.Origin.Labels() == 1 {
			so.NSEC3 = &dnssec.NSEC3Options{}
		}
		if z.Records, err = dnssec.SignZone(z.Records, z.Origin, so); err != nil {
			return fmt.Errorf("sign %v: %w", z.Origin, err)
		}
		if z.Origin == msg.Root {
			t.Anchors = []msg.RR{ksk.DS(soaTTL)}
		} else if p := t.parent(z.Origin); !unsigned(o, p.Origin) {
			p.Records = append(p.Records, ksk.DS(soaTTL))
		}
	}
	return nil
}

func unsigned(o Options, origin msg.Name) bool {
	for _, u := range o.Unsigned {
		if u.Equal(origin) {
			return true
		}
	}
	return false
}

// parent is the zone that a zone is delegated by.
func (t *Tree) parent(origin msg.Name) *Zone {
	for at := origin.Parent(); ; at = at.Parent() {
		for i := range t.Zones {
			if t.Zones[i].Origin.Equal(at) {
				return &t.Zones[i]
			}
		}
	}
}

func newKey(o Options, zone msg.Name, flags uint16) (*dnssec.Key, error) {
	var seed []byte
	if o.Rand != nil {
		seed = make([]byte, 32)
		if _, err := io.ReadFull(o.Rand, seed); err != nil {
			return nil, fmt.Errorf("read the seed of a key: %w", err)
		}
	}
	return dnssec.NewKey(zone, dnssec.ECDSAP256SHA256, flags, seed)
}
