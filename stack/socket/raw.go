package socket

import (
	"encoding/binary"
	"net/netip"
	"syscall"
)

// bindRaw is raw_bind and rawv6_bind. Unlike other sockets a raw one may be bound again.
func (d *datagram) bindRaw(sa *Sockaddr) error {
	if d.domain == AF_INET {
		if d.raw.Remote().IsValid() || sa.length() < SizeofSockaddrInet4 {
			return syscall.EINVAL
		}
		a := sa.addr().Unmap()
		if !a.Is4() {
			a = netip.IPv4Unspecified()
		}
		if !d.mayBind(a) {
			return syscall.EADDRNOTAVAIL
		}
		return errno(d.raw.Bind(a))
	}
	if sa.length() < rfc2133 || sa.Family != AF_INET6 {
		return syscall.EINVAL
	}
	a := netip.AddrFrom16(sa.addr().As16())
	if a.Is4In6() {
		return syscall.EADDRNOTAVAIL
	}
	if d.raw.Remote().IsValid() {
		return syscall.EINVAL
	}
	a, err := d.scoped(a, sa.ScopeID, syscall.EINVAL)
	if err != nil {
		return err
	}
	if !d.mayBind(a.WithZone("")) {
		return syscall.EADDRNOTAVAIL
	}
	return errno(d.raw.Bind(a))
}

// connectRaw notes the peer. mu is held.
func (d *datagram) connectRaw(to netip.AddrPort) error {
	a := to.Addr()
	if a.IsUnspecified() {
		a = loopbackOf(a)
	}
	if d.domain == AF_INET6 && a.Is4() {
		return syscall.ENETUNREACH
	}
	if err := d.raw.Connect(a); err != nil {
		return errno(err)
	}
	d.peerPort.Store(uint32(to.Port()))
	return nil
}

func loopbackOf(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

// rawName is getsockname's: the protocol stands where the port would.
func (d *datagram) rawName() netip.AddrPort {
	a := d.raw.Local()
	if !a.IsValid() {
		a = netip.IPv6Unspecified()
		if d.domain == AF_INET {
			a = netip.IPv4Unspecified()
		}
	}
	return netip.AddrPortFrom(a, uint16(d.protocol))
}

// rawPeer is getpeername's. The port is the one that connect(2) was given; a peer without one
// counts as none, as in Linux.
func (d *datagram) rawPeer() (netip.AddrPort, error) {
	r := d.raw.Remote()
	port := uint16(d.peerPort.Load())
	if !r.IsValid() || port == 0 {
		return netip.AddrPort{}, syscall.ENOTCONN
	}
	return netip.AddrPortFrom(r, port), nil
}

// rawTo6 reads the address of sendto(2) on an AF_INET6 raw socket, whose port may name the
// socket's protocol and nothing else.
func (d *datagram) rawTo6(sa *Sockaddr) (netip.AddrPort, error) {
	if sa.length() < rfc2133 {
		return netip.AddrPort{}, syscall.EINVAL
	}
	if sa.Family != AF_INET6 {
		return netip.AddrPort{}, syscall.EAFNOSUPPORT
	}
	if sa.Port != 0 && sa.Port != d.protocol || sa.Port > 255 {
		return netip.AddrPort{}, syscall.EINVAL
	}
	to := netip.AddrFrom16(sa.addr().As16())
	if to.Is4In6() { // which are never on a wire
		return netip.AddrPort{}, syscall.ENETUNREACH
	}
	a, err := d.scoped(to, sa.ScopeID, syscall.EINVAL)
	return netip.AddrPortFrom(a, uint16(sa.Port)), err
}

// applyRaw carries the options that only raw sockets have to the driver. mu is held.
func (d *datagram) applyRaw() {
	if d.domain == AF_INET {
		d.raw.SetHeaderIncluded(d.ip.hdrincl)
	} else {
		d.raw.SetHeaderIncluded(d.ip.hdrincl6)
	}
}

// isRawOption reports whether an option is one that only raw sockets have.
func (s *socket) isRawOption(level, name int) bool {
	switch {
	case level == SOL_RAW:
		return true
	case s.domain != AF_INET6:
		return false
	case level == SOL_ICMPV6:
		return true
	}
	return level == SOL_IPV6 && (name == IPV6_CHECKSUM || name == IPV6_HDRINCL)
}

func setRawOption(d *datagram, level, name int, value []byte) error {
	switch {
	case level == SOL_RAW && d.domain == AF_INET:
		return d.setICMPFilter(name, value)
	case level == SOL_ICMPV6:
		return d.setICMPv6Filter(name, value)
	case len(value) < 4:
		return syscall.EINVAL
	}
	v := intOf(value)
	switch name {
	case IPV6_HDRINCL:
		d.ip.hdrincl6 = v != 0
		return nil
	case IPV6_CHECKSUM:
		if d.protocol == IPPROTO_ICMPV6 && level == SOL_IPV6 {
			return syscall.EINVAL // RFC 3542 §3.1: attempts to set it fail
		}
		if v > 0 && v&1 != 0 {
			return syscall.EINVAL
		}
		if err := d.raw.SetChecksum(v); err != nil {
			return errno(err)
		}
		d.ip.checksum = max(v, -1)
		return nil
	}
	return syscall.ENOPROTOOPT
}

func (d *datagram) setICMPFilter(name int, value []byte) error {
	if name != ICMP_FILTER {
		return syscall.ENOPROTOOPT
	}
	if d.protocol != IPPROTO_ICMP {
		return syscall.EOPNOTSUPP
	}
	var b [4]byte
	copy(b[:], value)
	d.ip.filter4 = binary.NativeEndian.Uint32(b[:])
	d.raw.SetFilter4(d.ip.filter4)
	return nil
}

func (d *datagram) setICMPv6Filter(name int, value []byte) error {
	if d.protocol != IPPROTO_ICMPV6 {
		return syscall.EOPNOTSUPP
	}
	if name != ICMPV6_FILTER {
		return syscall.ENOPROTOOPT
	}
	b := make([]byte, 32)
	for i := range d.ip.filter6 {
		binary.NativeEndian.PutUint32(b[4*i:], d.ip.filter6[i])
	}
	copy(b, value)
	for i := range d.ip.filter6 {
		d.ip.filter6[i] = binary.NativeEndian.Uint32(b[4*i:])
	}
	d.raw.SetFilter6(d.ip.filter6)
	return nil
}

func getRawOption(d *datagram, level, name int, value []byte) (int, error) {
	switch {
	case level == SOL_RAW && d.domain == AF_INET:
		if name != ICMP_FILTER {
			return 0, syscall.ENOPROTOOPT
		}
		if d.protocol != IPPROTO_ICMP {
			return 0, syscall.EOPNOTSUPP
		}
		return put(value, binary.NativeEndian.AppendUint32(nil, d.ip.filter4))
	case level == SOL_ICMPV6:
		if d.protocol != IPPROTO_ICMPV6 {
			return 0, syscall.EOPNOTSUPP
		}
		if name != ICMPV6_FILTER {
			return 0, syscall.ENOPROTOOPT
		}
		var b []byte
		for _, w := range d.ip.filter6 {
			b = binary.NativeEndian.AppendUint32(b, w)
		}
		return put(value, b)
	case name == IPV6_HDRINCL:
		return putBool(value, d.ip.hdrincl6)
	case name == IPV6_CHECKSUM:
		return putInt(value, d.ip.checksum)
	}
	return 0, syscall.ENOPROTOOPT
}
