package shard

import (
	"net/netip"
	"syscall"
)

// way is how a socket's datagrams get to one host: a sending that was prepared once, and what it
// was prepared from. While that holds, the next datagram to there needs neither the socket's lock nor a
// look at routes, addresses and path MTUs.
type way struct {
	sending
	u       *UDP       // nil: it does not hold
	to      netip.Addr // as the caller named it
	from    netip.Addr // what SendOptions.From was
	out     int        // what SendOptions.Interface was
	network *network   // the host's, then
	options uint64     // the socket's changes, then
	reports uint64     // the path MTU cache's changes, then
	link    int        // the interface's MTU, then
}

// holds reports whether the way is that of such a datagram, and still good.
func (w *way) holds(u *UDP, to, from netip.Addr, out int) bool {
	return w.u == u && w.to == to && w.from == from && w.out == out && w.network == u.host.net.Load() &&
		w.options == u.changes.Load() && w.reports == u.host.pathMTU.changes.Load() && w.link == w.ifc.MTU()
}

// find makes w the way of such a datagram. Its errors are SendTo's. u is locked.
func (w *way) find(u *UDP, to netip.AddrPort, from netip.Addr, out int) (err error) {
	// What it depends on is read before it is used: a change in between is then noticed.
	w.u, w.network, w.options, w.reports = nil, u.host.net.Load(), u.changes.Load(), u.host.pathMTU.changes.Load()
	if w.sending, err = u.prepare(to, &SendOptions{From: from, Interface: out}); err != nil {
		return err
	}
	w.to, w.from, w.out, w.link = to.Addr(), from, out, w.ifc.MTU()
	if class := w.network.classify(w.dst.Addr()); class == toOther || class == toLocal {
		w.u = u // what is sent to many depends on the members of groups too
	}
	return nil
}

// lead makes w the way of a datagram to a port of a host: as it is where it holds, else found anew.
// u is not locked.
func (w *way) lead(u *UDP, to netip.AddrPort, from netip.Addr, out int) error {
	if w.holds(u, to.Addr(), from, out) {
		return w.toPort(to.Port())
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return w.find(u, to, from, out)
}

// toPort has the way lead to another port of its host.
func (w *way) toPort(port uint16) error {
	if port == 0 {
		return syscall.EINVAL
	}
	w.dst = netip.AddrPortFrom(w.dst.Addr(), port)
	return nil
}

// prepareAgain is prepare for a datagram like the one before, most often.
func (u *UDP) prepareAgain(to netip.AddrPort, from netip.Addr, out int) (s sending, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil {
		u.last = new(way)
	}
	if w := u.last; w.holds(u, to.Addr(), from, out) {
		err = w.toPort(to.Port())
	} else {
		err = w.find(u, to, from, out)
	}
	return u.last.sending, err
}

// ways are the ways that a round's handlers have sent by, each where its host's address puts it.
type ways [8]way

// to returns the place of a host's way.
func (ws *ways) to(to netip.Addr) *way {
	a := to.As16()
	return &ws[(a[15]^a[14])%uint8(len(ws))]
}
