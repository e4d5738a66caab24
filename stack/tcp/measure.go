package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// timing is the one segment of a connection that is being timed (RFC 6298 §3), where on is
// set.
type timing struct {
	end    seq.Value
	at     clock.Time
	on     bool
	again  bool  // it was sent before: its time is no measurement
	proofs uint8 // see provePath
}

// start times a segment that ends at end, unless one is being timed.
func (t *timing) start(now clock.Time, end seq.Value, again bool) {
	if !t.on {
		t.end, t.at, t.on, t.again = end, now, true, again
	}
}

// measure takes an RTT measurement where the ACK gives one: by our own clock for the
// segment being timed, which was sent once only (Karn's algorithm, RFC 6298 §3),
// else by the echoed timestamp (RFC 7323 §4.1). It returns 0 where there is none.
func (c *Conn) measure(a *arrival) time.Duration {
	t := &c.snd.timing
	if !t.on {
		return c.measureEcho(a)
	}
	if c.snd.una.Less(t.end) {
		return 0
	}
	t.on = false
	took := max(a.now.Sub(t.at), 1)
	if t.again {
		c.provePath(took)
		return 0
	}
	t.proofs = 0
	c.rtt.Sample(took)
	return took
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
	c.rtt.Sample(took)
	return took
}

// provePath undoes the doublings of the timeout although Karn's algorithm allows no
// measurement, which without timestamps there is none of until all that was deemed lost has been
// sent again. Twice in a row, without a timeout between, text that was sent again has
// been acknowledged, and not sooner than the path's least round trip, as a late ACK
// for the first sending would be: what is sent arrives, and the timeouts were losses
// and not a path that had become slower than the timeout.
func (c *Conn) provePath(took time.Duration) {
	t := &c.snd.timing
	if !c.rtt.Sampled() || took < c.rtt.Min() {
		t.proofs = 0
		return
	}
	if t.proofs++; t.proofs >= 2 {
		t.proofs = 0
		c.rtt.ClearBackoff()
	}
}
