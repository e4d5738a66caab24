package shard

import (
	"net/netip"

	"github.com/weirnet/weir/stack/wire"
)

// segment makes a segment of a flow that the host has, with numbers near the right ones.
func (m *maker) segment() int {
	if m.run--; m.run < 0 { // a few on one flow, then on another
		m.run, m.choice, m.stuck = m.IntN(1+m.IntN(20)), m.IntN(1<<20), m.chance(20)
	}
	f, ok := m.seen.flow(m.choice)
	if !ok {
		return m.syn()
	}
	var o wire.TCPOptions
	t := wire.TCPFields{
		SrcPort: f.peer.Port(), DstPort: f.host.Port(), Seq: f.ack + m.near(), Ack: f.seq + m.near(),
		Flags: m.flags(f.flags), Window: pick(m, uint16(65535), 65535, 65535, 8192, uint16(m.Uint32N(2000)), uint16(m.Uint32N(2))), Urgent: uint16(m.Uint32N(20)),
	}
	if m.stuck || m.chance(50) {
		t.Window = f.window
	}
	if m.stuck && m.chance(90) { // duplicate acknowledgments
		t.Ack = f.acked
	}
	m.seen.answered(&f, t.Ack, t.Window)
	if f.stamped && !m.chance(5) || m.chance(3) {
		o.HasTimestamps, o.TSVal, o.TSEcr = true, m.ticks, f.tsval
		if m.chance(15) {
			o.TSVal, o.TSEcr = m.ticks-m.spread(200), f.tsval-m.spread(50)
		}
	}
	if m.chance(15) {
		o.NumSACK = 1 + m.IntN(3)
		for i := range o.NumSACK {
			left := f.seq - m.spread(20000)
			o.SACK[i] = wire.SACKBlock{Left: left, Right: left + m.spread(6000)}
		}
	}
	if t.Flags&wire.FlagSYN != 0 {
		m.synOptions(&o)
	}
	t.Options = &o
	m.putSegment(f.peer.Addr(), f.host.Addr(), &t, m.size())
	if m.chance(3) {
		return 1 - f.ifc
	}
	return f.ifc
}

// near returns zero, most of the time, or a number by which to miss.
func (m *maker) near() uint32 {
	switch k := m.IntN(100); {
	case k < 80:
		return 0
	case k < 82:
		return m.spread(3)
	case k < 85:
		return -m.spread(3000)
	case k < 92:
		return m.spread(5000)
	case k < 97:
		return m.spread(70000)
	}
	return m.Uint32()
}

// spread returns a number from 0 to n.
func (m *maker) spread(n uint32) uint32 { return m.Uint32N(n + 1) }

// flags returns what a peer might answer to a segment with the flags last.
func (m *maker) flags(last wire.TCPFlags) wire.TCPFlags {
	const ack = wire.FlagACK
	if last&wire.FlagSYN != 0 && m.chance(60) {
		if last&ack == 0 {
			return wire.FlagSYN | ack
		}
		return ack
	}
	switch k := m.IntN(100); {
	case k < 45:
		return ack
	case k < 75:
		return ack | wire.FlagPSH
	case k < 84:
		return ack | wire.FlagFIN
	case k < 87:
		return wire.FlagRST
	case k < 88:
		return wire.FlagRST | ack
	case k < 91:
		return wire.FlagSYN
	case k < 93:
		return wire.FlagSYN | ack
	case k < 96:
		return ack | wire.FlagURG | wire.FlagPSH
	}
	return wire.TCPFlags(m.Uint32N(1 << 9))
}

// size returns how much text a segment carries.
func (m *maker) size() int {
	switch k := m.IntN(100); {
	case k < 45:
		return 0
	case k < 70:
		return m.IntN(100)
	case k < 95:
		return m.IntN(1461)
	case k < 98:
		return m.IntN(9000)
	}
	return m.IntN(64000)
}

// syn makes a SYN of a flood, most of the time to a port with a listener.
func (m *maker) syn() int {
	own := pick(m, ownAddrs...)
	peer, ifc := m.peerOf(own)
	if m.chance(2) {
		own = m.strange(own.Is4())
	}
	var o wire.TCPOptions
	m.synOptions(&o)
	t := wire.TCPFields{
		SrcPort: uint16(2000 + m.IntN(40)), DstPort: pick(m, hammerPorts...), Seq: m.Uint32(),
		Flags: wire.FlagSYN, Window: uint16(m.Uint32()), Options: &o,
	}
	if m.chance(5) {
		t.DstPort, t.SrcPort = uint16(m.Uint32()), uint16(m.Uint32())
	}
	if m.chance(5) {
		t.Flags |= wire.TCPFlags(m.Uint32N(1 << 9))
	}
	n := 0
	if m.chance(5) {
		n = m.IntN(1000)
	}
	m.putSegment(peer, own, &t, n)
	return ifc
}

func (m *maker) synOptions(o *wire.TCPOptions) {
	o.NumSACK = 0
	if m.chance(90) {
		o.MSS = pick(m, uint16(1460), 1460, 536, 1220, 88, 1, 65535)
	}
	if m.chance(70) {
		o.HasWindowScale, o.WindowScale = true, uint8(m.IntN(16))
	}
	o.SACKPermitted = m.chance(70)
	if m.chance(70) {
		o.HasTimestamps, o.TSVal = true, m.ticks
	}
}

func (m *maker) putSegment(src, dst netip.Addr, t *wire.TCPFields, text int) {
	n := wire.PutTCP(m.scrap[:], t)
	m.random(m.scrap[n : n+min(text, 32)]) // what the rest is does not matter
	n += text
	m.sums(src, dst, wire.ProtoTCP, n)
	m.ip(src, dst, wire.ProtoTCP, n)
}
