package wire

import (
	"encoding/binary"
	"net/netip"
)

// IPv6Header is the length of the fixed IPv6 header, in octets.
const IPv6Header = 40

// IPv6MinMTU is the MTU that every IPv6 link has at least (RFC 8200 §5).
const IPv6MinMTU = 1280

// IPv6 is a view of an IPv6 packet (RFC 8200 §3) from its header's first octet to the
// end of its payload. Got from ParseIPv6, no accessor panics.
type IPv6 []byte

// ParseIPv6 checks the version and the payload length and returns the packet, trimmed
// to the length that it states. Extension headers are not looked at: see Extensions.
//
// Errors: ErrTruncated, ErrVersion, ErrTotalLength.
func ParseIPv6(b []byte) (IPv6, error) {
	if err := checkIPv6Header(b); err != nil {
		return nil, err
	}
	n := IPv6Header + int(binary.BigEndian.Uint16(b[4:]))
	if n > len(b) {
		return nil, ErrTotalLength
	}
	return IPv6(b[:n:n]), nil
}

// ParseQuotedIPv6 is ParseIPv6 for a packet that may have been cut short, as an ICMPv6
// error quotes it (RFC 4443 §2.4(c)): the fixed header must be whole, the payload is
// what is there.
func ParseQuotedIPv6(b []byte) (IPv6, error) {
	if err := checkIPv6Header(b); err != nil {
		return nil, err
	}
	n := min(IPv6Header+int(binary.BigEndian.Uint16(b[4:])), len(b))
	return IPv6(b[:n:n]), nil
}

func checkIPv6Header(b []byte) error {
	if len(b) < IPv6Header {
		return ErrTruncated
	}
	if b[0]>>4 != 6 {
		return ErrVersion
	}
	return nil
}

// TrafficClass returns the traffic class octet: DSCP and ECN.
func (h IPv6) TrafficClass() uint8 { return h[0]<<4 | h[1]>>4 }

// FlowLabel returns the 20-bit flow label (RFC 6437).
func (h IPv6) FlowLabel() uint32 { return binary.BigEndian.Uint32(h) & 0xfffff }

// PayloadLen returns the Payload Length field: everything after the fixed header,
// extension headers included, in octets.
func (h IPv6) PayloadLen() int { return int(binary.BigEndian.Uint16(h[4:])) }

// NextHeader returns the type of what follows the fixed header.
func (h IPv6) NextHeader() uint8 { return h[6] }

// HopLimit returns the Hop Limit field.
func (h IPv6) HopLimit() uint8 { return h[7] }

// Src returns the source address, without a zone.
func (h IPv6) Src() netip.Addr { return netip.AddrFrom16([16]byte(h[8:24])) }

// Dst returns the destination address, without a zone.
func (h IPv6) Dst() netip.Addr { return netip.AddrFrom16([16]byte(h[24:40])) }

// Payload returns what follows the fixed header, extension headers first.
func (h IPv6) Payload() []byte { return h[IPv6Header:] }

// SetTrafficClass sets the traffic class octet.
func (h IPv6) SetTrafficClass(tc uint8) {
	h[0] = h[0]&0xf0 | tc>>4
	h[1] = h[1]&0x0f | tc<<4
}

// SetPayloadLen sets the Payload Length field; the view's own length stays.
func (h IPv6) SetPayloadLen(n int) { binary.BigEndian.PutUint16(h[4:], uint16(n)) }

// SetNextHeader sets the Next Header field of the fixed header.
func (h IPv6) SetNextHeader(proto uint8) { h[6] = proto }

// SetHopLimit sets the Hop Limit. IPv6 has no header checksum.
func (h IPv6) SetHopLimit(n uint8) { h[7] = n }

// SetSrc sets the source address.
func (h IPv6) SetSrc(a netip.Addr) { put16(h[8:24], a) }

// SetDst sets the destination address.
func (h IPv6) SetDst(a netip.Addr) { put16(h[24:40], a) }

// put16 writes an address; an IPv4 address is written IPv4-mapped, an invalid one as ::.
func put16(b []byte, a netip.Addr) {
	v := a.As16()
	copy(b, v[:])
}

// IPv6Fields is what PutIPv6 writes.
type IPv6Fields struct {
	TrafficClass         uint8
	FlowLabel            uint32 // 20 bits
	NextHeader, HopLimit uint8
	Src, Dst             netip.Addr
	PayloadLen           int // octets after the fixed header
}

// PutIPv6 writes the fixed header at the front of b and returns its length, 40. It
// panics when b is shorter than that. A payload larger than 65,535 octets is the
// caller's fault and is written as 65,535.
func PutIPv6(b []byte, f *IPv6Fields) int {
	h := IPv6(b[:IPv6Header])
	binary.BigEndian.PutUint32(h, 6<<28|uint32(f.TrafficClass)<<20|f.FlowLabel&0xfffff)
	binary.BigEndian.PutUint16(h[4:], uint16(min(f.PayloadLen, 0xffff)))
	h[6], h[7] = f.NextHeader, f.HopLimit
	put16(h[8:24], f.Src)
	put16(h[24:40], f.Dst)
	return IPv6Header
}

// IPv6FragmentHeader is the length of a Fragment header, in octets.
const IPv6FragmentHeader = 8

// IPv6Fragment is a view of a Fragment header (RFC 8200 §4.5).
type IPv6Fragment []byte

// ParseIPv6Fragment returns the view of the header at the front of b. Error: ErrTruncated.
func ParseIPv6Fragment(b []byte) (IPv6Fragment, error) {
	if len(b) < IPv6FragmentHeader {
		return nil, ErrTruncated
	}
	return IPv6Fragment(b[:IPv6FragmentHeader]), nil
}

// NextHeader returns the type of the first header of the fragmentable part.
func (h IPv6Fragment) NextHeader() uint8 { return h[0] }

// Offset returns the fragment's place in the fragmentable part, in octets.
func (h IPv6Fragment) Offset() int { return int(binary.BigEndian.Uint16(h[2:]) &^ 7) }

// More reports whether the M flag is set: more fragments follow.
func (h IPv6Fragment) More() bool { return h[3]&1 != 0 }

// ID returns the Identification field.
func (h IPv6Fragment) ID() uint32 { return binary.BigEndian.Uint32(h[4:]) }

// PutIPv6Fragment writes a Fragment header and returns its length, 8. off is in
// octets, a multiple of 8. It panics when b is shorter than 8.
func PutIPv6Fragment(b []byte, next uint8, off int, more bool, id uint32) int {
	h := b[:IPv6FragmentHeader]
	h[0], h[1] = next, 0
	w := uint16(off) &^ 7
	if more {
		w |= 1
	}
	binary.BigEndian.PutUint16(h[2:], w)
	binary.BigEndian.PutUint32(h[4:], id)
	return IPv6FragmentHeader
}
