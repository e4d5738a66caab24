package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// RACK (RFC 8985 §6) finds losses by time: what was sent a reordering window before
// something that has arrived, and has not, is lost. It holds for retransmissions as for
// first sendings.

// rackState is RACK.segment: the latest sent of what has arrived (RFC 8985 §5.2).
type rackState struct {
	at       clock.Time // RACK.xmit_ts
	rtt      time.Duration
	heard    clock.Time // when that was measured
	end      seq.Value  // RACK.end_seq
	advanced bool       // since losses were last looked for
}

const (
	// rackPersist is for how many recoveries a wider reordering window stays (RFC 8985 §6.2
	// step 4: "RACK.reo_wnd_persist = 16").
	rackPersist = 16
	// timerSlack is added to a timer that should not fire early: that of the reordering
	// window and of the tail loss probe.
	timerSlack = 2 * time.Millisecond
	// renegingDelay is the least time that a receiver is given to prove that it has not
	// discarded what it reported.
	renegingDelay = 10 * time.Millisecond
	// maxReordering bounds the reordering that is believed, in segments.
	maxReordering = 300
)

// sentAfter is RACK_sent_after (RFC 8985 §6.2 step 2): by time, then by sequence number.
func sentAfter(t1 clock.Time, end1 seq.Value, t2 clock.Time, end2 seq.Value) bool {
	return t1 > t2 || t1 == t2 && end1.Greater(end2)
}

// advance takes in a segment that has arrived (RFC 8985 §6.2 steps 1 and 2). What an ACK is for is gone
// through by sequence number, and not "in order of xmit_ts": of those that arrive at one
// instant, the latest sent has the shortest round trip.
func (k *rackState) advance(now clock.Time, r *sent) {
	rtt := now.Sub(r.at)
	if k.advanced && k.heard == now {
		rtt = min(rtt, k.rtt)
	}
	k.advanced, k.rtt, k.heard = true, rtt, now
	if sentAfter(r.at, r.End, k.at, k.end) {
		k.at, k.end = r.at, r.End
	}
}

// rackAdvance has RACK take in a segment that has arrived, if it is known which sending of it has: of one
// that was sent again, it is the first where that was sooner ago than a round trip takes, or, of
// what is acknowledged, where the ACK echoes a timestamp from before (RFC 8985 §6.2 step 2).
func (c *Conn) rackAdvance(n *news, r *sent, acked bool) {
	switch {
	case r.at == 0: // it had been reported before, and was taken back
	case r.state&stEver != 0 && n.now.Sub(r.at) < c.rtt.Min():
	case r.state&stEver != 0 && acked && n.echoed && tsBefore(n.tsEcho, c.ts.val(r.at)):
	default:
		c.loss.out.rack.advance(n.now, r)
	}
}

// reorderingWindow is RACK.reo_wnd (RFC 8985 §6.2 step 4): none until reordering was seen, once
// recovery has begun or DupThresh segments have been SACKed; else a quarter of the least
// round trip, more for each round with a DSACK, up to the smoothed round trip.
func (c *Conn) reorderingWindow() time.Duration {
	r := c.loss.rec
	if r == nil || r.reorderings == 0 {
		if c.loss.state >= caRecovery || c.loss.out.sacked.segments >= c.reordering() {
			return 0
		}
	}
	steps := time.Duration(1)
	if r != nil {
		steps = time.Duration(r.steps)
	}
	return min(c.leastRTT()/4*steps, c.rtt.SRTT())
}

// leastRTT is what the reordering window is a part of: RACK.min_RTT, but no less than half of
// the smoothed round trip, unless the settings want it so. A packet that overtook all others, and
// whose ACK did too, would else leave no window at all for good.
func (c *Conn) leastRTT() time.Duration {
	if c.set.RACKMinRTT {
		return c.rtt.Min()
	}
	return max(c.rtt.Min(), c.rtt.SRTT()/2)
}

// rackDetect deems lost what RACK finds lost, and returns how long the rest is to be waited
// for, or 0 (RFC 8985 §6.2 step 5, RACK_detect_loss).
func (c *Conn) rackDetect(now clock.Time) (wait time.Duration) {
	f := c.loss.out
	k, wnd := &f.rack, c.reorderingWindow()
	lost := false
	for i := range f.recs {
		r := &f.recs[i]
		if r.state&stSacked != 0 || r.state.owed() || !sentAfter(k.at, k.end, r.at, r.End) {
			continue
		}
		left := k.rtt + wnd - now.Sub(r.at)
		if left > 0 {
			wait = max(wait, left)
			continue
		}
		if r.state&stResent != 0 && r.state&stLost != 0 {
			c.ctr.LostRetransmits.Add(uint64(r.segments()))
		}
		f.lose(i)
		lost = true
	}
	if lost {
		f.tidy(0, len(f.recs))
	}
	return wait
}

// rackLose looks for losses where something has arrived, and sets the reordering timer for
// what may yet arrive. It reports whether it has.
func (c *Conn) rackLose(now clock.Time) bool {
	f := c.loss.out
	if !f.rack.advanced || c.probing {
		return false
	}
	f.rack.advanced = false
	wait := c.rackDetect(now)
	if wait > 0 {
		c.setTimer(now.Add(wait+timerSlack), timerReorder)
	}
	return wait > 0
}

// reorderTimeout is the reordering timer: what has not arrived by now is lost (RFC 8985 §6.2
// step 5).
func (c *Conn) reorderTimeout(now clock.Time) {
	f := c.loss.out
	c.rtxAt, c.timer = clock.Never, timerRetransmit
	c.ctr.ReorderTimeouts.Add(1)
	before, losses := c.pipe(), f.losses
	c.rackDetect(now)
	if c.pipe() != before {
		if c.loss.state != caRecovery {
			c.enterRecovery(now, false)
			if c.set.PRR {
				c.reduceBy(&news{now: now, losses: losses}, c.unitSegment())
			}
		}
	}
	if c.rtxAt == clock.Never {
		c.rearm(now, timerReorder)
	}
}

// unitSegment is one delivered segment in the window's units.
func (c *Conn) unitSegment() int { return int(c.snd.mss) }

// adaptReorderingWindow widens the window after a DSACK, at most once in a round trip (RFC 8985
// §6.2 step 4, RACK_update_reo_wnd).
func (c *Conn) adaptReorderingWindow(n *news) {
	r := c.loss.rec
	if r == nil || !c.set.RACK || n.wasSent == 0 {
		return
	}
	if int32(n.wasSent-r.adapted) < 0 {
		r.dsackSeen = false
	}
	if r.dsackSeen {
		r.steps = uint8(min(int(r.steps)+1, 255))
		r.dsackSeen, r.adapted, r.persist = false, c.delivered, rackPersist
	} else if r.persist == 0 {
		r.steps = 1
	}
}

// noteReordering remembers that what lies from low on has arrived after something that was
// sent later and ends at fack.
func (c *Conn) noteReordering(low, fack seq.Value) {
	if !low.Less(fack) {
		return
	}
	r := c.remember()
	c.raiseReordering((fack.Sub(low) + int(c.snd.mss) - 1) / int(c.snd.mss))
	r.reorderings++
	c.ctr.Reordered.Add(1)
}

func (c *Conn) raiseReordering(segments int) {
	r := c.remember()
	r.reordering = min(max(r.reordering, segments), maxReordering)
}
