package ip

import (
	"net/netip"

	"github.com/weirnet/weir/stack/wire"
)

// martian4 refuses the addresses that no IPv4 packet on a wire may carry
// (RFC 1122 §3.2.1.3). Class E passes as it does with Linux; a router refuses
// it (see PrepareForward). Directed broadcast needs the interface's prefixes: it is
// for the driver to look at.
func (p *Packet) martian4(src, dst [4]byte) Drop {
	broadcast := [4]byte{255, 255, 255, 255}
	switch {
	case src[0]>>4 == 14 || src == broadcast: // "MUST NOT be used as source address"
		return DropMartianSource
	case src[0] == 127 && !p.Loopback: // (g): "MUST NOT appear outside a host"
		return DropMartianSource
	case src[0] == 0:
		// (a), (b): this host, this network; only while a host learns its address
		// (DHCP), or has none and speaks IGMP (RFC 3376 §4.2.13).
		if src != ([4]byte{}) || dst != broadcast && dst[0]>>4 != 14 {
			return DropMartianSource
		}
	}
	if dst[0] == 0 || dst[0] == 127 && !p.Loopback {
		return DropMartianDestination
	}
	return DropNone
}

// martian6 refuses the addresses that no IPv6 packet on a wire may carry: multicast
// sources (RFC 4291 §2.7), the unspecified address (§2.5.2) where it is not
// neighbour discovery or MLD that comes from it, loopback (§2.5.3), IPv4-mapped (RFC 4942
// §2.2), and multicast that may not leave an interface (RFC 4291 §2.7 with erratum 3480).
func (p *Packet) martian6() Drop {
	src, dst := p.Src, p.Dst
	switch {
	case src.IsMulticast(), src.Is4In6():
		return DropMartianSource
	case src.IsUnspecified() && p.Protocol != wire.ProtoICMPv6 && !dst.IsMulticast():
		return DropMartianSource
	case src.IsLoopback() && !p.Loopback:
		return DropMartianSource
	case dst.IsUnspecified(), dst.Is4In6():
		return DropMartianDestination
	case dst.IsLoopback() && !p.Loopback:
		return DropMartianDestination
	}
	if dst.IsMulticast() && !p.Loopback {
		if scope := p.Header[25] & 15; scope <= 1 {
			return DropMartianDestination
		}
	}
	return DropNone
}

// Broadcast returns the directed broadcast address of an IPv4 prefix: the address with
// the prefix's network and all ones after it. IPv6 has none, nor has a prefix
// of 31 or 32 bits (RFC 3021 §2.1).
func Broadcast(prefix netip.Prefix) (netip.Addr, bool) {
	if !prefix.Addr().Is4() || prefix.Bits() < 0 || prefix.Bits() > 30 {
		return netip.Addr{}, false
	}
	b := prefix.Addr().As4()
	for i := prefix.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b), true
}
