package shard

import (
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/icmp"
	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/udp"
	"github.com/weirnet/weir/stack/wire"
)

// udp takes a datagram to its socket, or answers port unreachable (RFC 1122 §4.1.3.1). What was sent
// to many goes to all who want it.
func (r *round) udp(d destination) {
	h, p := r.h, &r.pkt
	v, drop := udp.Parse(p.Payload, p.Src, p.Dst, p.Frame.Checksum)
	if drop != udp.DropNone {
		h.lanes.of(r.queue).udp.Drop(drop)
		return
	}
	from := netip.AddrPortFrom(p.Src, v.SrcPort())
	if d != toLocal {
		r.udpToMany(v, from)
		return
	}
	u := r.findUDP(netip.AddrPortFrom(p.Dst, v.DstPort()), from)
	if u == nil {
		h.lanes.of(r.queue).udp.Drop(udp.DropNoPort)
		r.sendError(p, icmp.PortUnreachable, 0)
		return
	}
	if u.handler != nil {
		r.hand(u, v, from)
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.takeAll(r, v, from, r.blockOf(v))
}

// findUDP is Host.findUDP, which need not be asked again where the last datagram was to the same port.
func (r *round) findUDP(to, from netip.AddrPort) *UDP {
	t := r.udpRound()
	changes := r.h.datagrams.changes.Load()
	if f := &t.found; f.u != nil && f.to == to && f.ifc == r.ifc && f.changes == changes {
		return f.u
	}
	u, all := r.h.findUDP(to, from, r.ifc)
	t.found = foundUDP{}
	if all {
		t.found = foundUDP{to, r.ifc, changes, u}
	}
	return u
}

// blockOf returns the block that the datagrams v lie in, where keeping it is better than a copy.
func (r *round) blockOf(v wire.UDP) *mem.Block {
	if r.block == nil || len(v) < ownBlock || &r.pkt.Frame.Buf[0] != &r.block.B[0] {
		return nil
	}
	return r.block
}

// udpToMany gives a datagram to every socket on its port that wants it.
func (r *round) udpToMany(v wire.UDP, from netip.AddrPort) {
	taken := false
	open, connected := r.h.datagrams.onPort(v.DstPort())
	for _, list := range [2][]*UDP{open, connected} {
		for _, u := range list {
			u.mu.Lock()
			wants := u.wants(r, from)
			if wants && u.handler == nil {
				u.takeAll(r, v, from, nil)
			}
			u.mu.Unlock()
			if wants && u.handler != nil {
				r.hand(u, v, from)
			}
			taken = taken || wants
		}
	}
	if !taken {
		r.h.lanes.of(r.queue).udp.Drop(udp.DropNoPort)
	}
}

// wants reports whether the socket gets a datagram that was sent to many. It is locked.
func (u *UDP) wants(r *round, from netip.AddrPort) bool {
	p := &r.pkt
	switch {
	case u.closed, !u.hears(r.ifc), u.remote.IsValid() && u.remote != from:
		return false
	}
	for _, a := range u.addrs {
		if a == p.Dst || a.IsUnspecified() && a.Is4() == p.Dst.Is4() {
			return u.allows(p.Dst, p.Src, r.ifc.index)
		}
	}
	return false
}

// takeAll puts a datagram, or the several that were coalesced into one, into the queue; block, where it
// is not nil, is the round's, and the queue may have it. u is locked.
func (u *UDP) takeAll(r *round, v wire.UDP, from netip.AddrPort, block *mem.Block) {
	p, drop := &r.pkt, udp.DropNoPort
	d := udp.Datagram{From: from, To: p.Dst, Interface: r.ifc.index, Payload: v.Payload(), SegmentSize: r.segments(v), HopLimit: p.HopLimit, TOS: p.TOS}
	count := d.Count()
	if !u.closed {
		var kept bool
		if kept, drop = u.queue.PushBlock(&d, block); kept {
			r.block = nil
		}
	}
	if drop == udp.DropFull && u.handler != nil {
		drop = udp.DropBusy
	}
	if drop != udp.DropNone {
		r.h.lanes.of(r.queue).udp.DropMany(drop, count)
		return
	}
	t := r.udpRound()
	t.in += uint64(count)
	t.inOctets += uint64(len(d.Payload))
	if !u.touched { // told of once, when the round has been fed
		u.touched = true
		t.touched = append(t.touched, u)
		t.handled = nil
	}
}

// segments returns the length of each of the datagrams that were coalesced to v, or 0 where v is one.
func (r *round) segments(v wire.UDP) int {
	if f := r.pkt.Frame; f.UDP && int(f.SegmentSize) < len(v)-udp.HeaderLen {
		return int(f.SegmentSize)
	}
	return 0
}

// count returns how many datagrams were coalesced to v.
func (r *round) count(v wire.UDP) int {
	size := r.segments(v)
	if size == 0 {
		return 1
	}
	return (len(v) - udp.HeaderLen + size - 1) / size
}

// report gives an ICMP error to the socket whose datagram it quotes (RFC 1122 §4.1.3.3). Without
// RecvErr only a connected one hears of it, and of hard errors only, as in Linux.
func (u *UDP) report(r *round, rep *icmp.Report) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return
	}
	quote := rep.Quote
	if len(quote) >= udp.HeaderLen {
		quote = quote[udp.HeaderLen:]
	}
	if u.fail(r, rep, netip.AddrPortFrom(rep.Dst, rep.DstPort), quote, u.remote.IsValid()) {
		u.host.lanes.of(0).udp.Unreachable.Add(1)
	}
}

// fail makes an ICMP error pending, and queues it where that was asked for. It reports false where the
// socket does not hear of it. u is locked.
func (u *datagramSocket) fail(r *round, rep *icmp.Report, to netip.AddrPort, quote []byte, connected bool) bool {
	errno, hard := rep.Errno()
	f := u.opts.family(rep.Version == 4)
	if rep.Kind == icmp.FragmentationNeeded {
		if u.host.pmtuDisc(f.PMTUDisc, rep.Version == 4) == PMTUDiscDont {
			return false
		}
		errno, hard = syscall.EMSGSIZE, true
	}
	if !f.RecvErr && !(hard && connected) {
		return false
	}
	if f.RecvErr {
		u.errs.Push(queuedError(r, rep, errno, to, quote))
	}
	u.queue.Fail(errno)
	u.tell(r)
	return true
}

// queuedError returns the entry of an error queue for an ICMP error.
func queuedError(r *round, rep *icmp.Report, errno syscall.Errno, to netip.AddrPort, quote []byte) *udp.Error {
	e := &udp.Error{Errno: errno, Origin: udp.OriginICMP, Type: rep.Type, Code: rep.Code, Offender: rep.From, To: to, Payload: quote, Interface: r.ifc.index,
		Local: r.pkt.Dst, HopLimit: r.pkt.HopLimit, TOS: r.pkt.TOS}
	if rep.Version == 6 {
		e.Origin = udp.OriginICMP6
	}
	switch {
	case rep.Kind == icmp.FragmentationNeeded:
		e.Info = uint32(rep.MTU)
	case rep.Pointer != 0:
		e.Info = uint32(rep.Pointer)
	}
	return e
}

// loopBack gives the host a copy of what it sends to a group or broadcast address by an interface, as
// though it had come in there. The frame may be changed.
func (h *Host) loopBack(i *Interface, f *txFrame) {
	r, _ := h.rounds.Get().(*round)
	if r == nil {
		r = &round{h: h}
	}
	r.ifc, r.now = i, h.Now()
	if drop := ip.ParseLoopback(&f.Frame, &r.pkt); drop != ip.DropNone {
		h.drops.Add(drop)
	} else {
		d := h.net.Load().classify(r.pkt.Dst)
		r.pkt.NoError = true
		r.local(d)
	}
	r.flush()
	h.rounds.Put(r)
}
