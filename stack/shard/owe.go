package shard

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// owing is how long the ACK of a request may wait for the user's answer, or that of a FIN for the
// user's own, where the user waits in another goroutine: as long as that takes to come by
// many times over, and too short for a peer to notice.
const owing = 4 * time.Millisecond

// Woken is for a handler, in a call of its own: somebody who waited for what has happened is about
// to run, or will be. An ACK that says nothing else waits a moment for what they will send.
func (c *TCP) Woken() { c.woken = true }

// owe leaves the ACK that is due to the user who was woken in this round, and reports whether it
// does. Where the user is late, the timer sends it. Whoever steps a host has it sent at once.
func (c *TCP) owe(now clock.Time) bool {
	if !c.woken || c.sending {
		return false // or whoever sends will see it: see pushUpTo
	}
	return c.leaveACK(now)
}

// leaveACK is owe for whoever may send.
func (c *TCP) leaveACK(now clock.Time) bool {
	c.woken = false
	if c.jam != nil && c.jam.held != nil || c.host.mode.Load() != modeRunning || !c.conn.AckMayWait() {
		return false
	}
	c.owed = true
	if at := min(now.Add(owing), c.conn.Deadline()); at < c.armed {
		c.armed = at
		c.host.scheduleTCP(&c.timer, at)
	}
	return true
}

// PushRead is Push by a user who has read and done nothing else: an ACK that may wait for what the user
// does next is left to that.
func (c *TCP) PushRead() {
	if (c.owed || c.touched) && c.conn.AckMayWait() { // the round, if it has yet to push, will see the same
		return
	}
	c.push(c.host.Now())
}
