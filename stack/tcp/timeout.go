package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// timerKind is what rtxAt is for where it is not the persist timer: one at a time.
type timerKind uint8

const (
	timerRetransmit timerKind = iota // RFC 6298
	timerReorder                     // RFC 8985 §6.3
	timerProbe                       // RFC 8985 §7.2
)

// setTimer sets the retransmission timer.
func (c *Conn) setTimer(at clock.Time, kind timerKind) {
	if !c.persist {
		c.rtxAt, c.timer = at, kind
	}
}

// armTimer sets the timer after progress: a probe where one would tell more, else the
// retransmission timeout from now on (RFC 6298 §5.3).
func (c *Conn) armTimer(now clock.Time) {
	if !c.scheduleProbe(now, true) {
		c.rearm(now, c.timer)
	}
}

// rearm sets the retransmission timeout. Where another timer stood in its place, the time
// since the first segment was sent counts for it.
func (c *Conn) rearm(now clock.Time, instead timerKind) {
	f := c.loss.out
	if f == nil || len(f.recs) == 0 || c.snd.una == c.snd.nxt {
		if !c.persist && c.snd.una == c.snd.nxt {
			c.rtxAt, c.timer = clock.Never, timerRetransmit
		}
		return
	}
	wait := c.rtt.RTO()
	if instead != timerRetransmit {
		wait = max(f.recs[0].at.Add(wait).Sub(now), time.Microsecond)
	}
	c.setTimer(now.Add(wait), timerRetransmit)
}

// enterLoss is what a retransmission timeout says of the path: all that was sent a round trip
// ago is lost (RFC 6298 §5.4, RFC 5681 §3.1, RFC 8985 §6.3), and the window begins anew.
func (c *Conn) enterLoss(now clock.Time) {
	r, f := c.remember(), c.loss.out
	s := c.loss.state
	fresh := s <= caDisorder || c.snd.una.GreaterEq(r.high) || s == caLoss && c.tries <= 1
	flight := c.units(f.out)
	sacked := f.sacked.segments + f.reno
	c.loseAfterTimeout(now)
	if fresh {
		if c.reducing() { // it was reduced to that already
			c.cc.SetWindow(r.window)
		}
		c.cc.OnTimeout(now, flight)
		r.canRestore = true
		c.markUndo()
	} else {
		c.cc.OnTimeout(now, -1)
	}
	if s <= caDisorder && sacked >= c.dupThresh() {
		// A timeout in spite of so many duplicates: less reordering than was thought.
		r.reordering = min(r.reordering, c.dupThresh())
	}
	c.enter(caLoss)
	c.cc.SetWindow(c.pipe() + int(c.snd.mss))
	r.high, r.probing, r.tailDue = c.snd.nxt, false, false
	if !c.set.CWRAnywhere {
		c.queueCWR()
	}
	// "Basic F-RTO ... SHOULD NOT be used" within another recovery but one from a timeout
	// (RFC 5682 §2.1 step 1).
	r.frto = c.set.FRTO && (s < caRecovery || c.tries > 1)
	c.loss.hold = false
}

// loseAfterTimeout deems lost what is outstanding, but for what was sent within the last round
// trip where RACK can tell (RFC 8985 §6.3). A receiver that has discarded what it
// reported by SACK, or one that may have, as all fails, is believed nothing (RFC 2018 §8).
func (c *Conn) loseAfterTimeout(now clock.Time) {
	f := c.loss.out
	reneged := f.recs[0].state&stSacked != 0
	if reneged {
		c.ctr.Reneged.Add(1)
		c.loss.rec.reneged = true
	}
	if reneged || c.tries > 1 && !c.set.RACK {
		f.forgetSACK()
	}
	f.reno = 0
	for i := range f.recs {
		r := &f.recs[i]
		if i > 0 && !reneged && c.set.RACK && c.sackOK && r.at.Add(f.rack.rtt) > now {
			continue
		}
		f.lose(i)
	}
	f.tidy(0, len(f.recs))
}

// afterTimeout is an ACK in the state loss, with F-RTO (RFC 5682 §3.1, the variant with SACK):
// the first ACK that makes progress has new text sent and nothing again; if what was never
// sent again arrives then, the timeout was spurious, and if something else does, it was not.
func (c *Conn) afterTimeout(n *news) {
	r := c.loss.rec
	c.loss.hold = false
	recovered := c.snd.una.GreaterEq(r.high)
	if n.advanced && c.undoTimeout(n, false) {
		return
	}
	if r.frto {
		if n.original && c.undoTimeout(n, true) { // step 3b
			return
		}
		switch {
		case c.snd.nxt.Greater(r.high):
			if n.sacked || n.dup > 0 {
				r.frto = false // step 3a: the loss was real
			}
		case n.advanced && !recovered:
			r.high = c.snd.nxt
			if c.unsent() && c.snd.room() > 0 { // step 2b
				c.loss.hold = true
				return
			}
			r.frto = false
		}
	}
	if recovered { // step 2a
		c.resetReno()
		c.undoAtEnd(n)
		return
	}
	if !c.sackOK {
		if c.snd.nxt.Greater(r.high) && n.dup > 0 {
			c.addReno(n)
		} else if n.advanced {
			c.resetReno()
		}
	}
}

// endHold ends what F-RTO waits for when Output could send nothing more: if new text has left,
// its ACK decides; if not, recovery goes on the usual way.
func (c *Conn) endHold() bool {
	r := c.loss.rec
	if !c.loss.hold || c.snd.nxt.Greater(r.high) {
		return false
	}
	c.loss.hold, r.frto = false, false
	return true
}

// loseLonger deems lost what is outstanding in segments that the path takes no more. That is no
// congestion: the window stays (RFC 1191 §6.5, RFC 8201 §5.4).
func (c *Conn) loseLonger() {
	f := c.loss.out
	if f == nil {
		return
	}
	lost := false
	for i := range f.recs {
		if int(f.recs[i].size) > int(c.snd.mss) && f.recs[i].state&stSacked == 0 {
			f.lose(i)
			lost = true
		}
	}
	if !lost || c.loss.state == caLoss {
		return
	}
	r := c.remember()
	if c.reducing() {
		c.endReduction(c.progressAt)
	}
	r.high, r.canRestore, r.undoable, r.frto, r.probing = c.snd.nxt, false, false, false, false
	c.enter(caLoss)
}
