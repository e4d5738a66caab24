package main

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/fdbased"
	gtun "gvisor.dev/gvisor/pkg/tcpip/link/tun"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// gvisorEndpoint is gVisor's stack behind a device.
type gvisorEndpoint struct {
	*gstack.Stack
	close func() error
}

const (
	gvisorNIC    = 1
	gvisorDevice = "tun0"
)

// openGVisor opens it as it ships: its own way to open a TUN, its own link endpoint on it, and no
// option changed but SACK, which every user of it turns on.
func openGVisor(mtu int, _ string) (endpoint, error) {
	fd, err := gtun.Open(gvisorDevice)
	if err != nil {
		return nil, fmt.Errorf("open a TUN for gVisor: %w", err)
	}
	g := newGVisor(func() error { return unix.Close(fd) })
	if err := setUpLink(gvisorDevice, clientPrefix, mtu); err != nil {
		g.Close()
		return nil, err
	}
	link, err := fdbased.New(&fdbased.Options{FDs: []int{fd}, MTU: uint32(mtu)})
	if err == nil {
		err = g.attach(link)
	}
	if err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// openGVisorBest opens it with all that makes it faster: a link that hands super-segments
// through (gvisorLink), CUBIC, buffers that tune themselves to as much as it allows, and no RACK, in
// whose way its window collapses. The process has GOGC=400.
func openGVisorBest(mtu int, _ string) (endpoint, error) {
	dev, err := openRawTUN(mtu, false)
	if err != nil {
		return nil, err
	}
	g := newGVisor(dev.file.Close)
	cubic, norack, moderate := tcpip.CongestionControlOption("cubic"), tcpip.TCPRecovery(0), tcpip.TCPModerateReceiveBufferOption(true)
	send := tcpip.TCPSendBufferSizeRangeOption{Min: 4 << 10, Default: 1 << 20, Max: tcp.MaxBufferSize}
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: 4 << 10, Default: 1 << 20, Max: tcp.MaxBufferSize}
	for _, o := range []tcpip.SettableTransportProtocolOption{&cubic, &norack, &moderate, &send, &receive} {
		if err := g.SetTransportProtocolOption(tcp.ProtocolNumber, o); err != nil {
			g.Close()
			return nil, fmt.Errorf("set gVisor's %T: %v", o, err)
		}
	}
	if err := g.attach(&gvisorLink{tun: dev, mtu: uint32(mtu)}); err != nil {
		g.Close()
		return nil, err
	}
	return gvisorBest{g, superSegment(mtu)}, nil
}

func newGVisor(close func() error) *gvisorEndpoint {
	return &gvisorEndpoint{close: close, Stack: gstack.New(gstack.Options{
		NetworkProtocols:   []gstack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []gstack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol},
	})}
}

// attach joins the stack to its device and gives it its address.
func (g *gvisorEndpoint) attach(link gstack.LinkEndpoint) error {
	sack := tcpip.TCPSACKEnabled(true)
	if err := g.SetTransportProtocolOption(tcp.ProtocolNumber, &sack); err != nil {
		return fmt.Errorf("turn on gVisor's SACK: %v", err)
	}
	if err := g.CreateNIC(gvisorNIC, link); err != nil {
		return fmt.Errorf("make gVisor's interface: %v", err)
	}
	address := tcpip.ProtocolAddress{
		Protocol: header.IPv4ProtocolNumber,
		AddressWithPrefix: tcpip.AddressWithPrefix{
			Address: tcpip.AddrFrom4(stackPrefix.Addr().As4()), PrefixLen: stackPrefix.Bits(),
		},
	}
	if err := g.AddProtocolAddress(gvisorNIC, address, gstack.AddressProperties{}); err != nil {
		return fmt.Errorf("give gVisor its address: %v", err)
	}
	g.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: gvisorNIC}})
	return nil
}

func (g *gvisorEndpoint) listen(port int) (net.Listener, error) {
	at := tcpip.FullAddress{Addr: tcpip.AddrFrom4(stackPrefix.Addr().As4()), Port: uint16(port)}
	return gonet.ListenTCP(g.Stack, at, ipv4.ProtocolNumber)
}

// Close lets go of the device. The process ends anyway, and gVisor's goroutines with it.
func (g *gvisorEndpoint) Close() error { return g.close() }

func (g *gvisorEndpoint) listenPacket(port int) (datagrams, error) {
	at := tcpip.FullAddress{Addr: tcpip.AddrFrom4(stackPrefix.Addr().As4()), Port: uint16(port)}
	c, err := gonet.DialUDP(g.Stack, &at, nil, ipv4.ProtocolNumber)
	return gvisorUDP{c}, err
}

// gvisorUDP gives gonet's socket the calls that the others have.
type gvisorUDP struct{ *gonet.UDPConn }

func (c gvisorUDP) ReadFromUDPAddrPort(p []byte) (int, netip.AddrPort, error) {
	n, from, err := c.ReadFrom(p)
	if err != nil {
		return n, netip.AddrPort{}, err
	}
	return n, from.(*net.UDPAddr).AddrPort(), nil
}

func (c gvisorUDP) WriteToUDPAddrPort(p []byte, to netip.AddrPort) (int, error) {
	return c.WriteTo(p, net.UDPAddrFromAddrPort(to))
}
