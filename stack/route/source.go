package route

import (
	"cmp"
	"net/netip"

	"github.com/weirnet/weir/stack/route/cidr"
)

// Candidate is an address that packets might come from.
type Candidate struct {
	// Prefix is the address with its prefix length, as it was assigned.
	Prefix netip.Prefix
	// Interface is the index of the interface that has the address.
	Interface int
	// Deprecated says that the preferred lifetime is over (RFC 4862 §5.5.4).
	Deprecated bool
	// Tentative says that the address is not known to be unique yet, so it cannot be
	// used at all (RFC 4862 §2).
	Tentative bool
	// Temporary says that the address changes with time, for privacy (RFC 8981).
	Temporary bool
	// Router is the router that advertised the prefix, where one did.
	Router netip.Addr
}

// Source is a question for a source address. Only Dst is needed; what is left zero is
// not known, and the rules that ask for it do not tell candidates apart.
type Source struct {
	// Dst is where the packet goes.
	Dst netip.Addr
	// Interface is the index of the interface that the packet leaves by; 0 is unknown.
	Interface int
	// NextHop is the router that the packet is handed to. Invalid where there is
	// none or it is not known.
	NextHop netip.Addr
	// PreferPublic turns rule 7 round, as RFC 6724 §5 asks that one may: addresses
	// that last are taken before temporary ones.
	PreferPublic bool
	// Policy is the policy table; nil means that of RFC 6724 §2.1.
	Policy Policy
}

// SelectSource returns the address that a packet to dst is best sent from, knowing nothing
// but the addresses there are; see Source.Select.
func SelectSource(dst netip.Addr, candidates []Candidate) netip.Addr {
	return Source{Dst: dst}.Select(candidates)
}

// Select returns the best of the candidates: for IPv6 by RFC 6724 §5, for IPv4 by those of
// its rules that apply and by RFC 1122 §3.3.4.3. Between equals the
// first wins. It returns the zero netip.Addr where no candidate can serve.
// It allocates nothing.
func (s Source) Select(candidates []Candidate) netip.Addr {
	s.Dst = s.Dst.Unmap().WithZone("")
	if s.Policy == nil {
		s.Policy = defaultPolicy
	}
	var best *Candidate
	for i := range candidates {
		c := &candidates[i]
		if !s.eligible(c) {
			continue
		}
		if best == nil || s.compare(c, best) > 0 {
			best = c
		}
	}
	if best == nil {
		return netip.Addr{}
	}
	return best.Prefix.Addr()
}

// eligible reports whether an address is in the candidate set (RFC 6724 §4): a unicast
// address of the destination's family, known to be unique, and of the outgoing
// interface where the destination does not leave the link or is multicast.
func (s *Source) eligible(c *Candidate) bool {
	a := c.Prefix.Addr()
	if !a.IsValid() || !s.Dst.IsValid() || a.Is4() != s.Dst.Is4() {
		return false
	}
	if c.Tentative || a.IsMulticast() || a.IsUnspecified() || cidr.IsLimitedBroadcast(a) {
		return false
	}
	if s.Interface == 0 || c.Interface == s.Interface {
		return true
	}
	// For multicast and link-local destinations the candidates MUST only be addresses of
	// interfaces on the same link as the outgoing interface. The loopback's leave by no other (RFC 4291 §2.5.3).
	return !a.IsLoopback() && !s.Dst.IsMulticast() && !s.Dst.IsLinkLocalUnicast() && !cidr.IsLimitedBroadcast(s.Dst)
}

// compare is positive where a is the better source, negative where b is, and zero where
// the rules cannot tell.
func (s *Source) compare(a, b *Candidate) int {
	if s.Dst.Is4() {
		return s.compare4(a, b)
	}
	return s.compare6(a, b)
}

// compare6 asks the rules of RFC 6724 §5; the first that tells counts. Rule 4, on home
// addresses, is for mobile nodes (RFC 6275), which weir is not.
func (s *Source) compare6(a, b *Candidate) int {
	return cmp.Or(
		s.rule1SameAddress(a, b),
		s.rule2AppropriateScope(a, b),
		s.rule3AvoidDeprecated(a, b),
		s.rule5OutgoingInterface(a, b),
		s.rule55NextHopPrefix(a, b),
		s.rule6MatchingLabel(a, b),
		s.rule7TemporaryAddress(a, b),
		s.rule8LongestPrefix(a, b),
	)
}

// compare4 is its twin for IPv4. What takes the place of rule 8 looks at the subnets that
// the addresses are in: the first bits of IPv4 addresses say nothing about
// nearness beyond those.
func (s *Source) compare4(a, b *Candidate) int {
	return cmp.Or(
		s.rule1SameAddress(a, b),
		s.rule2AppropriateScope(a, b),
		s.rule3AvoidDeprecated(a, b),
		s.rule5OutgoingInterface(a, b),
		longestSubnet(s.Dst, a, b),
		longestSubnet(s.NextHop, a, b),
	)
}
