package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// The delivery rate (draft-cheng-iccrg-delivery-rate-estimation): how fast what was sent has
// arrived, between the sending of a segment and its ACK. Segments are counted.

// rateSample is the sample that an ACK makes (§3.3, struct RateSample): of the segment that was
// sent last of those it is for.
type rateSample struct {
	then snapshot
	sent clock.Time
	send time.Duration // from the first sending of the flight of that sample to this one
	ok   bool
}

// rateState is the connection's side of it (§3.3, C.*).
type rateState struct {
	micros   uint32 // the interval of the rate in force, in microseconds; 0 is none
	segments uint32 // and what was delivered in it; rateLimited: the application limited it
}

// rateLimited is the bit of rateState.segments that says so.
const rateLimited = 1 << 31

// snapshot is what a segment that leaves now remembers (§3.2, SendPacket).
func (c *Conn) snapshot(now clock.Time) snapshot {
	f := c.loss.out
	if len(f.recs) == 0 {
		f.first, c.ratedAt = now, now
	}
	return snapshot{at: c.ratedAt, first: f.first, delivered: c.delivered, limited: c.appLimited != 0}
}

// noteDelivered takes in a record that has arrived (§3.3, UpdateRateSample).
func (c *Conn) noteDelivered(n *news, r *sent) {
	s := &n.rate
	if r.then.at == 0 || s.ok && !sentAfter(r.at, r.End, s.sent, n.prior) && s.then.delivered >= r.then.delivered {
		return
	}
	s.ok, s.then, s.sent = true, r.then, r.at
	s.send = r.at.Sub(r.then.first)
	n.wasSent = r.then.delivered
	c.loss.out.first = r.at
}

// countDelivered counts what the ACK has delivered.
func (c *Conn) countDelivered(n *news) {
	if n.delivered.segments <= 0 {
		return
	}
	c.delivered += uint32(n.delivered.segments)
	c.ratedAt = n.now
	if n.echo {
		c.deliveredCE += uint32(n.delivered.segments)
	}
	n.delivered.segments = max(n.delivered.segments, 0)
}

// sampleRate makes the sample (§3.3, GenerateRateSample). "It may be that the send rate or the
// ACK rate is the more truthful": the longer interval counts. One shorter than the least
// round trip is not possible, and one limited by the application counts only where it is
// higher than what is known.
func (c *Conn) sampleRate(n *news) {
	if c.appLimited != 0 && int32(c.delivered-c.appLimited) > 0 {
		c.appLimited = 0
	}
	s := &n.rate
	if !s.ok {
		return
	}
	interval := max(s.send, n.now.Sub(s.then.at))
	if interval <= 0 || interval < c.rtt.Min() || c.loss.rec != nil && c.loss.rec.reneged {
		return
	}
	segments := c.delivered - s.then.delivered
	d := &c.rate
	micros := uint32(min(max(interval/time.Microsecond, 1), 1<<32-1))
	if !s.then.limited || d.micros == 0 ||
		uint64(segments)*uint64(d.micros) >= uint64(d.segments&^rateLimited)*uint64(micros) {
		d.segments, d.micros = segments&^rateLimited, micros
		if s.then.limited {
			d.segments |= rateLimited
		}
	}
}

// noteAppLimited is called when Output has nothing to send although the window would take it:
// samples until what is under way has arrived say little of the path (§3.4).
func (c *Conn) noteAppLimited() {
	if c.cc == nil || c.dataEnd().Sub(c.snd.nxt) >= int(c.snd.mss) || c.pipe() >= c.cwnd() {
		return
	}
	under := 0
	if f := c.loss.out; f != nil {
		if f.owing.octets > 0 {
			return
		}
		under = f.out.segments - f.sacked.segments - f.lost.segments + f.resent.segments
	}
	c.appLimited = max(c.delivered+uint32(max(under, 0)), 1)
}

// DeliveryRate returns the latest rate in octets a second, 0 where none is known, and whether
// the application limited it.
func (c *Conn) DeliveryRate() (octets int64, limited bool) {
	d := &c.rate
	limited = d.segments&rateLimited != 0
	if d.micros == 0 {
		return 0, limited
	}
	return int64(d.segments&^rateLimited) * int64(c.snd.mss) * 1e6 / int64(d.micros), limited
}

// PacingRate returns the rate, in octets a second, at which a sender that spreads its segments
// would send: twice the window in a round trip in slow start, and 1.2 times otherwise. It is a
// figure only. 0 stands for no measurement.
func (c *Conn) PacingRate() int64 {
	d := c.awake()
	defer c.asleep(d)
	return d.pacingRate()
}

func (c *Conn) pacingRate() int64 {
	srtt := c.rtt.SRTT()
	if c.cc == nil || srtt <= 0 {
		return 0
	}
	ratio := 1.2
	if w := c.cc.SSThresh(); c.cc.Window() < w/2 {
		ratio = 2
	}
	window := max(c.cwnd(), c.units(c.loss.outstanding()))
	return int64(ratio * float64(window) / srtt.Seconds())
}
