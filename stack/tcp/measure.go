package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// measureSYN times the handshake, by our own clock where the SYN was sent once only, else by
// the echoed timestamp.
func (c *Conn) measureSYN(a *arrival) {
	if c.snd.synTimed {
		c.snd.synTimed = false
		if c.timesOne() && c.passive { // what the peer's ACK of a SYN,ACK takes is not measured
			return
		}
		took := max(a.now.Sub(c.progressAt), 1)
		c.sample(took, took)
		return
	}
	c.measureEcho(a)
}

// measure takes the RTT measurement that an ACK gives: by our own clock for what was sent once
// only (Karn's algorithm, RFC 6298 §3), which the flight has found, else by the echoed
// timestamp (RFC 7323 §4.1), where the ACK makes progress.
func (c *Conn) measure(a *arrival, n *news) {
	switch {
	case c.timesOne():
		c.measureTimed(n)
	case n.rtt > 0:
		c.snd.proofs = 0
		c.sample(n.rtt, n.latest)
	case !n.advanced:
	case c.ts.on:
		n.rtt = c.measureEcho(a)
		n.latest = n.rtt
	case n.took > 0:
		c.provePath(n.took)
	}
}

// sample takes in a measurement; latest is that of what was sent last of what it is for.
func (c *Conn) sample(took, latest time.Duration) {
	c.rtt.Ack(took, latest, c.snd.una, c.snd.nxt, c.samples())
}

// samples is how many measurements a round trip brings: one for every other segment.
func (c *Conn) samples() int {
	f := c.loss.out
	if f == nil {
		return 1
	}
	return max(f.out.segments/2, 1)
}

// measureEcho measures by the echoed timestamp, after a retransmission. An echo from before
// the retransmission is not used: it may be that the first sending arrived and its ACK was
// lost, so that the time until the ACK of the copy would be taken for a round trip, the
// timeout would grow by it, and the next measurement of that kind with the timeout.
func (c *Conn) measureEcho(a *arrival) time.Duration {
	o := &a.seg.Options
	if !c.ts.on || !o.HasTimestamps || o.TSEcr == 0 || c.ts.beforeAgain(a.now, o.TSEcr) {
		return 0
	}
	took, ok := c.ts.elapsed(a.now, o.TSEcr)
	if !ok {
		return 0
	}
	took = max(took, 1)
	c.sample(took, took)
	return took
}

// provePath undoes the doublings of the timeout although Karn's algorithm allows no
// measurement, which without timestamps there is none of until all that was deemed lost has been
// sent again. Twice in a row, without a timeout between, text that was sent again has
// been acknowledged, and not sooner than the path's least round trip, as a late ACK
// for the first sending would be: what is sent arrives, and the timeouts were losses
// and not a path that had become slower than the timeout.
func (c *Conn) provePath(took time.Duration) {
	s := &c.snd
	if !c.set.TrustCopies || !c.rtt.Sampled() || took < c.rtt.Min() {
		s.proofs = 0
		return
	}
	if s.proofs++; s.proofs >= 2 {
		s.proofs = 0
		c.rtt.ClearBackoff()
	}
}

// timesOne reports whether one segment is measured at a time (Settings.TimeOneSegment).
func (c *Conn) timesOne() bool { return c.set.TimeOneSegment && c.like != nil && !c.ts.on }

// timeText begins a measurement with new text from at on, where none is under way.
func (c *Conn) timeText(now clock.Time, at seq.Value) {
	if c.timesOne() && c.like.timedAt == 0 {
		c.like.timedAt, c.like.timed = now, at
	}
}

// measureTimed ends it with the ACK of that text. What was sent again ends it without a result
// (Karn's algorithm, RFC 6298 §3): see countResent.
func (c *Conn) measureTimed(n *news) {
	k := c.like
	if k.timedAt == 0 || c.snd.una.LessEq(k.timed) {
		return
	}
	took := max(n.now.Sub(k.timedAt), 1)
	k.timedAt, c.snd.proofs = 0, 0
	c.rtt.Ack(took, took, c.snd.una, c.snd.nxt, 1)
}
