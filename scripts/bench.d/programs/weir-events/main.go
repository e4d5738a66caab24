// Command weir-events is the smallest echo server on weir by event handlers, on a device that has been set
// up for it as scripts/smallest.d says.
package main

import (
	"net/netip"
	"os"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
	"github.com/weirnet/weir/tun"
)

func main() {
	if err := run(); err != nil {
		os.Stderr.WriteString("weir-events: " + err.Error() + "\n")
		os.Exit(1)
	}
	select {}
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
