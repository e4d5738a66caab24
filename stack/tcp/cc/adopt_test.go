package cc

import "testing"

// A change of algorithm does not change how much may be under way.
func TestAnotherAlgorithmGoesOnFromTheSameWindow(t *testing.T) {
	for k := range kinds {
		c := New(k)
		c.Init(1000, 10)
		a, ok := c.(Adopter)
		if !ok {
			t.Errorf("%v cannot take over", k)
			continue
		}
		a.Adopt(25000, 20000)
		if c.Window() != 25000 || c.SSThresh() != 20000 || c.InSlowStart() {
			t.Errorf("%v: window %d, ssthresh %d", k, c.Window(), c.SSThresh())
		}
		a.Adopt(0, 0)
		if c.Window() < 1000 || c.SSThresh() < 1000 {
			t.Errorf("%v: window %d, ssthresh %d after nothing", k, c.Window(), c.SSThresh())
		}
	}
}
