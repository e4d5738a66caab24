package bench

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

// packetConn is a packet connection that says where a datagram was sent to, so that the answer
// leaves from there.
type packetConn interface {
	ReadPacket([]byte) (n int, from netip.AddrPort, to netip.Addr, err error)
	WritePacket(p []byte, from netip.Addr, to netip.AddrPort) (int, error)
	Close() error
}

// newPacketConn returns the best way there is to use pc. The stack's own are packetConns.
func newPacketConn(pc net.PacketConn) packetConn {
	switch c := pc.(type) {
	case packetConn:
		return c
	case *net.UDPConn:
		return hostConn{c}
	}
	return plainConn{pc}
}

// hostConn is the host's socket. Its answers leave from the address that the host chooses.
type hostConn struct{ *net.UDPConn }

func (c hostConn) ReadPacket(p []byte) (int, netip.AddrPort, netip.Addr, error) {
	n, from, err := c.ReadFromUDPAddrPort(p)
	return n, from, netip.Addr{}, err
}

func (c hostConn) WritePacket(p []byte, _ netip.Addr, to netip.AddrPort) (int, error) {
	return c.WriteToUDPAddrPort(p, to)
}

// plainConn is any other.
type plainConn struct{ net.PacketConn }

func (c plainConn) ReadPacket(p []byte) (int, netip.AddrPort, netip.Addr, error) {
	n, addr, err := c.ReadFrom(p)
	if u, ok := addr.(*net.UDPAddr); ok {
		return n, u.AddrPort(), netip.Addr{}, err
	}
	return n, netip.AddrPort{}, netip.Addr{}, err
}

func (c plainConn) WritePacket(p []byte, _ netip.Addr, to netip.AddrPort) (int, error) {
	return c.WriteTo(p, net.UDPAddrFromAddrPort(to))
}

// receive takes the datagrams of every session until the socket is closed. What has no valid
// token is not answered.
func (s *Server) receive(ctx context.Context) {
	defer context.AfterFunc(ctx, func() { s.packets.Close() })()
	in, out := make([]byte, 1<<16), make([]byte, 1<<16)
	for {
		n, from, to, err := s.packets.ReadPacket(in)
		if err != nil {
			if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
				return
			}
			// Mostly an ICMP error about an earlier answer; never worth a busy loop.
			pause(ctx, time.Millisecond)
			continue
		}
		s.datagram(in[:n], from, to, out)
	}
}

func (s *Server) datagram(raw []byte, from netip.AddrPort, to netip.Addr, out []byte) {
	d, ok := parseDatagram(raw)
	if !ok {
		return
	}
	if session := s.session(d.token); session != nil {
		session.datagram(&d, raw, from, to, out)
	}
}

// pause waits, or less where ctx is done.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
