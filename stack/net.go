package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/weirnet/weir/stack/netconn"
	"github.com/weirnet/weir/stack/shard"
)

// endpoint is an address as the functions of package net take it.
type endpoint struct {
	addr netip.AddrPort
	any  bool   // any address of both families
	name string // in place of an address, where a dial has one
}

// parse reads network and address for an operation. proto gets the network's name
// without its family.
func parse(op, network, address string) (proto string, e endpoint, err error) {
	fail := func(err error) (string, endpoint, error) {
		return "", endpoint{}, &net.OpError{Op: op, Net: network, Err: err}
	}
	proto = strings.TrimRight(network, "46")
	family := network[len(proto):]
	if proto != "tcp" && proto != "udp" || len(family) > 1 {
		return fail(net.UnknownNetworkError(network))
	}
	if address == "" {
		if op == "dial" {
			return fail(errors.New("missing address"))
		}
		address = ":0" // as package net takes it: any address, any port
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return fail(err)
	}
	port, err := net.DefaultResolver.LookupPort(context.Background(), network, service)
	if err != nil {
		return fail(err)
	}
	ip, err := hostAddr(host, family)
	if errors.As(err, new(*net.DNSError)) && op == "dial" {
		return proto, endpoint{addr: netip.AddrPortFrom(netip.Addr{}, uint16(port)), name: host}, nil
	}
	if err != nil {
		return fail(err)
	}
	e.any = family == "" && ip == netip.IPv6Unspecified()
	e.addr = netip.AddrPortFrom(ip, uint16(port))
	return proto, e, nil
}

// hostAddr returns the address that a host part is. Only literals are known here. As in package net, no host is the
// wildcard, IPv6's stands for IPv4's in a network of IPv4's, and IPv4's for both in one of both.
func hostAddr(host, family string) (netip.Addr, error) {
	if host == "" {
		host = "::"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return ip, &net.DNSError{Err: "not an IP address, and names are not looked up here: give an address", Name: host, IsNotFound: true}
	}
	ip = ip.Unmap()
	switch {
	case family == "4" && ip == netip.IPv6Unspecified():
		ip = netip.IPv4Unspecified()
	case family == "" && ip == netip.IPv4Unspecified():
		ip = netip.IPv6Unspecified()
	}
	if family != "" && ip.Is4() != (family == "4") {
		return ip, &net.AddrError{Err: "address is not of the network's family", Addr: host}
	}
	return ip, nil
}

// Dial is DialContext without a context.
func (s *Stack) Dial(network, address string) (net.Conn, error) {
	return s.DialContext(context.Background(), network, address)
}

// DialContext connects to the address on the network, as net.Dialer.DialContext
// does: "tcp", "udp" and their forms with 4 and 6. The host is an IP address, or a name where
// the stack has a Config.Resolver: its addresses are sorted by RFC 6724, and for TCP
// tried by Happy Eyeballs (RFC 8305), a quarter of a second apart, both families in turn; the first
// that answers is taken and the attempts at the others are given up. The
// connection is a *netconn.TCPConn or *netconn.UDPConn; the error is a *net.OpError
// around ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, a *net.DNSError or the context's.
func (s *Stack) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return s.DialFrom(ctx, network, netip.AddrPort{}, address)
}

// DialFrom is DialContext from a chosen local address and port; either may be zero.
func (s *Stack) DialFrom(ctx context.Context, network string, local netip.AddrPort, address string) (net.Conn, error) {
	proto, e, err := parse("dial", network, address)
	if err != nil {
		return nil, err
	}
	if e.name != "" {
		return s.dialName(ctx, network, local, e.name, e.addr.Port())
	}
	if e.any { // package net means this host's IPv4 by no host
		e.addr = netip.AddrPortFrom(netip.IPv4Unspecified(), e.addr.Port())
	}
	if proto == "tcp" {
		c, err := netconn.DialTCP(ctx, s.h, network, local, e.addr)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	c, err := netconn.DialUDP(s.h, network, local, e.addr)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Listen listens on a TCP address: "tcp", "tcp4" or "tcp6". No host, "0.0.0.0" and "[::]" mean
// any address of the network's families, as in package net: with "tcp" of both. Port 0 asks for a free one, and so
// does no address at all. The listener is a *netconn.Listener; the error is a *net.OpError around EADDRINUSE or EADDRNOTAVAIL.
func (s *Stack) Listen(network, address string) (net.Listener, error) {
	return ListenConfig{}.Listen(context.Background(), s, network, address)
}

// SYN is what is known of somebody who wants to connect, and Verdict what becomes of it.
type (
	SYN     = shard.SYN
	Verdict = shard.Verdict
)

// What a ListenConfig's OnSYN returns.
const (
	AcceptSYN = shard.AcceptSYN // the handshake goes on
	RefuseSYN = shard.RefuseSYN // it is answered by a reset, as if nobody listened
	DropSYN   = shard.DropSYN   // it is not answered
)

// ListenConfig says how to listen where that is not as Stack.Listen does.
type ListenConfig struct {
	// Backlog is how many connections are kept that are not accepted yet, and how many
	// half-open ones beside; zero is Config.Backlog.
	Backlog int
	// OnSYN is asked about each SYN before anything is kept of it: who is not wanted costs no
	// memory and, with DropSYN, no answer. It runs in the receive path and must
	// not block. The counters tcp.syn_refused and tcp.drop.syn_unwanted tell how many there were.
	OnSYN func(*SYN) Verdict
}

// Listen is Stack.Listen with the configuration, on the stack s. The context is as package net has it: listening
// waits for nothing, so only one that has ended already counts, and its error is that of the *net.OpError. Once
// it listens, the context means nothing.
func (lc ListenConfig) Listen(ctx context.Context, s *Stack, network, address string) (net.Listener, error) {
	proto, e, err := parse("listen", network, address)
	if err != nil {
		return nil, err
	}
	if proto != "tcp" {
		return nil, &net.OpError{Op: "listen", Net: network, Err: fmt.Errorf("not a stream network: use ListenPacket")}
	}
	if err := ctx.Err(); err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	o := shard.ListenOptions{Backlog: max(lc.Backlog, 0), OnSYN: lc.OnSYN}
	l, err := netconn.ListenTCPWith(s.h, network, e.addr, e.any, o)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// ListenPacket binds a UDP socket: "udp", "udp4" or "udp6", with addresses as for
// Listen. It is a *netconn.UDPConn.
func (s *Stack) ListenPacket(network, address string) (net.PacketConn, error) {
	proto, e, err := parse("listen", network, address)
	if err != nil {
		return nil, err
	}
	if proto != "udp" {
		return nil, &net.OpError{Op: "listen", Net: network, Err: fmt.Errorf("not a packet network: use Listen")}
	}
	c, err := netconn.ListenUDP(s.h, network, e.addr, e.any)
	if err != nil {
		return nil, err
	}
	return c, nil
}
