// Package stack is a TCP/IP stack for Go programs: the public face of weir.
//
// A Stack is a host of its own inside the program. It is given devices (a TUN device of
// package tun, an end of package stack/link/pipe, anything that is a Device), addresses
// and routes, and then speaks IPv4 and IPv6, ICMP, UDP and TCP over them. Programs use
// it through the shapes of package net:
//
//	st, err := stack.New(stack.Config{})
//	...
//	_, err = st.AddInterface(dev, stack.InterfaceConfig{
//		Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24")},
//	})
//	...
//	l, err := st.Listen("tcp", ":80")
//	go http.Serve(l, handler)
//	conn, err := st.DialContext(ctx, "tcp", "192.0.2.1:7")
//
// or, where connections are very many or answers are wanted at once, by handlers that run where packets
// arrive: ListenEvents, DialEvents and ListenPacketEvents, see package event. ListenConfig can
// decide about a SYN before anything is kept of it. Sockets gives the calls of BSD.
//
// # How the house is built
//
// Arrows of import go down only; a test in this package fails when one turns round.
//
//	stack                the public face
//	event                handlers that run in the receive path
//	netconn              net.Conn, net.Listener, net.PacketConn; the first that may block
//	socket               the BSD calls; select, poll, epoll
//	shard                the driver: receive loops, demultiplexing, locks, timers
//	tcp udp icmp         protocols, as functions of (state, now, input)
//	ip                   headers in and out, fragments, path MTU, forwarding
//	route neigh          longest-prefix match, source selection; neighbours
//	link                 what a device is; pipe, loopback, impair, pcapng, gso
//	wire mem wheel       views over octets; block pools; the timing wheel
//	seq clock siphash    sequence numbers; time as a number; the keyed hash
//
// Everything below shard is told the time and holds no lock, goroutine or channel; the
// same test checks that. That is what lets a whole network run in virtual time from
// one seed (package sim) and a fuzzer drive TCP at full speed.
//
// The way of a packet through the driver is told in package shard, and each protocol's in
// its own package.
//
// # Names
//
// A stack knows addresses only; a [Resolver] that it is given knows names. DialContext asks it,
// sorts what it says by RFC 6724 with the sources that this stack would use, lets the families
// take turns and starts an attempt every 250 ms until one has connected (RFC 8305). All of it
// happens in the goroutine of the caller, with one goroutine for each attempt and one for the
// lookup; none is left when the dial returns, but a lookup whose resolver ignores its context.
//
// # Decisions that differ from the first design
//
// Device metadata travels in band, as the ten octets of a virtio-net header before each
// frame. A Device then names only types of the language and needs no import of weir,
// and a TUN device with vnet_hdr passes the kernel's own header through as it is.
package stack
