package wheel

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
)

const million = 1 << 20

// crowd returns a wheel with a million timers, spread over two hours as keep-alives are.
func crowd() (*Wheel[int], []Entry[int], *rand.Rand) {
	w := New[int](DefaultTick)
	rng := rand.New(rand.NewPCG(1, 2))
	entries := make([]Entry[int], million)
	for i := range entries {
		w.Schedule(&entries[i], clock.Time(rng.Int64N(int64(2*time.Hour))))
	}
	return w, entries, rng
}

// BenchmarkReschedule moves one of a million timers a retransmission timeout ahead.
func BenchmarkReschedule(b *testing.B) {
	w, entries, rng := crowd()
	b.ReportAllocs()
	for b.Loop() {
		i := rng.Uint64()
		w.Schedule(&entries[i%million], clock.Time(200*time.Millisecond)+clock.Time(i>>36))
	}
}

// BenchmarkRescheduleNext does the same with one busy connection and asks for the deadline.
func BenchmarkRescheduleNext(b *testing.B) {
	w, entries, _ := crowd()
	now := clock.Time(0)
	b.ReportAllocs()
	for b.Loop() {
		now += 1000
		w.Schedule(&entries[7], now.Add(200*time.Millisecond))
		sink = w.Next()
	}
}

var sink clock.Time

// BenchmarkFire is what a timer costs from being set to firing, with a million others:
// each fires and is set again two hours ahead.
func BenchmarkFire(b *testing.B) {
	w, _, rng := crowd()
	n := 0
	fire := func(e *Entry[int]) {
		n++
		w.Schedule(e, w.Now().Add(time.Duration(rng.Int64N(int64(4*time.Hour)))))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n < b.N {
		w.Advance(w.Next(), fire)
	}
}

// BenchmarkIdleHour advances over an hour with nothing to do but one timer at its end.
func BenchmarkIdleHour(b *testing.B) {
	var w Wheel[int]
	var e Entry[int]
	now := clock.Time(0)
	fire := func(*Entry[int]) {}
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Hour)
		w.Schedule(&e, now)
		w.Advance(now, fire)
	}
}
