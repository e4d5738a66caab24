package shard

import (
	"net/netip"

	"github.com/weirnet/weir/stack/wire"
)

// openRaws opens raw sockets, so that each packet of some protocols is copied.
func (l *load) openRaws() error {
	for _, o := range []struct {
		is4      bool
		protocol uint8
	}{{true, wire.ProtoICMP}, {false, wire.ProtoICMPv6}, {true, wire.ProtoUDP}, {false, wire.ProtoTCP}, {true, protoRaw}, {false, 99}} {
		s, err := l.h.OpenRaw(o.is4, o.protocol)
		if err != nil {
			return err
		}
		s.Configure(func(o *DatagramOptions) { o.V4.RecvErr, o.V6.RecvErr = true, true })
		l.raws = append(l.raws, s)
	}
	return nil
}

// rawPackets reads from a raw socket, sends by it, or joins and leaves groups.
func (l *load) rawPackets() {
	s := pick(l.maker, l.raws...)
	peer, ifc := l.peerOf(pick(l.maker, ownAddrs...))
	switch l.IntN(6) {
	case 0:
		s.Locker().Lock()
		for d, ok := s.Queue().Pop(); ok; d, ok = s.Queue().Pop() {
			d.Release()
		}
		for _, ok := s.Errors().Pop(); ok; _, ok = s.Errors().Pop() {
		}
		s.Locker().Unlock()
	case 1:
		s.SendTo(l.scratch[:l.IntN(3000)], peer, SendOptions{HopLimit: uint8(l.IntN(3))})
	case 2:
		if s.Connect(peer) != nil || l.chance(50) {
			s.Disconnect()
		}
	case 3, 4:
		u, group := pick(l.maker, l.sockets...), pick(l.maker, netip.MustParseAddr("224.0.0.5"), netip.MustParseAddr("ff02::5"))
		if u.JoinGroup(group, ifc+2) != nil {
			u.LeaveGroup(group, ifc+2)
		}
		u.SendTo(l.scratch[:l.IntN(2000)], netip.AddrPortFrom(group, 53), SendOptions{Interface: ifc + 2})
	case 5:
		l.h.Abort(func(i ConnInfo) bool { return i.State == "TIME-WAIT" && i.Local.Port()%16 == 0 })
	}
}
