package wire

import (
	"encoding/binary"
	"net/netip"
)

// ARPLen is the length of an ARP packet for IPv4 over Ethernet, in octets.
const ARPLen = 28

// ARP operations (RFC 826).
const (
	ARPRequest = 1
	ARPReply   = 2
)

// arpFixed is the first six octets of every ARP packet for IPv4 over Ethernet:
// hardware type 1, protocol type 0x0800, address lengths 6 and 4.
const arpFixed = 0x0001_0800_0604

// ARP is a view of an ARP packet for IPv4 over Ethernet (RFC 826). Got from ParseARP,
// no accessor panics.
type ARP []byte

// ParseARP checks the length, the address types and the address lengths, and returns
// the packet trimmed of a short frame's padding. The operation is not checked.
//
// Errors: ErrTruncated, ErrHardware.
func ParseARP(b []byte) (ARP, error) {
	if len(b) < ARPLen {
		return nil, ErrTruncated
	}
	if binary.BigEndian.Uint64(b)>>16 != arpFixed {
		return nil, ErrHardware
	}
	return ARP(b[:ARPLen:ARPLen]), nil
}

// Op returns the operation: ARPRequest, ARPReply or another.
func (h ARP) Op() uint16 { return binary.BigEndian.Uint16(h[6:]) }

// SenderMAC returns the sender's Ethernet address.
func (h ARP) SenderMAC() MAC { return MAC(h[8:14]) }

// SenderIP returns the sender's IPv4 address; 0.0.0.0 in a probe (RFC 5227 §1.1).
func (h ARP) SenderIP() netip.Addr { return netip.AddrFrom4([4]byte(h[14:18])) }

// TargetMAC returns the target's Ethernet address; it means nothing in a request.
func (h ARP) TargetMAC() MAC { return MAC(h[18:24]) }

// TargetIP returns the target's IPv4 address.
func (h ARP) TargetIP() netip.Addr { return netip.AddrFrom4([4]byte(h[24:28])) }

// ARPFields is what PutARP writes.
type ARPFields struct {
	Op                   uint16
	SenderMAC, TargetMAC MAC
	SenderIP, TargetIP   netip.Addr // IPv4
}

// PutARP writes an ARP packet at the front of b and returns its length, 28. It panics
// when b is shorter than that.
func PutARP(b []byte, f *ARPFields) int {
	h := b[:ARPLen]
	binary.BigEndian.PutUint64(h, arpFixed<<16|uint64(f.Op))
	copy(h[8:14], f.SenderMAC[:])
	put4(h[14:18], f.SenderIP)
	copy(h[18:24], f.TargetMAC[:])
	put4(h[24:28], f.TargetIP)
	return ARPLen
}
