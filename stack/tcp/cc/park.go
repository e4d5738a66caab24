package cc

import "time"

// Rest is what a connection that has nothing under way keeps of its congestion control, where that
// has not met congestion yet.
type Rest struct {
	window, ssthresh uint32 // in the algorithm's own units
	part             uint32 // octets that are acknowledged and not counted yet
	found            bool   // HyStart has found the end of slow start
	delayMin         time.Duration
}

// Parker is a Control that can be given up while a connection is idle and made anew later, as all
// in this package can.
type Parker interface {
	Control

	// Park returns what to keep, and false where that is not all there is to know: one that has
	// met congestion is to be kept itself.
	Park() (Rest, bool)
	// Resume makes a Control that has been given to Init what the parked one was. The zero Rest
	// changes nothing.
	Resume(Rest)
}

var (
	_ Parker = (*Cubic)(nil)
	_ Parker = (*NewReno)(nil)
	_ Parker = (*segmentReno)(nil)
)

// Park implements Parker.
func (r *NewReno) Park() (Rest, bool) {
	if r.recovery || r.inflation > 0 || r.timedOut || r.afterTimeout || r.priorCwnd > 0 {
		return Rest{}, false
	}
	return Rest{window: uint32(r.cwnd), ssthresh: uint32(r.ssthresh), part: uint32(r.acked)}, true
}

// Resume implements Parker.
func (r *NewReno) Resume(k Rest) {
	if k.window > 0 {
		r.cwnd, r.ssthresh, r.acked = int(k.window), int(k.ssthresh), int(k.part)
	}
}

func (b *base) park() (Rest, bool) {
	if b.recovery || b.timedOut || b.priorCwnd > 0 || b.credit > 0 {
		return Rest{}, false
	}
	return Rest{window: uint32(b.cwnd), ssthresh: uint32(b.ssthresh), part: uint32(b.octets)}, true
}

func (b *base) unpark(k Rest) {
	if k.window > 0 {
		b.cwnd, b.ssthresh, b.octets = int(k.window), int(k.ssthresh), int(k.part)
	}
}

// Park implements Parker.
func (r *segmentReno) Park() (Rest, bool) { return r.park() }

// Resume implements Parker.
func (r *segmentReno) Resume(k Rest) { r.unpark(k) }

// Park implements Parker. Of a slow start that is still under way HyStart forgets the last
// round trip's measurements: they are of a path that was busy then.
func (c *Cubic) Park() (Rest, bool) {
	k, ok := c.park()
	k.delayMin, k.found = c.delayMin, c.hystart.found
	return k, ok && c.curve == curve{delayMin: c.delayMin} && c.hystart.css == 0
}

// Resume implements Parker.
func (c *Cubic) Resume(k Rest) {
	c.unpark(k)
	c.delayMin, c.hystart.found = k.delayMin, k.found
}
