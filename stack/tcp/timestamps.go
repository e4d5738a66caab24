package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// tsTick is the tick of the timestamp clock: between 1 ms and 1 s (RFC 7323 §5.4).
const tsTick = time.Millisecond

// timestamps is the state of the timestamps option (RFC 7323 §4.3).
type timestamps struct {
	recentAt clock.Time // when TS.Recent was set
	recent   uint32     // TS.Recent
	again    uint32     // the timestamp of our latest retransmission
	offset   uint32     // what is added to the clock on this connection
	on       bool       // Snd.TS.OK
}

// tsClock is the timestamp clock before the connection's offset.
func tsClock(now clock.Time) uint32 { return uint32(int64(now) / int64(tsTick)) }

// tsBefore reports whether timestamp a comes before b: "0 < (t - s) < 2^31"
// (RFC 7323 §5.2).
func tsBefore(a, b uint32) bool { return int32(a-b) < 0 }

// val is the timestamp to send.
func (t *timestamps) val(now clock.Time) uint32 { return tsClock(now) + t.offset }

// set records TS.Recent.
func (t *timestamps) set(now clock.Time, v uint32) { t.recent, t.recentAt = v, now }

// elapsed is how long ago the peer's echo left us, by its timestamp, and false
// where the echo is one that we cannot have sent.
func (t *timestamps) elapsed(now clock.Time, echo uint32) (time.Duration, bool) {
	ticks := int32(t.val(now) - echo)
	d := time.Duration(ticks) * tsTick
	return d, ticks >= 0 && d < maxSample
}

// beforeAgain reports whether an echo is from before our latest retransmission, as far as that
// is not so long ago that the clock has gone round.
func (t *timestamps) beforeAgain(now clock.Time, echo uint32) bool {
	return tsBefore(echo, t.again) && !tsBefore(t.val(now), t.again)
}

// maxSample is the longest round trip that is believed.
const maxSample = 4 * time.Minute

// admitTimestamp checks the segment's timestamp before its sequence number
// (RFC 7323 §5.3 R1) and reports whether the segment may go on.
func (c *Conn) admitTimestamp(a *arrival) bool {
	if !c.ts.on || a.rst() { // "and if the RST bit is not set"
		return true
	}
	o := &a.seg.Options
	if !o.HasTimestamps {
		// "If a non-RST segment is received without a TSopt, a TCP SHOULD silently drop
		// the segment" (RFC 7323 §3.2). A SYN is left to the fourth step.
		if c.set.TolerateNoTimestamp || a.syn() {
			return true
		}
		c.ctr.NoTimestamp.Add(1)
		return false
	}
	if !tsBefore(o.TSVal, c.ts.recent) || c.tsStale(a.now) || c.likeLinux() && c.tsPardoned(a) {
		return true
	}
	c.ctr.PAWS.Add(1)
	if c.likeFreeBSD() && len(a.seg.Payload) == 0 {
		return false
	}
	c.answerInvalid(a) // "Send an acknowledgment in reply ... and drop the segment"
	return false
}

// tsPardoned reports whether Linux takes a timestamp that is too old: by a tick, or on a
// bare ACK that says nothing new and may have been overtaken.
func (c *Conn) tsPardoned(a *arrival) bool {
	late := c.ts.recent - a.seg.Options.TSVal
	if late <= 1 {
		return true
	}
	return a.seg.Len() == 0 && a.seq == c.rcv.nxt && a.seg.Ack == c.snd.una &&
		uint32(a.seg.Window)<<c.snd.shift == c.snd.wnd && time.Duration(late)*tsTick <= c.rtt.RTO()*6/5
}

// tsStale reports whether TS.Recent is so old that the peer's clock may have wrapped
// since: "TS.Recent MAY be considered invalid after 24 days" (RFC 7323 §5.5).
func (c *Conn) tsStale(now clock.Time) bool { return now.Sub(c.ts.recentAt) > c.set.PAWSIdle }

// recordTimestamp updates TS.Recent from an acceptable segment: "If an arriving segment
// satisfies SEG.TSval >= TS.Recent and SEG.SEQ <= Last.ACK.sent" (RFC 7323 §5.3 R3).
func (c *Conn) recordTimestamp(a *arrival) {
	o := &a.seg.Options
	if !c.ts.on || !o.HasTimestamps || a.rst() {
		return
	}
	if (!tsBefore(o.TSVal, c.ts.recent) || c.tsStale(a.now)) && a.seg.Seq.LessEq(c.rcv.lastAck) {
		c.ts.set(a.now, o.TSVal)
	}
}
