package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/seq"
)

// pushMarks are where PSH is set in Linux's profile: at the end of each write, as far as what
// the next one adds does not go into the same packet, and where half the peer's largest window
// was written without. They stay until they are acknowledged, for what is sent again.
type pushMarks struct {
	at     []seq.Value
	chunk  seq.Value // where the packet begins that the next write adds to
	pushed seq.Value // the last mark
}

// maxPushMarks bounds them; beyond that the oldest are forgotten, which costs a PSH at most.
const maxPushMarks = 1024

func (p *pushMarks) mark(at seq.Value) {
	p.pushed = at
	if n := len(p.at); n > 0 && p.at[n-1].GreaterEq(at) {
		return
	}
	if len(p.at) >= maxPushMarks {
		p.at = p.at[:copy(p.at, p.at[len(p.at)/2:])]
	}
	p.at = append(p.at, at)
}

// ackTo forgets what comes before una.
func (p *pushMarks) ackTo(una seq.Value) {
	n := 0
	for n < len(p.at) && p.at[n].LessEq(una) {
		n++
	}
	if n > 0 {
		p.at = p.at[:copy(p.at, p.at[n:])]
	}
}

// has reports whether there is a mark at v.
func (p *pushMarks) has(v seq.Value) bool {
	for i := len(p.at) - 1; i >= 0 && p.at[i].GreaterEq(v); i-- {
		if p.at[i] == v {
			return true
		}
	}
	return false
}

// packetGoal is how long a packet may become that is written to: no more than half of what the
// peer's window has ever been, in whole segments.
func (c *Conn) packetGoal() int {
	goal, wnd := 65535-320, int(c.snd.maxWnd)
	if wnd > defaultMSS {
		wnd /= 2
	}
	if wnd > 0 {
		goal = min(goal, wnd)
	}
	size := max(int(c.snd.mss), 1)
	return max(goal-goal%size, size)
}

// wroteLinux sets the marks for n octets that were written.
func (c *Conn) wroteLinux(n int, more bool) {
	p, end, half := &c.like.pushes, c.dataEnd(), int(c.snd.maxWnd/2)
	start, goal := end.Add(-n), c.packetGoal()
	if len(p.at) == 0 && p.pushed.Less(c.snd.una) {
		p.pushed = c.snd.una
	}
	p.chunk = seq.Max(p.chunk, seq.Min(c.snd.nxt, start))
	if last := len(p.at) - 1; last >= 0 && p.at[last] == start && p.chunk.Less(start) && start.Sub(p.chunk) < goal {
		p.at = p.at[:last] // the packet goes on
	}
	for end.Sub(p.chunk) >= goal {
		p.chunk = p.chunk.Add(goal)
		if p.chunk.Sub(p.pushed) > half {
			p.mark(p.chunk)
		}
	}
	if !more || end.Sub(p.pushed) > half {
		p.mark(end)
	}
}

// pushes reports whether n octets from at on, in segments of size, carry PSH. In Linux's profile
// a packet of several segments always does.
func (c *Conn) pushes(at seq.Value, n, size int) bool {
	if c.likeLinux() {
		return n > size && at == c.snd.nxt || c.like.pushes.has(at.Add(n))
	}
	return at.Add(n) == c.dataEnd() // "when the TCP sends the last of the queued data" (RFC 9293 §3.9.1.2)
}

// burst returns how many octets may go into one Segment at most: in Linux's profile what is paced in
// a millisecond, more on a short path, and no more than half the congestion window.
func (c *Conn) burst(size int) int {
	most := max(c.snd.maxSegment, size)
	if !c.likeLinux() || most < 2*size {
		return most
	}
	cwnd, octets := c.cc.Window(), most
	if srtt := c.rtt.SRTT(); srtt > 0 {
		percent := 120
		if cwnd < c.cc.SSThresh()/2 {
			percent = 200
		}
		octets = int(int64(cwnd) * int64(percent) / 100 * int64(time.Second) / int64(srtt) >> 10)
		if r := c.rtt.Min().Microseconds() >> 9; r < 32 {
			octets += 65536 >> r
		}
	}
	n := min(max(octets/size, c.set.MinBurst), max(cwnd/size/2, 1))
	return min(max(n, 1)*size, most)
}
