package udp

import (
	"net/netip"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// Drop is the reason why a datagram was not delivered.
type Drop uint8

// The reasons.
const (
	DropNone     Drop = iota // delivered
	DropLength               // the length field is below 8 or beyond the packet
	DropChecksum             // the checksum is wrong
	DropZero                 // IPv6, and no checksum (RFC 8200 §8.1)
	DropPort                 // the destination port is zero (RFC 768: no process has it)
	DropNoPort               // no socket has the port
	DropFull                 // the socket's queue is full
	DropBusy                 // the port's handler does not return from an earlier one, and as much waits for it as may

	drops
)

var dropNames = [drops]string{
	DropNone:     "udp.drop.none",
	DropLength:   "udp.drop.length",
	DropChecksum: "udp.drop.checksum",
	DropZero:     "udp.drop.nochecksum",
	DropPort:     "udp.drop.port",
	DropNoPort:   "udp.drop.noport",
	DropFull:     "udp.drop.full",
	DropBusy:     "udp.drop.handler_busy",
}

// String returns the name under which the reason is counted.
func (d Drop) String() string {
	if d < drops {
		return dropNames[d]
	}
	return "udp.drop.unknown"
}

// Parse checks the datagram b, the payload of an IP packet from src to dst, whose
// checksum is in state sum. It returns a view trimmed to the length field, and
// DropNone; or the reason to drop it, which the caller counts. Octets after the
// length are legal and ignored.
func Parse(b []byte, src, dst netip.Addr, sum link.Checksum) (wire.UDP, Drop) {
	h, err := wire.ParseUDP(b)
	if err != nil {
		return nil, DropLength
	}
	if d := Validate(h, src, dst, sum); d != DropNone {
		return nil, d
	}
	return h, DropNone
}

// Validate checks the datagram's checksum and destination port: see Parse.
//
// "An all zero transmitted checksum value means that the transmitter generated no
// checksum" (RFC 768), over IPv4; over IPv6 "receivers MUST discard UDP packets
// containing a zero checksum and should log the error" (RFC 8200 §8.1), whatever the
// link says about checksums, because it cannot vouch for one that is not there.
func Validate(h wire.UDP, src, dst netip.Addr, sum link.Checksum) Drop {
	switch {
	case sum == link.ChecksumPartial:
		// Not finished because it was never on a wire: there is nothing to verify.
	case h.Checksum() == 0:
		if !src.Is4() {
			return DropZero
		}
	case sum == link.ChecksumVerified:
	case wire.Sum(h, wire.PseudoHeaderSum(wire.ProtoUDP, src, dst, len(h))) != 0xffff:
		return DropChecksum
	}
	if h.DstPort() == 0 {
		return DropPort
	}
	return DropNone
}
