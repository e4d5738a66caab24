package main

import (
	"math"
	"runtime"
	"testing"
	"time"
)

// Of a cycle of two pauses, one of 1.05 to 1.31 ms and one of 0.02 to 0.03, which took 1.1 ms together,
// the longer took 1.08 at most.
func TestLongestPauseIsBoundedByTheSumOfItsCycle(t *testing.T) {
	ends := []float64{0, 20e-6, 30e-6, 50e-6, 1050e-6, 1310e-6}
	p := pauses{
		stopping: histogram{ends, []uint64{1, 0, 0, 0, 0}},
		total:    histogram{ends, []uint64{0, 1, 0, 0, 1}},
		sum:      1100e-6,
	}
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v s, want %v", what, got, want)
		}
	}
	near("longest", p.longest(), 1080e-6)
	near("work", p.work(), 1100e-6) // nothing is known of the waiting
	p.stopping.counts = []uint64{0, 0, 0, 1, 0}
	near("work after 50 µs of waiting", p.work(), 1050e-6)
	p.sum = 0
	near("longest of a cycle that has not ended", p.longest(), 1310e-6)
	_, median := p.total.quantile(0.5)
	near("median", median, 30e-6)
}

func TestCollectionsAreSeen(t *testing.T) {
	w := watchCollections(time.Now())
	seen := func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.cycles)
	}
	for end := time.Now().Add(time.Minute); seen() < 3; { // a cycle is told of some time after its end
		if time.Now().After(end) {
			t.Fatalf("%d cycles were seen in a minute of collecting", seen())
		}
		runtime.GC()
	}
	r := &result{}
	w.stop(r)
	rows := map[string]float64{}
	for _, row := range r.Rows {
		rows[row.What] = row.Value
	}
	if n := rows["pauses of the collector"]; n < 6 {
		t.Errorf("%v pauses in three cycles", n)
	}
	if most, half := rows["longest pause, at most"], rows["half of them at most"]; most <= 0 || half <= 0 {
		t.Errorf("the longest took %v µs, half of them %v", most, half)
	}
}
