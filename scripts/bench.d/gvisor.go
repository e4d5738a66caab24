package main

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/fdbased"
	gtun "gvisor.dev/gvisor/pkg/tcpip/link/tun"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// gvisorEndpoint is gVisor's stack as it ships: its own way to open a TUN, its own link
// endpoint on it, and no option changed but SACK, which every user of it turns on.
type gvisorEndpoint struct {
	*gstack.Stack
	fd int
}

const (
	gvisorNIC    = 1
	gvisorDevice = "tun0"
)

func openGVisor(mtu int, _ string) (endpoint, error) {
	fd, err := gtun.Open(gvisorDevice)
	if err != nil {
		return nil, fmt.Errorf("open a TUN for gVisor: %w", err)
	}
	g := &gvisorEndpoint{fd: fd, Stack: gstack.New(gstack.Options{
		NetworkProtocols:   []gstack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []gstack.TransportProtocolFactory{tcp.NewProtocol},
	})}
	if err := g.attach(mtu); err != nil {
		g.Close()
		return nil, err
	}
	if err := setUpLink(gvisorDevice, clientPrefix, mtu); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// attach joins the stack to its device and gives it its address.
func (g *gvisorEndpoint) attach(mtu int) error {
	sack := tcpip.TCPSACKEnabled(true)
	if err := g.SetTransportProtocolOption(tcp.ProtocolNumber, &sack); err != nil {
		return fmt.Errorf("turn on gVisor's SACK: %v", err)
	}
	link, err := fdbased.New(&fdbased.Options{FDs: []int{g.fd}, MTU: uint32(mtu)})
	if err != nil {
		return err
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
func (g *gvisorEndpoint) Close() error { return unix.Close(g.fd) }
