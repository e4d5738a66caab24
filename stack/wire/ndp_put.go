package wire

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// PutNeighborSolicit writes a Neighbor Solicitation for the target at the front of b,
// without options and with the checksum field zero, and returns its length, 24. It
// panics when b is shorter. Options follow it: see PutLinkAddr.
func PutNeighborSolicit(b []byte, target netip.Addr) int {
	PutICMP(b, ICMPv6NeighborSolicit, 0, 0)
	put16(b[8:24], target)
	return NeighborSolicitLen
}

// NeighborAdvertFields is what PutNeighborAdvert writes.
type NeighborAdvertFields struct {
	Router, Solicited, Override bool
	Target                      netip.Addr
}

// PutNeighborAdvert writes a Neighbor Advertisement at the front of b, without options
// and with the checksum field zero, and returns its length, 24. It panics when b is
// shorter.
func PutNeighborAdvert(b []byte, f *NeighborAdvertFields) int {
	PutICMP(b, ICMPv6NeighborAdvert, 0, 0)
	b[4] = bit(f.Router, 0x80) | bit(f.Solicited, 0x40) | bit(f.Override, 0x20)
	put16(b[8:24], f.Target)
	return NeighborAdvertLen
}

func bit(set bool, v uint8) uint8 {
	if set {
		return v
	}
	return 0
}

// PutRouterSolicit writes a Router Solicitation at the front of b, without options and
// with the checksum field zero, and returns its length, 8. It panics when b is shorter.
func PutRouterSolicit(b []byte) int { return PutICMP(b, ICMPv6RouterSolicit, 0, 0) }

// RouterAdvertFields is what PutRouterAdvert writes. Durations are cut to what their
// fields hold: Lifetime to whole seconds, the others to whole milliseconds.
type RouterAdvertFields struct {
	HopLimit             uint8
	Managed, OtherConfig bool
	Lifetime             time.Duration
	ReachableTime        time.Duration
	RetransTimer         time.Duration
}

// PutRouterAdvert writes a Router Advertisement at the front of b, without options and
// with the checksum field zero, and returns its length, 16. It panics when b is shorter.
func PutRouterAdvert(b []byte, f *RouterAdvertFields) int {
	b = b[:RouterAdvertLen]
	PutICMP(b, ICMPv6RouterAdvert, 0, 0)
	b[4] = f.HopLimit
	b[5] = bit(f.Managed, 0x80) | bit(f.OtherConfig, 0x40)
	binary.BigEndian.PutUint16(b[6:], uint16(units(f.Lifetime, time.Second, 0xffff)))
	binary.BigEndian.PutUint32(b[8:], units(f.ReachableTime, time.Millisecond, 0xffffffff))
	binary.BigEndian.PutUint32(b[12:], units(f.RetransTimer, time.Millisecond, 0xffffffff))
	return RouterAdvertLen
}

// units returns d in units, between 0 and limit.
func units(d, unit time.Duration, limit int64) uint32 {
	return uint32(max(0, min(int64(d/unit), limit)))
}

// PutLinkAddr writes a source (NDPOptionSourceLinkAddr) or target
// (NDPOptionTargetLinkAddr) link-layer address option and returns its length, 8. It
// panics when b is shorter.
func PutLinkAddr(b []byte, kind uint8, m MAC) int {
	b = b[:8]
	b[0], b[1] = kind, 1
	copy(b[2:], m[:])
	return 8
}

// PutNDPMTU writes an MTU option and returns its length, 8. It panics when b is shorter.
func PutNDPMTU(b []byte, mtu int) int {
	b = b[:8]
	b[0], b[1], b[2], b[3] = NDPOptionMTU, 1, 0, 0
	binary.BigEndian.PutUint32(b[4:], uint32(mtu))
	return 8
}

// PutPrefixInfo writes a Prefix Information option and returns its length, 32. It panics
// when b is shorter.
func PutPrefixInfo(b []byte, p *PrefixInfo) int {
	b = b[:32]
	clear(b)
	b[0], b[1] = NDPOptionPrefix, 4
	b[2] = uint8(max(0, p.Prefix.Bits()))
	b[3] = bit(p.OnLink, 0x80) | bit(p.Autonomous, 0x40)
	binary.BigEndian.PutUint32(b[4:], units(p.ValidLifetime, time.Second, 0xffffffff))
	binary.BigEndian.PutUint32(b[8:], units(p.PreferredLifetime, time.Second, 0xffffffff))
	put16(b[16:32], p.Prefix.Addr())
	return 32
}
