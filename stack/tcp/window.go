package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// window is RCV.WND: what of the offered window is still open.
func (r *recvSpace) window() uint32 { return uint32(max(r.edge.Sub(r.nxt), 0)) }

// free is what the window could be: the room in the receive buffer. Text out of order
// lies inside the window and so is not taken off.
// It keeps within the user's bound.
func (c *Conn) free() int {
	n := min(max(c.rcv.limit()-c.recvQueue.Len(), 0), 0xffff<<c.rcv.shift)
	if clamp := c.WindowClamp(); clamp > 0 {
		n = min(n, clamp)
	}
	return n
}

// step is the least by which it is worth to open the window: "min( Fr * RCV.BUFF,
// Eff.snd.MSS )", Fr being 1/2 (RFC 9293 §3.8.6.2.2).
func (r *recvSpace) step() int { return max(min(r.limit()/2, int(r.mss)), 1) }

// offer decides what window the segment being built announces, and returns the field.
//
// The right edge stays where it is until it can move by a step, "to avoid
// advancing the right window edge in small increments" (RFC 9293 §3.8.6.2.2), and it
// never moves left: "TCP peer SHOULD NOT shrink the window" (RFC 9293 §3.8.6, SHLD-14).
// Since the field counts in units of the scale, what is left of the window
// is rounded up to a whole unit; a peer that sends little at a time would so gain
// ground with each ACK, and beyond a slack it is rounded down, which RFC 7323 §2.4
// expects: whatever was offered once is still accepted.
func (c *Conn) offer() uint16 {
	r := &c.rcv
	switch {
	case c.likeLinux():
		return c.offerLinux()
	case c.likeFreeBSD():
		return c.offerFreeBSD()
	}
	cur, free := int(r.window()), c.free()
	win := cur
	if free-cur >= r.step() {
		win = max(free>>r.shift<<r.shift, cur)
	}
	field := win >> r.shift
	if field<<r.shift < cur && cur-free <= max(1<<r.shift, r.limit()/16) {
		field++
	}
	field = min(field, 0xffff)
	r.edge = seq.Max(r.edge, r.nxt.Add(field<<r.shift))
	return uint16(field)
}

// offerUnscaled is offer for a SYN: "The window field in a segment where the SYN bit is
// set ... MUST NOT be scaled" (RFC 7323 §2.2).
func (c *Conn) offerUnscaled() uint16 {
	r := &c.rcv
	field := min(c.free(), 0xffff)
	if c.likeLinux() {
		field = c.synWindowLinux()
	}
	r.edge = seq.Max(r.edge, r.nxt.Add(field))
	if c.likeFreeBSD() {
		c.like.adv = seq.Max(c.like.adv, r.nxt.Add(field))
	}
	return uint16(field)
}

// windowField is the window on offer as the field has it.
func (c *Conn) windowField() uint16 {
	return uint16(min(c.rcv.window()>>c.rcv.shift, 0xffff))
}

// windowMayOpen notes that an ACK is worth sending for its window alone, after the user
// has read: the window at least doubles, and moves by a step.
func (c *Conn) windowMayOpen() {
	if !c.state.takesText() || c.userGone {
		return
	}
	if c.like != nil {
		if c.likeLinux() && c.opensLinux() || c.likeFreeBSD() && c.opensFreeBSD() {
			c.updateDue, c.settled = true, false
		}
		return
	}
	cur := int(c.rcv.window())
	gain := c.free() - cur
	if gain >= c.rcv.step() && gain >= cur {
		c.updateDue, c.settled = true, false
	}
}

// fitSpan is over how long at least it is measured what the user reads: a reader takes much at a time,
// and a round trip may be shorter than it is between two of its calls.
const fitSpan = 4 * time.Millisecond

// fitText is how much a connection has read that is not parked before it has had nothing to do twice.
const fitText = 64 << 10

// fitReceive lets the receive buffer grow to twice what the user reads in a round trip, so that a window
// that limits the peer doubles with each. The least round trip counts: those of late have waited
// in queues, and the longer the larger the window is. On a short path the window stays
// small, and what lies in it in the caches.
func (c *Conn) fitReceive(now clock.Time, n int) {
	a, r := c.active, &c.rcv
	if a.readSince == 0 {
		a.readSince = now
		return
	}
	a.read += n
	a.reading = a.reading || a.read >= fitText
	rtt, span := c.rtt.Min(), now.Sub(a.readSince)
	if rtt == 0 {
		rtt = r.rtt.duration()
	}
	if rtt == 0 || span < max(rtt, fitSpan) {
		return
	}
	each := min(int(float64(a.read)*float64(rtt)/float64(span)), c.set.ReceiveSizes[2])
	a.read, a.readSince = 0, now
	r.space = uint32(each)
	if n := min(2*each, c.set.ReceiveSizes[2]); n > r.limit() {
		r.buffer = size32(n)
		if c.ooo != nil {
			c.ooo.SetLimit(c.reassemblyLimit())
		}
	}
}

// room is how much more the peer's window takes; below zero where it was shrunk.
func (s *sendSpace) room() int { return s.una.Add(int(s.wnd)).Sub(s.nxt) }

// setWindow takes over SND.WND from a segment.
func (c *Conn) setWindow(a *arrival, shift uint8) {
	s := &c.snd
	wnd := uint32(a.seg.Window) << shift
	if wnd == 0 && s.wnd != 0 {
		c.ctr.ZeroWindows.Add(1)
	}
	s.wnd, s.wl1, s.wl2 = wnd, a.seq, a.seg.Ack
	s.maxWnd = max(s.maxWnd, wnd)
}

// updateSendWindow is the window part of the fifth step: "If (SND.WL1 < SEG.SEQ or
// (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK)), set SND.WND <- SEG.WND". It reports whether
// the window grew.
//
// A segment that acknowledges something new is newer than all before it, though it may
// bring text that was sent again and so come before SND.WL1: its window counts too, for the
// old one, put to the new SND.UNA, would reach beyond what the peer has offered.
func (c *Conn) updateSendWindow(a *arrival, newly bool) bool {
	s := &c.snd
	if !newly && !s.wl1.Less(a.seq) && !(s.wl1 == a.seq && s.wl2.LessEq(a.seg.Ack)) {
		return false
	}
	before, wl1 := s.room(), s.wl1
	c.setWindow(a, s.shift)
	s.wl1 = seq.Max(wl1, a.seq)
	return s.room() > before
}

// idleFor reports whether nothing was sent for longer than the retransmission timeout.
func (c *Conn) idleFor(now clock.Time) bool {
	return c.sentAt != 0 && now.Sub(c.sentAt) > c.rtt.RTO()
}
