package serve

import (
	"context"
	"net"
	"net/netip"
)

// MaxDatagram is the largest UDP payload there is without jumbograms: the 65,535
// octets that the UDP length field counts, less its header (RFC 768).
const MaxDatagram = 65535 - 8

// Answer returns the answer to a datagram, or nil where there is none. in and the
// answer are used only until the next call, so the answer may be in itself; buf
// has room for MaxDatagram octets and is free for the answer.
type Answer func(in, buf []byte) []byte

// Packets reads datagrams from pc and sends back what answer returns for each,
// except to the sources that [Refuse] names. It runs until ctx is done, pc is
// closed or pc fails for good, closes pc, and returns nil unless pc failed for good.
func Packets(ctx context.Context, pc net.PacketConn, answer Answer) error {
	return packets(ctx, pc, answer, new(Counters))
}

func packets(ctx context.Context, pc net.PacketConn, answer Answer, n *Counters) error {
	stop := context.AfterFunc(ctx, func() { pc.Close() })
	defer stop()
	defer pc.Close()
	var (
		conn    = datagrams(pc)
		port    = localPort(pc)
		in, out = make([]byte, MaxDatagram), make([]byte, MaxDatagram)
		wait    backoff
	)
	for {
		k, from, to, err := conn.ReadPacket(in)
		switch {
		case err == nil:
			wait.reset()
			reply(conn, from, to, port, answer, in[:k], out, n)
		case ended(ctx, err):
			return nil
		case !passing(err):
			return err
		default:
			wait.sleep(ctx)
		}
	}
}

// reply answers one datagram, from the address that it was sent to. What keeps an answer from being sent is the
// network's trouble and not ours: as with any datagram, it is lost, and counted.
func reply(conn packetConn, from netip.AddrPort, to netip.Addr, port uint16, answer Answer, in, buf []byte, n *Counters) {
	if !admit(from, port, n) {
		return
	}
	if out := answer(in, buf); out != nil {
		_, err := conn.WritePacket(out, to, from)
		count(err, n)
	}
}

// packetConn is how a packet connection is read and written: with the address that a
// datagram was sent to, from which it is answered, and without an allocation for
// each. The stack's connections are such.
type packetConn interface {
	ReadPacket([]byte) (n int, from netip.AddrPort, to netip.Addr, err error)
	WritePacket(p []byte, from netip.Addr, to netip.AddrPort) (int, error)
}

// datagrams returns the best way there is to read and write pc.
func datagrams(pc net.PacketConn) packetConn {
	if c, ok := pc.(packetConn); ok {
		return c
	}
	return plainConn{pc}
}

// plainConn is any other packet connection whose addresses are UDP's. It cannot say
// where a datagram was sent to, and leaves the choice of the source to its stack.
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

func localPort(pc net.PacketConn) uint16 {
	if u, ok := pc.LocalAddr().(*net.UDPAddr); ok {
		return uint16(u.Port)
	}
	return 0
}
