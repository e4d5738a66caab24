package route

import "net/netip"

// PolicyEntry is a row of the policy table (RFC 6724 §2.1). Precedence ranks destinations
// and is kept for whoever sorts those; Label ties sources to destinations.
type PolicyEntry struct {
	Prefix     netip.Prefix
	Precedence int
	Label      int
}

// Policy is a policy table. The longest prefix that holds an address counts.
type Policy []PolicyEntry

// defaultPolicy is the table of RFC 6724 §2.1.
var defaultPolicy = Policy{
	{netip.MustParsePrefix("::1/128"), 50, 0},
	{netip.MustParsePrefix("::/0"), 40, 1},
	{netip.MustParsePrefix("::ffff:0:0/96"), 35, 4},
	{netip.MustParsePrefix("2002::/16"), 30, 2},
	{netip.MustParsePrefix("2001::/32"), 5, 5},
	{netip.MustParsePrefix("fc00::/7"), 3, 13},
	{netip.MustParsePrefix("::/96"), 1, 3},
	{netip.MustParsePrefix("fec0::/10"), 1, 11},
	{netip.MustParsePrefix("3ffe::/16"), 1, 12},
}

// DefaultPolicy returns a copy of the default table of RFC 6724 §2.1.
func DefaultPolicy() Policy { return append(Policy(nil), defaultPolicy...) }

// Match returns the row that counts for the address, and false where no row holds it.
// IPv4 addresses are looked up as IPv4-mapped.
func (p Policy) Match(addr netip.Addr) (PolicyEntry, bool) {
	if !addr.IsValid() {
		return PolicyEntry{}, false
	}
	addr = netip.AddrFrom16(addr.As16())
	best := PolicyEntry{}
	for i := range p {
		if p[i].Prefix.Contains(addr) && (!best.Prefix.IsValid() || p[i].Prefix.Bits() > best.Prefix.Bits()) {
			best = p[i]
		}
	}
	return best, best.Prefix.IsValid()
}

// label returns the label of an address; -1, which no row has, where no row holds it.
func (p Policy) label(addr netip.Addr) int {
	if e, ok := p.Match(addr); ok {
		return e.Label
	}
	return -1
}
