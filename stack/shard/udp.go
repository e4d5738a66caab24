package shard

import (
	"net"
	"net/netip"
	"syscall"
)

// UDP is a UDP socket in the driver's hands.
type UDP struct {
	datagramSocket
	is4     bool          // it takes IPv4 addresses only
	handler PacketHandler // has what comes, instead of the queue; set before it is bound
	stalls                // of the handler

	// Guarded by mu and by the table's lock: who has either may read, who has both may write.
	binding   *Binding // nil: it has no port yet
	addrs     []netip.Addr
	port      uint16
	wide      []netip.Addr   // what was bound, where a connection has narrowed that
	auto      bool           // the port was chosen, and goes with the connection
	kept      netip.Addr     // what was bound without a port, which is gone
	reusePort bool           // shares its port
	remote    netip.AddrPort // valid where it is connected
	flow      flowKey

	last *way // by which it sent last, under mu
}

// OpenUDP returns a socket that is not bound yet: Bind, Connect and SendTo do that. is4 says that
// it is of IPv4 only; another takes both families' addresses as far as it is bound to them.
func (h *Host) OpenUDP(is4 bool) *UDP {
	u := &UDP{is4: is4}
	u.init(h)
	return u
}

// ListenUDP binds a socket that receives from anybody. local is as for Listen. It may send to
// broadcast addresses.
func (h *Host) ListenUDP(local netip.AddrPort, both bool) (*UDP, error) {
	u := h.OpenUDP(local.Addr().Is4())
	u.opts.Broadcast = true
	if err := u.Bind(local, BindOptions{Both: both}); err != nil {
		return nil, err
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
	u := h.OpenUDP(remote.Addr().Is4())
	u.opts.Broadcast = true
	if err = u.Bind(netip.AddrPortFrom(p.src, local.Port()), BindOptions{}); err == nil {
		if err = u.Connect(remote); err != nil {
			u.Close()
		}
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// Bind takes a local address and port: see Host.Bind. A second one is EINVAL.
func (u *UDP) Bind(local netip.AddrPort, o BindOptions) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.bind(local, o)
}

// Keep notes an address to bind to once the socket needs a port, which is chosen then
// (IP_BIND_ADDRESS_NO_PORT); a wildcard notes none. A socket that is bound is EINVAL.
func (u *UDP) Keep(local netip.Addr) error {
	s := &u.host.datagrams
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.binding != nil {
		return syscall.EINVAL
	}
	s.mu.Lock()
	u.keep(local.WithZone(""))
	s.mu.Unlock()
	return nil
}

// keep notes an address that was bound without a port. The socket and the table are locked.
func (u *UDP) keep(a netip.Addr) {
	if u.kept = a; a.IsUnspecified() {
		u.kept = netip.Addr{}
	}
}

// bind is Bind with the socket locked.
func (u *UDP) bind(local netip.AddrPort, o BindOptions) error {
	switch {
	case u.closed:
		return net.ErrClosed
	case u.binding != nil:
		return syscall.EINVAL
	}
	b, err := u.host.Bind(protoUDP, local, o)
	if err != nil {
		return err
	}
	if o.Interface != 0 {
		u.device.Store(int32(o.Interface))
	}
	s := &u.host.datagrams
	s.mu.Lock()
	u.binding, u.auto, u.reusePort, u.kept = b, local.Port() == 0, o.ReusePort, netip.Addr{}
	u.addrs, u.wide, u.port = b.addrs, b.addrs, b.local.Port()
	s.enter(u)
	s.mu.Unlock()
	u.changes.Add(1)
	if u.host.isClosed() {
		u.unbind()
		return net.ErrClosed
	}
	return nil
}

// Autobind gives a socket that has none a port, on every address that it may have; v6only leaves
// out IPv4's. Connect and SendTo do that too. EADDRINUSE: there is none left.
func (u *UDP) Autobind(v6only bool) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.autobind(v6only)
}

func (u *UDP) autobind(v6only bool) error {
	if u.binding != nil {
		return nil
	}
	o := BindOptions{Interface: u.Interface()}
	any := netip.IPv4Unspecified()
	switch {
	case u.kept.IsValid():
		any = u.kept
	case !u.is4:
		any, o.Both = netip.IPv6Unspecified(), !v6only
	}
	return u.bind(netip.AddrPortFrom(any, 0), o)
}

// unbind gives the port back. The socket is locked.
func (u *UDP) unbind() {
	if u.binding == nil {
		return
	}
	s := &u.host.datagrams
	s.mu.Lock()
	s.leave(u)
	b := u.binding
	u.keep(u.wide[0])
	u.binding, u.addrs, u.wide, u.port, u.auto = nil, nil, nil, 0, false
	u.remote = netip.AddrPort{}
	s.mu.Unlock()
	u.changes.Add(1)
	b.Release()
}

// Local returns what the socket is bound to: the IPv6 wildcard where that is both families'.
func (u *UDP) Local() netip.AddrPort {
	s := &u.host.datagrams
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case len(u.addrs) > 0:
		return netip.AddrPortFrom(u.addrs[0], u.port)
	case u.kept.IsValid():
		return netip.AddrPortFrom(u.kept, 0)
	case u.is4:
		return netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
}

// Bound reports whether the socket has a port.
func (u *UDP) Bound() bool {
	s := &u.host.datagrams
	s.mu.RLock()
	defer s.mu.RUnlock()
	return u.binding != nil
}

// Remote returns the peer of a connected socket; it is not valid for others.
func (u *UDP) Remote() netip.AddrPort {
	s := &u.host.datagrams
	s.mu.RLock()
	defer s.mu.RUnlock()
	return u.remote
}

// SetReuse changes SO_REUSEADDR and SO_REUSEPORT, for those who bind the port later.
func (u *UDP) SetReuse(addr, port bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.binding == nil {
		return
	}
	u.binding.SetReuse(addr, port)
	s := &u.host.datagrams
	s.mu.Lock()
	u.reusePort = port
	s.changes.Add(1)
	s.mu.Unlock()
}

// SetInterface binds the socket to an interface, by which it then sends and receives; 0 is any.
func (u *UDP) SetInterface(index int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.device.Store(int32(index))
	u.changes.Add(1)
	u.host.datagrams.changes.Add(1)
	if u.binding != nil {
		u.binding.SetInterface(index)
	}
}

// Close closes the socket and throws away what it has queued.
func (u *UDP) Close() {
	if u.shut() {
		return
	}
	u.mu.Lock()
	u.unbind()
	u.mu.Unlock()
}
