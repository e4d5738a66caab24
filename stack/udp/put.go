package udp

import (
	"net/netip"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

const (
	// HeaderLen is the length of the header in octets.
	HeaderLen = wire.UDPHeader

	// MaxPayload4 and MaxPayload6 are the most octets that a datagram carries over
	// IPv4 without options and over IPv6 without extension headers and jumbograms.
	MaxPayload4 = 65535 - 20 - HeaderLen
	MaxPayload6 = 65535 - HeaderLen
)

// MaxPayload returns the most octets that a datagram to dst carries.
func MaxPayload(dst netip.Addr) int {
	if dst.Is4() {
		return MaxPayload4
	}
	return MaxPayload6
}

// Put writes the header of a datagram from src to dst at the front of b, where the
// payload already follows it to the end of b, and returns HeaderLen.
//
// The checksum becomes what sum says: ChecksumInPacket computes it, and "if the
// computed checksum is zero, it is transmitted as all ones" (RFC 768); for
// ChecksumPartial the field holds the pseudo-header's sum, for the link to finish
// from ChecksumStart at ChecksumOffset wire.UDPChecksumOffset. The link then also has
// to send zero as all ones, as virtio has it do.
//
// Both addresses must be of one family, and b no longer than HeaderLen and
// MaxPayload: the caller refuses more with EMSGSIZE.
func Put(b []byte, src, dst netip.AddrPort, sum link.Checksum) int {
	wire.PutUDP(b, src.Port(), dst.Port(), len(b)-HeaderLen)
	h := wire.UDP(b)
	if sum == link.ChecksumPartial {
		h.SetChecksum(wire.PseudoHeaderSum(wire.ProtoUDP, src.Addr(), dst.Addr(), len(b)))
	} else {
		h.UpdateChecksum(src.Addr(), dst.Addr())
	}
	return HeaderLen
}
