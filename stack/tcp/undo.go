package tcp

import (
	"github.com/weirnet/weir/stack/clock"
)

// A reduction of the window is taken back when it was for nothing: when the first sendings
// have arrived after all. Three things tell so: timestamps, where the ACK echoes one from
// before the first retransmission (RFC 3522 §3.2), duplicates reported for every
// retransmission (RFC 3708 §3), and after a timeout, that text which was not sent again has
// arrived (RFC 5682 §3.1).

// markUndo begins to watch for it.
func (c *Conn) markUndo() {
	r := c.loss.rec
	r.undoable, r.undoMark = true, c.snd.una
	r.undoLeft = 0
	if f := c.loss.out; f != nil {
		r.undoLeft = f.resent.segments
	}
	if r.probing && r.probeResent {
		r.undoLeft++
	}
	if r.undoLeft == 0 {
		r.undoLeft = -1
	}
}

// noteResent counts a retransmission of so many segments.
func (c *Conn) noteResent(now clock.Time, segments int) {
	r := c.remember()
	if !r.stamped {
		r.stamped, r.stamp = true, c.ts.val(now)
	}
	r.undoLeft = max(r.undoLeft, 0) + segments
}

// mayUndo reports whether the first sendings have arrived.
func (c *Conn) mayUndo(n *news) bool {
	r := c.loss.rec
	return r.undoable && (r.undoLeft == 0 || c.delayed(n))
}

// delayed reports whether what the ACK is for was late and not lost: it echoes a timestamp from
// before the first retransmission, or there was no retransmission.
func (c *Conn) delayed(n *news) bool {
	r := c.loss.rec
	if !r.stamped { // but heldByReno may have forgotten when
		return c.sackOK || c.snd.una.Less(r.high)
	}
	return n.echoed && tsBefore(n.tsEcho, r.stamp)
}

// restore takes the reduction back (RFC 4015 §3.2). found also takes back that anything is
// lost.
func (c *Conn) restore(n clock.Time, found bool) {
	r := c.loss.rec
	if found && c.loss.out != nil {
		c.loss.out.find()
	}
	if r.canRestore {
		c.cc.Undo()
		c.withdrawCWR()
	} else {
		window := c.cwnd()
		c.cc.ExitRecovery(n, c.pipe())
		if c.set.PRR {
			c.cc.SetWindow(window)
		}
	}
	r.undoable = false
	if c.loss.out != nil {
		c.loss.out.rack.advanced = true // what is lost is to be found anew
	}
	c.ctr.Undone.Add(1)
}

// heldByReno: without SACK Linux keeps the state until something beyond RecoveryPoint is
// acknowledged, since duplicates of what lies before it may still come. RFC 6582 §3.2 ends
// recovery, and only begins no other before that; see loseHead.
func (c *Conn) heldByReno() bool {
	if c.sackOK || !c.set.CwndInSegments || c.snd.una != c.loss.rec.high {
		return false
	}
	if c.loss.out == nil || !c.loss.out.everResent() {
		c.loss.rec.stamped = false
	}
	return true
}

// undoAtEnd is the end of recovery, and reports whether the state is to be kept all the same.
func (c *Conn) undoAtEnd(n *news) bool {
	r := c.loss.rec
	if c.mayUndo(n) {
		c.restore(n.now, false)
	} else if r.persist > 0 {
		r.persist--
	}
	if c.heldByReno() {
		return true
	}
	c.enter(caOpen)
	r.reneged, r.recovered = false, true
	return false
}

// undoByDSACK takes back a reduction where every retransmission was reported a duplicate.
func (c *Conn) undoByDSACK(n *news) bool {
	r := c.loss.rec
	if !r.undoable || r.undoLeft != 0 {
		return false
	}
	r.persist = uint8(min(rackPersist, int(r.persist)+1))
	c.restore(n.now, false)
	return true
}

// undoPartly is a partial ACK in recovery. Where it is for what was late, the path reorders
// more than was thought; once no retransmission is under way the reduction is taken back,
// and until then nothing more is sent again. It reports whether that is so.
func (c *Conn) undoPartly(n *news) bool {
	r := c.loss.rec
	if !r.undoable || !c.delayed(n) {
		return false
	}
	c.noteReordering(n.prior, c.fack())
	f := c.loss.out
	if f.resent.segments > 0 {
		return true
	}
	if !f.everResent() {
		r.stamped = false
	}
	c.restore(n.now, true)
	c.keepOpen()
	return false
}

// undoTimeout takes back a timeout where the first sendings have arrived. sure says that F-RTO
// has found so.
func (c *Conn) undoTimeout(n *news, sure bool) bool {
	if !sure && !c.mayUndo(n) {
		return false
	}
	c.restore(n.now, true)
	c.tries = 0
	if sure {
		c.ctr.SpuriousTimeouts.Add(1)
	}
	if c.heldByReno() {
		return true
	}
	if sure || c.sackOK {
		c.enter(caOpen)
		c.loss.rec.reneged = false
	}
	return true
}
