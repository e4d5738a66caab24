package main

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"time"
)

// resident returns the octets of this process that are in memory, after what is free was given back.
func resident() (uint64, error) {
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var size, pages uint64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		return 0, fmt.Errorf("read /proc/self/statm: %w", err)
	}
	return pages * uint64(os.Getpagesize()), nil
}

// cpuTime returns the processor time of this process, its own and the kernel's for it.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// pauses are the collector's pauses so far.
type pauses struct{ h *metrics.Float64Histogram }

func readPauses() pauses {
	s := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindFloat64Histogram {
		return pauses{}
	}
	h := s[0].Value.Float64Histogram()
	return pauses{&metrics.Float64Histogram{Counts: append([]uint64(nil), h.Counts...), Buckets: h.Buckets}}
}

// since returns how many there were since before, and the upper end of the longest's bucket in seconds.
func (p pauses) since(before pauses) (n uint64, longest float64) {
	if p.h == nil || before.h == nil {
		return 0, math.NaN()
	}
	for i, c := range p.h.Counts {
		if c -= before.h.Counts[i]; c > 0 {
			n += c
			longest = p.h.Buckets[i+1]
			if math.IsInf(longest, 1) {
				longest = p.h.Buckets[i]
			}
		}
	}
	return n, longest
}
