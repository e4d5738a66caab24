package ip

import (
	"encoding/binary"

	"github.com/weirnet/weir/stack/wire"
)

// ForwardResult says whether a packet may be forwarded and, where not, which ICMP
// error its sender is due.
type ForwardResult uint8

// The results of PrepareForward.
const (
	ForwardOK        ForwardResult = iota
	ForwardHopLimit                // time exceeded in transit is due
	ForwardScope                   // IPv6: unreachable, beyond scope of source address, is due (RFC 4443 §3.1)
	ForwardLinkLocal               // link-local or unspecified address; nothing is due
	ForwardMulticast               // multicast or broadcast destination; nothing is due
	ForwardMartian                 // address that no router passes; nothing is due
)

// Drop returns the reason under which a packet that is not forwarded is counted.
func (r ForwardResult) Drop() Drop {
	switch r {
	case ForwardOK:
		return DropNone
	case ForwardHopLimit:
		return DropForwardHopLimit
	case ForwardScope, ForwardLinkLocal:
		return DropForwardScope
	case ForwardMulticast:
		return DropForwardMulticast
	}
	return DropForwardMartian
}

// MayForward decides whether a packet that is not for this stack may go on, and leaves it as it
// came, for an ICMP error to quote. Whether it fits its next link is asked by
// WireSize; then TakeHop makes it ready to go.
func MayForward(p *Packet) ForwardResult {
	r := forwardAddresses(p)
	if r == ForwardOK && p.HopLimit <= 1 { // RFC 1812 §5.3.1, RFC 8200 §3
		return ForwardHopLimit
	}
	return r
}

// TakeHop takes one from the TTL or hop limit of a packet that MayForward let pass, in the
// frame, mending IPv4's checksum incrementally (RFC 1624).
func TakeHop(p *Packet) {
	p.HopLimit--
	h := p.Header
	if p.Version == 6 {
		h[7] = p.HopLimit
		return
	}
	old := binary.BigEndian.Uint16(h[8:])
	h[8] = p.HopLimit
	sum := wire.UpdateChecksum16(binary.BigEndian.Uint16(h[10:]), old, binary.BigEndian.Uint16(h[8:]))
	binary.BigEndian.PutUint16(h[10:], sum)
}

// PrepareForward is MayForward and, where that lets the packet pass, TakeHop.
func PrepareForward(p *Packet) ForwardResult {
	r := MayForward(p)
	if r == ForwardOK {
		TakeHop(p)
	}
	return r
}

func forwardAddresses(p *Packet) ForwardResult {
	if p.Version == 4 {
		return forwardAddresses4([4]byte(p.Header[12:16]), [4]byte(p.Header[16:20]))
	}
	src, dst := p.Src, p.Dst
	switch {
	case p.Loopback && (src.IsLoopback() || dst.IsLoopback()): // RFC 4291 §2.5.3
		return ForwardMartian
	case dst.IsMulticast():
		return ForwardMulticast
	case src.IsUnspecified(), dst.IsLinkLocalUnicast(): // RFC 4291 §2.5.2, §2.5.6
		return ForwardLinkLocal
	case src.IsLinkLocalUnicast():
		return ForwardScope
	}
	return ForwardOK
}

// forwardAddresses4 is RFC 1812 §5.3.7 (martians), §5.3.4 and RFC 2644 (broadcast) and
// RFC 3927 §2.7 (link-local).
func forwardAddresses4(src, dst [4]byte) ForwardResult {
	switch {
	case dst[0]>>4 == 14, dst == [4]byte{255, 255, 255, 255}:
		return ForwardMulticast
	case src[0] == 0, src[0] == 127, src[0] >= 224, dst[0] == 0, dst[0] == 127, dst[0] >= 240:
		return ForwardMartian
	case src[0] == 169 && src[1] == 254, dst[0] == 169 && dst[1] == 254:
		return ForwardLinkLocal
	}
	return ForwardOK
}

// WireSize returns the length in octets of the largest packet that the packet
// makes on a wire: its own length, or, where it is a super-segment, that of its headers
// and one segment. It is what a router compares to the next link's MTU.
func (p *Packet) WireSize() int {
	size := int(p.Frame.SegmentSize)
	if size == 0 {
		return p.Len()
	}
	transport := 8
	if !p.Frame.UDP {
		if len(p.Payload) < 20 {
			return p.Len()
		}
		transport = int(p.Payload[12]>>4) * 4
	}
	return min(p.Len(), len(p.Header)+transport+size)
}
