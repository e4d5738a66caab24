package link

import (
	"encoding/binary"
	"errors"
)

const (
	// VnetLen is the length of the virtio-net header before each frame.
	VnetLen = 10

	// Headroom is the room before the packet in a frame's buffer: enough for the
	// virtio-net header and an Ethernet header with two VLAN tags, so that a
	// packet that came in by one link goes out by another without being moved.
	Headroom = 64

	// MaxPacket is the largest packet that a frame holds: an IPv6 header before
	// the 65,535 octets that its length field can count.
	MaxPacket = 65535 + 40

	// FrameSize is the size of a buffer that holds any frame.
	FrameSize = Headroom + MaxPacket + 61 // a multiple of 64
)

// Frame is a packet in a buffer, with what is known about its checksum and segments.
// The packet is Buf[Off:End]; the octets before Off are free for headers.
type Frame struct {
	Buf      []byte
	Off, End int
	Offload
}

// Packet returns the packet, which begins with the network header.
func (f *Frame) Packet() []byte { return f.Buf[f.Off:f.End] }

// Len returns the packet's length in octets.
func (f *Frame) Len() int { return f.End - f.Off }

// Wire returns the frame as a Device takes it: the virtio-net header written in
// the headroom, then the packet. The result shares Buf; Off must be VnetLen at least.
func (f *Frame) Wire() []byte {
	b := f.Buf[f.Off-VnetLen : f.End]
	version := byte(0)
	if f.Off < f.End {
		version = f.Buf[f.Off] >> 4
	}
	f.Offload.put(b[:VnetLen], version)
	return b
}

// SetWire makes the frame describe b, a frame in the form that Wire returns and
// Device carries, without copying it: Buf is b and there is no headroom beyond the
// virtio-net header's own. It is for devices that are handed frames; it returns
// the errors that SetRead does.
func (f *Frame) SetWire(b []byte) error {
	if len(b) < VnetLen {
		return errShortFrame
	}
	f.Buf, f.Off, f.End = b, VnetLen, len(b)
	return f.Offload.parse(b, len(b)-VnetLen)
}

// ReadBuf returns the part of Buf that a Device reads into, so that the packet
// begins at Headroom.
func (f *Frame) ReadBuf() []byte { return f.Buf[Headroom-VnetLen:] }

// SetRead makes the frame describe n octets that a Device read into ReadBuf.
// It returns an error when the virtio-net header contradicts itself or the packet;
// the frame must then be dropped.
func (f *Frame) SetRead(n int) error {
	switch {
	case n < VnetLen:
		return errShortFrame
	case n > len(f.Buf)-(Headroom-VnetLen):
		return errLongFrame // a fault of the device
	}
	f.Off, f.End = Headroom, Headroom+n-VnetLen
	return f.Offload.parse(f.Buf[Headroom-VnetLen:Headroom], n-VnetLen)
}

// Checksum says what is known of a packet's transport checksum.
type Checksum uint8

const (
	// ChecksumInPacket: the field is what it will be on the wire; on input it
	// must be verified.
	ChecksumInPacket Checksum = iota
	// ChecksumVerified: the device vouches for it (VIRTIO_NET_HDR_F_DATA_VALID).
	// It needs no verification; the field may be anything the medium had.
	ChecksumVerified
	// ChecksumPartial: the field holds the sum of the pseudo-header only and
	// whoever puts the packet on a wire finishes it: the sum from ChecksumStart to
	// the packet's end goes to ChecksumStart+ChecksumOffset. On input it
	// needs no verification: the packet was never on a wire.
	ChecksumPartial
)

// Offload is what travels beside a packet, in the virtio-net header
// (Virtual I/O Device 1.2 §5.1.6).
type Offload struct {
	// Checksum says what is known of the transport checksum.
	Checksum Checksum
	// ChecksumStart is the offset of the transport header from the packet's first
	// octet; ChecksumOffset that of the checksum field from there. They count
	// where Checksum is ChecksumPartial.
	ChecksumStart, ChecksumOffset uint16
	// SegmentSize is the transport payload of each segment that the packet was
	// coalesced from or is to be cut into; 0 where the packet is one segment.
	SegmentSize uint16
	// HeaderLen is the length of all headers up to the payload. The device's own
	// value is a hint and not kept: it is for the sender to set.
	HeaderLen uint16
	// UDP says that the segments are UDP datagrams rather than TCP segments.
	UDP bool
	// ECN says that the super-segment has TCP's CWR set (VIRTIO_NET_HDR_GSO_ECN).
	ECN bool
}

const (
	vnetNeedsCsum = 1
	vnetDataValid = 2

	gsoNone  = 0
	gsoTCP4  = 1
	gsoTCP6  = 4
	gsoUDPL4 = 5
	gsoECN   = 0x80
)

var (
	errShortFrame = errors.New("link: frame shorter than its virtio-net header")
	errLongFrame  = errors.New("link: device claims more octets than its buffer has")
	errVnetCsum   = errors.New("link: virtio-net header points its checksum outside the packet")
	errVnetGSO    = errors.New("link: virtio-net header has an unknown or empty segmentation")
)

// put writes the virtio-net header, in host byte order as a legacy TUN device has
// it, which on every platform that weir runs on is little endian.
func (o *Offload) put(b []byte, version byte) {
	clear(b[:VnetLen])
	switch o.Checksum {
	case ChecksumPartial:
		b[0] = vnetNeedsCsum
		binary.LittleEndian.PutUint16(b[6:], o.ChecksumStart)
		binary.LittleEndian.PutUint16(b[8:], o.ChecksumOffset)
	case ChecksumVerified:
		b[0] = vnetDataValid
	}
	if o.SegmentSize == 0 {
		return
	}
	switch {
	case o.UDP:
		b[1] = gsoUDPL4
	case version == 6:
		b[1] = gsoTCP6
	default:
		b[1] = gsoTCP4
	}
	if o.ECN {
		b[1] |= gsoECN
	}
	binary.LittleEndian.PutUint16(b[2:], o.HeaderLen)
	binary.LittleEndian.PutUint16(b[4:], o.SegmentSize)
}

// parse reads the virtio-net header of a packet of n octets.
func (o *Offload) parse(b []byte, n int) error {
	*o = Offload{}
	switch {
	case b[0]&vnetNeedsCsum != 0:
		o.Checksum = ChecksumPartial
		o.ChecksumStart = binary.LittleEndian.Uint16(b[6:])
		o.ChecksumOffset = binary.LittleEndian.Uint16(b[8:])
		if int(o.ChecksumStart)+int(o.ChecksumOffset)+2 > n {
			return errVnetCsum
		}
	case b[0]&vnetDataValid != 0:
		o.Checksum = ChecksumVerified
	}
	kind := b[1] &^ gsoECN
	if kind == gsoNone {
		return nil
	}
	o.SegmentSize = binary.LittleEndian.Uint16(b[4:])
	o.UDP = kind == gsoUDPL4
	o.ECN = b[1]&gsoECN != 0
	if o.SegmentSize == 0 || (kind != gsoTCP4 && kind != gsoTCP6 && kind != gsoUDPL4) {
		return errVnetGSO
	}
	return nil
}
