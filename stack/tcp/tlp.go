package tcp

import (
	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// The tail loss probe (RFC 8985 §7): where the end of what was sent may be lost, nothing comes
// after it to tell. One segment more, sent after two round trips, brings an ACK that does.

// scheduleProbe sets the probe's timer (RFC 8985 §7.2, TLP_calc_PTO) and reports whether one
// is due. fresh says that the retransmission timeout begins now, and not when the first
// segment was sent.
func (c *Conn) scheduleProbe(now clock.Time, fresh bool) bool {
	f := c.loss.out
	if !c.set.TLP || f == nil || len(f.recs) == 0 || !c.sackOK || c.probing || c.snd.connecting ||
		c.loss.state != caOpen && c.loss.state != caCWR {
		return false
	}
	wait := c.set.RTO.Initial
	if c.rtt.Sampled() {
		wait = 2 * c.rtt.SRTT()
		if f.out.segments == 1 {
			wait += c.set.ProbeDelay // "PTO += TLP.max_ack_delay"
		} else {
			wait += timerSlack
		}
	}
	at, end := now.Add(wait), now.Add(c.rtt.RTO())
	if !fresh {
		end = max(f.recs[0].at.Add(c.rtt.RTO()), now)
	}
	if end > now {
		at = min(at, end)
	}
	c.setTimer(at, timerProbe)
	return true
}

// probeTimeout is the probe timer: the probe leaves by Output.
func (c *Conn) probeTimeout(now clock.Time) {
	c.rtxAt, c.timer = clock.Never, timerRetransmit
	r := c.remember()
	if r.probing || c.loss.out == nil {
		c.rearm(now, timerProbe)
		return
	}
	r.tailDue = true
	c.setTimer(now.Add(c.rtt.RTO()), timerRetransmit)
}

// sendTailProbe sends the probe: a segment of new text, or where there is none, or no room for
// it, the last one again (RFC 8985 §7.3, TLP_send_probe). The congestion window does
// not count. The timer is set from now on, so that the answer has time to come.
func (c *Conn) sendTailProbe(now clock.Time, s *Segment, buf []byte) bool {
	r := c.loss.rec
	if r == nil || !r.tailDue {
		return false
	}
	r.tailDue = false
	f := c.loss.out
	if f == nil || len(f.recs) == 0 || c.probing {
		return false
	}
	size := c.segmentSize()
	n := min(c.dataEnd().Sub(c.snd.nxt), size, len(buf))
	r.probeResent = n <= 0 || n > c.snd.room()
	if !r.probeResent {
		c.emit(now, s, buf, n, size, c.finQueued && c.snd.nxt.Add(n) == c.dataEnd() && c.snd.room() > n)
	} else {
		c.resendLast(now, s, buf, size)
	}
	c.ctr.TailProbes.Add(1)
	r.probing, r.probeEnd = true, c.snd.nxt
	c.setTimer(now.Add(c.rtt.RTO()), timerRetransmit)
	return true
}

// resendLast sends the last segment again. It is not lost, as far as is known, and so counts
// as sent once.
func (c *Conn) resendLast(now clock.Time, s *Segment, buf []byte, size int) {
	f := c.loss.out
	last := f.recs[len(f.recs)-1]
	end := last.End
	if last.state&stFin != 0 {
		end = end.Add(-1)
	}
	at := end
	if n := end.Sub(last.Start); n > 0 {
		at = last.Start.Add((n - 1) / int(last.size) * int(last.size))
	}
	at = seq.Max(at, end.Add(-min(size, len(buf))))
	text, n := end.Sub(at), last.End.Sub(at)
	c.header(now, s, at)
	c.fill(s, buf, at, text, size, n > text)
	i := f.cut(at)
	f.set(i, f.recs[i].state|stEver)
	f.recs[i].at = f.stamp(now, last.End)
	f.recs[i].then = c.snapshot(now)
	c.countResent(now, n, text)
	c.ackSent()
}

// tailProbeAck is an ACK while a probe is outstanding (RFC 8985 §7.4, TLP_process_ack). What
// the probe repaired was a loss, and congestion: the window is reduced as for any other. It was
// none if both copies have arrived, which a DSACK says, or a duplicate ACK.
func (c *Conn) tailProbeAck(ack seq.Value, n *news) {
	r := c.loss.rec
	if r == nil || !r.probing || ack.Less(r.probeEnd) {
		return
	}
	switch {
	case !r.probeResent, n.dsackTLP:
		r.probing = false
	case ack.Greater(r.probeEnd):
		c.ctr.TailProbeRepairs.Add(1)
		c.beginReduction(n.now)
		c.enter(caCWR)
		c.endReduction(n.now)
		c.keepOpen()
	case !n.advanced && !n.data && !n.sacked:
		r.probing = false
	}
}
