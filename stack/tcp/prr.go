package tcp

import "github.com/weirnet/weir/stack/clock"

// beginReduction lowers ssthresh and, with proportional rate reduction, begins to bring the
// window down to it (RFC 9937 §6: RecoverFS, prr_delivered and prr_out at the start).
func (c *Conn) beginReduction(now clock.Time) {
	r := c.remember()
	r.high, r.probing = c.snd.nxt, false
	r.prior, r.delivered, r.sent = c.recoverFS(), 0, 0
	r.window = c.cc.Window()
	inFlight := c.flightSize()
	if c.holesApply() {
		inFlight = c.holesBegin()
	}
	c.cc.EnterRecovery(now, inFlight, 0)
	c.queueCWR()
}

// recoverFS is RecoverFS (RFC 9937 §6): what was outstanding before the ACK in hand, less what SACK had
// reported before. Where ssthresh follows from the window, as in Linux, it is the window.
func (c *Conn) recoverFS() int {
	f := c.loss.out
	if c.set.CwndInSegments || f == nil {
		return c.cc.Window()
	}
	known := f.known
	if f.before == 0 {
		known = c.units(f.sacked)
	}
	return max(c.flightSize()-known, int(c.snd.mss))
}

// flightSize is FlightSize when congestion was noticed (RFC 5681 §2): what an ACK that tells of it
// acknowledges was outstanding then.
func (c *Conn) flightSize() int {
	n := c.units(c.loss.outstanding())
	if f := c.loss.out; f != nil {
		n = max(n, f.before)
	}
	return n
}

// outstanding is the tally of what is sent and not acknowledged.
func (l *lossState) outstanding() tally {
	if l.out == nil {
		return tally{}
	}
	return l.out.out
}

// endReduction leaves the window at ssthresh, unless the reduction was undone.
func (c *Conn) endReduction(now clock.Time) {
	r := c.loss.rec
	if c.loss.state == caCWR || r.undoable {
		c.cc.ExitRecovery(now, c.pipe())
		if c.set.PRR {
			c.cc.SetWindow(c.cc.SSThresh())
		}
	}
}

// reduceBy is an ACK during the reduction, by which so much was delivered (RFC 9937 §6).
// While more is under way than ssthresh, what may be sent follows what was delivered in the
// ratio of ssthresh to RecoverFS: "sndcnt = CEIL(prr_delivered * ssthresh / RecoverFS) -
// prr_out". Below, the slow start reduction bound holds: as much as was delivered, and a
// segment more where the ACK makes progress and shows no further loss.
func (c *Conn) reduceBy(n *news, delivered int) {
	r := c.loss.rec
	if delivered <= 0 || r.prior <= 0 {
		return
	}
	r.delivered += delivered
	mss, u, pipe := int(c.snd.mss), c.unit(), c.pipe()
	ssthresh := c.cc.SSThresh()
	count := 0
	if room := ssthresh - pipe; room < 0 {
		prior := max(r.prior/u, 1)
		count = (ssthresh/u*(r.delivered/u)+prior-1)/prior*u - r.sent
	} else {
		count = max(r.delivered-r.sent, delivered)
		if n.advanced && !c.moreLost(n) {
			count += mss
		}
		count = min(count, room)
	}
	if r.sent == 0 {
		count = max(count, mss) // "force a fast retransmit upon entering recovery"
	}
	r.window = max(pipe+max(count, 0), mss)
	if pipe+max(count, 0) < mss && pipe > 0 {
		r.window = pipe + max(count, 0)
	}
}

// moreLost reports whether the ACK has shown a loss that was not known.
func (c *Conn) moreLost(n *news) bool {
	return c.loss.out != nil && c.loss.out.losses > n.losses
}

// noteSent counts what is sent during the reduction (prr_out).
func (c *Conn) noteSent(t tally) {
	if c.reducing() {
		c.loss.rec.sent += c.units(t)
	}
}
