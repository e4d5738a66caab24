package socket

import (
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/shard"
)

// maxDatagram is more than any datagram can hold.
const maxDatagram = 65535

// corked is a datagram that is put together by several calls: MSG_MORE, UDP_CORK.
type corked struct {
	pending bool
	payload []byte
	to      netip.AddrPort
	o       shard.SendOptions
	segment int // UDP_SEGMENT: the payload is cut to so much; 0 is not
}

// maxSegments is UDP_MAX_SEGMENTS.
const maxSegments = 128

// send is udp_sendmsg and raw_sendmsg.
func (d *datagram) send(f *file, m *Msghdr, flags int) (int, error) {
	n := total(m.Iov)
	d.mu.Lock()
	if err := d.autobind(); err != nil {
		d.mu.Unlock()
		return -1, err
	}
	p, ready, err := d.compose(m, flags)
	d.mu.Unlock()
	if err != nil || !ready {
		return n, err
	}
	attempt := func() (int, error) { return n, d.emit(p) }
	return d.sys.retry(f, f.nonblocking() || flags&MSG_DONTWAIT != 0, d.sendTimeout(), attempt, d.hasRoom)
}

// compose finds out what to send, or keeps it where more is to come. mu is held.
func (d *datagram) compose(m *Msghdr, flags int) (p corked, ready bool, err error) {
	if total(m.Iov) > maxDatagram {
		return p, false, syscall.EMSGSIZE
	}
	oob := flags&MSG_OOB != 0
	switch {
	case oob && (d.domain == AF_INET || d.raw != nil):
		return p, false, syscall.EOPNOTSUPP
	case d.cork.pending:
		p, err = d.another(m, oob)
	default:
		p, err = d.first(m, oob)
	}
	if err != nil {
		return p, false, err
	}
	if len(p.payload)+total(m.Iov) > maxDatagram {
		return p, false, syscall.EMSGSIZE
	}
	p.gather(m.Iov)
	corks := d.udp != nil && (d.ip.udpCork || flags&MSG_MORE != 0)
	if !p.pending {
		if err := d.maySend(&p, corks); err != nil {
			return p, false, err
		}
	}
	if corks {
		d.keep(p)
		return p, false, nil
	}
	d.cork = corked{}
	return p, true, nil
}

// another returns the datagram under way, which gets a further piece. mu is held.
func (d *datagram) another(m *Msghdr, oob bool) (p corked, err error) {
	p = d.cork
	if oob && d.goes4(p.to) {
		return p, syscall.EOPNOTSUPP
	}
	return p, d.fits(m.Name, p.to)
}

// first returns a datagram that begins, with where it goes and how, and nothing in it yet. mu is held.
func (d *datagram) first(m *Msghdr, oob bool) (p corked, err error) {
	if p.to, err = d.sendTo(m.Name); err != nil {
		return p, err
	}
	is4 := d.goes4(p.to)
	if oob && is4 {
		return p, syscall.EOPNOTSUPP
	}
	p.segment = d.ip.udpSegment
	if err := d.parseControl(m.Control, is4, &p); err != nil {
		return p, err
	}
	if d.ip.dontFrag && d.domain == AF_INET6 {
		p.o.DontFragment = true
	}
	return p, nil
}

// gather adds a piece. One that is the whole is the caller's own.
func (p *corked) gather(iov [][]byte) {
	if len(iov) == 1 && !p.pending {
		p.payload = iov[0]
		return
	}
	for _, b := range iov {
		p.payload = append(p.payload, b...)
	}
}

// keep keeps a datagram back until the last piece has come. mu is held.
func (d *datagram) keep(p corked) {
	if !p.pending {
		p.payload = append([]byte(nil), p.payload...)
		if !p.to.IsValid() { // the peer may be another when it is sent
			p.to = d.udp.Remote()
		}
	}
	p.pending = true
	d.cork = p
}

// fits reports whether an address given with a later piece may be that of a datagram under way, which
// otherwise is not looked at: EINVAL for IPv4 where it goes over IPv6. mu is held.
func (d *datagram) fits(sa *Sockaddr, to netip.AddrPort) error {
	if sa == nil || d.domain == AF_INET {
		return nil
	}
	at := *sa
	at.Port = 1 // whichever
	if at, err := d.sendTo(&at); err != nil || !at.IsValid() || !at.Addr().Is4() || d.goes4(to) {
		return err
	}
	return syscall.EINVAL
}

// maySend returns the pending error, or EPIPE, for a first piece that is as such worth sending: what is
// wrong with it goes before. always asks for that even where nothing else is wrong. mu is held.
func (d *datagram) maySend(p *corked, always bool) error {
	if d.raw != nil && !d.raw.HeaderIncluded() {
		return nil // Linux does not look at either there
	}
	shut := d.isShut(shutWrite)
	if d.udp != nil && (always || shut || d.failed.Load() != 0) {
		if err := d.udp.Check(p.payload, p.to, p.o); err != nil {
			return errno(err)
		}
	}
	if err := d.takeError(); err != nil {
		return err
	}
	if shut {
		return syscall.EPIPE
	}
	return nil
}

// pushCorked sends what UDP_CORK has kept back. mu is held.
func (d *datagram) pushCorked() error {
	p := d.cork
	d.cork = corked{}
	if !p.pending {
		return nil
	}
	return d.emitLocked(p)
}

// emit sends a datagram, or several where UDP_SEGMENT cuts them.
func (d *datagram) emit(p corked) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.emitLocked(p)
}

func (d *datagram) emitLocked(p corked) error {
	size := p.segment
	if size == 0 || d.udp == nil || len(p.payload) <= size {
		return d.emitOne(p.payload, &p)
	}
	if len(p.payload) > maxSegments*size {
		return syscall.EINVAL
	}
	p.o.DontFragment = true // EMSGSIZE where the pieces do not fit
	for b := p.payload; len(b) > 0; b = b[min(size, len(b)):] {
		if err := d.emitOne(b[:min(size, len(b))], &p); err != nil {
			return err
		}
	}
	return nil
}

func (d *datagram) emitOne(b []byte, p *corked) error {
	d.p.Locker().Lock()
	rooms := d.p.Rooms()
	d.p.Locker().Unlock()
	var err error
	if d.raw != nil {
		err = d.raw.SendTo(b, p.to.Addr(), p.o)
	} else {
		err = d.udp.SendTo(b, p.to, p.o)
	}
	if err == syscall.EAGAIN {
		d.full = roomMark{true, rooms}
	}
	return errno(err)
}

// hasRoom reports whether the device that was full has had room since.
func (d *datagram) hasRoom() bool { return d.events()&EPOLLOUT != 0 }

// sendTo reads the address of sendto(2), which is not valid for the peer of a connected socket.
func (d *datagram) sendTo(sa *Sockaddr) (to netip.AddrPort, err error) {
	if sa != nil && sa.Family == AF_UNSPEC && d.domain == AF_INET6 {
		sa = nil // as if there were none
	}
	if sa == nil {
		if !d.connected() {
			return to, syscall.EDESTADDRREQ
		}
		return netip.AddrPort{}, nil
	}
	if d.domain == AF_INET {
		if to, err = d.sendTo4(sa); err != nil {
			return to, err
		}
	} else if to, err = d.sendTo6(sa); err != nil {
		return to, err
	}
	if d.raw == nil && to.Port() == 0 {
		return to, syscall.EINVAL
	}
	return to, nil
}

func (d *datagram) sendTo4(sa *Sockaddr) (netip.AddrPort, error) {
	if sa.length() < SizeofSockaddrInet4 {
		return netip.AddrPort{}, syscall.EINVAL
	}
	if sa.Family != AF_INET && sa.Family != AF_UNSPEC {
		return netip.AddrPort{}, syscall.EAFNOSUPPORT
	}
	a := sa.addr().Unmap()
	if !a.Is4() {
		a = netip.IPv4Unspecified()
	}
	return netip.AddrPortFrom(a, uint16(sa.Port)), nil
}

func (d *datagram) sendTo6(sa *Sockaddr) (netip.AddrPort, error) {
	switch {
	case d.raw != nil:
		return d.rawTo6(sa)
	case sa.Family == AF_INET:
		if d.ip.v6only {
			return netip.AddrPort{}, syscall.ENETUNREACH
		}
		return d.sendTo4(sa)
	case sa.Family != AF_INET6:
		return netip.AddrPort{}, syscall.EINVAL
	}
	return d.toOwnFamily(d.destination(sa))
}

// toOwnFamily makes the unspecified IPv6 address, which stands for this host, IPv4's loopback where the
// socket has an IPv4 address.
func (d *datagram) toOwnFamily(to netip.AddrPort, err error) (netip.AddrPort, error) {
	if err == nil && d.udp != nil && to.Addr() == netip.IPv6Unspecified() && d.udp.Local().Addr().Is4() {
		to = netip.AddrPortFrom(loopbackOf(netip.IPv4Unspecified()), to.Port())
	}
	return to, err
}

// goes4 reports whether what is sent to an end, or where that is not valid to the peer, goes
// over IPv4.
func (d *datagram) goes4(to netip.AddrPort) bool {
	switch {
	case to.IsValid():
		return to.Addr().Is4()
	case d.raw != nil:
		return d.domain == AF_INET
	}
	return d.udp.Remote().Addr().Is4()
}
