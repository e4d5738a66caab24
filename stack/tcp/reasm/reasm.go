package reasm

import (
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp/stream"
)

const (
	// MaxRanges is how many ranges a queue holds at most.
	MaxRanges = 1024

	// maxSpan is how far apart two sequence numbers in the queue may be: the
	// largest window (RFC 7323 §2.3). Within it, before and after are well defined.
	maxSpan = 1 << 30

	// keepRanges and keepPages are how many entries an empty queue's lists may
	// keep room for.
	keepRanges, keepPages = 16, 16
)

// held is a range of octets that are here.
type held struct {
	seq.Range
	stamp uint32 // when a segment last fell into it: larger is later
}

// Queue holds the octets of one connection that are out of order. Init makes it
// ready. It must not be copied once in use.
type Queue struct {
	pool   *mem.Pool
	ranges []held
	pages  []page
	limit  int
	octets int

	refused uint64
	stamp   uint32
}

// Init makes the queue empty, to take its pages from pool, with no limit of
// memory. A queue that has held octets must be released first.
func (q *Queue) Init(pool *mem.Pool) { *q = Queue{pool: pool, limit: maxSpan} }

// SetLimit bounds Memory to n octets. What is held already stays.
func (q *Queue) SetLimit(n int) { q.limit = n }

// Insert stores the octets p, the first of which has sequence number at, but for
// those that are held already. It returns how many it stored, and the first
// contiguous range of p that was held before, which is empty when there was none:
// RFC 2883 §4 reports that one.
//
// stored is less than what was new where a bound was reached: the octets from there
// on are not held, and Refused counts them. The caller has checked that the segment is
// in the receive window and not yet acknowledged.
func (q *Queue) Insert(at seq.Value, p []byte) (stored int, dup seq.Range) {
	if !q.admits(at, len(p)) {
		q.refused += uint64(len(p))
		return 0, seq.Range{}
	}
	end := at.Add(len(p))
	lo := q.search(at)
	i, cur := lo, at
	for cur != end {
		if i < len(q.ranges) && q.ranges[i].Start.LessEq(cur) {
			was := seq.Range{Start: cur, End: seq.Min(end, q.ranges[i].End)}
			if was.Len() > 0 && dup.Len() == 0 {
				dup = was
			}
			cur = was.End
			i++
			continue
		}
		stop := end
		if i < len(q.ranges) {
			stop = seq.Min(end, q.ranges[i].Start)
		}
		n := q.write(cur, p[cur.Sub(at):stop.Sub(at)])
		stored, cur = stored+n, cur.Add(n)
		if cur != stop {
			break
		}
	}
	q.octets += stored
	q.refused += uint64(end.Sub(cur))
	if cur != at {
		q.merge(lo, i, seq.Range{Start: at, End: cur})
	}
	return stored, dup
}

// admits reports whether n octets from at on may be looked at: that they leave the
// order of the queue defined, and that there is room for a range more where they
// begin one.
func (q *Queue) admits(at seq.Value, n int) bool {
	if n <= 0 || n > maxSpan {
		return false
	}
	if len(q.ranges) == 0 {
		return true
	}
	if d := at.Sub(q.ranges[0].Start); d >= maxSpan || d <= -maxSpan {
		return false
	}
	first := seq.Min(at, q.ranges[0].Start)
	last := seq.Max(at.Add(n), q.ranges[len(q.ranges)-1].End)
	if uint32(last-first) > maxSpan {
		return false
	}
	if len(q.ranges) < MaxRanges {
		return true
	}
	lo := q.search(at)
	return lo < len(q.ranges) && q.ranges[lo].Start.LessEq(at)
}

// search returns the first range that ends at or after at: the one that at is in,
// touches, or comes before.
func (q *Queue) search(at seq.Value) int {
	lo, hi := 0, len(q.ranges)
	for lo < hi {
		mid := (lo + hi) / 2
		if q.ranges[mid].End.Less(at) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// merge makes one range of got and of ranges[lo:hi], which overlap or touch it, and of
// the one after these if got ends where that begins.
func (q *Queue) merge(lo, hi int, got seq.Range) {
	if hi < len(q.ranges) && q.ranges[hi].Start == got.End {
		hi++
	}
	q.stamp++
	if lo == hi {
		q.ranges = append(q.ranges, held{})
		copy(q.ranges[lo+1:], q.ranges[lo:])
		q.ranges[lo] = held{got, q.stamp}
		return
	}
	got.Start = seq.Min(got.Start, q.ranges[lo].Start)
	got.End = seq.Max(got.End, q.ranges[hi-1].End)
	q.ranges[lo] = held{got, q.stamp}
	q.ranges = append(q.ranges[:lo+1], q.ranges[hi:]...)
}

// Pull moves the octets from next on, as far as they are contiguous, to the end of
// into, and forgets all that come before next. It returns how many it moved.
func (q *Queue) Pull(next seq.Value, into *stream.RecvQueue) int {
	moved, gone := 0, 0
	for gone < len(q.ranges) && q.ranges[gone].Start.LessEq(next) {
		r := &q.ranges[gone]
		if r.End.Greater(next) {
			n := q.read(next, r.End, into)
			moved, next = moved+n, r.End
		}
		q.octets -= r.Len()
		gone++
	}
	if gone > 0 {
		q.ranges = append(q.ranges[:0], q.ranges[gone:]...)
		q.trim()
	}
	return moved
}

// Prune gives up octets from the far end, whole ranges at a time, until Memory is
// no more than keep, and returns how many it gave up. The peer may have been told
// that they are here: "the data receiver is permitted to discard data in its queue
// that has not been acknowledged to the data sender, even if the data has already
// been reported in a SACK option. Such discarding of SACKed packets is
// discouraged, but may be used if the receiver runs out of buffer space"
// (RFC 2018 §8).
func (q *Queue) Prune(keep int) int {
	gone := 0
	for len(q.ranges) > 0 && q.Memory() > keep {
		last := len(q.ranges) - 1
		gone += q.ranges[last].Len()
		q.ranges = q.ranges[:last]
		q.trim()
	}
	q.octets -= gone
	return gone
}

// Bytes returns how many octets of payload are held.
func (q *Queue) Bytes() int { return q.octets }

// Memory returns how many octets the pages held have.
func (q *Queue) Memory() int { return len(q.pages) * PageSize }

// Refused returns how many octets were refused so far because a bound was reached,
// where any of them had been held already included.
func (q *Queue) Refused() uint64 { return q.refused }

// Empty reports whether nothing is held.
func (q *Queue) Empty() bool { return len(q.ranges) == 0 }

// Ranges returns how many ranges are held.
func (q *Queue) Ranges() int { return len(q.ranges) }

// Range returns range i, from 0, in the order of their sequence numbers.
func (q *Queue) Range(i int) seq.Range { return q.ranges[i].Range }

// Release gives back every page; the queue is empty and may be used again.
func (q *Queue) Release() {
	q.ranges = q.ranges[:0]
	q.octets = 0
	q.trim()
}
