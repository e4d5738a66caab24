package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/wire"
)

// startPersist sets the persist timer: there is something to send, nothing outstanding
// whose ACK would open the window, and Output will not send. "The sending TCP peer must
// regularly transmit at least one octet of new data ... even if the send window is
// zero" (RFC 9293 §3.8.6.1). The same timer is the override that ends the wait for a
// whole segment (§3.8.6.2.1 (4)) and that for the cork.
func (c *Conn) startPersist(now clock.Time) {
	if !c.persist {
		c.persist, c.tries, c.probeShift = true, 0, 0
		c.progressAt = now
	}
	c.rtxAt, c.timer = now.Add(c.persistInterval()), timerRetransmit
}

// persistInterval: "The transmitting host SHOULD send the first zero-window probe when a
// zero window has existed for the retransmission timeout period, and SHOULD increase
// exponentially the interval between successive probes" (§3.8.6.1).
func (c *Conn) persistInterval() time.Duration {
	d := c.rtt.RTO()
	for range c.probeShift {
		if d >= c.set.PersistMax {
			break
		}
		d *= 2
	}
	return min(max(d, c.set.PersistMin), c.set.PersistMax)
}

// stopPersist ends it: the window is open, or what was waiting has gone.
func (c *Conn) stopPersist() {
	if !c.persist {
		return
	}
	c.persist, c.probeDue = false, false
	c.tries, c.probeShift = 0, 0
	c.rtxAt = clock.Never
}

// sendProbe sends what the persist timer has asked for: as much as the window has room for,
// or else a probe of the zero window.
func (c *Conn) sendProbe(now clock.Time, s *Segment, buf []byte) bool {
	if !c.probeDue {
		return false
	}
	c.probeDue = false
	if !c.persist || !c.unsent() && !c.probing {
		return false
	}
	if room := c.snd.room(); room > 0 {
		size := c.segmentSize()
		n := min(c.dataEnd().Sub(c.snd.nxt), room, size, len(buf))
		c.emit(now, s, buf, n, size, n == 0)
		if n > 0 && c.likeLinux() {
			s.Flags |= wire.FlagPSH
		}
		return true
	}
	c.ctr.ZeroWindowProbes.Add(1)
	if c.set.ProbeBehindWindow {
		c.header(now, s, c.snd.una.Add(-1))
	} else {
		c.header(now, s, c.snd.una)
		n := min(c.dataEnd().Sub(c.snd.una), 1)
		c.fill(s, buf, c.snd.una, n, 1, n == 0)
		if c.set.ECNEveryPacket && !c.probed {
			c.ecnText(s) // which RFC 3168 §6.1.6 forbids
		}
		c.snd.nxt, c.probing = c.snd.una.Add(1), true
	}
	c.ackSent()
	return true
}

// takeBackProbe is the answer to a probe. If its octet was not taken it was never sent, for
// all that sequence numbers say; otherwise the ACK is like any other.
func (c *Conn) takeBackProbe(a *arrival) {
	if !c.probing {
		return
	}
	c.probing = false
	if a.seg.Ack == c.snd.una {
		c.snd.nxt, c.probed = c.snd.una, true
	}
}

// probeTaken reports whether an ACK beyond SND.NXT is for a probe's octet that was taken back.
// The segment that had it taken back was then no answer: the peer had sent it before the
// probe came.
func (c *Conn) probeTaken(ack seq.Value) bool {
	s := &c.snd
	if !c.probed || s.nxt != s.una || ack != s.una.Add(1) {
		return false
	}
	s.nxt = ack
	return true
}
