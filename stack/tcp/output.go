package tcp

import (
	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/wire"
)

// pendingReply is a reset that is due; without flags there is none.
type pendingReply struct {
	seq, ack seq.Value
	flags    wire.TCPFlags
	own      bool // not an answer to a segment: it carries what every segment of ours does
}

// Output is the one way out: it fills s with the next segment to send, with the payload
// copied to the front of buf, and returns false when there is none. Call it until it
// does. What it returns counts as sent. With s.Ahead the payload may stay where it is.
//
// A payload longer than s.SegmentSize, where that is more than 0, is for the link to cut.
func (c *Conn) Output(now clock.Time, s *Segment, buf []byte) bool {
	if c.parked() {
		c.settled = true
		return false
	}
	if !c.build(now, s, buf) {
		c.settle(now)
		return false
	}
	if c.like != nil {
		c.like.sentAt = now
	}
	c.ctr.SegmentsOut.Add(1)
	c.ctr.OctetsOut.Add(uint64(len(s.Payload)))
	c.stat.countOut(now, s)
	return true
}

// Spent reports whether Output would return false, and has then done what that would do. It is cheaper where
// there was one segment to send, an answer to a request for one, and sure of nothing in any less plain case.
func (c *Conn) Spent(now clock.Time) bool {
	if c.parked() || c.state != StateEstablished || c.reply.flags != 0 || c.acksDue > 0 || c.updateDue || c.keepDue ||
		c.probeDue || c.probing || c.loss.rec != nil || c.loss.hold || c.loss.force || c.unsent() {
		return false
	}
	if f := c.loss.out; f != nil && f.lost.segments > 0 {
		return false
	}
	c.cwndFull = false
	c.settle(now)
	return true
}

// build tries in turn everything that may be due.
func (c *Conn) build(now clock.Time, s *Segment, buf []byte) bool {
	switch {
	case c.reply.flags != 0:
		return c.sendReply(now, s)
	case c.state == StateClosed:
		return false
	case c.synDue:
		return c.sendSyn(now, s)
	case c.state.Synchronized() &&
		(c.sendRetransmission(now, s, buf) || c.sendTailProbe(now, s, buf) || c.sendText(now, s, buf) ||
			c.endHold() && c.sendRetransmission(now, s, buf) ||
			c.sendProbe(now, s, buf) || c.sendKeepAlive(now, s)):
		return true
	}
	return c.sendAck(now, s)
}

// settle is called when nothing more may be sent now: it makes sure that what
// waits for the peer's window does not wait for ever.
func (c *Conn) settle(now clock.Time) {
	c.settled = true
	c.noteLimit(now)
	c.noteUsage(now)
	c.noteAppLimited()
	if c.snd.una == c.snd.nxt && c.state.Synchronized() && c.unsent() && c.rtxAt == clock.Never {
		c.startPersist(now)
	}
}

func (c *Conn) sendReply(now clock.Time, s *Segment) bool {
	s.reset()
	s.Seq, s.Ack, s.Flags = c.reply.seq, c.reply.ack, c.reply.flags
	s.Options.BSD = c.likeFreeBSD()
	if c.reply.own && c.ts.on { // "SHOULD include the option in a <RST>" (RFC 7323 §3.2)
		s.Options.HasTimestamps, s.Options.TSVal, s.Options.TSEcr = true, c.ts.val(now), c.ts.recent
	}
	if c.reply.own && c.likeLinux() {
		s.Window = c.windowField()
	}
	c.reply = pendingReply{}
	c.ctr.ResetsOut.Add(1)
	return true
}

// queueReset makes a reset of the connection due: "<SEQ=SND.NXT><CTL=RST>", with the ACK
// that lets a peer recognize it which was not up to date.
func (c *Conn) queueReset() {
	c.reply = pendingReply{seq: c.ackSeq(), ack: c.rcv.nxt, flags: wire.FlagRST | wire.FlagACK, own: true}
}

// sendSyn sends our SYN, or our SYN,ACK where the peer's SYN is there.
func (c *Conn) sendSyn(now clock.Time, s *Segment) bool {
	c.synDue = false
	if c.loss.force {
		c.synLost = true
	}
	s.reset()
	s.Seq, s.Flags = c.snd.iss, wire.FlagSYN
	if c.state != StateSynSent {
		s.Ack, s.Flags = c.rcv.irs.Add(1), wire.FlagSYN|wire.FlagACK
		if c.like != nil && c.like.synFin {
			s.Ack = s.Ack.Add(1)
		}
	}
	s.Flags |= c.ecnSyn()
	c.synOptions(now, &s.Options)
	s.Window = c.offerUnscaled()
	if c.state != StateSynSent {
		c.ackSent()
	}
	if c.snd.nxt == c.snd.iss {
		c.snd.nxt = c.snd.iss.Add(1)
		c.snd.synTimed = true
		c.progressAt = now
	} else if c.loss.force {
		c.loss.force = false
		c.synLost = true
		c.again++
		c.ctr.SynRetransmits.Add(1)
		c.snd.synTimed = false
	} else { // the SYN,ACK to a SYN that crossed ours, or to one that came again
		c.snd.synTimed = false
	}
	if c.rtxAt == clock.Never {
		c.rtxAt = now.Add(c.rtt.RTO())
	}
	return true
}

// header fills in what every segment has that carries an ACK.
func (c *Conn) header(now clock.Time, s *Segment, at seq.Value) {
	s.reset()
	s.Seq, s.Ack, s.Flags = at, c.rcv.nxt, wire.FlagACK
	c.options(now, &s.Options)
	c.ecnHeader(s)
	s.Window = c.offer()
}

// ackSeq is the sequence number of a segment without text: SND.NXT, or where the window
// was shrunk below that, or a probe lies beyond it, the last number that the peer takes.
func (c *Conn) ackSeq() seq.Value {
	s := &c.snd
	if c.probing || s.room() < 0 && !s.connecting {
		return seq.Min(s.nxt, s.una.Add(int(s.wnd)))
	}
	return s.nxt
}

// sendAck sends an acknowledgment by itself.
func (c *Conn) sendAck(now clock.Time, s *Segment) bool {
	if c.acksDue == 0 && !c.updateDue {
		return false
	}
	if c.acksDue == 0 {
		c.ctr.WindowUpdates.Add(1)
	}
	c.header(now, s, c.ackSeq())
	if c.likeFreeBSD() {
		if c.finQueued && !c.finAcked && !c.like.plain && c.snd.nxt.Sub(c.dataEnd()) == 1 && c.snd.una.Add(1) == c.snd.nxt {
			s.Seq, s.Flags = s.Seq.Add(-1), s.Flags|wire.FlagFIN // it goes with every ACK until it is acknowledged
		}
		c.like.plain = false
	}
	c.ackSent()
	return true
}

// dataStart is the sequence number of the first octet in the send queue.
func (s *sendSpace) dataStart() seq.Value {
	if s.connecting {
		return s.una.Add(1)
	}
	return s.una
}

// dataEnd is the sequence number after the last octet that the user wrote: that of our FIN.
func (c *Conn) dataEnd() seq.Value {
	if c.finAcked {
		return c.snd.una.Add(-1)
	}
	return c.snd.dataStart().Add(c.sendQueue.Len())
}

// unsent reports whether text or a FIN waits to be sent for the first time.
func (c *Conn) unsent() bool {
	end := c.dataEnd()
	return end.Greater(c.snd.nxt) || c.finQueued && end == c.snd.nxt
}

// fill copies the text at sequence number at to the segment, and sets what follows from it.
func (c *Conn) fill(s *Segment, buf []byte, at seq.Value, n, size int, fin bool) {
	off := at.Sub(c.snd.dataStart())
	if s.Ahead > 0 {
		s.Block = c.sendQueue.Block(off, n, s.Ahead)
	}
	if s.Block != nil {
		s.Payload = s.Block.B[:n]
	} else {
		s.Payload = buf[:c.sendQueue.CopyAt(buf[:n], off)]
	}
	if n > 0 && c.pushes(at, n, size) {
		s.Flags |= wire.FlagPSH
	}
	if fin {
		s.Flags |= wire.FlagFIN
	}
	if c.snd.urgent && at.Less(c.snd.up) {
		s.Flags |= wire.FlagURG
		s.Urgent = uint16(min(c.snd.up.Sub(at), 0xffff))
	}
	if n > size {
		s.SegmentSize = size
	}
}
