package cc

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// path feeds a Control acknowledgements of one window each round trip, and returns the
// window in segments after each.
func path(c Control, now *clock.Time, rtt time.Duration, rounds int) (out []int) {
	for range rounds {
		*now = now.Add(rtt)
		for n := c.Window() / mss; n > 0; n -= 2 {
			c.OnAck(*now, min(n, 2)*mss, c.Window(), rtt, false)
		}
		out = append(out, c.Window()/mss)
	}
	return out
}

func newCubic(cwnd int, o Options) *Cubic {
	c := NewWith(CUBIC, o).(*Cubic)
	c.Init(mss, 10)
	c.cwnd = cwnd
	return c
}

// RFC 9438 §4.2: after a reduction from W_max the window is back there after K seconds,
// where K is cubic_root(W_max*(1-β)/C), and first concave, then convex.
func TestCubicReturnsToItsPlateauAfterK(t *testing.T) {
	const wmax, rtt = 400, 100 * time.Millisecond
	c := newCubic(wmax, Options{})
	now := clock.Time(time.Second)
	c.EnterRecovery(now, wmax*mss, 0)
	c.ExitRecovery(now, 0)
	if c.Window() != wmax*cubicBeta/cubicScale*mss {
		t.Fatalf("after the loss %d segments", c.Window()/mss)
	}
	k := math.Cbrt(wmax * 0.3 / 0.4)
	rounds := int(k * float64(time.Second) / float64(rtt))
	w := path(c, &now, rtt, 2*rounds)
	if at := w[rounds]; at < wmax*98/100 || at > wmax*102/100 {
		t.Errorf("after K = %.1f s the window is %d of %d", k, at, wmax)
	}
	first, before, after := w[rounds/4]-w[0], w[rounds]-w[rounds*3/4], w[2*rounds-1]-w[2*rounds-1-rounds/4]
	if !(first > before && after > before) {
		t.Errorf("grows by %d at first, %d near the plateau and %d far beyond", first, before, after)
	}
}

// RFC 9438 §4.3: on a short path CUBIC is no slower than NewReno with its β.
func TestCubicIsNoSlowerThanReno(t *testing.T) {
	c := newCubic(100, Options{})
	now := clock.Time(time.Second)
	c.EnterRecovery(now, 100*mss, 0)
	c.ExitRecovery(now, 0)
	w := path(c, &now, 5*time.Millisecond, 100)
	if want := 70 + 100*3*3/17; w[99] < want-3 { // α = 3(1-β)/(1+β) = 9/17 a round trip
		t.Errorf("after 100 round trips %d segments, want about %d", w[99], want)
	}
}

// RFC 9438 §4.7, fast convergence: a window that did not come back to W_max leaves room.
func TestCubicFastConvergence(t *testing.T) {
	c := newCubic(100, Options{})
	c.EnterRecovery(1, 100*mss, 0)
	c.ExitRecovery(1, 0)
	c.EnterRecovery(2, 70*mss, 0)
	if want := 70 * 17 / 20; c.lastMax < want-1 || c.lastMax > want+1 {
		t.Errorf("W_max %d after a loss at 70 of 100, want %d", c.lastMax, want)
	}
}

// RFC 9438 §4.4: "no more than 1.5*cwnd" in a round trip.
func TestCubicGrowsByHalfAtMost(t *testing.T) {
	c := newCubic(100, Options{})
	c.ssthresh = 100
	now := clock.Time(time.Second)
	last := 100
	for range 300 {
		w := path(c, &now, 100*time.Millisecond, 1)[0]
		if w > last*3/2+1 {
			t.Fatalf("from %d to %d", last, w)
		}
		last = w
	}
}

// RFC 9438 §4.8: a timeout leaves one segment, and the curve begins at ssthresh.
func TestCubicTimeout(t *testing.T) {
	c := newCubic(100, Options{})
	c.OnTimeout(1, 100*mss)
	if c.Window() != mss || c.SSThresh() != 70*mss {
		t.Fatalf("%d, %d", c.Window(), c.SSThresh())
	}
	c.OnTimeout(2, mss)
	if c.SSThresh() != 70*mss {
		t.Error("a second timeout of the same segment lowers ssthresh")
	}
	now := clock.Time(time.Second)
	w := path(c, &now, 100*time.Millisecond, 20)
	if w[7] < 70 || c.k != 0 {
		t.Errorf("slow start led to %v, K %d", w, c.k)
	}
}

// RFC 9438 §4.9: a reduction that was for nothing is undone, and the curve with it.
func TestCubicUndo(t *testing.T) {
	c := newCubic(100, Options{})
	c.ssthresh = 50
	now := clock.Time(time.Second)
	path(c, &now, 100*time.Millisecond, 3)
	before, cwnd := c.curve, c.cwnd
	c.EnterRecovery(now, 100*mss, 0)
	c.Undo()
	if c.cwnd != cwnd || c.curve != before || c.recovery {
		t.Errorf("window %d for %d", c.cwnd, cwnd)
	}
	c.OnTimeout(now, 100*mss)
	c.Undo()
	if c.cwnd != cwnd || c.InSlowStart() {
		t.Errorf("window %d for %d after a timeout", c.cwnd, cwnd)
	}
}

// Counting segments: a path of two segments a tenth of a second, after slow start up to 48.
// The figures are those that Linux shows on such a path. Growth is
// never more than a segment for two acknowledged.
func TestCubicInSegmentsOverASlowPath(t *testing.T) {
	c := NewWith(CUBIC, Options{Segments: true, HyStart: HyStartOff}).(*Cubic)
	c.Init(mss, 10)
	c.ssthresh = 48
	type sent struct{ at clock.Time }
	now := clock.Time(time.Second)
	var queue []sent
	nxt, una := seq.Value(1), seq.Value(1)
	push := func() {
		for nxt.Sub(una)/mss < c.cwnd {
			queue = append(queue, sent{now})
			nxt = nxt.Add(mss)
		}
	}
	push()
	want := map[int]int{10: 20, 20: 30, 30: 40, 38: 48, 60: 49, 80: 50, 100: 52, 120: 58, 140: 68, 200: 98}
	for acked := 2; acked <= 200; acked += 2 {
		now = now.Add(100 * time.Millisecond)
		una = una.Add(2 * mss)
		rtt := now.Sub(queue[1].at)
		queue = queue[2:]
		c.OnSample(Sample{Now: now, RTT: rtt, Una: una, Nxt: nxt})
		before := c.cwnd
		c.OnAck(now, 2*mss, 0, rtt, false)
		if c.cwnd > before+1 && acked > 40 {
			t.Fatalf("from %d to %d by two segments", before, c.cwnd)
		}
		push()
		if w, ok := want[acked]; ok && c.cwnd != w {
			t.Errorf("after %d segments a window of %d, want %d", acked, c.cwnd, w)
		}
	}
}

// The classic HyStart ends slow start with the ninth measurement of a round in which none is
// close to the path's least.
func TestClassicHyStartSeesTheDelayGrow(t *testing.T) {
	c := NewWith(CUBIC, Options{Segments: true, HyStart: HyStartClassic}).(*Cubic)
	c.Init(mss, 10)
	now, una := clock.Time(time.Second), seq.Value(1)
	ack := func(n int, rtt time.Duration, nxt seq.Value) {
		una = una.Add(n * mss)
		c.OnSample(Sample{Now: now, RTT: rtt, Una: una, Nxt: nxt})
		c.OnAck(now, n*mss, 0, rtt, false)
	}
	now = now.Add(200 * time.Millisecond)
	ack(10, 200*time.Millisecond, una.Add(10*mss))
	now = now.Add(240 * time.Millisecond)
	for i := range 10 {
		ack(2, 240*time.Millisecond+time.Duration(i)*time.Millisecond, seq.Value(1).Add(30*mss))
		now = now.Add(time.Millisecond)
		if want := min(22+2*i, 36); c.cwnd != want || (c.ssthresh == want) != (i >= 8) {
			t.Fatalf("measurement %d: window %d, ssthresh %d", i+1, c.cwnd, c.ssthresh)
		}
	}
}

// RFC 9406 §4.2: a round whose least round trip has grown by an eighth turns to the
// conservative slow start, which ends after five rounds, or when the growth was none.
func TestHyStartPlus(t *testing.T) {
	run := func(rtts ...time.Duration) *Cubic {
		c := NewWith(CUBIC, Options{}).(*Cubic)
		c.Init(mss, 10)
		now, una := clock.Time(1), seq.Value(1)
		for _, rtt := range rtts {
			nxt := una.Add(c.Window())
			for una != nxt {
				now = now.Add(time.Millisecond)
				una = una.Add(mss)
				c.OnSample(Sample{Now: now, RTT: rtt, Una: una, Nxt: nxt.Add(una.Sub(nxt.Add(-c.Window())))})
				c.OnAck(now, mss, c.Window(), rtt, false)
			}
		}
		return c
	}
	ms := time.Millisecond
	if c := run(40*ms, 40*ms, 41*ms, 42*ms); !c.InSlowStart() || c.hystart.css != 0 {
		t.Error("a round trip that is even, and slow start is tempered")
	}
	if c := run(40*ms, 40*ms, 46*ms); !c.InSlowStart() || c.hystart.css == 0 {
		t.Error("the round trip grew by more than an eighth")
	}
	if c := run(40*ms, 40*ms, 46*ms, 40*ms); c.hystart.css != 0 {
		t.Error("it fell again, and the slow start is still conservative")
	}
	if c := run(40*ms, 40*ms, 46*ms, 46*ms, 46*ms, 46*ms, 46*ms, 46*ms); c.InSlowStart() {
		t.Error("CSS lasts at most CSS_ROUNDS rounds")
	}
}

func TestCubeRoot(t *testing.T) {
	for _, n := range []int64{0, 1, 7, 8, 26, 27, 1000, 999999, 1 << 40, 1<<62 - 1} {
		if x := cubeRoot(n); x*x*x > n || (x+1)*(x+1)*(x+1) <= n && x < 1<<20 {
			t.Errorf("cube root of %d is not %d", n, x)
		}
	}
}

// Every algorithm keeps to its bounds, whatever happens in whatever order.
func TestEveryVariantKeepsToItsBounds(t *testing.T) {
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 9))
		o := Options{Segments: seed%2 == 0, PRR: rng.IntN(2) == 0, HyStart: HyStart(rng.IntN(3))}
		c := NewWith(Kind(rng.IntN(int(kinds))), o)
		size := 1 + rng.IntN(9000)
		c.Init(size, rng.IntN(20))
		now := clock.Time(1)
		una := seq.Value(0)
		for range 400 {
			n := rng.IntN(1 << rng.IntN(31))
			now = now.Add(time.Duration(rng.IntN(1 << rng.IntN(36))))
			switch rng.IntN(13) {
			case 0:
				c.EnterRecovery(now, n, 0)
			case 1:
				c.ExitRecovery(now, n)
			case 2:
				c.OnPartialAck(n)
			case 3:
				c.OnTimeout(now, n)
			case 4:
				c.OnIdle(now, time.Duration(n), time.Second)
			case 5:
				size = 1 + rng.IntN(9000)
				c.SetMSS(size)
			case 6:
				c.SetWindow(n)
			case 7:
				c.Undo()
			case 8:
				c.OnUnused(n)
			case 9:
				if s, ok := c.(Sampler); ok {
					una = una.Add(n >> 8)
					s.OnSample(Sample{Now: now, RTT: time.Duration(n), Una: una, Nxt: una.Add(n >> 4)})
					s.OnResume(now, time.Duration(n))
				}
			default:
				c.OnAck(now, n, n, time.Duration(n), rng.IntN(4) == 0)
			}
			if w := c.Window(); w < size || w > MaxWindow || c.SSThresh() < 2*size || c.SSThresh() > MaxWindow {
				t.Fatalf("seed %d, %s %+v: cwnd %d, ssthresh %d with segments of %d", seed, c.Name(), o, w, c.SSThresh(), size)
			}
		}
	}
}

func BenchmarkCubicOnAck(b *testing.B) {
	c := newCubic(1000, Options{})
	c.EnterRecovery(1, 1000*mss, 0)
	c.ExitRecovery(1, 1000*mss)
	now := clock.Time(1)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(100 * time.Microsecond)
		c.OnAck(now, 2*mss, 1000*mss, time.Millisecond, false)
	}
}
