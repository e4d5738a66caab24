package wheel

import "github.com/weirnet/weir/stack/clock"

// Entry is a timer. It is embedded in its owner, or Value leads back to the owner. The
// zero value is idle. It must not be copied while it is scheduled, and is
// in one wheel at a time.
type Entry[T any] struct {
	// Value is the owner's, for the function that is called when the timer fires.
	Value T

	at   clock.Time
	next *Entry[T]
	prev **Entry[T] // the pointer that points here; nil where the entry is idle
}

// Scheduled reports whether the timer is set.
func (e *Entry[T]) Scheduled() bool { return e.prev != nil }

// At returns the instant that the timer is set to, or clock.Never where it is idle.
func (e *Entry[T]) At() clock.Time {
	if e.prev == nil {
		return clock.Never
	}
	return e.at
}

// unlink takes the entry out of its list; it is idle afterwards.
func (e *Entry[T]) unlink() {
	*e.prev = e.next
	if e.next != nil {
		e.next.prev = e.prev
	}
	e.next, e.prev = nil, nil
}

// link puts the entry where head points, before what is there.
func (e *Entry[T]) link(head **Entry[T]) {
	e.next, e.prev = *head, head
	if e.next != nil {
		e.next.prev = &e.next
	}
	*head = e
}

// slot is the timers of one range of ticks.
type slot[T any] struct {
	head *Entry[T]
	// min is not later than any of the slot's timers. It is the earliest of them
	// unless stale is set, which says that the earliest was taken out.
	min   clock.Time
	stale bool
}

func (s *slot[T]) add(e *Entry[T]) {
	if s.head == nil {
		s.min, s.stale = clock.Never, false
	}
	if e.at <= s.min {
		// Whatever was taken out, the bound is now held by a timer that is there.
		s.min, s.stale = e.at, false
	}
	e.link(&s.head)
}

// maxScan is how many timers Next looks at to sharpen a stale bound.
const maxScan = 64

// earliest returns the slot's bound, sharpened where that is cheap.
func (s *slot[T]) earliest() clock.Time {
	if !s.stale {
		return s.min
	}
	least, n := clock.Never, 0
	for e := s.head; e != nil; e = e.next {
		if n++; n > maxScan {
			return s.min
		}
		least = min(least, e.at)
	}
	s.min, s.stale = least, false
	return least
}
