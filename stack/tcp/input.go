package tcp

import (
	"syscall"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/wire"
)

// arrival is a segment on its way through the steps of SEGMENT ARRIVES, and what has
// become of it.
type arrival struct {
	now    clock.Time
	seg    *Segment
	seq    seq.Value // of the first octet left after trimming
	text   []byte    // what of the payload is in the window
	fin    bool      // the FIN is in the window
	stamp  bool      // its timestamp may become TS.Recent
	freed  bool      // it has let go of text in the send queue
	events Events
	beyond bool // text that went on beyond the window was taken all the same: see endsInTime
}

func (a *arrival) rst() bool { return a.seg.has(wire.FlagRST) }
func (a *arrival) syn() bool { return a.seg.has(wire.FlagSYN) }
func (a *arrival) ack() bool { return a.seg.has(wire.FlagACK) }

// Input is SEGMENT ARRIVES (RFC 9293 §3.10.7). The segment and its payload are only
// borrowed. What there is to answer leaves by Output.
func (c *Conn) Input(now clock.Time, s *Segment) Events {
	if c.state == StateClosed {
		return 0 // §3.10.7.1 is Refuse
	}
	c.wake()
	c.ctr.SegmentsIn.Add(1)
	c.ctr.OctetsIn.Add(uint64(len(s.Payload)))
	c.stat.countIn(now, s, s.has(wire.FlagACK))
	c.settled = false
	if c.likeLinux() {
		c.more = false
	}
	a := arrival{now: now, seg: s, seq: s.Seq, text: s.Payload, fin: s.has(wire.FlagFIN)}
	switch c.state {
	case StateSynSent:
		c.arrivesSynSent(&a) // §3.10.7.3
	case StateTimeWait:
		c.arrivesTimeWait(&a)
	default:
		c.arrivesOther(&a) // §3.10.7.4
		c.takeSynText(&a)
	}
	return a.events
}

// arrivesOther is RFC 9293 §3.10.7.4, in its order. Each step reports whether the
// segment goes on to the next. The third step, security and compartment, is not
// carried out: neither IPv4's option nor anything in IPv6 brings them here.
func (c *Conn) arrivesOther(a *arrival) {
	_ = c.firstSequenceNumber(a) &&
		c.secondReset(a) &&
		c.fourthSyn(a) &&
		c.fifthAck(a) &&
		c.sixthUrgent(a) &&
		c.seventhText(a) &&
		c.eighthFin(a)
}

// acceptable is the test of RFC 9293 §3.4, table 6: whether a segment of n sequence
// numbers from s on is, in part, in the window of wnd numbers from nxt on. A
// super-segment may begin before the window and end after it: the wire segments that it
// was coalesced from would each be judged, and one of them is inside.
func acceptable(s seq.Value, n int, nxt seq.Value, wnd uint32) bool {
	if n == 0 {
		return s == nxt || s.InWindow(nxt, wnd)
	}
	return wnd > 0 && s.Less(nxt.Add(int(wnd))) && s.Add(n).Greater(nxt)
}

// firstSequenceNumber checks the timestamp (RFC 7323 §5.3) and the sequence number, and
// trims the segment to what is new and in the window.
func (c *Conn) firstSequenceNumber(a *arrival) bool {
	if c.state == StateSynReceived && a.syn() && a.seq == c.rcv.irs {
		return c.synAgain(a)
	}
	if !c.admitTimestamp(a) {
		return false
	}
	if c.likeFreeBSD() {
		c.acceptFreeBSD()
	}
	n, wnd := a.seg.Len(), c.rcv.window()
	if a.rst() { // text in it explains it (RFC 9293 §3.5.3, SHLD-2), and is in no window
		n, a.text, a.fin = 0, nil, false
	}
	if c.likeLinux() {
		if !c.endsInTime(a) {
			c.unacceptable(a)
			return false
		}
		wnd = c.rcv.window()
	}
	switch {
	case acceptable(a.seq, n, c.rcv.nxt, wnd):
	case c.specialAllowance(a, wnd):
		if !c.likeLinux() || a.seg.Len() > 0 {
			c.answerInvalid(a)
		}
		c.heard(a.now)
		a.text, a.fin = nil, false
		return true
	default:
		c.unacceptable(a)
		return false
	}
	a.stamp = true // once the ACK is known to be good as well
	c.noteECN(a.seg)
	c.trim(a)
	c.heard(a.now)
	return true
}

// specialAllowance reports whether the ACK of a segment is to be processed although
// nothing of the segment is in the window: "If the RCV.WND is zero, no segments
// will be acceptable, but special allowance should be made to accept valid ACKs, URGs,
// and RSTs" (RFC 9293 §3.10.7.4 first). The same is done for a bare ACK at the
// right edge of an open window, which is where a peer's ACKs are while all the text that
// filled the window is under way: it is answered as the RFC has it, but heard.
func (c *Conn) specialAllowance(a *arrival, wnd uint32) bool {
	if a.syn() || a.rst() {
		return false
	}
	if wnd == 0 {
		return a.seq == c.rcv.nxt
	}
	return c.state.Synchronized() && a.seg.Len() == 0 && a.seq == c.rcv.edge
}

// trim cuts off what lies outside of the window: "any segment that extends beyond the
// window is trimmed; the segment is the idealized segment that begins at RCV.NXT".
func (c *Conn) trim(a *arrival) {
	if over := c.rcv.nxt.Sub(a.seq); over > 0 {
		if len(a.text) > 0 {
			c.ctr.DuplicateText.Add(1)
			c.noteTwice(a.seq, seq.Min(a.seq.Add(len(a.text)), c.rcv.nxt))
			c.ackNow()
		}
		if a.syn() { // left for the fourth step, which sees the flag
			over--
			a.seq = a.seq.Add(1)
		}
		over = min(over, len(a.text))
		a.seq, a.text = a.seq.Add(over), a.text[over:]
	}
	if room := c.rcv.edge.Sub(a.seq); len(a.text) >= room {
		if len(a.text) > room {
			a.text = a.text[:max(room, 0)]
			a.fin = false
			c.ackNow()
		} else if a.fin {
			a.fin = false // the FIN is the first number beyond the window
			c.ackNow()
		}
	}
}

// heard notes that the peer is alive.
func (c *Conn) heard(now clock.Time) {
	c.heardAt = now
	if c.keep != nil {
		c.keep.probes = 0
	}
}

// unacceptable answers a segment outside the window: "an acknowledgment should be sent
// in reply (unless the RST bit is set, if so drop the segment and return)".
func (c *Conn) unacceptable(a *arrival) {
	if a.rst() && c.resetBeforeFin(a) {
		c.ctr.ResetsIn.Add(1)
		if c.state == StateCloseWait {
			c.fail(a, syscall.EPIPE)
		} else {
			c.closed(a)
		}
		return
	}
	if a.rst() {
		c.ctr.ResetsIgnored.Add(1)
		return
	}
	c.ctr.OutOfWindow.Add(1)
	if len(a.text) > 0 && a.seg.End().LessEq(c.rcv.nxt) {
		c.ctr.DuplicateText.Add(1)
		c.noteTwice(a.seq, a.seq.Add(len(a.text)))
		c.quickenNow()
	}
	if a.syn() {
		c.challenge(a.now) // RFC 5961 §4: "irrespective of the sequence number"
		return
	}
	c.answerInvalid(a)
}

// answerInvalid sends an ACK about a segment that was not acceptable. Two ends that do not
// agree where they are would answer each other's ACKs for ever, so those about
// segments that occupy no sequence number are spaced out.
func (c *Conn) answerInvalid(a *arrival) {
	if a.seg.Len() == 0 && !c.mayAnswerInvalid(a.now) {
		return
	}
	c.ackNow()
}

func (c *Conn) mayAnswerInvalid(now clock.Time) bool {
	if c.invalidAt != clock.Never && now.Sub(c.invalidAt) < c.set.InvalidAckInterval {
		c.ctr.ChallengeAcksHeld.Add(1)
		return false
	}
	c.own().invalidAt = now
	return true
}

// challenge sends a challenge ACK (RFC 5961 §3.2, §4.2, §5.2) as far as the limits of
// the connection and of the stack (§7) allow.
func (c *Conn) challenge(now clock.Time) {
	if !c.mayAnswerInvalid(now) {
		return
	}
	if !c.mayChallenge(now) {
		c.ctr.ChallengeAcksHeld.Add(1)
		return
	}
	if !c.ctr.challengeLimit().allow(now, c.set.ChallengeAckPerSecond) {
		c.ctr.ChallengeAcksHeld.Add(1)
		return
	}
	c.ctr.ChallengeAcks.Add(1)
	c.ackNow()
}

// mayChallenge keeps to the bound of challenge ACKs for one connection.
func (c *Conn) mayChallenge(now clock.Time) bool {
	if c.like == nil || c.set.ChallengeAcksPerConn <= 0 {
		return true
	}
	k := c.like
	if now.Sub(k.challenged) > time.Second {
		k.challenged, k.challenges = now, 0
	}
	if int(k.challenges) >= c.set.ChallengeAcksPerConn {
		return false
	}
	k.challenges++
	k.plain = true
	return true
}

// secondReset checks the RST bit as RFC 5961 §3.2 has it: only a reset with the very
// number that is expected next resets.
func (c *Conn) secondReset(a *arrival) bool {
	if !a.rst() {
		return true
	}
	if a.seg.Seq != c.rcv.nxt && !c.set.InsecureReset && !c.resetAtSACK(a) && !c.resetOfRequest() {
		c.challenge(a.now)
		return false
	}
	c.ctr.ResetsIn.Add(1)
	switch {
	case c.state == StateSynReceived && !c.passive:
		c.fail(a, syscall.ECONNREFUSED)
	case c.state == StateSynReceived: // "return this connection to the LISTEN state"
		c.fail(a, syscall.ECONNRESET)
	case c.likeFreeBSD():
		c.fail(a, syscall.ECONNRESET)
	case c.state == StateCloseWait:
		c.fail(a, syscall.EPIPE) // the peer had ended its stream: as Linux reports it
	case c.state == StateClosing, c.state == StateLastAck:
		c.closed(a) // both directions were complete: nothing to report
	default:
		c.fail(a, syscall.ECONNRESET)
	}
	return false
}

// resetAtSACK reports whether a reset comes where the peer may believe that RCV.NXT is, by what
// Linux makes of it: at the end of the text that was reported by SACK.
func (c *Conn) resetAtSACK(a *arrival) bool {
	o := c.ooo
	return c.likeLinux() && c.sackOK && o != nil && o.Ranges() > 0 && o.Range(o.Ranges()-1).End == a.seg.Seq
}

// resetOfRequest reports whether a reset anywhere in the window ends the handshake: Linux
// has no connection yet that would be worth a challenge.
func (c *Conn) resetOfRequest() bool {
	return c.likeLinux() && c.state == StateSynReceived && c.passive
}

// resetBeforeFin reports whether a reset has the number of the peer's FIN, which has been received: Linux
// takes it from a peer that had not heard the ACK.
func (c *Conn) resetBeforeFin(a *arrival) bool {
	switch c.state {
	case StateCloseWait, StateClosing, StateLastAck:
		return c.likeLinux() && a.seg.Seq == c.rcv.nxt.Add(-1)
	}
	return false
}

// fourthSyn checks the SYN bit: "If the SYN bit is set in these synchronized states ...
// the TCP endpoint MUST send a challenge ACK" (RFC 5961 §4.2); a passive connection
// in SYN-RECEIVED returns to LISTEN.
func (c *Conn) fourthSyn(a *arrival) bool {
	if !a.syn() || c.state == StateSynReceived && a.seq == c.rcv.irs.Add(1) && a.seg.Seq == c.rcv.irs {
		return true // the second is synAgain's
	}
	if c.state == StateSynReceived && c.passive {
		c.fail(a, syscall.ECONNRESET)
		return false
	}
	if c.set.InsecureSyn { // RFC 793: "error, send a reset"
		c.queueReset()
		c.fail(a, syscall.ECONNRESET)
		return false
	}
	c.challenge(a.now)
	return false
}

// synAgain is the peer's SYN once more in SYN-RECEIVED. Without an ACK our SYN,ACK was
// lost, and is sent again. With one both ends have opened at once, and the
// SYN,ACK, although its SYN is old, brings the ACK that ends the handshake (RFC 9293
// §3.5, figure 8).
func (c *Conn) synAgain(a *arrival) bool {
	if a.rst() {
		c.ctr.ResetsIgnored.Add(1)
		return false
	}
	if !a.ack() {
		c.synDue = true
		return false
	}
	a.seq, a.text, a.fin = a.seq.Add(1), nil, false
	c.heard(a.now)
	c.ackNow()
	return true
}
