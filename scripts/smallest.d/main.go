// Command smallest is the smallest echo server on weir: TCP and UDP, port 7, at 192.0.2.2. It
// attaches to a device that ip has made, so that it links nothing to make one with:
//
//	ip tuntap add dev weir0 mode tun
//	ip addr add 192.0.2.1/24 dev weir0
//	ip link set weir0 up
//	go build -trimpath -ldflags '-s -w' ./scripts/smallest.d && ./smallest.d
//
// A test of cmd/weir builds it, runs it and holds it to a size.
package main

import (
	"io"
	"net"
	"net/netip"
	"os"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/tun"
)

func main() {
	if err := run(); err != nil {
		os.Stderr.WriteString("smallest: " + err.Error() + "\n")
		os.Exit(1)
	}
}

func run() error {
	dev, err := tun.Attach(tun.Config{Name: "weir0"})
	if err != nil {
		return err
	}
	st, err := stack.New(stack.Config{})
	if err != nil {
		return err
	}
	defer st.Close()
	_, err = st.AddInterface(dev, stack.InterfaceConfig{Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24")}})
	if err != nil {
		return err
	}
	pc, err := st.ListenPacket("udp", "192.0.2.2:7")
	if err != nil {
		return err
	}
	go datagrams(pc)
	ln, err := st.Listen("tcp", "192.0.2.2:7")
	if err != nil {
		return err
	}
	os.Stdout.WriteString("ready\n")
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go func() {
			io.Copy(c, c)
			c.Close()
		}()
	}
}

func datagrams(pc net.PacketConn) {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			return
		}
		pc.WriteTo(buf[:n], from)
	}
}
