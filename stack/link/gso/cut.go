package gso

import (
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// Segments returns how many packets Cut makes of the frame: 1 where it is not a
// super-segment, and 0 where Cut would find its headers malformed.
func Segments(f *link.Frame) int {
	if f.SegmentSize == 0 {
		return 1
	}
	h, err := derive(f)
	if err != nil {
		return 0
	}
	size := int(f.SegmentSize)
	return max(1, (h.end-h.payload+size-1)/size)
}

// Cut calls emit for every packet that the super-segment f is to become, in order. Each
// has its checksums complete (link.ChecksumInPacket) and lies in scratch at
// link.Headroom, where it is emit's to use and change until emit returns. f is not
// changed. scratch.Buf needs room for link.Headroom, the headers and one segment; a
// buffer of link.FrameSize always has it. It must not share memory with f.Buf.
//
// A frame that is not a super-segment is emitted by itself, by way of scratch where its
// checksum must be finished and as f itself where it need not.
//
// Cut stops at emit's first error and returns it. It returns ErrPacket, ErrChecksum or
// ErrScratch before anything was emitted.
func Cut(f, scratch *link.Frame, emit func(*link.Frame) error) error {
	if f.SegmentSize == 0 {
		return whole(f, scratch, emit)
	}
	h, err := derive(f)
	if err != nil {
		return err
	}
	c := cutter{headers: h, f: f, scratch: scratch, unsummed: h.unsummed(f)}
	if f.Checksum == link.ChecksumInPacket && !c.unsummed && !h.verify(f) {
		return ErrChecksum
	}
	size := int(f.SegmentSize)
	if link.Headroom+min(h.payload+size, h.end) > len(scratch.Buf) {
		return ErrScratch
	}
	for from := h.payload; ; from += size {
		c.segment(from, min(from+size, h.end))
		if err := emit(scratch); err != nil {
			return err
		}
		c.count++
		if from+size >= h.end {
			return nil
		}
	}
}

// whole emits a frame that needs no cutting.
func whole(f, scratch *link.Frame, emit func(*link.Frame) error) error {
	if f.Checksum != link.ChecksumPartial {
		return emit(f)
	}
	if link.Headroom+f.Len() > len(scratch.Buf) {
		return ErrScratch
	}
	scratch.Off = link.Headroom
	scratch.End = link.Headroom + copy(scratch.Buf[link.Headroom:], f.Packet())
	scratch.Offload = f.Offload
	if err := FinishChecksum(scratch); err != nil {
		return err
	}
	return emit(scratch)
}

// cutter is the state of one Cut.
type cutter struct {
	headers
	f, scratch *link.Frame
	unsummed   bool
	count      int // segments made so far
}

// segment makes scratch the packet that carries the octets [from, to) of f's packet.
func (c *cutter) segment(from, to int) {
	src := c.f.Packet()
	s := c.scratch
	s.Off, s.End = link.Headroom, link.Headroom+c.payload+to-from
	s.Offload = link.Offload{}
	p := s.Packet()
	copy(p, src[:c.payload])
	copy(p[c.payload:], src[from:to])

	c.network(p)
	if c.proto == wire.ProtoUDP {
		wire.UDP(p[c.transport:]).SetLength(len(p) - c.transport)
	} else {
		c.tcp(wire.TCP(p[c.transport:]), from-c.payload, to == c.end)
	}
	if c.unsummed {
		return
	}
	t := p[c.transport:]
	field := t[c.checksumOffset():]
	field[0], field[1] = 0, 0
	putChecksum(field, ^wire.Sum(t, c.pseudo(len(t))), c.proto == wire.ProtoUDP)
}

// network sets the lengths, and over IPv4 gives each segment the next identification,
// as if they had been sent one by one.
func (c *cutter) network(p []byte) {
	if !c.ip4 {
		wire.IPv6(p).SetPayloadLen(len(p) - wire.IPv6Header)
		return
	}
	ip := wire.IPv4(p)
	ip.SetTotalLen(len(p))
	ip.SetID(ip.ID() + uint16(c.count))
	ip.UpdateChecksum()
}

// tcp sets the sequence number and the flags of the segment that begins off octets
// into the payload. What FIN, PSH and URG say is true of the last octets, and CWR is
// said once (RFC 3168 §6.1.2), by the first segment.
func (c *cutter) tcp(t wire.TCP, off int, last bool) {
	t.SetSeq(t.Seq() + uint32(off))
	flags := t.Flags()
	if !last {
		flags &^= wire.FlagFIN | wire.FlagPSH
	}
	if off > 0 {
		flags &^= wire.FlagCWR
	}
	if flags.Has(wire.FlagURG) {
		// The pointer counts from the segment's own sequence number (RFC 9293 §3.1).
		if int(t.Urgent()) > off {
			t.SetUrgent(t.Urgent() - uint16(off))
		} else {
			flags &^= wire.FlagURG
			t.SetUrgent(0)
		}
	}
	t.SetFlags(flags)
}
