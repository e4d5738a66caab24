package cc

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// The constants of CUBIC. β is 0.7 (RFC 9438 §4.6) and C is 0.4 (§5.1), both as a
// fraction of 1024 as it is customary: 717/1024 and 410/1024.
const (
	cubicBeta  = 717
	cubicC     = 410
	cubicScale = 1024
	// friendly is 8·(1+β)/(3·(1-β)): an additive-increase sender with CUBIC's β gains a
	// segment for friendly/8 windows acknowledged (RFC 9438 §4.3, α_cubic).
	friendly = 8 * (cubicScale + cubicBeta) / 3 / (cubicScale - cubicBeta)
	// fastest is the fewest segments acknowledged that widen the window by one, so
	// that it grows by half in a round trip at most (RFC 9438 §4.4: "no more than 1.5*cwnd").
	fastest = 2
	// unknown bounds them from above while no loss has told of the path's limits.
	unknown = 20
)

// Cubic is RFC 9438, with HyStart++ (RFC 9406) for the end of slow start or, as a variant,
// with the HyStart that came with CUBIC. It reckons in segments and milliseconds. The
// zero value waits for Init.
type Cubic struct {
	base
	curve
	prior   curve // before the last reduction, for Undo (RFC 9438 §4.9)
	opts    Options
	hystart hystart
}

// curve is where the window is on W_cubic(t) (RFC 9438 §4.2).
type curve struct {
	epoch    clock.Time    // when the present curve began; 0 where none has
	k        int64         // milliseconds·1.024 from there to the plateau
	plateau  int           // W_max of this curve, segments
	lastMax  int           // W_max: the window before the last reduction
	reno     int           // W_est, what NewReno would have (RFC 9438 §4.3)
	acked    int           // segments acknowledged towards the next of reno
	every    int           // segments acknowledged for one more of the window
	at       clock.Time    // when every was computed last
	atCwnd   int           // and for which window
	delayMin time.Duration // the least round trip
}

var _ Control = (*Cubic)(nil)
var _ Sampler = (*Cubic)(nil)

// Init implements Control.
func (c *Cubic) Init(mss, iw int) {
	c.base.init(mss, iw, c.opts.Segments)
	c.curve, c.prior, c.hystart = curve{}, curve{}, hystart{}
}

// OnAck implements Control.
func (c *Cubic) OnAck(now clock.Time, acked, _ int, _ time.Duration, appLimited bool) {
	c.timedOut = false
	if appLimited || acked <= 0 || c.recovery {
		return
	}
	n := c.count(acked)
	if c.InSlowStart() {
		n = c.hystart.temper(c, n)
		if n = c.slowStart(n, c.growthLimit()); n == 0 {
			return
		}
	}
	if n > 0 {
		c.update(now, n)
		c.climb(c.every, n)
	}
}

// growthLimit bounds what one acknowledgement adds in slow start: eight segments, "L = 8"
// of RFC 9406 §4.3, or two of those that the sender hands to its link at once.
func (c *Cubic) growthLimit() int {
	if c.pure {
		return 0
	}
	return max(8, abcLimit*c.burst/c.mss)
}

// update finds how many acknowledged segments the window is to grow by one for.
func (c *Cubic) update(now clock.Time, acked int) {
	c.acked += acked
	if c.atCwnd == c.cwnd && c.epoch != 0 && now.Sub(c.at) <= time.Second/32 {
		return
	}
	if c.epoch == 0 || millis(now) != millis(c.at) {
		c.atCwnd, c.at = c.cwnd, now
		if c.epoch == 0 {
			c.begin(now, acked)
		}
		c.every = c.cubicEvery(now)
	}
	c.every = max(min(c.every, c.renoEvery()), fastest)
}

// millis is an instant in milliseconds: the curve is not followed closer than that.
func millis(t clock.Time) int64 { return int64(t) / int64(time.Millisecond) }

// begin starts a curve at the present window: "K = cubic_root((W_max - cwnd_epoch)/C)", and
// 0 where the window is at or beyond W_max (RFC 9438 §4.2).
func (c *Cubic) begin(now clock.Time, acked int) {
	c.epoch = max(now, 1)
	c.acked, c.reno = acked, c.cwnd
	if c.lastMax <= c.cwnd {
		c.k, c.plateau = 0, c.cwnd
		return
	}
	c.plateau = c.lastMax
	c.k = cubeRoot(int64(1<<40/cubicC) * int64(c.lastMax-c.cwnd))
}

// cubicEvery is the growth along W_cubic(t + RTT), "C*(t-K)^3 + W_max" (RFC 9438 §4.2).
func (c *Cubic) cubicEvery(now clock.Time) int {
	// Time in 1024ths of a second, so that the cube is a shift away from seconds.
	t := (millis(now) - millis(c.epoch) + c.delayMin.Milliseconds()) * 1024 / 1000
	t = min(t, 1<<20)
	off := t - c.k
	sign := 1
	if off < 0 {
		off, sign = -off, -1
	}
	off = min(off, 1<<17)
	target := c.plateau + sign*int(cubicC*off*off*off>>40)
	every := 100 * c.cwnd
	if target > c.cwnd {
		every = c.cwnd / (target - c.cwnd)
	}
	if c.lastMax == 0 {
		every = min(every, unknown)
	}
	return every
}

// renoEvery follows W_est, so that CUBIC is no slower than NewReno would be (RFC 9438 §4.3).
// There α becomes 1 once W_est has reached W_max again; the variant that counts
// segments only stays with the smaller.
func (c *Cubic) renoEvery() int {
	for step := c.renoStep(); c.acked > step; step = c.renoStep() {
		n := (c.acked - 1) / step
		if c.reno < c.lastMax { // there the step changes
			n = min(n, c.lastMax-c.reno)
		}
		c.acked -= n * step
		c.reno += n
	}
	c.reno = min(c.reno, c.maxSegments())
	if c.reno <= c.cwnd {
		return 100 * c.cwnd
	}
	return c.cwnd / (c.reno - c.cwnd)
}

// renoStep is how many acknowledged segments W_est grows by one for.
func (c *Cubic) renoStep() int {
	if !c.pure && c.lastMax > 0 && c.reno >= c.lastMax {
		return max(c.cwnd, 1)
	}
	return max(c.cwnd*friendly>>3, 1)
}

// cubeRoot returns the integer cube root.
func cubeRoot(n int64) int64 {
	var x int64
	for shift := 60; shift >= 0; shift -= 3 {
		x *= 2
		if next := 3*x*(x+1) + 1; n>>shift >= next {
			n -= next << shift
			x++
		}
	}
	return x
}

// EnterRecovery implements Control: "ssthresh = flight_size * β_cubic" (RFC 9438 §4.6), and
// "fast convergence" where the window had not come back to W_max (§4.7).
func (c *Cubic) EnterRecovery(_ clock.Time, inFlight, _ int) {
	c.prior = c.curve
	c.congestion(inFlight)
	if !c.opts.PRR {
		c.cwnd = c.ssthresh
	}
	c.recovery = true
}

func (c *Cubic) congestion(inFlight int) {
	c.epoch = 0
	if c.cwnd < c.lastMax {
		c.lastMax = c.cwnd * (cubicScale + cubicBeta) / (2 * cubicScale)
	} else {
		c.lastMax = c.cwnd
	}
	c.reduce(c.flight(inFlight) * cubicBeta / cubicScale)
}

// OnTimeout implements Control: ssthresh as after another loss, but once for a series
// of timeouts (RFC 9438 §4.8, RFC 5681 §3.1), a window of one segment, and no curve: that
// begins anew from the window at which slow start ends.
func (c *Cubic) OnTimeout(_ clock.Time, inFlight int) {
	if !c.timedOut {
		c.prior = c.curve
		c.congestion(inFlight)
	}
	delay := c.delayMin
	if c.pure {
		delay = 0
	}
	c.curve = curve{delayMin: delay}
	c.hystart = hystart{}
	c.cwnd, c.octets = 1, 0
	c.recovery, c.timedOut = false, true
}

// Undo implements Control (RFC 9438 §4.9).
func (c *Cubic) Undo() {
	if c.priorCwnd > 0 && !c.pure {
		c.curve = c.prior
	}
	c.base.Undo()
}

// OnIdle implements Control: time that was not used does not count for the curve either
// (RFC 9438 §4.2: "the elapsed time ... MUST exclude periods during which cwnd has not been
// updated due to application-limited behavior").
func (c *Cubic) OnIdle(now clock.Time, idle, rto time.Duration) {
	c.OnResume(now, idle)
	if idle > rto {
		c.base.OnIdle(now, idle, rto)
	}
}

// OnResume implements Sampler.
func (c *Cubic) OnResume(now clock.Time, idle time.Duration) {
	if c.epoch != 0 && idle > 0 {
		c.epoch = min(c.epoch.Add(idle), now)
	}
}

// OnSample implements Sampler.
func (c *Cubic) OnSample(s Sample) {
	if s.RTT <= 0 || c.epoch != 0 && s.Now.Sub(c.epoch) < time.Second && c.pure {
		return // right after recovery it is not worth much
	}
	if c.delayMin == 0 || s.RTT < c.delayMin {
		c.delayMin = s.RTT
	}
	if c.InSlowStart() && !c.recovery {
		c.hystart.sample(c, s)
	}
}

// Name implements Control.
func (c *Cubic) Name() string { return CUBIC.String() }
