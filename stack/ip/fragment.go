package ip

import (
	"errors"
	"fmt"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

var (
	// ErrFragmentationNeeded: the packet is larger than the MTU and may not be
	// fragmented: IPv4 with DF set, or IPv6 that is a fragment already.
	ErrFragmentationNeeded = errors.New("ip: packet larger than the MTU, and it may not be fragmented")
	// ErrMTU: the MTU leaves no room for eight octets behind the headers.
	ErrMTU = errors.New("ip: MTU too small for the packet's headers")
	// ErrTooLong: an IPv4 fragment that ends beyond the longest datagram, the place of whose pieces no header can tell.
	ErrTooLong = errors.New("ip: fragment of a datagram longer than 65,535 octets")
	// ErrUnfinished: the packet has an unfinished checksum, or is a super-segment. Those
	// are to be finished, or cut, before.
	ErrUnfinished = errors.New("ip: fragmentation of a packet with unfinished checksum or segmentation")
	// ErrScratch: the scratch buffer has no room for a fragment behind link.Headroom.
	ErrScratch = errors.New("ip: buffer too small for a fragment")
)

// Fragment cuts the packet of f into fragments of at most mtu octets and calls emit for
// each in order. The fragment is in scratch, at link.Headroom, and scratch.Buf must
// have room for link.Headroom+mtu octets; emit may put another buffer as long in its
// place in order to keep the one it was given. A packet that fits is emitted as f itself.
//
// The transport checksum is over the whole datagram and no link can finish it from
// a fragment: a frame with an unfinished checksum must be finished first
// (FinishChecksum of package gso), or ErrUnfinished is returned.
//
// An IPv4 packet keeps its own identification and may be a fragment itself, as a router
// meets it; it is refused with ErrFragmentationNeeded where it has DF set, and with ErrTooLong where it
// can be of no datagram. An IPv6
// packet, which only its source may fragment (RFC 8200 §4.5), gets id.
// An error of emit ends the work and is returned.
func Fragment(f *link.Frame, mtu int, id uint32, scratch *link.Frame, emit func(*link.Frame) error) error {
	b := f.Packet()
	if len(b) <= mtu && f.SegmentSize == 0 {
		return emit(f)
	}
	if f.Checksum == link.ChecksumPartial || f.SegmentSize != 0 {
		return ErrUnfinished
	}
	c := cutter{mtu: mtu, scratch: scratch, emit: emit}
	if len(b) > 0 && b[0]>>4 == 6 {
		return c.cut6(b, id)
	}
	return c.cut4(b)
}

// cutter is a fragmentation under way.
type cutter struct {
	mtu     int
	scratch *link.Frame
	emit    func(*link.Frame) error
}

// cut4 fragments an IPv4 packet (RFC 791 §3.2).
func (c *cutter) cut4(b []byte) error {
	h, err := wire.ParseIPv4(b)
	if err != nil {
		return fmt.Errorf("ip: cannot fragment: %w", err)
	}
	if h.DontFragment() {
		return ErrFragmentationNeeded
	}
	var later [wire.IPv4MaxHeader]byte
	header, data := []byte(h[:h.HeaderLen()]), h.Payload()
	at, more := h.FragmentOffset(), h.MoreFragments()
	if at+len(data) > maxFragmentable(4, len(header)) {
		return ErrTooLong // the offset would begin with zero again, and a piece be taken for the datagram's first
	}
	for len(data) > 0 {
		n, last, err := c.piece(len(header), len(data))
		if err != nil {
			return err
		}
		out := wire.IPv4(c.begin(len(header) + n))
		copy(out[copy(out, header):], data[:n])
		out.SetTotalLen(len(out))
		out.SetFragment(at, more || !last, false)
		out.UpdateChecksum()
		if err := c.emit(c.scratch); err != nil {
			return err
		}
		if at == h.FragmentOffset() {
			header = later[:copyHeader(later[:], header)]
		}
		at, data = at+n, data[n:]
	}
	return nil
}

// copyHeader writes the header of a fragment other than the first, which has only
// the options whose copied flag is set (RFC 791 §3.1), and returns its length.
func copyHeader(out, header []byte) int {
	n := copy(out, header[:wire.IPv4MinHeader])
	w := wire.IPv4(header).WalkOptions()
	for o, ok := w.Next(); ok; o, ok = w.Next() {
		if o.Copied() {
			n += copy(out[n:], header[o.Offset:o.Offset+2+len(o.Data)])
		}
	}
	for ; n%4 != 0; n++ {
		out[n] = wire.IPv4OptionEnd
	}
	out[0] = 4<<4 | byte(n/4)
	return n
}

// cut6 fragments an IPv6 packet (RFC 8200 §4.5). The headers that the nodes on the way
// read go before the fragment header in every fragment.
func (c *cutter) cut6(b []byte, id uint32) error {
	h, err := wire.ParseIPv6(b)
	if err != nil {
		return fmt.Errorf("ip: cannot fragment: %w", err)
	}
	i, err := h.Extensions()
	if err != nil {
		return fmt.Errorf("ip: cannot fragment: %w", err)
	}
	if i.FragOffset != 0 {
		return ErrFragmentationNeeded
	}
	header, data := h[:i.Unfragmentable], h[i.Unfragmentable:]
	next := h[i.UnfragmentableNext]
	for at := 0; len(data) > 0; {
		hl := len(header) + wire.IPv6FragmentHeader
		n, last, err := c.piece(hl, len(data))
		if err != nil {
			return err
		}
		out := c.begin(hl + n)
		copy(out, header)
		out[i.UnfragmentableNext] = wire.ProtoFragment
		wire.PutIPv6Fragment(out[len(header):], next, at, !last, id)
		copy(out[hl:], data[:n])
		wire.IPv6(out).SetPayloadLen(hl + n - wire.IPv6Header)
		if err := c.emit(c.scratch); err != nil {
			return err
		}
		at, data = at+n, data[n:]
	}
	return nil
}

// piece returns how much of the data goes behind a header of hl octets and whether
// that is the last of it. All but the last is a multiple of eight octets.
func (c *cutter) piece(hl, data int) (n int, last bool, err error) {
	room := c.mtu - hl
	switch {
	case room < 8:
		return 0, false, ErrMTU
	case len(c.scratch.Buf) < link.Headroom+hl+min(room, data):
		return 0, false, ErrScratch
	case data <= room:
		return data, true, nil
	}
	return room &^ 7, false, nil
}

// begin makes scratch a frame of n octets.
func (c *cutter) begin(n int) []byte {
	c.scratch.Off, c.scratch.End = link.Headroom, link.Headroom+n
	c.scratch.Offload = link.Offload{}
	return c.scratch.Packet()
}
