package tcp

import "github.com/weirnet/weir/stack/seq"

// Recovery as FreeBSD had it before RFC 6937 and its successor (Settings.RecoverByHoles): every hole
// below what SACK reports last is lost at once; the window begins with one segment and grows
// by one for each duplicate, while less than ssthresh is under way; a partial acknowledgment
// lets one or two segments go; and a last segment is sent again where nothing tells of a hole.

// byHoles reports whether the connection recovers so now.
func (c *Conn) byHoles() bool { return c.loss.state == caRecovery && c.holesApply() }

func (c *Conn) holesApply() bool { return c.set.RecoverByHoles && !c.set.PRR && c.sackOK }

// holesBegin is the window at the beginning, and what it counts as before: whole segments.
func (c *Conn) holesBegin() (inFlight int) {
	r, mss := c.loss.rec, int(c.snd.mss)
	r.window, r.fresh, r.dups = mss, true, 0
	return c.cc.Window() / (2 * mss) * 2 * mss
}

// holesRoom is how much the window lets go. What was sent again and has not arrived uses it up, and
// for new text what was sent since the beginning; where nothing was sent again, all that is outstanding.
func (c *Conn) holesRoom(again bool) int {
	r, resent := c.loss.rec, c.loss.out.resent.octets
	switch {
	case again:
		return r.window - resent
	case resent == 0:
		return r.window - c.snd.nxt.Sub(c.snd.una)
	}
	return r.window - resent - c.snd.nxt.Sub(r.high)
}

// holesLose deems lost what the ACK shows to be.
func (c *Conn) holesLose(n *news) {
	f, r := c.loss.out, c.loss.rec
	if n.advanced {
		r.dups = 0
	} else if n.sacked {
		r.dups = oneMore(r.dups)
	}
	end := c.fack()
	switch {
	case c.loss.state == caRecovery:
		end = seq.Min(end, r.high)
	case n.advanced && !c.set.PipeBySACK: // it is by duplicates that recovery begins
		return
	case int(r.dups) >= c.dupThresh():
	case c.set.PipeBySACK && f.lostBelow(c.snd.una, int(c.snd.mss), c.dupThresh()).Greater(c.snd.una):
	default:
		return
	}
	f.loseTo(end)
	if c.byHoles() && n.advanced && f.sacked.octets == 0 && c.set.PipeBySACK && c.snd.nxt == r.high && c.snd.una.Less(r.high) {
		c.holesRescue()
	}
}

// holesRescue has the last segment sent again: "the sender ... MAY ... retransmit the segment with the
// highest sequence number ... the rescue retransmission" (RFC 6675 §4 NextSeg (4)).
func (c *Conn) holesRescue() {
	f := c.loss.out
	f.cut(seq.Max(c.snd.una, c.snd.nxt.Add(-int(c.snd.mss))))
	if i := len(f.recs) - 1; f.recs[i].state&(stSacked|stEver) == 0 {
		f.lose(i)
	}
}

// holesWindow is an ACK during recovery.
func (c *Conn) holesWindow(n *news) {
	r, mss, ssthresh := c.loss.rec, int(c.snd.mss), c.cc.SSThresh()
	switch {
	case r.fresh:
		if r.fresh = false; n.advanced {
			r.window += mss
		}
	case n.advanced:
		segments := 1
		if n.delivered.octets >= 2*mss {
			segments = 2
		}
		r.window = c.loss.out.resent.octets + c.snd.nxt.Sub(r.high) + segments*mss
		c.ackNow()
	case c.holesUnderWay() < ssthresh:
		r.window += mss
	}
	r.window = min(r.window, ssthresh)
}

// holesUnderWay is how much is believed to be under way: RFC 6675's pipe, or as RFC 3517's
// forerunner had it, all beyond the last that arrived.
func (c *Conn) holesUnderWay() int {
	f := c.loss.out
	if c.set.PipeBySACK {
		return f.out.octets + f.resent.octets - f.sacked.octets
	}
	return c.snd.nxt.Sub(c.fack()) + f.resent.octets
}
