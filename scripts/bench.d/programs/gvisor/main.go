// Command gvisor is an echo server on gVisor's stack, on a TUN device that an operator has made and
// set up: package net's ways to do that would be weighed with it.
package main

import (
	"io"
	"log"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/fdbased"
	"gvisor.dev/gvisor/pkg/tcpip/link/tun"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

func main() {
	fd, err := tun.Open("tun0")
	check(err)
	link, err := fdbased.New(&fdbased.Options{FDs: []int{fd}, MTU: 1500})
	check(err)
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol},
	})
	if err := s.CreateNIC(1, link); err != nil {
		log.Fatal(err)
	}
	at := tcpip.FullAddress{Addr: tcpip.AddrFrom4([4]byte{192, 0, 2, 2}), Port: 7}
	address := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: at.Addr.WithPrefix()}
	if err := s.AddProtocolAddress(1, address, stack.AddressProperties{}); err != nil {
		log.Fatal(err)
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: 1}, {Destination: header.IPv6EmptySubnet, NIC: 1}})
	l, err := gonet.ListenTCP(s, at, ipv4.ProtocolNumber)
	check(err)
	u, err := gonet.DialUDP(s, &at, nil, ipv4.ProtocolNumber)
	check(err)
	go func() {
		p := make([]byte, 65535)
		for {
			n, from, err := u.ReadFrom(p)
			check(err)
			u.WriteTo(p[:n], from)
		}
	}()
	for {
		c, err := l.Accept()
		check(err)
		go func() {
			defer c.Close()
			io.Copy(c, c)
		}()
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
