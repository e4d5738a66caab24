package dns

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/weirnet/weir/apps/dns/authority"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/zone"
)

// reverseTTL is the TTL of the records of a reverse zone that have none to follow, in seconds.
const reverseTTL = 3600

// ReverseOrigin returns the name of the zone that has the PTR records of a subnet. Where its prefix ends within an octet, or
// a nibble for IPv6, it is that of the larger subnet that ends at one.
func ReverseOrigin(p netip.Prefix) msg.Name {
	p = p.Masked()
	labels := p.Bits() / 8
	if p.Addr().Is6() {
		labels = p.Bits() / 4
	}
	return msg.ReverseName(p.Addr()).Suffix(labels + 2)
}

// addReverse makes the reverse zones of what the zones have now.
func (s *Service) addReverse() error {
	var errs []error
	for _, p := range s.cfg.Reverse {
		origin := ReverseOrigin(p)
		if s.isConfigured(origin) {
			continue
		}
		z, err := s.reverseZone(origin)
		if err == nil && z != nil {
			if s.zones.Zone(origin) == nil {
				err = s.zones.Add(authority.ZoneConfig{Origin: origin}, z)
			} else {
				err = s.zones.Replace(z)
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("dns: the reverse zone of %v: %w", p, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Service) isConfigured(origin msg.Name) bool {
	for _, z := range s.cfg.Zones {
		if z.Origin.Equal(origin) {
			return true
		}
	}
	return false
}

// reverseZone returns a zone with a PTR record for every address of the zones' that is in it, or nil where it
// would be the one that there is.
func (s *Service) reverseZone(origin msg.Name) (*zone.Zone, error) {
	b := zone.NewBuilder(origin)
	var names []msg.Name
	var mname msg.Name
	seen := map[msg.RR]bool{}
	for _, c := range s.cfg.Zones {
		z := s.zones.Zone(c.Origin)
		if z == nil {
			continue // it is not fetched yet
		}
		if mname == "" {
			mname = z.SOA().MName
			if ns, ok := z.Get(z.Origin(), msg.TypeNS); ok {
				for _, rr := range ns.AppendRRs(nil) {
					names = append(names, rr.Target())
				}
			}
		}
		for rr := range z.All() {
			if rr.Type != msg.TypeA && rr.Type != msg.TypeAAAA || strings.HasPrefix(string(rr.Name), "\x01*") {
				continue
			}
			ptr := msg.PTR(msg.ReverseName(rr.Addr()), rr.TTL, rr.Name)
			if !ptr.Name.Under(origin) || seen[ptr] {
				continue
			}
			seen[ptr] = true
			if err := b.Add(ptr); err != nil {
				return nil, err
			}
		}
	}
	if mname == "" {
		mname = msg.MustName("localhost.")
	}
	if len(names) == 0 {
		names = []msg.Name{mname}
	}
	for _, n := range names {
		if err := b.Add(msg.NS(origin, reverseTTL, n)); err != nil {
			return nil, err
		}
	}
	rname, err := origin.Child("hostmaster")
	if err != nil {
		rname = msg.Root
	}
	soa := msg.SOA{MName: mname, RName: rname, Serial: s.reverseSerial(origin), Refresh: 3600, Retry: 600, Expire: 604800, Minimum: 300}
	if err := b.Add(msg.NewRR(origin, msg.TypeSOA, reverseTTL, soa.Data())); err != nil {
		return nil, err
	}
	return b.Zone()
}

// reverseSerial returns a serial number that is newer than that of the zone that there is.
func (s *Service) reverseSerial(origin msg.Name) uint32 {
	now := uint32(time.Now().Unix())
	if z := s.zones.Zone(origin); z != nil && !authority.Newer(now, z.Serial()) {
		return z.Serial() + 1
	}
	return now
}
