package ip

import (
	"bytes"
	"slices"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/wire"
)

// What a datagram and a fragment cost beside the fragments' blocks, in octets, about.
const (
	partialCost  = 384
	fragmentCost = 64
)

// partial is a datagram under way.
type partial struct {
	key
	source   *source
	links    [2]links // in Reassembler.byAge, in source.list
	deadline clock.Time

	pieces []piece // by offset
	header []byte  // of the first fragment, whose data lie behind it; nil while that is missing
	end    int     // length of the whole payload; -1 while the last fragment is missing
	have   int     // octets of payload in pieces
	cost   int
	dead   Drop // why the datagram was refused; it stays to refuse the rest of it

	version, ecn      uint8
	noError, loopback bool
	fragHeader        int // of the first fragment, as in Packet
	fragNext          int
}

// piece is one fragment's part of the payload.
type piece struct {
	off   int
	data  []byte
	block *mem.Block
}

func (c *piece) end() int { return c.off + len(c.data) }

// place finds where the fragment belongs. Any overlap, and any disagreement about
// where the datagram ends, refuses all of it (RFC 5722 §4, RFC 8200 §4.5; for IPv4
// RFC 791 has the later fragment win, and every use of that was an attack, RFC 1858).
// The very same fragment again is no overlap.
func (q *partial) place(p *Packet) (at int, d Drop) {
	off, end := p.FragOffset, p.FragOffset+len(p.Payload)
	at = len(q.pieces)
	if at > 0 && q.pieces[at-1].end() > off {
		at, _ = slices.BinarySearchFunc(q.pieces, off, func(c piece, off int) int {
			if c.end() > off {
				return 1
			}
			return -1
		})
	}
	if at < len(q.pieces) {
		c := &q.pieces[at]
		if c.off == off && bytes.Equal(c.data, p.Payload) && p.MoreFragments == (end != q.end) {
			return at, DropFragmentDuplicate
		}
		if c.off < end || !p.MoreFragments {
			return at, DropFragmentOverlap
		}
	}
	if q.end >= 0 && end > q.end {
		return at, DropFragmentOverlap
	}
	return at, DropNone
}

// insert copies the fragment in at its place, making room for it first.
func (r *Reassembler) insert(q *partial, p *Packet, at int) Drop {
	octets := p.Payload
	if p.FragOffset == 0 {
		octets = p.Frame.Packet()
	}
	cost := mem.ClassSize(len(octets)) + fragmentCost
	if len(q.pieces) >= r.limits.Fragments || !r.room(q, cost) {
		return DropFragmentTooMany
	}
	c := piece{off: p.FragOffset, block: r.pool.Get(len(octets))}
	copy(c.block.B, octets)
	c.data = c.block.B[:len(octets)]
	if p.FragOffset == 0 {
		n := len(p.Header)
		q.header, c.data = c.data[:n:n], c.data[n:]
		q.fragHeader, q.fragNext = p.fragHeader, p.fragNext
	}
	q.pieces = slices.Insert(q.pieces, at, c)
	q.have += len(c.data)
	if !p.MoreFragments {
		q.end = c.end()
	}
	q.ecn |= 1 << (p.TOS & 3)
	q.noError = q.noError || p.NoError
	r.charge(q, cost)
	return DropNone
}

// release gives the blocks back.
func (q *partial) release() {
	for i := range q.pieces {
		q.pieces[i].block.Release()
	}
	q.pieces, q.header = nil, nil
}

// emitFirst calls emit with the first fragment, if it is there.
func (q *partial) emitFirst(emit func(*Packet)) {
	if q.header == nil {
		return
	}
	block := q.pieces[0].block
	f := link.Frame{Buf: block.B, End: len(q.header) + len(q.pieces[0].data)}
	var p Packet
	if parse(&f, &p, q.loopback) == DropNone {
		p.NoError = q.noError
		emit(&p)
	}
}

// assemble makes the datagram of its pieces, which are all there.
func (r *Reassembler) assemble(q *partial) (*Datagram, Drop) {
	if q.end > maxFragmentable(q.version, len(q.header)) {
		return nil, DropFragmentTooLarge
	}
	ce, ok := mergeECN(q.ecn)
	if !ok {
		return nil, DropFragmentECN
	}
	block := r.pool.Get(link.Headroom + len(q.header) + q.end)
	d := &Datagram{block: block}
	d.Buf, d.Off = block.B, link.Headroom
	b := block.B[link.Headroom:]
	n := q.putHeader(b, ce)
	for i := range q.pieces {
		n += copy(b[n:], q.pieces[i].data)
	}
	d.End = d.Off + n
	return d, DropNone
}

// putHeader writes the first fragment's header as that of a whole packet.
func (q *partial) putHeader(b []byte, ce bool) int {
	n := copy(b, q.header)
	if q.version == 4 {
		h := wire.IPv4(b[:n])
		h.SetTotalLen(n + q.end)
		h.SetFragment(0, false, false)
		if ce {
			h.SetTOS(h.TOS() | 3)
		}
		h.UpdateChecksum()
		return n
	}
	b[q.fragNext] = b[q.fragHeader]
	n = q.fragHeader + copy(b[q.fragHeader:], q.header[q.fragHeader+wire.IPv6FragmentHeader:])
	h := wire.IPv6(b[:n])
	h.SetPayloadLen(n - wire.IPv6Header + q.end)
	if ce {
		h.SetTrafficClass(h.TrafficClass() | 3)
	}
	return n
}

// mergeECN says how the ECN fields of the fragments, a set of bits, go together
// (RFC 3168 §5.3): congestion that one of them met is kept, and fragments of which
// some are ECN-capable and some are not are refused.
func mergeECN(set uint8) (ce, ok bool) {
	const notECT, ceBit = 1 << 0, 1 << 3
	if set&notECT != 0 && set != notECT {
		return false, false
	}
	return set&ceBit != 0, true
}
