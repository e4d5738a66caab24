package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// pushes reports whether n octets from at on, in segments of size, carry PSH. Where packets are kept
// one of several segments always does.
func (c *Conn) pushes(at seq.Value, n, size int) bool {
	if !c.keepsPackets() {
		return at.Add(n) == c.dataEnd() // "when the TCP sends the last of the queued data" (RFC 9293 §3.9.1.2)
	}
	if n > size {
		return true
	}
	if at == c.snd.nxt {
		return c.like.packets.marks(at.Add(n))&stPush != 0
	}
	return c.loss.out != nil && c.loss.out.pushed(at, at.Add(n))
}

// burst returns how many octets of new text may go into one Segment at most: in Linux's profile what
// is paced, and no more than half the congestion window.
func (c *Conn) burst(size int) int {
	n := c.paced(size)
	if !c.likeLinux() || n < 2*size {
		return n
	}
	return max(min(n, c.cwnd()/size/2*size), size)
}

// paced returns how many octets may go into one Segment at most: in Linux's profile what is paced in
// a millisecond, and more on a short path.
func (c *Conn) paced(size int) int {
	most := max(c.snd.maxSegment(), size)
	if !c.likeLinux() || most < 2*size {
		return most
	}
	cwnd, octets := c.cwnd(), most
	if srtt := c.rtt.SRTT(); srtt > 0 {
		percent := 120
		if cwnd < c.cc.SSThresh()/2 {
			percent = 200
		}
		cwnd = max(cwnd, c.units(c.loss.outstanding()))
		octets = int(int64(cwnd) * int64(percent) / 100 * int64(time.Second) / int64(srtt) >> 10)
		if r := c.rtt.Min().Microseconds() >> 9; r < 32 {
			octets += 65536 >> r
		}
	}
	return min(max(octets/size, c.set.MinBurst, 1)*size, most)
}

// lively is how soon after the last segment a packet may be deferred, and for how long.
const lively = time.Millisecond

// defers reports whether the next packet, of several segments, waits for the next ACK: see
// Settings.DeferDivisor.
func (c *Conn) defers(now clock.Time, size, wnd, cwnd int) bool {
	f := c.loss.out
	if !c.keepsPackets() || f == nil || len(f.recs) == 0 || c.loss.state >= caRecovery || cwnd < size || wnd < size {
		return false
	}
	x := c.like.packets.list
	if len(x) == 0 {
		return false
	}
	length, limit := x[0].end.Sub(c.snd.nxt), min(cwnd, wnd)
	switch {
	case length <= size || now.Sub(c.like.sentAt) > lively,
		limit >= c.paced(size),
		len(x) > 1 && limit >= length,
		limit >= min(int(c.snd.wnd), c.cwnd())/c.set.DeferDivisor,
		f.recs[0].at.Add(c.rtt.SRTT()).Sub(now) > min(lively, c.rtt.SRTT()/2):
		return false
	case cwnd < wnd && cwnd <= length:
		c.cwndFull = true
		return true
	case cwnd >= wnd && wnd <= length:
		return true
	}
	return !x[0].record && !(len(x) == 1 && c.finQueued)
}
