package icmp

import (
	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// Verify reports whether the payload of p is an ICMP message, or ICMPv6 message, of
// p's family with a good checksum (RFC 792, RFC 4443 §2.3). It does not compute
// what the device vouches for.
func Verify(p *ip.Packet) bool {
	switch {
	case !isMessage(p):
		return false
	case p.Frame.Checksum != link.ChecksumInPacket:
		return true
	case p.Version == 4:
		return wire.ICMPv4(p.Payload).ChecksumOK()
	}
	return wire.ICMPv6(p.Payload).ChecksumOK(p.Src, p.Dst)
}

// isMessage reports whether the payload of p is to be read as ICMP of p's family, and is
// long enough for a header. A fragment's is not.
func isMessage(p *ip.Packet) bool {
	if p.Fragment || len(p.Payload) < wire.ICMPHeader {
		return false
	}
	if p.Version == 4 {
		return p.Protocol == wire.ProtoICMP
	}
	return p.Protocol == wire.ProtoICMPv6
}
