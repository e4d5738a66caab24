package route

import (
	"net/netip"
	"slices"

	"github.com/weirnet/weir/stack/route/cidr"
)

// Destination is an address that a name has, and the way there.
type Destination struct {
	// Addr is the address to connect to.
	Addr netip.Addr
	// Source is the address that packets there would come from, with its prefix length, as
	// it was assigned. It is not valid where there is no route or no such address.
	Source netip.Prefix
	// Deprecated says that the source's preferred lifetime is over.
	Deprecated bool
}

// SortDestinations brings the addresses of one name into the order in which they are best
// tried (RFC 6724 §6). Those that the rules cannot tell apart keep their order, which is the name server's.
// A nil policy means that of §2.1.
func SortDestinations(list []Destination, policy Policy) {
	if policy == nil {
		policy = defaultPolicy
	}
	slices.SortStableFunc(list, func(a, b Destination) int { return -policy.compareDestinations(&a, &b) })
}

// compareDestinations asks the rules of RFC 6724 §6 in their order, until one tells; it is
// positive where it prefers a. Rule 4, home addresses, is for mobile nodes, and rule 7, native
// transport, for who knows of the tunnels on the way.
func (p Policy) compareDestinations(a, b *Destination) int {
	// Rule 1: avoid unusable destinations.
	if c := prefer(a.Source.IsValid(), b.Source.IsValid()); c != 0 || !a.Source.IsValid() {
		return c
	}
	// Rule 2: prefer matching scope.
	if c := prefer(a.scopeMatches(), b.scopeMatches()); c != 0 {
		return c
	}
	// Rule 3: avoid deprecated addresses.
	if c := prefer(!a.Deprecated, !b.Deprecated); c != 0 {
		return c
	}
	// Rule 5: prefer matching label.
	if c := prefer(p.labelMatches(a), p.labelMatches(b)); c != 0 {
		return c
	}
	// Rule 6: prefer higher precedence.
	if c := p.precedence(a.Addr) - p.precedence(b.Addr); c != 0 {
		return c
	}
	// Rule 8: prefer smaller scope.
	if c := int(cidr.ScopeOf(b.Addr)) - int(cidr.ScopeOf(a.Addr)); c != 0 {
		return c
	}
	// Rule 9: use longest matching prefix. For IPv6 alone: the first bits of IPv4
	// addresses say nothing about nearness, and comparing them undoes a server's round-robin.
	if a.Addr.Is6() && b.Addr.Is6() {
		return a.common() - b.common()
	}
	return 0
}

func (d *Destination) scopeMatches() bool {
	return cidr.ScopeOf(d.Addr) == cidr.ScopeOf(d.Source.Addr())
}

func (d *Destination) common() int {
	return min(cidr.CommonPrefixLen(d.Source.Addr(), d.Addr), d.Source.Bits())
}

func (p Policy) labelMatches(d *Destination) bool {
	return p.label(d.Addr) == p.label(d.Source.Addr())
}

func (p Policy) precedence(a netip.Addr) int {
	e, _ := p.Match(a)
	return e.Precedence
}
