package tcp

import (
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
	prior     int       // what was under way when the reduction began (RFC 9937 §6, RecoverFS)
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
