package stream

import "github.com/weirnet/weir/stack/mem"

// SendQueue is the octets that the user wrote and that are not acknowledged: from
// the one at snd.una, or the first one where snd.una is still at the SYN, to the
// end of the last write. Init makes it ready. It must not be copied once in use.
type SendQueue struct {
	_ noCopy
	q fifo
}

// Init makes the queue empty, to take its blocks from pool. A queue that has held
// octets must be released first.
func (s *SendQueue) Init(pool *mem.Pool) { s.q.init(pool) }

// Append copies all of p to the end of the queue and returns len(p). How much may
// be queued is for the caller to bound.
func (s *SendQueue) Append(p []byte) int {
	s.q.add(p)
	return len(p)
}

// Len returns how many octets are queued.
func (s *SendQueue) Len() int { return s.q.length() }

// CopyAt copies octets to dst, beginning off octets after the first, and returns how
// many: len(dst), or what is queued after off where that is less. Nothing is
// copied from an off that is negative or not below Len.
func (s *SendQueue) CopyAt(dst []byte, off int) int { return s.q.copyAt(dst, off) }

// Discard lets go of the first n octets, which were acknowledged, or of all where
// there are fewer, and gives back the blocks that held nothing else. It
// returns how many octets it let go.
func (s *SendQueue) Discard(n int) int { return s.q.drop(n) }

// Memory returns the octets of the blocks held. It walks the blocks: for listings
// and tests rather than for every segment.
func (s *SendQueue) Memory() int { return s.q.memory() }

// Release gives back every block; the queue is empty and may be used again.
func (s *SendQueue) Release() { s.q.clear() }

// Check returns an error when the queue contradicts itself, for tests.
func (s *SendQueue) Check() error { return s.q.check() }

// noCopy lets go vet find copies of the value that it is a field of.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}
