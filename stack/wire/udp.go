package wire

import (
	"encoding/binary"
	"net/netip"
)

// UDPHeader is the length of a UDP header, in octets.
const UDPHeader = 8

// UDPChecksumOffset is the place of the checksum field in a UDP header.
const UDPChecksumOffset = 6

// UDP is a view of a UDP datagram (RFC 768), header and payload. Got from ParseUDP,
// no accessor panics.
type UDP []byte

// ParseUDP checks the length field and returns the datagram, trimmed to it. A length
// of zero, a jumbogram's (RFC 2675 §4), is refused like any other below eight.
//
// Errors: ErrTruncated, ErrHeaderLength, ErrTotalLength.
func ParseUDP(b []byte) (UDP, error) {
	if len(b) < UDPHeader {
		return nil, ErrTruncated
	}
	n := int(binary.BigEndian.Uint16(b[4:]))
	if n < UDPHeader {
		return nil, ErrHeaderLength
	}
	if n > len(b) {
		return nil, ErrTotalLength
	}
	return UDP(b[:n:n]), nil
}

// SrcPort returns the source port; zero where the sender expects no reply.
func (h UDP) SrcPort() uint16 { return binary.BigEndian.Uint16(h) }

// DstPort returns the destination port.
func (h UDP) DstPort() uint16 { return binary.BigEndian.Uint16(h[2:]) }

// Length returns the length field: header and payload, in octets.
func (h UDP) Length() int { return int(binary.BigEndian.Uint16(h[4:])) }

// Checksum returns the checksum field.
func (h UDP) Checksum() uint16 { return binary.BigEndian.Uint16(h[UDPChecksumOffset:]) }

// Payload returns the datagram's data.
func (h UDP) Payload() []byte { return h[UDPHeader:] }

// ChecksumOK reports whether the checksum is right for a datagram between these
// addresses. Over IPv4 a field of zero says that there is none (RFC 768); over
// IPv6 it is an error (RFC 8200 §8.1).
func (h UDP) ChecksumOK(src, dst netip.Addr) bool {
	if h.Checksum() == 0 {
		return src.Is4()
	}
	return Sum(h, PseudoHeaderSum(ProtoUDP, src, dst, len(h))) == 0xffff
}

// UpdateChecksum computes the datagram's checksum; one that comes out as zero is
// written as all ones (RFC 768).
func (h UDP) UpdateChecksum(src, dst netip.Addr) {
	h.SetChecksum(0)
	sum := ^Sum(h, PseudoHeaderSum(ProtoUDP, src, dst, len(h)))
	if sum == 0 {
		sum = 0xffff
	}
	h.SetChecksum(sum)
}

// SetSrcPort sets the source port. No setter touches the checksum.
func (h UDP) SetSrcPort(p uint16) { binary.BigEndian.PutUint16(h, p) }

// SetDstPort sets the destination port.
func (h UDP) SetDstPort(p uint16) { binary.BigEndian.PutUint16(h[2:], p) }

// SetLength sets the length field; the view's own length stays.
func (h UDP) SetLength(n int) { binary.BigEndian.PutUint16(h[4:], uint16(n)) }

// SetChecksum sets the checksum field.
func (h UDP) SetChecksum(sum uint16) { binary.BigEndian.PutUint16(h[UDPChecksumOffset:], sum) }

// PutUDP writes a UDP header at the front of b, with the checksum field zero, and
// returns its length, 8. payloadLen is in octets. It panics when b is shorter than 8.
func PutUDP(b []byte, src, dst uint16, payloadLen int) int {
	h := UDP(b[:UDPHeader])
	h.SetSrcPort(src)
	h.SetDstPort(dst)
	h.SetLength(min(UDPHeader+payloadLen, 0xffff))
	h.SetChecksum(0)
	return UDPHeader
}
