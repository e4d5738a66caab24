package cidr

import "net/netip"

// HostBits returns how many bits of the address are the host's, so that the prefix
// holds 2^HostBits addresses; -1 for an invalid prefix.
func HostBits(p netip.Prefix) int {
	if !p.IsValid() {
		return -1
	}
	return p.Addr().BitLen() - p.Bits()
}

// Network returns the prefix's first address, in which the host part is zero. Like all
// functions of the package that return an address, it returns the zero
// netip.Addr for an invalid prefix.
func Network(p netip.Prefix) netip.Addr { return p.Masked().Addr() }

// Last returns the prefix's last address, in which the host part is all ones.
func Last(p netip.Prefix) netip.Addr {
	return combine(p, func(_, network byte) byte { return 0xff &^ network }, Network(p))
}

// Host returns the host part of the prefix's own address, with the network part zero:
// 0.0.0.13 for 192.0.2.77/26.
func Host(p netip.Prefix) netip.Addr {
	return combine(p, func(addr, network byte) byte { return addr &^ network }, zero(p))
}

// Mask returns the prefix length written as an address: 255.255.255.192 for a /26.
func Mask(p netip.Prefix) netip.Addr {
	return combine(p, func(_, network byte) byte { return network }, zero(p))
}

// Wildcard returns the mask's complement: 0.0.0.63 for a /26.
func Wildcard(p netip.Prefix) netip.Addr {
	return combine(p, func(_, network byte) byte { return 0xff &^ network }, zero(p))
}

// IsPointToPoint reports whether the prefix is a link between two routers, where both
// addresses are hosts': a /31 (RFC 3021) or a /127 (RFC 6164).
func IsPointToPoint(p netip.Prefix) bool { return HostBits(p) == 1 }

// Broadcast returns the prefix's directed broadcast address (RFC 1122 §3.2.1.3(c)). IPv6
// has none, nor has an IPv4 prefix without room for one, a /31 (RFC 3021 §2.1) or /32.
func Broadcast(p netip.Prefix) (netip.Addr, bool) {
	if !p.Addr().Is4() || HostBits(p) < 2 {
		return netip.Addr{}, false
	}
	return Last(p), true
}

// IsBroadcast reports whether addr is the directed broadcast address of the prefix. The
// address with an all-zero host part is not: it was a broadcast in 4.2BSD, which a
// host need no longer honour, and routers take it for a host today.
func IsBroadcast(p netip.Prefix, addr netip.Addr) bool {
	if !addr.Is4() || !p.Addr().Is4() || HostBits(p) < 2 || !p.Contains(addr) {
		return false
	}
	a := addr.As4()
	host := ^uint32(0) >> p.Bits()
	return (uint32(a[0])<<24|uint32(a[1])<<16|uint32(a[2])<<8|uint32(a[3]))&host == host
}

// IsLimitedBroadcast reports whether addr is 255.255.255.255, everyone on this link and
// no further (RFC 919 §7, RFC 1122 §3.2.1.3(c)).
func IsLimitedBroadcast(addr netip.Addr) bool { return addr == limitedBroadcast }

var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// IsSubnetRouterAnycast reports whether addr is the prefix's subnet-router anycast
// address, all zero in its host part (RFC 4291 §2.6.1). A /127 and a /128 have none
// (RFC 6164 §6).
func IsSubnetRouterAnycast(p netip.Prefix, addr netip.Addr) bool {
	return addr.Is6() && p.Addr().Is6() && HostBits(p) >= 2 && addr.WithZone("") == Network(p)
}

// Usable returns the first and the last address that a host may have: all but the network
// and the broadcast address in IPv4, all but the subnet-router anycast address in
// IPv6. Of a /31 and a /127 both addresses are usable, of a /32 and a /128 the one.
func Usable(p netip.Prefix) (first, last netip.Addr) {
	first, last = Network(p), Last(p)
	if HostBits(p) < 2 {
		return first, last
	}
	first = first.Next()
	if _, ok := Broadcast(p); ok {
		last = last.Prev()
	}
	return first, last
}

// IsUsable reports whether a host on the prefix may have the address.
func IsUsable(p netip.Prefix, addr netip.Addr) bool {
	addr = addr.WithZone("")
	if !p.Contains(addr) {
		return false
	}
	first, last := Usable(p)
	return first.Compare(addr) <= 0 && addr.Compare(last) <= 0
}

// CommonPrefixLen returns how many leading bits the two addresses share. Addresses of
// different families share none.
func CommonPrefixLen(a, b netip.Addr) int {
	if !a.IsValid() || a.BitLen() != b.BitLen() {
		return 0
	}
	x, y := a.As16(), b.As16()
	n := 0
	for i := range x {
		if d := x[i] ^ y[i]; d != 0 {
			for ; d&0x80 == 0; d <<= 1 {
				n++
			}
			break
		}
		n += 8
	}
	return n - (128 - a.BitLen()) // an IPv4 address stands behind 96 bits that always agree
}

// zero returns the address of the prefix's family with no bit set.
func zero(p netip.Prefix) netip.Addr {
	switch {
	case !p.IsValid():
		return netip.Addr{}
	case p.Addr().Is4():
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// combine returns base with the bits set that f makes of each octet of the prefix's
// address and mask.
func combine(p netip.Prefix, f func(addr, network byte) byte, base netip.Addr) netip.Addr {
	if !p.IsValid() {
		return netip.Addr{}
	}
	addr, out := p.Addr().As16(), base.As16()
	head := 128 - p.Addr().BitLen()
	for i := head / 8; i < len(out); i++ {
		left := min(max(p.Bits()+head-8*i, 0), 8) // bits of the network part in this octet
		out[i] |= f(addr[i], ^byte(0xff>>left))
	}
	if p.Addr().Is4() {
		return netip.AddrFrom16(out).Unmap()
	}
	return netip.AddrFrom16(out)
}
