package reasm

import "fmt"

// Check returns an error when the queue contradicts itself, for tests.
func (q *Queue) Check() error {
	octets := 0
	for i, r := range q.ranges {
		if r.Len() <= 0 {
			return fmt.Errorf("reasm: range %d is [%d,%d)", i, r.Start, r.End)
		}
		if i > 0 && q.ranges[i-1].End.GreaterEq(r.Start) {
			return fmt.Errorf("reasm: range %d begins at %d, the one before ends at %d", i, r.Start, q.ranges[i-1].End)
		}
		octets += r.Len()
		for at := pageOf(r.Start); at.Less(r.End); at = at.Add(PageSize) {
			if j := q.findPage(at); j == len(q.pages) || q.pages[j].start != at {
				return fmt.Errorf("reasm: range %d has no page at %d", i, at)
			}
		}
	}
	if octets != q.octets {
		return fmt.Errorf("reasm: Bytes is %d, the ranges hold %d", q.octets, octets)
	}
	for i, p := range q.pages {
		if i > 0 && q.pages[i-1].start.GreaterEq(p.start) {
			return fmt.Errorf("reasm: page %d at %d follows one at %d", i, p.start, q.pages[i-1].start)
		}
		j := q.search(p.start + 1)
		if j == len(q.ranges) || q.ranges[j].Start.GreaterEq(p.start.Add(PageSize)) {
			return fmt.Errorf("reasm: page %d at %d holds nothing", i, p.start)
		}
	}
	return nil
}
