package shard

import (
	"math"
	"time"

	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp"
	"github.com/weirnet/weir/stack/wire"
)

// What a listener keeps of the connections on their way to accept(2): the half-open ones, and
// those in its queue. Both are bounded by the backlog, by Linux's rules.

// queueFull reports whether the accept queue is full: it holds one more than the backlog
// then, so that a backlog of 0 lets one connection in.
func (l *Listener) queueFull() bool { return len(l.queue)+l.admitted > l.opts.Backlog }

// reserve takes a place for one more half-open connection, or counts why there is none.
func (l *Listener) reserve(c *TCP) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ctr := &l.host.counters
	switch {
	case l.closed:
		ctr.listenClosed.Add(1)
	case len(l.halfOpen) >= min(max(l.opts.Backlog, 1), l.host.cfg.MaxSynBacklog):
		ctr.synQueueFull.Add(1)
	case l.queueFull():
		ctr.listenOverflow.Add(1)
	default:
		l.halfOpen[c] = struct{}{}
		return true
	}
	return false
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
// connection where that was asked for; and it is ignored while text is waited for with it.
// c is locked.
func (l *Listener) admit(c *TCP, s *tcp.Segment) admission {
	if !endsHandshake(c, s) {
		return admitSegment
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	ctr := &l.host.counters
	switch {
	case l.queueFull() && l.opts.AbortOnOverflow:
		ctr.abortOnOverflow.Add(1)
		return admitReset
	case l.queueFull():
		ctr.acceptOverflow.Add(1)
		return admitNothing
	case l.opts.DeferAccept > 0 && len(s.Payload) == 0 && s.Flags&wire.FlagFIN == 0 &&
		int(c.synAcks)-1 < retransmissions(l.opts.DeferAccept, l.synAckRTO()):
		c.deferred = true
		ctr.deferred.Add(1)
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

// synAckRTO is the timeout of the first SYN,ACK.
func (l *Listener) synAckRTO() time.Duration {
	s := l.opts.TCP.Settings
	if s == nil {
		s = l.host.cfg.TCP
	}
	return s.RTO.Initial
}

// retransmissions turns TCP_DEFER_ACCEPT's time into a number of SYN,ACKs sent again, at
// timeouts that begin with rto and double.
func retransmissions(d, rto time.Duration) (n int) {
	const longest = 120 * time.Second
	for passed := time.Duration(0); d > passed && n < math.MaxUint8 && rto > 0; n++ {
		passed += rto
		rto = min(2*rto, longest)
	}
	return n
}

// holdsSynAck reports, and counts, a segment of a half-open connection that is not to be sent:
// the SYN,ACK again, while its peer has sent its ACK and only text is waited for. The last
// before the time is over goes out, so that one that never sends text is let in then.
func (l *Listener) holdsSynAck(c *TCP, s *tcp.Segment) bool {
	if s.Flags&(wire.FlagSYN|wire.FlagACK) != wire.FlagSYN|wire.FlagACK {
		return false
	}
	if c.synAcks < math.MaxUint8 {
		c.synAcks++
	}
	if !c.deferred {
		return false
	}
	l.mu.Lock()
	n := retransmissions(l.opts.DeferAccept, l.synAckRTO())
	l.mu.Unlock()
	return int(c.synAcks)-1 < n
}

// progress moves a connection from half-open to the accept queue, or forgets it. c is
// locked. One that is reset while it waits in the queue stays there: accept
// returns it and its first read fails, as the kernel's does.
func (l *Listener) progress(c *TCP, ev tcp.Events) {
	l.mu.Lock()
	l.dismiss(c)
	delete(l.halfOpen, c)
	up := ev&tcp.EventConnected != 0 && !l.closed
	if up {
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
