package ip

import (
	"net/netip"

	"github.com/weirnet/weir/stack/link"
)

// Packet is what Parse learned of a received packet. It borrows the frame's buffer:
// it is good for as long as the frame is, and until the frame's packet is moved.
type Packet struct {
	// Frame is the frame that was parsed. Its End was moved to the end of the packet,
	// so that Frame.Packet() is the packet without the link's padding.
	Frame *link.Frame

	// Version is 4 or 6.
	Version uint8
	// Protocol is the upper-layer protocol, the next header of the last extension
	// header. Of an IPv6 fragment it is what the fragment header names, which may be
	// another extension header. Where Problem is set it is "no next header" (59).
	Protocol uint8
	// HopLimit is the IPv4 time to live or the IPv6 hop limit.
	HopLimit uint8
	// TOS is the IPv4 type of service or the IPv6 traffic class: DSCP and ECN.
	TOS uint8

	// Fragment says that the packet is a part of a datagram, for a Reassembler. An
	// atomic fragment is not: it is whole (RFC 6946).
	Fragment bool
	// MoreFragments and DontFragment are the flags of the header. IPv6 has no second.
	MoreFragments, DontFragment bool
	// Loopback says that the packet never was on a wire: see ParseLoopback.
	Loopback bool
	// NoError is for the driver to set: no ICMP error may be sent about the packet,
	// because it came by a link-layer broadcast, or to a directed broadcast address
	// that only the driver knows (RFC 1122 §3.2.2).
	NoError bool

	// FragID is the identification: 16 bits of IPv4, 32 of an IPv6 fragment header.
	FragID uint32
	// FragOffset is the fragment's place in the datagram, in octets.
	FragOffset int
	// ProtocolOffset is the offset, in Header, of the octet that names Protocol: what
	// an ICMPv6 parameter problem about an unknown protocol points to (RFC 8200 §4).
	ProtocolOffset int

	// Src and Dst are the addresses, with no zone.
	Src, Dst netip.Addr

	// Header is the IP header with IPv4's options or IPv6's extension headers. Of an
	// IPv6 fragment it ends with the fragment header.
	Header []byte
	// Payload is what follows: the transport header and data, or the fragment's octets.
	// Header and Payload lie end to end in the frame.
	Payload []byte

	// Problem says what is wrong with the options or extension headers. Parse drops a
	// packet only for what every node on the path must look at; the rest is for the
	// packet's destination, which asks by CheckLocal.
	Problem Problem

	// Of an IPv6 fragment: the offsets of the fragment header and of the octet that names it.
	fragHeader, fragNext int
}

// ProblemKind says what is due to the sender of a packet with a Problem.
type ProblemKind uint8

// The kinds of problem. A report is an ICMP parameter problem.
const (
	ProblemNone          ProblemKind = iota
	ProblemSilent                    // discard and say nothing
	ProblemReport                    // report, even where the destination was multicast (RFC 8200 §4.2, action 10)
	ProblemReportUnicast             // report unless the destination was multicast (action 11)
)

// Problem is what a parameter problem message has to say.
type Problem struct {
	Kind ProblemKind
	// Code is the code of the ICMPv6 message (RFC 4443 §3.4, RFC 7112 §5, RFC 8883 §2).
	Code uint8
	// Pointer is the offset from the packet's first octet to the octet at fault.
	Pointer uint32

	drop Drop
}

// Len returns the packet's length in octets, all headers included.
func (p *Packet) Len() int { return len(p.Header) + len(p.Payload) }

// CheckLocal returns the reason for which the packet's destination must not take it,
// with Problem saying what to tell the sender, or DropNone. The driver calls it
// once it knows that the packet is for this stack: a router has no business
// with the headers that it asks about (RFC 8200 §4).
func (p *Packet) CheckLocal() Drop {
	if p.Problem.Kind == ProblemNone {
		return DropNone
	}
	return p.Problem.drop
}

// problem notes the first problem of the packet.
func (p *Packet) problem(kind ProblemKind, code uint8, pointer int, drop Drop) {
	p.Problem = Problem{Kind: kind, Code: code, Pointer: uint32(pointer), drop: drop}
}
