package tcp

import (
	"syscall"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// Write copies as much of p to the send queue as there is room for, and returns how
// much: 0 where the buffer is full or nothing more may be written (see MayWrite). It
// leaves by Output (RFC 9293 §3.10.2, SEND).
func (c *Conn) Write(_ clock.Time, p []byte) int {
	return c.write(p, false)
}

// WriteMore is Write by a user that has more to write at once (MSG_MORE): what does not fill a
// segment is kept back, as under a cork, until the next Write.
func (c *Conn) WriteMore(_ clock.Time, p []byte) int { return c.write(p, true) }

func (c *Conn) write(p []byte, more bool) int {
	c.wake()
	n := 0
	switch {
	case !c.MayWrite():
	case c.keepsPackets():
		n = c.pack(len(p), more)
	default:
		n = min(len(p), c.Writable())
	}
	if c.shortWrite = n < len(p); n <= 0 {
		return 0
	}
	c.settled, c.more, c.flush = false, more, false
	if c.keepsPackets() {
		c.sendQueue.Append(p[:n])
	} else {
		c.sendQueue.AppendAhead(p[:n], BlockHeadroom, c.Burst())
	}
	return n
}

// WriteUrgent is Write that puts the urgent pointer behind what it copied: "if the
// urgent flag is set, then SND.UP <- SND.NXT-1 and set the urgent pointer in the outgoing
// segments" (RFC 9293 §3.10.2). New applications should not use it (RFC 6093 §5).
func (c *Conn) WriteUrgent(now clock.Time, p []byte) int {
	n := c.Write(now, p)
	if n > 0 {
		c.snd.urgent, c.snd.up = true, c.dataEnd()
	}
	return n
}

// MayWrite reports whether the user may still send: the connection has not failed and
// CloseWrite has not been called.
func (c *Conn) MayWrite() bool { return c.state.mayWrite() && !c.finQueued }

// Writable returns how many octets Write would take, or where packets are kept how many at least.
func (c *Conn) Writable() int {
	if !c.MayWrite() {
		return 0
	}
	if c.keepsPackets() {
		c.wake()
		return c.roomForPackets()
	}
	if n := c.NotSentLowat(); n > 0 {
		if _, unsent := c.Queued(); unsent >= n {
			return 0
		}
	}
	return max(c.snd.limit()-c.sendQueue.Len(), 0)
}

// tellRoom tells a user who waits, after the send buffer has let go of something.
func (c *Conn) tellRoom(a *arrival) {
	if !c.roomToTell() {
		return
	}
	if !c.keepsPackets() {
		c.shortWrite = false
	}
	a.events |= EventWritable
}

// roomToTell reports whether there is so much room in the send buffer that a user who waits is
// to hear of it: a third, as far as what was not sent yet allows any at all.
func (c *Conn) roomToTell() bool {
	if !c.MayWrite() {
		return false
	}
	if c.keepsPackets() {
		return c.tellOfMemory()
	}
	if n := c.NotSentLowat(); n > 0 {
		if _, unsent := c.Queued(); unsent > 0 && unsent >= n+c.cc.Window() {
			return false // even when all is sent that the window takes
		}
	}
	return c.snd.limit()-c.sendQueue.Len() >= c.snd.limit()/3
}

// Queued returns how many octets were sent and are not acknowledged, and how many were not
// sent yet.
func (c *Conn) Queued() (unacked, unsent int) {
	c.ready()
	n := c.sendQueue.Len()
	if n == 0 {
		return 0, 0
	}
	sent := min(max(c.snd.nxt.Sub(c.snd.dataStart()), 0), n)
	return sent, n - sent
}

// Read moves octets that came in order to p and returns how many (RFC 9293 §3.10.3,
// RECEIVE). It may open the window so far that Output has an ACK to say so.
func (c *Conn) Read(now clock.Time, p []byte) int {
	if c.Queue() == 0 {
		return 0
	}
	c.passMark()
	n := c.recvQueue.Read(p[:c.beforeMark(len(p))])
	c.haveRead(now, n)
	return n
}

// Peek copies octets as Read does and leaves them to be read.
func (c *Conn) Peek(p []byte) int {
	if c.Queue() == 0 {
		return 0
	}
	c.passMark()
	return c.recvQueue.Peek(p[:c.beforeMark(len(p))])
}

// PeekAt copies octets to p as Peek does, from the one on that comes off octets later: for a
// user that looks further ahead each time (SO_PEEK_OFF). It does not stop at a mark.
func (c *Conn) PeekAt(p []byte, off int) int {
	if c.Queue() == 0 {
		return 0
	}
	return c.recvQueue.CopyAt(p, off)
}

// Next returns the first octets to read without copying them: as many as lie together. They
// stay valid until the next Read, Skip, Close or Release.
func (c *Conn) Next() []byte {
	if c.Queue() == 0 {
		return nil
	}
	c.passMark()
	p := c.recvQueue.Next()
	return p[:c.beforeMark(len(p))]
}

// Gather has Next show at least n octets, or all there are where they are fewer: they are copied where they do
// not lie together. What Next has returned before is not valid any more.
func (c *Conn) Gather(n int) {
	if c.Queue() > 0 {
		c.recvQueue.Gather(n)
	}
}

// Skip drops the first n octets to read, of which Next has shown at least n.
func (c *Conn) Skip(now clock.Time, n int) {
	if c.Queue() > 0 {
		c.haveRead(now, c.recvQueue.Discard(n))
	}
}

func (c *Conn) haveRead(now clock.Time, n int) {
	if c.rcv.grows && n > 0 {
		c.fitReceive(now, n)
	}
	c.readOver(n)
	if c.like != nil && n > 0 {
		c.rightSize(now, n)
	}
}

// readOver is called when n octets have left the receive queue.
func (c *Conn) readOver(n int) {
	if n == 0 || c.state == StateClosed {
		return
	}
	if c.rcv.urgent && c.rcv.up.LessEq(c.readPoint()) {
		c.rcv.urgent = false
	}
	if c.likeLinux() && c.readLinux() {
		c.ackNow()
	}
	c.windowMayOpen()
}

// readPoint is the sequence number of the next octet that the user reads.
func (c *Conn) readPoint() seq.Value {
	at := c.rcv.nxt.Add(-c.recvQueue.Len())
	if c.finReached() {
		at = at.Add(-1)
	}
	return at
}

// Urgent returns how many of the octets to come, read or not arrived yet, are urgent data,
// and false where there is no such announcement (RFC 9293 §3.8.5).
func (c *Conn) Urgent() (octets int, ok bool) {
	c.ready()
	n := c.rcv.up.Sub(c.readPoint())
	return max(n, 0), c.rcv.urgent && n > 0
}

// Readable returns how many octets can be read: those before the mark of urgent data, where
// one is ahead, and those behind it, where it comes next and does not lie in line.
func (c *Conn) Readable() int {
	n := c.Queue()
	if !c.rcv.urgent {
		return n
	}
	if n > 0 && c.AtMark() && !c.UrgentInline() {
		return n - 1
	}
	return c.beforeMark(n)
}

// EOF reports whether the stream has ended: the peer's FIN was reached, or CloseRead
// called, and everything before it has been read.
func (c *Conn) EOF() bool { return (c.finReached() || c.deaf) && c.Readable() == 0 }

// Ended reports whether the peer's FIN was reached in order. What came before it may be unread.
func (c *Conn) Ended() bool { return c.finReached() }

// finReached reports whether RCV.NXT is beyond the peer's FIN.
func (c *Conn) finReached() bool { return c.peerFin && c.rcv.nxt == c.rcv.fin.Add(1) }

// CloseWrite is the CLOSE call (RFC 9293 §3.10.4): the FIN follows what is queued, and
// what the peer sends can still be read. In SYN-SENT it deletes the connection.
func (c *Conn) CloseWrite(_ clock.Time) {
	if c.finQueued {
		return
	}
	c.wake()
	switch c.state {
	case StateSynSent:
		c.enterClosed()
		return
	case StateSynReceived:
		// "If no SENDs have been issued and there is no pending data to send, then form a
		// FIN segment and send it, and enter FIN-WAIT-1 state; otherwise, queue for
		// processing after entering ESTABLISHED state."
		if c.sendQueue.Len() == 0 && !c.synDue {
			c.state = StateFinWait1
			c.begin()
		}
	case StateEstablished:
		c.state = StateFinWait1
	case StateCloseWait:
		c.state = StateLastAck
	default:
		return
	}
	c.finQueued, c.settled = true, false
}

// CloseRead ends reading, as shutdown(SHUT_RD) does: what is queued can still be read, what
// comes from now on is acknowledged and, as BSD has it, thrown away. In the Linux profile it is
// kept to be read until the user has ended writing as well, and then answered with a reset.
func (c *Conn) CloseRead(clock.Time) { c.deaf = true }

// Close is for a user that is gone for good, as close(2): what was written is still
// delivered and acknowledged, but nobody reads. Text that was received and not read, or
// that comes later, is answered with a reset "to show that data was lost" (RFC 9293 §3.6.1,
// SHLD-3, RFC 2525 §2.17), and FIN-WAIT-2 has an end.
func (c *Conn) Close(now clock.Time) {
	if c.userGone {
		return
	}
	c.userGone = true
	c.wake()
	if c.recvQueue.Len() > 0 {
		c.recvQueue.Release()
		if c.state.Synchronized() && c.state != StateTimeWait && !c.set.KeepUnread {
			c.ctr.AbortedUnread.Add(1)
			c.queueReset()
			c.enterClosed()
			return
		}
	}
	c.CloseWrite(now)
	c.boundFinWait2(now)
}

// Abort is the ABORT call (RFC 9293 §3.10.5): a reset is sent where the state has it so, and
// everything queued is given up. Err is ECONNABORTED afterwards.
func (c *Conn) Abort(clock.Time) {
	c.wake()
	switch c.state {
	case StateClosed:
		c.Release()
		return
	case StateSynReceived, StateEstablished, StateFinWait1, StateFinWait2, StateCloseWait:
		c.queueReset()
	}
	c.err = errno(syscall.ECONNABORTED)
	c.userGone = true
	c.settled = false
	c.enterClosed()
	c.recvQueue.Release()
}

// Release gives every block back and ends the connection without a word, if it has not
// ended yet. It may be called more than once.
func (c *Conn) Release() {
	c.ready()
	c.enterClosed()
	if c.parked() {
		return
	}
	c.recvQueue.Release()
	if c.reply.flags == 0 {
		c.giveBack()
	}
}

// SetPathMSS says how many octets of TCP options and text the path takes in one packet from
// now on. Where that is less than before, what is outstanding is cut anew and
// sent again, without a reaction of congestion control (RFC 1191 §6.5, RFC 8201 §5.4).
func (c *Conn) SetPathMSS(_ clock.Time, mss int) {
	if c.state == StateClosed {
		return
	}
	c.wake()
	before := c.snd.mss
	c.snd.pathMSS = clampMSS(mss, minMSS)
	if c.set.AnnouncePathMTU && !c.state.Synchronized() {
		c.rcv.mss = min(c.rcv.mss, c.snd.pathMSS)
	}
	c.updateMSS()
	if c.snd.mss < before && c.snd.una != c.snd.nxt && c.state.Synchronized() && !c.probing && !c.snd.connecting {
		c.loseLonger()
		c.settled = false
	}
}

// SetNoDelay turns Nagle's algorithm off (RFC 9293 §3.7.4, MUST-17).
func (c *Conn) SetNoDelay(on bool) {
	c.ready()
	c.noDelay, c.settled = on, false
	if on && c.likeLinux() { // even under a cork, or with more to come
		c.flush = true
	}
}

// SetCork keeps text back that does not fill a segment, until the cork is drawn or the
// persist timer passes.
func (c *Conn) SetCork(on bool) { c.cork, c.flush, c.settled = on, c.flush && on, false }

// SetUserTimeout sets how long sent data may stay unacknowledged (RFC 9293 §3.9.1.1, RFC
// 5482); 0 stands for no limit but the number of retransmissions.
func (c *Conn) SetUserTimeout(_ clock.Time, d time.Duration) {
	c.ready()
	if d = max(d, 0); d != c.UserTimeout() {
		c.own().userTimeout = d
	}
}

// SetBuffers sets how many octets may be queued in each direction; 0 leaves one as it is.
// The window that was offered already is not taken back, and its scale was fixed
// by the handshake: a receive buffer holds at least one unit of that, or the window would stay shut.
func (c *Conn) SetBuffers(recv, send int) {
	c.wake()
	if c.like != nil {
		c.like.recvGrows, c.like.sendGrows = c.like.recvGrows && recv <= 0, c.like.sendGrows && send <= 0
	}
	if recv > 0 {
		c.rcv.buffer, c.rcv.grows = size32(recv), false
		if c.like == nil {
			c.rcv.buffer = max(c.rcv.buffer, 1<<c.rcv.shift)
		}
		if c.ooo != nil {
			c.ooo.SetLimit(c.reassemblyLimit())
		}
		if c.state != StateClosed {
			c.windowMayOpen()
		}
	}
	if send > 0 {
		c.snd.buffer = size32(send)
	}
}
