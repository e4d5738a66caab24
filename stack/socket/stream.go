package socket

import (
	"net/netip"
	"sync/atomic"
	"syscall"

	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/tcp"
)

// stream is a TCP socket. What it is at the moment follows from what it has: a listener, a
// connection, or neither; and from its phase, which is how far connect(2) has come.
type stream struct {
	socket
	// Under mu:
	phase    phase
	binding  *shard.Binding
	bound    netip.AddrPort // what bind(2) was given, with the port that was chosen
	both     bool           // bound for both families
	named    bool           // the user has named the port
	listener *shard.Listener
	backlog  int
	live     *attachment
	dead     bool // the last descriptor is closed: nothing is to begin any more

	ended atomic.Bool // the host is closed, and the listener with it
}

// phase is the state of a socket as connect(2) sees it, apart from the protocol's.
type phase uint8

const (
	unconnected phase = iota
	connecting
	connected
	disconnecting
)

// attachment ties a connection to its socket. It is the connection's handler, and it stays
// when the socket has let go of it.
type attachment struct {
	s       *stream
	c       *shard.TCP  // not to be used before the socket's mu was taken once
	fin     atomic.Bool // the peer's FIN has come
	gone    atomic.Bool // the socket has let go
	renamed bool        // bind(2) has given the socket another name since it ended; under its mu
	applied options     // under the socket's mu
}

func newStream(sys *System, domain int) *stream {
	s := new(stream)
	s.init(sys, domain, SOCK_STREAM, IPPROTO_TCP)
	return s
}

// OnEvent is called by the driver with the connection locked.
func (a *attachment) OnEvent(c *shard.TCP, ev tcp.Events) {
	if a.gone.Load() {
		return
	}
	if ev&tcp.EventFin != 0 {
		a.fin.Store(true)
	}
	if ev&tcp.EventError != 0 {
		if e, ok := c.Conn().Err().(syscall.Errno); ok && e != syscall.ECONNABORTED {
			a.s.fail(e)
		}
	}
	a.s.watch.notify(eventsOf(ev))
}

// eventsOf translates what may have become true, 0 for anything.
func eventsOf(ev tcp.Events) (mask uint32) {
	if ev&(tcp.EventConnected|tcp.EventError|tcp.EventClosed|tcp.EventFin|tcp.EventTimeWait|tcp.EventFinAcked) != 0 {
		return 0
	}
	if ev&tcp.EventReadable != 0 {
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDBAND
	}
	if ev&tcp.EventWritable != 0 {
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND
	}
	if ev&tcp.EventUrgent != 0 {
		mask |= EPOLLPRI | EPOLLIN | EPOLLRDNORM
	}
	return mask
}

// current returns the connection, or nil.
func (s *stream) current() *attachment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live
}

func (s *stream) listening() *shard.Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listener
}

// state returns the connection's state with Linux's number. A socket whose connection is in
// TIME-WAIT is done with it: for its user it is closed, as in Linux.
func (a *attachment) state() int {
	a.c.Lock()
	defer a.c.Unlock()
	return stateNumber(a.c.Conn().State())
}

var stateNumbers = [...]int{
	tcp.StateClosed: TCP_CLOSE, tcp.StateListen: TCP_LISTEN, tcp.StateSynSent: TCP_SYN_SENT,
	tcp.StateSynReceived: TCP_SYN_RECV, tcp.StateEstablished: TCP_ESTABLISHED, tcp.StateFinWait1: TCP_FIN_WAIT1,
	tcp.StateFinWait2: TCP_FIN_WAIT2, tcp.StateCloseWait: TCP_CLOSE_WAIT, tcp.StateClosing: TCP_CLOSING,
	tcp.StateLastAck: TCP_LAST_ACK, tcp.StateTimeWait: TCP_CLOSE,
}

func stateNumber(st tcp.State) int { return stateNumbers[st] }

// stateLocked is the socket's state, with mu held.
func (s *stream) stateLocked() int {
	switch {
	case s.listener != nil:
		return TCP_LISTEN
	case s.live != nil:
		return s.live.state()
	}
	return TCP_CLOSE
}

// finHasCome reports whether a connection in this state has the peer's FIN.
func finHasCome(state int) bool {
	return state == TCP_CLOSE_WAIT || state == TCP_CLOSING || state == TCP_LAST_ACK
}

// events is tcp_poll.
func (s *stream) events() uint32 {
	s.mu.Lock()
	l, a, low, inline := s.listener, s.live, s.opt.lowWater, s.opt.oobInline
	s.mu.Unlock()
	if l != nil {
		if pending(l) > 0 {
			return EPOLLIN | EPOLLRDNORM
		}
		return 0
	}
	state, shut := TCP_CLOSE, s.shut.Load()
	var mask uint32
	if a != nil {
		a.c.Lock()
		defer a.c.Unlock()
		state = stateNumber(a.c.Conn().State())
		if finHasCome(state) {
			shut |= shutRead
		} else if state == TCP_CLOSE {
			shut |= shutRead | shutWrite
		}
	}
	if state == TCP_CLOSE || shut == shutRead|shutWrite {
		mask |= EPOLLHUP
	}
	if shut&shutRead != 0 {
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP
	}
	if state != TCP_SYN_SENT && state != TCP_SYN_RECV {
		mask |= flowEvents(a, shut, low, inline)
	}
	if s.failed.Load() != 0 {
		mask |= EPOLLERR
	}
	return mask
}

// flowEvents is what the queues of a connection, which is locked, say.
func flowEvents(a *attachment, shut uint32, low int, inline bool) (mask uint32) {
	if a == nil {
		return EPOLLOUT | EPOLLWRNORM
	}
	c := a.c.Conn()
	if n := c.Readable(); n > 0 && (n >= low || c.Info().RcvWnd == 0) {
		mask |= EPOLLIN | EPOLLRDNORM
	}
	if shut&shutWrite != 0 || c.WriteSpace() {
		mask |= EPOLLOUT | EPOLLWRNORM
	}
	if urgent(c, inline) {
		mask |= EPOLLPRI
	}
	return mask
}

// urgent reports whether the octet that the urgent pointer marks is there and not read yet.
func urgent(c *tcp.Conn, inline bool) bool {
	if inline {
		return c.UrgentQueued()
	}
	_, st := c.PeekUrgent()
	return st == tcp.UrgentReady
}

// name is getsockname's.
func (s *stream) name() netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nameLocked()
}

func (s *stream) nameLocked() netip.AddrPort {
	if s.live != nil && !s.live.renamed {
		return s.live.c.Local()
	}
	return s.bound
}

// peer is getpeername's.
func (s *stream) peer() (netip.AddrPort, error) {
	a := s.current()
	if a == nil {
		return netip.AddrPort{}, syscall.ENOTCONN
	}
	if st := a.state(); st == TCP_CLOSE || st == TCP_SYN_SENT {
		return netip.AddrPort{}, syscall.ENOTCONN
	}
	return a.c.Remote(), nil
}

// pending returns how many connections can be accepted.
func pending(l *shard.Listener) int {
	l.Locker().Lock()
	defer l.Locker().Unlock()
	return l.Ready()
}

// take accepts a connection, if there is one.
func take(l *shard.Listener) (c *shard.TCP, closed bool) {
	l.Locker().Lock()
	defer l.Locker().Unlock()
	return l.Take()
}

func (s *stream) isBound() bool {
	s.letGo()
	return s.binding != nil || s.listener != nil || s.live != nil && s.live.state() != TCP_CLOSE
}
