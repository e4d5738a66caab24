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
		conn    = Datagrams(pc)
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
func reply(conn PacketConn, from netip.AddrPort, to netip.Addr, port uint16, answer Answer, in, buf []byte, n *Counters) {
	if !admit(from, port, n) {
		return
	}
	if out := answer(in, buf); out != nil {
		_, err := conn.WritePacket(out, to, from)
		count(err, n)
	}
}

func localPort(pc net.PacketConn) uint16 {
	if u, ok := pc.LocalAddr().(*net.UDPAddr); ok {
		return uint16(u.Port)
	}
	return 0
}
