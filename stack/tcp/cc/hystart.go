package cc

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// HyStart says how slow start finds its end before a loss does.
type HyStart uint8

const (
	// HyStartPlus is HyStart++ (RFC 9406): where the round trip grows, growth becomes
	// conservative first, and slow start ends when that lasts.
	HyStartPlus HyStart = iota
	// HyStartClassic ends slow start at once, where the round trip grows or
	// acknowledgements come in a train as long as half of it.
	HyStartClassic
	// HyStartOff leaves it to the first loss.
	HyStartOff
)

// The figures of RFC 9406 §4.3; the classic variant has the same bounds.
const (
	hystartMinThresh = 4 * time.Millisecond
	hystartMaxThresh = 16 * time.Millisecond
	hystartSamples   = 8
	cssDivisor       = 4
	cssRounds        = 5
	// hystartLow is the window from which the classic variant looks, and
	// hystartTrain the most between two acknowledgements of a train.
	hystartLow   = 16
	hystartTrain = 2 * time.Millisecond
)

const never = time.Duration(1<<63 - 1)

// hystart watches the round trips of slow start, in rounds: each ends when what was
// outstanding at its beginning is acknowledged.
type hystart struct {
	end              seq.Value // of the present round
	running          bool
	found            bool          // the classic variant is done
	samples          int           // in this round
	least, last      time.Duration // least round trip of this round and the last
	baseline         time.Duration // of the conservative slow start
	css              int           // rounds in it, from 1 on; 0 is outside
	part             int           // segments acknowledged towards the next in it
	roundAt, trainAt clock.Time
}

// sample takes in an acknowledgement in slow start.
func (h *hystart) sample(c *Cubic, s Sample) {
	switch c.opts.HyStart {
	case HyStartOff:
	case HyStartClassic:
		h.classic(c, s)
	default:
		h.plus(c, s)
	}
}

// newRound reports whether a round has ended, and begins the next.
func (h *hystart) newRound(s Sample) bool {
	if h.running && s.Una.LessEq(h.end) {
		return false
	}
	h.running, h.end = true, s.Nxt
	h.last, h.least, h.samples = h.least, never, 0
	h.roundAt, h.trainAt = s.Now, s.Now
	return true
}

// thresh is RttThresh (RFC 9406 §4.2): an eighth of the round trip, within bounds.
func thresh(d time.Duration) time.Duration {
	return min(max(d/8, hystartMinThresh), hystartMaxThresh)
}

func (h *hystart) classic(c *Cubic, s Sample) {
	if h.found {
		return
	}
	h.newRound(s)
	if c.cwnd < hystartLow {
		return
	}
	if s.Now.Sub(h.trainAt) <= hystartTrain {
		h.trainAt = s.Now
		limit := c.delayMin + s.Slack
		if !s.Paced {
			limit /= 2
		}
		h.found = s.Now.Sub(h.roundAt) > limit
	}
	h.least = min(h.least, s.RTT)
	if h.samples < hystartSamples {
		h.samples++
	} else if h.least > c.delayMin+thresh(c.delayMin) {
		h.found = true
	}
	if h.found {
		c.ssthresh = c.cwnd
	}
}

// plus is RFC 9406 §4.2.
func (h *hystart) plus(c *Cubic, s Sample) {
	if !h.running {
		h.least = never
	}
	if h.newRound(s) && h.css > 0 {
		// "CSS lasts at most CSS_ROUNDS rounds": then slow start is over.
		if h.css++; h.css > cssRounds {
			c.ssthresh, h.css = c.cwnd, 0
			return
		}
	}
	h.least = min(h.least, s.RTT)
	h.samples++
	if h.samples < hystartSamples || h.least == never {
		return
	}
	switch {
	case h.css > 0 && h.least < h.baseline:
		h.css, h.baseline = 0, never // "the slow start exit was spurious": resume
	case h.css == 0 && h.last > 0 && h.last != never && h.least >= h.last+thresh(h.last):
		h.css, h.baseline, h.part = 1, h.least, 0
	}
}

// temper divides the growth of the conservative slow start (RFC 9406 §4.2: "cwnd = cwnd +
// (min(N, L * SMSS) / CSS_GROWTH_DIVISOR)").
func (h *hystart) temper(c *Cubic, n int) int {
	if h.css == 0 || c.opts.HyStart != HyStartPlus {
		return n
	}
	h.part += n
	n = h.part / cssDivisor
	h.part -= n * cssDivisor
	return n
}
