package shard

import (
	"net/netip"

	"github.com/weirnet/weir/stack/wire"
)

// datagram makes a UDP datagram for one of the host's sockets, mostly.
func (m *maker) datagram() int {
	own := pick(m, ownAddrs...)
	peer, ifc := m.peerOf(own)
	if m.chance(10) {
		own = m.strange(own.Is4())
	}
	n := m.size()
	wire.PutUDP(m.scrap[:], pick(m, uint16(5353), 1000, 4444, uint16(m.Uint32())), pick(m, uint16(53), 53, 5353, 4444, uint16(m.Uint32())), n)
	n += wire.UDPHeader
	m.sums(peer, own, wire.ProtoUDP, n)
	if m.chance(5) {
		m.scrap[6], m.scrap[7] = 0, 0 // no checksum
	}
	m.ip(peer, own, wire.ProtoUDP, n)
	return ifc
}

// echo makes an echo request, or a reply to one of the host's.
func (m *maker) echo() int {
	own := pick(m, ownAddrs...)
	peer, ifc := m.peerOf(own)
	if m.chance(10) {
		own = m.strange(own.Is4())
	}
	typ := pick(m, uint8(wire.ICMPv4Echo), wire.ICMPv4EchoReply)
	if own.Is6() {
		typ = pick(m, uint8(wire.ICMPv6Echo), wire.ICMPv6EchoReply)
	}
	n := wire.PutICMP(m.scrap[:], typ, pick(m, uint8(0), 0, 0, 0, 3), wire.EchoRest(uint16(m.IntN(40)), uint16(m.IntN(4))))
	n += m.size()
	m.sums(peer, own, icmpOf(own), n)
	m.ip(peer, own, icmpOf(own), n)
	return ifc
}

// icmpError makes an error about a packet that the host has sent.
func (m *maker) icmpError() int {
	n := m.seen.quote(m.IntN(1<<20), m.scrap[wire.ICMPHeader:])
	q := m.scrap[wire.ICMPHeader:][:n]
	if n < 40 {
		return m.datagram()
	}
	rest := pick(m, 0, 68, 552, 576, 1280, 1400, 1499, 1500, 70000, m.Uint32())
	var src, dst netip.Addr
	typ, code := pick(m, uint8(3), 3, 3, 4, 5, 11, 12), uint8(m.IntN(17))
	if q[0]>>4 == 4 {
		dst = netip.AddrFrom4([4]byte(q[12:]))
	} else {
		typ, code = pick(m, uint8(1), 2, 2, 3, 4, 137), uint8(m.IntN(10))
		dst = netip.AddrFrom16([16]byte(q[8:]))
	}
	src, ifc := m.peerOf(dst)
	wire.PutICMP(m.scrap[:], typ, code, rest)
	n = wire.ICMPHeader + m.IntN(min(n, 1300)+1)
	m.sums(src, dst, icmpOf(dst), n)
	m.ip(src, dst, icmpOf(dst), n)
	return ifc
}

// datagram is what fragments are made of.
type datagram struct {
	src, dst netip.Addr
	ifc      int
	proto    uint8
	id       uint32
	body     []byte
	left     int // fragments to come
}

// fragment makes a fragment, most of the time one that touches others.
func (m *maker) fragment() int {
	d := &m.pieces[m.IntN(len(m.pieces))]
	if d.left <= 0 {
		m.newDatagram(d)
	}
	d.left--
	units := (len(d.body) + 7) / 8
	from := m.IntN(units)
	to := min(units, from+1+m.IntN(units))
	if m.chance(60) { // the halves, which fit together
		half := max(1, units/2)
		from, to = pick(m, 0, half), 0
		if to = units; from == 0 {
			to = half
		}
		from = min(from, units-1)
	}
	more := to < units != m.chance(3)
	part := d.body[from*8 : min(to*8, len(d.body))]
	if d.src.Is4() {
		n := wire.PutIPv4(m.p[:100], &wire.IPv4Fields{ID: uint16(d.id), MoreFragments: more, FragmentOffset: from * 8, TTL: 64,
			Protocol: d.proto, Src: d.src, Dst: d.dst, PayloadLen: len(part)})
		m.p = m.p[:n+copy(m.p[n:cap(m.p)], part)]
		return d.ifc
	}
	n := wire.PutIPv6(m.p[:100], &wire.IPv6Fields{NextHeader: wire.ProtoFragment, HopLimit: 64, Src: d.src, Dst: d.dst, PayloadLen: 8 + len(part)})
	n += wire.PutIPv6Fragment(m.p[n:100], d.proto, from*8, more, d.id)
	m.p = m.p[:n+copy(m.p[n:cap(m.p)], part)]
	return d.ifc
}

func (m *maker) newDatagram(d *datagram) {
	at := len(m.p)
	d.ifc = pick(m, m.datagram, m.echo, m.segment)()
	b := m.p[at:]
	m.p = m.p[:at]
	d.id, d.left = m.Uint32(), 1+m.IntN(8)
	if b[0]>>4 == 4 {
		hl := int(b[0]&15) * 4
		d.src, d.dst, d.proto = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:])), b[9]
		d.body = append(d.body[:0], b[hl:]...)
	} else {
		d.src, d.dst, d.proto = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:])), b[6]
		d.body = append(d.body[:0], b[40:]...)
	}
	if len(d.body) == 0 {
		d.body = append(d.body, 0)
	}
}

// extended makes an IPv6 packet with a chain of extension headers.
func (m *maker) extended() int {
	own := pick(m, ownAddrs[1], ownAddrs[3])
	peer, ifc := m.peerOf(own)
	if m.chance(10) {
		own = m.strange(false)
	}
	upper := pick(m, uint8(wire.ProtoUDP), wire.ProtoTCP, wire.ProtoICMPv6, wire.ProtoNoNext, 99, 50)
	first, n := upper, 0
	for range m.IntN(6) {
		n = m.header(first, n)
		first = pick(m, uint8(0), 60, 60, 43, 44, 51, 135)
	}
	m.random(m.scrap[n : n+28])
	n += m.IntN(60)
	m.ip(peer, own, first, n)
	return ifc
}

// header puts an extension header before what is in m.scrap[:n].
func (m *maker) header(next uint8, n int) int {
	size := 8 * (1 + m.IntN(4))
	copy(m.scrap[size:], m.scrap[:n])
	h := m.scrap[:size]
	m.random(h)
	h[0], h[1] = next, byte(size/8-1)
	if m.chance(60) { // one option that fills it
		h[2], h[3] = pick(m, byte(1), 1, 5, 0xc2, 0x80, 0x40), byte(size-4)
		clear(h[4:])
	}
	return n + size
}

// transit makes a packet for somebody else, for the host to forward if it does that.
func (m *maker) transit() int {
	from, to := m.IntN(4), m.IntN(4)
	if from%2 != to%2 {
		to = (to + 1) % 4
	}
	src, ifc := m.peerOf(ownAddrs[from])
	dst, _ := m.peerOf(ownAddrs[to])
	if m.chance(10) {
		dst = m.strange(src.Is4())
	}
	if m.chance(50) {
		m.putSegment(src, dst, &wire.TCPFields{SrcPort: 1, DstPort: 2, Flags: wire.TCPFlags(m.Uint32N(1 << 9)), Seq: m.Uint32(), Urgent: 9}, m.size())
		return ifc
	}
	n := m.size()
	m.random(m.scrap[:40])
	m.ip(src, dst, pick(m, uint8(wire.ProtoUDP), wire.ProtoICMP, wire.ProtoICMPv6, uint8(m.Uint32())), n)
	return ifc
}

// reflected sends the host one of its own packets back.
func (m *maker) reflected() int {
	n := m.seen.quote(m.IntN(1<<20), m.p[:cap(m.p)])
	m.p = m.p[:n]
	if b := m.p; n >= 40 && m.chance(80) { // as if from the one it went to
		if b[0]>>4 == 4 {
			swap(b[12:16], b[16:20])
		} else {
			swap(b[8:24], b[24:40])
		}
	}
	return m.IntN(2)
}

func swap(a, b []byte) {
	for i := range a {
		a[i], b[i] = b[i], a[i]
	}
}

// noise makes octets at random.
func (m *maker) noise() int {
	m.p = m.p[:m.IntN(120)]
	m.random(m.p)
	if len(m.p) > 0 && m.chance(80) {
		m.p[0] = pick(m, byte(0x45), 0x46, 0x4f, 0x60)
	}
	return m.IntN(2)
}
