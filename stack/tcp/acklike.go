package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/wire"
)

// When Linux acknowledges. Text is acknowledged at once while few ACKs were sent (quick), unless
// the user answers it with text of its own (pingpong), and later when more than a segment
// waits; otherwise after a time, ato, that follows the gaps between segments.

const (
	atoMin    = 40 * time.Millisecond
	atoMax    = 200 * time.Millisecond
	quickMost = 16
)

// quicken has the next ACKs sent at once, so many as half the window has segments.
func (c *Conn) quicken() {
	n := int(c.rcv.edge.Sub(c.rcv.lastAck)) / (2 * max(c.rcvMSS(), 1))
	if n == 0 {
		n = 2
	}
	c.quick = max(c.quick, uint8(min(n, quickMost)))
}

// quickenNow is quicken for something unusual, which ends the wait for the user's text too.
func (c *Conn) quickenNow() {
	if c.likeLinux() {
		c.quicken()
		c.pingpong, c.like.ato = false, atoMin
	}
}

// textLinux takes in that text has come, in order or not.
func (c *Conn) textLinux(a *arrival) {
	k := c.like
	c.measureSegment(a)
	gap := a.now.Sub(k.textAt)
	switch {
	case k.ato == 0:
		c.quicken()
		k.ato = atoMin
	case gap <= atoMin/2:
		k.ato = k.ato/2 + atoMin/2
	case gap < k.ato:
		k.ato = min(k.ato/2+gap, c.rtt.RTO())
	case gap > c.rtt.RTO():
		c.quicken()
	}
	k.textAt = a.now
	c.growWindowLinux(len(a.seg.Payload))
}

// measureSegment follows the size of the peer's segments, and notes which are small: a user that
// has read them is likely to be waited for.
func (c *Conn) measureSegment(a *arrival) {
	k, n := c.like, len(a.seg.Payload)
	if a.seg.SegmentSize > 0 {
		n = min(n, a.seg.SegmentSize)
	}
	push := a.seg.has(wire.FlagPSH)
	switch {
	case n >= c.rcvMSS():
		c.rcv.segment = uint16(min(n, int(c.rcv.mss)))
		if push {
			k.small = max(k.small, 1)
		}
		return
	case n >= defaultMSS || n >= minMSS+40 && !push:
		last := int(k.lastSize)
		k.lastSize = uint16(n)
		if last == n {
			c.rcv.segment = uint16(n)
			return
		}
	}
	k.small = min(k.small+1, 2)
}

// ackLinux decides when what has come is acknowledged.
func (c *Conn) ackLinux(now clock.Time) {
	r := &c.rcv
	if c.unacked == 0 {
		c.unacked = 1
	}
	waits := r.nxt.Sub(r.lastAck)
	switch {
	case waits > c.rcvMSS() && c.windowLinux() >= r.edge.Sub(r.lastAck),
		c.quick > 0 && !c.pingpong:
		c.ackNow()
	default:
		c.delayLinux(now)
	}
}

// delayLinux starts the timer of a delayed ACK, no longer than a round trip.
func (c *Conn) delayLinux(now clock.Time) {
	k := c.like
	ato := k.ato
	if ato > atoMin {
		most := 500 * time.Millisecond
		if c.pingpong || k.small > 0 {
			most = atoMax
		}
		if srtt := c.rtt.SRTT(); srtt > 0 {
			most = min(most, max(srtt, atoMin))
		}
		ato = min(ato, most)
	}
	ato = min(ato, atoMax)
	at := now.Add(ato)
	if c.ackAt != clock.Never {
		if c.ackAt <= now.Add(ato/4) {
			c.ackNow()
			return
		}
		at = min(at, c.ackAt)
	}
	if c.ackAt = at; ato == 0 {
		c.ackNow()
	}
}

// delayedLinux is the expiry of that timer: the user did not answer in time, or text comes more
// slowly than was thought.
func (c *Conn) delayedLinux() {
	if c.pingpong {
		c.pingpong, c.like.ato = false, atoMin
		return
	}
	c.like.ato = min(2*c.like.ato, c.rtt.RTO())
}

// ackWaits reports whether an ACK is being delayed.
func (c *Conn) ackWaits() bool { return c.ackAt != clock.Never }

// ackedLinux counts an ACK that leaves.
func (c *Conn) ackedLinux() {
	k := c.like
	if c.quick > 0 && (c.unacked > 0 || c.acksDue > 0) {
		if c.quick--; c.quick == 0 {
			k.ato = atoMin
		}
	}
	k.small = 0
}

// answered notes that n octets of the user's leave: text that answers what has just come carries
// the ACK from now on.
func (c *Conn) answered(now clock.Time, n int) {
	switch {
	case n == 0:
	case c.likeLinux():
		if k := c.like; k.ato > 0 && now.Sub(k.textAt) < k.ato {
			c.pingpong = true
		}
	case c.unacked > 0:
		c.quick = 0
	}
}

// readLinux reports whether an ACK that waits is to be sent now that the user has read: more than
// a segment waits, or a small segment was there and all is read.
func (c *Conn) readLinux() bool {
	if !c.ackWaits() {
		return false
	}
	r, k := &c.rcv, c.like
	return r.nxt.Sub(r.lastAck) > c.rcvMSS() ||
		(k.small >= 2 || k.small == 1 && !c.pingpong) && c.recvQueue.Len() == 0
}
