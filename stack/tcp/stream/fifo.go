package stream

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/weirnet/weir/stack/mem"
)

const (
	// maxBlock is the largest block that a queue takes: one super-segment.
	maxBlock = 64 << 10

	// maxDouble is the largest block that is taken for less than it holds. More would let a short
	// segment in the midst of long ones have the next one copied (see take).
	maxDouble = 16 << 10

	// widePieces is how many entries the index of a queue has room for once they are more than one. Such
	// an index is shared by all queues, and goes back when its queue is empty, so that
	// a million connections which are idle now do not pay for the burst that each had
	// once. A longer one is left to the collector.
	widePieces = 64
)

// piece is a block in the queue. Positions count octets since the queue began,
// modulo 2³².
type piece struct {
	block *mem.Block
	start uint32 // the position of B[0]
}

// indices are those of queues with several blocks. Their entries hold no block while they are free.
var indices mem.Slab[[widePieces]piece]

// fifo is a run of octets in blocks; SendQueue and RecvQueue are its two faces.
// It is 64 octets, which a connection pays twice while it is not parked.
type fifo struct {
	pool   *mem.Pool
	pieces []piece // pieces[head:] are in use, in order
	head   uint32
	cursor uint32 // the entry that the last look-up ended in: a hint
	front  uint32 // the position of the first octet
	back   uint32 // the position after the last octet

	// one is the index of a queue with one block, the most common queue of all.
	one [1]piece
}

func (q *fifo) init(pool *mem.Pool) { *q = fifo{pool: pool} }

// length returns how many octets are queued.
func (q *fifo) length() int { return int(q.back - q.front) }

// add copies p to the tail.
func (q *fifo) add(p []byte) {
	for len(p) > 0 {
		free := q.tail()
		if len(free) == 0 {
			free = q.grow(len(p))
		}
		n := copy(free, p)
		q.back += uint32(n)
		p = p[n:]
	}
}

// tail returns the part of the last block that is not filled yet.
func (q *fifo) tail() []byte {
	if len(q.pieces) == 0 {
		return nil
	}
	last := &q.pieces[len(q.pieces)-1]
	return last.block.B[q.back-last.start:]
}

// grow adds a block for n octets, or for the first of them, and returns its octets.
// It is called with every block full, so a block no larger than what is queued
// does not more than double the memory.
func (q *fifo) grow(n int) []byte {
	double := 1 << bits.Len(uint(q.length())) / 2
	b := q.pool.Get(min(max(n, min(double, maxDouble)), maxBlock))
	q.enter(b)
	return b.B
}

// take puts block b at the tail, of which p is all that counts from then on, and the first n octets of
// that are queued; add fills the rest. What the last
// block has free is given up, so that where an octet lies still follows from its position;
// where the two blocks would then not be half full together, p is copied after all: a peer that sends one
// octet and much text by turns would have us hold a large block for every octet.
func (q *fifo) take(b *mem.Block, p []byte, n int) {
	if k := len(q.pieces); k > 0 {
		last := &q.pieces[k-1]
		used := int(q.back - last.start)
		if used < len(last.block.B) {
			if 2*(used+n) < last.block.Size()+b.Size() {
				q.add(p[:n])
				b.Release()
				return
			}
			last.block.B = last.block.B[:used]
		}
	}
	b.B = p
	q.enter(b)
	q.back += uint32(n)
}

// lend moves up to most octets from the front into as many entries of lent as that takes, and
// returns how many of either that were.
func (q *fifo) lend(lent []Lent, most int) (runs, n int) {
	for runs < len(lent) && n < most {
		p := q.at(n)
		if len(p) == 0 {
			break
		}
		p = p[:min(len(p), most-n)]
		b := q.pieces[q.cursor].block
		b.Retain()
		lent[runs] = Lent{P: p, block: b}
		runs++
		n += len(p)
	}
	q.drop(n)
	return runs, n
}

// enter puts a block for what follows the last octet into the index.
func (q *fifo) enter(b *mem.Block) {
	switch {
	case q.pieces == nil:
		q.pieces = q.one[:0]
	case len(q.pieces) == cap(q.pieces) && int(q.head) > len(q.pieces)/2:
		q.compact()
	case len(q.pieces) == 1 && cap(q.pieces) == 1:
		q.pieces = append(indices.Get()[:0], q.pieces...)
		clear(q.one[:])
	}
	q.pieces = append(q.pieces, piece{b, q.back})
}

// compact moves the entries in use to the beginning of the index. It is called
// when more than half of it is free, so each entry is moved less than once.
func (q *fifo) compact() {
	n := copy(q.pieces, q.pieces[q.head:])
	clear(q.pieces[n:])
	q.pieces = q.pieces[:n]
	q.head, q.cursor = 0, 0
}

// find returns the entry of the block with the octet at pos, which must be queued.
func (q *fifo) find(pos uint32) uint32 {
	for i := q.cursor; i < q.cursor+2; i++ {
		if q.holds(i, pos) {
			return i
		}
	}
	lo, hi := q.head, uint32(len(q.pieces))
	for hi-lo > 1 {
		mid := lo + (hi-lo)/2
		if int32(pos-q.pieces[mid].start) >= 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// holds reports whether entry i is in use and its block has a place for pos.
func (q *fifo) holds(i, pos uint32) bool {
	if i < q.head || i >= uint32(len(q.pieces)) {
		return false
	}
	p := &q.pieces[i]
	return pos-p.start < uint32(len(p.block.B))
}

// at returns the octets from off to the end of its block.
func (q *fifo) at(off int) []byte {
	pos := q.front + uint32(off)
	if off < 0 || off >= q.length() {
		return nil
	}
	q.cursor = q.find(pos)
	p := &q.pieces[q.cursor]
	end := min(q.back-p.start, uint32(len(p.block.B)))
	return p.block.B[pos-p.start : end]
}

// copyAt copies octets from off on to dst and returns how many.
func (q *fifo) copyAt(dst []byte, off int) int {
	done := 0
	for done < len(dst) {
		b := q.at(off + done)
		if len(b) == 0 {
			break
		}
		done += copy(dst[done:], b)
	}
	return done
}

// drop lets the first n octets go, or all where there are fewer, and gives back
// the blocks that this empties. It returns how many octets went.
func (q *fifo) drop(n int) int {
	n = max(0, min(n, q.length()))
	q.front += uint32(n)
	if q.front == q.back {
		q.clear()
		return n
	}
	for {
		p := &q.pieces[q.head]
		if q.front-p.start < uint32(len(p.block.B)) {
			return n
		}
		p.block.Release()
		p.block = nil
		q.head++
	}
}

// clear gives back every block and forgets what they held.
func (q *fifo) clear() {
	for i := int(q.head); i < len(q.pieces); i++ {
		q.pieces[i].block.Release()
		q.pieces[i].block = nil
	}
	switch {
	case cap(q.pieces) == widePieces:
		indices.Put((*[widePieces]piece)(q.pieces[:widePieces]))
		q.pieces = nil
	case cap(q.pieces) > widePieces:
		q.pieces = nil
	}
	q.pieces = q.pieces[:0]
	q.head, q.cursor = 0, 0
	q.front = q.back
}

// memory returns the octets of the blocks in use.
func (q *fifo) memory() int {
	n := 0
	for _, p := range q.pieces[q.head:] {
		n += p.block.Size()
	}
	return n
}

var errEmptyHolds = errors.New("stream: an empty queue holds blocks")

// check verifies that the index covers what is queued and nothing else.
func (q *fifo) check() error {
	used := q.pieces[q.head:]
	if q.front == q.back {
		if len(used) > 0 {
			return errEmptyHolds
		}
		return nil
	}
	if len(used) == 0 {
		return fmt.Errorf("stream: %d octets queued in no block", q.length())
	}
	pos := used[0].start
	for i, p := range used {
		if p.start != pos {
			return fmt.Errorf("stream: block %d begins at %d, want %d", i, p.start, pos)
		}
		pos += uint32(len(p.block.B))
	}
	last := used[len(used)-1]
	if q.front-used[0].start >= uint32(len(used[0].block.B)) {
		return errors.New("stream: the first block holds nothing")
	}
	if filled := q.back - last.start; filled == 0 || filled > uint32(len(last.block.B)) {
		return fmt.Errorf("stream: the last block holds %d octets of %d", filled, len(last.block.B))
	}
	return nil
}
