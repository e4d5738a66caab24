package wheel

import (
	"math/bits"
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// DefaultTick is the tick of a Wheel that was not told another.
const DefaultTick = time.Millisecond

const (
	digit  = 6 // bits of a tick's number that one level tells apart
	slots  = 1 << digit
	levels = (63 + digit - 1) / digit // all of clock.Time, whatever the tick
)

// Wheel holds the timers of one owner. The zero value is ready, stands at zero and
// has the DefaultTick. It must not be copied once a timer was set.
type Wheel[T any] struct {
	_ [0]func() // not comparable, so that no program has code to do so

	tick int64      // nanoseconds; 0 means DefaultTick
	now  clock.Time // of the last Advance
	pos  uint64     // its tick
	size int

	busy  uint16         // the levels that hold timers
	used  [levels]uint64 // the slots of each level that hold timers
	slots [levels][slots]slot[T]

	// due is the list of timers that an Advance has taken out of their slots and not
	// fired yet. While it holds any, last is the pointer that ends it.
	due  *Entry[T]
	last **Entry[T]
}

// New returns a wheel with the given tick, from a nanosecond on. A coarse tick lets
// timers move less often between levels, a fine one keeps lists short; neither
// changes when a timer fires. It panics when the tick is not positive.
func New[T any](tick time.Duration) *Wheel[T] {
	if tick <= 0 {
		panic("wheel: a tick must be positive")
	}
	return &Wheel[T]{tick: int64(tick)}
}

// Len returns how many timers are set.
func (w *Wheel[T]) Len() int { return w.size }

// Now returns the latest instant that the wheel was advanced to.
func (w *Wheel[T]) Now() clock.Time { return w.now }

// Schedule sets the timer to at, wherever it was set before. An instant that has
// passed is allowed: the next Advance fires it. clock.Never stops the timer.
func (w *Wheel[T]) Schedule(e *Entry[T], at clock.Time) {
	w.Cancel(e)
	if at == clock.Never {
		return
	}
	e.at = at
	w.size++
	w.insert(e)
}

// Cancel stops the timer. Stopping one that is idle does nothing.
func (w *Wheel[T]) Cancel(e *Entry[T]) {
	if e.prev == nil {
		return
	}
	w.size--
	if w.last == &e.next {
		w.last = e.prev
	}
	e.unlink()
	// A timer that is due has left its slot already. The one found here is then
	// another's, and nothing below harms it.
	level, i := w.place(e.at)
	s := &w.slots[level][i]
	if s.head == nil {
		w.clear(level, i)
	} else if e.at == s.min {
		s.stale = true
	}
}

// Next returns the instant of the earliest timer, or clock.Never where none is set. It
// may be too early in the one case that the package comment describes, and never is too
// late. It has passed only where a timer was set for an instant that had, or, within fire,
// where there is more to fire.
func (w *Wheel[T]) Next() clock.Time {
	if w.due != nil {
		return w.due.at
	}
	if w.busy == 0 {
		return clock.Never
	}
	level, i := w.first()
	return w.slots[level][i].earliest()
}

// Advance moves the wheel to now and calls fire for every timer whose instant is not
// later. The timer is idle when fire has it. From fire, timers may be set and stopped,
// also those that are about to fire. A wheel never goes back: an earlier now counts as
// the latest that there was.
func (w *Wheel[T]) Advance(now clock.Time, fire func(*Entry[T])) {
	w.now = max(w.now, now)
	if w.due == nil {
		w.last = &w.due
	}
	w.collect()
	for w.due != nil {
		e := w.due
		e.unlink()
		w.size--
		fire(e)
	}
}

// collect moves the timers that are due to the list of those, in the order of their
// ticks, and the wheel to the tick of now.
func (w *Wheel[T]) collect() {
	end := w.tickOf(w.now)
	for w.busy != 0 {
		level, i := w.first()
		start := w.start(level, i)
		if start > end {
			break
		}
		// Nothing is set between the position and start, so the position may jump.
		w.pos = start
		if level > 0 {
			w.cascade(level, i)
			continue
		}
		if start == end {
			w.takeDue(i)
			break
		}
		w.takeAll(i)
	}
	w.pos = end
}

// cascade moves the timers of a slot to the levels below. The position is at the
// slot's beginning.
func (w *Wheel[T]) cascade(level, i int) {
	s := &w.slots[level][i]
	e := s.head
	s.head = nil
	w.clear(level, i)
	for e != nil {
		next := e.next
		w.insert(e)
		e = next
	}
}

// takeAll moves all timers of a slot of level 0 to those that are due.
func (w *Wheel[T]) takeAll(i int) {
	s := &w.slots[0][i]
	e := s.head
	s.head = nil
	w.clear(0, i)
	for e != nil {
		next := e.next
		w.append(e)
		e = next
	}
}

// takeDue does the same in the slot of the present tick, where some timers may have to wait.
func (w *Wheel[T]) takeDue(i int) {
	s := &w.slots[0][i]
	if s.min > w.now {
		return
	}
	least := clock.Never
	for e := s.head; e != nil; {
		next := e.next
		if e.at <= w.now {
			e.unlink()
			w.append(e)
		} else {
			least = min(least, e.at)
		}
		e = next
	}
	s.min, s.stale = least, false
	if s.head == nil {
		w.clear(0, i)
	}
}

// append puts a timer at the end of those that are due.
func (w *Wheel[T]) append(e *Entry[T]) {
	e.next = nil
	e.prev = w.last
	*w.last = e
	w.last = &e.next
}

// insert puts a timer into the slot where it belongs.
func (w *Wheel[T]) insert(e *Entry[T]) {
	level, i := w.place(e.at)
	w.slots[level][i].add(e)
	w.used[level] |= 1 << i
	w.busy |= 1 << level
}

// clear notes that a slot is empty.
func (w *Wheel[T]) clear(level, i int) {
	w.used[level] &^= 1 << i
	if w.used[level] == 0 {
		w.busy &^= 1 << level
	}
}

// place returns where a timer set to at belongs: the highest digit in which its tick
// differs from the position is the level, the digit itself the slot. What has
// passed belongs to the present tick.
func (w *Wheel[T]) place(at clock.Time) (level, i int) {
	t := max(w.tickOf(at), w.pos)
	if d := t ^ w.pos; d != 0 {
		level = (bits.Len64(d) - 1) / digit
	}
	return level, int(t>>(level*digit)) & (slots - 1)
}

// first returns the earliest slot that holds timers; there must be one. Timers of a
// lower level come before all of a higher, which differ from the position in a higher
// digit; and no slot is before the position.
func (w *Wheel[T]) first() (level, i int) {
	level = bits.TrailingZeros16(w.busy)
	return level, bits.TrailingZeros64(w.used[level])
}

// start returns the first tick of a slot: the position's digits above the level, the
// slot's own, and zeros.
func (w *Wheel[T]) start(level, i int) uint64 {
	shift := (level + 1) * digit
	return w.pos>>shift<<shift | uint64(i)<<(level*digit)
}

// tickOf returns the number of the tick that an instant lies in.
func (w *Wheel[T]) tickOf(t clock.Time) uint64 {
	if t <= 0 {
		return 0
	}
	if w.tick == 0 {
		return uint64(t) / uint64(DefaultTick)
	}
	return uint64(t) / uint64(w.tick)
}
