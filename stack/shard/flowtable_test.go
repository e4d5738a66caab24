package shard

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"
)

type testFlow struct{ key flowKey }

func (f *testFlow) flowKey() *flowKey { return &f.key }

func numbered(n int) *testFlow {
	f := new(testFlow)
	f.key.local = [16]byte{10: 0xff, 11: 0xff, 12: 10, 15: 1}
	f.key.remote = [16]byte{10: 0xff, 11: 0xff, 12: 10, 13: byte(n >> 24)}
	binary.BigEndian.PutUint16(f.key.remote[14:], uint16(n>>16))
	f.key.ports = [4]byte{0, 80, byte(n >> 8), byte(n)}
	return f
}

// buckets counts those of all segments.
func (f *flows[E, P]) buckets() (n int) {
	for i := range f.parts {
		d := f.parts[i].dir.Load()
		for j := 0; d != nil && j < len(d.segments); j++ {
			if j == 0 || d.segments[j] != d.segments[j-1] {
				n += len(d.segments[j].buckets)
			}
		}
	}
	return n
}

// Whatever is entered and removed, the table has what a map has.
func TestFlowsAreAsInAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var f flows[testFlow, *testFlow]
	model := map[int]*testFlow{}
	for step, target := range []int{50, 0, 100_000, 1000, 60_000, 0} {
		for len(model) != target {
			n := r.IntN(200_000)
			grow := len(model) < target
			if !grow && r.IntN(4) > 0 {
				for n = range model {
					break
				}
			}
			x := numbered(n)
			if grow == (r.IntN(4) > 0) {
				if added := f.add(&x.key, x); added != (model[n] == nil) {
					t.Fatalf("step %d: add says %v", step, added)
				} else if added {
					model[n] = x
				}
			} else {
				old := model[n]
				if f.remove(&x.key, x) {
					t.Fatalf("step %d: another of the same key was removed", step)
				}
				if old != nil && !f.remove(&x.key, old) {
					t.Fatalf("step %d: what is there was not removed", step)
				}
				delete(model, n)
			}
			if r.IntN(10) == 0 {
				if n := r.IntN(200_000); f.get(&numbered(n).key) != model[n] {
					t.Fatalf("step %d: another answer than the map's", step)
				}
			}
		}
		for n := range 200_000 {
			if f.get(&numbered(n).key) != model[n] {
				t.Fatalf("step %d: another answer than the map's for %d", step, n)
			}
		}
		seen := map[*testFlow]bool{}
		for _, x := range f.list() {
			seen[x] = true
		}
		if f.len() != len(model) || len(seen) != len(model) {
			t.Fatalf("step %d: %d flows, %d listed, want %d", step, f.len(), len(seen), len(model))
		}
		// A segment is as a rule half full at least when it has been divided, and an eighth when it shrinks.
		if places := f.buckets() * places; places > 16*max(len(model), 8*flowParts) {
			t.Errorf("step %d: %d places for %d flows", step, places, len(model))
		}
	}
}

// A million flows cost no more than a few octets each beside the records.
func TestFlowsAreDense(t *testing.T) {
	var f flows[testFlow, *testFlow]
	const n = 300_000
	for i := range n {
		x := numbered(i)
		f.add(&x.key, x)
	}
	if each := float64(f.buckets()) * 64 / n; each > 24 {
		t.Errorf("%.1f octets for a flow", each)
	}
}

// Who looks a flow up while others come and go finds it.
func TestFlowsAreFoundWhileTheTableChanges(t *testing.T) {
	var f flows[testFlow, *testFlow]
	const fixed = 1000
	for i := range fixed {
		x := numbered(i)
		f.add(&x.key, x)
	}
	var readers, writers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for i := 0; ; i++ {
				if k := numbered(i % fixed); f.get(&k.key) == nil {
					t.Errorf("flow %d is not found", i%fixed)
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for w := range 2 {
		writers.Go(func() {
			var mine []*testFlow
			for i := range 20_000 {
				x := numbered(fixed + w<<20 + i)
				f.add(&x.key, x)
				mine = append(mine, x)
			}
			for _, x := range mine {
				if !f.remove(&x.key, x) {
					t.Error("a flow is gone")
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	if f.len() != fixed {
		t.Errorf("%d flows, want %d", f.len(), fixed)
	}
}

// Few flows open and close without the table making anything.
func TestFlowsThatComeAndGoAllocateNothing(t *testing.T) {
	var f flows[testFlow, *testFlow]
	all := make([]*testFlow, 100)
	for i := range all {
		all[i] = numbered(i)
		f.add(&all[i].key, all[i])
	}
	x := numbered(1 << 20)
	if n := testing.AllocsPerRun(100, func() {
		f.add(&x.key, x)
		f.remove(&x.key, x)
	}); n > 0 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkFlowsGet looks up one of a hundred, and one of a million.
func BenchmarkFlowsGet(b *testing.B) {
	for name, n := range map[string]int{"100": 100, "1000000": 1_000_000} {
		b.Run(name, func(b *testing.B) {
			var f flows[testFlow, *testFlow]
			keys := make([]flowKey, n)
			for i := range n {
				x := numbered(i)
				keys[i] = x.key
				f.add(&x.key, x)
			}
			r := rand.New(rand.NewPCG(1, 2))
			for b.Loop() {
				if f.get(&keys[r.IntN(n)]) == nil {
					b.Fatal("not found")
				}
			}
		})
	}
}
