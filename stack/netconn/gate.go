package netconn

import (
	"sync"
	"time"
)

// gate is where the operations of one direction wait: for an event or a deadline. Its
// lock is the connection's, which every method expects to be held.
type gate struct {
	cond     sync.Cond
	deadline time.Time // zero: none
	timer    *time.Timer
	waiting  int
}

func (g *gate) init(l sync.Locker) { g.cond.L = l }

// expired reports whether the deadline has passed.
func (g *gate) expired() bool {
	return !g.deadline.IsZero() && !time.Now().Before(g.deadline)
}

// set moves the deadline and wakes who waits, to look at it.
func (g *gate) set(t time.Time) {
	g.deadline = t
	g.stop()
	g.wake()
}

// wake makes all who wait look again.
func (g *gate) wake() {
	if g.waiting > 0 {
		g.cond.Broadcast()
	}
}

// wait lets go of the lock until something happens or the deadline passes.
func (g *gate) wait() {
	if g.timer == nil && !g.deadline.IsZero() {
		g.timer = time.AfterFunc(time.Until(g.deadline), g.fire)
	}
	g.waiting++
	g.cond.Wait()
	g.waiting--
	if g.waiting == 0 {
		g.stop()
	}
}

func (g *gate) fire() {
	g.cond.L.Lock()
	g.timer = nil
	g.wake()
	g.cond.L.Unlock()
}

func (g *gate) stop() {
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
}
