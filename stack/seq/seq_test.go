package seq

import (
	"math"
	"math/rand/v2"
	"testing"
)

const half = 1 << 31

// interesting returns a number that is near a wrap-around half of the time.
func interesting(rng *rand.Rand) Value {
	if rng.IntN(2) == 0 {
		return Value(rng.Uint32())
	}
	base := []Value{0, half, math.MaxUint32}[rng.IntN(3)]
	return base.Add(rng.IntN(9) - 4)
}

// distance returns one that a comparison is defined for: less than 2³¹, either way.
func distance(rng *rand.Rand) int {
	d := int(rng.Uint32() >> 1 >> rng.IntN(31))
	if rng.IntN(2) == 0 {
		return -d
	}
	return d
}

func forRandom(t *testing.T, f func(rng *rand.Rand) (ok bool, args []any)) {
	t.Helper()
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 200000 {
		if ok, args := f(rng); !ok {
			t.Fatalf("seed %#x: fails for %v", seed, args)
		}
	}
}

// RFC 9293 §3.4: all arithmetic with sequence numbers is modulo 2³², and so are its
// comparisons.
func TestOrderFollowsTheDistanceAcrossTheWrap(t *testing.T) {
	forRandom(t, func(rng *rand.Rand) (bool, []any) {
		v, d := interesting(rng), distance(rng)
		u := v.Add(d)
		ok := u.Sub(v) == d && v.Sub(u) == -d && u.Add(-d) == v &&
			u.Less(v) == (d < 0) && u.LessEq(v) == (d <= 0) &&
			u.Greater(v) == (d > 0) && u.GreaterEq(v) == (d >= 0)
		return ok, []any{v, d}
	})
}

func TestOrderIsTransitiveWithinHalfTheSpace(t *testing.T) {
	forRandom(t, func(rng *rand.Rand) (bool, []any) {
		a := interesting(rng)
		x := int(rng.Uint32() >> 2)
		y := int(rng.Uint32() >> 2)
		b, c := a.Add(x), a.Add(x).Add(y)
		return a.LessEq(b) && b.LessEq(c) && a.LessEq(c), []any{a, x, y}
	})
}

func TestMaxAndMinAreTheLaterAndTheEarlier(t *testing.T) {
	forRandom(t, func(rng *rand.Rand) (bool, []any) {
		v, d := interesting(rng), distance(rng)
		u := v.Add(d)
		late, early := v, u
		if d > 0 {
			late, early = u, v
		}
		ok := Max(u, v) == late && Max(v, u) == late && Min(u, v) == early && Min(v, u) == early
		return ok, []any{v, d}
	})
}

// RFC 9293 §3.10.7.4: RCV.NXT =< SEG.SEQ < RCV.NXT+RCV.WND.
func TestWindowHoldsItsNumbersAndNoOthers(t *testing.T) {
	forRandom(t, func(rng *rand.Rand) (bool, []any) {
		start := interesting(rng)
		size := rng.Uint32() >> (2 + rng.IntN(30)) // a window is at most 2³⁰
		off := int(rng.Uint32()>>2) >> rng.IntN(30)
		in := start.Add(off)
		before := start.Add(-1 - off)
		ok := in.InWindow(start, size) == (off < int(size)) && !before.InWindow(start, size)
		return ok, []any{start, size, off}
	})
}

func TestEmptyWindowHoldsNothing(t *testing.T) {
	for _, v := range []Value{0, 1, half, math.MaxUint32} {
		if v.InWindow(v, 0) {
			t.Errorf("%d is in an empty window", v)
		}
	}
}

func TestRangeIsHalfOpen(t *testing.T) {
	forRandom(t, func(rng *rand.Rand) (bool, []any) {
		start := interesting(rng)
		n := int(rng.Uint32()>>1) >> rng.IntN(31)
		r := Range{start, start.Add(n)}
		ok := r.Len() == n && r.Contains(start) == (n > 0) && !r.Contains(r.End) &&
			!r.Contains(start.Add(-1)) && (n == 0 || r.Contains(r.End.Add(-1)))
		return ok, []any{start, n}
	})
}

// A block whose edges came in the wrong order holds nothing: a peer may send one.
func TestRangeTurnedRoundHoldsNothing(t *testing.T) {
	forRandom(t, func(rng *rand.Rand) (bool, []any) {
		start := interesting(rng)
		n := 1 + int(rng.Uint32()>>2)
		r := Range{start, start.Add(-n)}
		v := interesting(rng)
		return r.Len() == -n && !r.Contains(v) && !r.Contains(r.Start) && !r.Contains(r.End), []any{r, v}
	})
}

func TestAddTakesAnyIntegerModulo(t *testing.T) {
	for _, c := range []struct {
		v    Value
		n    int
		want Value
	}{
		{math.MaxUint32, 1, 0},
		{0, -1, math.MaxUint32},
		{math.MaxUint32 - 1, 3, 1},
		{half, half, 0},
		{0, math.MinInt32, half},
	} {
		if got := c.v.Add(c.n); got != c.want {
			t.Errorf("%d + %d = %d, want %d", c.v, c.n, got, c.want)
		}
	}
}
