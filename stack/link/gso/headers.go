package gso

import (
	"errors"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

var (
	// ErrPacket says that a frame's packet is not what its metadata claims: not TCP or
	// UDP, a fragment, cut short, or otherwise malformed.
	ErrPacket = errors.New("gso: packet does not match its offload metadata")
	// ErrChecksum says that a super-segment's transport checksum is in the packet
	// and wrong.
	ErrChecksum = errors.New("gso: super-segment has a wrong checksum")
	// ErrScratch says that the scratch frame's buffer is too small for a segment.
	ErrScratch = errors.New("gso: scratch buffer is too small for a segment")
)

// headers is where the parts of a packet begin, in octets from its first.
type headers struct {
	ip4       bool
	proto     uint8
	transport int    // the TCP or UDP header
	payload   int    // what follows that
	end       int    // the IP packet's end; beyond it there may be link padding
	addresses uint16 // the sum of source and destination for the pseudo-header
}

// derive finds the headers of the super-segment f from the packet alone.
func derive(f *link.Frame) (h headers, err error) {
	p := f.Packet()
	if len(p) == 0 {
		return h, ErrPacket
	}
	ok := false
	switch p[0] >> 4 {
	case 4:
		ok = h.deriveIPv4(p)
	case 6:
		ok = h.deriveIPv6(p)
	}
	if !ok || !h.deriveTransport(p, f.UDP) {
		return h, ErrPacket
	}
	return h, nil
}

func (h *headers) deriveIPv4(p []byte) bool {
	ip, err := wire.ParseIPv4(p)
	if err != nil || ip.IsFragment() {
		return false
	}
	h.ip4, h.proto = true, ip.Protocol()
	h.transport, h.end = ip.HeaderLen(), ip.TotalLen()
	h.addresses = wire.Sum(p[12:20], 0)
	return true
}

// deriveIPv6 steps over extension headers. A Routing header with segments left is
// refused with all else that the walk objects to: the checksum's pseudo-header would
// hold an address that is not in the IPv6 header (RFC 8200 §8.1).
func (h *headers) deriveIPv6(p []byte) bool {
	ip, err := wire.ParseIPv6(p)
	if err != nil {
		return false
	}
	ext, err := ip.Extensions()
	if err != nil || ext.Fragment {
		return false
	}
	h.proto, h.transport = ext.Protocol, ext.Offset
	h.end = wire.IPv6Header + ip.PayloadLen()
	h.addresses = wire.Sum(p[8:40], 0)
	return true
}

func (h *headers) deriveTransport(p []byte, udp bool) bool {
	room := h.end - h.transport
	switch {
	case udp && h.proto == wire.ProtoUDP && room >= wire.UDPHeader:
		// The length field is not looked at: it counts the super-segment or, as
		// some senders have it, one segment.
		h.payload = h.transport + wire.UDPHeader
		return true
	case !udp && h.proto == wire.ProtoTCP && room >= wire.TCPMinHeader:
		offset := int(p[h.transport+12]>>4) * 4
		h.payload = h.transport + offset
		return offset >= wire.TCPMinHeader && offset <= room
	}
	return false
}

// pseudo returns the sum of the pseudo-header for a transport packet of n octets.
func (h *headers) pseudo(n int) uint16 {
	return wire.Combine(h.addresses, wire.Combine(uint16(h.proto), uint16(n)))
}

// checksumOffset is the place of the checksum field in the transport header.
func (h *headers) checksumOffset() int {
	if h.proto == wire.ProtoUDP {
		return wire.UDPChecksumOffset
	}
	return wire.TCPChecksumOffset
}

// unsummed reports whether the packet is a datagram that has no checksum and wants
// none: UDP over IPv4 with a field of zero (RFC 768).
func (h *headers) unsummed(f *link.Frame) bool {
	t := f.Packet()[h.transport:]
	return f.Checksum == link.ChecksumInPacket && h.ip4 &&
		h.proto == wire.ProtoUDP && t[wire.UDPChecksumOffset] == 0 && t[wire.UDPChecksumOffset+1] == 0
}

// verify reports whether a checksum that is in the packet is right.
func (h *headers) verify(f *link.Frame) bool {
	t := f.Packet()[h.transport:h.end]
	return wire.Sum(t, h.pseudo(len(t))) == 0xffff
}

// HeaderLen returns the length of the headers before the payload of a super-segment,
// derived from the packet, or 0 where they are malformed: what a sender that
// passes a received frame on puts into link.Offload.HeaderLen.
func HeaderLen(f *link.Frame) uint16 {
	h, err := derive(f)
	if err != nil {
		return 0
	}
	return uint16(h.payload)
}
