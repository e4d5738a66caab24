package event

import (
	"net"
	"net/netip"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/tcp"
)

// Conn is a TCP connection in the hands of a Handler. It is the driver's own record of the
// connection: there is no further object.
//
// A call of OnData, say, ends before what Close or Abort ask for is done, so that the octets in hand stay
// as they are.
//
// Its methods are for calls of the connection's own handler, and for functions given to Post.
// Only Post, LocalAddr and RemoteAddr may be used from anywhere.
type Conn shard.TCP

const never = clock.Never

// t returns the driver's view.
func (c *Conn) t() *shard.TCP { return (*shard.TCP)(c) }

// tcp returns the state machine.
func (c *Conn) tcp() *tcp.Conn { return c.t().Conn() }

// LocalAddr returns the connection's own end.
func (c *Conn) LocalAddr() netip.AddrPort { return c.t().Local() }

// RemoteAddr returns the peer's end.
func (c *Conn) RemoteAddr() netip.AddrPort { return c.t().Remote() }

// SetValue keeps v with the connection, in place of what was kept before.
func (c *Conn) SetValue(v any) { c.t().User = v }

// Value returns what SetValue was last given, or nil. After OnClose it is forgotten.
func (c *Conn) Value() any { return c.t().User }

// Info returns what the state machine knows of the connection.
func (c *Conn) Info() tcp.Info { return c.tcp().Info() }

// Write copies as much of p to the send queue as there is room for and returns how much. It leaves
// when the handler has returned, together with what other calls of the same round
// wrote. Where that is less than all of p, OnWritable is called once there is room again. There is none
// while 512 KiB wait to be sent or much is unacknowledged, though the send buffer may not be full: see the
// package. It takes nothing after CloseWrite or Close.
func (c *Conn) Write(p []byte) int {
	if c.has(closing | over | moved) {
		return 0
	}
	if c.t().Space() <= 0 {
		return c.refused(len(p))
	}
	n := c.tcp().Write(c.now(), p)
	if n < len(p) {
		c.set(short)
	}
	return n
}

// WriteBlock is Write of what fill puts into the send queue's own memory, without a copy: for text that is made, or
// read from elsewhere, as it is sent, and for who has much to send, as a block is as much as leaves at once. fill is shown room for at least one octet, and no more than some 64 KiB, of
// which it fills the first n; it must not keep p, nor use c. WriteBlock returns n. Where there is no room it
// returns 0 without calling fill, and OnWritable is called once there is.
func (c *Conn) WriteBlock(fill func(p []byte) (n int)) int {
	if c.has(closing|over|moved) || !c.tcp().MayWrite() {
		return 0
	}
	room := c.t().Room()
	if room <= 0 {
		return c.refused(1)
	}
	return c.t().FillBlock(room, fill)
}

// refused is what becomes of a write of n octets when there is no room: OnWritable is due, where it is for any.
func (c *Conn) refused(n int) int {
	if n > 0 {
		c.tcp().WantRoom()
		c.set(short)
	}
	return 0
}

// Writable returns how many octets Write would take now.
func (c *Conn) Writable() int {
	if c.has(closing | over | moved) {
		return 0
	}
	return c.t().Space()
}

// Unsent returns how many octets were written and have not been acknowledged by the peer.
func (c *Conn) Unsent() int {
	unacked, unsent := c.tcp().Queued()
	return unacked + unsent
}

// Buffered returns how many octets were received and are not consumed; in OnData those that it shows count.
func (c *Conn) Buffered() int { return c.tcp().Readable() }

// CloseWrite ends the sending half: a FIN follows what was written. OnData goes on.
func (c *Conn) CloseWrite() {
	if !c.has(closing | over | moved) {
		c.tcp().CloseWrite(c.now())
	}
}

// Close ends the connection. What was written is still delivered, and OnClose says whether
// it was; there is no other call until then. Where the peer's octets were not all consumed it gets a
// reset (RFC 2525 §2.17), unless it has ended its stream.
func (c *Conn) Close() { c.set(closing) }

// Abort resets the connection: what was written and not sent is thrown away. OnClose follows with
// ECONNABORTED.
func (c *Conn) Abort() {
	c.set(closing | aborting)
	c.clear(shut)
}

// Pause stops OnData and OnEOF. What arrives is kept until the receive buffer is full; the peer
// then has to wait.
func (c *Conn) Pause() { c.set(paused) }

// Resume ends Pause, and has what OnData left shown again, once the present call has returned.
func (c *Conn) Resume() { c.clear(paused | left) }

// SetHandler makes h the connection's handler from the next call on. The first call that it gets
// is whatever comes next: it has no OnOpen of its own.
func (c *Conn) SetHandler(h Handler) {
	f := c.face()
	if f == nil { // it has moved
		return
	}
	c.t().SetHandler(&face{h: h, listener: f.listener, forget: f.forget})
}

func (c *Conn) now() clock.Time { return c.t().Host().Now() }

// SetTimer has OnTimer called once when d has passed, in place of when it was to be called before. The
// handler must be a TimerHandler. Moving a timer later costs next to nothing.
func (c *Conn) SetTimer(d time.Duration) {
	if !c.has(over | moved) {
		c.t().SetTimer(c.now().Add(max(d, 0)))
	}
}

// StopTimer takes SetTimer back.
func (c *Conn) StopTimer() { c.t().SetTimer(never) }

// Post has f run with c as in a call of its handler, and what it wrote sent. It may be called from
// anywhere, a call of this or of another connection's handler included. f runs before Post returns where
// the connection is not in use, else a moment later where it is; functions run in the order in
// which they were posted. f always runs, once; after OnClose its Write takes nothing, and Closed says so.
func (c *Conn) Post(f func(c *Conn)) { c.t().Post(func(t *shard.TCP) { f((*Conn)(t)) }) }

// Closed reports whether OnClose was called, or the connection has moved away by Detach.
func (c *Conn) Closed() bool { return c.has(over | moved) }

// Detach makes the connection a net.Conn, a *netconn.TCPConn, with whatever was received and not consumed: in
// OnData, what the call that is under way does not say to be. There are no more calls to the
// handler, OnClose included. The net.Conn is for other goroutines: it may block, and must not be read or
// written in the call. c must not be used any more. It returns nil where the connection is closed, or
// not open yet.
func (c *Conn) Detach() net.Conn {
	if c.has(over|moved|closing) || !c.has(opened) {
		return nil
	}
	return c.detach()
}

// SetNoDelay turns Nagle's algorithm (RFC 9293 §3.7.4) off, which is how a connection begins, or on.
func (c *Conn) SetNoDelay(on bool) { c.tcp().SetNoDelay(on) }

// SetKeepAlive has the peer asked whether it is still there when it was silent for idle, then
// each interval, count times (RFC 9293 §3.8.4). A connection begins without; idle 0 turns it off.
func (c *Conn) SetKeepAlive(idle, interval time.Duration, count int) {
	c.tcp().SetKeepAlive(c.now(), idle > 0, idle, interval, count)
}

// SetUserTimeout bounds how long what was sent may stay unacknowledged before the connection
// fails with ETIMEDOUT (RFC 9293 §3.9.1, RFC 5482); 0 leaves it to the retries.
func (c *Conn) SetUserTimeout(d time.Duration) { c.tcp().SetUserTimeout(c.now(), d) }

// SetBuffers bounds the octets queued in each direction; 0 leaves one as it is.
func (c *Conn) SetBuffers(receive, send int) { c.tcp().SetBuffers(receive, send) }
