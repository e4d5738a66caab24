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
	putChecksum(p[field:], ^wire.Sum(p[start:], 0))
	f.Checksum, f.ChecksumStart, f.ChecksumOffset = link.ChecksumInPacket, 0, 0
	return nil
}

// putChecksum writes a transport checksum. Zero is written as its other ones-complement
// form: UDP must (RFC 768; RFC 8200 §8.1), where zero says that there is none, and
// to the other protocols both are the same number.
func putChecksum(field []byte, sum uint16) {
	if sum == 0 {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(field, sum)
}
