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

// AppendAhead is Append of much: where that begins a block, and with what is queued is half of unit or more, the
// block is for unit octets and has ahead octets free before them, as those that Take is given as a rule. The
// octets can then be sent from where they lie.
func (s *SendQueue) AppendAhead(p []byte, ahead, unit int) int {
	n := len(p)
	for len(p) > 0 {
		free := s.q.tail()
		if len(free) == 0 {
			if unit = min(unit, mem.FrameBlock-ahead); unit < leastUnit || 2*(s.q.length()+len(p)) < unit {
				s.q.add(p)
				return n
			}
			b := s.q.pool.Get(ahead + unit)
			b.B = b.B[ahead : ahead+unit]
			s.q.enter(b)
			free = b.B
		}
		k := copy(free, p)
		s.q.back += uint32(k)
		p = p[k:]
	}
	return n
}

// leastUnit is from which size on a block of its own for each unit is worth it.
const leastUnit = 8 << 10

// Take puts the first n octets of b.B, with the block they lie in, at the end of the queue, as a rule
// without a copy; what is appended later goes to the rest of B first. What of the block lies before B is
// free for whoever sends it: see Block. The block is the queue's from then on: the caller, who
// must be its only owner, gives it away. n must not be 0.
func (s *SendQueue) Take(b *mem.Block, n int) { s.q.take(b, b.B, n) }

// Block returns the block whose first octet is the one at off and that holds the n octets from there on,
// or nil where there is none such, or none with so much free ahead of them. The caller has become
// one of its owners.
func (s *SendQueue) Block(off, n, ahead int) *mem.Block {
	p := s.q.at(off)
	if n == 0 || len(p) < n {
		return nil
	}
	at := &s.q.pieces[s.q.cursor]
	if at.start != s.q.front+uint32(off) || at.block.Ahead() < ahead {
		return nil
	}
	at.block.Retain()
	return at.block
}

// Tail returns the last block and what of it is not filled yet, or nil where nothing is free or nobody
// has written yet. The caller has become one of its owners.
func (s *SendQueue) Tail() (*mem.Block, []byte) {
	free := s.q.tail()
	if len(free) == 0 {
		return nil, nil
	}
	b := s.q.pieces[len(s.q.pieces)-1].block
	b.Retain()
	return b, free
}

// Extend counts n octets more as queued, which were written to what Tail gave, and reports false
// where that is no longer the end of the queue.
func (s *SendQueue) Extend(free []byte, n int) bool {
	tail := s.q.tail()
	if len(tail) == 0 || &tail[0] != &free[0] || n > len(tail) {
		return false
	}
	s.q.back += uint32(n)
	return true
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
