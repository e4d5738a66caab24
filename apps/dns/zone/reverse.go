package zone

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/weirnet/weir/apps/dns/msg"
)

// ReverseOptions says what reverse zones are made with. The zero value takes all of it from the zones that the names
// are from.
type ReverseOptions struct {
	TTL    uint32     // of the SOA and NS records; 3600
	Serial uint32     // the sum of the zones' serial numbers, which grows when one of them does
	MName  msg.Name   // the server in the SOA record; that of the first zone's
	RName  msg.Name   // and the mailbox
	NS     []msg.Name // the first zone's
	// Classless has an IPv4 subnet longer than /24 be one zone, named as RFC 2317 has it, 64/26.2.0.192.in-addr.arpa: for whoever
	// has the zone above lead there by CNAME records. Without it there is a zone for each address of such a subnet.
	Classless bool
	// Before has the version before of a zone, nil where there is none: a zone that has not changed is that one, and one that
	// has gets a later serial number (RFC 1982). It may be nil.
	Before func(origin msg.Name) *Zone
}

// Reverse makes the zones that answer for the addresses of the subnets, and for no others: with a PTR record for every A and
// AAAA record of the zones, with its TTL, but for those of wildcards and of what is delegated. An IPv4 subnet has one zone
// below in-addr.arpa, or several where it ends within an octet (RFC 1035 §3.5); an IPv6 subnet has one below ip6.arpa, or several
// where it ends within a nibble (RFC 3596 §2.5). Of two subnets of which one has the other the addresses of the narrower are in its
// own zone.
func Reverse(zones []*Zone, subnets []netip.Prefix, o ReverseOptions) ([]*Zone, error) {
	if err := o.complete(zones); err != nil {
		return nil, err
	}
	areas, err := areasOf(subnets, &o)
	if err != nil {
		return nil, err
	}
	for _, z := range zones {
		z.hosts(func(name msg.Name, addr netip.Addr, ttl uint32) bool {
			if a := areas.of(addr); a != nil {
				err = a.b.Add(msg.PTR(a.owner(addr), ttl, name))
			}
			return err == nil
		})
		if err != nil {
			return nil, err
		}
	}
	var made []*Zone
	for _, a := range areas.list {
		z, err := a.b.Zone()
		if err != nil {
			return nil, err
		}
		if a.before != nil && sameButSerial(a.before, z) {
			z = a.before
		}
		made = append(made, z)
	}
	return made, nil
}

// sameButSerial reports whether two versions have the same records but for the serial number.
func sameButSerial(a, b *Zone) bool {
	soa := a.SOA()
	soa.Serial = b.Serial()
	d, ok := Compare(a, b, 2)
	return ok && len(d.Deleted) == 1 && len(d.Added) == 1 && soa == b.SOA() && a.soaSet.TTL == b.soaSet.TTL
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
func (z *Zone) hosts(f func(name msg.Name, addr netip.Addr, ttl uint32) bool) {
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
				if more = !ok || f(name, addr, s.TTL); !more {
					return false
				}
			}
		}
		return true
	})
}

// area is one reverse zone in the making.
type area struct {
	prefix netip.Prefix
	name   string
	before *Zone
	b      *Builder
}

// areas are those of all subnets.
type areas struct {
	list    []*area
	by      map[netip.Prefix]*area
	lengths [2][]int // of the prefixes of IPv4 and IPv6, the longest first
}

func areasOf(subnets []netip.Prefix, o *ReverseOptions) (*areas, error) {
	as := &areas{by: map[netip.Prefix]*area{}}
	for _, p := range subnets {
		if !p.IsValid() {
			return nil, fmt.Errorf("reverse zones: one of the subnets is none")
		}
		for _, a := range split(p.Masked(), o.Classless) {
			if as.by[a.prefix] != nil {
				continue
			}
			if err := a.begin(o); err != nil {
				return nil, err
			}
			as.by[a.prefix], as.list = &a, append(as.list, &a)
			if l := as.family(a.prefix.Addr()); !slices.Contains(*l, a.prefix.Bits()) {
				*l = append(*l, a.prefix.Bits())
				slices.SortFunc(*l, func(a, b int) int { return b - a })
			}
		}
	}
	return as, nil
}

func (as *areas) family(a netip.Addr) *[]int {
	if a.Is4() {
		return &as.lengths[0]
	}
	return &as.lengths[1]
}

// of returns the narrowest area that has an address, nil for none.
func (as *areas) of(addr netip.Addr) *area {
	for _, bits := range *as.family(addr) {
		if a := as.by[netip.PrefixFrom(addr, bits).Masked()]; a != nil {
			return a
		}
	}
	return nil
}

// split returns the zones of a subnet.
func split(p netip.Prefix, classless bool) []area {
	unit := 8
	if p.Addr().Is6() {
		unit = 4
	}
	bits := p.Bits()
	if classless && unit == 8 && bits > 24 && bits < 32 { // RFC 2317
		up := netip.PrefixFrom(p.Addr(), 24).Masked()
		return []area{{prefix: p, name: fmt.Sprintf("%d/%d.%s", p.Addr().As4()[3], bits, arpa(up))}}
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
	serial := o.Serial
	if o.Before != nil {
		a.before = o.Before(origin)
	}
	if a.before != nil && int32(serial-a.before.Serial()) <= 0 {
		serial = a.before.Serial() + 1
	}
	soa := msg.SOA{MName: o.MName, RName: o.RName, Serial: serial, Refresh: 7200, Retry: 1800, Expire: 1209600, Minimum: min(o.TTL, 900)}
	err = a.b.Add(msg.NewRR(origin, msg.TypeSOA, o.TTL, soa.Data()))
	for _, ns := range o.NS {
		if err == nil {
			err = a.b.Add(msg.NS(origin, o.TTL, ns))
		}
	}
	return err
}

// owner returns the name of an address in the zone.
func (a *area) owner(addr netip.Addr) msg.Name {
	if addr.Is4() && a.prefix.Bits() > 24 && a.prefix.Bits() < 32 {
		n, _ := a.b.origin.Child(strconv.Itoa(int(addr.As4()[3])))
		return n
	}
	return msg.MustName(arpa(netip.PrefixFrom(addr, addr.BitLen())))
}
