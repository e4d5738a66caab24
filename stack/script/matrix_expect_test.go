package script_test

import (
	"fmt"
	"strings"
)

// outcome is what the RFC has become of a segment: the state, and the answer as a script
// expects it, or "" where there is none.
type outcome struct {
	state, reply string
}

// expect is RFC 9293 §3.10.7 with RFC 5961 as a function: it was written from their text.
func (c *matrixCase) expect() outcome {
	switch c.name {
	case "CLOSED":
		return c.expectClosed()
	case "LISTEN":
		return c.expectListen()
	case "SYN-SENT":
		return c.expectSynSent()
	case "TIME-WAIT":
		return c.expectTimeWait()
	}
	return c.expectOther()
}

// expectClosed is §3.10.7.1.
func (c *matrixCase) expectClosed() outcome {
	switch c.kind {
	case "R.":
		return outcome{"CLOSED", ""}
	case "S":
		return outcome{"CLOSED", "R. 0:0(0) ack 1"}
	case "SF":
		return outcome{"CLOSED", "R. 0:0(0) ack 2"}
	}
	return outcome{"CLOSED", "R 77:77(0)"}
}

// expectListen is §3.10.7.2: first a reset, then an ACK, then a SYN. What else a SYN has "should
// be queued for processing later"; weir acknowledges the SYN alone, and the rest comes again.
func (c *matrixCase) expectListen() outcome {
	switch c.kind {
	case "R.":
		return outcome{"CLOSED", ""}
	case "S", "SF":
		return outcome{"SYN-RECEIVED", fmt.Sprintf("S. 0:0(0) ack %d <...>", c.seq()+1)}
	}
	return outcome{"CLOSED", "R 77:77(0)"}
}

// expectSynSent is §3.10.7.3, with an ACK of our SYN where there is one.
func (c *matrixCase) expectSynSent() outcome {
	switch c.kind {
	case "R.":
		return outcome{"CLOSED", ""} // second: "error: connection reset"
	case "S", "SF":
		return outcome{"SYN-RECEIVED", fmt.Sprintf("S. 0:0(0) ack %d <...>", c.seq()+1)} // fourth
	}
	return outcome{"SYN-SENT", ""} // fifth
}

// challenge is an ACK that says where this end is, and changes nothing.
func (c *matrixCase) challenge(state string) outcome {
	return outcome{state, fmt.Sprintf(". %d:%d(0) ack %d", c.snd, c.snd, c.nxt)}
}

func (c *matrixCase) inWindow() bool { return c.place == leftEdge || c.place == inside }

func (c *matrixCase) syn() bool { return strings.HasPrefix(c.kind, "S") }

// expectOther is §3.10.7.4 for all states but TIME-WAIT.
func (c *matrixCase) expectOther() outcome {
	state := c.name
	synchronized := state != "SYN-RECEIVED"
	switch {
	case c.kind == "R." && !c.inWindow():
		return outcome{state, ""} // first
	case c.kind == "R." && c.place != leftEdge:
		return c.challenge(state) // second: RFC 5961 §3.2
	case c.kind == "R.":
		return outcome{"CLOSED", ""}
	case c.kind == "." && c.place == rightEdge && synchronized:
		// Answered like the others, but its ACK is heard: "special allowance should be made to
		// accept valid ACKs" (§3.4), which weir makes for an open window as well.
		if state = c.afterOurFin(state); state == "CLOSED" {
			return outcome{state, ""}
		}
		return c.challenge(state)
	case !c.inWindow():
		return c.challenge(state) // first
	case c.syn() && !synchronized:
		return outcome{"CLOSED", ""} // fourth: "return this connection to the LISTEN state"
	case c.syn():
		return c.challenge(state) // fourth: RFC 5961 §4.2
	}
	if !synchronized {
		state = "ESTABLISHED" // fifth
	}
	return c.expectText(c.afterOurFin(state))
}

// afterOurFin is the fifth step where our FIN is acknowledged.
func (c *matrixCase) afterOurFin(state string) string {
	if !c.finAcked {
		return state
	}
	return map[string]string{"FIN-WAIT-1": "FIN-WAIT-2", "CLOSING": "TIME-WAIT", "LAST-ACK": "CLOSED"}[state]
}

// expectText is the seventh step and the eighth.
func (c *matrixCase) expectText(state string) outcome {
	after := map[string]string{"ESTABLISHED": "CLOSE-WAIT", "FIN-WAIT-1": "CLOSING", "FIN-WAIT-2": "TIME-WAIT"}[state]
	got := c.nxt
	switch {
	case after == "" || c.kind == ".": // the peer's FIN was before it; or there is nothing to take
		return outcome{state, ""}
	case c.place == inside: // out of order (RFC 5681 §4.2)
		return c.challenge(state)
	case c.kind == "F.":
		got, state = got+1, after
	default:
		got += matrixText
	}
	return outcome{state, fmt.Sprintf(". %d:%d(0) ack %d", c.snd, c.snd, got)}
}

// expectTimeWait is §3.10.7.4 for TIME-WAIT, with §3.6.1 and RFC 6191 §2 for a SYN that is
// "larger than the largest sequence number it used on the previous connection incarnation".
// weir wants it beyond RCV.NXT: the peer that closed last may have used that for no octet.
func (c *matrixCase) expectTimeWait() outcome {
	switch {
	case c.syn() && c.place > leftEdge:
		return outcome{"SYN-RECEIVED", fmt.Sprintf("S. 0:0(0) ack %d <...>", c.seq()+1)}
	case c.kind == "R." && c.place == leftEdge:
		return outcome{"CLOSED", ""}
	case c.kind == "R." && c.place != inside:
		return outcome{"TIME-WAIT", ""}
	case c.inWindow() && !c.syn() && c.kind != "R.":
		return outcome{"TIME-WAIT", ""} // nothing that can come there says anything new
	}
	return c.challenge("TIME-WAIT")
}
