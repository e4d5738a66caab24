package shard

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// monotonic is the machine's monotonic clock, from the moment it was made. In a
// testing/synctest bubble it is the bubble's.
type monotonic struct{ base time.Time }

func newMonotonic() monotonic { return monotonic{time.Now()} }

// Now returns the time since the clock was made; never zero, so that a zero
// clock.Time in a state can mean "not yet".
func (m monotonic) Now() clock.Time { return clock.Time(time.Since(m.base)) + 1 }
