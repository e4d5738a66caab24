package main

import (
	"encoding/binary"
	"fmt"

	"github.com/weirnet/weir/stack/event"
	"github.com/weirnet/weir/tun"
)

// weirEvents is weirEndpoint with the services as event handlers.
type weirEvents struct{ weirEndpoint }

func openWeirEvents(mtu int, _ string) (endpoint, error) {
	w, err := openWeirWith(tun.Config{MTU: mtu, Offload: tun.OffloadOn})
	if err != nil {
		return nil, err
	}
	return weirEvents{w}, nil
}

func (w weirEvents) serve() error {
	for port, h := range map[int]event.Handler{sinkPort: &eventSink, sourcePort: &eventSource, echoPort: &eventEcho} {
		if _, err := w.ListenEvents("tcp", atStack(port), h, event.Options{}); err != nil {
			return err
		}
	}
	_, err := w.ListenPacketEvents("udp", atStack(echoPort), event.PacketFunc(func(s *event.PacketSocket, p []byte, _ event.PacketMeta) {
		s.Reply(p) // what a full device does not take is lost
	}))
	return err
}

func atStack(port int) string { return fmt.Sprintf("%v:%d", stackPrefix.Addr(), port) }

var eventSink = event.Funcs{
	Open: func(c *event.Conn) { c.SetValue(new(uint64)) },
	Data: func(c *event.Conn, p []byte) int {
		*c.Value().(*uint64) += uint64(len(p))
		return len(p)
	},
	EOF: func(c *event.Conn) {
		c.Write(binary.BigEndian.AppendUint64(nil, *c.Value().(*uint64)))
		c.Close()
	},
}

var eventText [bufferSize]byte

// eventSource writes until there is no room, and again when there is.
var eventSource = event.Funcs{Open: pour, Writable: pour}

func pour(c *event.Conn) {
	for c.WriteBlock(func(p []byte) int { return copy(p, eventText[:]) }) > 0 {
	}
}

var eventEcho = event.Funcs{
	Data:     func(c *event.Conn, p []byte) int { return c.Write(p) },
	Writable: func(*event.Conn) {}, // what was left is shown again
}
