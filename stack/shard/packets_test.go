package shard

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/gso"
	"github.com/weirnet/weir/stack/wire"
)

// ipOptions are the parts of an IP header that a test may want otherwise.
type ipOptions struct {
	ttl      uint8
	id       uint16
	df, more bool
	offset   int
	options  []byte // IPv4
}

// ipPacket returns a packet that carries payload.
func ipPacket(src, dst netip.Addr, proto uint8, payload []byte, o ipOptions) []byte {
	b := make([]byte, 100+len(payload))
	if o.ttl == 0 {
		o.ttl = 64
	}
	n := 0
	if src.Is4() {
		n = wire.PutIPv4(b, &wire.IPv4Fields{ID: o.id, DontFragment: o.df, MoreFragments: o.more, FragmentOffset: o.offset,
			TTL: o.ttl, Protocol: proto, Src: src, Dst: dst, Options: o.options, PayloadLen: len(payload)})
	} else {
		extra, next := 0, proto
		if o.more || o.offset > 0 {
			extra, next = wire.IPv6FragmentHeader, wire.ProtoFragment
		}
		n = wire.PutIPv6(b, &wire.IPv6Fields{NextHeader: next, HopLimit: o.ttl, Src: src, Dst: dst, PayloadLen: extra + len(payload)})
		if extra > 0 {
			n += wire.PutIPv6Fragment(b[n:], proto, o.offset, o.more, uint32(o.id))
		}
	}
	return b[:n+copy(b[n:], payload)]
}

// tcpPacket returns a segment. f's ports are set from the ends.
func tcpPacket(src, dst netip.AddrPort, f wire.TCPFields, payload []byte) []byte {
	f.SrcPort, f.DstPort = src.Port(), dst.Port()
	b := make([]byte, 60+len(payload))
	n := wire.PutTCP(b, &f)
	b = b[:n+copy(b[n:], payload)]
	wire.TCP(b).UpdateChecksum(src.Addr(), dst.Addr())
	return ipPacket(src.Addr(), dst.Addr(), wire.ProtoTCP, b, ipOptions{df: true})
}

// udpPacket returns a datagram.
func udpPacket(src, dst netip.AddrPort, payload []byte) []byte {
	return ipPacket(src.Addr(), dst.Addr(), wire.ProtoUDP, udpMessage(src, dst, payload), ipOptions{})
}

func udpMessage(src, dst netip.AddrPort, payload []byte) []byte {
	b := make([]byte, wire.UDPHeader+len(payload))
	wire.PutUDP(b, src.Port(), dst.Port(), len(payload))
	copy(b[wire.UDPHeader:], payload)
	wire.UDP(b).UpdateChecksum(src.Addr(), dst.Addr())
	return b
}

// icmpPacket returns a message of the family's ICMP.
func icmpPacket(src, dst netip.Addr, typ, code uint8, rest uint32, body []byte) []byte {
	return ipPacket(src, dst, icmpOf(src), icmpMessage(src, dst, typ, code, rest, body), ipOptions{})
}

func icmpMessage(src, dst netip.Addr, typ, code uint8, rest uint32, body []byte) []byte {
	b := make([]byte, wire.ICMPHeader+len(body))
	copy(b[wire.PutICMP(b, typ, code, rest):], body)
	if src.Is4() {
		wire.ICMPv4(b).UpdateChecksum()
	} else {
		wire.ICMPv6(b).UpdateChecksum(src, dst)
	}
	return b
}

func icmpOf(a netip.Addr) uint8 {
	if a.Is4() {
		return wire.ProtoICMP
	}
	return wire.ProtoICMPv6
}

// echoRequest returns a ping.
func echoRequest(src, dst netip.Addr, body string) []byte {
	typ := uint8(wire.ICMPv4Echo)
	if src.Is6() {
		typ = wire.ICMPv6Echo
	}
	return icmpPacket(src, dst, typ, 0, wire.EchoRest(7, 1), []byte(body))
}

// packet is a packet that the host sent.
type packet struct {
	link.Offload        // as the device got it
	raw          []byte // from the IP header on
	src, dst     netip.Addr
	proto, ttl   uint8
	df           bool
	more         bool // a fragment that is not the last
	offset       int  // of a fragment
	headers      int  // what the virtio-net header says of their length
	body         []byte
}

// parse reads a frame that a host wrote, and fails where anything of it is wrong: a
// packet that no receiver would take.
func parse(t testing.TB, b []byte) (p packet) {
	t.Helper()
	var f link.Frame
	if err := f.SetWire(append([]byte(nil), b...)); err != nil {
		t.Fatal(err)
	}
	p.Offload = f.Offload
	partial := f.Checksum == link.ChecksumPartial
	if err := gso.FinishChecksum(&f); err != nil {
		t.Fatal(err)
	}
	p.raw, p.headers = f.Packet(), int(binary.LittleEndian.Uint16(b[2:]))
	if p.raw[0]>>4 == 4 {
		h, err := wire.ParseIPv4(p.raw)
		if err != nil || !h.ChecksumOK() || h.TotalLen() != len(p.raw) {
			t.Fatalf("malformed packet: %x", p.raw)
		}
		p.src, p.dst, p.proto, p.ttl, p.body = h.Src(), h.Dst(), h.Protocol(), h.TTL(), h.Payload()
		p.df, p.more, p.offset = h.DontFragment(), h.MoreFragments(), h.FragmentOffset()
	} else {
		h, err := wire.ParseIPv6(p.raw)
		if err != nil || len(h) != len(p.raw) {
			t.Fatalf("malformed packet: %x", p.raw)
		}
		x, err := h.Extensions()
		if err != nil {
			t.Fatalf("malformed packet: %v: %x", err, p.raw)
		}
		p.src, p.dst, p.proto, p.ttl, p.body = h.Src(), h.Dst(), x.Protocol, h.HopLimit(), h[x.Offset:]
		if x.FragOffset > 0 {
			g := wire.IPv6Fragment(h[x.FragOffset:])
			p.more, p.offset = g.More(), g.Offset()
		}
	}
	if !p.more && p.offset == 0 && (p.SegmentSize == 0 || partial) {
		p.check(t)
	}
	return p
}

// check fails where the transport checksum is wrong.
func (p *packet) check(t testing.TB) {
	t.Helper()
	ok := true
	switch p.proto {
	case wire.ProtoTCP:
		h, err := wire.ParseTCP(p.body)
		ok = err == nil && h.ChecksumOK(p.src, p.dst)
	case wire.ProtoUDP:
		h, err := wire.ParseUDP(p.body)
		ok = err == nil && h.ChecksumOK(p.src, p.dst)
	case wire.ProtoICMP:
		h, err := wire.ParseICMPv4(p.body)
		ok = err == nil && h.ChecksumOK()
	case wire.ProtoICMPv6:
		h, err := wire.ParseICMPv6(p.body)
		ok = err == nil && h.ChecksumOK(p.src, p.dst)
	}
	if !ok {
		t.Fatalf("wrong transport header or checksum: %v", p)
	}
}

func (p packet) tcp() wire.TCP { return wire.TCP(p.body) }

// icmp returns type, code and the second word of an ICMP message, and its body.
func (p packet) icmp() (typ, code uint8, rest uint32, body []byte) {
	m := wire.ICMPv4(p.body)
	return m.Type(), m.Code(), m.Rest(), m.Body()
}

func (p packet) String() string { return "\n" + wire.Describe(p.raw) }
