package tcp

import (
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/wire"
)

// Segment is a TCP segment without its ports: what a connection takes in and puts out.
type Segment struct {
	// Seq and Ack are SEG.SEQ and SEG.ACK; Ack counts where Flags has FlagACK.
	Seq, Ack seq.Value
	// Flags are the control bits.
	Flags wire.TCPFlags
	// Window is the window field as on the wire, not scaled; Urgent is the urgent
	// pointer, which counts where Flags has FlagURG.
	Window, Urgent uint16
	// ECN is the ECN field of the IP header (RFC 3168 §5), both ways: NotECT, ECT0, ECT1
	// or CE. On output it is for every piece that the link cuts Payload into.
	ECN uint8
	// Options are the header's options.
	Options wire.TCPOptions
	// Payload is the text. On input it is lent for the call; on output it points
	// into the buffer that Output was given.
	Payload []byte
	// SegmentSize is, on input, the payload of each wire segment that this one was
	// coalesced from; 0 where it was one. On output it is more than 0 where the
	// link is to cut Payload into pieces of this size.
	SegmentSize int
	// Ahead, set before Output, allows a text to stay where it lies in the send queue if it begins a
	// block with so many octets free before it; 0 has it copied. Block is that block then, of which the
	// caller has become an owner, and Payload lies in it.
	Ahead int
	// Block, on input, is the block that Payload lies in, where the caller would rather
	// give it away than have a large text copied. Input sets it to nil where it has
	// taken it. nil is no offer.
	Block *mem.Block
	// Lend, on input, is a block of no pool, by which Input may leave Payload in the receive queue
	// where it lies, rather than copy it. The caller calls Conn.Keep before Payload goes away. nil is no offer.
	Lend *mem.Block
}

// ParseSegment fills s from a checked view, whose payload it borrows. It returns
// wire.ErrTCPOption where the options are malformed: what was read before the fault
// counts, and the segment is good to use all the same (RFC 9293 §3.2, MUST-7).
func ParseSegment(b wire.TCP, s *Segment) error {
	s.Seq, s.Ack = seq.Value(b.Seq()), seq.Value(b.Ack())
	s.Flags = b.Flags()
	s.Window, s.Urgent = b.Window(), b.Urgent()
	s.Payload = b.Payload()
	s.SegmentSize, s.Ahead, s.Block, s.Lend, s.ECN = 0, 0, nil, nil, NotECT
	return wire.ParseTCPOptions(b.Options(), &s.Options)
}

// Len is SEG.LEN: how many sequence numbers the segment occupies, SYN and FIN
// included (RFC 9293 §3.4).
func (s *Segment) Len() int {
	n := len(s.Payload)
	if s.Flags&wire.FlagSYN != 0 {
		n++
	}
	if s.Flags&wire.FlagFIN != 0 {
		n++
	}
	return n
}

// End is the sequence number after the segment's last.
func (s *Segment) End() seq.Value { return s.Seq.Add(s.Len()) }

// has reports whether every bit of bits is set.
func (s *Segment) has(bits wire.TCPFlags) bool { return s.Flags&bits == bits }

// segments returns how many wire segments the payload came in.
func (s *Segment) segments() int {
	if s.SegmentSize <= 0 || len(s.Payload) <= s.SegmentSize {
		return 1
	}
	return (len(s.Payload) + s.SegmentSize - 1) / s.SegmentSize
}

// reset makes s an empty segment.
func (s *Segment) reset() { *s = Segment{Ahead: s.Ahead} }
