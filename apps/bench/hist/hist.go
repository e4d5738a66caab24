// Package hist is a histogram of durations for latencies: a fixed amount of memory, one
// addition per value, and quantiles that are at most one part in 128 too high.
//
// A bucket is as wide as 1/128 of the power of two that it lies in, so that a microsecond
// and a minute are kept with the same relative precision. Values above about 18 minutes
// count in the last bucket; the greatest is kept exactly all the same.
package hist

import (
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	subBits = 7  // 128 buckets in each power of two
	topBits = 40 // 2^40 ns is about 18 minutes
	sub     = 1 << subBits
	buckets = (topBits - subBits + 1) * sub
)

// Histogram counts durations. Its methods may be called at once from several goroutines. The
// zero value is empty and ready.
type Histogram struct {
	counts [buckets]atomic.Uint64
	sum    atomic.Uint64 // ns
	most   atomic.Int64  // ns
	least  atomic.Int64  // ns, plus one: 0 is none yet
}

// Record counts one duration. A negative one counts as none.
func (h *Histogram) Record(d time.Duration) {
	n := max(int64(d), 0)
	h.counts[index(n)].Add(1)
	h.sum.Add(uint64(n))
	for old := h.most.Load(); n > old && !h.most.CompareAndSwap(old, n); old = h.most.Load() {
	}
	for old := h.least.Load(); (old == 0 || n+1 < old) && !h.least.CompareAndSwap(old, n+1); old = h.least.Load() {
	}
}

// index returns the bucket of n: its value below 128, and above the seven bits after the
// leading one, in the row of the leading bit's place.
func index(n int64) int {
	top := bits.Len64(uint64(n))
	if top <= subBits {
		return int(n)
	}
	shift := top - subBits - 1
	return min((shift+1)<<subBits+int(n>>shift)&(sub-1), buckets-1)
}

// upper returns the greatest value of a bucket.
func upper(i int) int64 {
	if i < sub {
		return int64(i)
	}
	shift := i>>subBits - 1
	return (int64(sub+i&(sub-1))+1)<<shift - 1
}

// Merge adds what other has counted.
func (h *Histogram) Merge(other *Histogram) {
	for i := range other.counts {
		if n := other.counts[i].Load(); n > 0 {
			h.counts[i].Add(n)
		}
	}
	h.sum.Add(other.sum.Load())
	if l := other.least.Load(); l > 0 {
		h.most.Store(max(h.most.Load(), other.most.Load()))
		if mine := h.least.Load(); mine == 0 || l < mine {
			h.least.Store(l)
		}
	}
}

// Summary is what people want to know of a histogram. In JSON the durations are nanoseconds.
type Summary struct {
	Count uint64        `json:"count"`
	Min   time.Duration `json:"min_ns"`
	Mean  time.Duration `json:"mean_ns"`
	P50   time.Duration `json:"p50_ns"`
	P90   time.Duration `json:"p90_ns"`
	P99   time.Duration `json:"p99_ns"`
	P999  time.Duration `json:"p999_ns"`
	Max   time.Duration `json:"max_ns"`
}

// Summary returns the counts so far in brief. While values are being recorded it is
// about some moment of the call.
func (h *Histogram) Summary() Summary {
	var counts [buckets]uint64
	var total uint64
	for i := range counts {
		counts[i] = h.counts[i].Load()
		total += counts[i]
	}
	if total == 0 {
		return Summary{}
	}
	s := Summary{
		Count: total, Max: time.Duration(h.most.Load()),
		Min: time.Duration(max(h.least.Load()-1, 0)), Mean: time.Duration(h.sum.Load() / total),
	}
	quantiles := []struct {
		rank float64
		to   *time.Duration
	}{{.5, &s.P50}, {.9, &s.P90}, {.99, &s.P99}, {.999, &s.P999}}
	var below uint64
	for i, n := range counts {
		below += n
		for len(quantiles) > 0 && float64(below) >= quantiles[0].rank*float64(total) {
			*quantiles[0].to = min(time.Duration(upper(i)), s.Max)
			quantiles = quantiles[1:]
		}
	}
	return s
}
