package cc

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// segmentReno is NewReno that counts segments: RFC 5681 as Linux carries it out. Init begins it.
type segmentReno struct {
	base
	prr bool
}

var _ Control = (*segmentReno)(nil)

// Init implements Control.
func (r *segmentReno) Init(mss, iw int) { r.base.init(mss, iw, true) }

// OnAck implements Control: by what was acknowledged in slow start, by a segment for a
// window of them afterwards (RFC 5681 §3.1).
func (r *segmentReno) OnAck(_ clock.Time, acked, _ int, _ time.Duration, appLimited bool) {
	r.timedOut = false
	if appLimited || acked <= 0 || r.recovery {
		return
	}
	n := r.count(acked)
	if r.InSlowStart() {
		n = r.slowStart(n, 0)
	}
	if n > 0 {
		r.climb(r.cwnd, n)
	}
}

// EnterRecovery implements Control: half of the window.
func (r *segmentReno) EnterRecovery(_ clock.Time, inFlight, _ int) {
	r.reduce(r.flight(inFlight) / 2)
	if !r.prr {
		r.cwnd = r.ssthresh
	}
	r.recovery = true
}

// OnTimeout implements Control.
func (r *segmentReno) OnTimeout(_ clock.Time, inFlight int) {
	if !r.timedOut {
		r.reduce(r.flight(inFlight) / 2)
	}
	r.cwnd, r.octets = 1, 0
	r.recovery, r.timedOut = false, true
}

// Name implements Control.
func (r *segmentReno) Name() string { return Reno.String() }
