package stack

import (
	"fmt"
	"net"

	"github.com/weirnet/weir/stack/event"
)

// ListenPacketEvents binds a UDP port, as ListenPacket does, for a handler: its calls run inside the
// stack's receive path, with the datagram lent to them, and answer from there. See package event. The
// error is a *net.OpError around EADDRINUSE or EADDRNOTAVAIL, or EINVAL where there is no handler.
//
//	l, err := st.ListenPacketEvents("udp", ":7", event.PacketFunc(
//		func(s *event.PacketSocket, p []byte, _ event.PacketMeta) { s.Reply(p) }))
func (s *Stack) ListenPacketEvents(network, address string, h event.PacketHandler) (*event.PacketListener, error) {
	proto, e, err := parse("listen", network, address)
	if err != nil {
		return nil, err
	}
	if proto != "udp" {
		return nil, &net.OpError{Op: "listen", Net: network, Err: fmt.Errorf("not a packet network: use ListenEvents")}
	}
	l, err := event.ListenPacket(s.h, e.addr, e.any, h)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: net.UDPAddrFromAddrPort(e.addr), Err: err}
	}
	return l, nil
}
