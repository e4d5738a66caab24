package stream

import "github.com/weirnet/weir/stack/mem"

// Lent is a run of octets that has left a queue, in a block that its holder shares with the
// queue or has to itself.
type Lent struct {
	P     []byte
	block *mem.Block
}

// Release gives the octets back, which must not be touched afterwards.
func (l *Lent) Release() {
	l.block.Release()
	*l = Lent{}
}

// RecvQueue is the octets that arrived in order and that the user has not read.
// Init makes it ready. It must not be copied once in use.
type RecvQueue struct {
	_ noCopy
	q fifo
}

// Init makes the queue empty, to take its blocks from pool. A queue that has held
// octets must be released first.
func (r *RecvQueue) Init(pool *mem.Pool) { r.q.init(pool) }

// Append copies all of p to the end of the queue and returns len(p). The receive
// window that the caller offered is the bound of what may be queued.
func (r *RecvQueue) Append(p []byte) int {
	r.q.add(p)
	return len(p)
}

// Take puts p, which lies in block b, at the end of the queue, as a rule without a copy. The
// block is the queue's from then on: the caller, who must be its only owner, gives it away. p
// must not be empty.
func (r *RecvQueue) Take(b *mem.Block, p []byte) { r.q.take(b, p, len(p)) }

// Len returns how many octets are queued.
func (r *RecvQueue) Len() int { return r.q.length() }

// Read moves octets from the front of the queue to p and returns how many: len(p),
// or all there are where that is less.
func (r *RecvQueue) Read(p []byte) int { return r.q.drop(r.q.copyAt(p, 0)) }

// Peek copies octets from the front of the queue to p as Read does, and leaves
// them in the queue.
func (r *RecvQueue) Peek(p []byte) int { return r.q.copyAt(p, 0) }

// Next returns the first octets of the queue without copying them: as many as lie
// together, all of them where they are few, and nil when the queue is empty. They
// stay valid until the next Read, Discard or Release; Append does not touch them.
func (r *RecvQueue) Next() []byte { return r.q.at(0) }

// Discard lets go of the first n octets, or of all where there are fewer, and
// returns how many it let go.
func (r *RecvQueue) Discard(n int) int { return r.q.drop(n) }

// Lend moves up to most octets from the front of the queue into as many entries of lent as they
// need, without copying them, and returns how many entries and how many octets. Each entry is the
// caller's to release.
func (r *RecvQueue) Lend(lent []Lent, most int) (runs, n int) { return r.q.lend(lent, most) }

// Memory returns the octets of the blocks held. It walks the blocks: for listings
// and tests rather than for every segment.
func (r *RecvQueue) Memory() int { return r.q.memory() }

// Release gives back every block; the queue is empty and may be used again.
func (r *RecvQueue) Release() { r.q.clear() }

// Check returns an error when the queue contradicts itself, for tests.
func (r *RecvQueue) Check() error { return r.q.check() }

// CopyAt copies octets to dst, beginning off octets after the first, and leaves them to be
// read. It returns how many; none from an off that is negative or not below Len.
func (r *RecvQueue) CopyAt(dst []byte, off int) int { return r.q.copyAt(dst, off) }
