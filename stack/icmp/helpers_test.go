package icmp

import (
	"net/netip"
	"testing"

	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

var (
	src4 = netip.MustParseAddr("192.0.2.1")
	dst4 = netip.MustParseAddr("198.51.100.2")
	src6 = netip.MustParseAddr("2001:db8::1")
	dst6 = netip.MustParseAddr("2001:db8:1::2")
)

// packet builds a packet with the payload; the family is that of dst.
func packet(proto uint8, src, dst netip.Addr, payload []byte) []byte {
	b := make([]byte, wire.IPv6Header+len(payload))
	var n int
	if dst.Is4() {
		n = wire.PutIPv4(b, &wire.IPv4Fields{TTL: 64, Protocol: proto, Src: src, Dst: dst, PayloadLen: len(payload)})
	} else {
		n = wire.PutIPv6(b, &wire.IPv6Fields{HopLimit: 64, NextHeader: proto, Src: src, Dst: dst, PayloadLen: len(payload)})
	}
	return append(b[:n], payload...)
}

// parsed is the packet in a frame, through ip.ParseLoopback, which has no objection to
// the addresses that the tests use; Loopback says what the test says.
func parsed(t testing.TB, b []byte, loopback bool) *ip.Packet {
	t.Helper()
	f := &link.Frame{Buf: make([]byte, link.Headroom+len(b)), Off: link.Headroom, End: link.Headroom + len(b)}
	copy(f.Packet(), b)
	p := new(ip.Packet)
	ip.ParseLoopback(f, p)
	if p.Version == 0 {
		t.Fatalf("not parsed: %x", b)
	}
	p.Loopback = loopback
	return p
}

// addr parses an address.
func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// octets returns n octets that differ from place to place.
func octets(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// message is an ICMP message of the type in a packet, with its checksum.
func message(src, dst netip.Addr, typ, code uint8, rest uint32, body []byte) []byte {
	m := make([]byte, wire.ICMPHeader, wire.ICMPHeader+len(body))
	wire.PutICMP(m, typ, code, rest)
	m = append(m, body...)
	if dst.Is4() {
		wire.ICMPv4(m).UpdateChecksum()
		return packet(wire.ProtoICMP, src, dst, m)
	}
	wire.ICMPv6(m).UpdateChecksum(src, dst)
	return packet(wire.ProtoICMPv6, src, dst, m)
}
