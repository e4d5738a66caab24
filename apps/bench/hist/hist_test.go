package hist

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestQuantilesAreAtMostOnePartIn128TooHigh(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		var h Histogram
		values := make([]time.Duration, 1+random.IntN(5000))
		top := int64(1) << (1 + random.IntN(39))
		for i := range values {
			values[i] = time.Duration(random.Int64N(top))
			h.Record(values[i])
		}
		slices.Sort(values)
		s := h.Summary()
		if s.Count != uint64(len(values)) || s.Min != values[0] || s.Max != values[len(values)-1] {
			t.Fatalf("%+v of %d values from %d to %d", s, len(values), values[0], values[len(values)-1])
		}
		for _, q := range []struct {
			per  int
			got  time.Duration
			name string
		}{{500, s.P50, "p50"}, {900, s.P90, "p90"}, {990, s.P99, "p99"}, {999, s.P999, "p99.9"}} {
			want := values[(len(values)*q.per+999)/1000-1]
			if q.got < want || q.got > want+want/sub {
				t.Errorf("%s of %d values below %d: %d, want %d or at most 1/%d more", q.name, len(values), top, q.got, want, sub)
			}
		}
	}
}

func TestEveryBucketHoldsUpToItsUpperEnd(t *testing.T) {
	for i := range buckets {
		if got := index(upper(i)); got != i {
			t.Fatalf("the greatest value of bucket %d, %d, is in bucket %d", i, upper(i), got)
		}
		if i+1 < buckets && index(upper(i)+1) != i+1 {
			t.Fatalf("%d is in bucket %d, want %d", upper(i)+1, index(upper(i)+1), i+1)
		}
	}
}

func TestExtremesAreKept(t *testing.T) {
	var h Histogram
	if s := h.Summary(); s != (Summary{}) {
		t.Errorf("an empty histogram: %+v", s)
	}
	h.Record(-5)
	h.Record(48 * time.Hour)
	if s := h.Summary(); s.Min != 0 || s.Max != 48*time.Hour || s.Count != 2 || s.P999 > s.Max {
		t.Errorf("%+v", s)
	}
}

func TestMergeCountsBoth(t *testing.T) {
	var a, b Histogram
	a.Record(10)
	b.Record(3)
	b.Record(1000)
	a.Merge(&b)
	a.Merge(new(Histogram))
	if s := a.Summary(); s.Count != 3 || s.Min != 3 || s.Max != 1000 || s.P50 != 10 {
		t.Errorf("%+v", s)
	}
}

func TestRecordDoesNotAllocate(t *testing.T) {
	h := new(Histogram)
	if n := testing.AllocsPerRun(100, func() { h.Record(time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
