package socket

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// endpoint is a socket of some type. Its methods take what the calls of System take.
type endpoint interface {
	object
	base() *socket
	bind(sa *Sockaddr) error
	connect(f *file, sa *Sockaddr) error
	listen(backlog int) error
	accept(f *file) (endpoint, *Sockaddr, error)
	recv(f *file, m *Msghdr, flags int) (int, error)
	send(f *file, m *Msghdr, flags int) (int, error)
	shutdown(how int) error
	name() netip.AddrPort
	peer() (netip.AddrPort, error)
	inq() (int, error)
	outq(unsentOnly bool) (int, error)
	// apply carries an option that was changed to what is open below.
	apply()
	ipOptions() *ipOptions
	// isBound reports whether the socket has a port; mu is held.
	isBound() bool
}

// socket is what all sockets have.
type socket struct {
	sys                   *System
	domain, typ, protocol int
	cookie                uint64
	watch                 watchers

	// failed is the pending error (sk_err), which SO_ERROR or the next call takes.
	failed atomic.Uint32
	// shut is what has been shut down: 1 reading, 2 writing.
	shut atomic.Uint32

	mu  sync.Mutex // guards the rest; taken before a connection's lock, never while waiting
	opt options
	ip  ipOptions
}

const (
	shutRead  = 1
	shutWrite = 2
)

func (s *socket) base() *socket         { return s }
func (s *socket) watchers() *watchers   { return &s.watch }
func (s *socket) ipOptions() *ipOptions { return &s.ip }

// fail leaves an error for the next call.
func (s *socket) fail(e syscall.Errno) { s.failed.Store(uint32(e)) }

// takeError returns the pending error, which is not pending any more, or nil.
func (s *socket) takeError() error {
	if s.failed.Load() == 0 {
		return nil
	}
	if e := s.failed.Swap(0); e != 0 {
		return syscall.Errno(e)
	}
	return nil
}

func (s *socket) isShut(how uint32) bool { return s.shut.Load()&how != 0 }

func (s *socket) addShut(how uint32) {
	for {
		old := s.shut.Load()
		if s.shut.CompareAndSwap(old, old|how) {
			return
		}
	}
}

// timeouts of receiving and sending; less than 0 is none.
func (s *socket) receiveTimeout() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return timeoutOf(s.opt.receiveTimeout)
}

func (s *socket) sendTimeout() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return timeoutOf(s.opt.sendTimeout)
}

func timeoutOf(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

// Socket is socket(2). typ is a type, with SOCK_NONBLOCK and SOCK_CLOEXEC. The errors are
// EAFNOSUPPORT, EINVAL, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EACCES and EMFILE.
func (s *System) Socket(domain, typ, protocol int) (int, error) {
	kind := typ & 0xf
	if typ&^0xf&^(SOCK_NONBLOCK|SOCK_CLOEXEC) != 0 {
		return -1, syscall.EINVAL
	}
	if kind > SOCK_PACKET && domain >= 0 && domain < maxFamilies {
		return -1, syscall.EINVAL
	}
	if domain != AF_INET && domain != AF_INET6 {
		return -1, syscall.EAFNOSUPPORT
	}
	protocol, err := protocolOf(domain, kind, protocol)
	if err != nil {
		return -1, err
	}
	e, err := s.newEndpoint(domain, kind, protocol)
	if err != nil {
		return -1, err
	}
	fd, err := s.install(newFile(e, typ), 0, typ&SOCK_CLOEXEC != 0)
	if err != nil {
		e.release(false)
	}
	return num(fd, err)
}

// maxFamilies and maxProtocols are AF_MAX and IPPROTO_MAX.
const (
	maxFamilies  = 46
	maxProtocols = 263
)

// protocolOf returns the protocol of a socket, as inet_create finds it: 0 is that of the type.
func protocolOf(domain, kind, protocol int) (int, error) {
	if protocol < 0 || protocol >= maxProtocols {
		return 0, syscall.EINVAL
	}
	own := 0
	switch kind {
	case SOCK_STREAM:
		own = IPPROTO_TCP
	case SOCK_DGRAM:
		own = IPPROTO_UDP
		if domain == AF_INET && protocol == IPPROTO_ICMP || domain == AF_INET6 && protocol == IPPROTO_ICMPV6 {
			return 0, syscall.EACCES // net.ipv4.ping_group_range lets nobody, as it is at first
		}
	case SOCK_RAW:
		if protocol == 0 {
			return 0, syscall.EPROTONOSUPPORT
		}
		return protocol, nil
	default:
		return 0, syscall.ESOCKTNOSUPPORT
	}
	if protocol != 0 && protocol != own {
		return 0, syscall.EPROTONOSUPPORT
	}
	return own, nil
}

func (s *System) newEndpoint(domain, kind, protocol int) (endpoint, error) {
	if kind == SOCK_STREAM {
		return newStream(s, domain), nil
	}
	return newDatagram(s, domain, kind, protocol)
}

// init makes a new socket of it.
func (s *socket) init(sys *System, domain, kind, protocol int) {
	s.sys, s.domain, s.typ, s.protocol, s.cookie = sys, domain, kind, protocol, sys.cookie.Add(1)
	s.opt, s.ip = defaultOptions(), defaultIPOptions(sys)
	s.ip.multicastAll = domain == AF_INET
}

// sockaddr returns an end as the socket's family writes it: an AF_INET6 socket sees IPv4 ends
// as mapped addresses.
func (s *socket) sockaddr(ap netip.AddrPort) *Sockaddr {
	a := ap.Addr()
	scope := uint32(0)
	if zone := a.Zone(); zone != "" {
		if i := s.sys.host.InterfaceByName(zone); i != nil {
			scope = uint32(i.Index())
		}
	}
	a = a.WithZone("")
	if s.domain == AF_INET {
		if !a.IsValid() || !a.Unmap().Is4() {
			a = netip.IPv4Unspecified()
		}
		return &Sockaddr{Family: AF_INET, Addr: a.Unmap(), Port: int(ap.Port())}
	}
	if !a.IsValid() {
		a = netip.IPv6Unspecified()
	}
	return &Sockaddr{Family: AF_INET6, Addr: netip.AddrFrom16(a.As16()), Port: int(ap.Port()), ScopeID: scope}
}

// Getsockname is getsockname(2).
func (s *System) Getsockname(fd int) (*Sockaddr, error) {
	e, _, err := s.sock(fd)
	if err != nil {
		return nil, err
	}
	return e.base().sockaddr(e.name()), nil
}

// Getpeername is getpeername(2); ENOTCONN where there is no peer.
func (s *System) Getpeername(fd int) (*Sockaddr, error) {
	e, _, err := s.sock(fd)
	if err != nil {
		return nil, err
	}
	ap, err := e.peer()
	if err != nil {
		return nil, err
	}
	return e.base().sockaddr(ap), nil
}

// Shutdown is shutdown(2): how is SHUT_RD, SHUT_WR or SHUT_RDWR. The errors are EINVAL and ENOTCONN.
func (s *System) Shutdown(fd, how int) error {
	e, _, err := s.sock(fd)
	if err != nil {
		return err
	}
	if how < SHUT_RD || how > SHUT_RDWR {
		return syscall.EINVAL
	}
	err = e.shutdown(how)
	e.watchers().notify(0)
	return err
}
