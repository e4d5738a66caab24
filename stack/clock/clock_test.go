package clock

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestNeverIsLaterThanAnyInstantAndNeverReached(t *testing.T) {
	for _, now := range []Time{0, 1, Time(time.Hour), Never - 1} {
		if !now.Before(Never) || !Never.After(now) {
			t.Errorf("Never is not later than %d", now)
		}
		if Never.Reached(now) {
			t.Errorf("Never is reached at %d", now)
		}
	}
	if Never.Reached(Never) {
		t.Error("Never is reached at Never")
	}
}

func TestNeverStaysNever(t *testing.T) {
	for _, d := range []time.Duration{0, 1, -1, time.Hour, -time.Hour, math.MaxInt64, math.MinInt64} {
		if got := Never.Add(d); got != Never {
			t.Errorf("Never.Add(%v) = %d", d, got)
		}
	}
}

func TestSumTooLargeIsNever(t *testing.T) {
	for _, c := range []struct {
		t    Time
		d    time.Duration
		want Time
	}{
		{Never - 1, 1, Never},
		{Never - 1, 2, Never},
		{Never - 2, 1, Never - 1},
		{1, math.MaxInt64, Never},
		{0, math.MaxInt64, Never},
		{math.MaxInt64 / 2, math.MaxInt64, Never},
	} {
		if got := c.t.Add(c.d); got != c.want {
			t.Errorf("%d + %d = %d, want %d", c.t, c.d, got, c.want)
		}
	}
}

// For every instant and every distance that stays within the range: adding and
// subtracting undo each other, and the order follows the sign of the distance.
func TestAddAndSubUndoEachOther(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 100000 {
		a := Time(rng.Int64() >> rng.IntN(62))
		d := time.Duration(rng.Int64() >> rng.IntN(62))
		if rng.IntN(2) == 0 {
			d = -d
		}
		b := a.Add(d)
		if b == Never {
			if d <= 0 || a <= Never-Time(d)-1 {
				t.Fatalf("seed %#x: %d + %d is Never", seed, a, d)
			}
			continue
		}
		if b.Sub(a) != d || b.Add(-d) != a {
			t.Fatalf("seed %#x: %d + %d = %d, and back %d", seed, a, d, b, b.Add(-d))
		}
		if b.After(a) != (d > 0) || b.Before(a) != (d < 0) {
			t.Fatalf("seed %#x: order of %d and %d", seed, a, b)
		}
		if a.Reached(b) != (d >= 0) {
			t.Fatalf("seed %#x: timer %d at %d", seed, a, b)
		}
	}
}

func TestTimerIsReachedAtItsVeryInstant(t *testing.T) {
	if Time(5).Reached(4) || !Time(5).Reached(5) || !Time(5).Reached(6) {
		t.Error("a timer at 5 is to be reached from 5 on")
	}
}

func TestManualClockNeverGoesBack(t *testing.T) {
	var m Manual
	var c Clock = &m
	for _, step := range []struct {
		do   func()
		want Time
	}{
		{func() {}, 0},
		{func() { m.Set(100) }, 100},
		{func() { m.Set(50) }, 100},
		{func() { m.Advance(7) }, 107},
		{func() { m.Advance(-7) }, 107},
		{func() { m.Advance(math.MaxInt64) }, Never},
	} {
		step.do()
		if c.Now() != step.want {
			t.Fatalf("the clock shows %d, want %d", c.Now(), step.want)
		}
	}
}
