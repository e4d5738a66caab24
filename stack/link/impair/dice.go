package impair

import (
	"math/rand/v2"
	"time"
)

// dice are the generators, one for each kind of decision.
type dice struct {
	loss, burst, duplicate, corrupt, jitter, reorder rand.PCG
}

func (d *dice) seed(seed uint64) {
	for i, g := range []*rand.PCG{&d.loss, &d.burst, &d.duplicate, &d.corrupt, &d.jitter, &d.reorder} {
		g.Seed(seed, uint64(i))
	}
}

// chance reports whether something of probability p happens. A p of zero or less
// draws nothing.
func chance(g *rand.PCG, p float64) bool {
	return p > 0 && float64(g.Uint64()>>11)/(1<<53) < p
}

// below returns a number from 0 to n-1, for an n much smaller than 2⁶⁴.
func below(g *rand.PCG, n uint64) uint64 { return g.Uint64() % n }

// spread returns a duration evenly distributed from -d to d.
func spread(g *rand.PCG, d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(below(g, 2*uint64(d)+1)) - d
}
