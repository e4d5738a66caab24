// Command weir-events is an echo server on weir, by event handlers.
package main

import (
	"log"
	"net/netip"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
	"github.com/weirnet/weir/tun"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
	select {}
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
	echo := &event.Funcs{Data: func(c *event.Conn, p []byte) int { return c.Write(p) }}
	if _, err := st.ListenEvents("tcp", ":7", echo, event.Options{}); err != nil {
		return err
	}
	_, err = st.ListenPacketEvents("udp", ":7", event.PacketFunc(func(s *event.PacketSocket, p []byte, _ event.PacketMeta) { s.Reply(p) }))
	return err
}
