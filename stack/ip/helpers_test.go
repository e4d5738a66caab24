package ip

import (
	"net/netip"
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

var (
	src4 = netip.MustParseAddr("192.0.2.1")
	dst4 = netip.MustParseAddr("198.51.100.2")
	src6 = netip.MustParseAddr("2001:db8::1")
	dst6 = netip.MustParseAddr("2001:db8:1::2")
)

// frame puts a packet in a frame as a device would.
func frame(b []byte) *link.Frame {
	f := &link.Frame{Buf: make([]byte, link.Headroom+len(b)), Off: link.Headroom, End: link.Headroom + len(b)}
	copy(f.Buf[f.Off:], b)
	return f
}

// packet4 builds an IPv4 packet of n counted octets, changed by edit before its
// header is written.
func packet4(n int, edit func(*wire.IPv4Fields)) []byte {
	f := wire.IPv4Fields{TTL: 64, Protocol: wire.ProtoUDP, Src: src4, Dst: dst4, ID: 7, PayloadLen: n}
	if edit != nil {
		edit(&f)
	}
	b := make([]byte, wire.IPv4MaxHeader+n)
	h := wire.PutIPv4(b, &f)
	count(b[h : h+n])
	return b[:h+n]
}

// packet6 builds an IPv6 packet whose fixed header is followed by body, the first
// header of which is next.
func packet6(next uint8, body []byte, edit func(*wire.IPv6Fields)) []byte {
	f := wire.IPv6Fields{NextHeader: next, HopLimit: 64, Src: src6, Dst: dst6, PayloadLen: len(body)}
	if edit != nil {
		edit(&f)
	}
	b := make([]byte, wire.IPv6Header)
	wire.PutIPv6(b, &f)
	return append(b, body...)
}

// count fills b with octets that differ from place to place.
func count(b []byte) []byte {
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// octets returns n counted octets.
func octets(n int) []byte { return count(make([]byte, n)) }

// join puts slices end to end.
func join(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// mustParse parses a packet that has to pass.
func mustParse(t testing.TB, b []byte) *Packet {
	t.Helper()
	p := new(Packet)
	if d := Parse(frame(b), p); d != DropNone {
		t.Fatalf("Parse(%x…) = %v, want it to pass", b[:min(len(b), 60)], d)
	}
	return p
}
