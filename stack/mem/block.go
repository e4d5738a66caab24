package mem

import "sync/atomic"

// Block is octets lent by a Pool to one or more owners.
type Block struct {
	// B is the octets. An owner may cut it as it likes: the block comes out of the
	// pool whole again. Owners that share a block must not set B.
	B []byte

	whole  []byte // what B was when the block was handed out
	pool   *Pool
	owners atomic.Int32
	class  int8
}

// Retain makes one owner more. The caller must be an owner itself; a block that is
// not out makes it panic.
func (b *Block) Retain() {
	if b.owners.Add(1) <= 1 {
		panic("mem: Retain of a block that is not out")
	}
}

// Release makes one owner fewer; the last gives the block back to its pool and
// must not touch it afterwards. It panics when there was no owner.
func (b *Block) Release() {
	switch n := b.owners.Add(-1); {
	case n == 0:
		b.B = nil
		if b.pool != nil {
			b.pool.put(b)
		}
	case n < 0:
		panic("mem: Release of a block that is not out")
	}
}

// Size returns how many octets of memory the block is, however B was cut.
func (b *Block) Size() int { return len(b.whole) }

// Whole returns all of the block's memory, however B was cut.
func (b *Block) Whole() []byte { return b.whole }

// Ahead returns how many octets of that lie before B.
func (b *Block) Ahead() int { return cap(b.whole) - cap(b.B) }

// Shared reports whether the block has more than one owner, so that its octets
// must not be written. An answer of false holds until the caller itself
// retains the block; true may be out of date at once.
func (b *Block) Shared() bool { return b.owners.Load() > 1 }

// Borrow makes b, which must be of no pool and not out, stand for octets of somebody else, with
// one owner. Its last release touches them no more, and b may borrow again.
func (b *Block) Borrow(p []byte) {
	if b.pool != nil || b.owners.Load() != 0 {
		panic("mem: Borrow for a block that is out or of a pool")
	}
	b.B, b.whole = p, p
	b.owners.Store(1)
}
