package shard

import (
	"net"
	"net/netip"
	"sync"
	"syscall"

	"github.com/weirnet/weir/stack/icmp"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/udp"
	"github.com/weirnet/weir/stack/wire"
)

// UDP is a UDP socket in the driver's hands.
type UDP struct {
	host   *Host
	local  netip.AddrPort // the address may be unspecified
	remote netip.AddrPort // valid where the socket is connected
	keys   []netip.AddrPort
	flow   flowKey

	mu      sync.Mutex
	queue   udp.Queue
	onEvent func()
	closed  bool
	waiting *Interface // in whose line for room it is
	rooms   uint64     // counts the calls of room
}

// sockets finds a UDP socket: connected ones by both ends, others by local address.
type sockets struct {
	flows flows[*UDP]
	mu    sync.RWMutex
	bound map[netip.AddrPort]*UDP
}

func (s *sockets) init() { s.bound = make(map[netip.AddrPort]*UDP) }

func (s *sockets) len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.bound) + s.flows.len()
}

// find returns the socket for a datagram from remote to local: the one connected to
// remote, else the one bound to the address, else the one bound to any.
func (s *sockets) find(local, remote netip.AddrPort) *UDP {
	key := makeFlowKey(local, remote)
	if u := s.flows.get(&key); u != nil {
		return u
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if u := s.bound[local]; u != nil {
		return u
	}
	return s.bound[netip.AddrPortFrom(unspecified(local.Addr()), local.Port())]
}

func (s *sockets) list() []*UDP {
	all := s.flows.list()
	s.mu.RLock()
	defer s.mu.RUnlock()
	seen := make(map[*UDP]bool)
	for _, u := range s.bound {
		if !seen[u] {
			seen[u] = true
			all = append(all, u)
		}
	}
	return all
}

func (s *sockets) closeAll() {
	for _, u := range s.list() {
		u.Close()
	}
}

// ListenUDP binds a socket that receives from anybody. local is as for Listen.
func (h *Host) ListenUDP(local netip.AddrPort, both bool) (*UDP, error) {
	n := h.net.Load()
	switch c := n.classify(local.Addr()); {
	case local.Addr().IsUnspecified(), c == toLocal, c == toMulticast, c == toBroadcast:
	default:
		return nil, syscall.EADDRNOTAVAIL
	}
	b, err := h.bind(protoUDP, local, both)
	if err != nil {
		return nil, err
	}
	u := &UDP{host: h, local: b.local, keys: b.keys}
	u.queue.Init(&h.pool, h.cfg.DatagramBuffer, 0)
	h.datagrams.mu.Lock()
	for _, k := range b.keys {
		h.datagrams.bound[k] = u
	}
	h.datagrams.mu.Unlock()
	if h.isClosed() {
		u.Close()
		return nil, net.ErrClosed
	}
	return u, nil
}

// DialUDP makes a socket that sends to remote and receives from it only.
func (h *Host) DialUDP(local, remote netip.AddrPort) (*UDP, error) {
	if remote.Addr().IsUnspecified() {
		remote = netip.AddrPortFrom(loopbackOf(remote.Addr()), remote.Port())
	}
	src := local.Addr()
	if !src.IsValid() || src.IsUnspecified() {
		src = netip.Addr{}
	} else if !h.IsLocal(src) {
		return nil, syscall.EADDRNOTAVAIL
	}
	p, err := h.net.Load().pathTo(remote.Addr(), src, h.lo)
	if err != nil {
		return nil, err
	}
	b, err := h.bind(protoUDP, netip.AddrPortFrom(p.src, local.Port()), false)
	if err != nil {
		return nil, err
	}
	u := &UDP{host: h, local: b.local, remote: remote, keys: b.keys, flow: makeFlowKey(b.local, remote)}
	u.queue.Init(&h.pool, h.cfg.DatagramBuffer, 0)
	h.datagrams.flows.add(&u.flow, u)
	if h.isClosed() {
		u.Close()
		return nil, net.ErrClosed
	}
	return u, nil
}

// Local returns what the socket is bound to, Remote what it is connected to, if anything.
func (u *UDP) Local() netip.AddrPort { return u.local }

// Remote returns the peer of a connected socket; it is not valid for others.
func (u *UDP) Remote() netip.AddrPort { return u.remote }

// Locker returns the lock that guards Queue.
func (u *UDP) Locker() sync.Locker { return &u.mu }

// Queue returns the receive queue, for who holds the lock.
func (u *UDP) Queue() *udp.Queue { return &u.queue }

// Host returns the host the socket belongs to.
func (u *UDP) Host() *Host { return u.host }

// OnEvent sets a function that is called, under the lock, when a datagram or an error
// has come, there is room to send again, or the socket was closed. It must not block.
func (u *UDP) OnEvent(f func()) {
	u.mu.Lock()
	u.onEvent = f
	u.mu.Unlock()
}

func (u *UDP) event() {
	if u.onEvent != nil {
		u.onEvent()
	}
}

// room is called when a full interface that the socket waited for has room again.
func (u *UDP) room(i *Interface) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.waiting == i {
		u.waiting = nil
	}
	u.rooms++
	u.event()
}

// awaitRoom puts the socket in the line of a full interface, once; rooms is as for
// Interface.wait.
func (u *UDP) awaitRoom(i *Interface, rooms uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.waiting == i:
	case i.wait(u, rooms):
		u.waiting = i
	default:
		u.rooms++
	}
}

// Rooms counts how often a full device has got room. Who gets EAGAIN from Send waits until it
// differs from before that Send. The lock must be held.
func (u *UDP) Rooms() uint64 { return u.rooms }

// Closed reports whether Close was called. The lock must be held.
func (u *UDP) Closed() bool { return u.closed }

// Close closes the socket and throws away what it has queued.
func (u *UDP) Close() {
	u.mu.Lock()
	was := u.closed
	u.closed = true
	u.queue.Release()
	u.event()
	u.mu.Unlock()
	if was {
		return
	}
	s := &u.host.datagrams
	if u.remote.IsValid() {
		s.flows.remove(&u.flow, u)
	} else {
		s.mu.Lock()
		for _, k := range u.keys {
			delete(s.bound, k)
		}
		s.mu.Unlock()
	}
	u.host.unbind(protoUDP, u.keys)
}

// Send sends one datagram to dst. The error is EAGAIN where the device is full: OnEvent's
// function is called when it has room. Others are EMSGSIZE, ENETUNREACH, EADDRNOTAVAIL,
// EAFNOSUPPORT and EINVAL for port 0. from is the address to send from; where it is
// not valid it is the socket's own, or chosen for the destination. The lock must not be held.
func (u *UDP) Send(payload []byte, from netip.Addr, dst netip.AddrPort) error {
	h := u.host
	src := from
	if !src.IsValid() {
		src = u.local.Addr()
	}
	if n := h.net.Load(); src.IsUnspecified() || n.classify(src) != toLocal {
		src = netip.Addr{} // a wildcard, or the group or broadcast address that it is bound to
	}
	switch {
	case len(payload) > udp.MaxPayload(dst.Addr()):
		return syscall.EMSGSIZE
	case dst.Port() == 0:
		return syscall.EINVAL
	case src.IsValid() && src.Is4() != dst.Addr().Is4():
		return syscall.EAFNOSUPPORT
	}
	out, err := h.net.Load().pathTo(dst.Addr(), src, h.lo)
	if err != nil {
		return err
	}
	return h.sendUDP(u, payload, netip.AddrPortFrom(out.src, u.local.Port()), dst, &out)
}

func (h *Host) sendUDP(u *UDP, payload []byte, src, dst netip.AddrPort, out *path) error {
	f := h.getTx()
	at := payloadAt - udp.HeaderLen
	end := payloadAt + copy(f.Buf[payloadAt:], payload)
	mtu, fragment := h.pathMTU.lookup(dst.Addr(), out.ifc.MTU())
	hdr := ipHeader{
		src: src.Addr(), dst: dst.Addr().WithZone(""), protocol: wire.ProtoUDP,
		hopLimit: defaultHopLimit, dontFragment: !fragment, flowLabel: h.flowLabel(src, dst),
	}
	if fragment {
		hdr.id = uint16(h.idents.next(hdr.src, hdr.dst, hdr.protocol))
	}
	whole := end-at+ipHeaderLen(hdr.dst) <= mtu
	if !whole || out.ifc.features&link.FeatureCsum == 0 {
		udp.Put(f.Buf[at:end], src, dst, link.ChecksumInPacket)
	} else {
		udp.Put(f.Buf[at:end], src, dst, link.ChecksumPartial)
		f.Checksum, f.ChecksumOffset = link.ChecksumPartial, wire.UDPChecksumOffset
	}
	rooms := out.ifc.rooms.Load()
	if !h.offerUDP(f, &hdr, out.ifc, at, end, mtu) {
		u.awaitRoom(out.ifc, rooms)
		return syscall.EAGAIN
	}
	h.udpCounters.Out.Add(1)
	h.udpCounters.OutOctets.Add(uint64(len(payload)))
	return nil
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

// udp takes a datagram to its socket, or answers port unreachable (RFC 1122 §4.1.3.1).
func (r *round) udp(d destination) {
	h, p := r.h, &r.pkt
	v, drop := udp.Parse(p.Payload, p.Src, p.Dst, p.Frame.Checksum)
	if drop != udp.DropNone {
		h.udpCounters.Drop(drop)
		return
	}
	from := netip.AddrPortFrom(p.Src, v.SrcPort())
	u := h.datagrams.find(netip.AddrPortFrom(p.Dst, v.DstPort()), from)
	if u == nil {
		h.udpCounters.Drop(udp.DropNoPort)
		r.sendError(p, icmp.PortUnreachable, 0)
		return
	}
	payload, size := v.Payload(), len(v.Payload())
	if p.Frame.UDP && p.Frame.SegmentSize > 0 { // several datagrams, coalesced
		size = int(p.Frame.SegmentSize)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for more := true; more; more = len(payload) > 0 {
		n := min(size, len(payload))
		u.take(r, &udp.Datagram{From: from, To: p.Dst, Interface: r.ifc.index, Payload: payload[:n], HopLimit: p.HopLimit, TOS: p.TOS})
		payload = payload[n:]
	}
	u.event()
}

// take puts a datagram into the queue. u is locked.
func (u *UDP) take(r *round, d *udp.Datagram) {
	ctr, drop := &r.h.udpCounters, udp.DropNoPort
	if !u.closed {
		drop = u.queue.Push(d)
	}
	if drop != udp.DropNone {
		ctr.Drop(drop)
		return
	}
	ctr.In.Add(1)
	ctr.InOctets.Add(uint64(len(d.Payload)))
}

// report gives an ICMP error to the connected socket whose datagram it quotes
// (RFC 1122 §4.1.3.3). A socket that is not connected does not hear of it, as in Linux.
func (s *sockets) report(local, remote netip.AddrPort, rep *icmp.Report) {
	key := makeFlowKey(local, remote)
	u := s.flows.get(&key)
	errno, hard := rep.Errno()
	if u == nil || !hard {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.closed {
		u.queue.Fail(errno)
		u.host.udpCounters.Unreachable.Add(1)
		u.event()
	}
}
