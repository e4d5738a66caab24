package reasm

import (
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp/stream"
)

// PageSize is the size of a page in octets, one block of the pool.
const PageSize = 4096

// page is the octets of one part of the sequence space, of which some are held.
type page struct {
	start seq.Value // a multiple of PageSize
	block *mem.Block
}

// pageOf returns the sequence number that the page of at begins with.
func pageOf(at seq.Value) seq.Value { return at &^ (PageSize - 1) }

// findPage returns where the page that begins at start is in the list, or would be.
func (q *Queue) findPage(start seq.Value) int {
	// Data beyond a gap mostly arrives in order itself.
	if n := len(q.pages); n == 0 || q.pages[n-1].start.Less(start) {
		return n
	}
	lo, hi := 0, len(q.pages)
	for lo < hi {
		mid := (lo + hi) / 2
		if q.pages[mid].start.Less(start) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// write copies p to the pages from at on and returns how many octets had room.
func (q *Queue) write(at seq.Value, p []byte) int {
	done := 0
	for i := q.findPage(pageOf(at)); done < len(p); i++ {
		cur := at.Add(done)
		if !q.ensurePage(i, pageOf(cur)) {
			break
		}
		done += copy(q.pages[i].block.B[cur-pageOf(cur):PageSize], p[done:])
	}
	return done
}

// ensurePage makes the page that begins at start the one at index i, where it
// belongs, and returns false when that would exceed the limit.
func (q *Queue) ensurePage(i int, start seq.Value) bool {
	if i < len(q.pages) && q.pages[i].start == start {
		return true
	}
	if q.Memory()+PageSize > q.limit {
		return false
	}
	q.pages = append(q.pages, page{})
	copy(q.pages[i+1:], q.pages[i:])
	q.pages[i] = page{start, q.pool.Get(PageSize)}
	return true
}

// read appends the octets from at to end, which are held, and returns how many.
func (q *Queue) read(at, end seq.Value, into *stream.RecvQueue) int {
	n := end.Sub(at)
	for i := q.findPage(pageOf(at)); at != end; i++ {
		stop := seq.Min(end, q.pages[i].start.Add(PageSize))
		into.Append(q.pages[i].block.B[at-q.pages[i].start : stop-q.pages[i].start])
		at = stop
	}
	return n
}

// trim gives back the pages before the first range and after the last, and with
// the last of them the lists, where these are large.
func (q *Queue) trim() {
	if len(q.ranges) == 0 {
		q.release(0, len(q.pages))
		if cap(q.pages) > keepPages {
			q.pages = nil
		}
		if cap(q.ranges) > keepRanges {
			q.ranges = nil
		}
		return
	}
	last := pageOf(q.ranges[len(q.ranges)-1].End - 1)
	q.release(q.findPage(last)+1, len(q.pages))
	q.release(0, q.findPage(pageOf(q.ranges[0].Start)))
}

// release gives back pages[i:j] and closes the gap.
func (q *Queue) release(i, j int) {
	if i >= j {
		return
	}
	for k := i; k < j; k++ {
		q.pages[k].block.Release()
	}
	n := i + copy(q.pages[i:], q.pages[j:])
	clear(q.pages[n:])
	q.pages = q.pages[:n]
}
