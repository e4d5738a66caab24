package shard

import (
	"github.com/weirnet/weir/stack/tcp"
)

// What a listener keeps of the connections on their way to accept(2): how many are half-open, and
// those in its queue. Both are bounded by the backlog, by Linux's rules.

// queueFull reports whether the accept queue is full: it holds one more than the backlog
// then, so that a backlog of 0 lets one connection in.
func (l *Listener) queueFull() bool { return len(l.queue)+l.admitted > l.opts.Load().Backlog }

// hasRoom reports whether there is a place for one more half-open connection, or counts why
// there is none. l is locked.
func (l *Listener) hasRoom() bool {
	h := l.host
	ctr := &h.counters
	switch {
	case l.closed:
		ctr.listenClosed.Add(1)
	case l.halfOpen >= min(max(l.opts.Load().Backlog, 1), h.cfg.MaxSynBacklog):
		ctr.synQueueFull.Add(1)
	case l.queueFull():
		ctr.listenOverflow.Add(1)
	case h.halfOpens.len() >= h.cfg.MaxHalfOpen:
		ctr.halfOpenFull.Add(1)
	default:
		return true
	}
	return false
}

// reserve takes a place for one more half-open connection: a flood of SYNs beyond that is to cost no
// more than this question.
func (l *Listener) reserve() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.hasRoom() {
		return false
	}
	l.halfOpen++
	return true
}

// forgo gives back what reserve has taken.
func (l *Listener) forgo() {
	l.mu.Lock()
	l.halfOpen--
	l.mu.Unlock()
}

func (l *Listener) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// admission says what a half-open connection gets of a segment.
type admission uint8

const (
	admitSegment admission = iota // the connection is to have it
	admitLast                     // the same, and a place in the accept queue is kept for it
	admitNothing                  // it is ignored
	admitReset                    // it is answered by a reset, and the connection forgotten
)

// admit decides whether a half-open connection gets a segment that arrived for it. The ACK that
// would end the handshake is ignored while the accept queue is full, or resets the
// connection where that was asked for. The record is locked.
func (l *Listener) admit(half *tcp.HalfOpen, s *tcp.Segment) admission {
	if !half.EndsHandshake(s) {
		return admitSegment
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	ctr := &l.host.counters
	switch {
	case l.queueFull() && (l.opts.Load().AbortOnOverflow || l.host.cfg.TCP.AbortOnOverflow):
		ctr.abortOnOverflow.Add(1)
		return admitReset
	case l.queueFull():
		ctr.acceptOverflow.Add(1)
		return admitNothing
	}
	l.admitted++
	return admitLast
}

// stays takes back the place in the queue: the segment has not ended the handshake after all.
func (l *Listener) stays() {
	l.mu.Lock()
	l.admitted--
	l.mu.Unlock()
}

// welcome puts a connection into the accept queue, for which admit has kept a place, or gives it its
// handler. c is locked. One that is reset while it waits in the queue stays there: accept
// returns it and its first read fails, as the kernel's does.
func (l *Listener) welcome(r *round, c *TCP) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.admitted--
	switch o := l.opts.Load(); {
	case l.closed: // nobody will ever close it
		c.detached = true
		c.conn.Abort(r.now)
		return
	case o.Handler != nil:
		c.SetHandler(o.Handler)
	default:
		l.queue = append(l.queue, c)
		if l.onReady != nil {
			l.onReady()
		}
	}
	l.host.counters.accepted.Add(1)
}
