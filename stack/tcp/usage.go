package tcp

import (
	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// usage is how much of the congestion window has been used lately (RFC 7661 §4.2).
type usage struct {
	end     seq.Value // SND.NXT when it was noted
	most    int       // what was outstanding
	limited bool      // it was the window that ended sending
	noted   bool
	since   clock.Time // when the window was last filled
	used    int        // the most that was outstanding since
}

// noteUsage is called when Output has sent what it may.
func (c *Conn) noteUsage(now clock.Time) {
	f := c.loss.out
	if f == nil || !c.loss.fresh && !c.cwndFull {
		return
	}
	c.loss.fresh = false
	limited := c.cwndFull || c.pipe() >= c.cwnd()
	u, out := &f.usage, c.units(f.out)
	if !u.noted || c.snd.una.GreaterEq(u.end) || limited || !u.limited && out > u.most {
		u.end, u.most, u.limited, u.noted = c.snd.nxt, out, limited, true
	}
	c.noteUnused(now, out)
}

// noteUnused tells congestion control of a window that was not filled for the time of a
// retransmission timeout (RFC 2861 §3.2).
func (c *Conn) noteUnused(now clock.Time, out int) {
	u := &c.loss.out.usage
	if c.filled() || u.since == 0 {
		u.since, u.used = now, 0
		return
	}
	u.used = max(u.used, out)
	if c.set.SlowStartAfterIdle && now.Sub(u.since) >= c.rtt.RTO() {
		if c.loss.state == caOpen && c.dataEnd().LessEq(c.snd.nxt) {
			c.cc.OnUnused(u.used)
		}
		u.since, u.used = now, 0
	}
}

// filled reports whether the window was used so far that growth proves something: it was what
// held the sender back, or in slow start half of it was used, so that an ACK of all of
// that at most doubles what has been proven.
func (c *Conn) filled() bool {
	u := &c.loss.out.usage
	return u.limited || c.cc.InSlowStart() && c.cwnd() < 2*u.most
}
