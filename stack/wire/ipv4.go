package wire

import (
	"encoding/binary"
	"net/netip"
)

// IPv4MinHeader and IPv4MaxHeader bound the length of an IPv4 header, in octets.
const (
	IPv4MinHeader = 20
	IPv4MaxHeader = 60
)

const (
	ipv4DF         = 0x4000
	ipv4MF         = 0x2000
	ipv4OffsetMask = 0x1fff
)

// IPv4 is a view of an IPv4 packet (RFC 791 §3.1) from its header's first octet to
// the end of its payload. Got from ParseIPv4, no accessor panics.
type IPv4 []byte

// ParseIPv4 checks the version, the header length and the total length and returns
// the packet, trimmed to its total length. The header checksum and the options
// are not checked: see ChecksumOK and CheckOptions.
//
// Errors: ErrTruncated, ErrVersion, ErrHeaderLength, ErrTotalLength.
func ParseIPv4(b []byte) (IPv4, error) {
	h, err := parseIPv4Header(b)
	if err != nil {
		return nil, err
	}
	total := int(binary.BigEndian.Uint16(b[2:]))
	if total > len(b) {
		return nil, ErrTotalLength
	}
	return h[:total:total], nil
}

// ParseQuotedIPv4 is ParseIPv4 for a packet that may have been cut short, as an ICMP
// error quotes it (RFC 792): the header must be whole, the payload is what is there.
func ParseQuotedIPv4(b []byte) (IPv4, error) {
	h, err := parseIPv4Header(b)
	if err != nil {
		return nil, err
	}
	n := min(int(binary.BigEndian.Uint16(b[2:])), len(b))
	return h[:n:n], nil
}

// parseIPv4Header checks that a whole header is there and that the total length holds it.
func parseIPv4Header(b []byte) (IPv4, error) {
	if len(b) < IPv4MinHeader {
		return nil, ErrTruncated
	}
	if b[0]>>4 != 4 {
		return nil, ErrVersion
	}
	hl := int(b[0]&0x0f) * 4
	if hl < IPv4MinHeader {
		return nil, ErrHeaderLength
	}
	if hl > len(b) {
		return nil, ErrTruncated
	}
	if int(binary.BigEndian.Uint16(b[2:])) < hl {
		return nil, ErrTotalLength
	}
	return IPv4(b), nil
}

// HeaderLen returns the length of the header with its options, in octets.
func (h IPv4) HeaderLen() int { return int(h[0]&0x0f) * 4 }

// TotalLen returns the Total Length field: header and payload, in octets.
func (h IPv4) TotalLen() int { return int(binary.BigEndian.Uint16(h[2:])) }

// TOS returns the type of service octet: DSCP and ECN (RFC 2474, RFC 3168).
func (h IPv4) TOS() uint8 { return h[1] }

// ID returns the Identification field.
func (h IPv4) ID() uint16 { return binary.BigEndian.Uint16(h[4:]) }

// DontFragment reports whether DF is set.
func (h IPv4) DontFragment() bool { return binary.BigEndian.Uint16(h[6:])&ipv4DF != 0 }

// MoreFragments reports whether MF is set.
func (h IPv4) MoreFragments() bool { return binary.BigEndian.Uint16(h[6:])&ipv4MF != 0 }

// FragmentOffset returns the place of the payload in its datagram, in octets.
func (h IPv4) FragmentOffset() int { return int(binary.BigEndian.Uint16(h[6:])&ipv4OffsetMask) * 8 }

// IsFragment reports whether the packet is a part of a datagram rather than a whole one.
func (h IPv4) IsFragment() bool {
	return binary.BigEndian.Uint16(h[6:])&(ipv4MF|ipv4OffsetMask) != 0
}

// TTL returns the Time to Live field.
func (h IPv4) TTL() uint8 { return h[8] }

// Protocol returns the payload's protocol number.
func (h IPv4) Protocol() uint8 { return h[9] }

// Checksum returns the header checksum field.
func (h IPv4) Checksum() uint16 { return binary.BigEndian.Uint16(h[10:]) }

// Src returns the source address.
func (h IPv4) Src() netip.Addr { return netip.AddrFrom4([4]byte(h[12:16])) }

// Dst returns the destination address.
func (h IPv4) Dst() netip.Addr { return netip.AddrFrom4([4]byte(h[16:20])) }

// Options returns the header's options, padding included.
func (h IPv4) Options() []byte { return h[IPv4MinHeader:h.HeaderLen()] }

// Payload returns what follows the header.
func (h IPv4) Payload() []byte { return h[h.HeaderLen():] }

// ChecksumOK reports whether the header checksum is right (RFC 1122 §3.2.1.2).
func (h IPv4) ChecksumOK() bool { return Sum(h[:h.HeaderLen()], 0) == 0xffff }

// SetTTL sets the Time to Live and brings the header checksum up to date from the
// change alone (RFC 1624), so that a header that was damaged stays damaged.
func (h IPv4) SetTTL(ttl uint8) {
	old := binary.BigEndian.Uint16(h[8:])
	h[8] = ttl
	binary.BigEndian.PutUint16(h[10:], UpdateChecksum16(h.Checksum(), old, binary.BigEndian.Uint16(h[8:])))
}

// SetTotalLen sets the Total Length field. It leaves the checksum, and the view's
// own length, as they are.
func (h IPv4) SetTotalLen(n int) { binary.BigEndian.PutUint16(h[2:], uint16(n)) }

// SetTOS sets the type of service octet. It leaves the checksum as it is.
func (h IPv4) SetTOS(tos uint8) { h[1] = tos }

// SetID sets the Identification field. It leaves the checksum as it is.
func (h IPv4) SetID(id uint16) { binary.BigEndian.PutUint16(h[4:], id) }

// SetFragment sets the fragment offset, in octets (a multiple of 8), and both flags.
// It leaves the checksum as it is.
func (h IPv4) SetFragment(off int, more, df bool) {
	binary.BigEndian.PutUint16(h[6:], fragmentWord(off, more, df))
}

func fragmentWord(off int, more, df bool) uint16 {
	w := uint16(off/8) & ipv4OffsetMask
	if more {
		w |= ipv4MF
	}
	if df {
		w |= ipv4DF
	}
	return w
}

// SetSrc sets the source, an IPv4 address. It leaves the checksum as it is.
func (h IPv4) SetSrc(a netip.Addr) { put4(h[12:16], a) }

// SetDst sets the destination, an IPv4 address. It leaves the checksum as it is.
func (h IPv4) SetDst(a netip.Addr) { put4(h[16:20], a) }

// UpdateChecksum computes the header checksum afresh.
func (h IPv4) UpdateChecksum() {
	h[10], h[11] = 0, 0
	binary.BigEndian.PutUint16(h[10:], ^Sum(h[:h.HeaderLen()], 0))
}

// put4 writes an address; one that is not IPv4 is written as 0.0.0.0 rather than panic.
func put4(b []byte, a netip.Addr) {
	var v [4]byte
	if a.Is4() || a.Is4In6() {
		v = a.As4()
	}
	copy(b, v[:])
}

// IPv4Fields is what PutIPv4 writes.
type IPv4Fields struct {
	TOS            uint8
	ID             uint16
	DontFragment   bool
	MoreFragments  bool
	FragmentOffset int // octets, a multiple of 8
	TTL, Protocol  uint8
	Src, Dst       netip.Addr // IPv4
	Options        []byte     // at most 40 octets; padded to a multiple of 4 with zeros
	PayloadLen     int        // octets after the header
}

// HeaderLen returns the length of the header that PutIPv4 writes.
func (f *IPv4Fields) HeaderLen() int {
	return IPv4MinHeader + (min(len(f.Options), IPv4MaxHeader-IPv4MinHeader)+3)&^3
}

// PutIPv4 writes the header with its checksum at the front of b and returns its
// length. It panics when b is shorter than f.HeaderLen(). Options beyond 40 octets
// are cut off. Where header and payload exceed 65,535 octets, which is for the caller
// to prevent, the length field says 65,535.
func PutIPv4(b []byte, f *IPv4Fields) int {
	n := f.HeaderLen()
	h := IPv4(b[:n])
	h[0] = 4<<4 | uint8(n/4)
	h[1] = f.TOS
	binary.BigEndian.PutUint16(h[2:], uint16(min(n+f.PayloadLen, 0xffff)))
	binary.BigEndian.PutUint16(h[4:], f.ID)
	binary.BigEndian.PutUint16(h[6:], fragmentWord(f.FragmentOffset, f.MoreFragments, f.DontFragment))
	h[8], h[9] = f.TTL, f.Protocol
	put4(h[12:16], f.Src)
	put4(h[16:20], f.Dst)
	if n > IPv4MinHeader {
		clear(h[IPv4MinHeader+copy(h[IPv4MinHeader:], f.Options):])
	}
	h.UpdateChecksum()
	return n
}
