package shard

import (
	"math"
	"sync/atomic"
)

// aloneEnough is how many rounds in a row are for one connection alone before its reader waits
// for the next one awake.
const aloneEnough = 16

// countAlone counts how often in a row a round of a loop that spins was for the same connection
// alone. A round for none changes nothing.
func (r *round) countAlone() {
	switch {
	case !r.awake:
		r.alone, r.last = 0, nil
	case len(r.touched) == 0:
	case len(r.touched) > 1 || r.touched[0] != r.last:
		r.alone, r.last = 0, r.touched[0]
	case r.alone < math.MaxUint8:
		r.alone++
	}
}

// Linger is for a goroutine that is about to wait for the connection, which is locked. Where the
// receive loop is awake for that connection alone it lets go of the lock, waits awake until news has
// another value, for a moment at most, and reports true: there may be something
// new. Waking a goroutine takes a thread that has gone to sleep meanwhile; this is for the request
// that follows the answer at once.
func (c *TCP) Linger(news *atomic.Uint32) bool {
	if c.alone < aloneEnough || !mayOneMoreSpin(0) {
		return false
	}
	c.alone = 0
	was := news.Load()
	c.mu.Unlock()
	begin := c.host.Now()
	for look := 0; look < spinLooks && news.Load() == was && c.host.Now().Sub(begin) < spinLimit; look++ {
		yield()
	}
	spinners.Add(-1)
	c.mu.Lock()
	return true
}
