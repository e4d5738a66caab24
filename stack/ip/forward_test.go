package ip

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// RFC 1812 §5.3.1, RFC 8200 §3: one is taken from TTL and hop limit, and IPv4's checksum is
// mended (RFC 1624); the packet is otherwise as it was.
func TestHopLimitIsDecremented(t *testing.T) {
	for ttl := 2; ttl < 256; ttl++ {
		for _, b := range [][]byte{
			packet4(8, func(f *wire.IPv4Fields) { f.TTL = uint8(ttl); f.ID = uint16(ttl * 251) }),
			packet6(17, octets(8), func(f *wire.IPv6Fields) { f.HopLimit = uint8(ttl) }),
		} {
			p := mustParse(t, b)
			if r := PrepareForward(p); r != ForwardOK || int(p.HopLimit) != ttl-1 {
				t.Fatalf("ttl %d: %v, now %d", ttl, r, p.HopLimit)
			}
			q := mustParse(t, p.Frame.Packet()) // its checksum is good
			if int(q.HopLimit) != ttl-1 || !bytes.Equal(q.Payload, octets(8)) {
				t.Fatalf("ttl %d: in the packet %d", ttl, q.HopLimit)
			}
		}
	}
}

func TestForwardingRefuses(t *testing.T) {
	hops := func(n uint8) []byte { return packet4(8, func(f *wire.IPv4Fields) { f.TTL = n }) }
	hops6 := func(n uint8) []byte {
		return packet6(17, octets(8), func(f *wire.IPv6Fields) { f.HopLimit = n })
	}
	tests := []struct {
		name string
		b    []byte
		want ForwardResult
		drop Drop
	}{
		{"good", addrs4("192.0.2.1", "198.51.100.1"), ForwardOK, DropNone},
		{"TTL 1 (RFC 1812 §5.3.1)", hops(1), ForwardHopLimit, DropForwardHopLimit},
		{"TTL 0", hops(0), ForwardHopLimit, DropForwardHopLimit},
		{"hop limit 1 (RFC 8200 §3)", hops6(1), ForwardHopLimit, DropForwardHopLimit},
		{"hop limit 0", hops6(0), ForwardHopLimit, DropForwardHopLimit},
		{"to multicast", addrs4("192.0.2.1", "224.0.0.251"), ForwardMulticast, DropForwardMulticast},
		{"to broadcast (RFC 1812 §5.3.4)", addrs4("192.0.2.1", "255.255.255.255"), ForwardMulticast, DropForwardMulticast},
		{"from class E (RFC 1812 §5.3.7)", addrs4("240.0.0.1", "192.0.2.1"), ForwardMartian, DropForwardMartian},
		{"to class E", addrs4("192.0.2.1", "240.0.0.1"), ForwardMartian, DropForwardMartian},
		{"from link-local (RFC 3927 §2.7)", addrs4("169.254.1.1", "192.0.2.1"), ForwardLinkLocal, DropForwardScope},
		{"to link-local", addrs4("192.0.2.1", "169.254.1.1"), ForwardLinkLocal, DropForwardScope},
		{"v6 good", addrs6("2001:db8::1", "2001:db8:1::1", 17), ForwardOK, DropNone},
		{"v6 to multicast", addrs6("2001:db8::1", "ff0e::1", 17), ForwardMulticast, DropForwardMulticast},
		{"v6 from link-local (RFC 4443 §3.1)", addrs6("fe80::1", "2001:db8::1", 17), ForwardScope, DropForwardScope},
		{"v6 to link-local (RFC 4291 §2.5.6)", addrs6("2001:db8::1", "fe80::1", 17), ForwardLinkLocal, DropForwardScope},
		{"v6 from unspecified (RFC 4291 §2.5.2)", addrs6("::", "2001:db8::1", 58), ForwardLinkLocal, DropForwardScope},
	}
	for _, tt := range tests {
		p := mustParse(t, tt.b)
		if got := PrepareForward(p); got != tt.want || got.Drop() != tt.drop {
			t.Errorf("%s: got %v, counted %v; want %v, %v", tt.name, got, got.Drop(), tt.want, tt.drop)
		}
		if tt.want != ForwardOK && !bytes.Equal(p.Frame.Packet(), tt.b) {
			t.Errorf("%s: the packet was changed", tt.name)
		}
	}
}

// RFC 4291 §2.5.3: loopback addresses stay on their node, wherever they came from.
func TestLoopbackIsNotForwarded(t *testing.T) {
	for _, b := range [][]byte{addrs4("127.0.0.1", "192.0.2.1"), addrs4("0.0.0.0", "255.255.255.255"), addrs6("::1", "2001:db8::1", 17)} {
		var p Packet
		if d := ParseLoopback(frame(b), &p); d != DropNone {
			t.Fatal(d)
		}
		if r := PrepareForward(&p); r == ForwardOK || r == ForwardHopLimit {
			t.Errorf("%v to %v: %v", p.Src, p.Dst, r)
		}
	}
}

// A super-segment fits a link if what it is cut into does.
func TestWireSizeIsThatOfOneSegment(t *testing.T) {
	tcp := packet4(20+12+30000, func(f *wire.IPv4Fields) { f.Protocol = wire.ProtoTCP })
	tcp[20+12] = 8 << 4
	tests := []struct {
		b    []byte
		o    link.Offload
		want int
	}{
		{tcp, link.Offload{}, len(tcp)},
		{tcp, link.Offload{SegmentSize: 1448}, 20 + 32 + 1448},
		{tcp, link.Offload{SegmentSize: 40000}, len(tcp)},
		{packet4(8+30000, nil), link.Offload{SegmentSize: 1472, UDP: true}, 1500},
		{packet6(17, octets(8+30000), nil), link.Offload{SegmentSize: 1452, UDP: true}, 1500},
		{packet4(10, nil), link.Offload{SegmentSize: 1448}, 30},
	}
	for i, tt := range tests {
		p := mustParse(t, tt.b)
		p.Frame.Offload = tt.o
		if got := p.WireSize(); got != tt.want {
			t.Errorf("%d: got %d, want %d", i, got, tt.want)
		}
	}
}

func TestPrepareForwardAllocatesNothing(t *testing.T) {
	p := mustParse(t, packet4(100, nil))
	q := mustParse(t, addrs6("2001:db8::1", netip.MustParseAddr("2001:db8:1::1").String(), 17))
	if n := testing.AllocsPerRun(50, func() { PrepareForward(p); PrepareForward(q) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What a router decides not to pass on is quoted as it came: deciding changes nothing.
func TestMayForwardLeavesThePacketAsItCame(t *testing.T) {
	for _, b := range [][]byte{packet4(8, nil), packet6(17, octets(8), nil)} {
		p := mustParse(t, bytes.Clone(b))
		if MayForward(p) != ForwardOK || !bytes.Equal(p.Frame.Packet(), b) {
			t.Errorf("MayForward has changed the packet %x to %x", b, p.Frame.Packet())
		}
		TakeHop(p)
		if q := mustParse(t, p.Frame.Packet()); q.HopLimit != 63 {
			t.Errorf("a hop limit of %d after TakeHop", q.HopLimit)
		}
	}
}
