package script_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirnet/weir/stack/script"
)

// matrixState is a state, how a script gets there, and the numbers of both ends then. Where the
// state has a window, wnd is what the last ACK said of it.
type matrixState struct {
	name string
	way  string
	nxt  int // RCV.NXT
	wnd  int // RCV.WND
	una  int // SND.UNA
	snd  int // SND.NXT
	fin  int // what an ACK of our FIN says, where that is outstanding
}

const (
	listening = `
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 5) = 0
`
	connecting = `
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
   +0 connect(3, ..., ...) = -1 EINPROGRESS (it begins)
   +0 > S 0:0(0) <...>
`
	synReceived = listening + `
   +0 < S 0:0(0) win 20000 <mss 1000>
   +0 > S. 0:0(0) ack 1 win 65535 <mss 1460>
`
	established = synReceived + `
  +.1 < . 1:1(0) ack 1 win 20000
   +0 accept(3, ..., ...) = 4
`
	ourFin     = "+0 shutdown(4, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 1 win 65535\n"
	ourFinToo  = "+0 shutdown(4, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 2 win 65534\n"
	theirFin   = "+.1 < F. 1:1(0) ack 1 win 20000\n+0 > . 1:1(0) ack 2 win 65534\n"
	crossedFin = "+.1 < F. 1:1(0) ack 1 win 20000\n+0 > . 2:2(0) ack 2 win 65534\n"
	lastFin    = "+.1 < F. 1:1(0) ack 2 win 20000\n+0 > . 2:2(0) ack 2 win 65534\n"
)

// matrixStates is the eleven states (RFC 9293 §3.3.2).
var matrixStates = []matrixState{
	{name: "CLOSED"},
	{name: "LISTEN", way: listening},
	{name: "SYN-SENT", way: connecting, una: 0, snd: 1},
	{name: "SYN-RECEIVED", way: synReceived, nxt: 1, wnd: 65535, una: 1, snd: 1},
	{name: "ESTABLISHED", way: established, nxt: 1, wnd: 65535, una: 1, snd: 1},
	{name: "FIN-WAIT-1", way: established + ourFin, nxt: 1, wnd: 65535, una: 1, snd: 2, fin: 2},
	{name: "FIN-WAIT-2", way: established + ourFin + "+.1 < . 1:1(0) ack 2 win 20000\n", nxt: 1, wnd: 65535, una: 2, snd: 2},
	{name: "CLOSE-WAIT", way: established + theirFin, nxt: 2, wnd: 65534, una: 1, snd: 1},
	{name: "CLOSING", way: established + ourFin + crossedFin, nxt: 2, wnd: 65534, una: 1, snd: 2, fin: 2},
	{name: "LAST-ACK", way: established + theirFin + ourFinToo, nxt: 2, wnd: 65534, una: 1, snd: 2, fin: 2},
	{name: "TIME-WAIT", way: established + ourFin + lastFin, nxt: 2, wnd: 65534, una: 2, snd: 2},
}

// matrixKinds is what arrives, by its flags: an ACK, a FIN, a reset, a SYN, a SYN with FIN, and text.
var matrixKinds = []string{".", "F.", "R.", "S", "SF", "P."}

// The places in the window where a segment begins.
const (
	leftOf    = iota // all of it is old
	leftEdge         // RCV.NXT
	inside           // RCV.NXT + 1
	rightEdge        // the first number beyond
	rightOf          // well beyond
	places
)

var placeNames = [places]string{"left", "left-edge", "inside", "right-edge", "right"}

// matrixText is how many octets the segment with text has.
const matrixText = 100

// matrixCase is one segment in one state.
type matrixCase struct {
	*matrixState
	kind  string
	place int
	// finAcked: the segment acknowledges our FIN, which was outstanding.
	finAcked bool
}

// seq is the segment's number. A state that knows no number of the peer has no window: there, the
// places are just five numbers.
func (c *matrixCase) seq() int {
	base := c.nxt
	if base == 0 {
		base = 5000
	}
	return [places]int{base - 1000, base, base + 1, base + c.wnd, base + c.wnd + 1000}[c.place] & 0xffffffff
}

func (c *matrixCase) ack() int {
	switch {
	case c.finAcked:
		return c.fin
	case c.name == "SYN-SENT":
		return 1
	case c.snd == 0: // CLOSED, LISTEN
		return 77
	}
	return c.una
}

// script writes the case as one.
func (c *matrixCase) script(want outcome) string {
	var b strings.Builder
	b.WriteString(c.way)
	text := 0
	if c.kind == "P." {
		text = matrixText
	}
	at := "+.1"
	if c.way == "" {
		at = "0"
	}
	fmt.Fprintf(&b, "%s < %s %d:%d(%d)", at, c.kind, c.seq(), c.seq()+text, text)
	if strings.HasSuffix(c.kind, ".") {
		fmt.Fprintf(&b, " ack %d", c.ack())
	}
	b.WriteString(" win 20000\n")
	if want.reply != "" {
		fmt.Fprintf(&b, "+0 > %s\n", want.reply)
	}
	b.WriteString("+.02 `true`\n")
	return b.String()
}

// matrixCases is the whole matrix.
func matrixCases() (list []matrixCase) {
	for i := range matrixStates {
		st := &matrixStates[i]
		for _, kind := range matrixKinds {
			for place := range places {
				list = append(list, matrixCase{st, kind, place, false})
				if st.fin > 0 && strings.HasSuffix(kind, ".") && kind != "R." {
					list = append(list, matrixCase{st, kind, place, true})
				}
			}
		}
	}
	return list
}

func (c *matrixCase) String() string {
	name := fmt.Sprintf("%s/%s/%s", c.name, c.kind, placeNames[c.place])
	if c.finAcked {
		name += "/fin-acked"
	}
	return name
}

// TestStateTimesSegmentTimesPlace asserts RFC 9293 §3.10.7 with RFC 5961 by packet scripts, over
// the whole stack: every state, every kind of segment and every place in the window, over both
// families and both data paths.
func TestStateTimesSegmentTimesPlace(t *testing.T) {
	cases := 0
	for _, family := range []string{script.FamilyIPv4, script.FamilyIPv6} {
		for _, c := range matrixCases() {
			cases++
			t.Run(family+"/"+c.String(), func(t *testing.T) {
				for _, offload := range []bool{false, true} {
					c.run(t, script.Options{Family: family, Offload: offload})
				}
			})
		}
	}
	t.Logf("%d cases", cases)
}

func (c *matrixCase) run(t *testing.T, o script.Options) {
	want := c.expect()
	src := c.script(want)
	eye := watch(&o)
	if r := script.RunSource(c.String(), []byte(src), o); r.Outcome != script.Pass {
		t.Fatalf("%v\n%s", r, src)
	}
	if expected := strings.Count(src, " > "); eye.sent != expected {
		t.Errorf("%d packets were sent, not %d\n%s", eye.sent, expected, src)
	}
	if got := eye.state(); got != want.state {
		t.Errorf("%s, not %s\n%s%v", got, want.state, src, eye)
	}
}
