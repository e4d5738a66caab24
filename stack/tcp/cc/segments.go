package cc

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// base is what algorithms share that count their window in segments, as Linux does: slow
// start, additive growth by credit, recovery and its undoing. A segment is mss octets
// for every amount in octets.
type base struct {
	cwnd, ssthresh int // segments
	credit         int // segments acknowledged towards the next of the window
	octets         int // octets acknowledged towards the next segment
	mss, iw, burst int
	// priorCwnd and priorSSThresh are from before the last reduction, for Undo; 0 is none.
	priorCwnd, priorSSThresh int
	pure                     bool // as Linux counts: no bound on growth, no regard to octets
	recovery                 bool
	timedOut                 bool // a timeout, and nothing new acknowledged since
}

// maxSegments is the largest window in segments.
func (b *base) maxSegments() int { return max(MaxWindow/b.mss, 2) }

func (b *base) init(mss, iw int, pure bool) {
	mss = max(mss, 1)
	*b = base{mss: mss, burst: mss, iw: iw, pure: pure}
	b.ssthresh = b.maxSegments()
	b.cwnd = b.initial()
}

// initial is the initial window in segments.
func (b *base) initial() int {
	if b.pure && b.iw > 0 {
		return min(b.iw, b.maxSegments())
	}
	return min(max(InitialWindow(b.mss, b.iw)/b.mss, 1), b.maxSegments())
}

// SetMSS implements Control. Where octets count, what the path holds is no less
// because it comes in smaller pieces; where segments count, there are as many as before.
func (b *base) SetMSS(mss int) {
	old := b.mss
	b.mss = max(mss, 1)
	b.burst = max(b.burst, b.mss)
	most := b.maxSegments()
	unset := b.ssthresh >= max(MaxWindow/old, 2)
	if !b.pure {
		b.cwnd = max(b.cwnd*old/b.mss, 1)
		b.ssthresh = max(b.ssthresh*old/b.mss, 2)
		b.credit, b.octets = 0, 0
	}
	if unset {
		b.ssthresh = most
	}
	b.cwnd, b.ssthresh = min(b.cwnd, most), min(b.ssthresh, most)
}

// SetBurst implements Control.
func (b *base) SetBurst(octets int) { b.burst = max(octets, b.mss) }

// count turns octets acknowledged into segments; what is less than one is kept for the next.
func (b *base) count(octets int) int {
	b.octets += max(octets, 0)
	n := b.octets / b.mss
	b.octets -= n * b.mss
	return n
}

// slowStart widens the window by what was acknowledged and returns what is left over once
// ssthresh is reached. most, where it is more than 0, bounds the growth for one
// acknowledgement (RFC 3465 §2.3, RFC 9406 §4.2).
func (b *base) slowStart(acked, most int) int {
	grow := acked
	if most > 0 {
		grow = min(grow, most)
	}
	grow = min(grow, b.ssthresh-b.cwnd)
	b.cwnd = min(b.cwnd+grow, b.maxSegments())
	if b.cwnd < b.ssthresh {
		return 0
	}
	return acked - grow
}

// climb widens the window by a segment for every w segments acknowledged. Credit that was
// gathered towards a larger w counts for one segment only.
func (b *base) climb(w, acked int) {
	w = max(w, 1)
	if b.credit >= w {
		b.credit = 0
		b.cwnd++
	}
	b.credit += acked
	if n := b.credit / w; n > 0 {
		b.credit -= n * w
		b.cwnd += n
	}
	b.cwnd = min(b.cwnd, b.maxSegments())
}

// reduce begins a reaction to congestion: ssthresh becomes to, and what it was is
// remembered for Undo.
func (b *base) reduce(to int) {
	b.priorCwnd, b.priorSSThresh = b.cwnd, b.current()
	b.ssthresh = min(max(to, 2), b.maxSegments())
	b.credit = 0
}

// current is what ssthresh is worth: no less than three quarters of a window that has been
// shown to be good, and during recovery just itself.
func (b *base) current() int {
	if b.recovery {
		return b.ssthresh
	}
	return max(b.ssthresh, b.cwnd/2+b.cwnd/4)
}

// flight returns how many segments the reaction to a loss is reckoned from: the window,
// or what was outstanding where that is less and octets count (RFC 9438 §4.6,
// RFC 5681 §3.1 equation 4).
func (b *base) flight(inFlight int) int {
	if b.pure {
		return b.cwnd
	}
	return min(b.cwnd, max((inFlight+b.mss-1)/b.mss, 1))
}

// OnDupAck implements Control: the sender counts what has left the network.
func (b *base) OnDupAck(int) {}

// OnPartialAck implements Control.
func (b *base) OnPartialAck(int) { b.timedOut = false }

// ExitRecovery implements Control.
func (b *base) ExitRecovery(_ clock.Time, _ int) {
	if b.recovery {
		b.recovery, b.timedOut = false, false
		b.cwnd, b.credit = b.ssthresh, 0
	}
}

// SetWindow implements Control.
func (b *base) SetWindow(octets int) {
	b.cwnd = min(max(octets/b.mss, 1), b.maxSegments())
}

// Undo implements Control.
func (b *base) Undo() {
	b.recovery, b.timedOut = false, false
	if b.priorCwnd == 0 {
		return
	}
	b.cwnd = min(max(b.cwnd, b.priorCwnd), b.maxSegments())
	b.ssthresh = min(max(b.ssthresh, b.priorSSThresh), b.maxSegments())
	b.priorCwnd, b.priorSSThresh = 0, 0
}

// OnIdle implements Control: the window is halved for each timeout that passed, down to the
// restart window (RFC 2861 §3, RFC 5681 §4.1), and ssthresh remembers it.
func (b *base) OnIdle(_ clock.Time, idle, rto time.Duration) {
	b.ssthresh = b.current()
	restart := min(b.initial(), b.cwnd)
	if !b.pure {
		b.cwnd = restart
		return
	}
	for idle -= rto; idle > 0 && b.cwnd > restart; idle -= max(rto, 1) {
		b.cwnd /= 2
	}
	b.cwnd = max(b.cwnd, restart)
}

// OnUnused implements Control: the window was not filled for a timeout, and used is the
// most that was (RFC 2861 §3.2).
func (b *base) OnUnused(used int) {
	if n := max((used+b.mss-1)/b.mss, b.initial()); n < b.cwnd {
		b.ssthresh = b.current()
		b.cwnd = (b.cwnd + n) / 2
	}
}

// Window implements Control.
func (b *base) Window() int { return min(max(b.cwnd*b.mss, b.mss), max(MaxWindow, b.mss)) }

// SSThresh implements Control.
func (b *base) SSThresh() int {
	if b.ssthresh >= b.maxSegments() {
		return MaxWindow
	}
	return b.ssthresh * b.mss
}

// InSlowStart implements Control.
func (b *base) InSlowStart() bool { return b.cwnd < b.ssthresh }

// InRecovery implements Control.
func (b *base) InRecovery() bool { return b.recovery }
