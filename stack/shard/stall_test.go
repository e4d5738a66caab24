package shard

import "testing"

// TestAStallEndsAfterItHasBegun: the watchdog has taken the goroutine's work away and is about to say so of the connection
// when the handler returns after all. What is said last is that it is over.
func TestAStallEndsAfterItHasBegun(t *testing.T) {
	h := New(Config{})
	defer h.Close()
	p := &stalledPlace{T: t, d: &h.dog}
	w := &watch{host: h}
	w.at = p
	h.dog.mu.Lock()
	w.state.Store(replaced) // as look does
	h.dog.begin(h, w)
	h.dog.mu.Unlock()
	if w.leave(); !w.lost || p.yes || h.dog.stalled() != 0 {
		t.Errorf("lost %v, stalled %v, %d stalls, want it over", w.lost, p.yes, h.dog.stalled())
	}
}

// stalledPlace wants to be told with the watchdog locked, so that the two of look and of over are told in their order.
type stalledPlace struct {
	*testing.T
	d   *watchdog
	yes bool
}

func (p *stalledPlace) stalled(yes bool) {
	if p.yes = yes; p.d.mu.TryLock() {
		p.d.mu.Unlock()
		p.Errorf("stalled(%v) is told without the watchdog's lock", yes)
	}
}

func (p *stalledPlace) ends() []any { return nil }
