package event

import (
	"net/netip"

	"github.com/weirnet/weir/stack/shard"
)

// PacketListener is a UDP port whose datagrams go to a PacketHandler. Its methods may be used from
// anywhere, also in calls.
type PacketListener struct{ u *shard.UDP }

// ListenPacket binds a port of a host for a handler; both asks for the wildcards of both families. It is what
// stack.ListenPacketEvents calls. The error is a syscall.Errno, or wraps EINVAL where h is nil.
func ListenPacket(host *shard.Host, local netip.AddrPort, both bool, h PacketHandler) (*PacketListener, error) {
	if h == nil {
		return nil, errNoHandler
	}
	l := new(PacketListener)
	_, err := host.ListenUDPHandler(local, both, func(u *shard.UDP) shard.PacketHandler {
		l.u = u
		if t, ok := h.(TrainHandler); ok {
			return &trainFace{packetFace{h, l}, t}
		}
		return &packetFace{h, l}
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Addr returns what the port is bound to.
func (l *PacketListener) Addr() netip.AddrPort { return l.u.Local() }

// WriteTo sends a datagram, at once. from is the address to send from, or the zero Addr where one is
// to be chosen. A device that is full is EAGAIN; the other errors are those of PacketSocket.WriteTo.
func (l *PacketListener) WriteTo(p []byte, from netip.Addr, to netip.AddrPort) error {
	return l.u.Send(p, from, to)
}

// Close closes the port. Calls that have begun end by themselves, and what they send then is
// net.ErrClosed.
func (l *PacketListener) Close() { l.u.Close() }
