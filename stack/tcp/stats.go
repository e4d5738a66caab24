package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// limitedBy says what the sender waits for while it has something in its queue.
type limitedBy uint8

const (
	limitedByNothing limitedBy = iota // the queue is empty
	limitedByNetwork                  // text is under way, or the congestion window holds it back
	limitedByPeer                     // the peer's window does
	limitedByBuffer                   // all is sent, and the user was refused more room
	limits
)

// stats are what Info tells of a connection's past.
type stats struct {
	octetsAcked    uint64 // sequence numbers acknowledged
	octetsReceived uint64 // text taken in order
	octetsSent     uint64 // text, with what was sent again
	octetsAgain    uint64 // text that was sent again

	dataSentAt, dataHeardAt, ackHeardAt clock.Time

	spent [limits]milliseconds // how long the sender waited for each

	segmentsIn, segmentsOut uint32
	dataIn, dataOut         uint32
	outOfOrderIn            uint32
}

// milliseconds is a length of time that takes up little room: 49 days at most.
type milliseconds uint32

func (m milliseconds) duration() time.Duration { return time.Duration(m) * time.Millisecond }

// established has the times since text was last sent and received begin.
func (s *stats) established(now clock.Time) {
	if s.dataSentAt == 0 {
		s.dataSentAt = now
	}
	if s.dataHeardAt == 0 {
		s.dataHeardAt = now
	}
}

// countIn counts a segment that has arrived.
func (s *stats) countIn(now clock.Time, seg *Segment, ack bool) {
	n := uint32(seg.segments())
	s.segmentsIn += n
	if len(seg.Payload) > 0 {
		s.dataIn += n
		s.dataHeardAt = now
	}
	if ack {
		s.ackHeardAt = now
	}
}

// countOut counts a segment that is leaving, as the segments that the link cuts it to.
func (s *stats) countOut(now clock.Time, seg *Segment) {
	n := uint32(seg.segments())
	s.segmentsOut += n
	if len(seg.Payload) == 0 {
		return
	}
	s.dataOut += n
	s.octetsSent += uint64(len(seg.Payload))
	s.dataSentAt = now
}

// limitNow notes what the sender waits for from now on.
func (c *Conn) limitNow(now clock.Time, l limitedBy) {
	if l == c.limit {
		return
	}
	if c.limit != limitedByNothing {
		c.stat.spent[c.limit] += milliseconds(max(now.Sub(c.limitedAt), 0) / time.Millisecond)
	}
	c.limit, c.limitedAt = l, now
}

// waited returns how long the sender has been in state l, the present included.
func (c *Conn) waited(now clock.Time, l limitedBy) time.Duration {
	d := c.stat.spent[l].duration()
	if c.limit == l && l != limitedByNothing {
		d += max(now.Sub(c.limitedAt), 0)
	}
	return d
}

// noteLimit works out what the sender waits for now that it has sent what it could.
func (c *Conn) noteLimit(now clock.Time) {
	switch {
	case c.sendQueue.Len() == 0:
		c.limitNow(now, limitedByNothing)
		return
	case c.dataEnd() == c.snd.nxt && c.shortWrite:
		c.limitNow(now, limitedByBuffer)
	case c.cc != nil && c.dataEnd().Greater(c.snd.nxt) && c.snd.room() < min(int(c.snd.mss), c.cwnd()-c.pipe()) && !c.cwndFull:
		c.limitNow(now, limitedByPeer)
	default:
		c.limitNow(now, limitedByNetwork)
	}
}
