package pcapng

import (
	"encoding/binary"
	"time"
)

// The blocks and options of draft-ietf-opsawg-pcapng, by section: §4.1 Section Header,
// §4.2 Interface Description, §4.3 Enhanced Packet, §3.5 options.
const (
	blockSection   = 0x0A0D0D0A
	blockInterface = 1
	blockPacket    = 6

	byteOrderMagic = 0x1A2B3C4D

	optEnd         = 0
	optComment     = 1
	optApplication = 4 // shb_userappl
	optName        = 2 // if_name
	optResolution  = 9 // if_tsresol
	optFlags       = 2 // epb_flags

	nanoseconds = 9 // if_tsresol: 10⁻⁹ s

	maxOption = 65535 // the most that an option's length field counts
)

var order = binary.LittleEndian

// beginBlock appends the start of a block; endBlock is given what it returns.
func beginBlock(b []byte, kind uint32) ([]byte, int) {
	start := len(b)
	b = order.AppendUint32(b, kind)
	return order.AppendUint32(b, 0), start // the length: see endBlock
}

// endBlock writes the length of the block that began at start, at both its ends.
func endBlock(b []byte, start int) []byte {
	n := uint32(len(b) - start + 4)
	order.PutUint32(b[start+4:], n)
	return order.AppendUint32(b, n)
}

func appendPadded(b, value []byte) []byte {
	b = append(b, value...)
	for n := len(value); n%4 != 0; n++ {
		b = append(b, 0)
	}
	return b
}

func appendOption(b []byte, code uint16, value []byte) []byte {
	value = value[:min(len(value), maxOption)]
	b = order.AppendUint16(b, code)
	b = order.AppendUint16(b, uint16(len(value)))
	return appendPadded(b, value)
}

func appendEnd(b []byte) []byte { return appendOption(b, optEnd, nil) }

// appendSection appends the header of a section whose length is not known.
func appendSection(b []byte, application, comment string) []byte {
	b, start := beginBlock(b, blockSection)
	b = order.AppendUint32(b, byteOrderMagic)
	b = order.AppendUint16(b, 1) // version 1.0
	b = order.AppendUint16(b, 0)
	b = order.AppendUint64(b, 1<<64-1)
	if comment != "" {
		b = appendOption(b, optComment, []byte(comment))
	}
	b = appendOption(b, optApplication, []byte(application))
	return endBlock(appendEnd(b), start)
}

// appendInterface appends the description of an interface.
func appendInterface(b []byte, name string, t LinkType, snapLen int) []byte {
	b, start := beginBlock(b, blockInterface)
	b = order.AppendUint16(b, uint16(t))
	b = order.AppendUint16(b, 0)
	b = order.AppendUint32(b, uint32(snapLen))
	b = appendOption(b, optName, []byte(name))
	b = appendOption(b, optResolution, []byte{nanoseconds})
	return endBlock(appendEnd(b), start)
}

// appendPacket appends a packet of which data is captured and length was on the link. It
// returns where data lies in b too.
func appendPacket(b []byte, p *Packet, at time.Time, data []byte, length int) ([]byte, int) {
	b, start := beginBlock(b, blockPacket)
	b = order.AppendUint32(b, uint32(p.Interface))
	ns := uint64(at.UnixNano())
	b = order.AppendUint32(b, uint32(ns>>32))
	b = order.AppendUint32(b, uint32(ns))
	b = order.AppendUint32(b, uint32(len(data)))
	b = order.AppendUint32(b, uint32(length))
	place := len(b)
	b = appendPadded(b, data)
	if p.Direction != DirectionUnknown {
		var flags [4]byte
		order.PutUint32(flags[:], uint32(p.Direction))
		b = appendOption(b, optFlags, flags[:])
	}
	if p.Comment != "" {
		b = appendOption(b, optComment, []byte(p.Comment))
	}
	return endBlock(appendEnd(b), start), place
}
