package tcp

import (
	"syscall"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/wire"
)

// fifthAck checks the ACK field (RFC 9293 §3.10.7.4 fifth).
func (c *Conn) fifthAck(a *arrival) bool {
	if !a.ack() { // "if the ACK bit is off, drop the segment and return"
		c.ctr.NoAck.Add(1)
		return false
	}
	if c.state == StateSynReceived && !c.fifthAckSynReceived(a) {
		return false
	}
	if !c.ackInRange(a) {
		return false
	}
	if a.stamp {
		c.recordTimestamp(a)
	}
	c.acknowledged(a)
	return c.fifthAckStates(a)
}

// fifthAckSynReceived: "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED state and
// continue processing ... If the segment acknowledgment is not acceptable, form a reset
// segment <SEQ=SEG.ACK><CTL=RST> and send it."
func (c *Conn) fifthAckSynReceived(a *arrival) bool {
	if a.seg.Ack.LessEq(c.snd.una) || a.seg.Ack.Greater(c.snd.nxt) {
		c.ctr.NotForThisState.Add(1)
		c.reply = pendingReply{seq: a.seg.Ack, flags: wire.FlagRST}
		return false
	}
	if c.deferHandshake(a) {
		return false
	}
	c.state = StateEstablished
	shift := c.snd.shift
	if a.syn() {
		shift = 0
	}
	c.setWindow(a, shift)
	return true
}

// deferHandshake passes over a bare ACK that would end the handshake of a connection whose
// user wants to hear of it only once there is text, as Linux's TCP_DEFER_ACCEPT does, as long as
// that may take. A FIN, or text that is ahead of what is missing, ends the wait as well.
func (c *Conn) deferHandshake(a *arrival) bool {
	if !c.deferring || a.seg.Seq.Add(len(a.seg.Payload)) != c.rcv.irs.Add(1) || a.seg.has(wire.FlagFIN) || c.tries >= c.deferMax {
		return false
	}
	c.deferred = true
	return true
}

// timeoutsWithin returns how many timeouts of a SYN,ACK come within d.
func (c *Conn) timeoutsWithin(d time.Duration) uint8 {
	if d <= 0 {
		return 0
	}
	n, rto := 1, max(c.rtt.RTO(), time.Millisecond)
	for at := rto; at < d && n < 255; n++ {
		rto = min(2*rto, max(c.set.RTO.Max, time.Millisecond))
		at += rto
	}
	return uint8(n)
}

// ackInRange: "The ACK value is considered acceptable only if it is in the range of
// ((SND.UNA - MAX.SND.WND) =< SEG.ACK =< SND.NXT). All incoming segments whose ACK value
// doesn't satisfy the above condition MUST be discarded and an ACK sent back" (RFC 5961
// §5.2).
func (c *Conn) ackInRange(a *arrival) bool {
	ack, s := a.seg.Ack, &c.snd
	if ack.Greater(s.nxt) && !c.probeTaken(ack) {
		c.ctr.AckTooNew.Add(1)
		switch {
		case c.likeLinux() && c.state == StateEstablished: // dropped without a word
		case c.likeFreeBSD():
			c.ackNow()
		default:
			c.challenge(a.now)
		}
		return false
	}
	if ack.Less(s.una.Add(-int(s.maxWnd))) && !c.set.InsecureAck {
		c.ctr.AckTooOld.Add(1)
		c.challenge(a.now)
		return false
	}
	return true
}

// acknowledged takes in an acceptable ACK: what it acknowledges, what it
// says of the window, and what that says of losses.
func (c *Conn) acknowledged(a *arrival) {
	if a.seg.Ack.Less(c.snd.una) {
		c.old(a)
		return // "If the ACK is a duplicate (SEG.ACK =< SND.UNA), it can be ignored"
	}
	c.takeBackProbe(a)
	newly := a.seg.Ack.Sub(c.snd.una)
	connecting := c.snd.connecting
	n := c.hear(a)
	if newly > 0 {
		c.advance(a, newly)
	}
	if a.syn() {
		c.setWindow(a, 0)
	} else if c.updateSendWindow(a, newly > 0) && c.persist {
		c.stopPersist()
	}
	if c.tries > 0 && (c.persist || (c.snd.wnd == 0 || c.snd.room() < 0) && !c.userGone) {
		// The peer answers: its window may stay closed for ever (RFC 9293 §3.8.6.1). With text
		// outstanding that is one taken back, and only a user can tell how long to wait.
		c.tries = 0
	}
	if connecting && newly > 0 {
		c.establish(a)
		if c.loss.out != nil { // the FIN had left already
			c.learn(a, &n)
		}
		return
	}
	c.learn(a, &n)
	if a.freed {
		c.tellRoom(a)
	}
}

// hear notes what of an ACK does not depend on the flight. What carries text or another window
// is no duplicate: "the segment has no text, SYN or FIN ... and its window is the one last
// announced" (RFC 5681 §2).
func (c *Conn) hear(a *arrival) news {
	o := &a.seg.Options
	return news{
		now: a.now, prior: c.snd.una, fack: c.fack(), low: c.snd.nxt, flight: c.snd.nxt.Sub(c.snd.una),
		advanced: a.seg.Ack != c.snd.una,
		data:     a.seg.Len() > 0 || uint32(a.seg.Window)<<c.snd.shift != c.snd.wnd,
		echo:     c.ecnEchoed(a.seg),
		tsEcho:   o.TSEcr, echoed: c.ts.on && o.HasTimestamps && o.TSEcr != 0,
	}
}

// advance moves SND.UNA by n: lets go of what was acknowledged.
func (c *Conn) advance(a *arrival, n int) {
	s := &c.snd
	s.una = s.una.Add(n)
	c.stat.octetsAcked += uint64(n)
	if s.connecting {
		if o := &a.seg.Options; c.synLost && c.ts.on && o.HasTimestamps && o.TSEcr == c.ts.val(c.progressAt) {
			c.synLost = false // the first one has arrived: it was late
		}
		c.measureSYN(a)
		if n--; c.passive { // the SYN, which counts where it is ours alone, as Linux counts it
			c.stat.octetsAcked--
		}
		s.connecting, c.synDue = false, false
	}
	if c.likeFreeBSD() {
		c.growSendBSD()
	}
	if text := c.sendQueue.Discard(min(n, c.sendQueue.Len())); text < n {
		c.finAcked = true
		a.events |= EventFinAcked
	} else {
		a.freed = text > 0
	}
	s.sml = seq.Max(s.sml, s.una)
	s.urgent = s.urgent && s.una.Less(s.up)
	c.tries, c.probeShift, c.progressAt = 0, 0, a.now
	if c.probed = false; c.soft != 0 {
		c.own().soft = 0
	}
	if s.una == s.nxt { // RFC 6298 §5.2
		c.rtxAt, c.persist, c.timer = clock.Never, false, timerRetransmit
	}
}

// establish is the end of the handshake: our SYN has been acknowledged.
func (c *Conn) establish(a *arrival) {
	c.begin()
	c.stat.established(a.now)
	if c.likeLinux() {
		c.settleWindowLinux()
		c.rcv.space = uint32(min(c.like.ssthresh, int(c.rcv.window()), 10*int(c.rcv.mss)))
		if c.like.sendGrows {
			c.expandSendBuffer()
		}
	}
	c.loss.force = false
	if c.snd.una != c.snd.nxt {
		c.rearm(a.now, timerRetransmit)
	}
	if c.synLost && !c.rtt.Sampled() {
		c.rtt.LostSYN()
	}
	if c.set.CwndInSegments {
		c.delivered++ // our SYN
	}
	c.ctr.Established.Add(1)
	a.events |= EventConnected | EventWritable
	if c.finQueued && c.state == StateEstablished {
		c.state = StateFinWait1 // CLOSE was queued in SYN-RECEIVED (§3.10.4)
	}
}

// begin readies what sending text needs.
func (c *Conn) begin() {
	if c.cc != nil {
		return
	}
	c.cc = c.newControl()
	c.cc.Init(int(c.snd.mss), c.initialWindow())
	c.cc.SetBurst(c.snd.maxSegment())
}

// initialWindow is IW in segments.
func (c *Conn) initialWindow() int {
	if c.synLost && int(c.again) > c.set.SynLosses {
		return 1 // RFC 5681 §3.1
	}
	return c.set.InitialWindow
}

// fifthAckStates is what the fifth step adds for each state after ESTABLISHED.
func (c *Conn) fifthAckStates(a *arrival) bool {
	if !c.finAcked {
		return true
	}
	switch c.state {
	case StateFinWait1: // "if the FIN segment is now acknowledged, then enter FIN-WAIT-2"
		c.state = StateFinWait2
		if c.boundFinWait2(a.now); c.state == StateClosed {
			if c.likeLinux() {
				c.reply = pendingReply{seq: a.seg.Ack, flags: wire.FlagRST}
			}
			a.events |= EventClosed
			return false
		}
	case StateClosing: // "then enter the TIME-WAIT state"
		c.enterTimeWait(a)
		return false
	case StateLastAck: // "delete the TCB, enter the CLOSED state"
		c.closed(a)
		return false
	}
	return true
}

// boundFinWait2 starts the timer that ends FIN-WAIT-2 where nobody waits for the peer. A user that
// wanted no such wait has the connection reset.
func (c *Conn) boundFinWait2(now clock.Time) {
	if !c.userGone || c.state != StateFinWait2 {
		return
	}
	d := c.Linger2()
	if d < 0 {
		c.queueReset()
		c.enterClosed()
		return
	}
	c.lingerAt = now.Add(d)
}

// fail ends the connection with an error for the user.
func (c *Conn) fail(a *arrival, err syscall.Errno) {
	if !c.state.Synchronized() {
		c.ctr.ConnectFailures.Add(1)
	}
	c.err = errno(err)
	a.events |= EventError
	c.closed(a)
}

// closed enters CLOSED. What was received in order stays to be read.
func (c *Conn) closed(a *arrival) {
	c.enterClosed()
	a.events |= EventClosed
}
