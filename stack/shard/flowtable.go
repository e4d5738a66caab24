package shard

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"
)

// The table of flows is made for a million: nine octets for a place, no object of its own for an
// entry, no lock to look one up, and never a pause to grow. It is extendible hashing (Fagin et al.,
// 1979): some bits of the hash choose one of flowParts, which has a lock for its writers, the upper
// ones one of its segments, and the others a bucket in that. A bucket is one line of the cache: seven places, an octet of
// the hash of what is in each, and how many looked for a place here and went on to the next, so
// that a search knows where to end and nothing ever moves to close a gap.
//
// A segment that is full is first doubled, and from segmentMost buckets on divided in two; one
// that has become nearly empty is halved or joined with its other half. Either makes
// new segments beside the old, which readers who are in it go on with: they find what was there
// when they began.

const (
	flowParts   = 64 // enough that receive loops of several queues seldom meet
	partBits    = 6
	segmentMost = 64 // buckets
	places      = 7  // of a bucket
)

// keyed is what a table of flows holds: a record with its key, which does not change any more.
type keyed[E any] interface {
	*E
	flowKey() *flowKey
}

// flows maps keys to records of one kind. The zero value is ready. All of it may be used at the
// same time.
type flows[E any, P keyed[E]] struct {
	count atomic.Int64
	parts [flowParts]flowPart[E]
}

type flowPart[E any] struct {
	sync.Mutex // for who writes
	dir        atomic.Pointer[flowDir[E]]
	_          [64 - 16]byte // a cache line of its own
}

// flowDir says which segment each value of the hash's upper 64-shift bits leads to. It does not change.
type flowDir[E any] struct {
	shift    uint
	segments []*segment[E]
}

// segment is some buckets, a power of two, with what has the same upper depth bits of the hash.
type segment[E any] struct {
	depth   uint
	n       int // entries
	buckets []bucket[E]
}

type bucket[E any] struct {
	marks atomic.Uint64 // an octet for each place, 0 where it is free; the highest is passed
	flows [places]atomic.Pointer[E]
}

const (
	ones     = 0x0001010101010101
	highs    = ones << 7
	passedAt = 8 * places
	sticky   = 255 // of passed: it counts no further, neither way
)

// mark is the octet of the hash that a bucket has.
func mark(hash uint64) uint64 { return uint64(max(uint8(hash>>16), 1)) }

// home is the bucket in which a search begins.
func (s *segment[E]) home(hash uint64) uint64 { return hash >> partBits & uint64(len(s.buckets)-1) }

// candidates returns the places whose octet is m, as the highest bit of each; there may be more
// among them.
func candidates(marks, m uint64) uint64 {
	x := marks&(1<<passedAt-1) ^ m*ones
	return (x - ones) &^ x & highs
}

func (d *flowDir[E]) segment(hash uint64) *segment[E] { return d.segments[hash>>d.shift] }

// get returns the flow, or nil.
func (f *flows[E, P]) get(k *flowKey) *E {
	hash := k.hash()
	d := f.parts[hash&(flowParts-1)].dir.Load()
	if d == nil {
		return nil
	}
	e, _, _ := f.find(d.segment(hash), k, hash)
	return e
}

// find returns a flow and its place, or nil.
func (f *flows[E, P]) find(s *segment[E], k *flowKey, hash uint64) (*E, *bucket[E], int) {
	at, m := s.home(hash), mark(hash)
	for range s.buckets {
		b := &s.buckets[at]
		marks := b.marks.Load()
		for c := candidates(marks, m); c != 0; c &= c - 1 {
			i := bits.TrailingZeros64(c) / 8
			if e := b.flows[i].Load(); e != nil && *P(e).flowKey() == *k {
				return e, b, i
			}
		}
		if marks>>passedAt == 0 {
			break
		}
		at = (at + 1) & uint64(len(s.buckets)-1)
	}
	return nil, nil, 0
}

// add enters the flow and reports false where the key is taken.
func (f *flows[E, P]) add(k *flowKey, v *E) bool {
	hash := k.hash()
	p := &f.parts[hash&(flowParts-1)]
	p.Lock()
	defer p.Unlock()
	d := p.dir.Load()
	if d == nil {
		d = &flowDir[E]{shift: 64, segments: []*segment[E]{newSegment[E](0, 1)}}
		p.dir.Store(d)
	}
	if e, _, _ := f.find(d.segment(hash), k, hash); e != nil {
		return false
	}
	for !d.segment(hash).put(v, hash) {
		d = f.grow(p, d, hash)
	}
	f.count.Add(1)
	return true
}

// remove takes the flow out, if it is still v that stands there.
func (f *flows[E, P]) remove(k *flowKey, v *E) bool {
	hash := k.hash()
	p := &f.parts[hash&(flowParts-1)]
	p.Lock()
	defer p.Unlock()
	d := p.dir.Load()
	if d == nil {
		return false
	}
	s := d.segment(hash)
	e, b, i := f.find(s, k, hash)
	if e == nil || e != v {
		return false
	}
	b.marks.Store(b.marks.Load() &^ (0xff << (8 * i)))
	b.flows[i].Store(nil)
	for at := s.home(hash); &s.buckets[at] != b; at = (at + 1) & uint64(len(s.buckets)-1) {
		s.buckets[at].pass(-1)
	}
	s.n--
	f.count.Add(-1)
	f.shrink(p, d, hash)
	return true
}

// len counts the flows.
func (f *flows[E, P]) len() int { return int(f.count.Load()) }

// list returns all flows as they are at the moment.
func (f *flows[E, P]) list() (all []*E) {
	for i := range f.parts {
		p := &f.parts[i]
		p.Lock()
		if d := p.dir.Load(); d != nil {
			for j, s := range d.segments {
				if j == 0 || s != d.segments[j-1] {
					all = s.list(all)
				}
			}
		}
		p.Unlock()
	}
	return all
}

func newSegment[E any](depth uint, n int) *segment[E] {
	return &segment[E]{depth: depth, buckets: make([]bucket[E], n)}
}

func (s *segment[E]) list(all []*E) []*E {
	for i := range s.buckets {
		for j := range places {
			if e := s.buckets[i].flows[j].Load(); e != nil {
				all = append(all, e)
			}
		}
	}
	return all
}

// farthest is how many buckets a search may go through before the segment counts as full.
const farthest = 4

// put enters a flow that is not there, and reports false where there is no room.
func (s *segment[E]) put(v *E, hash uint64) bool {
	home := s.home(hash)
	for n := range min(farthest, len(s.buckets)) {
		b := &s.buckets[(home+uint64(n))&uint64(len(s.buckets)-1)]
		marks := b.marks.Load()
		free := candidates(marks, 0)
		if free == 0 {
			continue
		}
		for at := range n {
			s.buckets[(home+uint64(at))&uint64(len(s.buckets)-1)].pass(1)
		}
		i := bits.TrailingZeros64(free) / 8
		b.flows[i].Store(v)
		b.marks.Store(marks | mark(hash)<<(8*i))
		s.n++
		return true
	}
	return false
}

// pass counts one more, or one less, who went on to the next bucket.
func (b *bucket[E]) pass(n int) {
	if marks := b.marks.Load(); marks>>passedAt != sticky {
		b.marks.Store(marks + uint64(n)<<passedAt)
	}
}

// grow makes room in the segment that hash leads to, and returns the directory then.
func (f *flows[E, P]) grow(p *flowPart[E], d *flowDir[E], hash uint64) *flowDir[E] {
	s := d.segment(hash)
	all := s.list(make([]*E, 0, s.n))
	if len(s.buckets) < segmentMost {
		return p.replace(d, s, f.filled(s.depth, 2*len(s.buckets), all))
	}
	if s.depth == 64-d.shift {
		d = d.doubled()
	}
	// By one bit more of the hash. Either half is as large, so that there is room.
	low, n := all[:0], len(s.buckets)
	var high []*E
	for _, e := range all {
		if P(e).flowKey().hash()>>(63-s.depth)&1 == 0 {
			low = append(low, e)
		} else {
			high = append(high, e)
		}
	}
	return p.replace(d, s, f.filled(s.depth+1, n, low), f.filled(s.depth+1, n, high))
}

// shrink takes room from the segment that hash leads to, where it has far too much.
func (f *flows[E, P]) shrink(p *flowPart[E], d *flowDir[E], hash uint64) {
	s := d.segment(hash)
	room := places * len(s.buckets)
	if s.n > room/8 {
		return
	}
	switch {
	case s.depth == 0 && len(s.buckets) > 1:
		p.replace(d, s, f.filled(0, len(s.buckets)/2, s.list(nil)))
	case s.depth > 0:
		other := d.segment(hash ^ 1<<(64-s.depth))
		if other.depth == s.depth && other.n <= room/8 {
			p.join(d, f.filled(s.depth-1, len(s.buckets), other.list(s.list(nil))), s, other)
		}
	}
}

// filled returns a segment with all of these, of n buckets, or more should that be too few.
func (f *flows[E, P]) filled(depth uint, n int, all []*E) *segment[E] {
	for ; ; n *= 2 {
		s, room := newSegment[E](depth, n), true
		for _, e := range all {
			room = room && s.put(e, P(e).flowKey().hash())
		}
		if room {
			return s
		}
	}
}

// doubled returns a directory that looks at one bit more.
func (d *flowDir[E]) doubled() *flowDir[E] {
	n := &flowDir[E]{shift: d.shift - 1, segments: make([]*segment[E], 0, 2*len(d.segments))}
	for _, s := range d.segments {
		n.segments = append(n.segments, s, s)
	}
	return n
}

// replace publishes a directory with others in the place of s: one, or two halves.
func (p *flowPart[E]) replace(d *flowDir[E], s *segment[E], others ...*segment[E]) *flowDir[E] {
	n := &flowDir[E]{shift: d.shift, segments: append([]*segment[E](nil), d.segments...)}
	first, count := 0, 0
	for i, old := range d.segments {
		if old == s {
			if count == 0 {
				first = i
			}
			count++
		}
	}
	for i := range count {
		n.segments[first+i] = others[i*len(others)/count]
	}
	p.dir.Store(n)
	return n
}

// join publishes a directory with t in the place of two, and half as large where nobody needs all of
// its bits.
func (p *flowPart[E]) join(d *flowDir[E], t, a, b *segment[E]) {
	n := &flowDir[E]{shift: d.shift, segments: append([]*segment[E](nil), d.segments...)}
	deepest := uint(0)
	for i, s := range n.segments {
		if s == a || s == b {
			n.segments[i] = t
		}
		deepest = max(deepest, n.segments[i].depth)
	}
	for 64-n.shift > deepest {
		half := n.segments[:0:0]
		for i := 0; i < len(n.segments); i += 2 {
			half = append(half, n.segments[i])
		}
		n.shift, n.segments = n.shift+1, half
	}
	p.dir.Store(n)
}

// A bucket is a line of the cache.
var _ = [1]struct{}{}[unsafe.Sizeof(bucket[TCP]{})-64]
