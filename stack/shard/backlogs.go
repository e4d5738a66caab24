package shard

import (
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wire"
)

// What a listener keeps of the connections on their way to accept(2): the half-open ones, and
// those in its queue. Both are bounded by the backlog, by Linux's rules.

// queueFull reports whether the accept queue is full: it holds one more than the backlog
// then, so that a backlog of 0 lets one connection in.
func (l *Listener) queueFull() bool { return len(l.queue)+l.admitted > l.opts.Backlog }

// hasRoom reports whether there is a place for one more half-open connection, or counts why
// there is none. l is locked.
func (l *Listener) hasRoom() bool {
	ctr := &l.host.counters
	switch {
	case l.closed:
		ctr.listenClosed.Add(1)
	case len(l.halfOpen) >= min(max(l.opts.Backlog, 1), l.host.cfg.MaxSynBacklog):
		ctr.synQueueFull.Add(1)
	case l.queueFull():
		ctr.listenOverflow.Add(1)
	default:
		return true
	}
	return false
}

// options returns the options for a connection that a SYN asks for.
func (l *Listener) options() ListenOptions {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.opts
}

// room reports whether there is a place for one more half-open connection: a flood of SYNs is
// to cost no more than that question.
func (l *Listener) room() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hasRoom()
}

// reserve takes a place for one more half-open connection.
func (l *Listener) reserve(c *TCP) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.hasRoom() { // another queue's loop was quicker
		return false
	}
	l.halfOpen[c] = struct{}{}
	return true
}

// admission says what a half-open connection gets of a segment.
type admission uint8

const (
	admitSegment admission = iota // the connection is to have it
	admitNothing                  // it is ignored
	admitReset                    // it is answered by a reset, and the connection forgotten
)

// admit decides whether a half-open connection gets a segment that arrived for it. The ACK that
// would end the handshake is ignored while the accept queue is full, or resets the
// connection where that was asked for. c is locked.
func (l *Listener) admit(c *TCP, s *tcp.Segment) admission {
	if !endsHandshake(c, s) {
		return admitSegment
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	ctr := &l.host.counters
	switch {
	case l.queueFull() && (l.opts.AbortOnOverflow || l.host.cfg.TCP.AbortOnOverflow):
		ctr.abortOnOverflow.Add(1)
		return admitReset
	case l.queueFull():
		ctr.acceptOverflow.Add(1)
		return admitNothing
	}
	c.admitted = true
	l.admitted++
	return admitSegment
}

// endsHandshake reports whether s would take the half-open connection to ESTABLISHED.
func endsHandshake(c *TCP, s *tcp.Segment) bool {
	if s.Flags&(wire.FlagACK|wire.FlagRST) != wire.FlagACK || c.conn.State() != tcp.StateSynReceived {
		return false
	}
	i := c.conn.Info()
	next := seq.Value(i.RcvNxt)
	return uint32(s.Ack) == i.SndNxt && i.SndNxt != i.SndUna &&
		next.LessEq(s.End()) && s.Seq.LessEq(next.Add(i.RcvWnd))
}

// progress moves a connection from half-open to the accept queue, or forgets it. c is
// locked. One that is reset while it waits in the queue stays there: accept
// returns it and its first read fails, as the kernel's does.
func (l *Listener) progress(c *TCP, ev tcp.Events) {
	l.mu.Lock()
	l.dismiss(c)
	delete(l.halfOpen, c)
	up := ev&tcp.EventConnected != 0 && !l.closed
	switch {
	case !up:
	case l.opts.Handler != nil:
		c.SetHandler(l.opts.Handler)
	default:
		l.queue = append(l.queue, c)
		if l.onReady != nil {
			l.onReady()
		}
	}
	l.mu.Unlock()
	c.parent = nil
	if !up {
		c.detached = true // nobody will ever close it
		return
	}
	l.host.counters.accepted.Add(1)
}

// dismiss takes back what admit has promised a connection. Both are locked.
func (l *Listener) dismiss(c *TCP) {
	if c.admitted {
		c.admitted = false
		l.admitted--
	}
}

// stays is called when a segment has not ended c's handshake after all.
func (l *Listener) stays(c *TCP) {
	l.mu.Lock()
	l.dismiss(c)
	l.mu.Unlock()
}
