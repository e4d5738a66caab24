package shard

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp"
)

// newTCP returns a connection that is in no table yet.
func (h *Host) newTCP(local, remote netip.AddrPort) *TCP {
	c := &TCP{host: h, local: local, remote: remote, key: makeFlowKey(local, remote), armed: clock.Never}
	c.timer.Value = c
	return c
}

// tcpConfig returns what the state machine is to know of its place. minISS is the
// least initial sequence number that may be used, where an old incarnation asks for one.
func (h *Host) tcpConfig(c *TCP, now clock.Time) tcp.Config {
	is4 := c.remote.Addr().Is4()
	announce := mss(c.out.ifc.MTU(), is4)
	cfg := tcp.Config{
		Settings: h.cfg.TCP, Counters: &h.tcpCounters, Pool: &h.pool,
		ISS:      h.secret.ISS(now, c.local, c.remote),
		TSOffset: h.secret.TSOffset(c.local, c.remote),
		MSS:      min(announce, 65535), DefaultMSS: defaultMSS(is4),
		PathMSS:    h.pathMSS(&c.out, c.remote.Addr()),
		RecvBuffer: h.cfg.ReceiveBuffer, SendBuffer: h.cfg.SendBuffer,
	}
	cfg.MaxSegment = c.out.ifc.maxSegment(is4, cfg.PathMSS)
	return cfg
}

// pathMSS returns the largest payload, options included, that the path takes, and notes in
// it whether packets may be fragmented on the way.
func (h *Host) pathMSS(p *path, dst netip.Addr) int {
	mtu, fragment := h.pathMTU.lookup(dst, p.ifc.MTU())
	p.fragment = fragment
	return mss(mtu, dst.Is4())
}

// maxSegment returns the largest payload worth building at once: a super-segment
// where the device cuts, else one segment.
func (i *Interface) maxSegment(is4 bool, pathMSS int) int {
	bit := link.FeatureHostTSO6
	if is4 {
		bit = link.FeatureHostTSO4
	}
	if i.features&bit != 0 {
		return maxPayload
	}
	return min(pathMSS, maxPayload)
}

// DialTCP opens a connection to remote and sends its SYN. local may be the zero
// AddrPort, or lack address or port: they are chosen. f is told how it goes on:
// EventConnected, or EventError and then the connection's Conn().Err. The errors here
// are those of before the first packet: ENETUNREACH, EADDRNOTAVAIL, EADDRINUSE, net.ErrClosed.
func (h *Host) DialTCP(local, remote netip.AddrPort, f Handler) (*TCP, error) {
	n := h.net.Load()
	if a := remote.Addr(); n.classify(a) == toMulticast || n.classify(a) == toBroadcast {
		return nil, syscall.ENETUNREACH
	}
	if remote.Addr().IsUnspecified() { // connect(2) takes "any" for this host
		remote = netip.AddrPortFrom(loopbackOf(remote.Addr()), remote.Port())
	}
	if a := local.Addr(); a.IsValid() && !a.IsUnspecified() && !h.IsLocal(a) {
		return nil, syscall.EADDRNOTAVAIL
	}
	src := local.Addr()
	if src.IsValid() && src.IsUnspecified() {
		src = netip.Addr{}
	}
	p, err := n.pathTo(remote.Addr(), src, h.lo)
	if err != nil {
		return nil, err
	}
	now := h.Now()
	c, err := h.enterNew(netip.AddrPortFrom(p.src, local.Port()), remote, f)
	if err != nil {
		return nil, err
	}
	defer c.mu.Unlock()
	c.out, c.outAt = p, n.generation
	cfg := h.tcpConfig(c, now)
	c.conn.Connect(now, &cfg)
	c.push(now)
	if h.isClosed() {
		c.abort(now)
		return nil, net.ErrClosed
	}
	return c, nil
}

func loopbackOf(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

// enterNew makes a connection and enters it in the table, choosing the local port
// where it is 0 (RFC 6056 §3.3.3: a keyed hash of the destination, plus a counter).
// The connection returned is locked.
func (h *Host) enterNew(local, remote netip.AddrPort, f Handler) (*TCP, error) {
	try := func(local netip.AddrPort) *TCP {
		if local == remote && h.listeners.find(local) != nil {
			return nil
		}
		c := h.newTCP(local, remote)
		c.handler = f
		c.mu.Lock()
		if c.entered = h.conns.add(&c.key, c); c.entered && h.timeWaits.get(&c.key) == nil {
			return c
		}
		// Asked after the key is taken: the connection that had it may only just have
		// left the one table for the other.
		c.leave()
		c.mu.Unlock()
		return nil
	}
	if local.Port() != 0 {
		if c := try(local); c != nil {
			return c, nil
		}
		return nil, syscall.EADDRINUSE
	}
	at := h.secret.PortOffset(local.Addr(), remote) + h.ports.next()
	for i := range uint32(ephemeralPorts) {
		l := netip.AddrPortFrom(local.Addr(), firstEphemeral+uint16((at+i)%ephemeralPorts))
		if h.listeners.find(l) != nil {
			continue
		}
		if c := try(l); c != nil {
			return c, nil
		}
	}
	return nil, syscall.EADDRNOTAVAIL
}

// listen is LISTEN meeting a segment (RFC 9293 §3.10.7.2): a SYN makes a connection in
// SYN-RECEIVED, an ACK is answered by a reset, all else is dropped. minISS is the least
// initial sequence number to use, where an old connection of the same ends asks for one.
func (r *round) listen(l *Listener, local, remote netip.AddrPort, minISS *seq.Value) {
	f := r.h.getTx()
	switch tcp.Listen(&r.seg, &f.seg) {
	case tcp.ListenReply:
		r.h.sendSegment(f, local, remote, r.queue)
	case tcp.ListenAccept:
		r.h.putTx(f)
		r.accept(l, local, remote, minISS)
	default:
		r.h.putTx(f)
	}
}

// accept makes the connection that a SYN asks for.
func (r *round) accept(l *Listener, local, remote netip.AddrPort, minISS *seq.Value) {
	h := r.h
	n := h.net.Load()
	p, err := n.pathTo(remote.Addr(), local.Addr(), h.lo)
	if err != nil {
		h.drops.Add(ip.DropNoRoute)
		return
	}
	c := h.newTCP(local, remote)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !l.reserve(c) {
		h.counters.listenOverflow.Add(1)
		return
	}
	c.parent, c.out, c.outAt, c.queue = l, p, n.generation, r.queue
	if !h.conns.add(&c.key, c) { // another queue's loop has just done the same
		l.progress(c, tcp.EventClosed)
		return
	}
	c.entered = true
	cfg := h.tcpConfig(c, r.now)
	if minISS != nil && cfg.ISS.Less(*minISS) {
		cfg.ISS = *minISS
	}
	c.happened(c.conn.Accept(r.now, &cfg, &r.seg))
	r.touch(c)
}

// defaultMSS is assumed of a peer that announces no MSS (RFC 9293 §3.7.1, MUST-15).
func defaultMSS(is4 bool) int {
	if is4 {
		return 536
	}
	return 1220
}
