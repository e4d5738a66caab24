package rtt

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const ms = time.Millisecond

// strict are the limits that RFC 6298 itself would have, with nothing added.
var strict = Limits{Initial: time.Second, Min: 0, Max: 60 * time.Second, Granularity: ms}

// RFC 6298 §2.1.
func TestTimeoutIsOneSecondUntilSomethingWasMeasured(t *testing.T) {
	var e Estimator
	if e.RTO() != time.Second || e.Sampled() || e.SRTT() != 0 || e.Min() != 0 {
		t.Fatalf("RTO %v before any measurement", e.RTO())
	}
}

// RFC 6298 §2.2: SRTT <- R, RTTVAR <- R/2, RTO <- SRTT + max (G, K*RTTVAR).
func TestFirstMeasurementSetsBoth(t *testing.T) {
	var e Estimator
	e.Init(&strict)
	e.Sample(100 * ms)
	if e.SRTT() != 100*ms || e.RTTVAR() != 50*ms || e.RTO() != 300*ms || e.Min() != 100*ms {
		t.Fatalf("srtt %v, rttvar %v, RTO %v", e.SRTT(), e.RTTVAR(), e.RTO())
	}
}

// RFC 6298 §2.3: RTTVAR before SRTT, alpha 1/8 and beta 1/4.
func TestFurtherMeasurementsAreSmoothed(t *testing.T) {
	var e Estimator
	e.Init(&strict)
	e.Sample(100 * ms)
	srtt, rttvar := 100e6, 50e6
	for _, r := range []time.Duration{180 * ms, 20 * ms, 100 * ms, 101 * ms, 2000 * ms} {
		e.Sample(r)
		rttvar = 0.75*rttvar + 0.25*math.Abs(srtt-float64(r))
		srtt = 0.875*srtt + 0.125*float64(r)
		near(t, "srtt", e.SRTT(), srtt)
		near(t, "rttvar", e.RTTVAR(), rttvar)
		near(t, "RTO", e.RTO(), srtt+4*rttvar)
	}
	if e.Min() != 20*ms {
		t.Errorf("Min = %v", e.Min())
	}
}

func near(t *testing.T, what string, got time.Duration, want float64) {
	t.Helper()
	if d := math.Abs(float64(got) - want); d > 100 {
		t.Errorf("%s = %v, want %v", what, got, time.Duration(want))
	}
}

// RFC 7323 Appendix G: n samples in a round trip weigh as much as one.
func TestManySamplesInARoundTripWeighAsOne(t *testing.T) {
	var one, many Estimator
	one.Init(&strict)
	many.Init(&strict)
	one.Sample(100 * ms)
	many.Sample(100 * ms)
	one.Sample(200 * ms)
	for range 50 {
		many.SampleOf(200*ms, 50)
	}
	if d := (one.SRTT() - many.SRTT()).Abs(); d > ms {
		t.Errorf("srtt %v with one sample, %v with fifty", one.SRTT(), many.SRTT())
	}
}

// RFC 6298 §2.3: G is the least that the variance counts for; §2.4 and §2.5: limits.
func TestTimeoutStaysWithinItsLimits(t *testing.T) {
	for _, c := range []struct {
		limits Limits
		sample time.Duration
		want   time.Duration
	}{
		{strict, 0, ms},
		{DefaultLimits(), 0, 200 * ms},
		{DefaultLimits(), 20 * ms, 220 * ms}, // as Linux: above srtt, so that 200 ms of delayed ACK do no harm
		{DefaultLimits(), time.Hour, 120 * time.Second},
		{DefaultLimits(), -time.Hour, 200 * ms},
		{DefaultLimits(), math.MaxInt64, 120 * time.Second},
		{DefaultLimits(), math.MinInt64, 200 * ms},
	} {
		var e Estimator
		e.Init(&c.limits)
		for range 200 { // until nothing varies
			e.Sample(c.sample)
		}
		if got := e.RTO(); (got - c.want).Abs() > time.Microsecond {
			t.Errorf("samples of %v: RTO = %v, want %v", c.sample, got, c.want)
		}
	}
}

// RFC 6298 §5.5.
func TestTimeoutDoublesUpToItsMaximum(t *testing.T) {
	var e Estimator
	for i, want := range []int{1, 2, 4, 8, 16, 32, 64, 120, 120} {
		if e.RTO() != time.Duration(want)*time.Second || e.Backoffs() != i {
			t.Fatalf("after %d expiries: RTO = %v, want %d s", i, e.RTO(), want)
		}
		e.Backoff()
	}
	for range 1000 {
		e.Backoff()
	}
	if e.RTO() != 120*time.Second {
		t.Fatalf("RTO = %v", e.RTO())
	}
	e.ClearBackoff()
	if e.RTO() != time.Second {
		t.Fatalf("RTO = %v after ClearBackoff", e.RTO())
	}
}

// Karn's algorithm: the doubled timeout holds until something was measured.
func TestMeasurementUndoesTheDoubling(t *testing.T) {
	var e Estimator
	e.Init(&strict)
	e.Sample(100 * ms)
	e.Backoff()
	e.Backoff()
	if e.RTO() != 1200*ms {
		t.Fatalf("RTO = %v, want 1.2 s", e.RTO())
	}
	e.Sample(100 * ms)
	if e.RTO() != 250*ms || e.Backoffs() != 0 {
		t.Fatalf("RTO = %v, want 250 ms", e.RTO())
	}
}

// RFC 6298 §5.7.
func TestLostSYNMakesDataBeginWithThreeSeconds(t *testing.T) {
	var e Estimator
	e.Backoff()
	e.LostSYN()
	if e.RTO() != 3*time.Second {
		t.Fatalf("RTO = %v, want 3 s", e.RTO())
	}
	e.Backoff()
	if e.RTO() != 6*time.Second {
		t.Fatalf("RTO = %v, want 6 s", e.RTO())
	}
	e.Sample(10 * ms)
	if e.RTO() != 210*ms {
		t.Fatalf("RTO = %v, want 210 ms", e.RTO())
	}
}

func TestResetForgetsAllButTheLimits(t *testing.T) {
	var e Estimator
	l := strict
	l.Initial = 2 * time.Second
	e.Init(&l)
	e.Sample(ms)
	e.Backoff()
	e.Reset()
	if e.RTO() != 2*time.Second || e.Sampled() || e.Min() != 0 {
		t.Fatalf("RTO = %v after Reset", e.RTO())
	}
}

func TestTimeoutIsSaneWhateverWasMeasured(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 5))
		var e Estimator
		e.Init(&strict)
		for range 100 {
			r := time.Duration(rng.Int64N(1 << rng.IntN(40)))
			e.SampleOf(r, rng.IntN(20))
			if e.SRTT() < 0 || e.RTTVAR() < 0 || e.RTO() < ms || e.RTO() > strict.Max || e.RTO() < min(e.SRTT(), strict.Max) {
				t.Fatalf("seed %d: srtt %v, rttvar %v, RTO %v", seed, e.SRTT(), e.RTTVAR(), e.RTO())
			}
		}
	}
}

func BenchmarkSample(b *testing.B) {
	var e Estimator
	var sink time.Duration
	for i := 0; b.Loop(); i++ {
		e.SampleOf(time.Duration(i&0xffff)*time.Microsecond, 1+i&31)
		sink += e.RTO()
	}
	_ = sink
}
