package main

import (
	"cmp"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"sync"
	"time"
)

// collections notes what each cycle of the collector has stopped the world for. It is told of a cycle
// by an object that nothing refers to, so that it costs nothing between them.
type collections struct {
	began time.Time

	mu          sync.Mutex
	ended       bool
	first, last pauses
	cycles      []cycle
}

// cycle is a cycle of the collector, or several where they came too fast to be told apart.
type cycle struct {
	at     time.Duration // when it had been swept up, since the beginning
	pauses               // those of it
}

// sentinel is not so small that it would share its place in memory with others.
type sentinel struct{ _ [64]byte }

func watchCollections(began time.Time) *collections {
	w := &collections{began: began, first: readPauses()}
	w.last = w.first
	w.arm()
	return w
}

func (w *collections) arm() { runtime.AddCleanup(&sentinel{}, (*collections).note, w) }

// note is called after each cycle.
func (w *collections) note() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	w.arm()
	w.take()
}

func (w *collections) take() {
	now := readPauses()
	if c := (cycle{time.Since(w.began), now.since(w.last)}); c.total.count() > 0 {
		w.cycles = append(w.cycles, c)
	}
	w.last = now
}

// stop ends the watch and says what was seen.
func (w *collections) stop(r *result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.take()
	all := w.last.since(w.first)
	r.add("pauses of the collector", float64(all.total.count()), "")
	if len(w.cycles) == 0 {
		return
	}
	_, median := all.total.quantile(0.5)
	_, p99 := all.total.quantile(0.99)
	_, stopping := all.stopping.quantile(1)
	r.add("half of them at most", median*1e6, "µs")
	r.add("99 of 100 at most", p99*1e6, "µs")
	longest := slices.MaxFunc(w.cycles, func(a, b cycle) int { return cmp.Compare(a.longest(), b.longest()) })
	r.add("longest pause, at most", longest.longest()*1e6, "µs")
	r.add("that was by", longest.at.Seconds(), "s")
	_, its := longest.stopping.quantile(1)
	r.add("of it until all threads had stopped, at most", its*1e6, "µs")
	r.add("longest until all threads had stopped, at most", stopping*1e6, "µs")
	work := slices.MaxFunc(w.cycles, func(a, b cycle) int { return cmp.Compare(a.work(), b.work()) })
	r.add("most work of a cycle while they stood, at most", work.work()*1e6, "µs")
}

// pauses are the world's stops for the collector: how long it took until all threads had stopped, and
// that together with the work while they stood.
type pauses struct {
	stopping, total histogram
	sum             float64 // of the total, in seconds, and exact; a cycle is added to it at its end
}

func readPauses() pauses {
	s := []metrics.Sample{{Name: "/sched/pauses/stopping/gc:seconds"}, {Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(s)
	var gc debug.GCStats
	debug.ReadGCStats(&gc)
	return pauses{newHistogram(s[0].Value), newHistogram(s[1].Value), gc.PauseTotal.Seconds()}
}

func (p pauses) since(before pauses) pauses {
	return pauses{p.stopping.since(before.stopping), p.total.since(before.total), p.sum - before.sum}
}

// longest is what the longest took at most.
func (p pauses) longest() float64 {
	least, most := p.total.quantile(1)
	others := p.total.least() - least
	if p.total.count()%2 != 0 || p.sum < others+least {
		return most // a cycle has not ended: its first pause is counted, and not in the sum
	}
	return min(most, p.sum-others)
}

// work is what all of them took at most, without the time until all threads had stopped.
func (p pauses) work() float64 { return max(p.sum-p.stopping.least(), 0) }

// histogram is one of the runtime's, of which only the ends of the buckets are known.
type histogram struct {
	ends   []float64 // in seconds; one more than counts
	counts []uint64
}

func newHistogram(v metrics.Value) histogram {
	if v.Kind() != metrics.KindFloat64Histogram {
		return histogram{}
	}
	h := v.Float64Histogram()
	ends := slices.Clone(h.Buckets)
	ends[0] = max(ends[0], 0)
	if last := len(ends) - 1; math.IsInf(ends[last], 1) {
		ends[last] = ends[last-1]
	}
	return histogram{ends, slices.Clone(h.Counts)}
}

func (h histogram) since(before histogram) histogram {
	d := histogram{h.ends, slices.Clone(h.counts)}
	for i := range before.counts {
		d.counts[i] -= before.counts[i]
	}
	return d
}

func (h histogram) count() (n uint64) {
	for _, c := range h.counts {
		n += c
	}
	return n
}

// quantile returns the ends of the bucket that has the value below which a share q of them lie.
func (h histogram) quantile(q float64) (least, most float64) {
	rank, seen := uint64(math.Ceil(q*float64(h.count()))), uint64(0)
	for i, c := range h.counts {
		if seen += c; c > 0 && seen >= rank {
			return h.ends[i], h.ends[i+1]
		}
	}
	return 0, 0
}

// least is what they come to at least, all together.
func (h histogram) least() (sum float64) {
	for i, c := range h.counts {
		sum += float64(c) * h.ends[i]
	}
	return sum
}

// collectEvery has the collector run so often until what it returns is called, and not at all with 0.
func collectEvery(d time.Duration) (enough func()) {
	if d <= 0 {
		return func() {}
	}
	tick, done := time.NewTicker(d), make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-tick.C:
				runtime.GC()
			case <-done:
				return
			}
		}
	}()
	return func() { tick.Stop(); close(done); <-ended }
}
