package socket

import (
	"net/netip"
	"syscall"
)

// length returns the length that the call was told of the address.
func (sa *Sockaddr) length() int {
	switch {
	case sa.Len != 0:
		return sa.Len
	case sa.Family == AF_INET6:
		return SizeofSockaddrInet6
	}
	return SizeofSockaddrInet4
}

// rfc2133 is the least length of a sockaddr_in6: that of before it had a scope.
const rfc2133 = SizeofSockaddrInet6 - 4

// Bind is bind(2). The errors are EINVAL (bound already, or a wrong length), EAFNOSUPPORT,
// EADDRINUSE, EADDRNOTAVAIL, ENODEV and EFAULT where sa is nil.
func (s *System) Bind(fd int, sa *Sockaddr) error {
	e, _, err := s.sock(fd)
	if err != nil {
		return err
	}
	if sa == nil {
		return syscall.EFAULT
	}
	if sa.Len < 0 || sa.Len > 128 {
		return syscall.EINVAL
	}
	return e.bind(sa)
}

// bindTo reads the address of bind(2): what to bind to, and whether both families are meant. A socket
// that is bound already is told so, over IPv4 at last and over IPv6 before its address is looked for.
func (s *socket) bindTo(sa *Sockaddr, bound bool) (at netip.AddrPort, both bool, err error) {
	if s.domain == AF_INET {
		if at, err = s.bindTo4(sa); err == nil && bound {
			err = syscall.EINVAL
		}
		return at, false, err
	}
	return s.bindTo6(sa, bound)
}

// boundTo notes that an AF_INET6 socket has an address that is none of IPv4's, nor any: it is of
// IPv6 only then, as in Linux.
func (s *socket) boundTo(a netip.Addr) {
	if a.Is6() && !a.IsUnspecified() {
		s.ip.v6only = true
	}
}

func (s *socket) bindTo4(sa *Sockaddr) (at netip.AddrPort, err error) {
	if sa.length() < SizeofSockaddrInet4 {
		return at, syscall.EINVAL
	}
	a := sa.addr().Unmap()
	if sa.Family != AF_INET && (sa.Family != AF_UNSPEC || sa.Addr.IsValid() && !a.IsUnspecified()) {
		return at, syscall.EAFNOSUPPORT
	}
	if !a.Is4() {
		a = netip.IPv4Unspecified()
	}
	if !s.mayBind(a) {
		return at, syscall.EADDRNOTAVAIL
	}
	return netip.AddrPortFrom(a, uint16(sa.Port)), nil
}

func (s *socket) bindTo6(sa *Sockaddr, bound bool) (at netip.AddrPort, both bool, err error) {
	if sa.length() < rfc2133 {
		return at, false, syscall.EINVAL
	}
	if sa.Family != AF_INET6 {
		return at, false, syscall.EAFNOSUPPORT
	}
	a := netip.AddrFrom16(sa.addr().As16())
	switch {
	case a.IsMulticast() && s.typ == SOCK_STREAM, bound:
		return at, false, syscall.EINVAL
	case a.Is4In6():
		if s.ip.v6only {
			return at, false, syscall.EINVAL
		}
		if a = a.Unmap(); !s.mayBind(a) {
			return at, false, syscall.EADDRNOTAVAIL
		}
	case a.IsUnspecified():
		both = !s.ip.v6only
	default:
		if a, err = s.scoped(a, sa.ScopeID, syscall.EINVAL); err != nil {
			return at, false, err
		}
		if !s.mayBind(a.WithZone("")) {
			return at, false, syscall.EADDRNOTAVAIL
		}
	}
	return netip.AddrPortFrom(a, uint16(sa.Port)), both, nil
}

// mayBind reports whether an address is one that a socket may be bound to: the host's, or one
// of many, which Linux lets even TCP sockets have.
func (s *socket) mayBind(a netip.Addr) bool {
	return a.IsUnspecified() || a.IsMulticast() || s.sys.host.IsLocal(a) || a.Is4() && s.sys.isBroadcast(a)
}

// scoped gives a link-local address the zone that its scope names. missing is the error where
// there is none and no device is bound to.
func (s *socket) scoped(a netip.Addr, scope uint32, missing syscall.Errno) (netip.Addr, error) {
	if !a.IsLinkLocalUnicast() && !a.IsLinkLocalMulticast() && !a.IsInterfaceLocalMulticast() {
		return a, nil
	}
	index := int(scope)
	if index == 0 {
		index = s.opt.device
	} else if s.opt.device != 0 && s.opt.device != index {
		return a, syscall.EINVAL
	}
	if index == 0 {
		return a, missing
	}
	name, ok := s.sys.interfaceName(index)
	if !ok {
		return a, syscall.ENODEV
	}
	return a.WithZone(name), nil
}

// destination reads the address of connect(2) and sendto(2).
func (s *socket) destination(sa *Sockaddr) (netip.AddrPort, error) {
	if s.domain == AF_INET {
		if sa.length() < SizeofSockaddrInet4 {
			return netip.AddrPort{}, syscall.EINVAL
		}
		if sa.Family != AF_INET {
			return netip.AddrPort{}, syscall.EAFNOSUPPORT
		}
		a := sa.addr().Unmap()
		if !a.Is4() {
			a = netip.IPv4Unspecified()
		}
		return netip.AddrPortFrom(a, uint16(sa.Port)), nil
	}
	if sa.length() < rfc2133 {
		return netip.AddrPort{}, syscall.EINVAL
	}
	if sa.Family != AF_INET6 {
		return netip.AddrPort{}, syscall.EAFNOSUPPORT
	}
	a := netip.AddrFrom16(sa.addr().As16())
	if a.Is4In6() {
		if s.ip.v6only {
			return netip.AddrPort{}, syscall.ENETUNREACH
		}
		return netip.AddrPortFrom(a.Unmap(), uint16(sa.Port)), nil
	}
	a, err := s.scoped(a, sa.ScopeID, syscall.EINVAL)
	return netip.AddrPortFrom(a, uint16(sa.Port)), err
}

func (s *System) interfaceName(index int) (string, bool) {
	for _, i := range s.host.Interfaces() {
		if i.Index() == index {
			return i.Name(), true
		}
	}
	return "", false
}

// isBroadcast reports whether an IPv4 address is the limited broadcast address or that of one
// of the host's subnets.
func (s *System) isBroadcast(a netip.Addr) bool {
	if a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return true
	}
	for _, i := range s.host.Interfaces() {
		for _, p := range i.Addresses() {
			if p.Addr().Is4() && p.Bits() < 31 && p.Contains(a) && lastOf(p) == a {
				return true
			}
		}
	}
	return false
}

// lastOf returns the last address of a prefix.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}
