package serve

import (
	"net"
	"net/netip"
)

// PacketConn is how a packet connection is read and written: with the address that a
// datagram was sent to, from which it is answered, and without an allocation for
// each. The stack's connections are such.
type PacketConn interface {
	ReadPacket([]byte) (n int, from netip.AddrPort, to netip.Addr, err error)
	WritePacket(p []byte, from netip.Addr, to netip.AddrPort) (int, error)
	Close() error
}

// Datagrams returns the best way there is to read and write pc. But for the stack's, connections cannot say where a
// datagram was sent to, and leave the choice of the source to their stack.
func Datagrams(pc net.PacketConn) PacketConn {
	switch c := pc.(type) {
	case PacketConn:
		return c
	case *net.UDPConn:
		return hostConn{c}
	}
	return plainConn{pc}
}

// hostConn is the host's socket.
type hostConn struct{ *net.UDPConn }

func (c hostConn) ReadPacket(p []byte) (int, netip.AddrPort, netip.Addr, error) {
	n, from, err := c.ReadFromUDPAddrPort(p)
	return n, from, netip.Addr{}, err
}

func (c hostConn) WritePacket(p []byte, _ netip.Addr, to netip.AddrPort) (int, error) {
	return c.WriteToUDPAddrPort(p, to)
}

// plainConn is any other packet connection whose addresses are UDP's.
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
