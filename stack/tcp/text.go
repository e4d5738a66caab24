package tcp

import (
	"syscall"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp/reasm"
	"github.com/weirnet/weir/stack/tcp/stream"
	"github.com/weirnet/weir/stack/wire"
)

// sixthUrgent checks the URG bit: "RCV.UP <- max(RCV.UP,SEG.UP), and signal the user that
// the remote side has urgent data" (RFC 9293 §3.10.7.4 sixth). The text itself is
// delivered in line (RFC 6093 §6).
func (c *Conn) sixthUrgent(a *arrival) bool {
	if !a.seg.has(wire.FlagURG) || !c.state.takesText() || c.userGone {
		return true
	}
	up := a.seg.Seq.Add(max(int(a.seg.Urgent), 1))
	if c.set.UrgentBehind {
		up = a.seg.Seq.Add(int(a.seg.Urgent) + 1)
	}
	r := &c.rcv
	if r.urgent && up.LessEq(r.up) || up.LessEq(r.nxt.Add(-c.recvQueue.Len())) {
		return true
	}
	c.passMark() // of two, only the later is marked
	r.urgent, r.urgentRead, r.up = true, false, up
	c.ctr.UrgentIn.Add(1)
	a.events |= EventUrgent
	return true
}

// seventhText processes the segment text (seventh). In CLOSE-WAIT and later "a FIN has
// been received from the remote side. Ignore the segment text."
func (c *Conn) seventhText(a *arrival) bool {
	if !c.state.takesText() {
		return true
	}
	if len(a.text) > 0 && (c.userGone || c.deaf && c.likeLinux() && c.state != StateEstablished) {
		c.abortOnText(a)
		return false
	}
	c.noteFin(a)
	switch {
	case len(a.text) == 0 && a.fin && a.seq != c.rcv.nxt:
		c.dupAck() // a FIN by itself may be out of order as well
	case len(a.text) == 0:
	case a.seq == c.rcv.nxt:
		c.textInOrder(a)
	default:
		c.textOutOfOrder(a)
	}
	return true
}

// abortOnText: "If such a host issues a CLOSE call while received data is still pending
// in TCP, or if new data is received after CLOSE is called, its TCP SHOULD send a
// RST to show that data was lost" (RFC 9293 §3.6.1).
func (c *Conn) abortOnText(a *arrival) {
	c.ctr.AbortedOnData.Add(1)
	c.queueReset()
	if c.like != nil { // as if there were no connection: see Refuse
		c.reply = pendingReply{seq: a.seg.Ack, flags: wire.FlagRST}
	}
	c.fail(a, syscall.ECONNRESET)
}

// noteFin remembers where the peer's stream ends, which may be ahead of RCV.NXT, and cuts
// off text behind it.
func (c *Conn) noteFin(a *arrival) {
	if a.fin && !c.peerFin {
		c.peerFin, c.rcv.fin = true, a.seq.Add(len(a.text))
		return
	}
	if !c.peerFin {
		return
	}
	if room := c.rcv.fin.Sub(a.seq); room < len(a.text) {
		c.ctr.AfterFin.Add(1)
		a.text = a.text[:max(room, 0)]
	}
}

// textInOrder takes text at RCV.NXT, and what it makes contiguous.
func (c *Conn) textInOrder(a *arrival) {
	r := &c.rcv
	if !c.deaf || c.likeLinux() {
		c.keepText(a)
		a.events |= EventReadable
	}
	if c.ooo != nil {
		c.noteHeld(a)
	}
	r.nxt = r.nxt.Add(len(a.text))
	if c.likeLinux() {
		c.textLinux(a)
	}
	c.stat.octetsReceived += uint64(len(a.text))
	// Duplicate ACKs that were due would now all have the new number, and tell the peer of
	// the loss of what follows.
	c.acksDue = min(c.acksDue, 1)
	if c.ooo == nil {
		c.countText(a)
		return
	}
	if held := c.ooo.Range(0); held.Start.Less(r.nxt) {
		c.noteTwice(held.Start, seq.Min(held.End, r.nxt))
	}
	pulled := c.pullText()
	r.nxt = r.nxt.Add(pulled)
	c.stat.octetsReceived += uint64(pulled)
	c.dropEmptyReassembly()
	// "A TCP receiver SHOULD send an immediate ACK when the incoming segment fills in all or
	// part of a gap in the sequence space" (RFC 5681 §4.2).
	c.ackNow()
	if c.peerFin && r.fin.Less(r.nxt) {
		c.peerFin = false // text was there beyond it: it was not the end
		c.ctr.AfterFin.Add(1)
	}
}

// pullText takes out of reassembly what has become contiguous, for the user, where it still
// reads, and returns how much that was.
func (c *Conn) pullText() int {
	r := &c.rcv
	if !c.deaf || c.likeLinux() {
		return c.ooo.Pull(r.nxt, &c.recvQueue)
	}
	var waste stream.RecvQueue
	waste.Init(c.pool)
	defer waste.Release()
	return c.ooo.Pull(r.nxt, &waste)
}

// keepFrom is the least text for which its block is kept rather than copied from: half a
// block, so that the memory for a buffer is at most twice its bound.
const keepFrom = mem.FrameBlock / 2

// keepText puts text at the end of the receive queue: by taking its block over, where that was
// offered and is worth it, else by a copy.
func (c *Conn) keepText(a *arrival) {
	if a.seg.Lend != nil && c.mayLend() {
		c.recvQueue.Borrow(a.seg.Lend, a.text)
		return
	}
	if a.seg.Block != nil && len(a.text) >= keepFrom {
		c.recvQueue.Take(a.seg.Block, a.text)
		a.seg.Block = nil
		return
	}
	c.recvQueue.Append(a.text)
}

// mayLend reports whether text may lie in the receive queue without a copy: where it is the first there, and
// nothing but the user's reading is likely to come before Keep.
func (c *Conn) mayLend() bool {
	return c.recvQueue.Len() == 0 && c.ooo == nil && c.like == nil && !c.rcv.urgent
}

// Keep is called after Input, and after the user's calls, for a segment that had a Lend, before its Payload goes
// away: what the user has left of the text is kept, with the segment's Block where
// that is worth it, else by a copy.
func (c *Conn) Keep(s *Segment) {
	if c.parked() {
		return
	}
	give := s.Block
	if len(s.Payload) < keepFrom {
		give = nil
	}
	if !c.parked() && c.recvQueue.Keep(s.Lend, give) {
		s.Block = nil
	}
}

// textOutOfOrder puts text aside until what is missing before it comes. "Out-of-order
// data segments SHOULD be acknowledged immediately" (RFC 5681 §4.2).
func (c *Conn) textOutOfOrder(a *arrival) {
	if c.ooo == nil {
		c.ooo = new(reasm.Queue)
		c.ooo.Init(c.pool)
		c.ooo.SetLimit(c.reassemblyLimit())
	}
	if c.likeLinux() {
		c.measureSegment(a)
		c.growWindowLinux(len(a.text))
	}
	stored, dup := c.ooo.Insert(a.seq, a.text)
	c.ctr.OutOfOrder.Add(1)
	c.stat.outOfOrderIn += uint32(a.seg.segments())
	if dup.Len() > 0 {
		c.ctr.DuplicateText.Add(1)
		c.noteTwice(dup.Start, dup.End)
	}
	if stored+dup.Len() < len(a.text) {
		c.ctr.OutOfOrderFull.Add(1)
	}
	c.dropEmptyReassembly()
	c.dupAck()
}

func (c *Conn) reassemblyLimit() int {
	if c.set.ReassemblyLimit > 0 {
		return c.set.ReassemblyLimit
	}
	return 2*c.rcv.limit() + 2*reasm.PageSize
}

func (c *Conn) dropEmptyReassembly() {
	if c.ooo != nil && c.ooo.Empty() {
		c.ooo.Release()
		c.ooo = nil
	}
}

// eighthFin checks the FIN bit (eighth). The FIN counts when RCV.NXT has reached it.
func (c *Conn) eighthFin(a *arrival) bool {
	r := &c.rcv
	if !c.peerFin || r.nxt != r.fin || !c.state.takesText() {
		return true
	}
	r.nxt = r.nxt.Add(1) // "advance RCV.NXT over the FIN, and send an acknowledgment"
	r.edge = seq.Max(r.edge, r.nxt)
	if c.likeLinux() && c.state == StateEstablished && c.ooo == nil {
		c.pingpong = true // the user's own FIN may carry the ACK
		if c.ackLinux(a.now); c.recvQueue.Len() >= c.fullSpace() {
			c.ackNow()
		}
	} else {
		c.ackNow()
	}
	if c.ooo != nil {
		c.ooo.Release()
		c.ooo = nil
	}
	if c.set.FinEndsSACK {
		c.twice = seq.Range{}
	}
	a.events |= EventFin
	switch c.state {
	case StateEstablished:
		c.state = StateCloseWait
	case StateFinWait1: // our FIN is not acknowledged, or the fifth step had moved on
		c.state = StateClosing
	case StateFinWait2:
		c.enterTimeWait(a)
	}
	return true
}

// countText decides when text in order is acknowledged: "an ACK SHOULD be generated for
// at least every second full-sized segment, and MUST be generated within 500 ms"
// (RFC 5681 §4.2, RFC 9293 §3.8.6.3).
func (c *Conn) countText(a *arrival) {
	n := a.seg.segments()
	if c.likeLinux() {
		c.unacked = uint8(min(int(c.unacked)+n, 255))
		if a.beyond && c.stat.octetsReceived == uint64(len(a.text)) { // the first text of all
			c.delayLinux(a.now)
			return
		}
		c.ackLinux(a.now)
		return
	}
	c.unacked = uint8(min(int(c.unacked)+n, 255))
	switch {
	case c.quick > 0:
		c.quick -= uint8(min(n, int(c.quick)))
		c.ackNow()
	case c.unacked >= 2 || c.set.DelAckTimeout <= 0:
		c.ackNow()
	case c.ackAt == clock.Never:
		c.ackAt = a.now.Add(c.set.DelAckTimeout)
	}
}

// ackNow makes an ACK due at once, alone or with text.
func (c *Conn) ackNow() {
	c.acksDue, c.settled = max(c.acksDue, 1), false
}

// dupAck makes a duplicate ACK due. A peer without SACK counts them, so that each
// segment out of order needs one of its own.
func (c *Conn) dupAck() {
	if c.sackOK {
		c.ackNow()
		return
	}
	c.acksDue, c.settled = uint8(min(int(c.acksDue)+1, 64)), false
}

// ackSent notes that a segment with RCV.NXT in its ACK field is leaving.
func (c *Conn) ackSent() {
	if c.likeLinux() {
		c.ackedLinux()
	}
	c.rcv.lastAck, c.twice = c.rcv.nxt, seq.Range{}
	c.unacked, c.updateDue, c.ackAt = 0, false, clock.Never
	if c.acksDue > 0 {
		c.acksDue--
	}
}
