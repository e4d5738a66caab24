package event

import (
	"fmt"
	"net/netip"

	"github.com/weirnet/weir/stack/shard"
)

// PacketMeta is what is known of a received datagram beside its payload.
type PacketMeta = shard.PacketMeta

// PacketHandler is given the datagrams of a UDP port in the receive round that they came in: nothing is
// queued, and nobody is woken.
//
// Unlike a connection, a port has no order that its calls are held to: the receive loops of several
// queues and devices call at the same time. A handler that keeps state must guard it. While one call does
// not return, what comes for the port waits, up to stack.Config.DatagramBuffer, and beyond that is dropped and counted
// (udp.drop.handler_busy); other ports go on.
type PacketHandler interface {
	// OnPacket is called with a datagram. p is lent for the call, and the handler may change it.
	OnPacket(s *PacketSocket, p []byte, m PacketMeta)
}

// TrainHandler is a PacketHandler that takes super-segments whole. What a peer sends at once, in
// datagrams of one size (Linux's UDP_SEGMENT), may arrive as one. A handler that does not implement
// it gets each of the datagrams by itself.
type TrainHandler interface {
	PacketHandler
	// OnTrain is called with two datagrams or more that lie in p one after the other, each of size
	// octets but the last, which may be shorter.
	OnTrain(s *PacketSocket, p []byte, size int, m PacketMeta)
}

// PacketFunc is a PacketHandler made of a function.
type PacketFunc func(s *PacketSocket, p []byte, m PacketMeta)

// OnPacket implements PacketHandler.
func (f PacketFunc) OnPacket(s *PacketSocket, p []byte, m PacketMeta) { f(s, p, m) }

// PacketSocket is a UDP port in the hands of its handler, for one call. What it sends
// leaves when the frames that the device had ready have been fed, at the latest, and before a handler of
// another port or connection is called: several answers go out together, and those of one size to one
// peer as a super-segment, where the device takes that. None of its methods allocates or blocks.
//
// Outside of calls, and from any goroutine, PacketListener sends.
type PacketSocket shard.PacketCall

// Reply sends p to where the datagram came from, from the very address that it was sent to, as
// a client that connected its socket needs (RFC 1122 §4.1.3.5); what was sent to a group or a broadcast
// address is answered from the host's own. p may be the received datagram or a part of it; the
// handler does not change it afterwards. The errors are those of WriteTo.
func (s *PacketSocket) Reply(p []byte) error { return s.call().Reply(p) }

// ReplyTrain is Reply with several datagrams of size octets each, the last of which may be shorter,
// that lie in p one after the other.
func (s *PacketSocket) ReplyTrain(p []byte, size int) error { return s.call().ReplyTrain(p, size) }

// WriteTo sends p to anybody, from an address that is chosen for that. The errors are EMSGSIZE, ENETUNREACH,
// EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL for port 0, and net.ErrClosed. What a full device does not
// take waits in a short queue, and is dropped and counted beyond that; but a datagram that needs
// fragments, or goes to a group, is EAGAIN.
func (s *PacketSocket) WriteTo(p []byte, to netip.AddrPort) error { return s.call().WriteTo(p, to) }

// Listener returns the port.
func (s *PacketSocket) Listener() *PacketListener {
	return s.call().Socket().Handler().(interface{ port() *PacketListener }).port()
}

func (s *PacketSocket) call() *shard.PacketCall { return (*shard.PacketCall)(s) }

// packetFace is a PacketHandler as the driver sees it.
type packetFace struct {
	h        PacketHandler
	listener *PacketListener
}

func (f *packetFace) port() *PacketListener { return f.listener }

// Name names the handler by its type, for warnings.
func (f *packetFace) Name() string { return fmt.Sprintf("%T", f.h) }

func (f *packetFace) OnPacket(c *shard.PacketCall, p []byte, m *PacketMeta) {
	f.h.OnPacket((*PacketSocket)(c), p, *m)
}

// trainFace is that of a TrainHandler.
type trainFace struct {
	packetFace
	h TrainHandler
}

func (f *trainFace) OnTrain(c *shard.PacketCall, p []byte, size int, m *PacketMeta) {
	f.h.OnTrain((*PacketSocket)(c), p, size, *m)
}
