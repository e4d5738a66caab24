package socket

import (
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/shard"
)

// Listen is listen(2). More connections than the backlog and one are ignored, or refused where
// tcp.Settings.AbortOnOverflow or Config.RefuseOverflow says so. The errors are EOPNOTSUPP, EINVAL and EADDRINUSE.
func (s *System) Listen(fd, backlog int) error {
	e, _, err := s.sock(fd)
	if err != nil {
		return err
	}
	if backlog < 0 || backlog > s.cfg.Somaxconn {
		backlog = s.cfg.Somaxconn
	}
	return e.listen(backlog)
}

func (s *stream) listen(backlog int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch st := s.stateLocked(); {
	case s.phase != unconnected, st != TCP_CLOSE && st != TCP_LISTEN:
		return syscall.EINVAL
	case s.dead:
		return syscall.EBADF
	case st == TCP_LISTEN:
		s.listener.SetBacklog(backlog)
		s.backlog = backlog
		return nil
	}
	if s.binding == nil {
		any, both := netip.IPv4Unspecified(), false
		if s.domain == AF_INET6 {
			any, both = netip.IPv6Unspecified(), !s.ip.v6only
		}
		if s.bound.IsValid() && !s.bound.Addr().IsUnspecified() {
			any, both = s.bound.Addr(), false
		}
		if err := s.take(netip.AddrPortFrom(any, 0), both); err != nil {
			return err
		}
	}
	o := shard.ListenOptions{
		Backlog: backlog, RefuseOverflow: s.sys.cfg.RefuseOverflow,
		DeferAccept: s.opt.deferAccept, TCP: s.tcpOptions(s.domain == AF_INET),
	}
	l, err := s.sys.host.ListenTCP(s.binding, o)
	if err != nil {
		return errno(err)
	}
	l.OnReady(func() {
		if l.Ready() == 0 {
			s.ended.Store(true)
		}
		s.watch.notify(EPOLLIN | EPOLLRDNORM)
	})
	s.listener, s.backlog = l, backlog
	s.shut.Store(0)
	s.watch.notify(0) // somebody may have connected before OnReady was set
	return nil
}

// Accept is accept(2).
func (s *System) Accept(fd int) (int, *Sockaddr, error) { return s.Accept4(fd, 0) }

// Accept4 is accept4(2), with SOCK_NONBLOCK and SOCK_CLOEXEC for the new socket. The errors
// are EINVAL (not listening, wrong flags), EOPNOTSUPP, EAGAIN and EMFILE.
func (s *System) Accept4(fd, flags int) (int, *Sockaddr, error) {
	f, err := s.file(fd)
	if err != nil {
		return -1, nil, err
	}
	if flags&^(SOCK_CLOEXEC|SOCK_NONBLOCK) != 0 {
		return -1, nil, syscall.EINVAL
	}
	e, ok := f.object.(endpoint)
	if !ok {
		return -1, nil, syscall.ENOTSOCK
	}
	got, err := s.install(nil, 0, flags&SOCK_CLOEXEC != 0) // first, so that no connection is lost to EMFILE
	if err != nil {
		return -1, nil, err
	}
	n, from, err := e.accept(f)
	if err != nil {
		s.forgo(got)
		return -1, nil, err
	}
	s.enter(got, newFile(n, flags))
	return got, from, nil
}

func (s *stream) accept(f *file) (endpoint, *Sockaddr, error) {
	var got *shard.TCP
	attempt := func() (int, error) {
		l := s.listening()
		if l == nil {
			return -1, syscall.EINVAL
		}
		c, closed := take(l)
		switch {
		case c != nil:
			got = c
			return 0, nil
		case closed:
			return -1, syscall.EINVAL
		}
		return -1, syscall.EAGAIN
	}
	ready := func() bool {
		l := s.listening()
		if l == nil {
			return true
		}
		return s.ended.Load() || pending(l) > 0
	}
	if _, err := s.sys.retry(f, f.nonblocking(), s.receiveTimeout(), attempt, ready); err != nil {
		return nil, nil, err
	}
	n := s.adopt(got)
	return n, n.sockaddr(got.Remote()), nil
}

// adopt makes a socket of an accepted connection. It inherits the listener's options.
func (s *stream) adopt(c *shard.TCP) *stream {
	n := newStream(s.sys, s.domain)
	s.mu.Lock()
	n.opt, n.ip = s.opt, s.ip
	if at := s.bound.Addr(); at.IsValid() && !at.IsUnspecified() {
		n.bound = netip.AddrPortFrom(at, 0)
	}
	s.mu.Unlock()
	a := &attachment{s: n, c: c, applied: n.opt}
	n.live, n.phase = a, connected
	n.apply() // over IPv4 and over IPv6 some differ
	c.Lock()
	defer c.Unlock()
	c.SetHandler(a)
	if finHasCome(stateNumber(c.Conn().State())) {
		a.fin.Store(true)
	}
	if e, ok := c.Conn().Err().(syscall.Errno); ok {
		n.fail(e)
	}
	return n
}
