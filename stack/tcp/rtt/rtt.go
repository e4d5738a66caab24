package rtt

import (
	"time"

	"github.com/weirnet/weir/stack/seq"
)

// Limits are the bounds of the retransmission timeout, shared by all connections.
type Limits struct {
	// Initial is the timeout before the first measurement. "Until a round-trip time
	// (RTT) measurement has been made for a segment sent between the sender and
	// receiver, the sender SHOULD set RTO <- 1 second" (RFC 6298 §2.1).
	Initial time.Duration

	// Min is the least that the timeout is above the smoothed round-trip time.
	// RFC 6298 §2.4 wants a timeout of at least one second; 200 ms, as Linux has
	// it, is what others expect of a stack today. Because it is added to the
	// smoothed time, as in Linux, and not a floor under the sum, a peer that delays
	// its acknowledgements does not bring on a timeout where the path is long and even.
	Min time.Duration

	// Floor makes Min a floor under the sum of the smoothed time and the variation, as in
	// FreeBSD, instead.
	Floor bool
	// Slop is added to every timeout but the first before a measurement, doubled or not: FreeBSD's
	// allowance for a peer that is slow to answer.
	Slop time.Duration

	// Max is the largest timeout. "A maximum value MAY be placed on RTO provided it
	// is at least 60 seconds" (RFC 6298 §2.5).
	Max time.Duration

	// EachAck weighs every measurement as if it alone stood for its round trip, and has the
	// variation follow the largest deviation of a round trip, with Min as its floor:
	// as Linux estimates. Otherwise measurements count for less where there are many.
	EachAck bool

	// Granularity is G, that of the clock which times the segments (RFC 6298 §2).
	Granularity time.Duration
}

// DefaultLimits returns an initial timeout of 1 s, a minimum of 200 ms, a maximum
// of 120 s and a granularity of 1 ms.
func DefaultLimits() Limits { return defaults }

var defaults = Limits{
	Initial:     time.Second,
	Min:         200 * time.Millisecond,
	Max:         120 * time.Second,
	Granularity: time.Millisecond,
}

const (
	// k is K of RFC 6298 §2.
	k = 4
	// shiftAlpha and shiftBeta give alpha = 1/8 and beta = 1/4 (RFC 6298 §2.3).
	shiftAlpha, shiftBeta = 3, 2
	// afterSYN is the timeout that data begins with after a lost SYN (RFC 6298 §5.7).
	afterSYN = 3 * time.Second
	// maxSample bounds a measurement: no path is that long, and sums stay in range.
	maxSample = time.Hour
	// maxBackoff bounds the count of doublings; any timeout is at its limit by then.
	maxBackoff = 63
)

// Estimator keeps srtt and rttvar of one path. The zero value has the default
// limits and no measurement.
type Estimator struct {
	limits       *Limits
	srtt, rttvar time.Duration
	least        time.Duration
	dev          *deviation // for EachAck
	backoff      uint8
	sampled      bool
	repeated     bool // expired, and was not doubled
	lostSYN      bool // and no measurement since: RFC 6298 §5.7
}

// deviation is what EachAck keeps besides.
type deviation struct {
	mean, most time.Duration // the mean deviation times four, and its maximum in this round trip
	round      seq.Value     // the end of that
}

// Init forgets every measurement and sets the limits, which are not copied. Nil
// stands for the default.
func (e *Estimator) Init(l *Limits) { *e = Estimator{limits: l} }

// Reset forgets every measurement and every doubling. "A TCP implementation MAY
// clear SRTT and RTTVAR after backing off the timer multiple times as it is likely
// that the current SRTT and RTTVAR are bogus in this situation" (RFC 6298 §5).
func (e *Estimator) Reset() { e.Init(e.limits) }

// Sample takes in a measurement that alone stands for its round trip, and undoes the
// doublings: with Karn's algorithm the backed-off timeout is kept until a segment
// that was not retransmitted has been measured, and computed anew from that
// (RFC 6298 §3 and the note at the end of §5). A negative measurement counts as zero,
// one of more than an hour as an hour.
func (e *Estimator) Sample(r time.Duration) { e.SampleOf(r, 1) }

// SampleOf is Sample for one of n measurements that are expected in a round trip,
// as timestamps on every segment give them. Each then counts for less: alpha and beta
// are divided by the number of samples expected (RFC 7323 Appendix G).
func (e *Estimator) SampleOf(r time.Duration, n int) {
	r, n = min(max(r, 0), maxSample), max(n, 1)
	e.backoff = 0
	if !e.sampled {
		// "When the first RTT measurement R is made, the host MUST set
		// SRTT <- R, RTTVAR <- R/2" (RFC 6298 §2.2).
		e.sampled, e.least = true, r
		e.srtt, e.rttvar = r, r/2
		return
	}
	e.least = min(e.least, r)
	// "RTTVAR <- (1 - beta) * RTTVAR + beta * |SRTT - R'|
	// SRTT <- (1 - alpha) * SRTT + alpha * R'", in this order (RFC 6298 §2.3).
	weight := time.Duration(n)
	e.rttvar += ((e.srtt - r).Abs() - e.rttvar) / (weight << shiftBeta)
	e.srtt += (r - e.srtt) / (weight << shiftAlpha)
}

// Ack is a measurement that an acknowledgement gave: took for the first of what it is for,
// latest for the last, which alone has no delayed ACK in it and counts for the least.
// una and nxt are SND.UNA and SND.NXT, and n is as in SampleOf.
func (e *Estimator) Ack(took, latest time.Duration, una, nxt seq.Value, n int) {
	had, least := e.sampled, e.least
	if !e.lim().EachAck {
		e.SampleOf(took, n)
	} else {
		e.each(min(max(took, 0), maxSample), una, nxt)
	}
	e.least = min(max(latest, 0), maxSample)
	if had {
		e.least = min(e.least, least)
	}
}

// each is the estimate of EachAck. A deviation downwards counts for an eighth of one upwards
// where it is larger than the mean, so that a path that has become faster does not make
// the timeout longer (the idea is from the Eifel retransmission timer).
func (e *Estimator) each(r time.Duration, una, nxt seq.Value) {
	e.backoff = 0
	floor := e.lim().Min
	if e.dev == nil {
		e.dev = new(deviation)
	}
	d := e.dev
	if !e.sampled {
		e.sampled = true
		e.srtt, d.mean = r, 2*r
		d.most = max(d.mean, floor)
		e.rttvar, d.round = d.most, nxt
		return
	}
	off := r - e.srtt
	e.srtt += off / 8
	if off < 0 {
		if off = -off - d.mean/4; off > 0 {
			off /= 8
		}
	} else {
		off -= d.mean / 4
	}
	d.mean += off
	if d.most = max(d.most, d.mean); d.most > e.rttvar {
		e.rttvar = d.most
	}
	if una.Greater(d.round) {
		if d.most < e.rttvar {
			e.rttvar -= (e.rttvar - d.most) / 4
		}
		d.round, d.most = nxt, floor
	}
}

// RTO returns the retransmission timeout, doublings included.
func (e *Estimator) RTO() time.Duration {
	l := e.lim()
	rto := e.base(l)
	for range e.backoff {
		if rto >= l.Max {
			break
		}
		rto *= 2
	}
	if e.sampled || e.backoff > 0 || e.repeated {
		rto += l.Slop
	}
	return min(rto, l.Max)
}

// base returns the timeout before doubling.
func (e *Estimator) base(l *Limits) time.Duration {
	switch {
	case e.sampled && l.EachAck:
		return min(e.srtt+e.rttvar, l.Max) // rttvar is four deviations there, and Min at least
	case e.sampled && l.Floor:
		return min(max(e.srtt+max(l.Granularity, k*e.rttvar), l.Min), l.Max)
	case e.sampled:
		// "RTO <- SRTT + max (G, K*RTTVAR)" (RFC 6298 §2.3), with Min beside G.
		return min(e.srtt+max(l.Granularity, l.Min, k*e.rttvar), l.Max)
	case e.lostSYN:
		return max(afterSYN, l.Initial, l.Min)
	}
	return max(l.Initial, l.Min)
}

func (e *Estimator) lim() *Limits {
	if e.limits == nil {
		return &defaults
	}
	return e.limits
}

// Backoff doubles the timeout, which has expired: "The host MUST set RTO <- RTO * 2
// ("back off the timer")" (RFC 6298 §5.5).
func (e *Estimator) Backoff() {
	if e.backoff < maxBackoff {
		e.backoff++
	}
}

// Repeat is for a timeout that has expired and is waited for once more without being doubled.
func (e *Estimator) Repeat() { e.repeated = true }

// ClearBackoff undoes the doublings without a measurement, for a timeout that is
// known to have been spurious or an acknowledgement that cannot be measured.
func (e *Estimator) ClearBackoff() { e.backoff = 0 }

// Backoffs returns how many doublings are in force.
func (e *Estimator) Backoffs() int { return int(e.backoff) }

// LostSYN is to be called when the connection is established after the timer
// expired for its SYN: "If the timer expires awaiting the ACK of a SYN segment and
// the TCP implementation is using an RTO less than 3 seconds, the RTO MUST be
// re-initialized to 3 seconds when data transmission begins" (RFC 6298 §5.7). It
// undoes the doublings. The first measurement ends it.
func (e *Estimator) LostSYN() { e.lostSYN, e.backoff = true, 0 }

// Sampled reports whether there was a measurement.
func (e *Estimator) Sampled() bool { return e.sampled }

// SRTT returns the smoothed round-trip time, zero before the first measurement.
func (e *Estimator) SRTT() time.Duration { return e.srtt }

// RTTVAR returns the round-trip time's variation, zero before the first measurement.
func (e *Estimator) RTTVAR() time.Duration {
	if e.lim().EachAck && e.dev != nil {
		return e.dev.mean / 4
	}
	return e.rttvar
}

// Min returns the least measurement so far, zero before the first.
func (e *Estimator) Min() time.Duration { return e.least }
