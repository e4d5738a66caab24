package shard

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/gso"
	"github.com/weirnet/weir/stack/udp"
	"github.com/weirnet/weir/stack/wire"
)

// raw gives a copy of the packet to every raw socket that wants it, and reports whether there was one.
func (r *round) raw(d destination) (taken bool) {
	for _, s := range r.h.raws.list() {
		if s.is4 != (r.pkt.Version == 4) || s.protocol != r.pkt.Protocol || s.protocol == protoRaw {
			continue
		}
		s.mu.Lock()
		if s.wants(r, d) {
			taken = true
			s.take(r)
		}
		s.mu.Unlock()
	}
	return taken
}

// wants reports whether the socket is to get the packet. It is locked.
func (s *Raw) wants(r *round, d destination) bool {
	p := &r.pkt
	switch {
	case s.closed, !s.hears(r.ifc):
		return false
	case s.local.IsValid() && s.local != p.Dst, s.remote.IsValid() && s.remote != p.Src:
		return false
	case d == toMulticast && !s.allows(p.Dst, p.Src, r.ifc.index):
		return false
	}
	if len(p.Payload) == 0 {
		return true
	}
	switch typ := p.Payload[0]; p.Protocol {
	case wire.ProtoICMP:
		return typ >= 32 || s.filter4&(1<<typ) == 0
	case wire.ProtoICMPv6:
		return s.filter6[typ>>5]&(1<<(typ&31)) == 0
	}
	return true
}

// take puts the packet into the queue. s is locked.
func (s *Raw) take(r *round) {
	p := &r.pkt
	if p.Frame.SegmentSize == 0 {
		gso.FinishChecksum(p.Frame) // what is read is what a wire would have carried
	}
	payload := p.Payload
	if s.is4 {
		payload = p.Frame.Packet()
	} else if s.checksumAt >= 0 && !s.summed(p) {
		r.h.counters.rawBadChecksum.Add(1)
		return
	}
	d := udp.Datagram{From: netip.AddrPortFrom(p.Src, 0), To: p.Dst, Interface: r.ifc.index, Payload: payload, HopLimit: p.HopLimit, TOS: p.TOS}
	if s.queue.Push(&d) != udp.DropNone {
		r.h.counters.rawFull.Add(1)
		return
	}
	r.h.counters.rawIn.Add(1)
	s.event()
}

// summed reports whether the packet's checksum, of which the socket says where it is, is right.
func (s *Raw) summed(p *ip.Packet) bool {
	return s.checksumAt+2 <= len(p.Payload) &&
		(p.Frame.Checksum == link.ChecksumVerified || wire.Sum(p.Payload, wire.PseudoHeaderSum(p.Protocol, p.Src, p.Dst, len(p.Payload))) == 0xffff)
}

// SendTo sends one packet to dst, or where that is not valid to the peer. The errors are those of
// UDP.SendTo; EINVAL is also a header, or a checksum's place, that the packet does not hold.
func (s *Raw) SendTo(payload []byte, dst netip.Addr, o SendOptions) error {
	w, included, checksumAt, err := s.prepare(dst, &o)
	if err != nil {
		return err
	}
	hl := ipHeaderLen(w.dst.Addr())
	switch {
	case included:
		return s.sendIncluded(payload, &w)
	case len(payload)+hl > 65535:
		return syscall.EMSGSIZE
	case checksumAt+2 > len(payload) && checksumAt >= 0:
		return syscall.EINVAL
	case w.mustFit && len(payload)+hl > w.mtu:
		s.tooLong(w.dst, w.mtu, payload, w.recvErr)
		return syscall.EMSGSIZE
	}
	h := s.host
	f := h.getTx()
	end := payloadAt + copy(f.Buf[payloadAt:], payload)
	hdr := ipHeader{
		src: w.src.Addr(), dst: w.dst.Addr(), protocol: s.protocol, hopLimit: w.hopLimit, tos: w.tos,
		dontFragment: w.alwaysDF || w.df && len(payload)+hl <= w.mtu, flowLabel: h.flowLabel(w.src, w.dst),
	}
	if !hdr.dontFragment {
		hdr.id = uint16(h.idents.next(hdr.src, hdr.dst, hdr.protocol))
	}
	if checksumAt >= 0 {
		b := f.Buf[payloadAt:end]
		binary.BigEndian.PutUint16(b[checksumAt:], 0)
		sum := ^wire.Sum(b, wire.PseudoHeaderSum(s.protocol, hdr.src, hdr.dst, len(b)))
		if sum == 0 && s.protocol != wire.ProtoICMPv6 {
			sum = 0xffff
		}
		binary.BigEndian.PutUint16(b[checksumAt:], sum)
	}
	rooms := w.ifc.rooms.Load()
	if !h.offerDatagram(f, &hdr, &w, payloadAt, end) {
		s.awaitRoom(w.ifc, rooms)
		return syscall.EAGAIN
	}
	h.counters.rawOut.Add(1)
	return nil
}

// prepare finds out all about a packet to dst but its payload.
func (s *Raw) prepare(dst netip.Addr, o *SendOptions) (w sending, included bool, checksumAt int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.host.net.Load()
	if !dst.IsValid() {
		dst = s.remote
	}
	switch {
	case s.closed:
		return w, false, 0, net.ErrClosed
	case !dst.IsValid():
		return w, false, 0, syscall.EDESTADDRREQ
	case dst.Is4() != s.is4:
		return w, false, 0, syscall.EAFNOSUPPORT
	}
	if dst.IsUnspecified() {
		dst = loopbackOf(dst)
	}
	src := s.source(n)
	if o.From.IsValid() && o.From.Is4() == s.is4 && n.classify(o.From) == toLocal {
		src = o.From
	}
	class := n.classify(dst.WithZone(""))
	if class == toBroadcast && !s.opts.Broadcast {
		return w, false, 0, syscall.EACCES
	}
	if w.path, err = s.path(n, class, dst, src, *o); err != nil {
		return w, false, 0, err
	}
	w.src, w.dst = netip.AddrPortFrom(w.path.src, 0), netip.AddrPortFrom(dst.WithZone(""), 0)
	s.measure(&w, class, o)
	return w, s.headerIncluded, s.checksumAt, nil
}

// source is the address that the socket sends from, or the zero Addr where it is to be chosen. s is locked.
func (s *Raw) source(n *network) netip.Addr {
	if s.local.IsValid() && n.classify(s.local) == toLocal {
		return s.local
	}
	return netip.Addr{}
}

// sendIncluded sends a packet that has its IP header. Of IPv4's the length and the checksum are filled in, and
// the identification and the source where they are zero (raw(7)).
func (s *Raw) sendIncluded(b []byte, w *sending) error {
	h := s.host
	switch hl := ipHeaderLen(w.dst.Addr()); {
	case len(b) > w.ifc.MTU():
		s.tooLong(w.dst, w.ifc.MTU(), b, w.recvErr)
		return syscall.EMSGSIZE
	case len(b) < hl, s.is4 && (int(b[0]&15)*4 < hl || int(b[0]&15)*4 > len(b)), (b[0]>>4 == 4) != s.is4:
		return syscall.EINVAL
	}
	f := h.getTx()
	defer h.putTx(f)
	f.Off, f.End = payloadAt, payloadAt+copy(f.Buf[payloadAt:], b)
	if s.is4 {
		p := wire.IPv4(f.Packet())
		p.SetTotalLen(len(b))
		if p.Src().IsUnspecified() {
			p.SetSrc(w.src.Addr())
		}
		if p.ID() == 0 {
			p.SetID(uint16(h.idents.next(p.Src(), p.Dst(), p.Protocol())))
		}
		p.UpdateChecksum()
	}
	rooms := w.ifc.rooms.Load()
	if w.ifc.offer(f, 0) == full {
		s.awaitRoom(w.ifc, rooms)
		return syscall.EAGAIN
	}
	h.counters.rawOut.Add(1)
	return nil
}
