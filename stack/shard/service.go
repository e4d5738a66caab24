package shard

import (
	"time"
	"unsafe"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/wheel"
)

// wheelTick is how fine the wheel's slots are. Entries fire at their own time, not
// at a tick's.
const wheelTick = time.Millisecond

// timer is a connection's entry in the wheel, which leads back to the connection by where it lies.
type timer = wheel.Entry[struct{}]

// timed returns the connection that e is the timer of.
func timed(e *timer) *TCP {
	return (*TCP)(unsafe.Add(unsafe.Pointer(e), -int(unsafe.Offsetof(TCP{}.timer))))
}

// schedule enters e for at and wakes the service when nothing was due before it.
func (h *Host) schedule(e *wheel.Entry[expirer], at clock.Time) {
	if at == clock.Never {
		return
	}
	scheduleIn(h, h.wheel, e, at)
}

// scheduleTCP is schedule for a connection, which there may be a million of: their wheel's entries
// are smaller.
func (h *Host) scheduleTCP(e *timer, at clock.Time) {
	if at != clock.Never {
		scheduleIn(h, h.connWheel, e, at)
	}
}

func scheduleIn[T any](h *Host, w *wheel.Wheel[T], e *wheel.Entry[T], at clock.Time) {
	h.timerMu.Lock()
	earlier := !h.timersStopped && at < w.Next()
	if !h.timersStopped {
		w.Schedule(e, at)
	}
	h.timerMu.Unlock()
	if earlier {
		h.wake()
	}
}

// cancelTCP takes e out of its wheel.
func (h *Host) cancelTCP(e *timer) {
	h.timerMu.Lock()
	h.connWheel.Cancel(e)
	h.timerMu.Unlock()
}

// cancel takes e out of the wheel.
func (h *Host) cancel(e *wheel.Entry[expirer]) {
	h.timerMu.Lock()
	h.wheel.Cancel(e)
	h.timerMu.Unlock()
}

// stopTimers takes every entry out of the wheel and lets none in again. Who is still in a write
// to a device while the host closes cancels its own only later, and finds it idle then.
func (h *Host) stopTimers() {
	h.timerMu.Lock()
	defer h.timerMu.Unlock()
	h.timersStopped = true
	h.wheel.Advance(clock.Never-1, func(*wheel.Entry[expirer]) {})
	h.connWheel.Advance(clock.Never-1, func(*timer) {})
}

// wake makes the service look again. One token is enough however many ask.
func (h *Host) wake() {
	select {
	case h.kick <- struct{}{}:
	default:
	}
}

// Deadline returns when Expire next has something to do; earlier than now when it has at once.
func (h *Host) Deadline() clock.Time {
	for _, i := range h.net.Load().interfaces {
		if i != nil && i.writable.Load() {
			return 0
		}
	}
	h.timerMu.Lock()
	defer h.timerMu.Unlock()
	return min(h.wheel.Next(), h.connWheel.Next())
}

// Expire runs the timers that have passed and resumes interfaces that have room again.
func (h *Host) Expire() { h.service.expire() }

// service is who runs the timers, and how far it is with those that are due.
type service struct {
	h     *Host
	watch *watch // nil on a stepped host
	now   clock.Time
	due   []expirer
	at    int // which of due is next
}

// expire is Host.Expire.
func (s *service) expire() {
	for _, i := range s.h.net.Load().interfaces {
		if i != nil {
			i.resume()
		}
	}
	s.now = s.h.Now()
	s.h.timerMu.Lock()
	s.h.wheel.Advance(s.now, func(e *wheel.Entry[expirer]) { s.due = append(s.due, e.Value) })
	s.h.connWheel.Advance(s.now, func(e *timer) { s.due = append(s.due, timed(e)) })
	s.h.timerMu.Unlock()
	s.runDue()
}

// runDue runs what is due. It stops where the goroutine was replaced.
func (s *service) runDue() {
	for s.at < len(s.due) && !s.watch.isLost() {
		d := s.due[s.at]
		s.due[s.at] = nil
		s.at++
		if c, ok := d.(*TCP); ok {
			c.expireBy(s.now, s.watch)
		} else {
			d.expire(s.now)
		}
	}
	s.due, s.at = s.due[:0], 0
}

// replace has a fresh goroutine go on with the timers after the one that does not come back from a
// handler; see watch.replace.
func (s *service) replace() *watch {
	next := &service{h: s.h, now: s.now, due: s.due, at: s.at}
	s.due, s.at = nil, 0
	next.watch = &watch{host: s.h, replace: next.replace}
	go next.run()
	return next.watch
}

// run is the service goroutine: it sleeps until the wheel's next entry or a kick.
func (s *service) run() {
	h := s.h
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	s.runDue() // what it has taken over
	for !h.isClosed() && !s.watch.lost {
		if s.expire(); s.watch.lost {
			break
		}
		timer.Reset(min(time.Hour, h.untilDeadline()))
		select {
		case <-timer.C:
		case <-h.kick:
		case <-h.closed:
		}
	}
	if !s.watch.lost {
		h.dog.remove(s.watch)
		h.running.Done()
	}
}

func (h *Host) untilDeadline() time.Duration {
	d := h.Deadline()
	if d == clock.Never {
		return time.Hour
	}
	return max(0, d.Sub(h.Now()))
}
