package shard

import (
	"sync"
	"sync/atomic"
	"time"
)

// A goroutine of the host that runs code of the stack's user, a UserHandler's, may not come back
// from it for long. So that this stops nobody else, such a goroutine says in its watch when it goes
// in and comes out; the watchdog takes from one that stays inside what it was to do next, and
// has a fresh goroutine go on with it. When the old one comes out it finds that it was
// replaced, finishes with the connection it is at, and ends.

const (
	// watchTick is how often the watchdog looks, stallTicks how many looks in a row find a goroutine in
	// the same call before it is a stall: over 20 ms. Looks are counted rather than
	// time, so that a process that did not run at all for a while accuses nobody.
	watchTick  = 10 * time.Millisecond
	stallTicks = 3
	// warnTicks is how many looks more find it there before people are told: a thread that the machine
	// has no processor for stands still as well, and nothing is wrong with its handler.
	warnTicks = 20
	// watchIdle is how many looks in a row find nothing new before the watchdog ends.
	watchIdle = 100
	// replaced is the state of a watch whose goroutine was replaced.
	replaced = ^uint64(0)
)

// watch is where one goroutine says that it is inside of the user's code. A nil watch says
// nothing: that of a stepped host, for one.
type watch struct {
	host *Host
	// state counts the times that the goroutine has gone in or out: odd is inside. It publishes at
	// and handler.
	state   atomic.Uint64
	at      place
	handler any
	// lost is set in the goroutine itself when it has come out and was replaced.
	lost bool
	// replace, where it is not nil, has a fresh goroutine go on with what this one was to do next, and
	// returns that one's watch. It is called with the watchdog locked, and so before this one goes on
	// when it comes out; it may use all that is this one's but the connection and the frame that it is at.
	replace func() *watch

	seen  uint64 // the watchdog's: state at its last look
	looks int    // and how many looks have found that
}

// place is what has a handler: a connection, which is locked in its calls, a UDP socket or a listener.
type place interface {
	// stalled tells that the handler does not return, or has returned after all.
	stalled(yes bool)
	// ends says for people what it is: keys and values for a log.
	ends() []any
}

// enter says that the goroutine goes into a handler of at's.
func (w *watch) enter(at place, h any) {
	if w == nil || w.lost {
		return
	}
	w.at, w.handler = at, h
	w.state.Add(1)
	if w.host.dog.idle.Load() {
		w.host.dog.wake(w.host)
	}
}

// leave says that it has come out. From then on lost is true where it was replaced.
func (w *watch) leave() {
	if w == nil || w.lost {
		return
	}
	if s := w.state.Load(); s != replaced && w.state.CompareAndSwap(s, s+1) {
		return
	}
	w.lost = true
	w.host.dog.over(w)
}

// isLost reports whether the goroutine was replaced while it was inside.
func (w *watch) isLost() bool { return w != nil && w.lost }

// watchdog looks after the watches of a host. It has a goroutine only while there are calls to
// handlers.
type watchdog struct {
	idle    atomic.Bool // there is no goroutine
	mu      sync.Mutex
	watches map[*watch]struct{}
	spare   []*watch
	stalls  map[*watch]*stall
	warn    warner

	closed  bool          // under mu: the goroutine is not started any more
	end     chan struct{} // closed with it
	running sync.WaitGroup
}

func (d *watchdog) init() {
	d.idle.Store(true)
	d.watches, d.stalls = make(map[*watch]struct{}), make(map[*watch]*stall)
	d.end = make(chan struct{})
}

// close ends the watchdog's goroutine and waits for it. Until then it is needed: a receive loop that is to end
// may be inside of a handler that does not return.
func (d *watchdog) close() {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		close(d.end)
	}
	d.mu.Unlock()
	d.running.Wait()
}

// add has a watch looked at; remove ends that.
func (d *watchdog) add(w *watch) *watch {
	d.mu.Lock()
	d.watches[w] = struct{}{}
	d.mu.Unlock()
	return w
}

func (d *watchdog) remove(w *watch) {
	d.mu.Lock()
	delete(d.watches, w)
	d.mu.Unlock()
}

// borrow lends a goroutine of the user's a watch, for one that has nothing to be taken over.
func (d *watchdog) borrow(h *Host) (w *watch) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.spare); n > 0 {
		w, d.spare = d.spare[n-1], d.spare[:n-1]
	} else {
		w = &watch{host: h}
	}
	d.watches[w] = struct{}{}
	return w
}

// giveBack takes the watch back.
func (d *watchdog) giveBack(w *watch) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.watches, w)
	if !w.lost && len(d.spare) < 16 {
		w.at, w.handler = nil, nil
		d.spare = append(d.spare, w)
	}
}

// wake starts the watchdog's goroutine.
func (d *watchdog) wake(h *Host) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed && d.idle.CompareAndSwap(true, false) {
		d.running.Add(1)
		go d.run(h)
	}
}

// run looks until nothing has happened for a while.
func (d *watchdog) run(h *Host) {
	defer d.running.Done()
	tick := time.NewTicker(watchTick)
	defer tick.Stop()
	for quiet := 0; ; {
		select {
		case <-tick.C:
		case <-d.end:
			return
		}
		if d.look(h) {
			quiet = 0
			continue
		}
		if quiet++; quiet < watchIdle {
			continue
		}
		d.idle.Store(true)
		if !d.look(h) || !d.idle.CompareAndSwap(true, false) {
			return
		}
		quiet = 0
	}
}

// look looks at every watch once, acts on those that stand still inside, and reports whether any was
// inside or has moved.
func (d *watchdog) look(h *Host) (busy bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.stalls {
		busy = true
		if s.looks++; s.looks == warnTicks {
			d.tell(h, s)
		}
	}
	for w := range d.watches {
		s := w.state.Load()
		if s != w.seen {
			w.seen, w.looks, busy = s, 0, true
		}
		if s&1 == 0 {
			continue
		}
		busy = true
		if w.looks++; w.looks > stallTicks && w.state.CompareAndSwap(s, replaced) {
			delete(d.watches, w)
			d.begin(h, w)
		}
	}
	return busy
}
