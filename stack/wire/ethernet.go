package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// MAC is an Ethernet address.
type MAC [6]byte

// BroadcastMAC is the address of every station on a link.
var BroadcastMAC = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// String writes the address as six colon-separated octets.
func (m MAC) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// IsMulticast reports whether the address is a group's, or broadcast.
func (m MAC) IsMulticast() bool { return m[0]&1 != 0 }

// IsBroadcast reports whether the address is that of every station.
func (m MAC) IsBroadcast() bool { return m == BroadcastMAC }

// MulticastMAC returns the Ethernet address of a multicast IP address: RFC 1112 §6.4
// for IPv4, RFC 2464 §7 for IPv6. The broadcast address 255.255.255.255 gives
// BroadcastMAC. ip must be one of these.
func MulticastMAC(ip netip.Addr) MAC {
	if !ip.Is4() {
		b := ip.As16()
		return MAC{0x33, 0x33, b[12], b[13], b[14], b[15]}
	}
	b := ip.As4()
	if b == [4]byte{255, 255, 255, 255} {
		return BroadcastMAC
	}
	return MAC{0x01, 0x00, 0x5e, b[1] & 0x7f, b[2], b[3]}
}

// EthernetHeader is the length of an Ethernet header, VLANTag that of each 802.1Q tag
// in it, in octets.
const (
	EthernetHeader = 14
	VLANTag        = 4
)

// EtherTypes (IANA "IEEE 802 Numbers"). A value below 0x600 is an 802.3 frame's length.
const (
	EtherTypeIPv4 = 0x0800
	EtherTypeARP  = 0x0806
	EtherTypeVLAN = 0x8100 // IEEE 802.1Q
	EtherTypeQinQ = 0x88a8 // IEEE 802.1ad
	EtherTypeIPv6 = 0x86dd
)

// Ethernet is a view of an Ethernet II frame without its frame check sequence. Got
// from ParseEthernet, no accessor panics.
type Ethernet []byte

// ParseEthernet checks that the header with at most two VLAN tags is there. Error:
// ErrTruncated.
func ParseEthernet(b []byte) (Ethernet, error) {
	if len(b) < EthernetHeader {
		return nil, ErrTruncated
	}
	n := EthernetHeader
	for range 2 {
		if !isVLAN(binary.BigEndian.Uint16(b[n-2:])) {
			break
		}
		if n += VLANTag; len(b) < n {
			return nil, ErrTruncated
		}
	}
	return Ethernet(b), nil
}

func isVLAN(t uint16) bool { return t == EtherTypeVLAN || t == EtherTypeQinQ }

// HeaderLen returns the length of the header with its VLAN tags, in octets.
func (h Ethernet) HeaderLen() int {
	n := EthernetHeader
	for range 2 {
		if !isVLAN(binary.BigEndian.Uint16(h[n-2:])) {
			break
		}
		n += VLANTag
	}
	return n
}

// Dst returns the destination address.
func (h Ethernet) Dst() MAC { return MAC(h[0:6]) }

// Src returns the source address.
func (h Ethernet) Src() MAC { return MAC(h[6:12]) }

// EtherType returns the type of the payload, that after the VLAN tags.
func (h Ethernet) EtherType() uint16 { return binary.BigEndian.Uint16(h[h.HeaderLen()-2:]) }

// VLAN returns the identifier of the outermost VLAN tag; ok is false where there is none.
func (h Ethernet) VLAN() (id uint16, ok bool) {
	if !isVLAN(binary.BigEndian.Uint16(h[12:])) {
		return 0, false
	}
	return binary.BigEndian.Uint16(h[14:]) & 0xfff, true
}

// Payload returns what follows the header, the padding of a short frame included.
func (h Ethernet) Payload() []byte { return h[h.HeaderLen():] }

// SetDst sets the destination address.
func (h Ethernet) SetDst(m MAC) { copy(h[0:6], m[:]) }

// SetSrc sets the source address.
func (h Ethernet) SetSrc(m MAC) { copy(h[6:12], m[:]) }

// PutEthernet writes an untagged header at the front of b and returns its length, 14.
// It panics when b is shorter than that.
func PutEthernet(b []byte, dst, src MAC, etherType uint16) int {
	h := Ethernet(b[:EthernetHeader])
	h.SetDst(dst)
	h.SetSrc(src)
	binary.BigEndian.PutUint16(h[12:], etherType)
	return EthernetHeader
}
