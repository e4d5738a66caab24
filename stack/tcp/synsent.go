package tcp

import (
	"syscall"

	"github.com/weirnet/weir/stack/wire"
)

// arrivesSynSent is RFC 9293 §3.10.7.3, in its order.
func (c *Conn) arrivesSynSent(a *arrival) {
	_ = c.synSentFirstAck(a) && c.synSentSecondReset(a) && c.synSentFourthSyn(a)
}

// synSentFirstAck checks the ACK bit: "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a
// reset (unless the RST bit is set ...) <SEQ=SEG.ACK><CTL=RST> and discard the segment".
func (c *Conn) synSentFirstAck(a *arrival) bool {
	if !a.ack() || a.seg.Ack.Greater(c.snd.iss) && a.seg.Ack.LessEq(c.snd.nxt) && !c.echoIsFalse(a) {
		return true
	}
	c.ctr.NotForThisState.Add(1)
	if a.rst() {
		c.ctr.ResetsIgnored.Add(1)
		return false
	}
	c.reply = pendingReply{seq: a.seg.Ack, flags: wire.FlagRST}
	return false
}

// echoIsFalse reports whether a SYN,ACK echoes a timestamp that no SYN of ours had, which in Linux makes
// its ACK unacceptable.
func (c *Conn) echoIsFalse(a *arrival) bool {
	o := &a.seg.Options
	if !c.likeLinux() || !c.set.Timestamps || !o.HasTimestamps || o.TSEcr == 0 || !a.syn() || a.rst() {
		return false
	}
	return tsBefore(o.TSEcr, c.ts.val(c.progressAt)) || tsBefore(c.ts.val(a.now), o.TSEcr)
}

// synSentSecondReset checks the RST bit: "If the ACK was acceptable, then signal to the
// user "error: connection reset", drop the segment, enter CLOSED state ... Otherwise
// (no ACK), drop the segment".
func (c *Conn) synSentSecondReset(a *arrival) bool {
	if !a.rst() {
		return true
	}
	if !a.ack() {
		c.ctr.ResetsIgnored.Add(1)
		return false
	}
	c.ctr.ResetsIn.Add(1)
	c.fail(a, syscall.ECONNREFUSED)
	return false
}

// synSentFourthSyn checks the SYN bit; a segment with neither SYN nor RST is dropped
// (fifth).
func (c *Conn) synSentFourthSyn(a *arrival) bool {
	if !a.syn() || a.fin && c.set.DropSynFin && c.likeFreeBSD() {
		c.ctr.NotForThisState.Add(1)
		return false
	}
	r := &c.rcv
	r.irs = a.seg.Seq
	r.nxt, r.lastAck = r.irs.Add(1), r.irs.Add(1)
	r.edge = r.nxt // what our SYN has offered
	if c.like != nil {
		c.like.adv = r.nxt
	}
	c.offerUnscaled()
	c.adoptOptions(a.now, &a.seg.Options)
	c.adoptECN(a.seg)
	c.heard(a.now)
	a.seq = r.nxt
	if !a.ack() {
		c.crossedSyn(a)
		return false
	}
	c.setWindow(a, 0) // "The window field in a segment where the SYN bit is set is never scaled"
	c.state = StateEstablished
	c.advance(a, a.seg.Ack.Sub(c.snd.una))
	c.establish(a)
	c.ackNow() // "<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>"
	if len(a.text) == 0 && !a.fin && !a.seg.has(wire.FlagURG) {
		return true
	}
	// "If there are other controls or text in the segment, then continue processing at
	// the sixth step under Section 3.10.7.4".
	c.trim(a)
	_ = c.sixthUrgent(a) && c.seventhText(a) && c.eighthFin(a)
	return true
}

// crossedSyn is a SYN without an ACK: the peer has opened at the same time. "Otherwise,
// enter SYN-RECEIVED, form a SYN,ACK segment <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> and send
// it." Text that came with it is not kept; the peer will send it again.
func (c *Conn) crossedSyn(a *arrival) {
	c.ctr.SimultaneousOpens.Add(1)
	c.state = StateSynReceived
	c.setWindow(a, 0)
	c.snd.wl2 = c.snd.iss
	c.synDue = true
	switch {
	case !c.likeFreeBSD():
	case len(a.text) > 0: // kept, though the SYN,ACK does not acknowledge it
		c.trim(a)
		c.like.synText = append([]byte(nil), a.text...)
	case a.fin: // a FIN without text it does acknowledge
		c.like.synFin = true
	}
}

// takeSynText processes, once the connection is synchronized, the text or FIN that came with a SYN that
// crossed ours: it arrives as if only now. A segment that ends the handshake comes first.
func (c *Conn) takeSynText(a *arrival) {
	k := c.like
	if k == nil || k.synText == nil && !k.synFin || !c.state.Synchronized() {
		return
	}
	s := Segment{Seq: c.rcv.irs.Add(1), Payload: k.synText}
	late := arrival{now: a.now, seg: &s, seq: s.Seq, text: s.Payload, fin: k.synFin}
	k.synText, k.synFin = nil, false
	due := c.acksDue
	c.trim(&late)
	if (len(late.text) > 0 || late.fin) && c.seventhText(&late) {
		c.eighthFin(&late)
	}
	if late.fin { // the SYN,ACK has said so
		c.acksDue, c.rcv.lastAck = due, c.rcv.nxt
	}
	a.events |= late.events
}
