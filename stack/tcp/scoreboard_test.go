package tcp

import (
	"math/rand/v2"
	"testing"

	"github.com/weirnet/weir/stack/seq"
)

const boardBase seq.Value = 0xffffff80 // the numbers wrap

func scoreboardRun(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 3))
	var b scoreboard
	var model [256]bool
	una := 0
	for range 60 {
		if r.IntN(6) == 0 {
			una += r.IntN(20)
			b.ackTo(boardBase.Add(una))
			for i := range min(una, len(model)) {
				model[i] = false
			}
		} else if from := una + 1 + r.IntN(60); from+20 < len(model) {
			to, news := from+1+r.IntN(19), 0
			for i := from; i < to; i++ {
				if !model[i] {
					model[i] = true
					news++
				}
			}
			if got := b.add(seq.Range{Start: boardBase.Add(from), End: boardBase.Add(to)}); got != news {
				t.Fatalf("seed %d: %d octets new, want %d", seed, got, news)
			}
		}
		compareBoard(t, seed, &b, model[:], una, r)
	}
}

func compareBoard(t *testing.T, seed uint64, b *scoreboard, model []bool, una int, r *rand.Rand) {
	t.Helper()
	from := una + r.IntN(40)
	to := min(from+1+r.IntN(60), len(model))
	if from >= to {
		return
	}
	total, within, above := 0, 0, 0
	for i, held := range model {
		if !held {
			continue
		}
		total++
		if i >= from {
			above++
			if i < to {
				within++
			}
		}
	}
	if b.octets != total || b.within(boardBase.Add(from), boardBase.Add(to)) != within || b.above(boardBase.Add(from)) != above {
		t.Fatalf("seed %d: %d octets, %d in [%d,%d), %d above; want %d, %d, %d", seed, b.octets,
			b.within(boardBase.Add(from), boardBase.Add(to)), from, to, b.above(boardBase.Add(from)), total, within, above)
	}
	start := from
	for start < to && model[start] {
		start++
	}
	end := start
	for end < to && !model[end] {
		end++
	}
	if h := b.hole(boardBase.Add(from), boardBase.Add(to)); h.Start != boardBase.Add(start) || h.End != boardBase.Add(end) {
		t.Fatalf("seed %d: hole [%d,%d) in [%d,%d), want [%d,%d)", seed, h.Start.Sub(boardBase), h.End.Sub(boardBase), from, to, start, end)
	}
}

// RFC 6675 §4, IsLost.
func TestLostBelow(t *testing.T) {
	for _, tc := range []struct {
		ranges []seq.Range
		want   seq.Value
	}{
		{nil, 100},
		{[]seq.Range{{Start: 1000, End: 3000}}, 100},                                                                       // two segments: not more than two
		{[]seq.Range{{Start: 1000, End: 3001}}, 1000},                                                                      // more
		{[]seq.Range{{Start: 200, End: 201}, {Start: 300, End: 301}}, 100},                                                 // two ranges
		{[]seq.Range{{Start: 200, End: 201}, {Start: 300, End: 301}, {Start: 400, End: 401}}, 200},                         // three
		{[]seq.Range{{Start: 200, End: 201}, {Start: 300, End: 301}, {Start: 400, End: 401}, {Start: 500, End: 501}}, 300}, // the upper three
		{[]seq.Range{{Start: 200, End: 201}, {Start: 3000, End: 4000}, {Start: 5000, End: 6001}}, 3000},                    // octets before ranges
	} {
		b := scoreboard{ranges: tc.ranges}
		if got := b.lostBelow(100, 1000); got != tc.want {
			t.Errorf("%v: %d, want %d", tc.ranges, got, tc.want)
		}
	}
}

// The scoreboard against a plain map of octets.
func TestScoreboardAgainstAModel(t *testing.T) {
	for seed := range seeds(200) {
		scoreboardRun(t, seed)
	}
}
