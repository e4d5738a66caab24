package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp/cc"
)

// control is the congestion control of a connection.
type control = cc.Control

// dupThresh is DupThresh: how many duplicate ACKs tell of a loss (RFC 5681 §3.2, RFC 6675 §2).
const dupThresh = 3

// lossMode says what is being recovered from.
type lossMode uint8

const (
	lossNone    lossMode = iota
	lossFast             // fast recovery (RFC 6582, RFC 6675)
	lossTimeout          // after the retransmission timer has expired (RFC 5681 §3.1)
)

// lossState is what the sender believes of the octets between SND.UNA and SND.NXT.
//
// Those before lostTo that the peer has not reported by SACK are deemed lost, and of these
// the ones before rtxNxt (RFC 6675's HighRxt) have been sent again:
//
//	SND.UNA ≤ rtxNxt ≤ lostTo ≤ SND.NXT
//
// A fast retransmit without SACK deems one segment lost at a time, with SACK as far as
// RFC 6675 does, and a timeout everything. So all three, and a path MTU that
// fell, differ in where they put lostTo, and Output need not tell them apart.
type lossState struct {
	mode      lossMode
	force     bool  // one retransmission is to go whatever the window says
	dupAcks   uint8 // in a row
	dupOctets int   // without SACK: what duplicate ACKs say has left the network
	recover   seq.Value
	rtxNxt    seq.Value
	lostTo    seq.Value
	rtxMark   seq.Value   // SND.NXT when the octet at SND.UNA was last sent again
	sacked    *scoreboard // nil where nothing was reported
}

// init sets every mark to the first sequence number of a connection.
func (l *lossState) init(iss seq.Value) {
	*l = lossState{recover: iss, rtxNxt: iss, lostTo: iss, rtxMark: iss}
}

// pipe is how many octets are believed to be under way (RFC 6675 §4, SetPipe).
func (c *Conn) pipe() int {
	l := &c.loss
	out := c.snd.nxt.Sub(c.snd.una)
	lost := l.lostTo.Sub(l.rtxNxt)
	if l.sacked != nil {
		lost -= l.sacked.within(l.rtxNxt, l.lostTo)
		out -= l.sacked.octets
	}
	out -= lost
	return max(out-l.dupOctets, 0)
}

// takeSACK enters the segment's SACK blocks in the scoreboard, and returns how many octets
// are newly reported. Blocks that are not within what is outstanding are ignored; one
// below SND.UNA is a D-SACK (RFC 2883) or old.
func (c *Conn) takeSACK(a *arrival) int {
	o := &a.seg.Options
	if !c.sackOK || o.NumSACK == 0 {
		return 0
	}
	news := 0
	una := seq.Max(c.snd.una, a.seg.Ack)
	for _, b := range o.SACK[:o.NumSACK] {
		r := seq.Range{Start: seq.Value(b.Left), End: seq.Value(b.Right)}
		if r.Len() <= 0 || r.End.Greater(c.snd.nxt) || r.Start.LessEq(una) {
			if r.End.Greater(una) {
				c.ctr.SACKBlocksIgnored.Add(1)
			}
			continue
		}
		if c.loss.sacked == nil {
			c.loss.sacked = new(scoreboard)
		}
		news += c.loss.sacked.add(r)
	}
	return news
}

// ackForLoss draws the conclusions of an ACK that acknowledged newly octets and
// reported sacked more, while flight were outstanding.
func (c *Conn) ackForLoss(now clock.Time, newly, flight int, dup bool, sacked int, rtt time.Duration) {
	if newly > 0 {
		c.lossAdvance()
	}
	if dup {
		c.onDupAck()
	}
	switch c.loss.mode {
	case lossFast:
		c.ackInFast(now, newly)
	case lossTimeout:
		c.ackInTimeout(now, newly, flight, rtt)
	default:
		if newly > 0 {
			c.loss.dupAcks, c.loss.dupOctets = 0, 0
			c.grow(now, newly, flight, rtt)
		}
	}
	c.detectLoss(now, sacked)
}

// lossAdvance keeps the marks at or after SND.UNA once that has moved.
func (c *Conn) lossAdvance() {
	l, una := &c.loss, c.snd.una
	l.rtxNxt, l.lostTo = seq.Max(l.rtxNxt, una), seq.Max(l.lostTo, una)
	l.rtxMark, l.recover = seq.Max(l.rtxMark, una), seq.Max(l.recover, una.Add(-1))
	l.dupOctets = min(l.dupOctets, c.snd.nxt.Sub(una))
	if l.sacked == nil {
		return
	}
	l.sacked.ackTo(una)
	switch {
	case len(l.sacked.ranges) == 0:
		l.sacked = nil
	case l.sacked.ranges[0].Start == una:
		c.reneged()
	}
}

// reneged: what begins at SND.UNA had been reported, and yet it is not acknowledged. The
// receiver has given it up (RFC 2018 §8): nothing that it reported counts any more.
func (c *Conn) reneged() {
	c.ctr.Reneged.Add(1)
	c.loss.sacked = nil
	c.loss.rtxNxt = c.snd.una
}

func (c *Conn) onDupAck() {
	l := &c.loss
	c.ctr.DupAcks.Add(1)
	l.dupAcks = uint8(min(int(l.dupAcks)+1, 255))
	if !c.sackOK && l.mode != lossTimeout {
		// Each stands for a segment that has left the network (RFC 5681 §3.2 step 4,
		// and for the first two RFC 3042).
		l.dupOctets = min(l.dupOctets+int(c.snd.mss), c.snd.nxt.Sub(c.snd.una))
	}
}

// grow tells congestion control of new data acknowledged outside of recovery.
func (c *Conn) grow(now clock.Time, newly, flight int, rtt time.Duration) {
	limited := !c.cwndFull && cc.AppLimited(c.cc, flight, int(c.snd.mss))
	c.cc.OnAck(now, newly, flight, rtt, limited)
}

// ackInFast is an ACK during fast recovery (RFC 6582 §3.2 step 3).
func (c *Conn) ackInFast(now clock.Time, newly int) {
	l := &c.loss
	if newly == 0 {
		return
	}
	if c.snd.una.GreaterEq(l.recover) { // a full acknowledgment
		l.mode, l.dupAcks, l.dupOctets = lossNone, 0, 0
		l.lostTo, l.rtxNxt, l.force = c.snd.una, c.snd.una, false
		c.cc.ExitRecovery(now, c.pipe())
		return
	}
	c.ctr.PartialAcks.Add(1)
	c.cc.OnPartialAck(newly)
	l.dupOctets = max(0, l.dupOctets-max(0, newly-int(c.snd.mss)))
	if l.rtxNxt == c.snd.una { // what is first now was sent before recovery began, and not again
		l.lostTo = seq.Max(l.lostTo, c.headEnd())
		l.force = true
	}
}

// ackInTimeout is an ACK after a timeout: the window grows from one segment on, and
// what was deemed lost goes out again as it allows.
func (c *Conn) ackInTimeout(now clock.Time, newly, flight int, rtt time.Duration) {
	if newly == 0 {
		return
	}
	c.grow(now, newly, flight, rtt)
	if c.snd.una.GreaterEq(c.loss.recover) {
		c.loss.mode, c.loss.dupAcks, c.loss.force = lossNone, 0, false
	}
}

// headEnd is the end of the first segment that is outstanding.
func (c *Conn) headEnd() seq.Value {
	return seq.Min(c.snd.una.Add(int(c.snd.mss)), c.snd.nxt)
}

// detectLoss decides whether recovery begins, and with SACK how far what is lost goes.
func (c *Conn) detectLoss(now clock.Time, sacked int) {
	l := &c.loss
	if c.snd.una == c.snd.nxt || c.probing || l.mode == lossTimeout {
		return
	}
	edge := c.snd.una
	if l.sacked != nil {
		edge = seq.Max(edge, l.sacked.lostBelow(c.snd.una, int(c.snd.mss)))
	}
	switch {
	case l.mode == lossNone && (edge.Greater(c.snd.una) || l.dupAcks >= dupThresh):
		if c.sackOK || c.snd.una.Greater(l.recover) { // RFC 6582 §3.2 step 2, RFC 6675 §5
			c.enterFast(now, edge)
		}
	case l.mode == lossFast:
		l.lostTo = seq.Max(l.lostTo, edge)
		if sacked > 0 {
			c.detectLostAgain()
		}
	}
}

// enterFast begins fast recovery.
func (c *Conn) enterFast(now clock.Time, edge seq.Value) {
	l := &c.loss
	c.ctr.FastRetransmits.Add(1)
	c.cc.EnterRecovery(now, c.snd.nxt.Sub(c.snd.una), 0)
	l.mode, l.recover, l.force = lossFast, c.snd.nxt, true
	l.rtxNxt, l.lostTo = c.snd.una, seq.Max(edge, c.headEnd())
	l.rtxMark = c.snd.nxt
}

// detectLostAgain finds that the retransmission of the first octet was lost too: text that
// was sent after it has arrived, as far beyond as counts for a loss in the first place.
func (c *Conn) detectLostAgain() {
	l := &c.loss
	if l.sacked == nil || l.rtxNxt == c.snd.una || l.sacked.above(l.rtxMark) <= (dupThresh-1)*int(c.snd.mss) {
		return
	}
	c.ctr.LostRetransmits.Add(1)
	l.rtxNxt, l.rtxMark, l.force = c.snd.una, c.snd.nxt, true
}

// loseAll deems everything lost that is outstanding.
func (c *Conn) loseAll() {
	l := &c.loss
	l.rtxNxt, l.lostTo, l.rtxMark = c.snd.una, c.snd.nxt, c.snd.nxt
	l.dupAcks, l.dupOctets = 0, 0
}
