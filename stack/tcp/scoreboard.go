package tcp

import (
	"slices"

	"github.com/weirnet/weir/stack/seq"
)

// maxSACKed bounds the ranges of a scoreboard. A range that does not fit is forgotten:
// what it covers may be sent again for nothing, and that is all.
const maxSACKed = 256

// scoreboard is what the peer has reported by SACK beyond SND.UNA (RFC 6675 §3): ranges in
// order, that neither overlap nor touch.
type scoreboard struct {
	ranges []seq.Range
	octets int // in all of them
}

// add enters a range and returns how many octets of it are news.
func (b *scoreboard) add(r seq.Range) int {
	// i is the first range that ends at or after r's start, j the first that begins
	// after its end: those between are merged with it.
	i, _ := slices.BinarySearchFunc(b.ranges, r.Start, func(e seq.Range, v seq.Value) int {
		return e.End.Sub(v)
	})
	j, merged, had := i, r, 0
	for j < len(b.ranges) && b.ranges[j].Start.LessEq(r.End) {
		merged.Start = seq.Min(merged.Start, b.ranges[j].Start)
		merged.End = seq.Max(merged.End, b.ranges[j].End)
		had += b.ranges[j].Len()
		j++
	}
	if i == j && len(b.ranges) >= maxSACKed {
		return 0
	}
	if i == j {
		b.ranges = slices.Insert(b.ranges, i, merged)
	} else {
		b.ranges[i] = merged
		b.ranges = slices.Delete(b.ranges, i+1, j)
	}
	b.octets += merged.Len() - had
	return merged.Len() - had
}

// ackTo forgets what comes before una.
func (b *scoreboard) ackTo(una seq.Value) {
	n := 0
	for n < len(b.ranges) && b.ranges[n].End.LessEq(una) {
		b.octets -= b.ranges[n].Len()
		n++
	}
	b.ranges = slices.Delete(b.ranges, 0, n)
	if len(b.ranges) > 0 && b.ranges[0].Start.Less(una) {
		b.octets -= una.Sub(b.ranges[0].Start)
		b.ranges[0].Start = una
	}
}

// within returns how many octets of [from, to) are in the scoreboard.
func (b *scoreboard) within(from, to seq.Value) int {
	n := 0
	for _, r := range b.ranges {
		if r.Start.GreaterEq(to) {
			break
		}
		n += max(0, seq.Min(r.End, to).Sub(seq.Max(r.Start, from)))
	}
	return n
}

// hole returns the first part of [from, to) that is not in the scoreboard; it is
// empty where there is none.
func (b *scoreboard) hole(from, to seq.Value) seq.Range {
	for _, r := range b.ranges {
		if r.Start.Greater(from) {
			return seq.Range{Start: from, End: seq.Min(r.Start, to)}
		}
		from = seq.Max(from, r.End)
		if from.GreaterEq(to) {
			return seq.Range{Start: to, End: to}
		}
	}
	return seq.Range{Start: from, End: to}
}

// lostBelow is the function IsLost of RFC 6675 §4 for all sequence numbers at once: it
// returns the number below which everything that is not in the scoreboard is to be
// considered lost, since "either DupThresh discontiguous SACKed sequences have
// arrived above [it] or more than (DupThresh - 1) * SMSS bytes with sequence
// numbers greater than [it] have been SACKed". It returns una where nothing is.
func (b *scoreboard) lostBelow(una seq.Value, smss int) seq.Value {
	octets, count := 0, 0
	for i := len(b.ranges) - 1; i >= 0; i-- {
		octets += b.ranges[i].Len()
		count++
		if count >= dupThresh || octets > (dupThresh-1)*smss {
			return b.ranges[i].Start
		}
	}
	return una
}

// above returns how many octets beyond v are in the scoreboard.
func (b *scoreboard) above(v seq.Value) int {
	n := 0
	for i := len(b.ranges) - 1; i >= 0 && b.ranges[i].End.Greater(v); i-- {
		n += b.ranges[i].End.Sub(seq.Max(b.ranges[i].Start, v))
	}
	return n
}
