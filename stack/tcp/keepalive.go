package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// keepAlive is the state of keep-alives (RFC 9293 §3.8.4) where they are on.
type keepAlive struct {
	idle, interval time.Duration
	count          int
	probes         int        // sent since the peer was last heard
	probedAt       clock.Time // when the last was sent
}

// SetKeepAlive turns keep-alives on or off: "if included, the application MUST be able to
// turn them on or off for each TCP connection, and they MUST default to off" (RFC 9293
// §3.8.4). After idle without a segment from the peer a probe is sent, then one
// each interval, and after count of them without an answer the connection
// fails with ETIMEDOUT. Zero stands for the value in Settings. On a connection that has
// ended it does nothing.
func (c *Conn) SetKeepAlive(now clock.Time, on bool, idle, interval time.Duration, count int) {
	c.ready()
	if !on || c.state == StateClosed && c.set != nil {
		c.dropKeepAlive()
		return
	}
	k := &keepAlive{idle: idle, interval: interval, count: count}
	if c.set != nil {
		k.fillIn(c.set)
	}
	c.own().keep = k
}

func (c *Conn) dropKeepAlive() {
	if c.keep != nil {
		c.own().keep = nil
	}
}

// fillIn replaces what was not said by what the settings have.
func (k *keepAlive) fillIn(set *Settings) {
	if k.idle <= 0 {
		k.idle = set.KeepIdle
	}
	if k.interval <= 0 {
		k.interval = set.KeepInterval
	}
	if k.count <= 0 {
		k.count = set.KeepCount
	}
}

// keepAliveAt is when the next probe is due: "only ... when no sent data is outstanding,
// and no data or acknowledgment packets have been received for the connection within an
// interval" (RFC 9293 §3.8.4, MUST-26).
func (c *Conn) keepAliveAt() clock.Time {
	k := c.keep
	if k == nil || !c.state.Synchronized() || c.state == StateTimeWait || c.rtxAt != clock.Never {
		return clock.Never
	}
	if k.probes == 0 {
		return c.heardAt.Add(k.idle)
	}
	return k.probedAt.Add(k.interval)
}

// HeardAt returns when an acceptable segment last came.
func (c *Conn) HeardAt() clock.Time { return c.heardAt }

func (c *Conn) keepAliveTimeout(a *arrival) {
	k := c.keep
	gone := c.userTimeout > 0 && k.probes > 0 && a.now.Sub(c.heardAt) >= c.userTimeout
	if k.probes >= k.count || gone {
		c.ctr.KeepAliveFailed.Add(1)
		c.queueReset()
		c.timedOut(a)
		return
	}
	k.probes++
	k.probedAt = a.now
	c.keepDue = true
}

// sendKeepAlive sends the probe: "SEG.SEQ = SND.NXT-1", without text (SHLD-25 lets it have
// an octet of garbage for peers of long ago). The peer must answer, for it is not acceptable.
func (c *Conn) sendKeepAlive(now clock.Time, s *Segment) bool {
	if !c.keepDue {
		return false
	}
	c.keepDue = false
	c.ctr.KeepAliveProbes.Add(1)
	c.header(now, s, c.snd.nxt.Add(-1))
	c.ackSent()
	return true
}
