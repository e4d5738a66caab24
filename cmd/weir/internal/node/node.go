package node

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/weirnet/weir/cmd/weir/internal/netflag"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/tun"
)

// Config says what to put where.
type Config struct {
	Devices []netflag.Device
	Routes  []netflag.Route
	Forward bool   // pass packets on between the devices
	Netns   string // the network namespace of the devices, empty for this one
	Pcap    string // a file to capture every packet to, empty for none
	Profile string // whose TCP the stack behaves like; see stack.Config
	Sysctls map[string]string
}

// Node is a stack on its devices.
type Node struct {
	Stack *stack.Stack
	Links []*Link

	capture *capture
	gone    chan error

	closing sync.Once
	closed  error
}

// Link is a device and what the stack and the host have on it.
type Link struct {
	Device *tun.Device
	// Flags is what was asked for. Device.Name is what the device is called.
	Flags netflag.Device
}

// Open makes a node. On an error nothing of it stays.
func Open(cfg Config) (*Node, error) {
	n := &Node{gone: make(chan error, 1)}
	if err := n.open(cfg); err != nil {
		_ = n.Close() // the first error is the one to tell
		return nil, err
	}
	return n, nil
}

func (n *Node) open(cfg Config) (err error) {
	if cfg.Pcap != "" {
		if n.capture, err = newCapture(cfg.Pcap); err != nil {
			return err
		}
	}
	if n.Stack, err = stack.New(stack.Config{Forward: cfg.Forward, Profile: cfg.Profile, Sysctls: cfg.Sysctls}); err != nil {
		return err
	}
	for _, d := range cfg.Devices {
		if err = n.addLink(d, cfg.Netns); err != nil {
			return err
		}
	}
	for _, r := range cfg.Routes {
		if err = n.addRoute(r); err != nil {
			return err
		}
	}
	return nil
}

// addLink opens a device, puts the stack on it and sets the host's side up.
func (n *Node) addLink(d netflag.Device, netns string) error {
	offload, err := tun.ParseOffload(string(d.Offload))
	if err != nil {
		return err
	}
	dev, err := tun.Open(tun.Config{Name: d.Name, MTU: d.MTU, Queues: d.Queues, Offload: offload, Namespace: netns})
	if err != nil {
		return err
	}
	link := &Link{Device: dev, Flags: d}
	n.Links = append(n.Links, link)
	if slices.ContainsFunc(d.Addrs, func(p netip.Prefix) bool { return p.Addr().Is6() }) && dev.MTU() < tun.MinIPv6MTU {
		return fmt.Errorf("%s has an MTU of %d: IPv6 needs at least %d (RFC 8200); give --mtu or only IPv4 addresses", dev.Name(), dev.MTU(), tun.MinIPv6MTU)
	}
	_, err = n.Stack.AddInterface(n.tap(dev), stack.InterfaceConfig{
		Name:           dev.Name(),
		Addresses:      d.Addrs,
		NoDefaultRoute: true, // the routes come from the flags
	})
	if err != nil {
		return err
	}
	return link.hostSide()
}

// tap returns the device as the stack sees it.
func (n *Node) tap(dev *tun.Device) stack.Device {
	var d stack.Device = &watched{Device: dev, gone: n.gone}
	if n.capture != nil {
		d = n.capture.wrap(d)
	}
	return d
}

// hostSide gives the host its addresses on the device, and routes to those of
// weir's that are on no prefix of the host's.
func (l *Link) hostSide() error {
	if l.Flags.HostNone {
		if l.Device.Created() { // nobody else can have set it up yet
			return l.Device.Up()
		}
		return nil
	}
	for _, p := range l.Flags.HostAddrs {
		if err := l.Device.AddHostAddress(p); err != nil {
			return err
		}
	}
	if err := l.Device.Up(); err != nil {
		return err
	}
	for _, p := range l.Flags.Addrs {
		a := p.Addr()
		if slices.ContainsFunc(l.Flags.HostAddrs, func(h netip.Prefix) bool { return h.Contains(a) }) {
			continue
		}
		if err := l.Device.AddRoute(netip.PrefixFrom(a, a.BitLen()), netip.Addr{}); err != nil {
			return err
		}
	}
	return nil
}

// addRoute gives the stack a route, by the name that the kernel gave the device.
func (n *Node) addRoute(r netflag.Route) error {
	for _, l := range n.Links {
		if l.Flags.Name == r.Dev {
			return n.Stack.AddRoute(stack.Route{Dst: r.Dst, Via: r.Via, Interface: l.Device.Name(), OnLink: r.OnLink})
		}
	}
	return fmt.Errorf("route %s: there is no device %s", r.Dst, r.Dev)
}

// Gone receives an error when a device was deleted underneath the stack.
func (n *Node) Gone() <-chan error { return n.gone }

// Addrs returns the stack's addresses, those of the first link first.
func (n *Node) Addrs() []netip.Addr {
	var addrs []netip.Addr
	for _, l := range n.Links {
		for _, p := range l.Flags.Addrs {
			addrs = append(addrs, p.Addr())
		}
	}
	return addrs
}

// Counters returns the stack's counters and, summed over the devices, theirs,
// sorted by name.
func (n *Node) Counters() stack.Stats {
	all := slices.Clone(n.Stack.Stats())
	sums := map[string]uint64{}
	for _, l := range n.Links {
		l.Device.Counters(func(name string, v uint64) { sums[name] += v })
	}
	for name, v := range sums {
		all = append(all, stack.Counter{Name: name, Value: v})
	}
	return Sort(all)
}

// Sort sorts counters by name.
func Sort(s stack.Stats) stack.Stats {
	slices.SortFunc(s, func(a, b stack.Counter) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	return s
}

// Close takes the stack down and then its devices: connections are reset, every
// goroutine is gone, devices that were made are gone, others are as they were found. The capture is
// whole on disk when it returns nil. A second Close does nothing.
func (n *Node) Close() error {
	n.closing.Do(func() { n.closed = n.close() })
	return n.closed
}

func (n *Node) close() error {
	var errs []error
	if n.Stack != nil {
		errs = append(errs, n.Stack.Close())
	}
	for _, l := range n.Links {
		errs = append(errs, l.Device.Close())
	}
	if n.capture != nil {
		errs = append(errs, n.capture.close())
	}
	return errors.Join(errs...)
}
