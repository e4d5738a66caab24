package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp/cc"
)

// control is the congestion control of a connection.
type control = cc.Control

func (c *Conn) newControl() control {
	return cc.NewWith(c.Congestion(), cc.Options{
		Segments: c.set.CwndInSegments, PRR: c.set.PRR, HyStart: c.set.HyStart,
		AtThreshold: c.set.SlowStartAtThreshold,
	})
}

// caState says how congested the path is taken to be; the names are the customary ones.
type caState uint8

const (
	caOpen     caState = iota // nothing is wrong
	caDisorder                // something was SACKed, or acknowledged twice
	caCWR                     // the window is being reduced, and nothing is lost: ECN, a probe
	caRecovery                // fast recovery (RFC 6582, RFC 6675, RFC 8985)
	caLoss                    // after a timeout (RFC 5681 §3.1)
)

var caNames = [...]string{"open", "disorder", "cwr", "recovery", "loss"}

func (s caState) String() string { return caNames[s] }

// lossState is what the sender believes of the octets between SND.UNA and SND.NXT, and of
// the path.
type lossState struct {
	out   *flight   // nil while nothing is outstanding
	rec   *recovery // nil until something was out of the ordinary
	state caState
	force bool // one retransmission is to go whatever the window says
	hold  bool // F-RTO sends new text first (RFC 5682 §3.1 step 2b)
	fresh bool // something was sent since noteUsage looked
}

// recovery is what is remembered of reactions to loss, reordering and congestion.
type recovery struct {
	high      seq.Value // SND.NXT when the present state began: RecoveryPoint
	probeEnd  seq.Value // SND.NXT when the tail loss probe left (RFC 8985 §7.2, TLP.end_seq)
	undoMark  seq.Value // SND.UNA when the window was reduced: see undo.go
	undoLeft  int       // retransmitted segments of which no DSACK has told; -1 where none were
	stamp     uint32    // timestamp of the first retransmission
	prior     int       // cwnd when the reduction began (RFC 9937 §6, RecoverFS)
	delivered int       // since then (prr_delivered)
	sent      int       // since then (prr_out)
	window    int       // cwnd meanwhile

	reordering  int    // in segments: what an out-of-order arrival is believed to span
	reorderings uint32 // how often reordering was seen
	dsacks      uint32 // segments that DSACK says came twice
	adapted     uint32 // Conn.delivered when the reordering window was last changed
	dups        uint8  // holes.go: duplicates before recovery
	steps       uint8  // RACK.reo_wnd_mult (RFC 8985 §6.2 step 4)
	persist     uint8  // recoveries until it falls back (RACK.reo_wnd_persist)

	recovered                  bool // something was recovered from, up to high
	undoable, stamped, reneged bool
	probing, probeResent       bool // a tail loss probe is outstanding; and it was a retransmission
	dsackSeen, frto, tailDue   bool
	fresh                      bool // holes.go: the ACK at hand has begun it
	canRestore                 bool // the window before the reduction may come back
}

// remember returns the connection's recovery record.
func (c *Conn) remember() *recovery {
	if c.loss.rec == nil {
		c.loss.rec = &recovery{
			high: c.snd.una, reordering: c.dupThresh(), steps: 1, undoLeft: -1,
		}
	}
	return c.loss.rec
}

// dupThresh is DupThresh: how many duplicate ACKs tell of a loss (RFC 5681 §3.2, RFC 6675 §2).
func (c *Conn) dupThresh() int {
	if c.set.Reordering > 0 {
		return c.set.Reordering
	}
	return 3
}

// reordering returns how many segments' reordering the path is known for, DupThresh at first.
func (c *Conn) reordering() int {
	if c.loss.rec != nil {
		return c.loss.rec.reordering
	}
	return c.dupThresh()
}

// units is a tally as the congestion window counts: octets, or segments of the full size.
func (c *Conn) units(t tally) int {
	if c.set.CwndInSegments {
		return t.segments * int(c.snd.mss)
	}
	return t.octets
}

// unit is what the congestion window is a multiple of.
func (c *Conn) unit() int {
	if c.set.CwndInSegments {
		return int(c.snd.mss)
	}
	return 1
}

// pipe is how much is believed to be under way (RFC 6675 §4, SetPipe), in the window's units.
func (c *Conn) pipe() int {
	f := c.loss.out
	if f == nil {
		return 0
	}
	n := c.units(f.out) - c.units(f.sacked) - c.units(f.lost) + c.units(f.resent)
	return max(n-f.reno*int(c.snd.mss), 0)
}

// reducing reports whether the window is on its way down (RFC 9937).
func (c *Conn) reducing() bool {
	return c.set.PRR && (c.loss.state == caRecovery || c.loss.state == caCWR)
}

// cwnd is the congestion window.
func (c *Conn) cwnd() int {
	if c.reducing() || c.byHoles() {
		return c.loss.rec.window
	}
	return c.cc.Window()
}

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
	n.losses, f.before = f.losses, c.units(f.out)
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
			n.took = n.now.Sub(r.at)
		} else if r.state&stSacked == 0 {
			last = r.at
			if first == 0 {
				first = r.at
			}
			n.low = seq.Min(n.low, r.Start)
			n.original = n.original || c.beforeRecovery(r)
		}
		if r.state&stSacked == 0 {
			n.delivered.add(r, 1)
			c.noteDelivered(n, r)
			f.rack.advance(n.now, r, c.rtt.Min())
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

// renoAcked brings the count of what duplicate ACKs have told into line with progress. Without
// SACK nobody knows which of what was sent twice has arrived.
func (c *Conn) renoAcked(n *news) {
	f := c.loss.out
	acked, known := n.delivered, f.reno
	// The first fills the hole; the others are those that duplicates have told of.
	f.reno = max(known-max(acked.segments-1, 0), 0)
	n.delivered.segments = max(acked.segments-known, 1)
	n.delivered.octets = max(acked.octets-known*int(c.snd.mss), min(acked.octets, int(c.snd.mss)))
	c.limitReno()
	if n.resent {
		n.original = false
	}
}

// addReno counts duplicate ACKs: each stands for a segment that has left the network
// (RFC 5681 §3.2 step 4, and for the first two RFC 3042).
func (c *Conn) addReno(n *news) {
	f := c.loss.out
	if c.sackOK || f == nil || n.dup == 0 {
		return
	}
	was := f.reno
	f.reno += n.dup
	c.limitReno()
	if more := f.reno - was; more > 0 {
		n.delivered.segments += more
		n.delivered.octets += more * int(c.snd.mss)
	}
}

// limitReno: at least the first segment is missing, or there would be no duplicates.
func (c *Conn) limitReno() {
	f := c.loss.out
	most := max(f.out.segments-f.lost.segments, 0)
	if f.reno > most {
		if f.reno > max(f.out.segments-1, 0) {
			c.raiseReordering(f.reno)
		}
		f.reno = most
	}
}

func (c *Conn) resetReno() {
	if c.loss.out != nil {
		c.loss.out.reno = 0
	}
}

// control tells congestion control what was delivered, or brings the window down.
func (c *Conn) control(n *news) {
	if s, ok := c.cc.(cc.Sampler); ok && n.acked && n.latest > 0 {
		s.OnSample(cc.Sample{Now: n.now, RTT: n.latest, Una: c.snd.una, Nxt: c.snd.nxt})
	}
	delivered := c.units(n.delivered)
	switch {
	case c.reducing():
		c.reduceBy(n, delivered)
	case c.byHoles():
		c.holesWindow(n)
	case n.left:
	case c.loss.state == caRecovery || c.loss.state == caCWR:
		c.cc.OnPartialAck(delivered)
	case n.acked || n.sacked && c.reordering() > c.dupThresh():
		c.cc.OnAck(n.now, delivered, n.flight, n.rtt, !c.filled())
	}
}

// usage is how much of the congestion window has been used lately (RFC 7661 §4.2).
type usage struct {
	end     seq.Value // SND.NXT when it was noted
	most    int       // what was outstanding
	limited bool      // it was the window that ended sending
	noted   bool
	since   clock.Time // when the window was last filled
	used    int        // the most that was outstanding since
}

// noteUsage is called when Output has sent what it may.
func (c *Conn) noteUsage(now clock.Time) {
	f := c.loss.out
	if f == nil || !c.loss.fresh && !c.cwndFull {
		return
	}
	c.loss.fresh = false
	limited := c.cwndFull || c.pipe() >= c.cwnd()
	u, out := &f.usage, c.units(f.out)
	if !u.noted || c.snd.una.GreaterEq(u.end) || limited || !u.limited && out > u.most {
		u.end, u.most, u.limited, u.noted = c.snd.nxt, out, limited, true
	}
	c.noteUnused(now, out)
}

// noteUnused tells congestion control of a window that was not filled for the time of a
// retransmission timeout (RFC 2861 §3.2).
func (c *Conn) noteUnused(now clock.Time, out int) {
	u := &c.loss.out.usage
	if c.filled() || u.since == 0 {
		u.since, u.used = now, 0
		return
	}
	u.used = max(u.used, out)
	if c.set.SlowStartAfterIdle && now.Sub(u.since) >= c.rtt.RTO() {
		if c.loss.state == caOpen && c.dataEnd().LessEq(c.snd.nxt) {
			c.cc.OnUnused(u.used)
		}
		u.since, u.used = now, 0
	}
}

// filled reports whether the window was used so far that growth proves something: it was what
// held the sender back, or in slow start half of it was used, so that an ACK of all of
// that at most doubles what has been proven.
func (c *Conn) filled() bool {
	u := &c.loss.out.usage
	return u.limited || c.cc.InSlowStart() && c.cwnd() < 2*u.most
}
