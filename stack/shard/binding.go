package shard

import (
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// BindOptions say how an address is taken.
type BindOptions struct {
	// Both takes every address of both families (an IPv6 wildcard with IPV6_V6ONLY off).
	Both bool
	// ReuseAddr and ReusePort are SO_REUSEADDR and SO_REUSEPORT: see Bind.
	ReuseAddr, ReusePort bool
	// Interface is that of SO_BINDTODEVICE by its index; 0 is any.
	Interface int
	// Ports narrows the range that a port is chosen from.
	Ports PortRange
}

// PortRange narrows the host's range of ports (IP_LOCAL_PORT_RANGE): an end of it that is 0, or not
// within the host's, is the host's.
type PortRange struct{ First, Last uint16 }

// Binding is a local address and port that a socket has taken. Release gives it back; what
// was opened with it meanwhile stays, and still holds its port.
type Binding struct {
	taker
	host     *Host
	protocol uint8
	local    netip.AddrPort
	wide     []netip.Addr // what was bound, whatever it was narrowed to since
}

func (b *Binding) key() portKey { return portKey{b.protocol, b.local.Port()} }

// Local returns what was bound: with Both, the IPv6 wildcard.
func (b *Binding) Local() netip.AddrPort {
	b.host.ports.mu.RLock()
	defer b.host.ports.mu.RUnlock()
	return b.local
}

// keys returns the addresses bound, each with the port.
func (b *Binding) keys() (list []netip.AddrPort) {
	b.host.ports.mu.RLock()
	defer b.host.ports.mu.RUnlock()
	for _, a := range b.addrs {
		list = append(list, netip.AddrPortFrom(a, b.local.Port()))
	}
	return list
}

// SetReuse changes SO_REUSEADDR and SO_REUSEPORT, for those who bind later and for a
// later ListenTCP.
func (b *Binding) SetReuse(addr, port bool) {
	b.host.ports.mu.Lock()
	b.reuse, b.reusePort = addr, port
	b.host.ports.mu.Unlock()
}

// SetInterface changes what SO_BINDTODEVICE asked for; 0 is any.
func (b *Binding) SetInterface(index int) {
	b.host.ports.mu.Lock()
	b.ifc = index
	b.host.ports.mu.Unlock()
}

// options returns what is asked of the binding without the table's lock held.
func (b *Binding) options() taker {
	b.host.ports.mu.RLock()
	defer b.host.ports.mu.RUnlock()
	return b.taker
}

// narrow makes a binding to a wildcard one to the address that its socket was connected from,
// as connect(2) does; others may bind the rest.
func (b *Binding) narrow(a netip.Addr) {
	if b.wide[0].IsUnspecified() {
		b.become([]netip.Addr{a})
	}
}

// Widen makes the binding again what Bind made it, after a connection from a wildcard has
// narrowed it to one address: for a connect(2) that failed, or is undone.
func (b *Binding) Widen() { b.become(b.wide) }

func (b *Binding) become(addrs []netip.Addr) {
	p := &b.host.ports
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.Contains(p.m[b.key()], b) {
		p.count += len(addrs) - len(b.addrs)
	}
	b.addrs, b.local = addrs, netip.AddrPortFrom(addrs[0], b.local.Port())
}

// Release gives the port back. A second call does nothing.
func (b *Binding) Release() { b.host.ports.leave(b) }

// Bind takes a local address and port of TCP or UDP (the protocol's number) for a socket.
// Port 0 asks for one that is free. The address may be a wildcard, any of the
// host's, or, as bind(2) has it, a multicast or broadcast address.
//
// Who is there already, a socket, a connection or a TIME-WAIT record, and has an
// address in common, is the error EADDRINUSE, but for SO_REUSEADDR and SO_REUSEPORT: the
// first, on both, lets TCP sockets share a port while none of them listens and UDP sockets
// always; the second, on both, always. Other errors are EADDRNOTAVAIL and net.ErrClosed.
func (h *Host) Bind(protocol uint8, local netip.AddrPort, o BindOptions) (*Binding, error) {
	a := local.Addr()
	if zone := a.Zone(); zone != "" && o.Interface == 0 {
		if i := h.InterfaceByName(zone); i != nil {
			o.Interface = i.index
		}
	}
	a = a.WithZone("")
	if !a.IsUnspecified() && h.net.Load().classify(a) == toOther {
		return nil, syscall.EADDRNOTAVAIL
	}
	b := &Binding{host: h, protocol: protocol}
	b.taker = taker{addrs: []netip.Addr{a}, ifc: o.Interface, reuse: o.ReuseAddr, reusePort: o.ReusePort}
	if o.Both {
		b.addrs = []netip.Addr{netip.IPv6Unspecified(), netip.IPv4Unspecified()}
	}
	b.wide = b.addrs
	if err := h.takePort(b, local.Port(), o.Ports); err != nil {
		return nil, err
	}
	if h.isClosed() {
		b.Release()
		return nil, net.ErrClosed
	}
	return b, nil
}

// takePort gives b the port, or one that is free.
func (h *Host) takePort(b *Binding, port uint16, r PortRange) error {
	if port != 0 {
		if !h.ports.take(b, port, false) {
			return syscall.EADDRINUSE
		}
		// After the port is taken: who opens a connection enters it first and looks for
		// bindings then, so that one of the two sees the other.
		if h.connectionForbids(b) {
			b.Release()
			return syscall.EADDRINUSE
		}
		return nil
	}
	first, n := h.ephemeralPorts(r)
	at := h.secret.PortOffset(b.addrs[0], netip.AddrPort{}) + h.ports.next()*7919
	for i := range n {
		port := first + uint16((at+i)%n)
		if b.protocol == protoTCP && h.portUse.used(port) || !h.ports.take(b, port, true) {
			continue
		}
		return nil
	}
	return syscall.EADDRINUSE
}

// ephemeralPorts returns the first port that there is to choose from, and how many there are.
func (h *Host) ephemeralPorts(r PortRange) (first uint16, n uint32) {
	first, last := h.cfg.FirstPort, h.cfg.LastPort
	if r.First >= first && r.First <= last {
		first = r.First
	}
	if r.Last >= first && r.Last <= last {
		last = r.Last
	}
	return first, uint32(last-first) + 1
}

// connectionForbids reports whether a connection or a TIME-WAIT record on b's port keeps b
// from it. It looks at all there are, where there is any on that port.
func (h *Host) connectionForbids(b *Binding) bool {
	port := b.local.Port()
	if b.protocol != protoTCP || !h.portUse.used(port) {
		return false
	}
	t := b.options()
	var addr [1]netip.Addr
	old := taker{addrs: addr[:]}
	for _, c := range h.conns.list() {
		if c.key.localPort() != port {
			continue
		}
		addr[0], old.ifc, old.reuse, old.reusePort = c.Local().Addr(), int(c.device.Load()), c.reuse, c.reusePort
		if t.forbids(protoTCP, &old) {
			return true
		}
	}
	for _, w := range h.timeWaits.list() {
		local, _ := w.key.ends()
		if local.Port() != port {
			continue
		}
		addr[0], old.ifc, old.reuse, old.reusePort = local.Addr(), 0, w.reuse, w.reusePort
		if t.forbids(protoTCP, &old) {
			return true
		}
	}
	return false
}
