package socket

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/udp"
)

// recv is udp_recvmsg and raw_recvmsg.
func (d *datagram) recv(f *file, m *Msghdr, flags int) (int, error) {
	if flags&MSG_ERRQUEUE != 0 {
		return d.recvError(m)
	}
	if flags&MSG_OOB != 0 && d.raw != nil {
		return -1, syscall.EOPNOTSUPP
	}
	nonblock := f.nonblocking() || flags&MSG_DONTWAIT != 0
	attempt := func() (int, error) {
		if err := d.takeError(); err != nil {
			return -1, err
		}
		if n, ok := d.take(m, flags); ok {
			return n, nil
		}
		if d.closed() {
			return -1, syscall.ENETDOWN
		}
		if d.isShut(shutRead) && !nonblock {
			return 0, nil
		}
		return -1, syscall.EAGAIN
	}
	ready := func() bool {
		if d.isShut(shutRead) || d.failed.Load() != 0 {
			return true
		}
		d.p.Locker().Lock()
		defer d.p.Locker().Unlock()
		return d.p.Queue().Len() > 0 || d.p.Closed()
	}
	return d.sys.retry(f, nonblock, d.receiveTimeout(), attempt, ready)
}

// closed reports whether the host is closed, and the socket with it.
func (d *datagram) closed() bool {
	d.p.Locker().Lock()
	defer d.p.Locker().Unlock()
	return d.p.Closed()
}

// take gives the caller the next datagram, and reports false where there is none.
func (d *datagram) take(m *Msghdr, flags int) (int, bool) {
	d.mu.Lock()
	opt, ip := d.opt, d.ip
	d.mu.Unlock()
	d.p.Locker().Lock()
	defer d.p.Locker().Unlock()
	next := d.p.Queue().Peek()
	if next == nil {
		return 0, false
	}
	n := scatter(m.Iov, next.Payload)
	m.Name = d.sockaddr(next.From)
	if n < len(next.Payload) {
		m.Flags |= MSG_TRUNC
		if flags&MSG_TRUNC != 0 {
			n = len(next.Payload)
		}
	}
	if lost := d.p.Queue().Dropped(); opt.rxqOvfl && lost > 0 {
		m.put(SOL_SOCKET, SO_RXQ_OVFL, appendInt(nil, int(lost)))
	}
	d.describe(m, next, &ip)
	if flags&MSG_PEEK == 0 {
		taken, _ := d.p.Queue().Pop()
		taken.Release()
	}
	return n, true
}

// describe adds the control messages that were asked for.
func (d *datagram) describe(m *Msghdr, g *udp.Datagram, o *ipOptions) {
	is4 := g.To.Is4()
	if d.domain == AF_INET6 && o.recvPktInfo {
		a := g.To.As16()
		m.put(SOL_IPV6, IPV6_PKTINFO, appendInt(a[:], g.Interface))
	}
	if is4 {
		d.describe4(m, g, o)
		return
	}
	if o.recvHops {
		m.put(SOL_IPV6, IPV6_HOPLIMIT, appendInt(nil, int(g.HopLimit)))
	}
	if o.recvTclass {
		m.put(SOL_IPV6, IPV6_TCLASS, appendInt(nil, int(g.TOS)))
	}
}

func (d *datagram) describe4(m *Msghdr, g *udp.Datagram, o *ipOptions) {
	if o.pktInfo {
		m.put(SOL_IP, IP_PKTINFO, appendPktInfo(nil, g.Interface, d.sys.host.SpecificDestination(g.To, g.Interface), g.To))
	}
	if o.recvTTL {
		m.put(SOL_IP, IP_TTL, appendInt(nil, int(g.HopLimit)))
	}
	if o.recvTOS {
		m.put(SOL_IP, IP_TOS, []byte{g.TOS})
	}
	if o.recvOrigDst {
		to := Sockaddr{Family: AF_INET, Addr: g.To, Port: d.ownPort()}
		m.put(SOL_IP, IP_RECVORIGDSTADDR, to.Append(nil))
	}
}

// ownPort is the port of name, for who holds the queue's lock, which a raw socket's name is under.
func (d *datagram) ownPort() int {
	if d.raw != nil {
		return d.protocol
	}
	return int(d.udp.Local().Port())
}

// appendPktInfo writes struct in_pktinfo.
func appendPktInfo(b []byte, ifc int, specific, to netip.Addr) []byte {
	s, t := specific.As4(), to.As4()
	b = appendInt(b, ifc)
	b = append(b, s[:]...)
	return append(b, t[:]...)
}

// recvError is ip_recv_error: MSG_ERRQUEUE. It never waits.
func (d *datagram) recvError(m *Msghdr) (int, error) {
	e, ok := d.nextError()
	if !ok {
		return -1, syscall.EAGAIN
	}
	if e.Origin == udp.OriginLocal { // Linux quotes nothing of what was not sent, nor says its port
		e.Payload = nil
		if !d.connected() {
			e.To = netip.AddrPortFrom(e.To.Addr(), 0)
		}
	}
	n := scatter(m.Iov, e.Payload)
	m.Flags |= MSG_ERRQUEUE
	if n < len(e.Payload) {
		m.Flags |= MSG_TRUNC
	}
	m.Name = d.sockaddr(e.To)
	if e.Local.IsValid() { // what was asked for of datagrams is told of the ICMP message
		d.mu.Lock()
		ip := d.ip
		d.mu.Unlock()
		d.describe(m, &udp.Datagram{To: e.Local, Interface: e.Interface, HopLimit: e.HopLimit, TOS: e.TOS}, &ip)
	}
	level, typ := SOL_IP, IP_RECVERR
	if d.domain == AF_INET6 {
		level, typ = SOL_IPV6, IPV6_RECVERR
	}
	m.put(level, typ, d.appendExtendedError(&e))
	return n, nil
}

// nextError takes an error from the queue; the pending error is then that of the next.
func (d *datagram) nextError() (udp.Error, bool) {
	d.p.Locker().Lock()
	defer d.p.Locker().Unlock()
	q := d.p.Errors()
	e, ok := q.Pop()
	if ok {
		d.failed.Store(0)
		if next := q.Peek(); next != nil {
			d.fail(next.Errno)
		}
	}
	return e, ok
}

// appendExtendedError writes struct sock_extended_err and the address of who reported it.
func (d *datagram) appendExtendedError(e *udp.Error) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(e.Errno))
	b = append(b, byte(e.Origin), e.Type, e.Code, 0)
	b = binary.NativeEndian.AppendUint32(b, e.Info)
	b = binary.NativeEndian.AppendUint32(b, 0)
	if e.Offender.IsValid() {
		return d.sockaddr(netip.AddrPortFrom(e.Offender, 0)).Append(b)
	}
	if d.domain == AF_INET6 {
		return append(b, make([]byte, SizeofSockaddrInet6)...)
	}
	return append(b, make([]byte, SizeofSockaddrInet4)...)
}

// ParseSockExtErr reads the data of a control message IP_RECVERR or IPV6_RECVERR.
func ParseSockExtErr(b []byte) (SockExtErr, error) {
	if len(b) < SizeofSockExtErr {
		return SockExtErr{}, syscall.EINVAL
	}
	e := SockExtErr{
		Errno: syscall.Errno(binary.NativeEndian.Uint32(b)), Origin: b[4], Type: b[5], Code: b[6], Pad: b[7],
		Info: binary.NativeEndian.Uint32(b[8:]), Data: binary.NativeEndian.Uint32(b[12:]),
	}
	if sa, err := ParseSockaddr(b[SizeofSockExtErr:]); err == nil && sa.Family != AF_UNSPEC {
		e.Offender = sa
	}
	return e, nil
}
