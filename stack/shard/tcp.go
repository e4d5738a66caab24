package shard

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/tcp"
)

// Handler is told what happened on a connection. OnEvent runs in the receive path
// with the connection locked: it may use the connection's Conn, must not block and
// must not lock it again. What it wrote or made room for is sent when it returns.
type Handler interface {
	OnEvent(c *TCP, events tcp.Events)
}

// What a UserHandler's user, or a Handler, says of itself in TCP.UserFlags; the other bits are its own.
const (
	// UserPaused: it takes no text for now, so that there is no use in lending it.
	UserPaused uint16 = 1 << iota

	// UserShort: it has more to write. It is told, by tcp.EventWritable, when there is room for that (see
	// TCP.Room): as soon as what it wrote was sent, where the peer and the network take more, else
	// when some was acknowledged.
	UserShort

	// UserTakes is for a Handler that is no UserHandler: it will read in OnEvent what the segment at hand
	// has for it, where that is small (MostTaken), so that it need not be copied first.
	UserTakes uint16 = 1 << 15
)

// MostTaken is how many octets a segment has at most that is shown to a Handler as it lies in the frame. To copy more of
// them in the receive path would hold that up.
const MostTaken = 2 << 10

// TCP is a connection in the driver's hands: the state machine with its lock, its
// place in the tables, its route and its timer.
//
// It is one object of its own for the collector, so that whoever still holds one that has ended, a
// user or a table that is just being read, holds what it was and not another. See the package's
// theory of operation for what it costs.
type TCP struct {
	mu      sync.Mutex
	host    *Host
	handler Handler
	// User is what the face above the driver keeps with the connection, under its lock, and does not look at.
	User any

	key   flowKey     // its ends: see Local and Remote
	queue int32       // the device queue that the peer's segments arrive on
	out   *sharedPath // the way to remote, which others share
	jam   *jam        // nil unless the device was full lately

	timer timer
	armed clock.Time // what the timer is set to, or Never

	userAt  clock.Time    // when a UserHandler gets EventTimer; 0 is never
	events  tcp.Events    // what a UserHandler is to be told when the lock is let go
	pending atomic.Uint32 // what others have left to be done by who has the lock; see inplace.go

	device atomic.Int32 // the interface that it is bound to, or 0
	// UserFlags but those named above are the user's own, as User is.
	UserFlags        uint16
	sending          bool  // somebody has let go of mu to write to the device
	touched          bool  // a round will push it
	woke             bool  // its handler has made a goroutine ready
	woken            bool  // a user who waits has been woken in this round
	owed             bool  // an ACK is left to what the user sends: see owe
	entered          bool  // in host.conns
	detached         bool  // its user has closed it: blocks go when the state machine is done
	reuse, reusePort bool  // as its binding or its listener was, for who binds the port
	softwareGSO      bool  // super-segments are cut here where the device does not
	hopLimit, tos    uint8 // 0: the host's
	pmtuDisc         PMTUDisc
	alone            uint8 // rounds of late that were for it alone, in a receive loop that spins

	conn tcp.Conn
}

// jam is what a connection has while its device is full, or while somebody waits until nobody
// writes to the device for it.
type jam struct {
	held    *txFrame      // a segment that a full device did not take
	waiting *Interface    // in whose line for room it is
	quiet   chan struct{} // closed when sending ends, where somebody waits for that
}

// jammed returns the connection's jam, to be written.
func (c *TCP) jammed() *jam {
	if c.jam == nil {
		c.jam = new(jam)
	}
	return c.jam
}

// holds reports whether a segment waits for room in the device.
func (c *TCP) holds() bool { return c.jam != nil && c.jam.held != nil }

// Lock locks the connection. Who holds the lock may use Conn.
func (c *TCP) Lock() { c.mu.Lock() }

// Unlock unlocks it.
func (c *TCP) Unlock() { c.unlock(nil) }

// Locker returns the lock, for a sync.Cond.
func (c *TCP) Locker() sync.Locker { return c }

// Conn returns the state machine. The connection must be locked while it is used, and
// pushed before the lock is let go when something was written, read or closed.
func (c *TCP) Conn() *tcp.Conn { return &c.conn }

// Host returns the host the connection belongs to.
func (c *TCP) Host() *Host { return c.host }

// Local returns the connection's own end.
func (c *TCP) Local() netip.AddrPort {
	local, _ := c.key.ends()
	return local
}

// Remote returns the peer's end.
func (c *TCP) Remote() netip.AddrPort {
	_, remote := c.key.ends()
	return remote
}

// SetHandler makes f the one who is told what happens. The connection must be locked.
func (c *TCP) SetHandler(f Handler) {
	c.handler = f
	if _, ok := f.(UserHandler); ok {
		c.pending.Or(pendInPlace)
	}
}

// Woke tells that the handler has made a goroutine ready, which the receive loop then lets run
// before it looks for more frames. The connection must be locked.
func (c *TCP) Woke() { c.woke = true }

// Handler returns the one who is told what happens. The connection must be locked.
func (c *TCP) Handler() Handler { return c.handler }

// Push sends what there is to send and sets the timer. The connection must be locked.
func (c *TCP) Push() { c.push(c.host.Now()) }

// PushAt is Push for who has just read the clock.
func (c *TCP) PushAt(now clock.Time) { c.push(now) }

// notify tells the handler.
func (c *TCP) notify(ev tcp.Events) {
	if ev != 0 && c.handler != nil {
		c.handler.OnEvent(c, ev)
	}
}

// happened acts on what the state machine reported.
func (c *TCP) happened(ev tcp.Events) { c.tell(ev) }

// tell tells the handler what happened, a UserHandler when the lock is let go.
func (c *TCP) tell(ev tcp.Events) {
	if !c.InPlace() {
		c.notify(ev)
		return
	}
	if ev&tcp.EventWritable != 0 && c.asksLater() {
		ev &^= tcp.EventWritable
	}
	c.events |= ev
}

// input feeds a segment and has the round push the connection later. One that was found
// in the table and has left it meanwhile gets nothing: the segment is lost.
func (c *TCP) input(r *round, s *tcp.Segment) {
	if !c.lockOrLeave(r, s) {
		return
	}
	if c.hasWork() && !c.sending {
		c.work(r.watch) // segments that were left, for one, come before this one
	}
	if c.entered {
		c.answerBy(int32(r.queue))
		c.woken = c.woken || c.handler == nil && !c.detached // it is about to be accepted
		if c.lends(s) {
			s.Lend = &r.lent
		}
		c.happened(c.conn.Input(r.now, s))
		r.touch(c)
	}
	if s.Lend != nil {
		c.callWithLent(r, s)
	}
	c.unlock(r.watch)
}

// answerBy makes queue the one that the connection answers by, and counts with that.
func (c *TCP) answerBy(queue int32) {
	if c.queue != queue {
		c.queue = queue
		c.conn.CountIn(&c.host.lanes.of(int(queue)).tcp)
	}
}

// lends reports whether the handler is likely to take the text of s where it lies.
func (c *TCP) lends(s *tcp.Segment) bool {
	if c.InPlace() {
		return !c.sending && c.UserFlags&UserPaused == 0
	}
	return c.UserFlags&UserTakes != 0 && len(s.Payload) <= MostTaken
}

// callWithLent calls the UserHandler while text of s may lie in the receive queue as it arrived, and then has
// what is left of it kept.
func (c *TCP) callWithLent(r *round, s *tcp.Segment) {
	if c.events != 0 {
		c.tellUser(r.watch, false)
	}
	c.conn.Keep(s)
}

// takes reports whether the connection gets what comes in by the interface: SO_BINDTODEVICE.
func (c *TCP) takes(i *Interface) bool {
	device := c.device.Load()
	return device == 0 || int(device) == i.index
}

// touch has the connection pushed at the end of the round. c is locked.
func (r *round) touch(c *TCP) {
	if !c.touched {
		c.touched = true
		r.touched = append(r.touched, c)
	}
}

// expire runs the connection's timers; it is called without the lock.
func (c *TCP) expire(now clock.Time) { c.expireBy(now, nil) }

// expireBy is expire for a goroutine with a watch.
func (c *TCP) expireBy(now clock.Time, w *watch) {
	if !c.lockOr(pendExpire) {
		return
	}
	c.armed = clock.Never
	c.runTimers(now)
	c.pushTurn(now)
	c.unlock(w)
}

// runTimers runs what timers have passed.
func (c *TCP) runTimers(now clock.Time) {
	if c.conn.Deadline().Reached(now) {
		c.happened(c.conn.Expire(now))
	} else if c.conn.Park() && c.jam != nil && *c.jam == (jam{}) {
		c.jam = nil
	}
	if c.timerAt().Reached(now) {
		c.userAt = 0
		c.tell(EventTimer)
	}
}

// SetTimer has a UserHandler get EventTimer at the given time, once; Never takes that back. The
// connection must be locked, and pushed afterwards.
func (c *TCP) SetTimer(at clock.Time) {
	if c.userAt = max(at, 1); at == clock.Never {
		c.userAt = 0
	}
}

// timerAt returns what SetTimer was given.
func (c *TCP) timerAt() clock.Time {
	if c.userAt == 0 {
		return clock.Never
	}
	return c.userAt
}

// room is called when an interface that was full has room again.
func (c *TCP) room(i *Interface) {
	if !c.lockOr(pendRoom) {
		return
	}
	if c.jam != nil && c.jam.waiting == i {
		c.jam.waiting = nil
	}
	c.pushTurn(c.host.Now())
	c.unlockAside()
}

// flowKey returns what the connection is found by.
func (c *TCP) flowKey() *flowKey { return &c.key }
