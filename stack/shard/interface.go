package shard

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/loopback"
	"github.com/weirnet/weir/stack/route"
)

// Interface joins a device to the host.
type Interface struct {
	host     *Host
	index    int
	name     string
	dev      link.Device
	features uint64
	loop     bool

	mu      sync.Mutex
	backlog []*txFrame    // frames without an owner who could wait, in order
	line    []waiter      // who waits for room, in order
	spare   []waiter      // what a line that has gone was kept in
	rooms   atomic.Uint64 // counts, under mu, when room came and who waited was told
	queued  atomic.Int32  // frames in the backlog, or on their way from it to the device
	writable,
	removed atomic.Bool

	counters linkCounters
	lanes    []linkLane // of each queue
}

// MinMTU4 and MinMTU6 are the least MTU of a link that carries IPv4 (RFC 791 §3.2)
// and IPv6 (RFC 8200 §5).
const (
	MinMTU4 = 68
	MinMTU6 = 1280
)

// AddInterface joins a device to the host, which from then on owns it and closes
// it. The prefixes are the interface's addresses, each with its subnet's length; the
// subnets are routed to the interface.
func (h *Host) AddInterface(name string, dev link.Device, addrs []netip.Prefix) (*Interface, error) {
	if name == "" {
		name = dev.Name()
	}
	i := &Interface{host: h, name: name, dev: dev, features: dev.Features(), lanes: make([]linkLane, max(dev.Queues(), 1))}
	if nt, ok := dev.(link.Notifier); ok {
		nt.OnWritable(i.onWritable) // before anybody can find the device full
	}
	err := h.change(func(n *network) error {
		if h.isClosed() {
			return fmt.Errorf("add interface %s: the stack is closed", name)
		}
		if n.byName(name) != nil {
			return fmt.Errorf("add interface %s: there is one of that name already; give another", name)
		}
		h.lanes.widen(len(i.lanes))
		n.interfaces = append(n.interfaces, i)
		i.index = len(n.interfaces)
		for _, p := range addrs {
			if err := n.addAddress(i, p); err != nil {
				return err
			}
		}
		if h.mode.Load() == modeRunning {
			i.start()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return i, nil
}

// addLoopback gives the host the interface by which it talks to itself.
func (h *Host) addLoopback() {
	addrs := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128")}
	lo, err := h.AddInterface("lo", loopback.New("lo"), addrs)
	if err != nil {
		panic("shard: loopback: " + err.Error()) // a fresh host refuses nothing
	}
	lo.loop = true
	h.lo = lo
}

// addAddress enters an address and the route to its subnet.
func (n *network) addAddress(i *Interface, p netip.Prefix) error {
	if err := n.checkAddress(i, p); err != nil {
		return err
	}
	n.enter(address{p, i})
	return n.routes.Insert(route.Route{Dst: p.Masked(), Interface: i.index})
}

// enter puts an address in its place: they are in the order of interfaces, and of those in that in which
// they came. A sort from package slices would do as well, and be a good part of a small program.
func (n *network) enter(a address) {
	n.addresses = append(n.addresses, a)
	for at := len(n.addresses) - 1; at > 0 && n.addresses[at-1].ifc.index > a.ifc.index; at-- {
		n.addresses[at-1], n.addresses[at] = n.addresses[at], n.addresses[at-1]
	}
}

func (n *network) checkAddress(i *Interface, p netip.Prefix) error {
	a := p.Addr()
	switch {
	case !p.IsValid():
		return fmt.Errorf("add address to %s: not an address with a prefix length, such as 192.0.2.2/24", i.name)
	case a.IsMulticast() || a.IsUnspecified() || a == limitedBroadcast:
		return fmt.Errorf("add address %v to %s: not the address of a host", p, i.name)
	case a.Is4In6():
		return fmt.Errorf("add address %v to %s: write it as the IPv4 address %v", p, i.name, a.Unmap())
	case a.Is6() && i.dev.MTU() < MinMTU6:
		return fmt.Errorf("add address %v to %s: its MTU of %d is below IPv6's minimum of %d; raise it", p, i.name, i.dev.MTU(), MinMTU6)
	case i.dev.MTU() < MinMTU4:
		return fmt.Errorf("add address %v to %s: its MTU of %d is below IPv4's minimum of %d; raise it", p, i.name, i.dev.MTU(), MinMTU4)
	}
	if slices.ContainsFunc(n.addresses, func(x address) bool { return x.prefix.Addr() == a }) {
		return fmt.Errorf("add address %v to %s: %w", p, i.name, syscall.EADDRINUSE)
	}
	return nil
}

// AddAddress gives the interface another address and routes its subnet to it.
func (i *Interface) AddAddress(p netip.Prefix) error {
	return i.host.change(func(n *network) error { return n.addAddress(i, p) })
}

// RemoveAddress takes an address from the interface. The subnet's route goes with its last address.
func (i *Interface) RemoveAddress(p netip.Prefix) error {
	return i.host.change(func(n *network) error {
		at := slices.IndexFunc(n.addresses, func(x address) bool { return x.ifc == i && x.prefix == p })
		if at < 0 {
			return fmt.Errorf("remove address %v from %s: it has no such address", p, i.name)
		}
		n.addresses = slices.Delete(n.addresses, at, at+1)
		if !slices.ContainsFunc(n.addresses, func(x address) bool { return x.ifc == i && x.prefix.Masked() == p.Masked() }) {
			n.routes.Remove(route.Route{Dst: p.Masked(), Interface: i.index})
		}
		return nil
	})
}

// Addresses lists the interface's addresses.
func (i *Interface) Addresses() (list []netip.Prefix) {
	for _, a := range i.host.net.Load().addresses {
		if a.ifc == i {
			list = append(list, a.prefix)
		}
	}
	return list
}

// Index returns the interface's number, counted from 1; it is never used again.
func (i *Interface) Index() int { return i.index }

// Name returns the interface's name.
func (i *Interface) Name() string { return i.name }

// MTU returns the device's MTU in octets.
func (i *Interface) MTU() int { return i.dev.MTU() }

// Device returns the device.
func (i *Interface) Device() link.Device { return i.dev }

// Close takes the interface, its addresses and its routes out of the host and
// closes the device. Connections over it find another way or time out.
func (i *Interface) Close() error {
	err := i.host.change(func(n *network) error {
		if n.byIndex(i.index) != i {
			return fmt.Errorf("close interface %s: it is closed already", i.name)
		}
		n.interfaces[i.index-1] = nil
		n.addresses = slices.DeleteFunc(n.addresses, func(a address) bool { return a.ifc == i })
		n.routes.RemoveWhere(func(r *route.Route) bool { return r.Interface == i.index })
		return nil
	})
	if err != nil {
		return err
	}
	err = i.shut()
	i.dropBacklog()
	return err
}

// shut closes the device; its receive loops end.
func (i *Interface) shut() error {
	if i.removed.Swap(true) {
		return nil
	}
	err := i.dev.Close()
	i.onWritable() // whoever waits for room learns that there is none to come
	if err != nil && !errors.Is(err, syscall.EBADF) {
		return fmt.Errorf("close interface %s: %w", i.name, err)
	}
	return nil
}

// mss returns the largest TCP payload with no options that a packet of mtu octets holds.
func mss(mtu int, is4 bool) int {
	if is4 {
		return mtu - 40
	}
	return mtu - 60
}
