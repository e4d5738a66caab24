package mem

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

const (
	// MinBlock is the size in octets of the smallest class.
	MinBlock = 1 << minShift
	// MaxBlock is the size in octets of the largest class. A larger block is made
	// for one use and left to the collector.
	MaxBlock = 1 << maxShift

	// FrameBlock is the size in octets of the one class between the powers of two. It
	// holds the largest packet with room for headers before it, which would otherwise
	// take up a block of twice the size.
	FrameBlock = 68 << 10

	frameFloor = 64 << 10 // the largest size that the class below is enough for

	minShift   = 8
	maxShift   = 17
	powers     = maxShift - minShift + 1
	frameClass = powers
	classes    = powers + 1

	// large is the class of blocks too large for any class.
	large = -1
)

// Pool lends out blocks. The zero value is ready. It is safe for concurrent use and
// must not be copied after the first Get.
type Pool struct {
	class [classes]class

	largeBlocks atomic.Int64
	largeOctets atomic.Int64
}

// class is the free blocks of one size and the number of those that are out.
// One counter per class, rather than one per pool, keeps Get to a single atomic add.
type class struct {
	free sync.Pool
	out  atomic.Int64
}

// Get returns a block with one owner, the caller, and at least n octets: len(B) is
// the size of the class, or n exactly where n is more than MaxBlock. The contents
// are not cleared. An n below one gives the smallest class.
func (p *Pool) Get(n int) *Block {
	i := classOf(n)
	if i == large {
		return p.getLarge(n)
	}
	c := &p.class[i]
	c.out.Add(1)
	b, _ := c.free.Get().(*Block)
	if b == nil {
		b = &Block{whole: make([]byte, sizeOf(i)), pool: p, class: int8(i)}
	}
	b.B = b.whole
	b.owners.Store(1)
	return b
}

func (p *Pool) getLarge(n int) *Block {
	p.largeBlocks.Add(1)
	p.largeOctets.Add(int64(n))
	b := &Block{whole: make([]byte, n), pool: p, class: large}
	b.B = b.whole
	b.owners.Store(1)
	return b
}

// put takes back a block that has no owner left.
func (p *Pool) put(b *Block) {
	if poisoned {
		for i := range b.whole {
			b.whole[i] = poison
		}
	}
	if b.class == large {
		p.largeBlocks.Add(-1)
		p.largeOctets.Add(-int64(len(b.whole)))
		return
	}
	c := &p.class[b.class]
	c.out.Add(-1)
	c.free.Put(b)
}

// InUse returns how many octets are in the blocks that are out. Whole classes
// count: a block of 2,048 octets got for 1,500 counts 2,048.
func (p *Pool) InUse() int64 {
	n := p.largeOctets.Load()
	for i := range p.class {
		n += p.class[i].out.Load() * int64(sizeOf(i))
	}
	return n
}

// Outstanding returns how many blocks are out.
func (p *Pool) Outstanding() int64 {
	n := p.largeBlocks.Load()
	for i := range p.class {
		n += p.class[i].out.Load()
	}
	return n
}

// ClassSize returns how many octets a block got for n has: the least power of two
// from MinBlock on, or FrameBlock, that is not below n, or n itself where that is above
// MaxBlock.
func ClassSize(n int) int {
	if i := classOf(n); i != large {
		return sizeOf(i)
	}
	return n
}

// sizeOf returns the size of a class's blocks.
func sizeOf(class int) int {
	if class == frameClass {
		return FrameBlock
	}
	return MinBlock << class
}

// classOf returns the class whose blocks are the smallest to hold n octets.
func classOf(n int) int {
	switch {
	case n <= MinBlock:
		return 0
	case n > MaxBlock:
		return large
	case n > frameFloor && n <= FrameBlock:
		return frameClass
	}
	return bits.Len(uint(n-1)) - minShift
}
