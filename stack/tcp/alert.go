package tcp

import (
	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// alert takes an ACK in that may change the state: reports of arrivals out of order,
// duplicates, ECN, or any ACK while not all is well.
//
//	       SACK, duplicate ACKs           something is lost
//	open ─────────────────────▶ disorder ───────────────────▶ recovery
//	  │                            │                             │
//	  │ ECN-Echo                   │ timeout                     │ timeout
//	  └────▶ cwr                   └────────────▶ loss ◀─────────┘
//
// Each ends when what was outstanding at its beginning, up to RecoveryPoint, is acknowledged,
// or when it turns out to have been for nothing (undo.go).
func (c *Conn) alert(n *news) {
	l := &c.loss
	r := c.remember()
	if n.echo {
		r.canRestore = false // the network said so itself: no undoing
	}
	if c.checkReneging(n) {
		return
	}
	if l.state == caOpen {
		r.stamped = false
	} else if c.snd.una.GreaterEq(r.high) && c.leave(n) {
		return
	}
	switch l.state {
	case caRecovery:
		if !c.inRecovery(n) {
			return
		}
	case caLoss:
		if !c.inLoss(n) {
			return
		}
	default:
		if !c.inOpen(n) {
			return
		}
	}
}

// leave ends the state whose RecoveryPoint is reached, and reports whether that was all.
func (c *Conn) leave(n *news) bool {
	switch c.loss.state {
	case caCWR:
		// "the CWR flag ... the sender does not reduce again in the window": the state lasts
		// until something beyond is acknowledged, so that CWR has been received.
		if c.snd.una != c.loss.rec.high {
			c.endReduction(n.now)
			c.enter(caOpen)
		}
	case caRecovery:
		if !c.sackOK {
			c.resetReno()
		}
		if c.undoAtEnd(n) {
			return true
		}
		c.endReduction(n.now)
		n.left = c.holesApply()
	}
	return false
}

// inOpen is an ACK in open, disorder or cwr. It reports whether recovery has begun.
func (c *Conn) inOpen(n *news) bool {
	if !c.sackOK {
		if n.advanced {
			c.resetReno()
		}
		c.addReno(n)
	}
	if c.loss.state <= caDisorder {
		c.undoByDSACK(n)
	}
	c.findLosses(n)
	if !c.timeToRecover() {
		c.tryToOpen(n)
		return false
	}
	c.enterRecovery(n.now, n.echo)
	return true
}

// inRecovery is an ACK in fast recovery.
func (c *Conn) inRecovery(n *news) bool {
	if !n.advanced {
		c.addReno(n)
	} else {
		c.ctr.PartialAcks.Add(1)
		if c.undoPartly(n) {
			return false
		}
	}
	if c.undoByDSACK(n) {
		c.tryToOpen(n)
	}
	c.findLosses(n)
	if c.loss.state != caRecovery {
		if !c.timeToRecover() {
			return false
		}
		c.enterRecovery(n.now, n.echo)
	}
	return true
}

// inLoss is an ACK after a timeout.
func (c *Conn) inLoss(n *news) bool {
	c.afterTimeout(n)
	c.findLosses(n)
	if c.loss.state != caOpen && !n.again {
		return false
	}
	return c.inOpen(n)
}

// timeToRecover reports whether a loss is proven.
func (c *Conn) timeToRecover() bool {
	f := c.loss.out
	return f != nil && f.lost.octets > 0 && !c.probing
}

// findLosses deems lost what the ACK shows to be.
func (c *Conn) findLosses(n *news) {
	f := c.loss.out
	if f == nil || len(f.recs) == 0 {
		return
	}
	resent := f.resent.segments
	switch {
	case !c.sackOK:
		c.loseHead(n)
	case c.set.RACK:
		if c.rackLose(n.now) {
			n.arm = false
		}
	case c.holesApply() && c.loss.state != caLoss:
		c.holesLose(n)
	default:
		c.loseBySACK(n)
	}
	n.again = n.again || f.resent.segments < resent
}

// loseHead is the loss of the first segment, without SACK: by DupThresh duplicates (RFC 5681
// §3.2 step 2), and in recovery by each partial acknowledgment (RFC 6582 §3.2 step 3).
func (c *Conn) loseHead(n *news) {
	f, s := c.loss.out, c.loss.state
	if s < caRecovery && c.loss.rec.recovered && c.snd.una.LessEq(c.loss.rec.high) {
		return // "the Cumulative Acknowledgment field covers more than recover" (RFC 6582 §3.2 step 2)
	}
	if s < caRecovery && f.reno >= c.reordering() || s == caRecovery && n.advanced {
		if f.recs[0].state&stLost == 0 {
			f.lose(f.cut(c.headEnd()) - 1)
			c.limitReno()
			c.loss.force = c.loss.force || s == caRecovery && !c.set.PRR
		}
	}
}

// headEnd is the end of the first segment that is outstanding.
func (c *Conn) headEnd() seq.Value {
	r := &c.loss.out.recs[0]
	return seq.Min(r.Start.Add(int(r.size)), r.End)
}

// loseBySACK is RFC 6675: what IsLost says, and the first segment when recovery begins by
// duplicate ACKs (§5 step 2). A retransmission is lost in turn when as much as DupThresh
// asks for has been SACKed that was sent later.
func (c *Conn) loseBySACK(n *news) {
	f := c.loss.out
	if c.loss.state == caLoss {
		return
	}
	f.loseTo(f.lostBelow(c.snd.una, int(c.snd.mss), c.dupThresh()))
	if c.loss.state == caRecovery && n.advanced && f.recs[0].state&(stSacked|stLost|stEver) == 0 {
		f.lose(f.cut(c.headEnd()) - 1)
	}
	if n.sacked && f.rack.advanced {
		f.rack.advanced = false
		c.loseResent()
	}
}

// loseResent finds retransmissions that were lost: something sent after them has arrived, and
// a round trip has passed.
func (c *Conn) loseResent() {
	f := c.loss.out
	for i := range f.recs {
		r := &f.recs[i]
		if r.state&(stResent|stLost) == stResent|stLost && f.rack.at.Sub(r.at) > c.rtt.Min()/4 && f.rack.at > r.at {
			c.ctr.LostRetransmits.Add(uint64(r.segments()))
			f.lose(i)
		}
	}
}

// checkReneging: what begins at SND.UNA had been reported, and yet it is not acknowledged. The
// receiver may have given it up (RFC 2018 §8), or the ACK that acknowledges it is about to
// come: the timer decides, soon.
func (c *Conn) checkReneging(n *news) bool {
	f := c.loss.out
	if !n.advanced || f == nil || len(f.recs) == 0 || f.recs[0].state&stSacked == 0 {
		return false
	}
	c.setTimer(n.now.Add(max(c.rtt.SRTT()/2, renegingDelay)), timerRetransmit)
	n.arm = false
	return true
}

// enter changes the state. What F-RTO waits for, it waits for in one state only.
func (c *Conn) enter(s caState) { c.loss.state, c.loss.hold = s, false }

// enterRecovery begins fast recovery (RFC 6675 §5 step 4, RFC 8985 §6.2, RFC 9937 §6).
func (c *Conn) enterRecovery(now clock.Time, echo bool) {
	l := &c.loss
	r := c.remember()
	c.ctr.FastRetransmits.Add(1)
	if !l.out.everResent() {
		r.stamped = false
	}
	reduced := l.state == caCWR || l.state == caRecovery
	r.canRestore = false
	c.markUndo()
	if !reduced {
		c.beginReduction(now)
		r.canRestore = !echo
	}
	l.force = l.force || !c.set.PRR
	c.enter(caRecovery)
}

// tryToOpen is the state without losses: disorder while something is out of place. ECN-Echo
// has the window reduced.
func (c *Conn) tryToOpen(n *news) {
	r := c.loss.rec
	if c.loss.out == nil || !c.loss.out.everResent() {
		r.stamped = false
	}
	if n.echo {
		c.enterCWR(n.now)
	}
	if c.loss.state != caCWR {
		c.keepOpen()
	}
}

// keepOpen is the state that follows from what is outstanding.
func (c *Conn) keepOpen() {
	s := caOpen
	if f := c.loss.out; f != nil && (f.sacked.segments+f.lost.segments+f.reno > 0 || f.everResent()) {
		s = caDisorder
	}
	if s != c.loss.state {
		c.enter(s)
		if !c.loss.rec.recovered || c.snd.una.Greater(c.loss.rec.high) {
			c.loss.rec.high, c.loss.rec.recovered = c.snd.nxt, false
		}
	}
}

// enterCWR has the window reduced although nothing is lost.
func (c *Conn) enterCWR(now clock.Time) {
	r := c.loss.rec
	r.canRestore = false
	if c.loss.state < caCWR {
		r.undoable = false
		c.beginReduction(now)
		c.enter(caCWR)
	}
}
