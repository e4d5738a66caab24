package reasm

import "github.com/weirnet/weir/stack/wire"

// Blocks fills out with up to n blocks of the SACK option and returns how many.
//
// "The first SACK block ... MUST specify the contiguous block of data containing the
// segment which triggered this ACK", and the option "SHOULD be filled out by
// repeating the most recently reported SACK blocks (based on first SACK blocks in
// previous SACK options)" (RFC 2018 §4): the ranges come in the order in which a
// segment last fell into them, the latest first.
func (q *Queue) Blocks(out *[4]wire.SACKBlock, n int) int {
	var top [len(out)]*held
	n = min(n, len(out), len(q.ranges))
	found := 0
	for i := len(q.ranges) - 1; i >= 0; i-- { // the latest are mostly the last ones
		r := &q.ranges[i]
		if found == n && (n == 0 || int32(r.stamp-top[n-1].stamp) < 0) {
			continue
		}
		at := found
		for at > 0 && int32(r.stamp-top[at-1].stamp) > 0 {
			at--
		}
		found = min(found+1, n)
		copy(top[at+1:found], top[at:found-1])
		top[at] = r
	}
	for i := range found {
		out[i] = wire.SACKBlock{Left: uint32(top[i].Start), Right: uint32(top[i].End)}
	}
	return found
}
