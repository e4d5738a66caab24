package script

import (
	"net/netip"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/socket"
)

func (r *runner) callSocket(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 3); err != nil {
		return nil, err
	}
	domain := socket.AF_INET
	if r.cfg.family != FamilyIPv4 {
		domain = socket.AF_INET6
	}
	if !isEllipsis(c.Args[0]) {
		v, err := r.ints(c, 0)
		if err != nil {
			return nil, err
		}
		domain = v[0]
	}
	v, err := r.ints(c, 1, 2)
	if err != nil {
		return nil, err
	}
	inv := &invocation{fd: true, do: func() (int, error) { return r.b.Calls().Socket(domain, v[0], v[1]) }}
	inv.check = func(n int, err error) error {
		if n < 0 {
			return nil
		}
		e := newEndpoint()
		e.family, e.typ, e.protocol = domain, v[0]&0xf, v[1]
		if e.protocol == 0 {
			e.protocol = map[int]int{socket.SOCK_STREAM: socket.IPPROTO_TCP, socket.SOCK_DGRAM: socket.IPPROTO_UDP}[e.typ]
		}
		r.endpoints, r.test = append(r.endpoints, e), e
		return r.opened(c, e, n)
	}
	return inv, nil
}

func (r *runner) callBind(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 3); err != nil {
		return nil, err
	}
	fd, e, err := r.live(c, 0)
	if err != nil {
		return nil, err
	}
	addr := r.cfg.local
	if kernel(r.cfg.profile) == "freebsd" { // nplab's packetdrill binds to any address, Google's to its own
		addr = map[bool]netip.Addr{true: netip.IPv4Unspecified(), false: netip.IPv6Unspecified()}[addr.Is4()]
		if r.cfg.mapped() {
			addr = netip.IPv6Unspecified()
		}
	}
	sa, err := r.sockaddr(c.Args[1], netip.AddrPortFrom(addr, r.cfg.bindPort))
	if err != nil {
		return nil, err
	}
	if err := r.addrLen(sa, c.Args[2]); err != nil {
		return nil, err
	}
	inv := &invocation{do: func() (int, error) { return done(r.b.Calls().Bind(fd, sa)) }}
	inv.check = func(n int, err error) error {
		if n == 0 && e != nil {
			e.local = netip.AddrPortFrom(r.cfg.local, uint16(sa.Port))
		}
		return nil
	}
	return inv, nil
}

// addrLen takes over the length that a script gives for an address.
func (r *runner) addrLen(sa *socket.Sockaddr, e ast.Expr) error {
	if isEllipsis(e) {
		return nil
	}
	n, err := r.integer(e)
	right := socket.SizeofSockaddrInet4
	if sa.Family == socket.AF_INET6 {
		right = socket.SizeofSockaddrInet6
	}
	if err == nil && int(n) != right {
		sa.Len = int(n)
	}
	return err
}

// done is the result of a call that returns nothing but an error.
func done(err error) (int, error) {
	if err != nil {
		return -1, err
	}
	return 0, nil
}

func (r *runner) callListen(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 2); err != nil {
		return nil, err
	}
	fd, e, err := r.live(c, 0)
	if err != nil {
		return nil, err
	}
	v, err := r.ints(c, 1)
	if err != nil {
		return nil, err
	}
	inv := &invocation{do: func() (int, error) { return done(r.b.Calls().Listen(fd, v[0])) }}
	inv.check = func(n int, err error) error {
		if n == 0 && e != nil {
			e.phase = phaseListening
		}
		return nil
	}
	return inv, nil
}

func (r *runner) callAccept(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 3+b2i(c.Name == "accept4")); err != nil {
		return nil, err
	}
	fd, _, err := r.live(c, 0)
	if err != nil {
		return nil, err
	}
	flags := []int{0}
	if c.Name == "accept4" {
		if flags, err = r.ints(c, 3); err != nil {
			return nil, err
		}
	}
	var peer *socket.Sockaddr
	inv := &invocation{fd: true}
	inv.do = func() (n int, err error) {
		if c.Name == "accept4" {
			n, peer, err = r.b.Calls().Accept4(fd, flags[0])
		} else {
			n, peer, err = r.b.Calls().Accept(fd)
		}
		return n, err
	}
	inv.check = func(n int, err error) error {
		if n < 0 {
			return nil
		}
		if err := r.accepted(c, n, peer); err != nil {
			return err
		}
		return r.compareAddress(c, 1, peer)
	}
	return inv, nil
}

// compareAddress compares an address that a call wrote, and its length, with the two arguments from
// the place at on: ... or NULL, or a structure and [length].
func (r *runner) compareAddress(c *ast.Syscall, at int, got *socket.Sockaddr) error {
	if s, ok := c.Args[at].(*ast.Struct); ok {
		if got == nil {
			return r.fail(c.Name+"() wrote no address", s.String(), "")
		}
		want, err := r.sockaddr(s, got.AddrPort())
		if err != nil {
			return err
		}
		if want.AddrPort() != got.AddrPort() || want.Family != got.Family {
			return r.fail(c.Name+"() wrote another address", want.AddrPort().String(), got.AddrPort().String())
		}
	}
	l, ok := c.Args[at+1].(*ast.List)
	if !ok || len(l.Elems) != 1 || isEllipsis(l.Elems[0]) {
		return nil
	}
	n := 0
	switch {
	case got == nil:
	case got.Family == socket.AF_INET6:
		n = socket.SizeofSockaddrInet6
	default:
		n = socket.SizeofSockaddrInet4
	}
	return r.compareWritten(c, l, int64(n))
}

// accepted gives a descriptor to the connection that came in from peer.
func (r *runner) accepted(c *ast.Syscall, fd int, peer *socket.Sockaddr) error {
	from := netip.AddrPortFrom(peer.AddrPort().Addr().Unmap(), uint16(peer.Port))
	for _, e := range r.endpoints {
		if e.liveFD < 0 && !e.closed && e.remote == from && e.protocol == socket.IPPROTO_TCP {
			return r.opened(c, e, fd)
		}
	}
	return r.fail("accept() returned a connection that the script has no packet of, from "+from.String(), "", "")
}

func (r *runner) callConnect(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 3); err != nil {
		return nil, err
	}
	fd, e, err := r.live(c, 0)
	if err != nil {
		return nil, err
	}
	sa, err := r.sockaddr(c.Args[1], netip.AddrPortFrom(r.cfg.remote, r.cfg.connectPort))
	if err != nil {
		return nil, err
	}
	if err := r.addrLen(sa, c.Args[2]); err != nil {
		return nil, err
	}
	r.connecting(e, sa)
	return &invocation{do: func() (int, error) { return done(r.b.Calls().Connect(fd, sa)) }}, nil
}

// connecting notes that a socket is about to send to an address.
func (r *runner) connecting(e *endpoint, sa *socket.Sockaddr) {
	switch {
	case e == nil || sa == nil:
	case sa.Family == socket.AF_UNSPEC:
		e.phase, e.remote = phaseNew, netip.AddrPort{}
		e.local = netip.AddrPort{}
	case e.phase == phaseNew:
		e.phase = phaseConnecting
		e.remote = netip.AddrPortFrom(sa.AddrPort().Addr().Unmap(), uint16(sa.Port))
	}
}

func (r *runner) callGetname(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 3); err != nil {
		return nil, err
	}
	fd, _, err := r.live(c, 0)
	if err != nil {
		return nil, err
	}
	var got *socket.Sockaddr
	inv := &invocation{do: func() (n int, err error) {
		if c.Name == "getsockname" {
			got, err = r.b.Calls().Getsockname(fd)
		} else {
			got, err = r.b.Calls().Getpeername(fd)
		}
		return done(err)
	}}
	inv.check = func(n int, err error) error {
		if n < 0 {
			return nil
		}
		return r.compareAddress(c, 1, got)
	}
	return inv, nil
}

func (r *runner) callClose(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 1); err != nil {
		return nil, err
	}
	fd, e, err := r.live(c, 0)
	if err != nil {
		return nil, err
	}
	inv := &invocation{do: func() (int, error) { return done(r.b.Calls().CloseFD(fd)) }}
	inv.check = func(n int, err error) error {
		if e != nil {
			e.closed = true
		}
		return nil
	}
	return inv, nil
}

func (r *runner) callShutdown(c *ast.Syscall) (*invocation, error) {
	if err := argCount(c, 2); err != nil {
		return nil, err
	}
	fd, _, err := r.live(c, 0)
	if err != nil {
		return nil, err
	}
	v, err := r.ints(c, 1)
	if err != nil {
		return nil, err
	}
	return &invocation{do: func() (int, error) { return done(r.b.Calls().Shutdown(fd, v[0])) }}, nil
}
