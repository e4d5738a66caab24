package shard

import (
	"net"
	"net/netip"
	"syscall"
)

// Connect makes remote the one that the socket sends to and receives from, and gives a socket
// bound to a wildcard the address that packets to there leave from, which it keeps until Disconnect. The errors are
// ENETUNREACH, EADDRNOTAVAIL, EACCES (a broadcast address), EAFNOSUPPORT, net.ErrClosed.
func (u *UDP) Connect(remote netip.AddrPort) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	h, n := u.host, u.host.net.Load()
	is4 := remote.Addr().Is4()
	src, ok := boundSource(n, u.addrs, is4) // once connected, from there
	remote = specified(remote, src)
	switch {
	case u.closed:
		return net.ErrClosed
	case u.is4 && !is4:
		return syscall.EAFNOSUPPORT
	case u.binding != nil && !ok:
		return n.otherFamily(remote.Addr(), h.lo)
	}
	class := n.classify(remote.Addr().WithZone(""))
	if class == toBroadcast && !u.opts.Broadcast {
		return syscall.EACCES
	}
	p, err := u.path(n, class, remote.Addr(), src, SendOptions{})
	if err != nil {
		return err
	}
	if err := u.autobind(false); err != nil {
		return err
	}
	s := &h.datagrams
	s.mu.Lock()
	s.leave(u)
	if u.addrs[0].IsUnspecified() {
		u.binding.narrow(p.src)
		u.addrs = []netip.Addr{p.src}
	}
	u.remote = netip.AddrPortFrom(remote.Addr().WithZone(""), remote.Port())
	u.flow = makeFlowKey(netip.AddrPortFrom(u.addrs[0], u.port), u.remote)
	s.enter(u)
	s.mu.Unlock()
	u.changes.Add(1)
	return nil
}

// boundSource returns the address among those bound that packets of a family leave from, or the
// zero Addr where it is to be chosen; ok is false where none of the family was bound.
func boundSource(n *network, addrs []netip.Addr, is4 bool) (a netip.Addr, ok bool) {
	for _, a := range addrs {
		if a.Is4() != is4 {
			continue
		}
		if a.IsUnspecified() || n.classify(a) != toLocal { // a group or broadcast address is no source
			return netip.Addr{}, true
		}
		return a, true
	}
	return netip.Addr{}, false
}

// Disconnect has the socket receive from anybody again, as connect(2) to AF_UNSPEC does. A port
// that was chosen, by Bind too, is given back; an address that was bound is kept.
func (u *UDP) Disconnect() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.auto {
		u.unbind()
		return
	}
	if !u.remote.IsValid() {
		return
	}
	s := &u.host.datagrams
	s.mu.Lock()
	s.leave(u)
	u.remote, u.addrs = netip.AddrPort{}, u.wide
	u.binding.Widen()
	s.enter(u)
	s.mu.Unlock()
	u.changes.Add(1)
}
