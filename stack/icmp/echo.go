package icmp

import (
	"net/netip"

	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// Echo is an echo request or reply.
type Echo struct {
	Reply   bool
	ID, Seq uint16
	// Data borrows the packet's buffer.
	Data []byte
}

// ParseEcho reads an echo message of either family from a packet that Verify let
// pass. ok is false where the packet is something else.
func ParseEcho(p *ip.Packet) (e Echo, ok bool) {
	if !isMessage(p) {
		return Echo{}, false
	}
	m := wire.ICMPv4(p.Payload)
	request, reply := echoTypes(p.Version)
	if t := m.Type(); t != request && t != reply || m.Code() != 0 {
		return Echo{}, false
	}
	return Echo{Reply: m.Type() == reply, ID: m.ID(), Seq: m.Seq(), Data: m.Body()}, true
}

func echoTypes(version uint8) (request, reply uint8) {
	if version == 4 {
		return wire.ICMPv4Echo, wire.ICMPv4EchoReply
	}
	return wire.ICMPv6Echo, wire.ICMPv6EchoReply
}

// PutEcho writes an echo request from src to dst to b, with its checksum, and returns
// its length, or 0 where b has no room for it. The addresses choose the family.
func PutEcho(b []byte, src, dst netip.Addr, id, seq uint16, data []byte) int {
	n := wire.ICMPHeader + len(data)
	if len(b) < n {
		return 0
	}
	copy(b[wire.ICMPHeader:], data)
	typ, _ := echoTypes(4)
	if !dst.Is4() {
		typ, _ = echoTypes(6)
	}
	wire.PutICMP(b, typ, 0, wire.EchoRest(id, seq))
	if dst.Is4() {
		wire.ICMPv4(b[:n]).UpdateChecksum()
	} else {
		wire.ICMPv6(b[:n]).UpdateChecksum(src, dst)
	}
	return n
}

// PutEchoReply writes the reply to the echo request p to b, with its checksum, and
// returns its length: 0 where p is no echo request or b has no room. The reply goes
// from src to p.Src; src is p.Dst unless that is a multicast address (RFC 1122
// §3.2.2.6, RFC 4443 §4.2). All data of the request come back. It allocates nothing.
func PutEchoReply(b []byte, src netip.Addr, p *ip.Packet) int {
	e, ok := ParseEcho(p)
	if !ok || e.Reply || len(b) < len(p.Payload) {
		return 0
	}
	n := copy(b, p.Payload)
	_, typ := echoTypes(p.Version)
	b[0] = typ
	if p.Version == 4 {
		wire.ICMPv4(b[:n]).UpdateChecksum()
	} else {
		wire.ICMPv6(b[:n]).UpdateChecksum(src, p.Src)
	}
	return n
}

// EchoReply turns the echo request p, which is for this stack and by unicast, into its
// reply where it lies, in p.Frame: the addresses are exchanged, the hop limit is
// set, an IPv4 packet gets the identification id, and the checksums are mended
// incrementally. It allocates nothing and costs the same for any size.
// p's own fields but Frame are void afterwards.
//
// It reports false, and touches nothing, where p is no echo request, has IPv4 options
// or IPv6 extension headers (their reply is for PutEchoReply, which leaves them
// out), or went to a multicast or broadcast address.
func EchoReply(p *ip.Packet, hopLimit uint8, id uint16) bool {
	e, ok := ParseEcho(p)
	if !ok || e.Reply || p.NoError || p.Dst.IsMulticast() {
		return false
	}
	b := p.Frame.Packet()
	_, reply := echoTypes(p.Version)
	if p.Version == 4 {
		if len(p.Header) != wire.IPv4MinHeader || p.Dst == broadcast {
			return false
		}
		h := wire.IPv4(b)
		h.SetSrc(p.Dst)
		h.SetDst(p.Src)
		h.SetID(id)
		h.SetFragment(0, false, p.DontFragment)
		h[8] = hopLimit
		h.UpdateChecksum()
	} else {
		if len(p.Header) != wire.IPv6Header {
			return false
		}
		h := wire.IPv6(b)
		b[1], b[2], b[3] = b[1]&0xf0, 0, 0 // the flow label is the requester's own (RFC 6437 §3)
		h.SetSrc(p.Dst)
		h.SetDst(p.Src)
		h.SetHopLimit(hopLimit)
	}
	setType(p, reply)
	return true
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// setType changes the type of the message in p.Payload. The pseudo-header's sum does
// not change when the addresses change places. A checksum that the sender left to
// be finished is computed.
func setType(p *ip.Packet, typ uint8) {
	m := wire.ICMPv4(p.Payload)
	old := uint16(m.Type())<<8 | uint16(m.Code())
	m.SetType(typ)
	switch {
	case p.Frame.Checksum != link.ChecksumPartial:
		m.SetChecksum(wire.UpdateChecksum16(m.Checksum(), old, uint16(typ)<<8|uint16(m.Code())))
	case p.Version == 4:
		m.UpdateChecksum()
	default:
		wire.ICMPv6(m).UpdateChecksum(p.Src, p.Dst)
	}
	p.Frame.Offload = link.Offload{}
}
