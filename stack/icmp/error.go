package icmp

import (
	"net/netip"

	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/wire"
)

const (
	// maxError4 is the most octets that an ICMP error takes, IP header included
	// (RFC 1812 §4.3.2.3: as much of the packet as possible within 576).
	maxError4 = 576
	// maxError6 is the same for ICMPv6: the minimum MTU (RFC 4443 §2.4(c)).
	maxError6 = wire.IPv6MinMTU
)

// MaxError is the length in octets of the longest message that PutError writes.
const MaxError = maxError6 - wire.IPv6Header

// MayError reports whether the packet may be answered by an error of the kind
// (RFC 1122 §3.2.2, RFC 1812 §4.3.2.7, RFC 4443 §2.4(e)). No error is sent about an error,
// about a packet that went to more than one host, about any but the first
// fragment, or to an address that is not one host's. The Limiter is to be asked too.
func MayError(p *ip.Packet, k Kind) bool {
	if p.Version == 4 {
		return mayError4(p)
	}
	return mayError6(p, k)
}

func mayError4(p *ip.Packet) bool {
	dst, src := p.Dst.As4(), p.Src.As4()
	switch {
	case p.NoError: // a link-layer broadcast, or a directed one
		return false
	case dst[0] >= 224: // multicast, broadcast, class E
		return false
	case p.FragOffset != 0:
		return false
	case src[0] == 0, src[0] >= 224, src[0] == 127 && !p.Loopback:
		return false
	}
	return p.Protocol != wire.ProtoICMP || len(p.Payload) > 0 && informational4(p.Payload[0])
}

// informational4 reports whether ICMP messages of the type are known not to be errors.
func informational4(typ uint8) bool {
	switch typ {
	case wire.ICMPv4EchoReply, wire.ICMPv4Echo, wire.ICMPv4RouterAdvert, wire.ICMPv4RouterSolicit,
		wire.ICMPv4Timestamp, wire.ICMPv4TimestampReply,
		15, 16, // information request and reply (RFC 792)
		17, 18: // address mask request and reply (RFC 950)
		return true
	}
	return false
}

func mayError6(p *ip.Packet, k Kind) bool {
	if p.NoError || p.Dst.IsMulticast() {
		// (e.3) to (e.5): the exceptions let path MTU discovery work for multicast and
		// report options that ask for it.
		if k != PacketTooBig && k != UnrecognizedOption {
			return false
		}
	}
	if p.Src.IsUnspecified() || p.Src.IsMulticast() || p.Src.IsLoopback() && !p.Loopback {
		return false // (e.6)
	}
	return !perhapsError6(p.Frame.Packet())
}

// perhapsError6 reports whether the packet holds an ICMPv6 error or a redirect, or
// may hold one ((e.1), (e.2)): a fragment other than the first does not show which
// message it is part of.
func perhapsError6(b []byte) bool {
	h, err := wire.ParseIPv6(b)
	if err != nil {
		return true
	}
	proto, off, ok := h.UpperLayer()
	if proto != wire.ProtoICMPv6 {
		return false
	}
	return !ok || off >= len(h) || h[off] < 128 || h[off] == wire.ICMPv6Redirect
}

// PutError writes an ICMP error of the kind about p to b, from the ICMP header on and
// with its checksum, and returns its length, at most MaxError. src is the address that
// the error goes out with: ICMPv6's checksum covers it. The error goes to
// p.Src. arg is the MTU of a FragmentationNeeded and the pointer of a parameter
// problem (see ForProblem), or of an IPv6 ProtocolUnreachable (p.ProtocolOffset).
//
// It returns 0 where the packet's family has no message for the kind or b has no room
// for an ICMP header; a b too short otherwise shortens the quote. It allocates nothing.
func PutError(b []byte, src netip.Addr, p *ip.Packet, k Kind, arg uint32) int {
	typ, code, ok := k.TypeCode(p.Version)
	if !ok || len(b) < wire.ICMPHeader {
		return 0
	}
	limit := maxError4 - wire.IPv4MinHeader
	if p.Version == 6 {
		limit = maxError6 - wire.IPv6Header
	}
	wire.PutICMP(b, typ, code, rest(p.Version, k, arg))
	n := min(len(b), limit)
	n = wire.ICMPHeader + copy(b[wire.ICMPHeader:n], p.Frame.Packet())
	if p.Version == 4 {
		wire.ICMPv4(b[:n]).UpdateChecksum()
	} else {
		wire.ICMPv6(b[:n]).UpdateChecksum(src, p.Src)
	}
	return n
}

// rest is the second word of an error's header.
func rest(version uint8, k Kind, arg uint32) uint32 {
	if k == FragmentationNeeded {
		if version == 4 {
			return min(arg, 0xffff) // RFC 1191 §4
		}
		return arg
	}
	typ, _, _ := k.TypeCode(version)
	switch {
	case version == 4 && typ == wire.ICMPv4ParameterProblem:
		return arg << 24
	case version == 6 && typ == wire.ICMPv6ParameterProblem:
		return arg
	}
	return 0
}
