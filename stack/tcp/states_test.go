package tcp

import (
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/wire"
)

// RFC 9293 §3.5, figure 6: the basic three-way handshake, from the side that begins.
func TestActiveOpenIsAThreeWayHandshake(t *testing.T) {
	d := newDialogue(t)
	d.connect()
	d.state(StateSynSent)
	d.want("active OPEN", "S", 0, 0)
	d.idle("a SYN is sent once")
	d.in("SA", 0, 1, mss(1000))
	d.state(StateEstablished)
	d.events(EventConnected | EventWritable)
	d.want("the handshake's third segment", "A", 1, 1)
	d.idle("nothing to send")
}

// The same from the side that listens (§3.10.7.2).
func TestPassiveOpenIsAThreeWayHandshake(t *testing.T) {
	d := newDialogue(t)
	d.accept(mss(1000))
	d.state(StateSynReceived)
	d.want("passive OPEN and a SYN", "SA", 0, 1)
	d.idle("once")
	d.in("A", 1, 1)
	d.state(StateEstablished)
	d.events(EventConnected | EventWritable)
	d.idle("nothing to send")
}

// RFC 9293 §3.5, figure 7 (MUST-10): simultaneous connection synchronization.
func TestSimultaneousOpen(t *testing.T) {
	d := newDialogue(t)
	d.connect()
	d.want("active OPEN", "S", 0, 0)
	d.in("S", 0, 0, mss(1000))
	d.state(StateSynReceived)
	d.want("the SYN crossed ours", "SA", 0, 1)
	d.in("SA", 0, 1, mss(1000))
	d.state(StateEstablished)
	d.events(EventConnected | EventWritable)
	d.want("the peer may not have our SYN,ACK", "A", 1, 1)
	d.idle("done")
}

// §3.10.7.3 and .4: in a simultaneous open a bare ACK ends the handshake as well.
func TestSimultaneousOpenEndsWithABareAck(t *testing.T) {
	d := newDialogue(t)
	d.connect()
	d.want("active OPEN", "S", 0, 0)
	d.in("S", 0, 0, mss(1000))
	d.want("the SYN crossed ours", "SA", 0, 1)
	d.in("A", 1, 1)
	d.state(StateEstablished)
}

// §3.6, figure 12: the normal close sequence, from the side that begins it.
func TestActiveCloseGoesThroughFinWait(t *testing.T) {
	d := established(t)
	d.closeWrite()
	d.state(StateFinWait1)
	d.want("CLOSE", "FA", 1, 1)
	d.in("A", 1, 2)
	d.state(StateFinWait2)
	d.in("FA", 1, 2)
	d.state(StateTimeWait)
	d.events(EventFin | EventTimeWait)
	d.want("the peer's FIN", "A", 2, 2)
	if took := d.toTimer(); took != 2*d.set.MSL {
		t.Errorf("TIME-WAIT lasts %v, want 2 MSL", took)
	}
	d.state(StateClosed)
	d.events(EventClosed)
	d.err(nil)
}

// §3.6, figure 12, the other side.
func TestPassiveCloseGoesThroughLastAck(t *testing.T) {
	d := established(t)
	d.in("FA", 1, 1)
	d.state(StateCloseWait)
	d.events(EventFin)
	d.want("the peer's FIN", "A", 1, 2)
	if !d.c.EOF() {
		t.Error("no end of stream")
	}
	d.write(100)
	d.want("CLOSE-WAIT may send", "PA", 1, 2, octets(100))
	d.closeWrite()
	d.state(StateLastAck)
	d.want("CLOSE", "FA", 101, 2)
	d.in("A", 2, 102)
	d.state(StateClosed)
	d.events(EventClosed | EventFinAcked)
	d.err(nil)
}

// §3.6, figure 13: simultaneous close.
func TestSimultaneousCloseGoesThroughClosing(t *testing.T) {
	d := established(t)
	d.closeWrite()
	d.want("CLOSE", "FA", 1, 1)
	d.in("FA", 1, 1)
	d.state(StateClosing)
	d.want("the peer's FIN", "A", 2, 2)
	d.in("A", 2, 2)
	d.state(StateTimeWait)
	d.events(EventTimeWait | EventFinAcked)
}

// Figure 5 note 2: FIN-WAIT-1 to TIME-WAIT where FIN and the ACK of ours come together.
func TestFinWithAckOfOursGoesFromFinWait1ToTimeWait(t *testing.T) {
	d := established(t)
	d.closeWrite()
	d.want("CLOSE", "FA", 1, 1)
	d.in("FA", 1, 2)
	d.state(StateTimeWait)
	d.want("the peer's FIN", "A", 2, 2)
}

// §3.6: after CLOSE "it is possible to continue to RECEIVE" (half-close).
func TestHalfClosedConnectionReceives(t *testing.T) {
	d := established(t)
	d.closeWrite()
	d.want("CLOSE", "FA", 1, 1)
	d.in("A", 1, 2)
	d.in("PA", 1, 2, text("hello"))
	d.events(EventReadable)
	if got := d.read(10); got != "hello" {
		t.Errorf("read %q", got)
	}
	if d.c.MayWrite() || d.c.Write(d.now, []byte("x")) != 0 {
		t.Error("wrote after CLOSE")
	}
	if d.c.Deadline() > d.now.Add(d.set.DelAckTimeout) {
		t.Error("text in FIN-WAIT-2 gets no ACK")
	}
}

// Figure 5, SYN-RECEIVED to FIN-WAIT-1; §3.10.4.
func TestCloseInSynReceivedSendsFin(t *testing.T) {
	d := newDialogue(t)
	d.accept(mss(1000))
	d.want("SYN,ACK", "SA", 0, 1)
	d.closeWrite()
	d.state(StateFinWait1)
	d.want("CLOSE with nothing queued", "FA", 1, 1)
	d.toTimer()
	d.want("the SYN is the first that is unacknowledged", "SA", 0, 1)
	d.in("A", 1, 2)
	d.state(StateFinWait2)
}

// §3.10.4, SYN-RECEIVED: "otherwise, queue for processing after entering ESTABLISHED state".
func TestCloseInSynReceivedWaitsForQueuedText(t *testing.T) {
	d := newDialogue(t)
	d.accept(mss(1000))
	d.want("SYN,ACK", "SA", 0, 1)
	d.write(10)
	d.closeWrite()
	d.state(StateSynReceived)
	d.in("A", 1, 1)
	d.state(StateFinWait1)
	d.want("text and FIN", "FPA", 1, 1, octets(10))
}

// §3.10.4, SYN-SENT: "Delete the TCB".
func TestCloseInSynSentDeletesTheConnection(t *testing.T) {
	d := newDialogue(t)
	d.connect()
	d.want("SYN", "S", 0, 0)
	d.closeWrite()
	d.state(StateClosed)
	d.idle("deleted")
}

// §3.10.5: ABORT sends a reset from SYN-RECEIVED to CLOSE-WAIT, and none elsewhere.
func TestAbortSendsAResetWhereTheStateHasIt(t *testing.T) {
	for _, tc := range statesOf() {
		t.Run(tc.state.String(), func(t *testing.T) {
			d := tc.reach(t)
			wantSeq := d.c.snd.nxt.Sub(d.iss)
			d.abort()
			d.state(StateClosed)
			d.err(syscall.ECONNABORTED)
			switch tc.state {
			case StateSynReceived, StateEstablished, StateFinWait1, StateFinWait2, StateCloseWait:
				d.want("ABORT", "RA", wantSeq, d.c.rcv.nxt.Sub(d.irs), win(0))
			}
			d.idle("nothing more")
		})
	}
}

// reached is a state and how a dialogue gets there.
type reached struct {
	state State
	reach func(*testing.T) *dialogue
	nxt   int // the peer's next sequence number then
	una   int // ours that it acknowledges
}

// statesOf lists the synchronized states and those before them with a way to each. In
// FIN-WAIT-1, CLOSING and LAST-ACK our FIN, number 1, is not acknowledged.
func statesOf() []reached {
	return []reached{
		{StateSynSent, func(t *testing.T) *dialogue {
			d := newDialogue(t)
			d.connect()
			d.want("SYN", "S", 0, 0)
			return d
		}, 0, 0},
		{StateSynReceived, func(t *testing.T) *dialogue {
			d := newDialogue(t)
			d.accept(mss(1000))
			d.want("SYN,ACK", "SA", 0, 1)
			return d
		}, 1, 0},
		{StateEstablished, func(t *testing.T) *dialogue { return established(t) }, 1, 1},
		{StateFinWait1, func(t *testing.T) *dialogue {
			d := established(t)
			d.closeWrite()
			d.want("FIN", "FA", 1, 1)
			return d
		}, 1, 1},
		{StateFinWait2, func(t *testing.T) *dialogue {
			d := established(t)
			d.closeWrite()
			d.want("FIN", "FA", 1, 1)
			d.in("A", 1, 2)
			d.idle("ACK")
			return d
		}, 1, 2},
		{StateCloseWait, func(t *testing.T) *dialogue {
			d := established(t)
			d.in("FA", 1, 1)
			d.want("ACK of FIN", "A", 1, 2)
			return d
		}, 2, 1},
		{StateClosing, func(t *testing.T) *dialogue {
			d := established(t)
			d.closeWrite()
			d.want("FIN", "FA", 1, 1)
			d.in("FA", 1, 1)
			d.want("ACK of FIN", "A", 2, 2)
			return d
		}, 2, 1},
		{StateLastAck, func(t *testing.T) *dialogue {
			d := established(t)
			d.in("FA", 1, 1)
			d.want("ACK of FIN", "A", 1, 2)
			d.closeWrite()
			d.want("FIN", "FA", 1, 2)
			return d
		}, 2, 1},
		{StateTimeWait, func(t *testing.T) *dialogue {
			d := established(t)
			d.closeWrite()
			d.want("FIN", "FA", 1, 1)
			d.in("FA", 1, 2)
			d.want("ACK of FIN", "A", 2, 2)
			return d
		}, 2, 2},
	}
}

// §3.10.7.4 second, with RFC 5961 §3.2: what a reset with the expected number does.
func TestResetInEveryState(t *testing.T) {
	for _, tc := range statesOf() {
		t.Run(tc.state.String(), func(t *testing.T) {
			d := tc.reach(t)
			want := map[State]error{
				StateSynSent: syscall.ECONNREFUSED, StateSynReceived: syscall.ECONNRESET,
				StateEstablished: syscall.ECONNRESET, StateFinWait1: syscall.ECONNRESET,
				StateFinWait2: syscall.ECONNRESET, StateCloseWait: syscall.EPIPE,
			}[tc.state]
			if tc.state == StateSynSent {
				d.in("RA", 0, 1)
			} else {
				d.in("R", tc.nxt, 0)
			}
			d.state(StateClosed)
			d.err(want)
			if d.ev&EventClosed == 0 || (d.ev&EventError != 0) != (want != nil) {
				t.Errorf("events %v", d.ev)
			}
			d.idle("a reset is never answered")
		})
	}
}

// §3.10.7.4 second: a simultaneous open that is reset is a connection refused.
func TestResetOfASimultaneousOpenRefuses(t *testing.T) {
	d := newDialogue(t)
	d.connect()
	d.want("SYN", "S", 0, 0)
	d.in("S", 0, 0, mss(1000))
	d.want("SYN,ACK", "SA", 0, 1)
	d.in("R", 1, 0)
	d.state(StateClosed)
	d.err(syscall.ECONNREFUSED)
}

// §3.10.7.3 first: "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset".
func TestSynSentResetsAnUnacceptableAck(t *testing.T) {
	for _, ack := range []int{0, 2, -5, 1000} {
		d := statesOf()[0].reach(t)
		d.in("SA", 0, ack, mss(1000))
		d.state(StateSynSent)
		d.want("ACK not acceptable", "R", ack, 0, win(0))
		d.in("RA", 0, ack)
		d.state(StateSynSent)
		d.idle("a reset with a bad ACK is dropped")
	}
}

// §3.10.7.3 fourth: text and FIN on the SYN,ACK go on at the sixth step.
func TestSynAckMayCarryTextAndFin(t *testing.T) {
	d := statesOf()[0].reach(t)
	d.in("SFA", 0, 1, mss(1000), text("hi"))
	d.state(StateCloseWait)
	d.events(EventConnected | EventWritable | EventReadable | EventFin)
	if got := d.read(5); got != "hi" || !d.c.EOF() {
		t.Errorf("read %q, EOF %v", got, d.c.EOF())
	}
	d.want("text and FIN", "A", 1, 4)
}

// §3.10.7.3 fifth: neither SYN nor RST is dropped.
func TestSynSentDropsASegmentWithoutSynOrReset(t *testing.T) {
	d := statesOf()[0].reach(t)
	d.in("A", 0, 1)
	d.state(StateSynSent)
	d.idle("dropped")
}

// §3.10.7.4 fifth: SYN-RECEIVED answers an unacceptable ACK with a reset.
func TestSynReceivedResetsAnUnacceptableAck(t *testing.T) {
	for _, ack := range []int{0, 2, 100} {
		d := statesOf()[1].reach(t)
		d.in("A", 1, ack)
		d.state(StateSynReceived)
		d.want("ACK not acceptable", "R", ack, 0, win(0))
	}
}

// A SYN that comes again in SYN-RECEIVED means that our SYN,ACK was lost.
func TestSynAgainHasTheSynAckSentAgain(t *testing.T) {
	d := statesOf()[1].reach(t)
	d.in("S", 0, 0, mss(1000))
	d.want("SYN,ACK", "SA", 0, 1)
}

// §3.10.7.1: the segment for which there is no connection.
func TestRefuse(t *testing.T) {
	var out Segment
	if Refuse(&Segment{Flags: wire.FlagRST}, &out) || Refuse(&Segment{Flags: wire.FlagRST | wire.FlagACK}, &out) {
		t.Error("a reset was answered")
	}
	if !Refuse(&Segment{Seq: 10, Flags: wire.FlagSYN | wire.FlagFIN, Payload: make([]byte, 3)}, &out) ||
		out.Seq != 0 || out.Ack != 15 || out.Flags != wire.FlagRST|wire.FlagACK {
		t.Errorf("without ACK: %+v", out)
	}
	if !Refuse(&Segment{Seq: 10, Ack: 99, Flags: wire.FlagACK}, &out) || out.Seq != 99 || out.Flags != wire.FlagRST {
		t.Errorf("with ACK: %+v", out)
	}
}

// §3.10.7.2: what a port in LISTEN does.
func TestListen(t *testing.T) {
	for _, tc := range []struct {
		flags string
		want  ListenVerdict
	}{
		{"R", ListenIgnore}, {"RA", ListenIgnore}, {"SR", ListenIgnore}, {"A", ListenReply},
		{"SA", ListenReply}, {"FA", ListenReply}, {"S", ListenAccept}, {"SF", ListenAccept},
		{"", ListenIgnore}, {"F", ListenIgnore}, {"PU", ListenIgnore},
	} {
		var out Segment
		if got := Listen(&Segment{Flags: parseFlags(tc.flags), Ack: 5}, &out); got != tc.want {
			t.Errorf("%q: %v, want %v", tc.flags, got, tc.want)
		} else if got == ListenReply && (out.Flags != wire.FlagRST || out.Seq != 5) {
			t.Errorf("%q: replied %+v", tc.flags, out)
		}
	}
}

// §3.6.1: a user that is gone does not wait for a FIN for ever.
func TestFinWait2EndsWhenTheUserIsGone(t *testing.T) {
	d := established(t)
	d.close()
	d.want("FIN", "FA", 1, 1)
	d.in("A", 1, 2)
	d.state(StateFinWait2)
	d.idle("waiting")
	if took := d.toTimer(); took != d.set.FinWait2Timeout {
		t.Errorf("after %v", took)
	}
	d.state(StateClosed)
	d.err(nil)
}

// A half-close has no such end.
func TestFinWait2OfAHalfCloseLasts(t *testing.T) {
	d := statesOf()[4].reach(t)
	d.advance(24 * time.Hour)
	d.state(StateFinWait2)
}

// RFC 9293 §3.6.1 (SHLD-3), RFC 2525 §2.17.
func TestCloseWithUnreadTextResets(t *testing.T) {
	d := established(t)
	d.in("PA", 1, 1, text("unread"))
	d.close()
	d.state(StateClosed)
	d.want("data was lost", "RA", 1, 7, win(0))
	d.idle("gone")
}

// In TIME-WAIT the peer has everything of ours and is gone: no reset.
func TestCloseWithUnreadTextInTimeWaitIsSilent(t *testing.T) {
	d := established(t)
	d.closeWrite()
	d.want("FIN", "FA", 1, 1)
	d.in("FPA", 1, 2, text("unread"))
	d.want("the peer's FIN", "A", 2, 8)
	d.close()
	d.state(StateTimeWait)
	d.idle("silent")
}

// The same for text that comes after CLOSE.
func TestTextAfterCloseIsReset(t *testing.T) {
	for _, ack := range []int{1, 2} { // FIN-WAIT-1 and FIN-WAIT-2
		d := established(t)
		d.close()
		d.want("FIN", "FA", 1, 1)
		d.in("PA", 1, ack, text("late"))
		d.state(StateClosed)
		d.err(syscall.ECONNRESET)
		d.want("nobody reads", "RA", 2, 1, win(0))
		d.idle("gone")
	}
}

// shutdown(SHUT_RD) as Linux has it.
func TestCloseReadAcknowledgesAndDiscards(t *testing.T) {
	d := established(t)
	d.in("PA", 1, 1, text("kept"))
	d.c.CloseRead(d.now)
	d.in("PA", 5, 1, text("dropped"))
	if d.ev&EventReadable != 0 {
		t.Error("discarded text is readable")
	}
	d.want("two segments", "A", 1, 12)
	d.state(StateEstablished)
}

// What was there when the user ended reading can still be read; nothing is added to it, in order
// or not.
func TestCloseReadLeavesWhatWasQueued(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, text("hello"))
	d.c.CloseRead(d.now)
	d.in("A", 6, 1, text("more"))
	d.in("A", 20, 1, text("ahead"))
	d.in("A", 10, 1, octets(10))
	d.want("all of it is acknowledged", "A", 1, 25)
	if got := d.read(100); got != "hello" {
		t.Errorf("read %q", got)
	}
	if !d.c.EOF() {
		t.Error("the stream has not ended")
	}
}
