package shard

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/tcp"
)

// UserHandler is a Handler that runs code of the stack's user in the receive path. The driver
// trusts it less than the handlers of the packages above it, which only wake somebody:
//
//   - nobody waits for the lock of its connection. Who finds that taken leaves what it has
//     to do, a segment included, and whoever has the lock does it before letting go.
//   - its calls are watched (watch.go), and come only where the lock is let go next, so that one
//     that does not return holds up nothing but its connection.
//   - it is called again after each call for functions left by Post, and with EventTimer for SetTimer.
//   - text that it takes in the call is not copied: see tcp.Segment.Lend.
type UserHandler interface {
	Handler
	// Name names the handler to people.
	Name() string
}

// EventTimer tells a UserHandler that the time given to SetTimer has passed.
const EventTimer tcp.Events = 1 << 30

// What others have left to be done by who has the lock: the bits of TCP.pending.
const (
	pendExpire  uint32 = 1 << iota // a timer
	pendRoom                       // a device has room again
	pendPush                       // there may be something to send
	pendPath                       // the path MTU is to be looked up
	pendWork                       // there is something in Host.deferred
	pendAbort                      // Abort
	pendKill                       // kill
	pendStalled                    // no work: the handler does not return
	pendInPlace                    // no work: the handler is a UserHandler

	pendNothing = pendStalled | pendInPlace
)

// hasWork reports whether somebody has left something to be done.
func (c *TCP) hasWork() bool { return c.pending.Load()&^pendNothing != 0 }

// lockOr locks the connection. Where that is a UserHandler's and locked, it leaves bits to be done
// by who has the lock, and reports false.
func (c *TCP) lockOr(bits uint32) bool {
	if !c.InPlace() {
		c.mu.Lock()
		return true
	}
	if c.mu.TryLock() {
		return true
	}
	c.pending.Or(bits)
	return c.mu.TryLock() // who had it may have let go before it could see
}

// unlock unlocks the connection, and does before what others have left. w is the watch of the
// goroutine, or nil.
func (c *TCP) unlock(w *watch) {
	for {
		// Who is sending has let go of the lock for the write, and does it all afterwards.
		sending := c.sending
		if !sending && (c.events != 0 || c.hasWork()) {
			c.work(w)
			sending = c.sending
		}
		c.mu.Unlock()
		if sending || !c.hasWork() || !c.mu.TryLock() {
			return
		}
	}
}

// work does what others have left, and calls the handler. The connection is locked and nobody is sending. A handler
// that writes as fast as the peer acknowledges has its turn again after the others: see refill.
func (c *TCP) work(w *watch) {
	for n := 0; !c.sending && (c.events != 0 || c.hasWork()); n++ {
		left := c.hasWork()
		if n >= turn && !left {
			c.armed = c.host.Now()
			c.host.scheduleTCP(&c.timer, c.armed)
			return
		}
		called := left && c.doLeft(w)
		c.tellUser(w, called)
		if left || !c.touched {
			c.touched = false
			c.push(c.host.Now())
		}
	}
}

// doLeft does what was left, and reports whether functions given to Post were called.
func (c *TCP) doLeft(w *watch) (called bool) {
	bits := c.pending.And(pendNothing)
	now := c.host.Now()
	if bits&pendRoom != 0 && c.jam != nil {
		c.jam.waiting = nil // if it was another device, that will be found full again
	}
	if bits&pendPath != 0 && c.out.ifc != nil {
		c.conn.SetPathMSS(now, c.pathMSS())
	}
	if bits&pendWork != 0 {
		called = c.doDeferred(w)
	}
	if bits&(pendAbort|pendKill) != 0 {
		c.detached = c.detached || bits&pendAbort != 0
		c.conn.Abort(now)
		c.happened(tcp.EventError)
	}
	if bits&pendExpire != 0 {
		c.armed = clock.Never // it has fired; push sets it again
		c.runTimers(now)
	}
	return called
}

// tellUser calls the UserHandler with the events that have gathered; always, where called is set.
func (c *TCP) tellUser(w *watch, called bool) {
	ev := c.events
	c.events = 0
	h, ok := c.handler.(UserHandler)
	if !ok { // a function given to Post has made another its handler
		c.movedOn()
		c.notify(ev)
		return
	}
	if ev == 0 && !called {
		return
	}
	w.enter(c, h)
	h.OnEvent(c, ev)
	w.leave()
	if _, ok = c.handler.(UserHandler); !ok {
		c.movedOn()
	}
}

// movedOn is called when the handler is a UserHandler no longer.
func (c *TCP) movedOn() {
	if c.pending.And(^pendInPlace)&pendInPlace != 0 && !c.entered {
		c.host.parted.remove(c) // whoever has it now will close it
	}
}

// InPlace reports whether the connection's handler is a UserHandler. It may be asked at any time.
func (c *TCP) InPlace() bool { return c.pending.Load()&pendInPlace != 0 }

// setInPlace says whether it is.
func (c *TCP) setInPlace(on bool) {
	if on {
		c.pending.Or(pendInPlace)
	} else {
		c.pending.And(^pendInPlace)
	}
}

// patience is how long a listing waits for a connection's lock.
const patience = 20 * time.Millisecond

// lockPatiently locks the connection, or reports false where its handler has it for longer than a
// listing is to wait.
func (c *TCP) lockPatiently() bool {
	if !c.InPlace() {
		c.mu.Lock()
		return true
	}
	for wait := time.Microsecond; c.pending.Load()&pendStalled == 0; wait *= 2 {
		if c.mu.TryLock() {
			return true
		}
		if wait > patience {
			return false
		}
		time.Sleep(wait)
	}
	return c.mu.TryLock()
}

// unlockAside unlocks a connection for somebody who is not to run its handler: where something was left
// meanwhile, the service does it.
func (c *TCP) unlockAside() {
	if c.events != 0 {
		c.pending.Or(pendPush)
	}
	c.mu.Unlock()
	switch {
	case !c.hasWork():
	case c.host.isClosed(): // there may be no service any more
		go c.catchUp()
	default:
		c.host.scheduleTCP(&c.timer, c.host.Now())
	}
}

// catchUp does what was left, where nobody else has the lock and so will.
func (c *TCP) catchUp() {
	if c.mu.TryLock() {
		c.unlock(nil)
	}
}
