package cc

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// abcLimit is L of RFC 3465 §2.3, in segments: the most by which one acknowledgement
// widens the window in slow start. Two balance the receiver's delayed ACK.
const abcLimit = 2

// NewReno is RFC 5681 with RFC 6582's recovery and RFC 3465's counting of octets.
// The zero value waits for Init.
type NewReno struct {
	cwnd     int // without inflation
	ssthresh int
	// inflation is what duplicate acknowledgements widen the window by during
	// recovery, bound is the most that it may be: each is for a segment that
	// has left the network, and no more than was there can leave.
	inflation, bound int
	acked            int // octets acknowledged towards the next SMSS, in congestion avoidance
	mss, burst, iw   int
	recovery         bool
	priorCwnd        int // before the last reduction, for Undo; 0 is none
	priorSSThresh    int
	prr              bool // the sender brings the window down: see Options
	atThreshold      bool // slow start goes on: see Options
	timedOut         bool // a timeout, and nothing new acknowledged since
	afterTimeout     bool // the slow start that follows a timeout
}

var _ Control = (*NewReno)(nil)

// Init implements Control.
func (r *NewReno) Init(mss, iw int) {
	mss = max(mss, 1)
	*r = NewReno{mss: mss, burst: mss, iw: iw, ssthresh: MaxWindow, prr: r.prr, atThreshold: r.atThreshold}
	r.cwnd = min(InitialWindow(mss, iw), MaxWindow)
}

// SetMSS implements Control. The window keeps its octets: what the path holds is
// no less because it comes in smaller pieces.
func (r *NewReno) SetMSS(mss int) {
	r.mss = max(mss, 1)
	r.burst = max(r.burst, r.mss)
	r.cwnd = max(r.cwnd, r.mss)
	r.ssthresh = max(r.ssthresh, 2*r.mss)
}

// SetBurst implements Control.
func (r *NewReno) SetBurst(octets int) { r.burst = max(octets, r.mss) }

// OnAck implements Control.
func (r *NewReno) OnAck(_ clock.Time, acked, _ int, _ time.Duration, appLimited bool) {
	r.timedOut = false
	if appLimited || acked <= 0 || r.recovery {
		return
	}
	if r.atThreshold && r.cwnd <= r.ssthresh {
		r.cwnd = min(r.cwnd+min(acked, abcLimit*r.mss), MaxWindow)
		r.afterTimeout = r.afterTimeout && r.cwnd < r.ssthresh
		return
	}
	if r.InSlowStart() {
		acked = r.slowStart(acked)
	}
	if acked > 0 {
		r.avoid(acked)
	}
}

// slowStart widens the window by what was acknowledged, within the limit, and
// returns what is left over once ssthresh is reached. "During slow start, a TCP
// increments cwnd by at most SMSS bytes for each ACK received that cumulatively
// acknowledges new data" (RFC 5681 §3.1), by up to L segments where octets are
// counted (RFC 3465 §2.2).
func (r *NewReno) slowStart(acked int) int {
	grow := min(acked, r.limit())
	if room := r.ssthresh - r.cwnd; grow >= room {
		r.cwnd = r.ssthresh
		r.afterTimeout = false
		return grow - room
	}
	r.cwnd += grow
	return 0
}

// limit returns the most that one acknowledgement may widen the window by in slow
// start: L segments (RFC 3465 §2.3). Where the sender hands its link segments of
// several SMSS, L counts those, which goes beyond the RFC's 2*SMSS. The RFC wants an
// acknowledgement not to bring on a burst larger than the sender makes anyway, and
// with super-segments that is one of them; and their receiver acknowledges each
// as one, so that with L=2*SMSS the window would never double in a round trip.
//
// In the slow start after a timeout L is one segment, because an acknowledgement may
// then be for what had arrived long before, and never more than the window itself.
func (r *NewReno) limit() int {
	if r.afterTimeout {
		return max(r.mss, min(r.burst, r.cwnd))
	}
	return abcLimit * r.burst
}

// avoid is congestion avoidance: "cwnd is incremented by roughly 1 full-sized
// segment per round-trip time" (RFC 5681 §3.1), when as many octets as the window
// holds were acknowledged (RFC 3465 §2.1).
func (r *NewReno) avoid(acked int) {
	r.acked = min(r.acked+acked, 2*r.cwnd)
	if r.acked >= r.cwnd {
		r.acked -= r.cwnd
		r.cwnd = min(r.cwnd+r.mss, MaxWindow)
	}
}

// EnterRecovery implements Control: ssthresh by equation 4, then "set cwnd to
// ssthresh plus 3*SMSS. This artificially 'inflates' the congestion window by the
// number of segments (three) that have left the network" (RFC 5681 §3.2 step 3,
// RFC 6582 §3.2 step 2).
func (r *NewReno) EnterRecovery(_ clock.Time, inFlight, dupAcks int) {
	r.remember()
	r.ssthresh = r.halved(inFlight)
	if !r.prr {
		r.cwnd = r.ssthresh
	}
	r.recovery, r.afterTimeout = true, false
	r.inflation, r.bound, r.acked = 0, max(inFlight, dupAcks*r.mss), 0
	r.OnDupAck(dupAcks)
}

func (r *NewReno) remember() { r.priorCwnd, r.priorSSThresh = r.cwnd, r.ssthresh }

// halved is equation 4: "ssthresh = max (FlightSize / 2, 2*SMSS)" (RFC 5681 §3.1).
func (r *NewReno) halved(inFlight int) int {
	return min(max(inFlight/2, 2*r.mss), MaxWindow)
}

// OnDupAck implements Control: "For each additional duplicate ACK received (after
// the third), cwnd MUST be incremented by SMSS" (RFC 5681 §3.2 step 4), bounded
// against receivers that make them up: "A TCP MAY therefore limit the number of times
// cwnd is artificially inflated during loss recovery to the number of outstanding
// segments (or, an approximation thereof)" (same step).
func (r *NewReno) OnDupAck(n int) {
	if r.recovery && n > 0 {
		r.inflation = min(r.inflation+n*r.mss, r.bound)
	}
}

// OnPartialAck implements Control: "deflate the congestion window by the amount of
// new data acknowledged by the Cumulative Acknowledgment field. If the partial
// ACK acknowledges at least one SMSS of new data, then add back SMSS bytes to the
// congestion window" (RFC 6582 §3.2 step 3). The window does not go below ssthresh,
// which is what "when fast recovery eventually ends, approximately ssthresh amount
// of data will be outstanding in the network" asks for; it would only where
// duplicate acknowledgements were lost, or one was sent for many segments.
func (r *NewReno) OnPartialAck(acked int) {
	r.timedOut = false
	if !r.recovery {
		return
	}
	r.inflation -= acked
	if acked >= r.mss {
		r.inflation += r.mss
	}
	r.inflation = max(r.inflation, 0)
}

// ExitRecovery implements Control: "Set cwnd to either (1) min (ssthresh,
// max(FlightSize, SMSS) + SMSS) ..." (RFC 6582 §3.2 step 3), the choice that sends no
// burst where little is outstanding any more.
func (r *NewReno) ExitRecovery(_ clock.Time, inFlight int) {
	if !r.recovery {
		return
	}
	r.recovery, r.timedOut = false, false
	r.inflation, r.acked = 0, 0
	r.cwnd = min(r.ssthresh, max(inFlight, r.mss)+r.mss)
}

// OnTimeout implements Control: "cwnd MUST be set to no more than the loss window,
// LW, which equals 1 full-sized segment", and ssthresh by equation 4; but when the
// segment "has already been retransmitted by way of the retransmission timer at
// least once, the value of ssthresh is held constant" (RFC 5681 §3.1).
func (r *NewReno) OnTimeout(_ clock.Time, inFlight int) {
	if !r.timedOut {
		r.remember()
		r.ssthresh = r.halved(inFlight)
	}
	r.cwnd = r.mss
	r.inflation, r.acked = 0, 0
	r.recovery, r.timedOut, r.afterTimeout = false, true, true
}

// OnIdle implements Control: "a TCP SHOULD set cwnd to no more than RW before
// transmission begins if the TCP has not sent data in an interval exceeding the
// retransmission timeout", where RW = min(IW,cwnd) (RFC 5681 §4.1).
func (r *NewReno) OnIdle(clock.Time, time.Duration, time.Duration) {
	r.cwnd = min(r.cwnd, InitialWindow(r.mss, r.iw))
	r.acked = 0
}

// OnUnused implements Control: the window is halfway between what it is and what was used,
// and ssthresh remembers three quarters of it (RFC 2861 §3.2).
func (r *NewReno) OnUnused(used int) {
	if used = max(used, InitialWindow(r.mss, r.iw)); used < r.cwnd {
		r.ssthresh = max(r.ssthresh, r.cwnd/4*3)
		r.cwnd = (r.cwnd + used) / 2
	}
}

// SetWindow implements Control.
func (r *NewReno) SetWindow(octets int) {
	r.cwnd, r.inflation = min(max(octets, r.mss), MaxWindow), 0
}

// Undo implements Control.
func (r *NewReno) Undo() {
	r.recovery, r.timedOut, r.afterTimeout, r.inflation = false, false, false, 0
	if r.priorCwnd == 0 {
		return
	}
	r.cwnd, r.ssthresh = max(r.cwnd, r.priorCwnd), max(r.ssthresh, r.priorSSThresh)
	r.priorCwnd, r.priorSSThresh = 0, 0
}

// Window implements Control.
func (r *NewReno) Window() int { return min(r.cwnd+r.inflation, MaxWindow) }

// SSThresh implements Control.
func (r *NewReno) SSThresh() int { return r.ssthresh }

// InSlowStart implements Control: "The slow start algorithm is used when cwnd <
// ssthresh" (RFC 5681 §3.1).
func (r *NewReno) InSlowStart() bool { return r.cwnd < r.ssthresh }

// InRecovery implements Control.
func (r *NewReno) InRecovery() bool { return r.recovery }

// Name implements Control.
func (r *NewReno) Name() string { return Reno.String() }
