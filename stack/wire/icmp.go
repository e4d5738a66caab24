package wire

import (
	"encoding/binary"
	"net/netip"
)

// ICMPHeader is the length of an ICMP header, in octets: four that all messages share
// and four ("the rest") whose meaning hangs on the type.
const ICMPHeader = 8

// ICMPv4 is a view of an ICMP message (RFC 792). Got from ParseICMPv4, no accessor
// panics.
type ICMPv4 []byte

// ParseICMPv4 returns the view of the message b. Error: ErrTruncated.
func ParseICMPv4(b []byte) (ICMPv4, error) {
	if len(b) < ICMPHeader {
		return nil, ErrTruncated
	}
	return ICMPv4(b), nil
}

// Type returns the message's type.
func (h ICMPv4) Type() uint8 { return h[0] }

// Code returns the message's code.
func (h ICMPv4) Code() uint8 { return h[1] }

// Checksum returns the checksum field.
func (h ICMPv4) Checksum() uint16 { return binary.BigEndian.Uint16(h[2:]) }

// Rest returns the second word of the header.
func (h ICMPv4) Rest() uint32 { return binary.BigEndian.Uint32(h[4:]) }

// ID returns the identifier of an echo message.
func (h ICMPv4) ID() uint16 { return binary.BigEndian.Uint16(h[4:]) }

// Seq returns the sequence number of an echo message.
func (h ICMPv4) Seq() uint16 { return binary.BigEndian.Uint16(h[6:]) }

// MTU returns the next-hop MTU of a Fragmentation Needed message, in octets; zero
// from a router older than RFC 1191 §4.
func (h ICMPv4) MTU() int { return int(binary.BigEndian.Uint16(h[6:])) }

// Pointer returns the offset of the bad octet that a Parameter Problem reports.
func (h ICMPv4) Pointer() int { return int(h[4]) }

// QuoteLen returns how long the quoted packet is, in octets, where extensions follow
// it (RFC 4884 §4.1); zero where the quotation runs to the end of the message.
func (h ICMPv4) QuoteLen() int { return int(h[5]) * 4 }

// Gateway returns the router that a Redirect names.
func (h ICMPv4) Gateway() netip.Addr { return netip.AddrFrom4([4]byte(h[4:8])) }

// Body returns what follows the header: an error's quoted packet, an echo's data.
func (h ICMPv4) Body() []byte { return h[ICMPHeader:] }

// IsError reports whether the message is an error, about which no error may be sent
// (RFC 1122 §3.2.2).
func (h ICMPv4) IsError() bool {
	switch h.Type() {
	case ICMPv4Unreachable, ICMPv4SourceQuench, ICMPv4Redirect, ICMPv4TimeExceeded, ICMPv4ParameterProblem:
		return true
	}
	return false
}

// ChecksumOK reports whether the checksum is right.
func (h ICMPv4) ChecksumOK() bool { return Sum(h, 0) == 0xffff }

// UpdateChecksum computes the message's checksum, header and body.
func (h ICMPv4) UpdateChecksum() {
	h.SetChecksum(0)
	h.SetChecksum(^Sum(h, 0))
}

// SetType sets the type. No setter touches the checksum.
func (h ICMPv4) SetType(t uint8) { h[0] = t }

// SetCode sets the code.
func (h ICMPv4) SetCode(c uint8) { h[1] = c }

// SetChecksum sets the checksum field.
func (h ICMPv4) SetChecksum(sum uint16) { binary.BigEndian.PutUint16(h[2:], sum) }

// SetRest sets the second word of the header.
func (h ICMPv4) SetRest(v uint32) { binary.BigEndian.PutUint32(h[4:], v) }

// ICMPv6 is a view of an ICMPv6 message (RFC 4443 §2.1). Got from ParseICMPv6, no
// accessor panics.
type ICMPv6 []byte

// ParseICMPv6 returns the view of the message b. Error: ErrTruncated.
func ParseICMPv6(b []byte) (ICMPv6, error) {
	if len(b) < ICMPHeader {
		return nil, ErrTruncated
	}
	return ICMPv6(b), nil
}

// Type returns the message's type.
func (h ICMPv6) Type() uint8 { return h[0] }

// Code returns the message's code.
func (h ICMPv6) Code() uint8 { return h[1] }

// Checksum returns the checksum field.
func (h ICMPv6) Checksum() uint16 { return binary.BigEndian.Uint16(h[2:]) }

// Rest returns the second word of the header.
func (h ICMPv6) Rest() uint32 { return binary.BigEndian.Uint32(h[4:]) }

// ID returns the identifier of an echo message.
func (h ICMPv6) ID() uint16 { return binary.BigEndian.Uint16(h[4:]) }

// Seq returns the sequence number of an echo message.
func (h ICMPv6) Seq() uint16 { return binary.BigEndian.Uint16(h[6:]) }

// MTU returns the MTU of a Packet Too Big message, in octets, bounded to what an int
// of 32 bits holds.
func (h ICMPv6) MTU() int { return int(min(h.Rest(), 1<<31-1)) }

// Pointer returns the offset of the bad octet that a Parameter Problem reports,
// bounded to what an int of 32 bits holds; it may lie beyond the quotation.
func (h ICMPv6) Pointer() int { return int(min(h.Rest(), 1<<31-1)) }

// QuoteLen returns how long the quoted packet is, in octets, where extensions follow
// it (RFC 4884 §4.3); zero where the quotation runs to the end of the message.
func (h ICMPv6) QuoteLen() int { return int(h[4]) * 8 }

// Body returns what follows the header: an error's quoted packet, an echo's data.
func (h ICMPv6) Body() []byte { return h[ICMPHeader:] }

// IsError reports whether the message is an error: a type below 128 (RFC 4443 §2.1).
func (h ICMPv6) IsError() bool { return h.Type() < 128 }

// ChecksumOK reports whether the checksum is right for a message between these
// addresses (RFC 4443 §2.3).
func (h ICMPv6) ChecksumOK(src, dst netip.Addr) bool {
	return Sum(h, PseudoHeaderSum(ProtoICMPv6, src, dst, len(h))) == 0xffff
}

// UpdateChecksum computes the message's checksum, header and body.
func (h ICMPv6) UpdateChecksum(src, dst netip.Addr) {
	h.SetChecksum(0)
	h.SetChecksum(^Sum(h, PseudoHeaderSum(ProtoICMPv6, src, dst, len(h))))
}

// SetType sets the type. No setter touches the checksum.
func (h ICMPv6) SetType(t uint8) { h[0] = t }

// SetCode sets the code.
func (h ICMPv6) SetCode(c uint8) { h[1] = c }

// SetChecksum sets the checksum field.
func (h ICMPv6) SetChecksum(sum uint16) { binary.BigEndian.PutUint16(h[2:], sum) }

// SetRest sets the second word of the header.
func (h ICMPv6) SetRest(v uint32) { binary.BigEndian.PutUint32(h[4:], v) }

// PutICMP writes an ICMP header of either family at the front of b, with the checksum
// field zero, and returns its length, 8. It panics when b is shorter than that.
func PutICMP(b []byte, typ, code uint8, rest uint32) int {
	h := b[:ICMPHeader]
	h[0], h[1], h[2], h[3] = typ, code, 0, 0
	binary.BigEndian.PutUint32(h[4:], rest)
	return ICMPHeader
}

// EchoRest returns the second word of an echo message's header.
func EchoRest(id, seq uint16) uint32 { return uint32(id)<<16 | uint32(seq) }
