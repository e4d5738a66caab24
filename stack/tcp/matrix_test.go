package tcp

import (
	"fmt"
	"testing"

	"github.com/weirnet/weir/stack/wire"
)

// outcome is what the RFC has become of a segment.
type outcome struct {
	state State
	reply string // flags of the answer; "" for none
}

// place is where in the receive window a segment begins.
type place uint8

const (
	leftOf    place = iota // well left: all of it is old
	leftEdge               // RCV.NXT
	inside                 // RCV.NXT + 1
	rightEdge              // the first number beyond
	rightOf                // well beyond
)

var placeNames = [...]string{"left", "left-edge", "inside", "right-edge", "right"}

func (p place) seq(nxt, window int) int {
	return [...]int{nxt - 1000, nxt, nxt + 1, nxt + window, nxt + window + 1000}[p]
}

// expect is RFC 9293 §3.10.7.4 with RFC 5961, as a function: it was written from the text
// of the RFC, not from the code.
func expect(st State, passive bool, kind string, p place, finAcked bool) outcome {
	stay, challenge := outcome{st, ""}, outcome{st, "A"}
	f := parseFlags(kind)
	inWindow := p == leftEdge || p == inside
	switch {
	case f&wire.FlagRST != 0:
		switch {
		case !inWindow:
			return stay // first: dropped without an answer
		case p != leftEdge:
			return challenge // RFC 5961 §3
		}
		return outcome{StateClosed, ""}
	case p == rightEdge && kind == "A" && st.Synchronized():
		// Answered like the others, but its ACK is heard: see specialAllowance.
		if st = afterFinAck(st, finAcked); st == StateClosed {
			return outcome{st, ""}
		}
		return outcome{st, "A"}
	case !inWindow:
		return challenge // first: "an acknowledgment should be sent in reply"
	case f&wire.FlagSYN != 0:
		if st == StateSynReceived && passive {
			return outcome{StateClosed, ""} // fourth: back to LISTEN
		}
		return challenge
	case f&wire.FlagACK == 0:
		return stay // fifth
	}
	if st == StateSynReceived {
		st = StateEstablished
	}
	if st = afterFinAck(st, finAcked); st == StateClosed {
		return outcome{st, ""}
	}
	return expectText(st, f, kind, p)
}

// expectText is the seventh and the eighth step.
func expectText(st State, f wire.TCPFlags, kind string, p place) outcome {
	hasText := kind[len(kind)-1] == 'd'
	if !st.takesText() {
		return outcome{st, ""}
	}
	switch {
	case p == inside && (hasText || f&wire.FlagFIN != 0):
		return outcome{st, "A"} // out of order (RFC 5681 §4.2)
	case f&wire.FlagFIN == 0:
		return outcome{st, ""} // an ACK, or text whose ACK is delayed
	}
	switch st {
	case StateEstablished:
		return outcome{StateCloseWait, "A"}
	case StateFinWait1:
		return outcome{StateClosing, "A"}
	default:
		return outcome{StateTimeWait, "A"}
	}
}

// afterFinAck is the fifth step, where our FIN is acknowledged.
func afterFinAck(st State, finAcked bool) State {
	switch {
	case !finAcked:
		return st
	case st == StateFinWait1:
		return StateFinWait2
	case st == StateClosing:
		return StateTimeWait
	case st == StateLastAck:
		return StateClosed
	}
	return st
}

// TestStateTimesSegmentTimesWindow asserts RFC 9293 §3.10.7.4 for every synchronized state
// and SYN-RECEIVED, every kind of segment and every place in the window. A kind ends in "d"
// where it carries text.
func TestStateTimesSegmentTimesWindow(t *testing.T) {
	kinds := []string{"A", "Ad", "FA", "FAd", "R", "RA", "S", "SA", "SF", "d", "F", "PUAd"}
	cases := 0
	for _, st := range statesOf()[1:8] {
		for _, kind := range kinds {
			for p := leftOf; p <= rightOf; p++ {
				for _, finAcked := range []bool{false, true} {
					cases++
					name := fmt.Sprintf("%v/%s/%s/fin-acked=%v", st.state, kind, placeNames[p], finAcked)
					t.Run(name, func(t *testing.T) { matrixCase(t, st, kind, p, finAcked) })
				}
			}
		}
	}
	t.Logf("%d cases", cases)
}

func matrixCase(t *testing.T, st reached, kind string, p place, finAcked bool) {
	d := st.reach(t)
	d.drain()
	ack := d.c.snd.una.Sub(d.iss)
	if finAcked || st.state == StateSynReceived {
		ack = d.c.snd.nxt.Sub(d.iss)
	}
	var more []part
	if kind[len(kind)-1] == 'd' {
		more = append(more, text("tx"))
	}
	want := expect(st.state, true, kind, p, finAcked && d.c.finQueued || st.state == StateFinWait2)
	d.in(kind, p.seq(st.nxt, int(d.c.rcv.window())), ack, more...)
	var s Segment
	got := outcome{state: d.c.State()}
	if d.c.Output(d.now, &s, d.buf) {
		got.reply = s.Flags.String()
	}
	if got != want {
		t.Errorf("want %v and reply %q, got %v and %q", want.state, want.reply, got.state, got.reply)
	}
	if want.reply == "A" && s.Ack != d.c.rcv.nxt {
		t.Errorf("the answer acknowledges %d, RCV.NXT is %d", s.Ack, d.c.rcv.nxt)
	}
	d.idle("one answer")
}
