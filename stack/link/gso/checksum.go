package gso

import (
	"encoding/binary"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// FinishChecksum computes the transport checksum of a frame that left it to the device
// (link.ChecksumPartial) and writes it into the packet, which afterwards is
// link.ChecksumInPacket. Other frames stay as they are. The sum goes to the packet's end,
// as Virtual I/O Device 1.2 §5.1.6.2 has it, so the packet must not have link padding. A
// super-segment gets the checksum of the whole.
//
// It returns ErrPacket, and leaves the frame alone, when the checksum would lie outside
// the packet.
func FinishChecksum(f *link.Frame) error {
	if f.Checksum != link.ChecksumPartial {
		return nil
	}
	p := f.Packet()
	start := int(f.ChecksumStart)
	field := start + int(f.ChecksumOffset)
	if field+2 > len(p) {
		return ErrPacket
	}
	putChecksum(p[field:], ^wire.Sum(p[start:], 0), f.ChecksumOffset == udpChecksumOffset)
	f.Checksum, f.ChecksumStart, f.ChecksumOffset = link.ChecksumInPacket, 0, 0
	return nil
}

// udpChecksumOffset is where the checksum stands in a UDP header, and in no other
// transport's that sums over a pseudo-header.
const udpChecksumOffset = 6

// putChecksum writes a transport checksum. UDP writes zero as its other ones-complement
// form (RFC 768; RFC 8200 §8.1), for there zero says that there is none. The other
// protocols write what they have computed: receivers that compare rather than sum
// up, and tshark, take the other form for an error.
func putChecksum(field []byte, sum uint16, isUDP bool) {
	if sum == 0 && isUDP {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(field, sum)
}
