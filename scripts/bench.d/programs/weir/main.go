// Command weir is an echo server on weir, by the interfaces of package net.
package main

import (
	"io"
	"log"
	"net/netip"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/tun"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	dev, err := tun.Open(tun.Config{})
	if err != nil {
		return err
	}
	if err := dev.AddHostAddress(netip.MustParsePrefix("192.0.2.1/24")); err != nil {
		return err
	}
	if err := dev.Up(); err != nil {
		return err
	}
	st, err := stack.New(stack.Config{})
	if err != nil {
		return err
	}
	if _, err := st.AddInterface(dev, stack.InterfaceConfig{Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24")}}); err != nil {
		return err
	}
	l, err := st.Listen("tcp", ":7")
	if err != nil {
		return err
	}
	u, err := st.ListenPacket("udp", ":7")
	if err != nil {
		return err
	}
	go func() {
		p := make([]byte, 65535)
		for {
			n, from, err := u.ReadFrom(p)
			if err != nil {
				log.Fatal(err)
			}
			u.WriteTo(p[:n], from)
		}
	}()
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			io.Copy(c, c)
		}()
	}
}
