package tcp

import (
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp/cc"
)

// sendRetransmission sends the next of what is deemed lost.
func (c *Conn) sendRetransmission(now clock.Time, s *Segment, buf []byte) bool {
	f := c.loss.out
	if f == nil || c.probing || c.loss.hold ||
		c.set.ResendBound && !c.loss.force && f.resent.segments >= f.lost.segments {
		return false
	}
	i, hole := f.nextOwed()
	if hole.Len() <= 0 {
		c.loss.force = false
		return false
	}
	size := c.segmentSize()
	if c.keepsPackets() {
		hole.End = hole.Start.Add(f.packet(i, size))
	}
	n := c.mayRetransmit(hole, size, len(buf))
	if n <= 0 {
		return false
	}
	text := min(n, max(c.dataEnd().Sub(hole.Start), 0))
	c.header(now, s, hole.Start)
	c.fill(s, buf, hole.Start, text, size, n > text)
	c.retransmitted(now, hole.Start, n, text, size)
	c.ackSent()
	return true
}

// mayRetransmit returns how many sequence numbers of the hole may be sent again now.
func (c *Conn) mayRetransmit(hole seq.Range, size, bufLen int) int {
	l := &c.loss
	room := c.cwnd() - c.pipe()
	if c.byHoles() {
		room = c.holesRoom(true)
	}
	if l.force || c.pipe() == 0 {
		// "retransmit the first data segment presumed dropped" whatever the window
		// says (RFC 6675 §5 step 4.3, RFC 6582 §3.2 step 3).
		room = max(room, int(c.snd.mss))
		if c.loss.state == caLoss && l.force {
			room = int(c.snd.mss) // "retransmit the earliest segment" (RFC 6298 §5.4)
		}
	}
	// The window counts full segments; SACK blocks in the header leave less room for text.
	room = room / int(c.snd.mss) * size
	n := hole.Len()
	if room < min(n, c.dataEnd().Sub(hole.Start)) { // a FIN takes no room
		if room -= room % size; room <= 0 {
			c.cwndFull = true
			return 0
		}
		n = room
	}
	most := max(c.snd.maxSegment(), size)
	switch {
	case c.set.CWRAnywhere:
		most = c.atOnce(size)
	case c.keepsPackets():
		most = c.paced(size)
	}
	most -= most % size
	n = min(n, most+1) // one number may be the FIN's, which takes no room
	if hole.Start.Add(n).LessEq(c.dataEnd()) {
		n = min(n, most)
	}
	n = min(n, max(bufLen, 1))
	// "Old data SHOULD be retransmitted" although the window may have shrunk, but what
	// is beyond it is pointless, other than the first of a window that is closed
	// altogether, which probes (RFC 9293 §3.8.6).
	wnd := c.snd.una.Add(int(c.snd.wnd)).Sub(hole.Start)
	if hole.Start == c.snd.una && wnd <= 0 {
		wnd = size
	}
	return min(n, wnd)
}

// retransmitted accounts for a retransmission of n sequence numbers from at on, text of
// them octets, in segments of size.
func (c *Conn) retransmitted(now clock.Time, at seq.Value, n, text, size int) {
	l := &c.loss
	r := sent{Range: seq.Range{Start: at, End: at.Add(n)}, at: l.out.stamp(now, at.Add(n)), size: uint16(min(size, max(text, 1)))}
	r.then = c.snapshot(now)
	l.out.resend(r)
	l.force = false
	if at == c.snd.una && c.timer != timerReorder {
		c.setTimer(now.Add(c.rtt.RTO()), timerRetransmit)
	}
	c.countResent(now, n, text)
	if n > text {
		r.state = stFin
	}
	var t tally
	t.add(&r, 1)
	c.noteSent(t)
	c.noteResent(now, t.segments)
}

// countResent counts a retransmission.
func (c *Conn) countResent(now clock.Time, n, text int) {
	if c.ts.on {
		c.ts.again = c.ts.val(now)
	} else if c.like != nil {
		c.like.timedAt = 0
	}
	c.again += uint32(max((text+int(c.snd.mss)-1)/int(c.snd.mss), 1))
	c.ctr.RetransmittedSegments.Add(1)
	c.ctr.RetransmittedOctets.Add(uint64(text))
	c.stat.octetsAgain += uint64(text)
	c.startRetransmitTimer(now)
	c.sentAt = now
}

// sendText sends text for the first time, and our FIN.
func (c *Conn) sendText(now clock.Time, s *Segment, buf []byte) bool {
	if !c.unsent() {
		c.cwndFull = false
		return false
	}
	if c.snd.una == c.snd.nxt && c.snd.room() > 0 {
		c.resume(now)
	}
	size := c.segmentSize()
	n, fin := c.sendable(now, size, len(buf))
	if n == 0 && !fin {
		return false
	}
	c.emit(now, s, buf, n, size, fin)
	return true
}

// emit sends n octets at SND.NXT, and the FIN where fin is set.
func (c *Conn) emit(now clock.Time, s *Segment, buf []byte, n, size int, fin bool) {
	at := c.snd.nxt
	c.header(now, s, at)
	c.fill(s, buf, at, n, size, fin)
	c.ecnText(s)
	end := at.Add(n)
	if n%size != 0 {
		c.snd.sml = end
	}
	if fin {
		end = end.Add(1)
	}
	if c.snd.una == at {
		c.progressAt = now
	}
	c.recordSent(now, seq.Range{Start: at, End: end}, size, fin)
	c.timeText(now, at)
	c.snd.nxt = end
	c.stopPersist()
	c.startRetransmitTimer(now)
	c.scheduleProbe(now, false)
	c.sentAt = now
	c.answered(now, n)
	c.ackSent()
}

// sendable returns how many octets may be sent now, and whether the FIN goes with them
// or alone.
func (c *Conn) sendable(now clock.Time, size, bufLen int) (n int, fin bool) {
	avail, inner := c.dataEnd().Sub(c.snd.nxt), false
	wnd := c.snd.room()
	if avail == 0 {
		c.cwndFull = false
		return 0, wnd > 0
	}
	cwnd := c.windowRoom(size)
	if c.keepsPackets() {
		avail, inner = c.like.packets.next(c.snd.nxt, avail, min(c.atOnce(size), max(cwnd, size)))
	}
	limit := min(wnd, cwnd)
	if c.set.DeferDivisor > 0 && c.defers(now, size, wnd, cwnd) {
		return 0, false
	}
	if n = avail; n > limit {
		c.cwndFull = cwnd < wnd
		return c.whole(limit, wnd, size, bufLen), false
	}
	most := c.atOnce(size)
	if most -= most % size; n > most || n > bufLen {
		return c.whole(min(most, bufLen), wnd, size, bufLen), false
	}
	c.cwndFull = false
	if n < most && most > size && c.awaitCompany(most) {
		return 0, false
	}
	if inner { // the end of a record waits for nothing, as more follows
		return n, false
	}
	if tail := n % size; tail != 0 && c.holdSmall() {
		return n - tail, false
	}
	return n, c.finQueued && wnd > n
}

// recordSent enters what leaves for the first time in the flight.
func (c *Conn) recordSent(now clock.Time, r seq.Range, size int, fin bool) {
	if c.loss.out == nil {
		c.loss.out = newFlight(r.Start)
		c.loss.out.apart = c.keepsPackets()
	}
	then := c.snapshot(now)
	x := sent{Range: r, at: c.loss.out.stamp(now, r.End), then: then, size: uint16(max(min(size, r.Len()), 1))}
	end := r.End
	if fin {
		end = end.Add(-1)
		x.state = stFin
		x.size = uint16(max(min(size, r.Len()-1), 1))
	}
	if c.keepsPackets() {
		x.state |= c.like.packets.marks(end)
		c.like.packets.drop(r.End)
	}
	c.loss.out.send(x)
	c.loss.fresh = true
	var t tally
	t.add(&x, 1)
	c.noteSent(t)
}

// resume comes before the first text after nothing was outstanding: "Restarting Idle
// Connections" (RFC 5681 §4.1).
func (c *Conn) resume(now clock.Time) {
	if c.sentAt == 0 {
		return
	}
	idle := now.Sub(c.sentAt)
	if c.set.SlowStartAfterIdle && c.idleFor(now) {
		c.cc.OnIdle(now, idle, c.rtt.RTO())
		c.sentAt = 0
		return
	}
	if s, ok := c.cc.(cc.Sampler); ok {
		s.OnResume(now, idle)
	}
	c.sentAt = now // accounted for
}

// windowRoom is how much text the congestion window has room for. It counts full segments;
// SACK blocks in the header leave less room for text in each.
func (c *Conn) windowRoom(size int) int {
	room, mss := c.cwnd()-c.pipe(), int(c.snd.mss)
	if c.byHoles() {
		room = c.holesRoom(false)
	}
	if size == mss || room <= 0 {
		return room
	}
	return room/mss*size + min(room%mss, size)
}

// shortPath is the round trip below which the end of the queue may wait for one.
const shortPath = time.Millisecond

// awaitCompany reports whether the end of the queue, less than the link cuts at once, is to wait
// for what the user writes next: while two super-segments are under way on a path so short that
// an ACK is about to come, and to call for it. Handing a super-segment to the link costs the same
// however long it is, and a user that writes 32 KiB at a time would pay twice. This is not
// Nagle's algorithm, and SetNoDelay does not turn it off: a request, or an answer of up to two
// super-segments, never waits, nor does anything on a path of the outside world.
func (c *Conn) awaitCompany(most int) bool {
	return c.like == nil && !c.finQueued && !c.snd.urgent && c.pipe() >= 2*most &&
		c.rtt.Sampled() && c.rtt.Min() < shortPath
}

// atOnce is how much new text one Segment may hold. CWR is for one segment on the wire, so
// that the first of a window goes by itself (RFC 3168 §6.1.2).
func (c *Conn) atOnce(size int) int {
	if c.ecn&ecnCWR != 0 {
		return size
	}
	return c.burst(size)
}

// whole cuts limit to whole segments, as many as one Segment takes. This is the sender's
// part of avoiding silly windows (RFC 9293 §3.8.6.2.1): what is less than a segment goes
// only if it is "at least a fraction Fs of the maximum window", Fs being 1/2, and
// nothing is outstanding; or when the persist timer overrides.
func (c *Conn) whole(limit, wnd, size, bufLen int) int {
	most := c.atOnce(size)
	limit = min(limit, most)
	if bufLen < size {
		return max(min(limit, bufLen), 0)
	}
	limit = min(limit, bufLen)
	if n := limit - limit%size; n > 0 {
		return n
	}
	if limit == wnd && wnd > 0 && c.snd.una == c.snd.nxt && wnd >= int(c.snd.maxWnd)/2 {
		return wnd
	}
	return 0
}

// holdSmall reports whether the end of the queue, less than a segment, has to wait. Nagle's
// algorithm (RFC 9293 §3.7.4) as amended by Minshall: it waits only while another small
// segment is unacknowledged, so that the end of a bulk write does not wait for an ACK
// that the peer delays.
func (c *Conn) holdSmall() bool {
	if c.finQueued || c.flush || c.snd.urgent && c.snd.una.Less(c.snd.up) { // nor does urgent data wait, by name
		return false
	}
	if c.cork || c.more {
		return true
	}
	if c.likeFreeBSD() { // Nagle's own rule: as long as anything is outstanding
		return !c.noDelay && c.snd.una != c.snd.nxt
	}
	return !c.noDelay && c.snd.una.Less(c.snd.sml)
}
