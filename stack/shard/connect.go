package shard

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/tcp"
)

// DialTCP opens a connection to remote and sends its SYN. local may be the zero
// AddrPort, or lack address or port: they are chosen. f is told how it goes on:
// EventConnected, or EventError and then the connection's Conn().Err. The errors here
// are those of before the first packet: ENETUNREACH, EADDRNOTAVAIL, EADDRINUSE, net.ErrClosed.
func (h *Host) DialTCP(local, remote netip.AddrPort, f Handler) (*TCP, error) {
	return h.DialTCPWith(local, remote, nil, f)
}

// DialTCPWith is DialTCP with options, which may be nil.
func (h *Host) DialTCPWith(local, remote netip.AddrPort, o *TCPOptions, f Handler) (*TCP, error) {
	if a := local.Addr(); a.IsValid() && !a.IsUnspecified() && !h.IsLocal(a) {
		return nil, syscall.EADDRNOTAVAIL
	}
	remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	if local.Port() == 0 {
		return h.connect(nil, local.Addr(), remote, o, f)
	}
	if !local.Addr().IsValid() || local.Addr().IsUnspecified() {
		local = netip.AddrPortFrom(unspecified(remote.Addr()), local.Port())
	}
	b, err := h.Bind(protoTCP, local, BindOptions{ReuseAddr: true})
	if err != nil {
		return nil, err
	}
	defer b.Release() // the connection holds the port from now on
	c, err := h.ConnectTCP(b, remote, o, f)
	if err == syscall.EADDRNOTAVAIL && h.connected(local, remote) {
		err = syscall.EADDRINUSE
	}
	return c, err
}

// connected reports whether there is a connection, or a TIME-WAIT record, of these ends.
func (h *Host) connected(local, remote netip.AddrPort) bool {
	k := makeFlowKey(local, remote)
	return h.conns.get(&k) != nil || h.halfOpens.get(&k) != nil || h.timeWaits.get(&k) != nil
}

// ConnectTCP opens a connection to remote from what b has bound, and sends its SYN. b may be
// nil: then address and port are chosen. o may be nil. f is as for DialTCP.
//
// The binding stays its owner's to release, and a wildcard narrows to the address that
// was chosen. The errors are those of before the first packet: ENETUNREACH, EADDRNOTAVAIL
// (also where b's port has a connection to remote, or no port is left), EAFNOSUPPORT,
// ENODEV, net.ErrClosed.
func (h *Host) ConnectTCP(b *Binding, remote netip.AddrPort, o *TCPOptions, f Handler) (*TCP, error) {
	var local netip.Addr
	remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	if b != nil {
		for _, a := range b.options().addrs {
			if a.Is4() == remote.Addr().Is4() {
				local = a
			}
		}
		if !local.IsValid() {
			return nil, h.net.Load().otherFamily(remote.Addr(), h.lo)
		}
	}
	return h.connect(b, local, remote, o, f)
}

// connect is ConnectTCP once the address to bind to is known.
func (h *Host) connect(b *Binding, local netip.Addr, remote netip.AddrPort, o *TCPOptions, f Handler) (*TCP, error) {
	if o == nil {
		o = new(TCPOptions)
	}
	n := h.net.Load()
	if a := remote.Addr(); n.classify(a) == toMulticast || n.classify(a) == toBroadcast {
		return nil, syscall.ENETUNREACH
	}
	if local.IsValid() && (local.IsUnspecified() || n.classify(local) != toLocal) {
		local = netip.Addr{}
	}
	remote = specified(remote, local)
	p, err := n.pathOn(o.Interface, remote.Addr(), local, h.lo)
	if err != nil {
		return nil, err
	}
	now := h.Now()
	c, old, err := h.enterNew(b, p.src, remote, o, f)
	if err != nil {
		return nil, err
	}
	defer c.unlock(nil)
	if b != nil {
		b.narrow(p.src)
	}
	c.setPath(p, n.generation)
	cfg := h.tcpConfig(c, now, o)
	old.bequeath(&cfg)
	c.conn.Connect(now, &cfg)
	if o.Setup != nil {
		o.Setup(&c.conn)
	}
	c.push(now)
	if h.isClosed() {
		c.disown()
		c.abort(now)
		return nil, net.ErrClosed
	}
	return c, nil
}

// specified makes an unspecified destination this host, as the kernel does: over IPv4 the address that
// is sent from, where that is known, else the loopback address.
func specified(to netip.AddrPort, from netip.Addr) netip.AddrPort {
	a := to.Addr()
	switch {
	case !a.IsUnspecified():
		return to
	case a.Is4() && from.Is4() && !from.IsUnspecified():
		a = from
	default:
		a = loopbackOf(a)
	}
	return netip.AddrPortFrom(a, to.Port())
}

// otherFamily returns the error for a destination of the family that a socket has no address of: that there
// is no way to it goes before.
func (n *network) otherFamily(dst netip.Addr, lo *Interface) error {
	if _, err := n.pathTo(dst, netip.Addr{}, lo); err != nil {
		return err
	}
	return syscall.EAFNOSUPPORT
}

func loopbackOf(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

// enterNew makes a connection and enters it in the table, choosing the local port where nobody
// has bound it (RFC 6056 §3.3.3: a keyed hash of the destination, plus a counter). A
// port that others have bound is not chosen. The connection returned is locked, and may have
// something of one in TIME-WAIT whose place it takes.
func (h *Host) enterNew(b *Binding, local netip.Addr, remote netip.AddrPort, o *TCPOptions, f Handler) (*TCP, ancestor, error) {
	if b != nil {
		t := b.options()
		if c, old := h.tryNew(netip.AddrPortFrom(local, b.Local().Port()), remote, o, f, &t); c != nil {
			return c, old, nil
		}
		return nil, ancestor{}, syscall.EADDRNOTAVAIL
	}
	first, n := h.ephemeralPorts(o.Ports)
	at := h.secret.PortOffset(local, remote) + h.ports.next()
	for i := range n {
		port := first + uint16((at+i)%n)
		if h.ports.bound(portKey{protoTCP, port}, nil) {
			continue
		}
		c, old := h.tryNew(netip.AddrPortFrom(local, port), remote, o, f, nil)
		if c == nil {
			continue
		}
		if h.ports.bound(portKey{protoTCP, port}, nil) { // bound since; see takePort
			c.forget()
			continue
		}
		return c, old, nil
	}
	return nil, ancestor{}, syscall.EADDRNOTAVAIL
}

// tryNew enters a connection of these ends, locked, or returns nil where there is one, or a
// TIME-WAIT record that stands in the way. t is what has bound the local end, or nil.
func (h *Host) tryNew(local, remote netip.AddrPort, o *TCPOptions, f Handler, t *taker) (*TCP, ancestor) {
	c := h.newTCP(local, remote)
	c.SetHandler(f)
	o.apply(c)
	if t != nil {
		c.reuse, c.reusePort = t.reuse, t.reusePort
	}
	c.mu.Lock()
	if c.enter() && h.halfOpens.get(&c.key) == nil {
		// Asked after the key is taken: the connection that had it may only just have
		// left the one table for the other.
		if old, ok := h.takeTimeWait(&c.key, t != nil); ok {
			return c, old
		}
	}
	c.forget()
	return nil, ancestor{}
}

// forget ends a connection that its user is not given, and who hears nothing of it.
func (c *TCP) forget() {
	c.disown()
	c.leave()
	c.mu.Unlock()
}

// disown takes the connection from its user.
func (c *TCP) disown() {
	c.detached, c.handler, c.events = true, nil, 0
	c.setInPlace(false)
}

// tcpConfig returns what the state machine is to know of its place.
func (h *Host) tcpConfig(c *TCP, now clock.Time, o *TCPOptions) tcp.Config {
	is4 := c.key.is4()
	local, remote := c.key.ends()
	announce := mss(c.linkMTU(), is4)
	set := o.Settings
	if set == nil {
		set = h.cfg.TCP
	}
	cfg := tcp.Config{
		Settings: set, Counters: &h.lanes.of(int(c.queue)).tcp, Pool: &h.pool,
		ISS:      h.secret.ISS(now, local, remote),
		TSOffset: h.secret.TSOffset(local, remote),
		MSS:      min(announce, 65535), DefaultMSS: set.DefaultMSS(is4),
		PathMSS: c.pathMSS(), UserMSS: o.UserMSS, CC: o.CC, NoOptions: o.NoOptions,
		RecvBufferFixed: o.ReceiveBuffer > 0 || h.cfg.ReceiveBuffer > 0 && set.Profile == tcp.ProfileWeir,
		SendBufferFixed: o.SendBuffer > 0,
	}
	if set.AnnouncePathMTU {
		cfg.MSS = min(cfg.MSS, cfg.PathMSS)
	}
	recv, send := h.TCPBuffers()
	cfg.RecvBuffer = orDefault(o.ReceiveBuffer, recv, maxBuffer)
	cfg.SendBuffer = orDefault(o.SendBuffer, send, maxBuffer)
	c.softwareGSO = set.SoftwareGSO
	cfg.MaxSegment = c.maxSegment(cfg.PathMSS)
	return cfg
}
