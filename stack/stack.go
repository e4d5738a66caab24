package stack

import (
	"fmt"
	"io"
	"log"
	"net/netip"
	"sync/atomic"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/route"
	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/tcp"
)

// Device is what carries frames: see link.Device. A type need not import weir to be one.
type Device = link.Device

// Config is what a Stack is made with. The zero value is a host, not a router, with
// default buffers.
type Config struct {
	// Forward makes the stack a router: packets for others go on by the routing table.
	Forward bool
	// ReceiveBuffer and SendBuffer bound the octets that a TCP connection holds for its
	// user and for its peer. Zero is 4 MiB for the peer, and for the user 2 MiB at first, which grows
	// to what is read in two round trips of the path, 8 MiB at most (net.ipv4.tcp_rmem in
	// Sysctls). Memory is attached only while there is data.
	ReceiveBuffer, SendBuffer int
	// DatagramBuffer bounds the octets that a UDP socket queues; zero is 1 MiB.
	DatagramBuffer int
	// Backlog is how many connections a listener keeps that are not accepted yet; zero is 4096.
	Backlog int
	// MaxHalfOpen bounds the half-open connections of all listeners together, each a record of some
	// two hundred octets; zero is 65,536. A SYN beyond them is ignored.
	MaxHalfOpen int
	// Profile is whose TCP the stack behaves like where the RFCs leave room: "weir" (or ""), "linux" or
	// "freebsd". See tcp.ProfileSettings.
	Profile string
	// Sysctls sets what sysctls of Linux and FreeBSD set, by their names:
	// "net.ipv4.tcp_keepalive_time": "600". New fails for one that means nothing here.
	Sysctls map[string]string
	// TCP holds the settings of TCP, in place of a Profile; nil is tcp.DefaultSettings.
	TCP *tcp.Settings
	// Resolver looks up the names that DialContext is given; nil makes names an error. A
	// *net.Resolver asks by the host's network, what apps/dns/stub makes by this stack. SetResolver
	// sets one that needs the stack first.
	Resolver Resolver
	// Logger is told what somebody should know who looks after the program, at most once a
	// second: which event handler does not return. A *slog.Logger is one; nil is package log's.
	Logger Logger
	// Rand is where the secrets come from that make initial sequence numbers, ports and
	// identifications unpredictable (RFC 6528, RFC 6056); nil is the system's. Only a
	// test that must replay wants another.
	Rand io.Reader
}

// Logger takes warnings. A *slog.Logger is one.
type Logger = shard.Logger

// standardLog is the Logger of who has not given another.
type standardLog struct{}

func (standardLog) Warn(msg string, args ...any) {
	for i := 0; i+1 < len(args); i += 2 {
		msg += fmt.Sprintf(" %v=%v", args[i], args[i+1])
	}
	log.Print("weir: ", msg)
}

// Stack is a TCP/IP stack. Its methods are safe for concurrent use.
type Stack struct {
	h        *shard.Host
	resolver atomic.Pointer[Resolver]
}

// New makes a stack, with a loopback interface and nothing else. Close it when
// it is no longer needed.
func New(cfg Config) (*Stack, error) {
	c := shard.Config{
		Forward: cfg.Forward, ReceiveBuffer: cfg.ReceiveBuffer, SendBuffer: cfg.SendBuffer,
		DatagramBuffer: cfg.DatagramBuffer, Backlog: cfg.Backlog, MaxHalfOpen: cfg.MaxHalfOpen, Logger: cfg.Logger,
	}
	if err := cfg.settings(&c); err != nil {
		return nil, err
	}
	if cfg.Rand != nil {
		if _, err := io.ReadFull(cfg.Rand, c.Secret[:]); err != nil {
			return nil, fmt.Errorf("new stack: read %d octets of secrets from Config.Rand: %w", len(c.Secret), err)
		}
	}
	if c.Logger == nil {
		c.Logger = standardLog{}
	}
	h := shard.New(c)
	h.Start()
	s := &Stack{h: h}
	s.SetResolver(cfg.Resolver)
	return s, nil
}

// SetResolver puts r in the place of Config.Resolver, from the next dial on: a resolver that asks over
// the stack can only be made when there is one. Nil makes names an error.
func (s *Stack) SetResolver(r Resolver) {
	if r == nil {
		s.resolver.Store(nil)
		return
	}
	s.resolver.Store(&r)
}

// Close resets every connection, closes every listener, socket and device, and returns
// when every goroutine of the stack has ended.
func (s *Stack) Close() error { return s.h.Close() }

// InterfaceConfig says how a device joins a stack.
type InterfaceConfig struct {
	// Name is the interface's name; empty is the device's.
	Name string
	// Addresses are the interface's addresses, each with the length of its subnet,
	// which is routed to the interface.
	Addresses []netip.Prefix
	// NoDefaultRoute leaves out the default routes that are otherwise made for each
	// family that Addresses has, where there is none yet.
	NoDefaultRoute bool
}

// Interface is a device that has joined a stack.
type Interface struct{ i *shard.Interface }

// AddInterface joins a device to the stack, which owns it from then on and closes it.
func (s *Stack) AddInterface(dev Device, cfg InterfaceConfig) (*Interface, error) {
	i, err := s.h.AddInterface(cfg.Name, dev, cfg.Addresses)
	if err != nil {
		return nil, err
	}
	if !cfg.NoDefaultRoute {
		s.addDefaultRoutes(i, cfg.Addresses)
	}
	return &Interface{i}, nil
}

func (s *Stack) addDefaultRoutes(i *shard.Interface, addrs []netip.Prefix) {
	for _, any := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		has := false
		for _, p := range addrs {
			has = has || p.Addr().Is4() == any.Is4()
		}
		if has && !s.hasDefaultRoute(any) {
			s.h.AddRoute(route.Route{Dst: netip.PrefixFrom(any, 0), Interface: i.Index()})
		}
	}
}

func (s *Stack) hasDefaultRoute(any netip.Addr) bool {
	return s.h.HasRoute(netip.PrefixFrom(any, 0))
}

// Index returns the interface's number, which is never used again.
func (i *Interface) Index() int { return i.i.Index() }

// Name returns the interface's name.
func (i *Interface) Name() string { return i.i.Name() }

// MTU returns the device's MTU in octets.
func (i *Interface) MTU() int { return i.i.MTU() }

// Addresses lists the interface's addresses with their subnets' lengths.
func (i *Interface) Addresses() []netip.Prefix { return i.i.Addresses() }

// AddAddress gives the interface another address and routes its subnet to it.
func (i *Interface) AddAddress(p netip.Prefix) error { return i.i.AddAddress(p) }

// RemoveAddress takes an address from the interface.
func (i *Interface) RemoveAddress(p netip.Prefix) error { return i.i.RemoveAddress(p) }

// Close takes the interface with its addresses and routes out of the stack and closes the device.
func (i *Interface) Close() error { return i.i.Close() }

// Interfaces lists the interfaces, the loopback first.
func (s *Stack) Interfaces() (list []*Interface) {
	for _, i := range s.h.Interfaces() {
		list = append(list, &Interface{i})
	}
	return list
}

// Route is where packets to a prefix go.
type Route struct {
	// Dst is the destination; a length of 0 is the default route.
	Dst netip.Prefix
	// Via is the next hop; the zero value says that Dst is on the link.
	Via netip.Addr
	// Interface is the name of the interface; empty is the one that reaches Via.
	Interface string
	// Metric ranks routes of one prefix: lower is better.
	Metric int
	// Src is the source address that packets prefer; the zero value leaves the choice
	// to RFC 6724.
	Src netip.Addr
	// OnLink takes Via for a neighbour on Interface's link though no route says so, as "onlink" does in ip route.
	OnLink bool
}

// AddRoute enters a route. Its next hop must be a neighbour: on the subnet of an address of the interface's, or where
// else a route without a next hop leads by that interface, or link-local.
func (s *Stack) AddRoute(r Route) error {
	in, err := s.internal(r)
	if err != nil {
		return fmt.Errorf("add route %v: %w", r.Dst, err)
	}
	return s.h.AddRoute(in)
}

// RemoveRoute takes a route out that was entered with the same fields.
func (s *Stack) RemoveRoute(r Route) error {
	in, err := s.internal(r)
	if err != nil {
		return fmt.Errorf("remove route %v: %w", r.Dst, err)
	}
	return s.h.RemoveRoute(in)
}

func (s *Stack) internal(r Route) (route.Route, error) {
	var i *shard.Interface
	switch {
	case r.Interface != "":
		if i = s.h.InterfaceByName(r.Interface); i == nil {
			return route.Route{}, fmt.Errorf("there is no interface %s", r.Interface)
		}
	case !r.Via.IsValid():
		return route.Route{}, fmt.Errorf("name an interface or a next hop")
	default:
		if i = s.h.RouteInterface(r.Via); i == nil {
			return route.Route{}, fmt.Errorf("no interface reaches the next hop %v; add its subnet first", r.Via)
		}
	}
	return route.Route{Dst: r.Dst, Via: r.Via, Interface: i.Index(), Metric: r.Metric, Src: r.Src, OnLink: r.OnLink}, nil
}

// Routes lists the routing table, those of the interfaces' subnets included.
func (s *Stack) Routes() (list []Route) {
	names := map[int]string{}
	for _, i := range s.h.Interfaces() {
		names[i.Index()] = i.Name()
	}
	for _, r := range s.h.Routes() {
		list = append(list, Route{Dst: r.Dst, Via: r.Via, Interface: names[r.Interface], Metric: r.Metric, Src: r.Src, OnLink: r.OnLink})
	}
	return list
}
