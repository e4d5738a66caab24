package route

import (
	"net/netip"

	"github.com/weirnet/weir/stack/route/cidr"
)

// Each rule is positive where it prefers a, negative where it prefers b, and zero where
// it does not tell them apart.

// prefer is the answer of a rule that wants a property.
func prefer(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// rule1SameAddress: "If SA = D, then prefer SA. Similarly, if SB = D, then prefer SB."
func (s *Source) rule1SameAddress(a, b *Candidate) int {
	return prefer(a.Prefix.Addr() == s.Dst, b.Prefix.Addr() == s.Dst)
}

// rule2AppropriateScope: "If Scope(SA) < Scope(SB): If Scope(SA) < Scope(D), then prefer
// SB and otherwise prefer SA." And the other way round.
func (s *Source) rule2AppropriateScope(a, b *Candidate) int {
	sa, sb, d := cidr.ScopeOf(a.Prefix.Addr()), cidr.ScopeOf(b.Prefix.Addr()), cidr.ScopeOf(s.Dst)
	switch {
	case sa == sb:
		return 0
	case sa < sb:
		return prefer(sa >= d, sa < d)
	}
	return prefer(sb < d, sb >= d)
}

// rule3AvoidDeprecated: "If one of the two source addresses is "preferred" and one of them
// is "deprecated" (in the [RFC4862] sense), then prefer the one that is "preferred"."
func (s *Source) rule3AvoidDeprecated(a, b *Candidate) int {
	return prefer(!a.Deprecated, !b.Deprecated)
}

// rule5OutgoingInterface: prefer the address that is assigned to the interface that the
// packet leaves by.
func (s *Source) rule5OutgoingInterface(a, b *Candidate) int {
	if s.Interface == 0 {
		return 0
	}
	return prefer(a.Interface == s.Interface, b.Interface == s.Interface)
}

// rule55NextHopPrefix, rule 5.5: prefer the address whose prefix the chosen next hop
// advertised, for that router's provider is sure to let it pass.
func (s *Source) rule55NextHopPrefix(a, b *Candidate) int {
	if !s.NextHop.IsValid() {
		return 0
	}
	return prefer(a.Router == s.NextHop, b.Router == s.NextHop)
}

// rule6MatchingLabel: "If Label(SA) = Label(D) and Label(SB) <> Label(D), then prefer SA."
// And the other way round.
func (s *Source) rule6MatchingLabel(a, b *Candidate) int {
	d := s.Policy.label(s.Dst)
	return prefer(s.Policy.label(a.Prefix.Addr()) == d, s.Policy.label(b.Prefix.Addr()) == d)
}

// rule7TemporaryAddress: "If SA is a temporary address and SB is a public address, then
// prefer SA", unless the question says otherwise.
func (s *Source) rule7TemporaryAddress(a, b *Candidate) int {
	return prefer(a.Temporary != s.PreferPublic, b.Temporary != s.PreferPublic)
}

// rule8LongestPrefix: "If CommonPrefixLen(SA, D) > CommonPrefixLen(SB, D), then prefer SA."
// And the other way round.
func (s *Source) rule8LongestPrefix(a, b *Candidate) int {
	return s.common(a) - s.common(b)
}

// common is CommonPrefixLen(S, D): what the two have in common, up to the length of S's
// prefix (RFC 6724 §2.2).
func (s *Source) common(c *Candidate) int {
	return min(cidr.CommonPrefixLen(c.Prefix.Addr(), s.Dst), c.Prefix.Bits())
}

// longestSubnet prefers the address in whose subnet the other end is, and of two such
// subnets the smaller: a source for a neighbour is one that the neighbour can answer on
// the link (RFC 1122 §3.3.4.3). First it is asked about the destination,
// then about the router to it.
func longestSubnet(end netip.Addr, a, b *Candidate) int {
	return subnetBits(end, a) - subnetBits(end, b)
}

// subnetBits returns the length of the candidate's prefix where it holds the address, and
// -1 where it does not.
func subnetBits(end netip.Addr, c *Candidate) int {
	if !end.IsValid() || !c.Prefix.Contains(end) {
		return -1
	}
	return c.Prefix.Bits()
}
