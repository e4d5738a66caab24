package cc

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
)

const mss = 1000

// in returns a NewReno with this window and threshold.
func in(cwnd, ssthresh int) *NewReno {
	r := new(NewReno)
	r.Init(mss, 10)
	r.cwnd, r.ssthresh = cwnd, ssthresh
	return r
}

// want compares the window and the threshold.
func want(t *testing.T, what string, r *NewReno, cwnd, ssthresh int) {
	t.Helper()
	if r.Window() != cwnd || r.SSThresh() != ssthresh {
		t.Errorf("%s: cwnd %d, ssthresh %d, want %d and %d", what, r.Window(), r.SSThresh(), cwnd, ssthresh)
	}
}

// The states that an event may come in.
func open(cwnd, ssthresh int) *NewReno { return in(cwnd, ssthresh) }
func recovering(flight int) *NewReno {
	r := in(flight, MaxWindow)
	r.EnterRecovery(0, flight, 3)
	return r
}
func timedOut(flight int) *NewReno {
	r := in(flight, MaxWindow)
	r.OnTimeout(0, flight)
	return r
}

func TestEveryEventInEveryState(t *testing.T) {
	ack := func(n int) func(*NewReno) { return func(r *NewReno) { r.OnAck(0, n, 0, 0, false) } }
	partial := func(n int) func(*NewReno) { return func(r *NewReno) { r.OnPartialAck(n) } }
	dup := func(n int) func(*NewReno) { return func(r *NewReno) { r.OnDupAck(n) } }
	enter := func(flight, dups int) func(*NewReno) { return func(r *NewReno) { r.EnterRecovery(0, flight, dups) } }
	exit := func(flight int) func(*NewReno) { return func(r *NewReno) { r.ExitRecovery(0, flight) } }
	timeout := func(flight int) func(*NewReno) { return func(r *NewReno) { r.OnTimeout(0, flight) } }
	idle := func(r *NewReno) { r.OnIdle(0, 0, 0) }
	then := func(fs ...func(*NewReno)) func(*NewReno) {
		return func(r *NewReno) {
			for _, f := range fs {
				f(r)
			}
		}
	}
	for _, c := range []struct {
		rule           string
		state          *NewReno
		event          func(*NewReno)
		cwnd, ssthresh int
	}{
		// Slow start: RFC 5681 §3.1 with RFC 3465.
		{"slow start grows by what was acknowledged", open(10000, 50000), ack(700), 10700, 50000},
		{"slow start grows by two segments for a delayed ACK", open(10000, 50000), ack(2000), 12000, 50000},
		{"slow start grows by L=2 segments at most", open(10000, 50000), ack(9000), 12000, 50000},
		{"slow start ends at ssthresh", open(49500, 50000), ack(1000), 50000, 50000},
		{"nothing acknowledged, nothing grown", open(10000, 50000), ack(0), 10000, 50000},
		// Congestion avoidance.
		{"avoidance waits for a window of octets", open(10000, 10000), ack(9999), 10000, 10000},
		{"avoidance grows by one segment for a window of octets", open(10000, 10000), ack(10000), 11000, 10000},
		{"avoidance counts from ACK to ACK", open(10000, 10000), then(ack(4000), ack(4000), ack(4000)), 11000, 10000},
		{"avoidance keeps what was over", open(10000, 10000), then(ack(10000), ack(10000), ack(2000)), 12000, 10000},
		{"avoidance grows once for one ACK, however large", open(10000, 10000), ack(1 << 20), 11000, 10000},
		{"the window ends at its maximum", open(MaxWindow, MaxWindow), ack(MaxWindow), MaxWindow, MaxWindow},
		// Loss: RFC 5681 §3.2, RFC 6582.
		{"recovery halves and adds three segments", open(20000, MaxWindow), enter(20000, 3), 13000, 10000},
		{"recovery halves what is outstanding, not the window", open(20000, MaxWindow), enter(12000, 3), 9000, 6000},
		{"ssthresh is two segments at least", open(4000, MaxWindow), enter(3000, 3), 5000, 2000},
		{"a sender with SACK adds nothing", open(20000, MaxWindow), enter(20000, 0), 10000, 10000},
		{"a further duplicate adds a segment", recovering(20000), dup(1), 14000, 10000},
		{"several duplicates add several", recovering(20000), dup(5), 18000, 10000},
		{"duplicates made up add no more than was outstanding", recovering(20000), dup(1000), 30000, 10000},
		{"a duplicate outside of recovery adds nothing", open(10000, 50000), dup(3), 10000, 50000},
		{"a partial ACK deflates by its octets and adds a segment", recovering(20000), then(dup(10), partial(4000)), 20000, 10000},
		{"a partial ACK of less than a segment adds none", recovering(20000), then(dup(10), partial(900)), 22100, 10000},
		{"a partial ACK does not take the window below ssthresh", recovering(20000), partial(15000), 10000, 10000},
		{"a partial ACK outside of recovery is nothing", open(10000, 50000), partial(5000), 10000, 50000},
		{"an ACK within recovery grows nothing", recovering(20000), ack(5000), 13000, 10000},
		{"the full ACK deflates to ssthresh", recovering(20000), then(dup(10), exit(15000)), 10000, 10000},
		{"the full ACK makes no burst when little is outstanding", recovering(20000), exit(3000), 4000, 10000},
		{"nor when nothing is", recovering(20000), exit(0), 2000, 10000},
		{"the end of no recovery is nothing", open(10000, 50000), exit(0), 10000, 50000},
		// Timeout: RFC 5681 §3.1.
		{"a timeout leaves one segment", open(20000, MaxWindow), timeout(20000), 1000, 10000},
		{"a timeout halves what is outstanding", open(20000, MaxWindow), timeout(6000), 1000, 3000},
		{"a timeout's ssthresh is two segments at least", open(20000, MaxWindow), timeout(1000), 1000, 2000},
		{"a timeout ends recovery", recovering(20000), timeout(20000), 1000, 10000},
		{"a second timeout of the same segment keeps ssthresh", timedOut(20000), timeout(1000), 1000, 10000},
		{"a timeout after progress halves again", timedOut(20000), then(ack(1000), timeout(8000)), 1000, 4000},
		{"progress by a partial ACK counts as such", timedOut(20000), then(partial(1000), timeout(8000)), 1000, 4000},
		{"after a timeout L is one segment", timedOut(20000), ack(5000), 2000, 10000},
		{"until slow start is over", timedOut(4000), then(ack(1000), ack(1000), ack(2000)), 3000, 2000},
		{"and L is two again in the next", timedOut(4000), then(ack(1000), ack(1000), func(r *NewReno) { r.ssthresh = 20000 }, ack(5000)), 4000, 20000},
		{"recovery may follow a timeout", timedOut(20000), enter(8000, 3), 7000, 4000},
		// Idle: RFC 5681 §4.1.
		{"an idle window falls to the initial one", open(90000, 50000), idle, 10000, 50000},
		{"an idle window smaller than that stays", open(3000, 50000), idle, 3000, 50000},
	} {
		c.event(c.state)
		want(t, c.rule, c.state, c.cwnd, c.ssthresh)
	}
}

// RFC 7661 §4: what was not used has not been shown to be safe.
func TestWindowThatWasNotUsedDoesNotGrow(t *testing.T) {
	for _, r := range []*NewReno{open(10000, 50000), open(10000, 10000)} {
		ssthresh := r.SSThresh()
		for range 100 {
			r.OnAck(0, 2000, 3000, time.Millisecond, true)
		}
		want(t, "application-limited", r, 10000, ssthresh)
	}
	for _, c := range []struct {
		cwnd, ssthresh, inFlight, burst int
		want                            bool
	}{
		{10000, 50000, 4999, mss, true}, // slow start: less than half was used
		{10000, 50000, 5000, mss, false},
		{10000, 10000, 9000, mss, true}, // avoidance: a segment would have fitted
		{10000, 10000, 9001, mss, false},
		{100000, 10000, 40000, 64000, false},
	} {
		if got := AppLimited(in(c.cwnd, c.ssthresh), c.inFlight, c.burst); got != c.want {
			t.Errorf("AppLimited at cwnd %d, ssthresh %d, %d in flight = %v", c.cwnd, c.ssthresh, c.inFlight, got)
		}
	}
}

func TestSlowStartDoublesInARoundTripWithSuperSegments(t *testing.T) {
	r := open(640000, MaxWindow)
	r.SetBurst(64000)
	for range 10 {
		r.OnAck(0, 64000, 640000, 0, false)
	}
	want(t, "after a round trip", r, 1280000, MaxWindow)
	r.OnAck(0, 1<<20, 1<<20, 0, false)
	want(t, "one ACK for a megabyte", r, 1280000+128000, MaxWindow)

	r.OnTimeout(0, 1280000)
	r.OnAck(0, 1<<20, 0, 0, false)
	want(t, "one ACK for a megabyte after a timeout", r, 2*mss, 640000)
	r.SetBurst(1)
	r.OnAck(0, 1<<20, 0, 0, false)
	want(t, "with a burst below a segment", r, 3*mss, 640000)
}

func TestNewSegmentSizeKeepsTheOctets(t *testing.T) {
	r := open(20000, 30000)
	r.SetMSS(500)
	want(t, "smaller", r, 20000, 30000)
	r = timedOut(4000)
	r.SetMSS(9000)
	want(t, "larger", r, 9000, 18000)
	r.SetMSS(0)
	if r.mss != 1 {
		t.Error("a segment of no octets")
	}
}

// RFC 6928 §2 and RFC 5681 §3.1.
func TestInitialWindow(t *testing.T) {
	for _, c := range []struct{ mss, iw, want int }{
		{1460, 10, 14600},
		{536, 10, 5360},
		{9000, 10, 18000},
		{2000, 10, 14600},
		{1460, 1, 1460}, // after a lost SYN
		{9000, 1, 9000},
		{1460, 3, 4380},
		{536, 0, 2144},
		{1095, 0, 4380},
		{1096, 0, 3288},
		{2190, 0, 6570},
		{2191, 0, 4382},
	} {
		r := New(Reno)
		r.Init(c.mss, c.iw)
		if r.Window() != c.want || r.SSThresh() != MaxWindow || !r.InSlowStart() || r.InRecovery() {
			t.Errorf("initial window of %d segments of %d = %d, want %d", c.iw, c.mss, r.Window(), c.want)
		}
	}
}

func TestKindsHaveNames(t *testing.T) {
	for k := range kinds {
		got, ok := ParseKind(k.String())
		if !ok || got != k || New(k).Name() != k.String() || Names()[k] != k.String() {
			t.Errorf("kind %d is not what its name %q says", k, k)
		}
	}
	if _, ok := ParseKind("vegas"); ok || kinds.String() != "unknown" || New(200) == nil {
		t.Error("an unknown kind is known")
	}
}

func TestWindowIsNeverBelowASegmentNorAboveTheMaximum(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 6))
		r := New(Reno)
		size := 1 + rng.IntN(9000)
		r.Init(size, rng.IntN(20))
		for range 500 {
			n := rng.IntN(1 << rng.IntN(31))
			switch rng.IntN(10) {
			case 0:
				r.EnterRecovery(0, n, rng.IntN(5))
			case 1:
				r.ExitRecovery(0, n)
			case 2:
				r.OnPartialAck(n)
			case 3:
				r.OnDupAck(n >> 10)
			case 4:
				r.OnTimeout(0, n)
			case 5:
				r.OnIdle(clock.Time(n), 0, 0)
			case 6:
				size = 1 + rng.IntN(9000)
				r.SetMSS(size)
			case 7:
				r.SetBurst(n & 0xffff)
			default:
				r.OnAck(0, n, n, 0, rng.IntN(4) == 0)
			}
			if w := r.Window(); w < size || w > MaxWindow || r.SSThresh() < 2*size || r.SSThresh() > MaxWindow {
				t.Fatalf("seed %d: cwnd %d, ssthresh %d with segments of %d", seed, w, r.SSThresh(), size)
			}
		}
	}
}

func BenchmarkOnAck(b *testing.B) {
	r := New(Reno)
	r.Init(1460, 10)
	r.EnterRecovery(0, 1<<20, 3)
	r.ExitRecovery(0, 1<<20)
	b.ReportAllocs()
	for b.Loop() {
		r.OnAck(0, 2920, 1<<20, time.Millisecond, false)
	}
}

// "When cwnd and ssthresh are equal, the sender may use either slow start or congestion avoidance"
// (RFC 5681 §3.1).
func TestSlowStartAtTheThreshold(t *testing.T) {
	for _, at := range []bool{false, true} {
		r := NewWith(Reno, Options{AtThreshold: at})
		r.Init(1000, 10)
		r.EnterRecovery(0, 10000, 0)
		r.ExitRecovery(0, 10000)
		r.OnAck(0, 3000, 5000, 0, false)
		if want := map[bool]int{false: 5000, true: 7000}[at]; r.Window() != want {
			t.Errorf("%v: %d, want %d", at, r.Window(), want)
		}
		r.OnAck(0, 3000, 5000, 0, false)
		if want := map[bool]int{false: 6000, true: 7000}[at]; r.Window() != want {
			t.Errorf("%v: then %d, want %d", at, r.Window(), want)
		}
	}
}
