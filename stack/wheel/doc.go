// Package wheel is a hashed hierarchical timing wheel (Varghese and Lauck, 1987):
// a million timers, each set and stopped in a few instructions.
//
// # Theory of operation
//
// Time is counted in ticks, a millisecond each unless [New] is told otherwise, and
// a tick's number is written in digits of six bits. The wheel stands at the tick of
// the last [Wheel.Advance], its position. A timer goes to the level of the highest
// digit in which its tick differs from the position, into the slot that this digit
// names: level 0 holds the timers of the present 64 ticks, level 1 those of the
// present 4,096, and so on, eleven levels for all of clock.Time. A slot is
// an intrusive list, so setting and stopping a timer touch two neighbours and
// allocate nothing.
//
// When the position comes to the beginning of a slot of a higher level, the
// slot's timers move down to the levels below. A timer moves at most once per level, and
// in practice once or twice in its life.
//
// A bitmap for each level says which slots hold timers and another which levels
// do. The earliest slot is two bit scans away, and Advance goes from one occupied
// slot to the next: a gap of hours costs what a gap of a tick does.
//
// # What is promised
//
//   - Advance(now) fires every timer with At <= now and none with At > now, also
//     when both lie in the same tick: the tick is how timers are grouped, not how they
//     are rounded.
//   - Timers fire in the order of their ticks; one that was set for an instant
//     that had passed belongs to the tick in which it was set. Within a tick the order is not
//     promised, but the same calls give the same order, so a recorded run replays.
//   - A timer is idle when it fires, and may be set again from there. One set then for
//     an instant that has passed fires in the next Advance, so Advance ends.
//   - [Wheel.Next] is never later than the earliest timer, and after Advance(now) it
//     is later than now: who sleeps until Next and advances makes progress.
//   - Next is the earliest timer's instant exactly, with one exception: when the
//     earliest timer of a slot with many timers is stopped, finding the second may take a
//     look at each. Next looks at no more than 64 and otherwise keeps to
//     the bound it had. That bound lies in the slot of the timer: less than one
//     tick early in level 0, and at most the slot's width early above it.
//     Waking for nothing is harmless: the Advance at that instant splits the slot, and
//     the next answer is sharper by a factor of 64.
//
// A [Wheel] is not safe for concurrent use; the shard that owns it holds a lock.
package wheel
