package shard

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"github.com/weirnet/weir/stack/route"
)

// network is what the host knows of interfaces, addresses and routes at one
// moment. It is never changed once published: a change makes a new one, so the
// receive path reads it with one load and no lock.
type network struct {
	generation uint64       // counts the changes: a cached path is good for one generation
	interfaces []*Interface // by index-1; nil where one was removed
	local      map[netip.Addr]*Interface
	broadcast  map[netip.Addr]bool // directed broadcast addresses of our subnets
	addresses  []address
	candidates []route.Candidate
	routes     *route.Table
}

// address is one of the host's addresses.
type address struct {
	prefix netip.Prefix // the address with its subnet's length
	ifc    *Interface
}

// destination is what a packet's destination address means to the host.
type destination uint8

const (
	toOther destination = iota
	toLocal
	toBroadcast
	toMulticast
)

var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// classify tells what dst means to the host. Any of its addresses is local on any
// of its interfaces (the weak host model, RFC 1122 §3.3.4.2).
func (n *network) classify(dst netip.Addr) destination {
	if n.ours(dst) {
		return toLocal
	}
	switch {
	case dst.IsMulticast():
		return toMulticast
	case dst == limitedBroadcast || n.broadcast[dst]:
		return toBroadcast
	case dst.IsLoopback():
		return toLocal // all of 127.0.0.0/8 is this host (RFC 1122 §3.2.1.3)
	}
	return toOther
}

// ours reports whether a is one of the host's addresses.
func (n *network) ours(a netip.Addr) bool {
	_, ok := n.local[a]
	return ok
}

// path is the way of a packet to a destination.
type path struct {
	ifc *Interface
	src netip.Addr
	via netip.Addr // the next hop; invalid where the destination is on the link

	fragment bool // segments go without DF: see ip.PathMTU.MayFragment

	hopLimit, tos uint8 // of the packets; a hop limit of 0 is the host's
}

// pathTo chooses interface, next hop and, where src is not valid, the source
// address for a packet to dst. The error is ENETUNREACH without a route and
// EADDRNOTAVAIL without an address to send from.
func (n *network) pathTo(dst, src netip.Addr, lo *Interface) (path, error) {
	return n.pathOn(0, dst, src, lo)
}

// pathOn is pathTo for a socket that is bound to the interface of that index (0: any). What no
// route leads to there is taken to be on the link, as Linux has it. The host's own
// addresses are reached by the loopback all the same. ENODEV: there is no such interface.
func (n *network) pathOn(index int, dst, src netip.Addr, lo *Interface) (path, error) {
	if ifc := n.byZone(dst.Zone()); ifc != nil {
		if index != 0 && ifc.index != index {
			return path{}, syscall.ENETUNREACH
		}
		return n.withSource(path{ifc: ifc}, dst.WithZone(""), src, netip.Addr{})
	}
	if c := n.classify(dst); c == toLocal {
		if !src.IsValid() {
			src = sourceHere(dst)
		}
		return path{ifc: lo, src: src}, nil
	}
	if index != 0 {
		ifc := n.byIndex(index)
		if ifc == nil {
			return path{}, syscall.ENODEV
		}
		r, ok := n.routes.LookupWhere(dst, func(r *route.Route) bool { return r.Interface == index })
		if !ok {
			r = route.Route{}
		}
		return n.withSource(path{ifc: ifc, via: r.Via}, dst, src, r.Src)
	}
	r, ok := n.routes.Lookup(dst)
	if !ok || n.byIndex(r.Interface) == nil {
		return path{}, syscall.ENETUNREACH
	}
	return n.withSource(path{ifc: n.byIndex(r.Interface), via: r.Via}, dst, src, r.Src)
}

// sourceHere returns the source for one of the host's own addresses: itself, but the one loopback
// address for the whole of its network, as in Linux.
func sourceHere(dst netip.Addr) netip.Addr {
	if dst.Is4() && dst.IsLoopback() {
		return loopbackOf(dst)
	}
	return dst
}

// withSource completes a path with its source: the one asked for, the route's preferred one, or the best by
// RFC 6724 for the interface and the next hop.
func (n *network) withSource(p path, dst, asked, preferred netip.Addr) (path, error) {
	switch {
	case asked.IsValid():
		p.src = asked
	case preferred.IsValid():
		p.src = preferred
	default:
		p.src = route.Source{Dst: dst, Interface: p.ifc.index, NextHop: p.via}.Select(n.candidates)
	}
	if !p.src.IsValid() {
		return path{}, syscall.EADDRNOTAVAIL
	}
	return p, nil
}

func (n *network) byIndex(index int) *Interface {
	if index < 1 || index > len(n.interfaces) {
		return nil
	}
	return n.interfaces[index-1]
}

func (n *network) byZone(zone string) *Interface {
	if zone == "" {
		return nil
	}
	return n.byName(zone)
}

func (n *network) byName(name string) *Interface {
	for _, i := range n.interfaces {
		if i != nil && i.name == name {
			return i
		}
	}
	return nil
}

// clone returns a copy to change and publish.
func (n *network) clone() *network {
	c := *n
	c.generation++
	c.interfaces = slices.Clone(n.interfaces)
	c.addresses = slices.Clone(n.addresses)
	c.routes = n.routes.Clone()
	return &c
}

// index rebuilds what is derived from the addresses.
func (n *network) index() {
	n.local = make(map[netip.Addr]*Interface, len(n.addresses))
	n.broadcast = map[netip.Addr]bool{}
	n.candidates = n.candidates[:0:0]
	for _, a := range n.addresses {
		n.local[a.prefix.Addr()] = a.ifc
		if b, ok := directedBroadcast(a.prefix); ok {
			n.broadcast[b] = true
		}
		n.candidates = append(n.candidates, route.Candidate{Prefix: a.prefix, Interface: a.ifc.index})
	}
}

// directedBroadcast returns the subnet's broadcast address. A /31 and a /32 have
// none (RFC 3021 §2.2), nor has IPv6.
func directedBroadcast(p netip.Prefix) (netip.Addr, bool) {
	if !p.Addr().Is4() || p.Bits() > 30 {
		return netip.Addr{}, false
	}
	a := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		a[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(a), true
}

// change publishes a changed copy of the network, or nothing when f fails.
func (h *Host) change(f func(n *network) error) error {
	h.netMu.Lock()
	defer h.netMu.Unlock()
	n := h.net.Load().clone()
	if err := f(n); err != nil {
		return err
	}
	n.index()
	h.net.Store(n)
	return nil
}

// AddRoute enters a route. r.Interface is an index of this host's; unless r.OnLink says so, r.Via must be reached on
// that interface's link.
func (h *Host) AddRoute(r route.Route) error {
	return h.change(func(n *network) error {
		ifc := n.byIndex(r.Interface)
		if ifc == nil {
			return fmt.Errorf("add route %v: no interface with index %d", r.Dst, r.Interface)
		}
		if err := n.routes.Insert(r); err != nil { // of a next hop that none can be, this says more
			return err
		}
		if !r.OnLink && !n.neighbour(ifc, r.Via) {
			return fmt.Errorf("add route %v: the next hop %v is not a neighbour on %s: give that an address of the next hop's subnet, or the route onlink", r.Dst, r.Via, ifc.name)
		}
		return nil
	})
}

// neighbour reports whether a next hop, if there is one, can be handed packets on the interface's link: another host
// that a route without a next hop leads to, or one with a link-local address.
func (n *network) neighbour(ifc *Interface, via netip.Addr) bool {
	if !via.IsValid() || via.Is6() && via.IsLinkLocalUnicast() {
		return true
	}
	_, ok := n.routes.LookupWhere(via, func(r *route.Route) bool { return r.Interface == ifc.index && !r.Via.IsValid() })
	return ok && n.classify(via) == toOther
}

// RemoveRoute takes a route out again.
func (h *Host) RemoveRoute(r route.Route) error {
	return h.change(func(n *network) error {
		if !n.routes.Remove(r) {
			return fmt.Errorf("remove route %v: there is no such route", r.Dst)
		}
		return nil
	})
}

// Routes lists the routing table.
func (h *Host) Routes() []route.Route { return h.net.Load().routes.All() }

// HasRoute reports whether there is a route to exactly this prefix.
func (h *Host) HasRoute(dst netip.Prefix) bool { return len(h.net.Load().routes.Get(dst)) > 0 }

// RouteInterface returns the interface that reaches a next hop or destination, or nil.
func (h *Host) RouteInterface(a netip.Addr) *Interface {
	n := h.net.Load()
	r, ok := n.routes.Lookup(a)
	if !ok {
		return nil
	}
	return n.byIndex(r.Interface)
}

// SourceTo returns the address, with its prefix length, that packets to dst come from where nobody
// chooses one; the zero Prefix where there is no way to dst.
func (h *Host) SourceTo(dst netip.Addr) netip.Prefix {
	n := h.net.Load()
	p, err := n.pathTo(dst, netip.Addr{}, h.lo)
	if err != nil {
		return netip.Prefix{}
	}
	for _, a := range n.addresses {
		if a.prefix.Addr() == p.src {
			return a.prefix
		}
	}
	return netip.PrefixFrom(p.src, p.src.BitLen())
}

// SpecificDestination returns the host's address that a datagram to to came to by the interface of that index: where it
// went to many, the interface's first of the family (RFC 1122 §3.2.1.3), or to itself where there is none.
func (h *Host) SpecificDestination(to netip.Addr, index int) netip.Addr {
	n := h.net.Load()
	if n.classify(to) == toLocal {
		return to
	}
	for _, a := range n.addresses {
		if a.ifc.index == index && a.prefix.Addr().Is4() == to.Is4() {
			return a.prefix.Addr()
		}
	}
	return to
}

// InterfaceByName returns the interface of that name, or nil.
func (h *Host) InterfaceByName(name string) *Interface { return h.net.Load().byName(name) }

// Interfaces lists the interfaces in the order of their indices.
func (h *Host) Interfaces() []*Interface {
	var list []*Interface
	for _, i := range h.net.Load().interfaces {
		if i != nil {
			list = append(list, i)
		}
	}
	return list
}

// IsLocal reports whether a is an address of the host.
func (h *Host) IsLocal(a netip.Addr) bool { return h.net.Load().classify(a) == toLocal }
