package tcp

import (
	"fmt"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// Check returns an error when the connection's state contradicts itself: a sequence
// number out of its place, a queue that does not fit its sequence space, or something
// that waits for a timer that does not run. It is for tests and simulation; it walks
// everything.
func (c *Conn) Check() error {
	c.ready()
	for _, check := range [...]func() error{
		c.checkSend, c.checkLoss, c.checkReceive, c.checkTimers, c.checkSettled, checkShared,
	} {
		if err := check(); err != nil {
			return fmt.Errorf("tcp: %v: %w", c.state, err)
		}
	}
	return nil
}

// must returns an error unless ok.
func must(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn) checkSend() error {
	s := &c.snd
	if err := c.sendQueue.Check(); err != nil {
		return err
	}
	if c.state == StateClosed {
		return must(c.sendQueue.Len() == 0, "%d octets in the send queue", c.sendQueue.Len())
	}
	end := c.dataEnd()
	if c.finQueued {
		end = end.Add(1)
	}
	if s.connecting && s.nxt == s.iss { // the SYN has not left yet
		end = s.nxt
	}
	return firstError(
		must(s.una.LessEq(s.nxt), "snd.una %d after snd.nxt %d", s.una, s.nxt),
		must(s.nxt.LessEq(end), "snd.nxt %d after the end of what there is to send, %d", s.nxt, end),
		must(!c.finAcked || c.finQueued && s.una == s.nxt && c.sendQueue.Len() == 0, "FIN acknowledged with data outstanding"),
		must(s.mss >= minMSS-timestampsLen, "segment size %d", s.mss),
		must(!c.probing || s.nxt.Sub(s.una) == 1, "a probe of %d octets", s.nxt.Sub(s.una)),
		must(s.wnd <= s.maxWnd, "snd.wnd %d is more than its maximum %d", s.wnd, s.maxWnd),
		must(c.state == StateSynSent || c.state == StateSynReceived || c.parked() || c.cc != nil, "no congestion control"),
		c.checkFinState(),
	)
}

// checkFinState holds the state against what has become of our FIN and the peer's.
func (c *Conn) checkFinState() error {
	var ours, acked, theirs bool
	switch c.state {
	case StateFinWait1:
		ours = true
	case StateFinWait2:
		ours, acked = true, true
	case StateCloseWait:
		theirs = true
	case StateClosing, StateLastAck:
		ours, theirs = true, true
	case StateTimeWait:
		ours, acked, theirs = true, true, true
	case StateSynReceived:
		ours = c.finQueued
	}
	return must(c.finQueued == ours && c.finAcked == acked && c.finReached() == theirs,
		"FIN queued %v acknowledged %v, peer's reached %v", c.finQueued, c.finAcked, c.finReached())
}

func (c *Conn) checkLoss() error {
	if c.state == StateClosed {
		return must(c.loss.out == nil && c.loss.rec == nil, "a closed connection has something under way")
	}
	l, s := &c.loss, &c.snd
	if err := firstError(
		must(c.cc == nil || c.cc.Window() > 0, "no congestion window"),
		must(l.state == caOpen || l.rec != nil, "%v and no record of it", l.state),
		must(l.rec == nil || l.rec.high.LessEq(s.nxt) || s.connecting, "RecoveryPoint after snd.nxt"),
		must(!c.reducing() || l.rec.window > 0, "a window of %d in recovery", c.reducedTo()),
		must(!l.hold || l.out != nil && l.state == caLoss, "F-RTO waits for nothing"),
	); err != nil {
		return err
	}
	if l.out == nil {
		return must(s.una == s.nxt || s.connecting || c.probing, "%d octets outstanding that nobody sent", s.nxt.Sub(s.una))
	}
	from := s.una
	if s.connecting {
		from = from.Add(1)
	}
	return l.out.check(from, s.nxt)
}

func (c *Conn) reducedTo() int {
	if c.loss.rec == nil {
		return 0
	}
	return c.loss.rec.window
}

// check holds the records against each other and the tallies: they fill [una, nxt) without
// gaps.
func (f *flight) check(una, nxt seq.Value) error {
	at, n := una, flight{}
	for i := range f.recs {
		r := &f.recs[i]
		if r.Start != at || r.Len() <= 0 || r.size == 0 {
			return fmt.Errorf("record %d is [%d,%d) of %d, after %d", i, r.Start, r.End, r.size, at)
		}
		if r.state&stSacked != 0 && r.state&stLost != 0 || r.state&stResent != 0 && r.state&stEver == 0 ||
			r.state&stFin != 0 && i != len(f.recs)-1 {
			return fmt.Errorf("record %d of %d has the state %b", i, len(f.recs), r.state)
		}
		if r.state.owed() && r.Start.Less(f.hint) {
			return fmt.Errorf("[%d,%d) is owed before the hint %d", r.Start, r.End, f.hint)
		}
		if r.state&stSacked != 0 && r.End.Greater(f.top) {
			return fmt.Errorf("[%d,%d) is SACKed beyond %d", r.Start, r.End, f.top)
		}
		n.count(r, 1)
		at = r.End
	}
	return firstError(
		must(at == nxt && len(f.recs) > 0, "the records end at %d and not at snd.nxt %d", at, nxt),
		must(len(f.recs) <= 8*maxSent, "%d records", len(f.recs)),
		must(n.out == f.out && n.sacked == f.sacked && n.lost == f.lost && n.resent == f.resent && n.owing == f.owing,
			"tallies %v %v %v %v %v, counted %v %v %v %v %v", f.out, f.sacked, f.lost, f.resent, f.owing, n.out, n.sacked, n.lost, n.resent, n.owing),
		must(f.reno >= 0 && f.reno <= f.out.segments, "duplicate ACKs for %d of %d segments", f.reno, f.out.segments),
	)
}

func (c *Conn) checkReceive() error {
	r := &c.rcv
	if err := c.recvQueue.Check(); err != nil {
		return err
	}
	if c.state < StateSynReceived {
		return nil
	}
	if err := firstError(
		must(r.nxt.LessEq(r.edge), "rcv.nxt %d after the window's edge %d", r.nxt, r.edge),
		must(r.lastAck.LessEq(r.nxt), "acknowledged %d after rcv.nxt %d", r.lastAck, r.nxt),
		must(!c.userGone || c.recvQueue.Len() == 0, "%d octets that nobody will read", c.recvQueue.Len()),
		must(c.ackAt == clock.Never || c.unacked > 0, "an ACK is delayed for nothing"),
	); err != nil || c.ooo == nil {
		return err
	}
	if err := must(c.state.takesText() && !c.ooo.Empty(), "reassembly without a use"); err != nil {
		return err
	}
	for i := range c.ooo.Ranges() {
		x := c.ooo.Range(i)
		if x.Start.LessEq(r.nxt) || x.End.Greater(r.edge) {
			return fmt.Errorf("out of order [%d,%d) is not between rcv.nxt %d and the edge %d", x.Start, x.End, r.nxt, r.edge)
		}
	}
	return nil
}

func (c *Conn) checkTimers() error {
	if c.state == StateClosed {
		return must(c.Deadline() == clock.Never && c.keep == nil, "a timer runs")
	}
	return firstError(
		must(c.snd.una == c.snd.nxt || c.rtxAt != clock.Never, "data outstanding and no timer"),
		must(c.snd.una != c.snd.nxt || c.rtxAt == clock.Never || c.persist, "nothing outstanding and a retransmission timer"),
		must(!c.persist || c.rtxAt != clock.Never, "persisting without a timer"),
		must(c.state != StateTimeWait || c.lingerAt != clock.Never, "TIME-WAIT without an end"),
		must(c.state != StateFinWait2 || !c.userGone || c.lingerAt != clock.Never, "FIN-WAIT-2 without a user or an end"),
		must(c.unacked == 0 || c.acksDue > 0 || c.ackAt != clock.Never, "text received and no ACK in sight"),
	)
}

// checkSettled holds when Output has said that there is nothing to send: nothing may be
// due then, and what is left must wait for a timer.
func (c *Conn) checkSettled() error {
	if !c.settled || c.state == StateClosed {
		return nil
	}
	return firstError(
		must(c.acksDue == 0 && !c.updateDue && !c.synDue && c.reply.flags == 0 && !c.probeDue && !c.keepDue,
			"something is due and Output was silent"),
		must(c.state != StateSynSent && c.state != StateSynReceived || c.rtxAt != clock.Never, "a handshake without a timer"),
		must(!c.state.Synchronized() || !c.unsent() || c.rtxAt != clock.Never, "data to send, none outstanding, and no timer"),
	)
}

// checkShared holds that nobody has written to what idle connections share.
func checkShared() error {
	r := &resting
	return firstError(
		must(r.pending == atRest && r.cc == nil && r.loss == lossState{} && r.ooo == nil, "the shared state of rest was written to"),
		must(r.sendQueue.Len() == 0 && r.recvQueue.Len() == 0, "the shared queues were written to"),
		must(nothing == rare{invalidAt: clock.Never}, "the shared lack of options was written to"),
	)
}
