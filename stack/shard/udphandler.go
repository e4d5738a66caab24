package shard

import (
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/udp"
	"github.com/weirnet/weir/stack/wire"
)

// PacketHandler has the datagrams of a socket as they come, in the receive round that they came in:
// there is no queue, no lock and no other goroutine between. The receive loops of several queues, and of
// several devices, may call it at the same time. Its calls are watched (watch.go): while one does not
// return, what comes for the socket waits (udpstall.go).
type PacketHandler interface {
	// OnPacket is called with a datagram. p and m are lent for the call.
	OnPacket(c *PacketCall, p []byte, m *PacketMeta)
}

// TrainHandler is a PacketHandler that takes datagrams that came coalesced as they came. Another
// gets each of them by itself.
type TrainHandler interface {
	PacketHandler
	// OnTrain is called with datagrams of size octets each, the last of which may be shorter.
	OnTrain(c *PacketCall, p []byte, size int, m *PacketMeta)
}

// PacketMeta is what is known of a received datagram beside its payload.
type PacketMeta struct {
	From      netip.AddrPort // where it came from
	To        netip.AddrPort // what it was sent to: an address of the host, a group or a broadcast address, and the socket's port
	Interface int            // the index of the interface that it came in by
	HopLimit  uint8          // the TTL or hop limit that it arrived with
	TOS       uint8          // the TOS octet or traffic class that it arrived with
}

// PacketCall is a socket in the hands of its handler, for one call. What it sends leaves at the end of
// the round at the latest, together with what else goes the same way.
type PacketCall struct {
	r    *round
	u    *UDP
	meta PacketMeta
	p    []byte // the datagrams that the call is about, where they are whole
	at   int    // where they begin in the frame's buffer
}

// udpRound is what a round needs for datagrams.
type udpRound struct {
	call    PacketCall
	ways    ways
	outlet  outlet
	found   foundUDP
	touched []*UDP // whose queues have got something
	handled *UDP   // whose handler has filled the outlet, where nothing else is left to do

	in, inOctets uint64 // counted, and not added up yet
}

// foundUDP is what findUDP found for every remote.
type foundUDP struct {
	to      netip.AddrPort
	ifc     *Interface
	changes uint64
	u       *UDP
}

// udpRound returns the round's part for datagrams.
func (r *round) udpRound() *udpRound {
	if r.datagrams == nil {
		r.datagrams = new(udpRound)
	}
	return r.datagrams
}

// hand gives a datagram, or several that were coalesced to one, to the handler of its socket.
func (r *round) hand(u *UDP, v wire.UDP, from netip.AddrPort) {
	t, p := r.udpRound(), &r.pkt
	if u.busy() && r.putOff(u, v, from) {
		return
	}
	if t.handled != u {
		r.flushUDP() // nothing waits for the handler of another socket
	}
	t.handled = u
	c := &t.call
	c.r, c.u = r, u
	c.meta = PacketMeta{From: from, To: netip.AddrPortFrom(p.Dst, v.DstPort()), Interface: r.ifc.index, HopLimit: p.HopLimit, TOS: p.TOS}
	payload, size := v.Payload(), r.segments(v)
	t.in += uint64(r.count(v))
	t.inOctets += uint64(len(payload))
	block := r.blockOf(v)
	if block != nil {
		block.Retain() // for the call, whatever becomes of it
		c.p, c.at = payload, p.Frame.End-len(p.Payload)+udp.HeaderLen
	}
	c.handOver(payload, size)
	c.p = nil
	if block != nil {
		block.Release()
	}
	if r.watch.isLost() {
		t.outlet.flush(false)
		r.catchUp(u)
	}
}

// handOver hands over a datagram or, where size is not 0, several that were coalesced.
func (c *PacketCall) handOver(p []byte, size int) {
	if size == 0 {
		c.call(p)
	} else {
		c.each(p, size)
	}
}

// each hands over datagrams that were coalesced, as a whole or one by one.
func (c *PacketCall) each(p []byte, size int) {
	if h, ok := c.u.handler.(TrainHandler); ok {
		w := c.enter(h)
		h.OnTrain(c, p, size, &c.meta)
		c.leave(w)
		return
	}
	for len(p) > 0 {
		n := min(size, len(p))
		c.call(p[:n:n])
		p = p[n:]
	}
}

// call hands over one datagram.
func (c *PacketCall) call(p []byte) {
	w := c.enter(c.u.handler)
	c.u.handler.OnPacket(c, p, &c.meta)
	c.leave(w)
}

// busyUDP reports whether flushUDP has something to do that others wait for.
func (r *round) busyUDP() bool {
	t := r.datagrams
	return t != nil && (t.outlet.n > 0 || len(t.touched) > 0)
}

// flushUDP sends what the round's handlers have sent, tells the sockets that got something, and adds up
// what was counted.
func (r *round) flushUDP() {
	t := r.datagrams
	if t == nil {
		return
	}
	t.outlet.flush(false)
	t.handled = nil
	for n, u := range t.touched {
		u.mu.Lock()
		u.touched = false
		u.tell(r)
		u.mu.Unlock()
		t.touched[n] = nil
	}
	t.touched = t.touched[:0]
	if t.in > 0 {
		ctr := &r.h.lanes.of(r.queue).udp
		ctr.In.Add(t.in)
		ctr.InOctets.Add(t.inOctets)
		t.in, t.inOctets = 0, 0
	}
}

// Socket returns the socket.
func (c *PacketCall) Socket() *UDP { return c.u }

// Meta returns what is known of the datagram that the call is about.
func (c *PacketCall) Meta() *PacketMeta { return &c.meta }

// Reply sends p to where the datagram came from, from the address and port that it was sent to; where
// that is a group's or a broadcast address, from the host's. p may be the datagram itself, or a part of
// it: then the handler leaves it alone afterwards. See WriteTo for the errors.
func (c *PacketCall) Reply(p []byte) error {
	w, err := c.back()
	if err != nil {
		return err
	}
	return c.send(w, p)
}

// ReplyTrain is Reply with several datagrams of size octets each, the last of which may be shorter; they
// lie in p one after the other. They leave in one frame where the device can cut it (USO).
func (c *PacketCall) ReplyTrain(p []byte, size int) error {
	w, err := c.back()
	if err != nil {
		return err
	}
	return c.sendTrain(w, p, size)
}

// back returns the way to where the datagram came from.
func (c *PacketCall) back() (*way, error) {
	m, out := &c.meta, 0
	if m.From.Addr().IsLinkLocalUnicast() {
		out = m.Interface
	}
	w := c.r.datagrams.ways.to(m.From.Addr())
	return w, w.lead(c.u, m.From, m.To.Addr(), out)
}

// WriteTo sends p to anybody, as UDP.Send does. The errors are EMSGSIZE, ENETUNREACH, EADDRNOTAVAIL,
// EAFNOSUPPORT, EACCES, net.ErrClosed, EINVAL for port 0. A device that is full is none: what it
// does not take waits in the interface's bounded backlog. But fragments, and what is sent to many, are
// EAGAIN then, for a handler cannot wait.
func (c *PacketCall) WriteTo(p []byte, to netip.AddrPort) error {
	w := c.r.datagrams.ways.to(to.Addr())
	if err := w.lead(c.u, to, netip.Addr{}, 0); err != nil {
		return err
	}
	return c.send(w, p)
}

// send sends a datagram by a way, through the outlet where that can be.
func (c *PacketCall) send(w *way, p []byte) error {
	o := &c.r.datagrams.outlet
	if !w.fits(len(p)) {
		o.flush(false)
		return w.sendAlone(c.u, p)
	}
	if len(p) >= ownBlock && c.own(p) {
		return c.sendOwn(w, p, max(len(p), 1))
	}
	if o.queue = c.r.queue; !o.put(w, p) {
		o.flush(false)
		o.put(w, p)
	}
	return nil
}

// sendAlone sends what does not fit an outlet.
func (w *way) sendAlone(u *UDP, p []byte) error {
	if err := u.fits(p, &w.sending); err != nil {
		return err
	}
	return u.host.sendUDP(u, p, &w.sending)
}

// sendTrain sends datagrams of one size by a way.
func (c *PacketCall) sendTrain(w *way, p []byte, size int) error {
	if size <= 0 {
		return syscall.EINVAL
	}
	whole := w.fits(size) && w.cuts()
	if whole && c.own(p) && len(p) <= maxTrain*size && len(p) <= maxTrainOctets {
		return c.sendOwn(w, p, size)
	}
	most := size
	if whole {
		most = min(maxTrain, maxTrainOctets/size) * size
	}
	for len(p) > 0 {
		n := min(most, len(p))
		if err := c.sendPart(w, p[:n], size); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// sendPart sends as much of a train as goes in one frame.
func (c *PacketCall) sendPart(w *way, p []byte, size int) error {
	if len(p) <= size {
		return c.send(w, p)
	}
	o := &c.r.datagrams.outlet
	if o.queue = c.r.queue; !o.putTrain(w, p, size, nil, 0) {
		o.flush(false)
		o.putTrain(w, p, size, nil, 0)
	}
	return nil
}

// own reports whether p is what was received, in a block that it may leave in.
func (c *PacketCall) own(p []byte) bool {
	return len(p) > 0 && len(c.p) >= len(p) && &p[0] == &c.p[0] && c.r.block != nil
}

// sendOwn sends what was received in the block that it lies in, and leaves the receive loop without that.
func (c *PacketCall) sendOwn(w *way, p []byte, size int) error {
	o, block := &c.r.datagrams.outlet, c.r.block
	if o.queue = c.r.queue; !o.putTrain(w, p, size, block, c.at) {
		o.flush(false)
		o.putTrain(w, p, size, block, c.at)
	}
	block.Release() // the receive loop's part
	c.r.block = nil
	return nil
}

// ListenUDPHandler is ListenUDP for a socket whose datagrams go to a handler, which make returns.
func (h *Host) ListenUDPHandler(local netip.AddrPort, both bool, make func(*UDP) PacketHandler) (*UDP, error) {
	u := h.OpenUDP(local.Addr().Is4())
	u.opts.Broadcast, u.handler = true, make(u)
	if err := u.Bind(local, BindOptions{Both: both}); err != nil {
		return nil, err
	}
	return u, nil
}

// Handler returns the socket's handler, or nil where its datagrams are queued.
func (u *UDP) Handler() PacketHandler { return u.handler }
