package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// news is what an ACK has brought.
type news struct {
	now       clock.Time
	prior     seq.Value // SND.UNA before it
	fack      seq.Value // end of what was known to have arrived before it
	low       seq.Value // the lowest that arrived after something sent later: see noteReordering
	wasSent   uint32    // what had been delivered when the latest of what it is for was sent
	delivered tally     // what arrived by it for the first time
	flight    int       // octets outstanding before it
	losses    int       // flight.losses before it
	rtt       time.Duration
	latest    time.Duration // round trip of what was acknowledged last
	took      time.Duration // of a retransmission that it acknowledges
	tsEcho    uint32        // the timestamp that it echoes, where echoed is set
	rate      rateSample

	firstSack, lastSack clock.Time // sending times of what was SACKed, never sent twice

	advanced bool // SND.UNA has moved
	acked    bool // by text
	sacked   bool // SACK reports something new
	original bool // what was never retransmitted has arrived, sent before recovery began
	resent   bool // it acknowledges what was retransmitted
	dsack    bool // it reports a duplicate
	dsackTLP bool // that of the tail loss probe
	echo     bool // ECN-Echo
	echoed   bool
	data     bool // it carries text or another window: no duplicate ACK by definition
	again    bool // a retransmission was found lost
	arm      bool // the retransmission timer is to be set anew
	left     bool // holes.go: it has ended recovery, and the window does not grow by it as well
	dup      int  // how many duplicate ACKs it counts as, or is coalesced from
}

// learn draws the conclusions of an ACK that is not older than the last.
func (c *Conn) learn(a *arrival, n *news) {
	f := c.loss.out
	if f == nil {
		c.takeSACK(a, n)
		if n.dsack && c.loss.rec != nil {
			c.alert(n)
			c.countDelivered(n)
		}
		c.tailProbeAck(a.seg.Ack, n)
		return
	}
	n.losses, f.before, f.known = f.losses, c.units(f.out), c.units(f.sacked)
	c.takeSACK(a, n)
	c.clean(n)
	c.measure(a, n)
	c.adaptReorderingWindow(n)
	c.tailProbeAck(a.seg.Ack, n)
	if c.dubious(n) {
		if !n.advanced && !n.data && !n.dsack {
			n.dup = max(a.seg.segments(), 1)
			c.ctr.DupAcks.Add(1)
		}
		c.alert(n)
	}
	if n.arm {
		c.armTimer(n.now)
	}
	c.countDelivered(n)
	c.sampleRate(n)
	c.control(n)
	f.before = 0
	c.landed()
}

// landed lets go of the flight when nothing is outstanding any more.
func (c *Conn) landed() {
	if f := c.loss.out; f != nil && c.snd.una == c.snd.nxt {
		f.release()
		c.loss.out = nil
	}
}

// dubious reports whether an ACK may tell of more than progress.
func (c *Conn) dubious(n *news) bool {
	return c.loss.state != caOpen || n.sacked || n.echo || n.dsack || !n.data && !n.advanced
}

// old is an ACK for less than the last: its SACK blocks may be news all the same.
func (c *Conn) old(a *arrival) {
	if c.loss.out == nil && c.loss.rec == nil || !c.sackOK || a.seg.Options.NumSACK == 0 {
		return
	}
	n := news{now: a.now, prior: c.snd.una, data: true}
	n.low = c.snd.nxt
	if f := c.loss.out; f != nil {
		n.losses = f.losses
	}
	c.takeSACK(a, &n)
	c.alert(&n)
	c.countDelivered(&n)
}

// clean takes what is acknowledged out of the flight.
func (c *Conn) clean(n *news) {
	f, una := c.loss.out, c.snd.una
	k := f.cut(una)
	var first, last clock.Time
	for i := range k {
		r := &f.recs[i]
		if r.state&stEver != 0 {
			n.resent = true
			if r.at != 0 { // else it was reported before
				n.took = n.now.Sub(r.at)
			}
		} else if r.state&stSacked == 0 {
			if r.at != 0 { // else it was reported before, and that was taken back
				last = r.at
			}
			if first == 0 {
				first = r.at
			}
			n.low = seq.Min(n.low, r.Start)
			n.original = n.original || c.beforeRecovery(r)
		}
		if r.state&stSacked == 0 {
			n.delivered.add(r, 1)
			c.noteDelivered(n, r)
			c.rackAdvance(n, r, true)
		}
		n.acked, n.arm = true, true
	}
	f.drop(k)
	f.hint, f.top = seq.Max(f.hint, una), seq.Max(f.top, una)
	if !c.sackOK && k > 0 {
		c.renoAcked(n)
	} else if k > 0 && n.low.Less(n.fack) {
		c.noteReordering(n.low, n.fack)
	}
	if first != 0 && !n.resent {
		n.rtt, n.latest = max(n.now.Sub(first), 1), max(n.now.Sub(last), 1)
	}
	if n.firstSack != 0 {
		n.latest = max(n.now.Sub(n.lastSack), 1)
		if n.rtt == 0 {
			n.rtt = max(n.now.Sub(n.firstSack), 1)
			// A measurement of what was sent after the first that is outstanding puts the
			// timeout off; one of older text would put it off for ever.
			n.arm = n.arm || len(f.recs) > 0 && f.recs[0].at > n.firstSack
		}
	}
}

// beforeRecovery reports whether a range lies before what the present state is to recover.
func (c *Conn) beforeRecovery(r *sent) bool {
	return c.loss.rec != nil && r.End.LessEq(c.loss.rec.high)
}
