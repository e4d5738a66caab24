package bench

import (
	"sync"
	"time"
)

// FlowCounts is what became of datagrams: those of the measured time, and the flows together.
type FlowCounts struct {
	Sent       uint64 `json:"sent,omitempty"`
	Received   uint64 `json:"received,omitempty"` // each once
	Octets     uint64 `json:"octets,omitempty"`   // of those received, without duplicates
	Reordered  uint64 `json:"reordered,omitempty"`
	Duplicates uint64 `json:"duplicates,omitempty"`
	// Jitter is RFC 3550 §6.4.1's estimate at the end, the mean over the flows.
	Jitter time.Duration `json:"jitter_ns,omitempty"`
	// Unsent is what the sender's pacing gave up, because the network did not take it in time.
	Unsent uint64 `json:"unsent,omitempty"`
}

// memory is how many sequence numbers back a duplicate is known from a late datagram.
const memory = 4096

// flow is the receiving side of one flow.
type flow struct {
	mu      sync.Mutex
	counts  FlowCounts
	any     bool
	next    uint64 // after the greatest sequence number so far
	seen    [memory / 64]uint64
	transit time.Duration
	jitter  float64 // ns
}

// receive counts a measured datagram of n octets that came at the time at, by a clock of the receiver's.
func (f *flow) receive(d *datagram, n int, at time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.fresh(d.seq) {
		f.counts.Duplicates++
		return
	}
	f.counts.Received++
	f.counts.Octets += uint64(n)
	// RFC 3550 §6.4.1: J(i) = J(i-1) + (|D(i-1,i)| - J(i-1))/16
	transit := at - d.sent
	if f.any {
		f.jitter += (float64((transit - f.transit).Abs()) - f.jitter) / 16
	}
	f.any, f.transit = true, transit
}

// fresh reports whether seq was not seen before. One so late that it is not known counts as late, not
// as seen.
func (f *flow) fresh(seq uint64) bool {
	word, bit := &f.seen[seq/64%uint64(len(f.seen))], uint64(1)<<(seq%64)
	if seq >= f.next {
		for n := min(seq-f.next, memory-1); n > 0; n-- { // those between were not seen
			skipped := seq - n
			f.seen[skipped/64%uint64(len(f.seen))] &^= 1 << (skipped % 64)
		}
		f.next = seq + 1
		*word |= bit
		return true
	}
	if f.next-seq <= memory {
		if *word&bit != 0 {
			return false
		}
		*word |= bit
	}
	f.counts.Reordered++
	return true
}

func (f *flow) read() FlowCounts {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.counts
	c.Jitter = time.Duration(f.jitter)
	return c
}

// sum adds the flows up.
func sum(flows []flow) (all FlowCounts) {
	var jitter time.Duration
	var n int
	for i := range flows {
		c := flows[i].read()
		all.Received += c.Received
		all.Octets += c.Octets
		all.Reordered += c.Reordered
		all.Duplicates += c.Duplicates
		if c.Received > 0 {
			jitter += c.Jitter
			n++
		}
	}
	if n > 0 {
		all.Jitter = jitter / time.Duration(n)
	}
	return all
}
