package socket

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/udp"
)

// packets is a UDP or raw socket of the driver.
type packets interface {
	Locker() sync.Locker
	Queue() *udp.Queue
	Errors() *udp.ErrorQueue
	Configure(func(*shard.DatagramOptions))
	OnEvent(func())
	Rooms() uint64
	Closed() bool
	SetInterface(index int)
	Disconnect()
	Close()

	JoinGroup(group netip.Addr, ifc int) error
	LeaveGroup(group netip.Addr, ifc int) error
	JoinSource(group, source netip.Addr, ifc int) error
	LeaveSource(group, source netip.Addr, ifc int) error
	BlockSource(group, source netip.Addr, ifc int) error
	UnblockSource(group, source netip.Addr, ifc int) error
}

// datagram is a UDP or raw socket.
type datagram struct {
	socket
	p   packets
	udp *shard.UDP // one of the two
	raw *shard.Raw

	// peerPort is the port in the address that a raw socket was connected to, which means nothing and
	// is told again.
	peerPort atomic.Uint32
	cork     corked   // under mu
	full     roomMark // under mu
	rooms    uint64   // under the driver's lock: how often there had been room when that was last told
}

// roomMark remembers that a device was full, and how often it had had room then.
type roomMark struct {
	set   bool
	rooms uint64
}

func newDatagram(sys *System, domain, kind, protocol int) (endpoint, error) {
	d := new(datagram)
	d.init(sys, domain, kind, protocol)
	h := sys.host
	if kind == SOCK_RAW {
		r, err := h.OpenRaw(domain == AF_INET, uint8(protocol))
		if err != nil {
			return nil, errno(err)
		}
		d.raw, d.p = r, r
		d.opt.reuseAddr = true
		d.ip.hdrincl = protocol == IPPROTO_RAW && domain == AF_INET
		d.ip.hdrincl6 = protocol == IPPROTO_RAW && domain == AF_INET6
		if protocol == IPPROTO_ICMPV6 {
			d.ip.checksum = icmp6ChecksumAt
		}
	} else {
		d.udp = h.OpenUDP(domain == AF_INET)
		d.p = d.udp
	}
	d.p.OnEvent(d.event)
	d.apply()
	return d, nil
}

// icmp6ChecksumAt is where the checksum of an ICMPv6 message is, which sockets of that
// protocol always have filled in (RFC 3542 §3.1).
const icmp6ChecksumAt = 2

// event is called by the driver with its socket locked.
func (d *datagram) event() {
	mask := uint32(EPOLLIN | EPOLLRDNORM)
	if r := d.p.Rooms(); r != d.rooms {
		d.rooms = r
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND
	}
	if e, ok := d.p.Queue().TakeError().(syscall.Errno); ok {
		d.fail(e)
		mask = 0
	}
	if d.p.Closed() || d.p.Errors().Len() > 0 {
		mask = 0
	}
	d.watch.notify(mask)
}

// events is udp_poll and datagram_poll.
func (d *datagram) events() (mask uint32) {
	d.mu.Lock()
	full := d.full
	d.mu.Unlock()
	shut := d.shut.Load()
	d.p.Locker().Lock()
	defer d.p.Locker().Unlock()
	if d.failed.Load() != 0 || d.p.Errors().Len() > 0 {
		mask |= EPOLLERR
	}
	if shut&shutRead != 0 {
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM
	}
	if shut == shutRead|shutWrite {
		mask |= EPOLLHUP
	}
	if d.p.Queue().Len() > 0 {
		mask |= EPOLLIN | EPOLLRDNORM
	}
	if !full.set || d.p.Rooms() != full.rooms {
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND
	}
	return mask
}

// bind is inet_bind and inet6_bind, or for raw sockets raw_bind and rawv6_bind.
func (d *datagram) bind(sa *Sockaddr) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.raw != nil {
		return d.bindRaw(sa)
	}
	at, both, err := d.bindTo(sa, d.udp.Bound())
	switch {
	case err != nil:
	case d.ip.bindNoPort && at.Port() == 0: // connect(2) or the first datagram chooses it
		err = errno(d.udp.Keep(at.Addr()))
	default:
		err = errno(d.udp.Bind(at, d.bindOptions(both)))
	}
	if err == nil {
		d.boundTo(at.Addr())
	}
	return err
}

// autobind gives a UDP socket that has none a port, as Linux does before it looks at anything
// else that connect(2) or sendmsg(2) were told. EAGAIN: there is none left.
func (d *datagram) autobind() error {
	if d.udp == nil {
		return nil
	}
	if err := d.udp.Autobind(d.ip.v6only); err == syscall.EADDRINUSE {
		return syscall.EAGAIN
	} else {
		return errno(err)
	}
}

// connect is inet_dgram_connect.
func (d *datagram) connect(_ *file, sa *Sockaddr) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if sa.Family == AF_UNSPEC {
		d.p.Disconnect()
		d.peerPort.Store(0)
		return nil
	}
	if err := d.autobind(); err != nil {
		return err
	}
	to, err := d.connectTo(sa)
	if err != nil {
		return err
	}
	if d.raw != nil {
		return d.connectRaw(to)
	}
	return errno(d.udp.Connect(to))
}

// connectTo is destination for connect, where an AF_INET6 socket takes AF_INET addresses too.
func (d *datagram) connectTo(sa *Sockaddr) (netip.AddrPort, error) {
	if d.domain == AF_INET6 && sa.Family == AF_INET {
		if d.ip.v6only {
			return netip.AddrPort{}, syscall.EAFNOSUPPORT
		}
		if sa.length() < SizeofSockaddrInet4 {
			return netip.AddrPort{}, syscall.EINVAL
		}
		return netip.AddrPortFrom(sa.addr().Unmap(), uint16(sa.Port)), nil
	}
	return d.toOwnFamily(d.destination(sa))
}

func (d *datagram) listen(int) error { return syscall.EOPNOTSUPP }

func (d *datagram) accept(*file) (endpoint, *Sockaddr, error) {
	return nil, nil, syscall.EOPNOTSUPP
}

// shutdown is inet_shutdown. It has its effect on an unconnected socket too, and says ENOTCONN.
func (d *datagram) shutdown(how int) error {
	d.addShut(uint32(how) + 1)
	if !d.connected() {
		return syscall.ENOTCONN
	}
	return nil
}

func (d *datagram) release(bool) {
	d.p.Close()
	d.watch.notify(0)
}

func (d *datagram) name() netip.AddrPort {
	if d.raw != nil {
		return d.rawName()
	}
	return d.udp.Local()
}

func (d *datagram) peer() (netip.AddrPort, error) {
	if d.raw != nil {
		return d.rawPeer()
	}
	if r := d.udp.Remote(); r.IsValid() && r.Port() != 0 { // a peer without a port counts as none
		return r, nil
	}
	return netip.AddrPort{}, syscall.ENOTCONN
}

// connected reports whether there is a peer, be it one without a port.
func (d *datagram) connected() bool {
	if d.raw != nil {
		return d.raw.Remote().IsValid()
	}
	return d.udp.Remote().IsValid()
}

// inq is SIOCINQ: the length of the datagram that is next.
func (d *datagram) inq() (int, error) {
	d.p.Locker().Lock()
	defer d.p.Locker().Unlock()
	if next := d.p.Queue().Peek(); next != nil {
		return len(next.Payload), nil
	}
	return 0, nil
}

// outq is SIOCOUTQ: nothing waits here to be sent.
func (d *datagram) outq(bool) (int, error) { return 0, nil }

// apply carries the options to the driver. mu is held.
func (d *datagram) apply() {
	d.p.Configure(func(o *shard.DatagramOptions) {
		o.V4, o.V6 = d.ip.family4(), d.ip.family6()
		o.Broadcast, o.NoChecksum = d.opt.broadcast, d.opt.noCheck
	})
	d.p.SetInterface(d.opt.device)
	if d.opt.receiveBuffer > 0 {
		d.p.Locker().Lock()
		d.p.Queue().SetLimits(d.opt.receiveBuffer, 0)
		d.p.Locker().Unlock()
	}
	if d.udp != nil {
		d.udp.SetReuse(d.opt.reuseAddr, d.opt.reusePort)
	} else {
		d.applyRaw()
	}
}

func (o *ipOptions) family4() shard.FamilyOptions {
	return shard.FamilyOptions{
		HopLimit: o.hopLimit(true), TrafficClass: o.trafficClass(true), PMTUDisc: o.pmtuDisc(true), RecvErr: o.recvErr,
		MulticastHopLimit: uint8(o.multicastTTL), MulticastLoop: o.multicastLoop, MulticastInterface: o.multicastIf,
		MulticastSource: o.multicastAddr, MulticastAll: o.multicastAll,
	}
}

func (o *ipOptions) family6() shard.FamilyOptions {
	return shard.FamilyOptions{
		HopLimit: o.hopLimit(false), TrafficClass: o.trafficClass(false), PMTUDisc: o.pmtuDisc(false), RecvErr: o.recvErr6,
		MulticastHopLimit: uint8(o.multicastHops), MulticastLoop: o.multicastLoop6, MulticastInterface: o.multicastIf6,
		MulticastAll: o.multicastAll6,
	}
}

func (d *datagram) isBound() bool { return d.raw != nil || d.udp.Bound() }
