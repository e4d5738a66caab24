package event

import (
	"fmt"
	"syscall"

	"github.com/weirnet/weir/stack/netconn"
	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/tcp"
)

// What is kept of a connection in shard.TCP.UserFlags.
const (
	paused   = shard.UserPaused    // Pause
	short    = shard.UserShort     // a write took less than it was given, and OnWritable is due
	opened   = short << (iota - 1) // OnOpen was called
	left                           // OnData left something, and there is no reason yet to show it again
	partial                        // OnData has left something of what it was shown last
	ended                          // OnEOF was called
	closing                        // Close or Abort was called
	aborting                       // Abort was called
	shut                           // the state machine was told to close
	moved                          // Detach was called
	over                           // OnClose was called, or the connection has moved
)

func (c *Conn) has(bits uint16) bool { return c.t().UserFlags&bits != 0 }
func (c *Conn) set(bits uint16)      { c.t().UserFlags |= bits }
func (c *Conn) clear(bits uint16)    { c.t().UserFlags &^= bits }

// face is a Handler as the driver sees it. A listener has one for all its connections.
type face struct {
	h        Handler
	listener *Listener   // nil where it was dialled
	forget   func() bool // has the context of a dial forget about the connection; nil where there is none
}

var _ shard.UserHandler = (*face)(nil)

// Name names the handler by its type, for warnings.
func (f *face) Name() string { return fmt.Sprintf("%T", f.h) }

// face returns the connection's.
func (c *Conn) face() *face {
	f, _ := c.t().Handler().(*face)
	return f
}

// OnEvent is called by the driver with the connection locked: after events, and after functions
// given to Post.
func (f *face) OnEvent(t *shard.TCP, ev tcp.Events) {
	c := (*Conn)(t)
	if c.has(over) {
		return
	}
	if ev&tcp.EventConnected != 0 && !c.has(opened) {
		if c.has(short) { // it was written to before
			ev |= tcp.EventWritable
		}
		c.open()
	}
	if ev&shard.EventTimer != 0 && !c.has(closing|moved) {
		if h, ok := c.face().h.(TimerHandler); ok {
			h.OnTimer(c)
		}
	}
	if !c.has(opened) {
		c.failed()
		return
	}
	if ev&tcp.EventWritable != 0 && c.has(short) && !c.has(closing|moved) && t.Room() > 0 {
		c.clear(left | short)
		c.face().h.OnWritable(c)
	}
	if ev&tcp.EventReadable != 0 {
		c.clear(left)
	}
	c.pump()
}

// dialed says that nobody waits for the handshake any more.
func (f *face) dialed() {
	if f.forget != nil {
		f.forget()
		f.forget = nil
	}
}

// open makes the first call.
func (c *Conn) open() {
	c.set(opened)
	c.tcp().SetNoDelay(true) // as package net does
	f := c.face()
	f.dialed()
	if f.listener != nil {
		f.listener.open.Add(1)
	}
	f.h.OnOpen(c)
}

// failed ends a connection that was never open. A listener's user has not heard of it.
func (c *Conn) failed() {
	if c.face().listener != nil {
		return
	}
	if c.has(closing) && !c.has(shut) {
		c.set(shut)
		c.shutDown()
	}
	if err := c.tcp().Err(); err != nil {
		c.finish(err)
	} else if c.tcp().State() == tcp.StateClosed {
		c.finish(syscall.ECONNABORTED) // it was closed while it was dialled
	}
}

// pump makes the calls that are due after what happened: as long as each leads to the next.
func (c *Conn) pump() {
	for c.showData() || c.showEOF() {
	}
	if c.has(moved) {
		c.set(over)
		return
	}
	c.wind()
}

// showData calls OnData where there is something to show, and reports whether to go on.
func (c *Conn) showData() bool {
	conn := c.tcp()
	if c.has(paused|left|closing|ended|moved) || conn.Err() != nil {
		return false
	}
	p := conn.Next()
	if len(p) == 0 {
		return false
	}
	if c.has(partial) && len(p) < conn.Readable() {
		conn.Gather(max(2*len(p), 1024))
		p = conn.Next()
	}
	all := conn.Readable() == len(p)
	n := max(0, min(c.face().h.OnData(c, p), len(p)))
	conn.Skip(c.now(), n)
	if n == len(p) {
		c.clear(partial)
		return true
	}
	c.set(partial)
	if all || c.has(short) { // else it may want to see more at once
		c.set(left)
	}
	return true
}

// showEOF calls OnEOF where it is due, and reports whether it did. What OnData has left does not hold it up,
// unless that waits for OnWritable.
func (c *Conn) showEOF() bool {
	conn := c.tcp()
	if c.has(paused|closing|ended|moved) || !conn.Ended() || conn.Err() != nil {
		return false
	}
	if conn.Readable() > 0 && (!c.has(left) || c.has(short) && conn.MayWrite()) {
		return false
	}
	c.set(ended)
	c.face().h.OnEOF(c)
	return true
}

// wind does what the handler has asked for, and calls OnClose where everything is over.
func (c *Conn) wind() {
	conn := c.tcp()
	if c.has(closing) && !c.has(shut) {
		c.set(shut)
		c.shutDown()
	}
	if err := conn.Err(); err != nil {
		c.finish(err)
		return
	}
	switch conn.State() {
	case tcp.StateClosed, tcp.StateTimeWait:
		switch {
		case c.has(ended | closing):
			c.finish(nil)
		case c.t().Taken():
			c.finish(syscall.ECONNABORTED)
		}
	case tcp.StateFinWait2: // what was written has been acknowledged
		if c.has(closing) {
			c.finish(nil)
		}
	}
}

// shutDown is Close or Abort once no call is under way.
func (c *Conn) shutDown() {
	conn := c.tcp()
	switch {
	case c.has(aborting):
		conn.Abort(c.now())
		return
	case c.has(ended):
		conn.Skip(c.now(), conn.Readable())
	}
	conn.Close(c.now())
}

// finish makes the last call and lets go of the connection.
func (c *Conn) finish(err error) {
	f := c.face()
	f.dialed()
	c.set(over | closing | shut)
	f.h.OnClose(c, err)
	t := c.t()
	t.User = nil
	t.Leave()
	if f.listener != nil {
		f.listener.open.Add(-1)
	}
}

// detach makes the connection a net.Conn.
func (c *Conn) detach() *netconn.TCPConn {
	if f := c.face(); f.listener != nil && c.has(opened) {
		f.listener.open.Add(-1)
	}
	c.set(moved)
	c.clear(short) // the net.Conn hears of room in its own way
	t := c.t()
	t.User = nil
	t.SetTimer(never)
	return netconn.Adopt(t, "tcp")
}
