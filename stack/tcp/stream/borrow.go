package stream

import (
	"math/bits"

	"github.com/weirnet/weir/stack/mem"
)

// Borrow puts p at the end of the queue, which must be empty, without a copy: b, a block of no pool, stands for
// it. Keep must be called before p goes away.
func (r *RecvQueue) Borrow(b *mem.Block, p []byte) {
	b.Borrow(p)
	r.q.enter(b)
	r.q.back += uint32(len(p))
}

// Keep has the queue hold by itself what is left of the octets that b was lent for, if any: by
// taking over give, the block that they lie in, where that is not nil, else by a copy. It
// reports whether it has taken give.
func (r *RecvQueue) Keep(b, give *mem.Block) bool {
	q := &r.q
	if q.front == q.back || q.pieces[q.head].block != b {
		return false
	}
	p := &q.pieces[q.head]
	left := b.B[q.front-p.start:]
	if give != nil && 2*len(left) >= give.Size() {
		give.B = b.B
		p.block = give
		b.Release()
		return true
	}
	own := q.pool.Get(len(left))
	copy(own.B, left)
	if int(q.head) < len(q.pieces)-1 {
		own.B = own.B[:len(left)]
	}
	p.block, p.start = own, q.front
	b.Release()
	return false
}

// Gather makes the first n octets lie together, or all where they are fewer: as Next
// shows them. It copies them where they do not already, to a block with room for as many
// again, so that a queue that is gathered time and again as it grows costs a few copies
// for each octet.
func (r *RecvQueue) Gather(n int) {
	q := &r.q
	n = min(n, q.length())
	if n == 0 || len(q.at(0)) >= n {
		return
	}
	b := q.pool.Get(max(n, 1<<bits.Len(uint(n))))
	q.copyAt(b.B[:n], 0)
	q.drop(n)
	q.front -= uint32(n)
	if q.pieces == nil {
		q.pieces = q.one[:0]
	}
	if len(q.pieces) == 0 { // that was all: what follows goes to the same block
		q.pieces = append(q.pieces, piece{b, q.front})
		return
	}
	b.B = b.B[:n]
	next := &q.pieces[q.head] // its first octets may be in b now: each has one place
	k := q.front + uint32(n) - next.start
	next.block.B, next.start = next.block.B[k:], next.start+k
	q.head-- // of the first octets' blocks, one at least is gone
	q.pieces[q.head] = piece{b, q.front}
	q.cursor = q.head
}
