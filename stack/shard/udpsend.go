package shard

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/udp"
	"github.com/weirnet/weir/stack/wire"
)

// Send sends one datagram to dst. The error is EAGAIN where the device is full: OnEvent's
// function is called when it has room. Others are EMSGSIZE, ENETUNREACH, EADDRNOTAVAIL,
// EAFNOSUPPORT and EINVAL for port 0. from is the address to send from; where it is
// not valid it is the socket's own, or chosen for the destination. The lock must not be held.
func (u *UDP) Send(payload []byte, from netip.Addr, dst netip.AddrPort) error {
	return u.SendTo(payload, dst, SendOptions{From: from})
}

// SendTo is Send with options for the one datagram. A dst that is not valid is the peer of a connected
// socket, EDESTADDRREQ where there is none. A socket that has no port yet gets one. EACCES
// is a broadcast address without DatagramOptions.Broadcast, ENODEV an interface that is not there.
func (u *UDP) SendTo(payload []byte, dst netip.AddrPort, o SendOptions) error {
	s, err := u.check(payload, dst, &o)
	if err != nil {
		return err
	}
	return u.host.sendUDP(u, payload, &s)
}

// Check returns the error that SendTo would return before it sends anything.
func (u *UDP) Check(payload []byte, dst netip.AddrPort, o SendOptions) error {
	_, err := u.check(payload, dst, &o)
	return err
}

func (u *UDP) check(payload []byte, dst netip.AddrPort, o *SendOptions) (s sending, err error) {
	if dst.IsValid() && *o == (SendOptions{From: o.From, Interface: o.Interface}) {
		s, err = u.prepareAgain(dst, o.From, o.Interface)
	} else {
		u.mu.Lock()
		s, err = u.prepare(dst, o)
		u.mu.Unlock()
	}
	if err != nil {
		return s, err
	}
	return s, u.fits(payload, &s)
}

// fits returns EMSGSIZE for a datagram that is too long to be sent so.
func (u *UDP) fits(payload []byte, s *sending) error {
	if len(payload) > udp.MaxPayload(s.dst.Addr()) {
		return syscall.EMSGSIZE
	}
	if s.mustFit && len(payload)+udp.HeaderLen+ipHeaderLen(s.dst.Addr()) > s.mtu {
		u.tooLong(s.dst, s.mtu, payload, s.recvErr)
		return syscall.EMSGSIZE
	}
	return nil
}

// sending is what is known of a datagram before it is built.
type sending struct {
	path
	src, dst   netip.AddrPort
	mtu        int
	df         bool // DF where it leaves whole
	alwaysDF   bool
	mustFit    bool // it is not to be fragmented here
	recvErr    bool
	noChecksum bool
	loop       bool // members on this host are to get a copy
}

// prepare finds out all about a datagram to dst but its payload. u is locked.
func (u *UDP) prepare(dst netip.AddrPort, o *SendOptions) (s sending, err error) {
	n := u.host.net.Load()
	asked := dst.IsValid()
	if !asked {
		if dst = u.remote; !dst.IsValid() {
			return s, syscall.EDESTADDRREQ
		}
	}
	is4 := dst.Addr().Is4()
	switch {
	case u.closed:
		return s, net.ErrClosed
	case dst.Port() == 0 && (asked || is4 && !u.is4): // other peers without a port are sent to, as by Linux
		return s, syscall.EINVAL
	}
	if err := u.autobind(false); err != nil {
		return s, err
	}
	src, ok := boundSource(n, u.addrs, is4)
	if o.From.IsValid() && n.classify(o.From) == toLocal {
		src, ok = o.From, o.From.Is4() == is4
	}
	dst = specified(dst, src)
	if !ok {
		return s, n.otherFamily(dst.Addr(), u.host.lo)
	}
	class := n.classify(dst.Addr().WithZone(""))
	if class == toBroadcast && !u.opts.Broadcast {
		return s, syscall.EACCES
	}
	if s.path, err = u.path(n, class, dst.Addr(), src, *o); err != nil {
		return s, err
	}
	s.src, s.dst = netip.AddrPortFrom(s.path.src, u.port), netip.AddrPortFrom(dst.Addr().WithZone(""), dst.Port())
	s.noChecksum = u.opts.NoChecksum && is4
	u.measure(&s, class, o)
	return s, nil
}

// path finds the way of a packet from the socket to dst, and sets what it is to leave with. u is
// locked.
func (u *datagramSocket) path(n *network, class destination, dst, src netip.Addr, o SendOptions) (path, error) {
	f := u.opts.family(dst.Is4())
	index := u.Interface()
	if o.Interface != 0 {
		index = o.Interface
	}
	if class == toMulticast {
		if index == 0 {
			index = f.MulticastInterface
		}
		if !src.IsValid() {
			src = f.MulticastSource
		}
	}
	p, err := n.pathOn(index, dst, src, u.host.lo)
	if err != nil {
		return p, err
	}
	p.tos, p.hopLimit = f.TrafficClass, f.HopLimit
	if class == toMulticast {
		p.hopLimit = f.MulticastHopLimit
	} else if p.hopLimit == 0 {
		p.hopLimit = u.host.hopLimit(dst.Is4())
	}
	if o.HopLimit != 0 {
		p.hopLimit = o.HopLimit
	}
	if o.HasTrafficClass {
		p.tos = o.TrafficClass
	}
	return p, nil
}

// measure finds out how large the datagram may be. u is locked.
func (u *datagramSocket) measure(s *sending, class destination, o *SendOptions) {
	f := u.opts.family(s.dst.Addr().Is4())
	d := u.host.pmtuDisc(f.PMTUDisc, s.dst.Addr().Is4())
	link := s.ifc.MTU()
	mtu, fragment := u.host.pathMTU.lookup(s.dst.Addr(), link)
	if s.mtu = mtu; !d.usesReports() {
		s.mtu = link
	}
	s.df, s.alwaysDF = d.dontFragment(!fragment), d == PMTUDiscDo || d == PMTUDiscProbe
	s.mustFit = o.DontFragment || s.alwaysDF || d == PMTUDiscInterface
	s.recvErr = f.RecvErr
	s.loop = !s.ifc.loop && (class == toBroadcast || // the loopback brings it back by itself
		class == toMulticast && f.MulticastLoop && u.host.groups.member(s.ifc.index, s.dst.Addr()))
}

// tooLong queues, where it was asked for, that a datagram was not sent because it does not fit.
func (u *datagramSocket) tooLong(dst netip.AddrPort, mtu int, payload []byte, recvErr bool) {
	if !recvErr {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.closed {
		u.errs.Push(&udp.Error{Errno: syscall.EMSGSIZE, Origin: udp.OriginLocal, Info: uint32(mtu), To: dst, Payload: payload[:min(len(payload), maxQuote)]})
		u.event()
	}
}

// maxQuote bounds what is kept of a datagram that an error is about.
const maxQuote = 1280

func (h *Host) sendUDP(u *UDP, payload []byte, s *sending) error {
	f := h.getTx()
	at := payloadAt - udp.HeaderLen
	end := payloadAt + copy(f.Buf[payloadAt:], payload)
	whole := end-at+ipHeaderLen(s.dst.Addr()) <= s.mtu
	hdr := ipHeader{
		src: s.src.Addr(), dst: s.dst.Addr(), protocol: wire.ProtoUDP, hopLimit: s.hopLimit, tos: s.tos,
		dontFragment: s.alwaysDF || s.df && whole, flowLabel: h.flowLabel(s.src, s.dst),
	}
	if !hdr.dontFragment {
		hdr.id = uint16(h.idents.next(hdr.src, hdr.dst, hdr.protocol))
	}
	switch {
	case s.noChecksum:
		wire.PutUDP(f.Buf[at:end], s.src.Port(), s.dst.Port(), len(payload))
		wire.UDP(f.Buf[at:end]).SetChecksum(0)
	case !whole || s.ifc.features&link.FeatureCsum == 0:
		udp.Put(f.Buf[at:end], s.src, s.dst, link.ChecksumInPacket)
	default:
		udp.Put(f.Buf[at:end], s.src, s.dst, link.ChecksumPartial)
		f.Checksum, f.ChecksumOffset = link.ChecksumPartial, wire.UDPChecksumOffset
	}
	rooms := s.ifc.rooms.Load()
	if !h.offerDatagram(f, &hdr, s, at, end) {
		u.awaitRoom(s.ifc, rooms)
		return syscall.EAGAIN
	}
	ctr := &h.lanes.of(0).udp
	ctr.Out.Add(1)
	ctr.OutOctets.Add(uint64(len(payload)))
	return nil
}

// offerDatagram sends the datagram f.Buf[at:end], whole or in fragments, gives members on this host
// their copy, and takes f back. It reports false where the device is full; fragments that
// follow a first may wait in the backlog.
func (h *Host) offerDatagram(f *txFrame, hdr *ipHeader, s *sending, at, end int) bool {
	var copied *txFrame
	if s.loop {
		copied = h.getTx()
		defer h.putTx(copied)
		f.putIP(at, end, hdr)
		f.ChecksumStart = uint16(at - f.Off)
		copied.copyFrom(&f.Frame)
	}
	ok := hdr.hopLimit == 0
	if ok { // what may not leave the host
		h.putTx(f)
	} else {
		ok = h.offerUDP(f, hdr, s.ifc, at, end, s.mtu)
	}
	if ok && copied != nil {
		h.loopBack(s.ifc, copied)
	}
	return ok
}

// offerUDP sends the datagram f.Buf[at:end], whole or in fragments, and takes f back. It
// reports false where the device is full; fragments that follow a first may wait in
// the backlog.
func (h *Host) offerUDP(f *txFrame, hdr *ipHeader, ifc *Interface, at, end, mtu int) bool {
	if end-at+ipHeaderLen(hdr.dst) > mtu {
		if ifc.queued.Load() > 0 {
			h.putTx(f)
			return false
		}
		id := h.idents.next(hdr.src, hdr.dst, hdr.protocol)
		hdr.dontFragment, hdr.id = false, uint16(id)
		f.putIP(at, end, hdr)
		ifc.sendFragments(f, mtu, id)
		return true
	}
	defer h.putTx(f)
	f.putIP(at, end, hdr)
	f.ChecksumStart = uint16(at - f.Off)
	return ifc.offer(f, 0) != full
}

func ipHeaderLen(a netip.Addr) int {
	if a.Is4() {
		return 20
	}
	return 40
}
