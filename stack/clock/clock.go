// Package clock is the stack's notion of time: monotonic nanoseconds as a plain
// integer, told to the protocols by whoever drives them.
//
// No package below the driver asks for the time. A state machine gets now as an
// argument and answers with the Time at which it next wants to be called, so a
// test may run an hour of protocol in a millisecond and a recorded run replays
// exactly. The only clock that looks at the machine's is in package shard.
package clock

import (
	"math"
	"time"
)

// Time is an instant on one stack's own clock, in nanoseconds since that clock's
// zero. Times of different clocks do not compare.
type Time int64

// Never is the deadline of a timer that is not set. It is later than any instant.
const Never Time = math.MaxInt64

// Add returns t moved by d. Never stays Never, and a sum too large is Never.
func (t Time) Add(d time.Duration) Time {
	if t == Never {
		return Never
	}
	s := t + Time(d)
	if d > 0 && s < t {
		return Never
	}
	return s
}

// Sub returns the time from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// Before reports whether t is earlier than u.
func (t Time) Before(u Time) bool { return t < u }

// After reports whether t is later than u.
func (t Time) After(u Time) bool { return t > u }

// Reached reports whether a timer set to t has passed at now. Never is not reached.
func (t Time) Reached(now Time) bool { return t != Never && t <= now }

// Clock tells the time.
type Clock interface {
	// Now returns the present instant. It never goes back.
	Now() Time
}

// Manual is a clock that stands still until it is moved: the clock of virtual time.
// The zero value stands at zero. It is not safe for concurrent use.
type Manual struct{ now Time }

// Now returns the instant that the clock was last moved to.
func (m *Manual) Now() Time { return m.now }

// Set moves the clock to t; it never goes back.
func (m *Manual) Set(t Time) { m.now = max(m.now, t) }

// Advance moves the clock on by d.
func (m *Manual) Advance(d time.Duration) { m.Set(m.now.Add(d)) }
