package main

import (
	"bytes"
	"errors"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	gudp "gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// gvisorDatagrams is a UDP socket of gVisor's with as little around it as gvisorConn.
type gvisorDatagrams struct {
	ep      tcpip.Endpoint
	changed chan struct{}
	source  bytes.Reader
}

func (g gvisorBest) listenPacket(port int) (datagrams, error) {
	var queue waiter.Queue
	ep, err := g.NewEndpoint(gudp.ProtocolNumber, ipv4.ProtocolNumber, &queue)
	if err != nil {
		return nil, errors.New(err.String())
	}
	ep.SocketOptions().SetReceiveBufferSize(4<<20, false)
	at := tcpip.FullAddress{Addr: tcpip.AddrFrom4(stackPrefix.Addr().As4()), Port: uint16(port)}
	if err := ep.Bind(at); err != nil {
		return nil, errors.New(err.String())
	}
	entry, changed := waiter.NewChannelEntry(waiter.ReadableEvents)
	queue.EventRegister(&entry)
	return &gvisorDatagrams{ep: ep, changed: changed}, nil
}

func (c *gvisorDatagrams) ReadFromUDPAddrPort(p []byte) (int, netip.AddrPort, error) {
	for {
		w := tcpip.SliceWriter(p)
		r, err := c.ep.Read(&w, tcpip.ReadOptions{NeedRemoteAddr: true})
		if err == nil {
			return r.Count, netip.AddrPortFrom(netip.AddrFrom4(r.RemoteAddr.Addr.As4()), r.RemoteAddr.Port), nil
		}
		if _, ok := err.(*tcpip.ErrWouldBlock); !ok {
			return 0, netip.AddrPort{}, errors.New(err.String())
		}
		<-c.changed
	}
}

func (c *gvisorDatagrams) WriteToUDPAddrPort(p []byte, to netip.AddrPort) (int, error) {
	c.source.Reset(p)
	at := tcpip.FullAddress{Addr: tcpip.AddrFrom4(to.Addr().As4()), Port: to.Port()}
	n, err := c.ep.Write(&c.source, tcpip.WriteOptions{To: &at})
	if err != nil {
		return int(n), errors.New(err.String())
	}
	return int(n), nil
}
