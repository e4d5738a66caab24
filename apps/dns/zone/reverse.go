package zone

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/weirnet/weir/apps/dns/msg"
)

// ReverseOptions says what reverse zones are made with. The zero value takes all of it from the zones that the names
// are from.
type ReverseOptions struct {
	TTL    uint32     // of all records; 3600
	Serial uint32     // the sum of the zones' serial numbers, which grows when one of them does
	MName  msg.Name   // the server in the SOA record; that of the first zone's
	RName  msg.Name   // and the mailbox
	NS     []msg.Name // the first zone's
	// Parent makes for IPv4 prefixes longer than /24 the zone above as well, with the CNAME records that lead to
	// theirs (RFC 2317 §4): where no provider has it, they alone could not be found.
	Parent bool
}

// Reverse makes the zones that answer for the addresses of the subnets: with a PTR record for every A and AAAA record
// of the zones, but for those of wildcards and of what is delegated. An IPv4 subnet has one zone below in-addr.arpa, or several
// where it ends within an octet (RFC 1035 §3.5); one longer than /24 is named as RFC 2317 does, 64/26.2.0.192.in-addr.arpa.
// An IPv6 subnet has one below ip6.arpa, or several where it ends within a nibble (RFC 3596 §2.5).
func Reverse(zones []*Zone, subnets []netip.Prefix, o ReverseOptions) ([]*Zone, error) {
	if err := o.complete(zones); err != nil {
		return nil, err
	}
	var areas []area
	for _, p := range subnets {
		areas = append(areas, split(p.Masked(), o.Parent)...)
	}
	// The narrowest first: an address goes into that one.
	slices.SortStableFunc(areas, func(a, b area) int { return cmp.Compare(b.prefix.Bits(), a.prefix.Bits()) })
	areas = merge(areas)
	for i := range areas {
		if err := areas[i].begin(&o); err != nil {
			return nil, err
		}
	}
	for _, z := range zones {
		var err error
		z.hosts(func(name msg.Name, addr netip.Addr) bool {
			i := slices.IndexFunc(areas, func(a area) bool { return !a.parent && a.prefix.Contains(addr) })
			if i >= 0 {
				err = areas[i].b.Add(msg.PTR(areas[i].owner(addr), o.TTL, name))
			}
			return err == nil
		})
		if err != nil {
			return nil, err
		}
	}
	var made []*Zone
	for i := range areas {
		z, err := areas[i].b.Zone()
		if err != nil {
			return nil, err
		}
		made = append(made, z)
	}
	return made, nil
}

// complete fills what the options leave to the zones.
func (o *ReverseOptions) complete(zones []*Zone) error {
	if o.TTL == 0 {
		o.TTL = 3600
	}
	if o.Serial == 0 {
		for _, z := range zones {
			o.Serial += z.Serial()
		}
	}
	if len(zones) > 0 {
		first := zones[0]
		if o.MName == "" {
			o.MName = first.SOA().MName
		}
		if o.RName == "" {
			o.RName = first.SOA().RName
		}
		if ns, ok := first.Get(first.Origin(), msg.TypeNS); ok && len(o.NS) == 0 {
			for d := range ns.Data() {
				o.NS = append(o.NS, msg.Name(d))
			}
		}
	}
	if o.MName == "" || len(o.NS) == 0 {
		return fmt.Errorf("reverse zones need the name of a server: there is no zone to take it from, and none is given")
	}
	if o.RName == "" {
		o.RName = o.MName
	}
	return nil
}

// hosts calls f with every address that the zone is the authority for.
func (z *Zone) hosts(f func(msg.Name, netip.Addr) bool) {
	top := ""
	z.names.each(func(n node) bool {
		if top != "" && below(n.key, top) {
			return true
		}
		if top = ""; n.flags&flagCut != 0 {
			top = n.key
			return true
		}
		name, more := n.name(z.origin), true
		if name.IsWildcard() {
			return true
		}
		for _, t := range [2]msg.Type{msg.TypeA, msg.TypeAAAA} {
			s, _ := n.set(t)
			for d := range s.Data() {
				addr, ok := netip.AddrFromSlice([]byte(d))
				if more = !ok || f(name, addr); !more {
					return false
				}
			}
		}
		return true
	})
}

// area is one reverse zone in the making.
type area struct {
	prefix   netip.Prefix
	name     string
	parent   bool     // has CNAME records only, that lead to the zones of longer prefixes
	children []string // their names
	b        *Builder
}

// merge makes one of areas of the same name.
func merge(areas []area) (merged []area) {
	for _, a := range areas {
		i := slices.IndexFunc(merged, func(m area) bool { return m.name == a.name })
		if i < 0 {
			merged = append(merged, a)
			continue
		}
		merged[i].parent = merged[i].parent && a.parent
		merged[i].children = append(merged[i].children, a.children...)
	}
	return merged
}

// split returns the zones of a subnet.
func split(p netip.Prefix, parent bool) []area {
	unit := 8
	if p.Addr().Is6() {
		unit = 4
	}
	bits := p.Bits()
	if unit == 8 && bits > 24 && bits < 32 { // RFC 2317
		up := netip.PrefixFrom(p.Addr(), 24).Masked()
		a := area{prefix: p, name: fmt.Sprintf("%d/%d.%s", p.Addr().As4()[3], bits, arpa(up))}
		if !parent {
			return []area{a}
		}
		return []area{a, {prefix: up, name: arpa(up), parent: true, children: []string{a.name}}}
	}
	whole := max(unit, (bits+unit-1)/unit*unit)
	var areas []area
	for i := range 1 << (whole - bits) {
		b := p.Addr().AsSlice()
		// The bits between the subnet's end and the zone's are within one octet.
		b[(whole-1)/8] |= byte(i << ((8 - whole%8) % 8))
		addr, _ := netip.AddrFromSlice(b)
		sub := netip.PrefixFrom(addr, whole)
		areas = append(areas, area{prefix: sub, name: arpa(sub)})
	}
	return areas
}

// arpa returns the name of a prefix that ends on an octet or a nibble.
func arpa(p netip.Prefix) string {
	name, b := "", p.Addr().AsSlice()
	if p.Addr().Is4() {
		for _, c := range b[:p.Bits()/8] {
			name = strconv.Itoa(int(c)) + "." + name
		}
		return name + "in-addr.arpa."
	}
	for i := range p.Bits() / 4 {
		nibble := b[i/2] >> 4
		if i%2 == 1 {
			nibble = b[i/2] & 15
		}
		name = strconv.FormatUint(uint64(nibble), 16) + "." + name
	}
	return name + "ip6.arpa."
}

// begin starts a zone with its SOA and NS records.
func (a *area) begin(o *ReverseOptions) error {
	origin, err := msg.ParseName(a.name)
	if err != nil {
		return err
	}
	a.b = NewBuilder(origin)
	soa := msg.SOA{MName: o.MName, RName: o.RName, Serial: o.Serial, Refresh: 7200, Retry: 1800, Expire: 1209600, Minimum: min(o.TTL, 900)}
	err = a.b.Add(msg.NewRR(origin, msg.TypeSOA, o.TTL, soa.Data()))
	for _, ns := range o.NS {
		if err == nil {
			err = a.b.Add(msg.NS(origin, o.TTL, ns))
		}
	}
	for _, child := range a.children {
		if err == nil {
			err = a.lead(msg.MustName(child), o.TTL)
		}
	}
	return err
}

// lead adds the CNAME records of RFC 2317 §4 for the addresses of a child.
func (a *area) lead(child msg.Name, ttl uint32) error {
	first, bits := 0, 0
	if _, err := fmt.Sscanf(child.First(), "%d/%d", &first, &bits); err != nil {
		return err
	}
	for i := first; i < first+1<<(32-bits); i++ {
		from, err := a.b.origin.Child(strconv.Itoa(i))
		if err != nil {
			return err
		}
		if err := a.b.Add(msg.CNAME(from, ttl, msg.MustName(strconv.Itoa(i)+"."+child.String()))); err != nil {
			return err
		}
	}
	return nil
}

// owner returns the name of an address in the zone.
func (a *area) owner(addr netip.Addr) msg.Name {
	if addr.Is4() && a.prefix.Bits() > 24 && a.prefix.Bits() < 32 {
		n, _ := a.b.origin.Child(strconv.Itoa(int(addr.As4()[3])))
		return n
	}
	return msg.MustName(arpa(netip.PrefixFrom(addr, addr.BitLen())))
}
