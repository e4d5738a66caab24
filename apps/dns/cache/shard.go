package cache

import (
	"sync"

	"github.com/weirnet/weir/apps/dns/msg"
)

const (
	segSize   = 64 << 10
	maxRecord = segSize / 2 // what is larger is not kept, and counted
	offBits   = 13          // segSize / unit
	leastSegs = 3           // of a shard: one to fill in each queue, and one to empty
)

// ref is where a record lies: a slot of shard.segs and an offset in units. Slot zero is not used, so that
// zero is no record.
type ref uint32

func makeRef(slot uint32, off int) ref { return ref(slot<<offBits | uint32(off/unit)) }
func (r ref) slot() uint32             { return uint32(r) >> offBits }
func (r ref) off() int                 { return int(r&(1<<offBits-1)) * unit }

// queue is a FIFO of segments: records go to the end of the last one, and leave with the first.
type queue struct {
	slots []uint32
	used  int // octets in the last segment
}

// shard is a part of the cache under one lock.
type shard struct {
	mu    sync.Mutex
	index index
	ghost []uint32 // tags of what left the small queue, by the low bits of the tag
	segs  [][]byte // by slot; nil where free
	ends  []int    // octets used of a segment that is full
	free  []uint32 // free slots
	spare []byte   // a segment to use again
	small queue
	main  queue
	max   int64  // octets, index and all
	live  int    // entries
	now   uint32 // of the last Put
	stale uint32 // how long after it has expired a record is kept
	stats Stats
}

func (s *shard) record(r ref) record {
	b := s.segs[r.slot()][r.off():]
	return record(b[:record(b).size()])
}

// find returns the live record of a name in lower case, or nil.
func (s *shard) find(tag uint32, name []byte, typ msg.Type, space byte) (record, int) {
	for i := s.index.first(tag); ; i = s.index.next(i) {
		e := s.index.table[i]
		if e.ref == 0 {
			return nil, -1
		}
		if e.tag == tag {
			if r := s.record(e.ref); r.is(name, typ, space) {
				return r, i
			}
		}
	}
}

// drop removes the record that the index has at i.
func (s *shard) drop(r record, i int) {
	r[6] |= flagDead
	s.index.remove(i)
	s.live--
}

// insert puts a record in. One of the same name was dropped before.
func (s *shard) insert(rec record) {
	tag := rec.tag()
	q := &s.small
	if len(s.ghost) > 0 {
		if g := &s.ghost[tag&uint32(len(s.ghost)-1)]; *g == tag {
			*g, q = 0, &s.main
		}
	}
	s.index.add(tag, s.place(q, rec))
	s.live++
	if n := len(s.index.table) / 2; len(s.ghost) < n {
		s.ghost = make([]uint32, n)
	}
	s.evict()
}

// place copies a record to the end of a queue.
func (s *shard) place(q *queue, rec record) ref {
	if len(q.slots) == 0 || q.used+len(rec) > segSize {
		s.open(q)
	}
	slot := q.slots[len(q.slots)-1]
	r := makeRef(slot, q.used)
	copy(s.segs[slot][q.used:], rec)
	q.used += len(rec)
	s.ends[slot] = q.used
	return r
}

// open gives a queue another segment.
func (s *shard) open(q *queue) {
	b := s.spare
	if s.spare = nil; b == nil {
		b = make([]byte, segSize)
	}
	var slot uint32
	if n := len(s.free); n > 0 {
		slot, s.free = s.free[n-1], s.free[:n-1]
		s.segs[slot] = b
	} else {
		if len(s.segs) == 0 {
			s.segs, s.ends = append(s.segs, nil), append(s.ends, 0)
		}
		slot = uint32(len(s.segs))
		s.segs, s.ends = append(s.segs, b), append(s.ends, 0)
	}
	q.slots, q.used = append(q.slots, slot), 0
}

// octets is the memory that the shard takes.
func (s *shard) octets() int64 {
	n := int64(len(s.small.slots)+len(s.main.slots)) * segSize
	return n + int64(len(s.index.table))*8 + int64(len(s.ghost))*4
}

// evict frees segments until the shard is within its bound again.
func (s *shard) evict() {
	for s.octets() > s.max {
		small, main := len(s.small.slots), len(s.main.slots)
		if small+main <= leastSegs {
			return
		}
		// A tenth for what is new, and at least the segment that is being filled.
		if small > 1 && small*10 > small+main || main <= 1 {
			s.emptySmall()
		} else {
			s.emptyMain()
		}
	}
}

// emptySmall frees the oldest segment of the small queue: what was asked for since goes to the main one.
func (s *shard) emptySmall() {
	s.empty(&s.small, func(rec record, i int) {
		if rec.freq() == 0 || s.gone(rec) {
			s.ghost[rec.tag()&uint32(len(s.ghost)-1)] = rec.tag()
			s.stats.Evicted++
			s.drop(rec, i)
			return
		}
		rec[6] &^= freqMask
		s.index.table[i].ref = s.place(&s.main, rec)
	})
}

// emptyMain frees the oldest segment of the main queue: what was asked for since goes to its end again, but no
// more than half of it.
func (s *shard) emptyMain() {
	kept := 0
	s.empty(&s.main, func(rec record, i int) {
		if rec.freq() == 0 || s.gone(rec) || kept+len(rec) > segSize/2 {
			s.stats.Evicted++
			s.drop(rec, i)
			return
		}
		rec[6]--
		kept += len(rec)
		s.index.table[i].ref = s.place(&s.main, rec)
	})
}

// gone reports whether a record is of no use any more.
func (s *shard) gone(rec record) bool { return rec.expires()+s.stale <= s.now }

// empty calls f with each live record of a queue's oldest segment and its place in the index, and frees the segment.
func (s *shard) empty(q *queue, f func(rec record, i int)) {
	slot := q.slots[0]
	q.slots = q.slots[1:]
	seg := s.segs[slot]
	for off := 0; off < s.ends[slot]; {
		rec := record(seg[off:])
		rec = rec[:rec.size()]
		if !rec.dead() {
			f(rec, s.index.find(rec.tag(), makeRef(slot, off)))
		}
		off += len(rec)
	}
	s.segs[slot], s.ends[slot] = nil, 0
	s.free = append(s.free, slot)
	s.spare = seg
}
