package tcp

import (
	"math"
	"syscall"

	"github.com/weirnet/weir/stack/clock"
)

// Deadline returns the earliest instant at which Expire has something to do, or Never.
func (c *Conn) Deadline() clock.Time {
	if c.state == StateClosed {
		return clock.Never
	}
	return min(c.rtxAt, c.ackAt, c.lingerAt, c.userTimeoutAt(), c.keepAliveAt())
}

// Expire runs the timers that have passed. Called early, it does nothing. What there is
// to send leaves by Output.
func (c *Conn) Expire(now clock.Time) Events {
	if !c.Deadline().Reached(now) {
		return 0
	}
	c.wake()
	c.settled = false
	a := arrival{now: now}
	if c.ackAt.Reached(now) {
		c.ackAt = clock.Never
		c.ctr.DelayedAcks.Add(1)
		if c.likeLinux() {
			c.delayedLinux()
		}
		c.ackNow()
	}
	switch {
	case c.userTimeoutAt().Reached(now):
		c.ctr.UserTimedOut.Add(1)
		c.timedOut(&a)
	case c.lingerAt.Reached(now):
		c.lingerOver(&a)
	case c.rtxAt.Reached(now) && c.persist:
		c.persistTimeout(&a)
	case c.rtxAt.Reached(now) && c.timer == timerReorder:
		c.reorderTimeout(now)
	case c.rtxAt.Reached(now) && c.timer == timerProbe:
		c.probeTimeout(now)
	case c.rtxAt.Reached(now):
		c.retransmitTimeout(&a)
	case c.keepAliveAt().Reached(now):
		c.keepAliveTimeout(&a)
	}
	return a.events
}

// startRetransmitTimer: "Every time a packet containing data is sent (including a
// retransmission), if the timer is not running, start it" (RFC 6298 §5.1).
func (c *Conn) startRetransmitTimer(now clock.Time) {
	if c.rtxAt == clock.Never {
		c.rtxAt, c.timer = now.Add(c.rtt.RTO()), timerRetransmit
	}
}

// retransmitTimeout is the expiry of the retransmission timer (RFC 6298 §5.4 to §5.6).
func (c *Conn) retransmitTimeout(a *arrival) {
	c.rtxAt, c.timer = clock.Never, timerRetransmit
	if c.snd.una == c.snd.nxt {
		return
	}
	c.tries = oneMore(c.tries)
	if int(c.tries) == c.set.R1 {
		c.ctr.R1Reached.Add(1)
	}
	if int(c.tries) > c.maxTries() {
		c.ctr.TimedOut.Add(1)
		c.timedOut(a)
		return
	}
	c.ctr.RetransmitTimeouts.Add(1)
	if c.state == StateSynSent && int(c.tries) <= c.set.SynLinear {
		c.rtt.Repeat()
	} else {
		c.rtt.Backoff()
	}
	c.rtxAt = a.now.Add(c.rtt.RTO())
	c.loss.force = true
	c.snd.proofs = 0
	if c.snd.connecting {
		// While text is waited for nothing is missing; at the end the peer is asked once more for
		// the ACK that was passed over.
		c.synDue = !c.deferred || c.tries >= c.deferMax
		return
	}
	if c.loss.out != nil && len(c.loss.out.recs) > 0 {
		c.enterLoss(a.now)
	}
}

// oneMore counts on as far as the count goes: a window may stay closed for a year.
func oneMore(n uint8) uint8 { return uint8(min(int(n)+1, math.MaxUint8)) }

// maxTries is R2 (RFC 9293 §3.8.3), by what is being retransmitted and for whom.
func (c *Conn) maxTries() int {
	switch {
	case c.state == StateSynSent:
		return c.SynRetries() + c.set.SynLinear
	case c.snd.connecting && c.deferred:
		return max(c.set.SynAckRetries, int(c.deferMax))
	case c.snd.connecting:
		return c.set.SynAckRetries
	case c.userGone:
		return min(c.set.OrphanRetries, c.set.Retries)
	}
	return c.set.Retries
}

// persistTimeout has the window probed. "As long as the receiving TCP peer continues to
// send acknowledgments in response to the probe segments, the sending TCP peer MUST allow
// the connection to stay open" (RFC 9293 §3.8.6.1, MUST-37); where the user is gone it is
// given up after a while all the same, as that section's last paragraph permits.
func (c *Conn) persistTimeout(a *arrival) {
	c.tries = oneMore(c.tries)
	if int(c.tries) > c.maxTries() || c.userGone && int(c.probeShift) >= c.set.OrphanRetries {
		c.ctr.PersistGaveUp.Add(1)
		c.queueReset()
		c.timedOut(a)
		return
	}
	c.probeShift = oneMore(c.probeShift)
	c.probeDue = true
	c.rtxAt = a.now.Add(c.persistInterval())
}

// userTimeoutAt is when the user timeout passes: so long after data last began to be
// acknowledged. While the window is closed and the peer answers it does not pass.
func (c *Conn) userTimeoutAt() clock.Time {
	if c.state == StateSynSent {
		if d := c.SynTimeout(); d > 0 && c.rtxAt != clock.Never {
			at := c.progressAt.Add(d)
			if c.userTimeout > 0 {
				at = min(at, c.progressAt.Add(c.userTimeout))
			}
			return at
		}
	}
	if c.userTimeout <= 0 || c.rtxAt == clock.Never {
		return clock.Never
	}
	if c.persist && c.likeLinux() { // though the peer answers
		return c.progressAt.Add(c.userTimeout)
	}
	if c.persist {
		return max(c.progressAt, c.heardAt).Add(c.userTimeout)
	}
	return c.progressAt.Add(c.userTimeout)
}

// timedOut ends the connection because the peer does not answer, with the reason that a
// router has given, if one has (RFC 9293 §3.9.2.2).
func (c *Conn) timedOut(a *arrival) {
	if c.soft != 0 {
		c.fail(a, syscall.Errno(c.soft))
		return
	}
	c.fail(a, syscall.ETIMEDOUT)
}

// lingerOver is the end of TIME-WAIT, or of a FIN-WAIT-2 that nobody waits in.
func (c *Conn) lingerOver(a *arrival) {
	if c.state == StateFinWait2 {
		c.ctr.FinWait2TimedOut.Add(1)
	}
	c.closed(a)
}

// enterTimeWait: "Enter the TIME-WAIT state. Start the time-wait timer, turn off the
// other timers" (RFC 9293 §3.10.7.4 eighth).
func (c *Conn) enterTimeWait(a *arrival) {
	c.state = StateTimeWait
	c.stopTimers()
	c.lingerAt = a.now.Add(2 * c.set.MSL)
	c.ctr.TimeWaits.Add(1)
	a.events |= EventTimeWait
}

// arrivesTimeWait has the record of TIME-WAIT judge the segment, as it does once the
// record has replaced the connection. A new connection is for the driver to make.
func (c *Conn) arrivesTimeWait(a *arrival) {
	t := c.TimeWait()
	var reply Segment
	switch t.Input(a.now, a.seg, &reply) {
	case TimeWaitReply:
		c.ackNow()
	case TimeWaitDead:
		c.closed(a)
		return
	}
	c.lingerAt = t.deadline
}

func (c *Conn) stopTimers() {
	c.rtxAt, c.ackAt, c.lingerAt = clock.Never, clock.Never, clock.Never
	c.persist, c.probeDue, c.keepDue = false, false, false
}

// enterClosed deletes what only a living connection needs. A reset that is due still
// leaves, and what was received stays to be read.
func (c *Conn) enterClosed() {
	c.state = StateClosed
	c.dropKeepAlive()
	if c.parked() {
		return
	}
	c.stopTimers()
	c.synDue, c.acksDue, c.updateDue, c.probing = false, 0, false, false
	c.sendQueue.Release()
	if c.loss.out != nil {
		c.loss.out.release()
	}
	c.loss = lossState{}
	if c.ooo != nil {
		c.ooo.Release()
		c.ooo = nil
	}
}
