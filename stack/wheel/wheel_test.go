package wheel

import (
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
)

const ms = clock.Time(time.Millisecond)

// fired advances the wheel and returns the values of the timers that fired, in order.
func fired(w *Wheel[string], now clock.Time) (got []string) {
	w.Advance(now, func(e *Entry[string]) {
		if e.Scheduled() || e.At() != clock.Never {
			got = append(got, "not idle:")
		}
		got = append(got, e.Value)
	})
	return got
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("fired %q, want %q", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("fired %q, want %q", got, want)
		}
	}
}

func TestTimerFiresAtItsInstantAndNotBefore(t *testing.T) {
	for _, at := range []clock.Time{
		1, ms - 1, ms, ms + 1, 63*ms + 5, 64 * ms, 65 * ms, 4095*ms + 999, 4096 * ms,
		clock.Time(2 * time.Hour), clock.Time(1000 * time.Hour), clock.Never - 1,
	} {
		var w Wheel[string]
		e := Entry[string]{Value: "x"}
		w.Schedule(&e, at)
		if w.Next() != at || e.At() != at || !e.Scheduled() || w.Len() != 1 {
			t.Errorf("at %d: Next %d, At %d, Len %d", at, w.Next(), e.At(), w.Len())
		}
		want(t, fired(&w, at-1))
		if w.Next() != at {
			t.Errorf("at %d: Next is %d just before", at, w.Next())
		}
		want(t, fired(&w, at), "x")
		if w.Next() != clock.Never || w.Len() != 0 || e.Scheduled() {
			t.Errorf("at %d: the timer is still there", at)
		}
		want(t, fired(&w, clock.Never-1))
	}
}

func TestTimersOfThePresentTickWaitForTheirInstant(t *testing.T) {
	var w Wheel[string]
	a, b, c := Entry[string]{Value: "a"}, Entry[string]{Value: "b"}, Entry[string]{Value: "c"}
	w.Schedule(&c, 10*ms+900)
	w.Schedule(&a, 10*ms+100)
	w.Schedule(&b, 10*ms+500)
	want(t, fired(&w, 10*ms+100), "a")
	if w.Next() != 10*ms+500 {
		t.Errorf("Next is %d, want that of b", w.Next())
	}
	want(t, fired(&w, 10*ms+499))
	want(t, fired(&w, 10*ms+500), "b")
	want(t, fired(&w, 11*ms), "c")
}

func TestTimersFireInTheOrderOfTheirTicks(t *testing.T) {
	var w Wheel[string]
	names := []string{"a", "b", "c", "d", "e", "f"}
	ats := []clock.Time{3 * ms, 70 * ms, 71 * ms, 5000 * ms, 5001 * ms, 400000 * ms}
	entries := make([]Entry[string], len(names))
	for _, i := range []int{4, 1, 5, 0, 3, 2} {
		entries[i].Value = names[i]
		w.Schedule(&entries[i], ats[i])
	}
	want(t, fired(&w, 1000000*ms), names...)
}

func TestTimerSetForThePastFiresInTheNextAdvance(t *testing.T) {
	var w Wheel[string]
	want(t, fired(&w, clock.Time(3*time.Hour)))
	a, b := Entry[string]{Value: "a"}, Entry[string]{Value: "b"}
	w.Schedule(&a, clock.Time(time.Hour))
	w.Schedule(&b, -5)
	if w.Next() != -5 {
		t.Errorf("Next is %d, want the past", w.Next())
	}
	w.Cancel(&b)
	if w.Next() != clock.Time(time.Hour) {
		t.Errorf("Next is %d, want the past", w.Next())
	}
	want(t, fired(&w, clock.Time(3*time.Hour)), "a")
}

func TestWheelNeverGoesBack(t *testing.T) {
	var w Wheel[string]
	e := Entry[string]{Value: "x"}
	w.Schedule(&e, 50*ms)
	want(t, fired(&w, 40*ms))
	want(t, fired(&w, 10*ms))
	if w.Now() != 40*ms {
		t.Errorf("the wheel stands at %d, want 40 ms", w.Now())
	}
	want(t, fired(&w, 50*ms), "x")
}

func TestSchedulingAgainMovesATimer(t *testing.T) {
	var w Wheel[string]
	e := Entry[string]{Value: "x"}
	w.Schedule(&e, 50*ms)
	w.Schedule(&e, 5000*ms)
	want(t, fired(&w, 60*ms))
	w.Schedule(&e, 70*ms)
	want(t, fired(&w, 70*ms), "x")
	w.Schedule(&e, 80*ms)
	w.Schedule(&e, clock.Never)
	if e.Scheduled() || w.Len() != 0 || w.Next() != clock.Never {
		t.Error("a timer set to Never is not idle")
	}
}

func TestCancelIsSafeOnAnIdleTimer(t *testing.T) {
	var w Wheel[string]
	var e Entry[string]
	w.Cancel(&e)
	w.Schedule(&e, ms)
	w.Cancel(&e)
	w.Cancel(&e)
	if w.Len() != 0 || w.Next() != clock.Never {
		t.Error("the wheel is not empty")
	}
}

func TestFireMayScheduleTheSameTimerAgain(t *testing.T) {
	var w Wheel[string]
	e := Entry[string]{Value: "x"}
	w.Schedule(&e, 10*ms)
	calls := 0
	again := func(e *Entry[string]) { calls++; w.Schedule(e, 10*ms) } // has passed
	w.Advance(20*ms, again)
	if calls != 1 || !e.Scheduled() {
		t.Fatalf("fired %d times in one Advance, want once", calls)
	}
	w.Advance(20*ms, again)
	if calls != 2 {
		t.Fatalf("fired %d times in two Advances, want twice", calls)
	}
}

func TestFireMayCancelWhatIsAboutToFire(t *testing.T) {
	// Whichever of the three fires first stops its two fellows, be they before it,
	// after it or last in the list.
	for name, ats := range map[string][3]clock.Time{
		"same tick": {ms, ms, ms}, "three ticks": {ms, 2 * ms, 3 * ms}, "three levels": {ms, 100 * ms, 9000 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			var w Wheel[string]
			var e [3]Entry[string]
			var later Entry[string]
			for i := range e {
				w.Schedule(&e[i], ats[i])
			}
			calls := 0
			w.Advance(10000*ms, func(*Entry[string]) {
				calls++
				for i := range e {
					w.Cancel(&e[i])
				}
				if calls == 1 {
					w.Schedule(&later, 5*ms)
				}
			})
			if calls != 1 || w.Len() != 1 || w.Next() != 5*ms {
				t.Errorf("%d fired, %d left, next at %d", calls, w.Len(), w.Next())
			}
			want(t, fired(&w, 10000*ms), "")
		})
	}
}

func TestPanicInFireLosesNoTimer(t *testing.T) {
	var w Wheel[string]
	a, b, c := Entry[string]{Value: "a"}, Entry[string]{Value: "b"}, Entry[string]{Value: "c"}
	w.Schedule(&a, ms)
	w.Schedule(&b, 2*ms)
	w.Schedule(&c, 3*ms)
	func() {
		defer func() { _ = recover() }()
		w.Advance(2*ms, func(*Entry[string]) { panic("x") })
	}()
	if w.Next() != 2*ms || w.Len() != 2 {
		t.Errorf("Next is %d, Len %d", w.Next(), w.Len())
	}
	want(t, fired(&w, 3*ms), "b", "c")
}

// What a panic left to fire is a list that later Advances add to; whatever is stopped
// of it, its end must be found.
func TestWhatIsLeftToFireMayBeCancelled(t *testing.T) {
	for last := range 3 {
		var w Wheel[string]
		e := []Entry[string]{{Value: "a"}, {Value: "b"}, {Value: "c"}, {Value: "d"}, {Value: "e"}}
		for i := range e {
			w.Schedule(&e[i], clock.Time(i+1)*ms)
		}
		func() {
			defer func() { _ = recover() }()
			w.Advance(4*ms, func(*Entry[string]) { panic("x") })
		}()
		left := []string{"b", "c", "d", "e"}
		w.Cancel(&e[last+1])
		want(t, fired(&w, 5*ms), append(left[:last], left[last+1:]...)...)
	}
}

func TestFireMayAdvance(t *testing.T) {
	var w Wheel[string]
	e := []Entry[string]{{Value: "a"}, {Value: "b"}, {Value: "c"}}
	for i := range e {
		w.Schedule(&e[i], clock.Time(i+1)*ms)
	}
	var got []string
	var fire func(e *Entry[string])
	fire = func(e *Entry[string]) {
		got = append(got, e.Value)
		w.Advance(w.Now()+ms, fire)
	}
	w.Advance(ms, fire)
	want(t, got, "a", "b", "c")
}

func TestNextIsExactAfterTheEarliestOfAFewIsCancelled(t *testing.T) {
	var w Wheel[string]
	hour := clock.Time(time.Hour)
	var e [maxScan]Entry[string]
	for i := range e {
		w.Schedule(&e[i], hour+clock.Time(i))
	}
	for i := range e {
		if w.Next() != hour+clock.Time(i) {
			t.Fatalf("Next is %v late", w.Next().Sub(hour+clock.Time(i)))
		}
		w.Cancel(&e[i])
	}
}

// The exception: the earliest of many timers of one slot is cancelled. Next may then be
// early, but waking at it makes it exact within as many wakes as there are levels.
func TestNextOfACrowdedSlotIsEarlyAtMostOncePerLevel(t *testing.T) {
	var w Wheel[string]
	var first Entry[string]
	rest := make([]Entry[string], 1000)
	begin, due := clock.Time(2*time.Hour), clock.Time(2*time.Hour+2*time.Minute)
	w.Schedule(&first, begin)
	for i := range rest {
		w.Schedule(&rest[i], due)
	}
	w.Cancel(&first)
	wakes := 0
	for w.Len() > 0 {
		next := w.Next()
		if next > due {
			t.Fatalf("Next is %v late", next.Sub(due))
		}
		if next <= w.Now() {
			t.Fatalf("Next %d is no later than the last Advance %d", next, w.Now())
		}
		w.Advance(next, func(*Entry[string]) {})
		if wakes++; wakes > levels {
			t.Fatal("too many wakes for nothing")
		}
	}
	if w.Now() != due {
		t.Errorf("fired at %d, want %d", w.Now(), due)
	}
}

// Stepping through 10,000 gaps of an hour tick by tick would take 36 billion steps; the
// test ends because Advance goes from timer to timer.
func TestAdvanceJumpsOverIdleHours(t *testing.T) {
	w := New[string](time.Millisecond)
	e := Entry[string]{}
	now := clock.Time(0)
	calls := 0
	begin := time.Now()
	for range 10000 {
		now = now.Add(time.Hour)
		w.Schedule(&e, now)
		w.Advance(now, func(*Entry[string]) { calls++ })
	}
	w.Advance(clock.Never-1, func(*Entry[string]) { calls++ })
	if calls != 10000 {
		t.Errorf("%d fired", calls)
	}
	if d := time.Since(begin); d > time.Minute {
		t.Errorf("it took %v", d)
	}
}

func TestTickMustBePositive(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("New took a tick of zero")
		}
	}()
	New[int](0)
}

func TestNothingIsAllocated(t *testing.T) {
	var w Wheel[int]
	entries := make([]Entry[int], 100)
	now := clock.Time(0)
	fire := func(e *Entry[int]) { w.Schedule(e, w.Now()+1000*ms) }
	if n := testing.AllocsPerRun(100, func() {
		for i := range entries {
			w.Schedule(&entries[i], now+clock.Time(i)*97*ms)
		}
		w.Cancel(&entries[50])
		for range 100 {
			now = max(now+3*ms, w.Next())
			w.Advance(now, fire)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
