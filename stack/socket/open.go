package socket

import (
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/tcp"
)

// bind is bind(2) on a TCP socket.
func (s *stream) bind(sa *Sockaddr) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letGo()
	at, both, err := s.bindTo(sa, s.binding != nil || s.stateLocked() != TCP_CLOSE)
	if err != nil {
		return err
	}
	if s.dead {
		return syscall.EBADF
	}
	if s.ip.bindNoPort && at.Port() == 0 { // connect(2) chooses it
		s.bound = at
	} else if err = s.take(at, both); err != nil {
		s.bound = netip.AddrPortFrom(netip.Addr{}, s.nameLocked().Port()) // so much of the old name stays
	} else {
		s.named = at.Port() != 0
		s.boundTo(at.Addr())
	}
	if s.live != nil {
		s.live.renamed = true
	}
	return err
}

// take binds the socket. mu is held.
func (s *stream) take(at netip.AddrPort, both bool) error {
	b, err := s.sys.host.Bind(IPPROTO_TCP, at, s.bindOptions(both))
	if err != nil {
		return errno(err)
	}
	s.binding, s.both = b, both
	s.bound = netip.AddrPortFrom(at.Addr(), b.Local().Port())
	return nil
}

func (s *socket) bindOptions(both bool) shard.BindOptions {
	return shard.BindOptions{
		Both: both, ReuseAddr: s.opt.reuseAddr, ReusePort: s.opt.reusePort, Interface: s.opt.device,
		Ports: s.ip.ports,
	}
}

// letGo gives back a port that was chosen for a connection which has ended since. mu is held.
func (s *stream) letGo() {
	if a := s.live; a != nil && s.binding != nil && !a.renamed && !s.named && a.state() == TCP_CLOSE {
		at := s.bound
		s.unbind()
		s.bound = at
	}
}

// unbind gives the port back. mu is held.
func (s *stream) unbind() {
	if s.binding != nil {
		s.binding.Release()
		s.binding = nil
	}
	s.bound, s.named = netip.AddrPort{}, false
}

// Connect is connect(2). The errors are those of Linux: EINPROGRESS, EALREADY, EISCONN,
// ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL …
func (s *System) Connect(fd int, sa *Sockaddr) error {
	e, f, err := s.sock(fd)
	if err != nil {
		return err
	}
	if sa == nil {
		return syscall.EFAULT
	}
	if sa.Len != 0 && (sa.Len < 2 || sa.Len > 128) {
		return syscall.EINVAL
	}
	return e.connect(f, sa)
}

// connect is inet_stream_connect.
func (s *stream) connect(f *file, sa *Sockaddr) error {
	a, pending, err := s.beginConnect(sa)
	if a == nil {
		return err
	}
	opening := func() bool {
		st := a.state()
		return st == TCP_SYN_SENT || st == TCP_SYN_RECV
	}
	if opening() {
		ready := func() bool { return f.gone.Load() || a.gone.Load() || !opening() }
		if f.nonblocking() || !s.sys.block(s.sendTimeout(), ready, &s.watch) {
			return pending
		}
		if f.gone.Load() {
			return syscall.EBADF
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live != a { // another goroutine has disconnected us
		return syscall.EPIPE
	}
	if a.state() != TCP_CLOSE {
		s.phase = connected
		return nil
	}
	err = s.takeError()
	if err == nil {
		err = syscall.ECONNABORTED
	}
	s.disconnect()
	return err
}

// beginConnect starts to connect where that is not under way, and returns the connection to
// wait for and what to say where it is not waited for; or no connection and the result.
func (s *stream) beginConnect(sa *Sockaddr) (a *attachment, pending, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return nil, nil, syscall.EBADF
	}
	if sa.Family == AF_UNSPEC {
		s.disconnect()
		return nil, nil, nil
	}
	switch s.phase {
	case disconnecting:
		return nil, nil, syscall.EINVAL
	case connected:
		return nil, nil, syscall.EISCONN
	case connecting:
		return s.live, syscall.EALREADY, nil
	}
	if s.stateLocked() != TCP_CLOSE {
		return nil, nil, syscall.EISCONN
	}
	if err := s.open(sa); err != nil {
		return nil, nil, err
	}
	s.phase = connecting
	return s.live, syscall.EINPROGRESS, nil
}

// open sends the SYN. mu is held.
func (s *stream) open(sa *Sockaddr) error {
	to, err := s.destination(sa)
	if err != nil {
		return err
	}
	if to.Addr() == netip.IPv6Unspecified() && s.bound.Addr().Is4() { // this host, by the family it is bound to
		to = netip.AddrPortFrom(loopbackOf(s.bound.Addr()), to.Port())
	}
	if s.live != nil {
		s.detach()
	}
	was := s.bound
	taken := s.binding == nil && was.Addr().IsValid() && !was.Addr().IsUnspecified()
	if taken {
		if err := s.take(netip.AddrPortFrom(was.Addr(), 0), false); err != nil {
			return err
		}
	}
	a := &attachment{s: s, applied: s.opt}
	o := s.tcpOptions(to.Addr().Is4())
	before := s.failed.Swap(0) // what came of an earlier attempt is not this one's
	c, err := s.sys.host.ConnectTCP(s.binding, to, &o, a)
	if err != nil {
		s.failed.CompareAndSwap(0, before)
		if taken {
			s.unbind()
			s.bound = was
		}
		return errno(err)
	}
	a.c, s.live = c, a
	return nil
}

// tcpOptions is what a connection over IPv4, or IPv6, is opened with. mu is held.
func (s *stream) tcpOptions(is4 bool) shard.TCPOptions {
	opt, profile := s.opt, s.sys.profile() // for Setup, which runs later
	recv, send := opt.buffers(profile)
	o := shard.TCPOptions{
		ReceiveBuffer: recv, SendBuffer: send, Interface: opt.device,
		UserMSS: opt.maxSegment, NoOptions: opt.noOptions, HopLimit: s.ip.hopLimit(is4), TrafficClass: s.ip.trafficClass(is4),
		PMTUDisc: s.ip.pmtuDisc(is4), Ports: s.ip.ports,
		Setup: func(c *tcp.Conn) { opt.configure(c, s.sys.host.Now(), profile, nil) },
	}
	if opt.hasCongestion {
		o.CC = &opt.congestion
	}
	return o
}

// disconnect is tcp_disconnect, what connect(2) to AF_UNSPEC does: the socket is as new, but
// for a port that its user has named. mu is held.
func (s *stream) disconnect() {
	ended := false // something has, and the port that was chosen goes with it
	if s.listener != nil {
		s.listener.Close()
		s.listener, ended = nil, true
	}
	was := s.nameLocked().Port()
	if a := s.live; a != nil {
		st := a.state()
		ended = ended || st != TCP_CLOSE || !a.renamed
		s.detach()
		if st != TCP_CLOSE {
			s.fail(syscall.ECONNRESET)
		}
	}
	s.phase = unconnected
	s.shut.Store(0)
	if !s.named && ended {
		at := s.bound.Addr()
		s.unbind()
		s.bound = netip.AddrPortFrom(at, was) // the port is given back and still told, as by Linux
	} else if s.binding != nil {
		s.binding.Widen()
	}
	s.watch.notify(0)
}

// detach lets go of the connection, with a reset where it is not closed. mu is held.
func (s *stream) detach() {
	s.live.gone.Store(true)
	s.live.c.Abort()
	s.live = nil
}

// shutdown is inet_shutdown.
func (s *stream) shutdown(how int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stateLocked()
	if s.phase == connecting {
		if st == TCP_SYN_SENT || st == TCP_SYN_RECV || st == TCP_CLOSE {
			s.phase = disconnecting
		} else {
			s.phase = connected
		}
	}
	switch {
	case st == TCP_LISTEN && how == SHUT_WR:
		return nil
	case st == TCP_LISTEN, st == TCP_SYN_SENT:
		s.disconnect()
		return nil
	}
	s.addShut(uint32(how) + 1)
	if st == TCP_CLOSE {
		return syscall.ENOTCONN
	}
	c, now := s.live.c, s.sys.host.Now()
	c.Lock()
	defer c.Unlock()
	if how != SHUT_RD {
		c.Conn().CloseWrite(now)
		c.Push()
	}
	if s.isShut(shutRead) && s.isShut(shutWrite) {
		c.Conn().CloseRead(now) // who only does not read is sent to all the same, and may read it
	}
	return nil
}

// release is the last close(2): what is queued is still sent, but for SO_LINGER. Unlike in
// Linux, other calls that wait on the socket do not go on doing so.
func (s *stream) release(linger bool) {
	s.mu.Lock()
	a, l := s.live, s.listener
	abort := linger && s.opt.linger && s.opt.lingerTime == 0
	wait := linger && s.opt.linger && !abort
	patience := s.opt.lingerTime
	s.live, s.listener, s.dead = nil, nil, true
	s.unbind()
	s.mu.Unlock()
	if l != nil {
		l.Close()
	}
	if a != nil {
		if abort {
			a.gone.Store(true)
			a.c.Abort()
		} else {
			a.c.Close()
		}
	}
	s.watch.notify(0)
	if a != nil && wait {
		s.sys.linger(a, patience)
	}
}
