package shard

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// maker makes packets for a host: of every protocol, for the flows that it has, nearly
// right. What it makes depends on its seed and on what the host has sent.
type maker struct {
	*rand.Rand
	seen   *traffic
	frame  link.Frame
	p      []byte // the packet that is being made
	scrap  [1 << 16]byte
	pieces [4]datagram // that fragments are made of
	ticks  uint32      // the peers' timestamp clock

	run, choice int  // how many segments more on which flow
	stuck       bool // with duplicate acknowledgments
}

func newMaker(seed uint64, seen *traffic) *maker {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 7)), seen: seen}
	m.frame.Buf = make([]byte, link.FrameSize)
	return m
}

// chance is true in so many of a hundred cases.
func (m *maker) chance(percent int) bool { return m.IntN(100) < percent }

// random fills b.
func (m *maker) random(b []byte) {
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, m.Uint64())
		b = b[8:]
	}
	for i := range b {
		b[i] = byte(m.Uint32())
	}
}

func pick[T any](m *maker, list ...T) T { return list[m.IntN(len(list))] }

// The host's addresses, and for each the network that the peers beside it are in.
var ownAddrs = []netip.Addr{addr("192.0.2.1"), addr("2001:db8::1"), addr("198.51.100.1"), addr("2001:db8:1::1")}

// peerOf returns an address beside one of the host's and the interface it is at.
func (m *maker) peerOf(own netip.Addr) (netip.Addr, int) {
	ifc := 0
	if own == ownAddrs[2] || own == ownAddrs[3] {
		ifc = 1
	}
	if m.chance(2) {
		return m.strange(own.Is4()), ifc
	}
	last := byte(10 + m.IntN(30))
	if own.Is4() {
		a := own.As4()
		a[3] = last
		return netip.AddrFrom4(a), ifc
	}
	a := own.As16()
	a[15] = last
	return netip.AddrFrom16(a), ifc
}

// strange returns an address that means something special, or none at all.
func (m *maker) strange(is4 bool) netip.Addr {
	if is4 {
		return pick(m, addr("255.255.255.255"), addr("192.0.2.255"), addr("192.0.2.0"), addr("224.0.0.1"), addr("127.0.0.1"), addr("0.0.0.0"),
			addr("192.0.2.1"), addr("198.51.100.1"), addr("240.0.0.1"), addr("203.0.113.5"), addr("169.254.1.1"))
	}
	return pick(m, addr("ff02::1"), addr("ff05::2"), addr("::1"), addr("::"), addr("2001:db8::1"), addr("2001:db8:1::1"),
		addr("fe80::1"), addr("2001:db8:ff::5"), addr("fc00::1"), addr("::ffff:192.0.2.1"))
}

// next makes a frame and returns the interface that it is for and the octets of it, with
// its virtio-net header, in m.frame.
func (m *maker) next() (ifc, n int) {
	m.ticks += m.Uint32N(3)
	m.p = m.frame.Buf[link.Headroom:link.Headroom]
	switch k := m.IntN(100); {
	case k < 40:
		ifc = m.segment()
	case k < 50:
		ifc = m.syn()
	case k < 60:
		ifc = m.datagram()
	case k < 66:
		ifc = m.echo()
	case k < 74:
		ifc = m.icmpError()
	case k < 83:
		ifc = m.fragment()
	case k < 88:
		ifc = m.extended()
	case k < 94:
		ifc = m.transit()
	case k < 97:
		ifc = m.reflected()
	default:
		ifc = m.noise()
	}
	if m.chance(40) {
		m.mutate()
	}
	m.vnet()
	return ifc, link.VnetLen + len(m.p)
}

// ip puts the IP header before a transport message in m.scrap[:n] and adds both to the packet.
func (m *maker) ip(src, dst netip.Addr, proto uint8, n int) {
	b := m.p[len(m.p):cap(m.p)]
	ttl := pick(m, uint8(64), 64, 64, 255, 1, 0, 2)
	at := 0
	if src.Is4() && dst.Is4() {
		f := wire.IPv4Fields{TOS: uint8(m.Uint32()), ID: uint16(m.Uint32()), DontFragment: m.chance(50), TTL: ttl, Protocol: proto, Src: src, Dst: dst}
		if m.chance(5) {
			f.Options = m.optionSoup()
		}
		n = min(n, 65535-60)
		f.PayloadLen = n
		at = wire.PutIPv4(b, &f)
	} else {
		n = min(n, 65535)
		at = wire.PutIPv6(b, &wire.IPv6Fields{TrafficClass: uint8(m.Uint32()), FlowLabel: m.Uint32N(1 << 20), NextHeader: proto, HopLimit: ttl,
			Src: to6(src), Dst: to6(dst), PayloadLen: n})
	}
	at += copy(b[at:], m.scrap[:n])
	m.p = m.p[:len(m.p)+at]
}

func to6(a netip.Addr) netip.Addr { return netip.AddrFrom16(a.As16()) }

// optionSoup returns IPv4 options, most of them wrong.
func (m *maker) optionSoup() []byte {
	o := make([]byte, 4*(1+m.IntN(10)))
	m.random(o)
	if m.chance(70) {
		o[0], o[1] = pick(m, byte(7), 68, 131, 137, 148, 1, 0, 130), pick(m, byte(len(o)), 3, 4, 7, 2, 1, 0, 200)
		if len(o) > 2 {
			o[2] = pick(m, byte(4), 5, 0, 255)
		}
	}
	return o
}

// sums puts the right checksum into a transport message in m.scrap[:n].
func (m *maker) sums(src, dst netip.Addr, proto uint8, n int) {
	t := m.scrap[:n]
	switch {
	case proto == wire.ProtoTCP && n >= 20:
		wire.TCP(t).UpdateChecksum(src, dst)
	case proto == wire.ProtoUDP && n >= 8:
		wire.UDP(t).UpdateChecksum(src, dst)
	case proto == wire.ProtoICMP && n >= 8:
		wire.ICMPv4(t).UpdateChecksum()
	case proto == wire.ProtoICMPv6 && n >= 8:
		wire.ICMPv6(t).UpdateChecksum(src, dst)
	}
}

func addrsOf(b []byte) (src, dst netip.Addr) {
	if b[0]>>4 == 4 {
		return netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
	}
	return netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
}
