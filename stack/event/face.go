package event

import (
	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/tcp"
)

// What is kept of a connection in shard.UserData.Flags.
const (
	opened   = 1 << iota // OnOpen was called
	paused               // Pause
	left                 // OnData left something and has nothing new to be shown
	ended                // OnEOF was called
	closing              // Close or Abort was called
	aborting             // Abort was called
	shut                 // the state machine was told to close
	over                 // OnClose was called
)

func (c *Conn) has(bits uint16) bool { return c.t().User.Flags&bits != 0 }
func (c *Conn) set(bits uint16)      { c.t().User.Flags |= bits }
func (c *Conn) clear(bits uint16)    { c.t().User.Flags &^= bits }

// face is a Handler as the driver sees it. A listener has one for all its connections.
type face struct {
	h        Handler
	listener *Listener // nil where it was dialled
}

var _ shard.Handler = (*face)(nil)

// face returns the connection's.
func (c *Conn) face() *face {
	f, _ := c.t().Handler().(*face)
	return f
}

// OnEvent is called by the driver with the connection locked.
func (f *face) OnEvent(t *shard.TCP, ev tcp.Events) {
	c := (*Conn)(t)
	if c.has(over) {
		return
	}
	if ev&tcp.EventConnected != 0 && !c.has(opened) {
		c.set(opened)
		if f.listener != nil {
			f.listener.open.Add(1)
		}
		c.tcp().SetNoDelay(true) // as package net does
		f.h.OnOpen(c)
	}
	if !c.has(opened) {
		f.failed(c)
		return
	}
	if ev&tcp.EventWritable != 0 && !c.has(closing) {
		c.clear(left)
		c.face().h.OnWritable(c)
	}
	if ev&tcp.EventReadable != 0 {
		c.clear(left)
	}
	c.pump()
}

// failed ends a connection that was never open. A listener's user has not heard of it.
func (f *face) failed(c *Conn) {
	if f.listener != nil {
		return
	}
	if err := c.tcp().Err(); err != nil || c.tcp().State() == tcp.StateClosed {
		c.finish(err)
	}
}

// pump makes the calls that are due after what happened: as long as each leads to the next.
func (c *Conn) pump() {
	for c.showData() || c.showEOF() {
	}
	c.wind()
}

// showData calls OnData where there is something to show, and reports whether to go on.
func (c *Conn) showData() bool {
	conn := c.tcp()
	if c.has(paused|left|closing|ended) || conn.Err() != nil {
		return false
	}
	p := conn.Next()
	if len(p) == 0 {
		return false
	}
	n := max(0, min(c.face().h.OnData(c, p), len(p)))
	conn.Skip(c.now(), n)
	if n < len(p) {
		c.set(left)
	}
	return true
}

// showEOF calls OnEOF where it is due, and reports whether it did.
func (c *Conn) showEOF() bool {
	conn := c.tcp()
	if c.has(paused|closing|ended) || !conn.EOF() || conn.Err() != nil {
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
		if c.has(ended | closing) {
			c.finish(nil)
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
	if c.has(aborting) {
		conn.Abort(c.now())
		return
	}
	if c.has(ended) {
		conn.Skip(c.now(), conn.Readable())
	}
	conn.Close(c.now())
}

// finish makes the last call and lets go of the connection.
func (c *Conn) finish(err error) {
	f := c.face()
	c.set(over | closing | shut)
	f.h.OnClose(c, err)
	t := c.t()
	t.User.Value = nil
	t.Leave()
	if f.listener != nil {
		f.listener.open.Add(-1)
	}
}
