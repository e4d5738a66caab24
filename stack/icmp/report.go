package icmp

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/wire"
)

// Report is what a received ICMP error says about a packet that was sent.
type Report struct {
	Kind    Kind
	Version uint8
	// Type and Code are the message's own.
	Type, Code uint8
	// From is who sent the error.
	From netip.Addr

	// Protocol, Src and Dst are of the quoted packet: Src is the address that it was
	// sent from, an address of this stack if the report is an honest one.
	Protocol uint8
	Src, Dst netip.Addr
	// SrcPort and DstPort are the quoted ports where the protocol has such in its first
	// four octets (TCP, UDP). Of a quoted echo request SrcPort is the identifier.
	SrcPort, DstPort uint16
	// Seq is the quoted TCP sequence number, or the sequence number of an echo request,
	// where HasSeq says so. It tells an honest report from a guess (RFC 5927 §4.1).
	Seq    uint32
	HasSeq bool

	// MTU is the next link's MTU from a FragmentationNeeded; 0 where an IPv4 router did
	// not say it (RFC 1191 §5).
	MTU int
	// Length is the length of the quoted packet when it was whole, by its own header.
	Length int
	// Pointer is that of a parameter problem.
	Pointer int
	// Quote is what is quoted of the packet from its transport header on. It borrows the
	// error's buffer.
	Quote []byte
}

// Errno returns the error that a socket gets for the report, and whether it is
// hard: see Kind.Errno.
func (r *Report) Errno() (err syscall.Errno, hard bool) { return r.Kind.Errno(r.Version) }

// ParseError reads an ICMP error from a packet that Verify let pass. It is false for
// anything else, for redirects and source quenches, and where the quote does not
// have what it takes to find whose packet it was: the IP header and eight octets of the
// transport header (RFC 792, RFC 1122 §3.2.2; RFC 4443 §2.4(d)). It says nothing of
// whether such a packet was ever sent.
func ParseError(p *ip.Packet) (Report, bool) {
	if !isMessage(p) {
		return Report{}, false
	}
	m := wire.ICMPv4(p.Payload)
	kind, ok := KindOf(p.Version, m.Type(), m.Code())
	if !ok {
		return Report{}, false
	}
	r := Report{Kind: kind, Version: p.Version, Type: m.Type(), Code: m.Code(), From: p.Src}
	if p.Version == 4 {
		r.header4(m)
		return r, r.quote4(m.Body())
	}
	r.header6(wire.ICMPv6(p.Payload))
	return r, r.quote6(m.Body())
}

func (r *Report) header4(m wire.ICMPv4) {
	switch {
	case r.Kind == FragmentationNeeded:
		r.MTU = m.MTU()
	case r.Type == wire.ICMPv4ParameterProblem:
		r.Pointer = m.Pointer()
	}
}

func (r *Report) header6(m wire.ICMPv6) {
	switch r.Type {
	case wire.ICMPv6PacketTooBig:
		r.MTU = m.MTU()
	case wire.ICMPv6ParameterProblem:
		r.Pointer = m.Pointer()
	}
}

// quote4 reads a quoted IPv4 packet.
func (r *Report) quote4(b []byte) bool {
	h, err := wire.ParseQuotedIPv4(b)
	if err != nil || h.FragmentOffset() != 0 {
		return false
	}
	r.Protocol, r.Src, r.Dst, r.Length = h.Protocol(), h.Src(), h.Dst(), h.TotalLen()
	return r.transport(h.Payload())
}

// quote6 reads a quoted IPv6 packet, extension headers and all.
func (r *Report) quote6(b []byte) bool {
	h, err := wire.ParseQuotedIPv6(b)
	if err != nil {
		return false
	}
	proto, off, ok := h.UpperLayer()
	if !ok {
		return false
	}
	r.Protocol, r.Src, r.Dst = proto, h.Src(), h.Dst()
	r.Length = wire.IPv6Header + h.PayloadLen()
	return r.transport(h[off:])
}

// transport reads the first octets of the quoted transport header.
func (r *Report) transport(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	r.Quote = b
	echo := false
	switch r.Protocol {
	case wire.ProtoTCP:
		r.Seq, r.HasSeq = binary.BigEndian.Uint32(b[4:]), true
	case wire.ProtoICMP:
		echo = r.Version == 4 && b[0] == wire.ICMPv4Echo
	case wire.ProtoICMPv6:
		echo = r.Version == 6 && b[0] == wire.ICMPv6Echo
	}
	switch {
	case echo:
		m := wire.ICMPv4(b)
		r.SrcPort, r.Seq, r.HasSeq = m.ID(), uint32(m.Seq()), true
	case r.Protocol != wire.ProtoICMP && r.Protocol != wire.ProtoICMPv6:
		r.SrcPort, r.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	}
	return true
}
