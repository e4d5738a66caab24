package shard

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/weirnet/weir/stack/clock"
)

// nowIs is a clock that is a function.
type nowIs func() clock.Time

func (f nowIs) Now() clock.Time { return f() }

// lingering returns a connection whose reader may linger, and a clock that calls during at each look.
func lingering(t *testing.T, procs int, during func()) *TCP {
	was := runtime.GOMAXPROCS(procs)
	t.Cleanup(func() { runtime.GOMAXPROCS(was) })
	h := New(Config{})
	t.Cleanup(func() { h.Close() })
	h.clock = nowIs(func() clock.Time { during(); return 1 })
	c := &TCP{host: h, alone: aloneEnough}
	c.Lock()
	return c
}

func TestReaderLingersUntilThereIsNews(t *testing.T) {
	needsProcessors(t)
	var news atomic.Uint32
	var c *TCP
	looks := 0
	c = lingering(t, 2, func() {
		if looks++; looks == 5 {
			c.Lock() // it is let go meanwhile
			news.Add(1)
			c.Unlock()
		}
	})
	if !c.Linger(&news) || looks != 5 {
		t.Errorf("lingered for %d looks, want 5", looks)
	}
	if c.mu.TryLock() {
		t.Error("it came back without the lock")
	}
	if n := spinners.Load(); n != 0 {
		t.Errorf("%d still spin", n)
	}
	if c.Linger(&news) {
		t.Error("lingers again without a round in between")
	}
}

func TestLingeringEndsWithoutNews(t *testing.T) {
	needsProcessors(t)
	var news atomic.Uint32
	looks := 0
	c := lingering(t, 2, func() { looks++ })
	if !c.Linger(&news) || looks > spinLooks+1 {
		t.Errorf("%d looks", looks)
	}
}

func TestReaderDoesNotLinger(t *testing.T) {
	needsProcessors(t)
	var news atomic.Uint32
	c := lingering(t, 2, func() {})
	if c.alone--; c.Linger(&news) {
		t.Error("after too few rounds that were for its connection alone")
	}
	c.alone++
	spinners.Add(2)
	if c.Linger(&news) {
		t.Error("while as many spin as there are processors")
	}
	spinners.Add(-2)
	if !c.Linger(&news) {
		t.Error("otherwise either")
	}
}

func TestRoundsForOneConnectionAloneAreCounted(t *testing.T) {
	a, b := &TCP{}, &TCP{}
	r := round{awake: true}
	for _, step := range []struct {
		touched []*TCP
		asleep  bool
		want    uint8
	}{
		{[]*TCP{a}, false, 0}, {[]*TCP{a}, false, 1}, {nil, false, 1}, {[]*TCP{a}, false, 2},
		{[]*TCP{b}, false, 0}, {[]*TCP{b}, false, 1}, {[]*TCP{b, a}, false, 0}, {[]*TCP{b}, false, 1},
		{[]*TCP{b}, true, 0}, {[]*TCP{b}, false, 0}, {[]*TCP{b}, false, 1},
	} {
		r.touched, r.awake = step.touched, !step.asleep
		if r.countAlone(); r.alone != step.want {
			t.Errorf("%v: %d rounds, want %d", step, r.alone, step.want)
		}
	}
	for range 1024 {
		r.countAlone()
	}
	if r.alone < aloneEnough {
		t.Errorf("after many rounds: %d", r.alone)
	}
}
