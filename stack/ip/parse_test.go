package ip

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// edit4 returns an IPv4 packet with octets changed and the header checksum right.
func edit4(change func(b []byte)) []byte {
	b := packet4(32, nil)
	change(b)
	b[10], b[11] = 0, 0
	if n := int(b[0]&15) * 4; n >= 20 && n <= len(b) {
		sum := ^wire.Sum(b[:n], 0)
		b[10], b[11] = byte(sum>>8), byte(sum)
	}
	return b
}

func addrs4(src, dst string) []byte {
	return packet4(32, func(f *wire.IPv4Fields) { f.Src, f.Dst = netip.MustParseAddr(src), netip.MustParseAddr(dst) })
}

func addrs6(src, dst string, next uint8) []byte {
	return packet6(next, octets(32), func(f *wire.IPv6Fields) {
		f.Src, f.Dst = netip.MustParseAddr(src), netip.MustParseAddr(dst)
	})
}

// RFC 1122 §3.2.1, RFC 8200 §3: what is wrong with a header is found, and has a name.
func TestBadHeaderIsDroppedByReason(t *testing.T) {
	good6 := packet6(wire.ProtoUDP, octets(32), nil)
	tests := []struct {
		name string
		b    []byte
		want Drop
	}{
		{"empty", nil, DropTruncated},
		{"version 5", edit4(func(b []byte) { b[0] = 0x55 }), DropVersion},
		{"version 0", make([]byte, 60), DropVersion},
		{"v4 shorter than a header", packet4(32, nil)[:19], DropTruncated},
		{"v4 shorter than its total length", packet4(32, nil)[:51], DropTruncated},
		{"v4 header length of four words", edit4(func(b []byte) { b[0] = 0x44 }), DropHeaderLength},
		{"v4 total length less than the header", edit4(func(b []byte) { b[2], b[3] = 0, 19 }), DropHeaderLength},
		{"v4 header longer than the packet", edit4(func(b []byte) { b[0], b[3] = 0x4f, 52 }), DropHeaderLength},
		{"v4 checksum (RFC 1122 §3.2.1.2)", func() []byte { b := packet4(32, nil); b[8]++; return b }(), DropHeaderChecksum},
		{"v6 shorter than a header", good6[:39], DropTruncated},
		{"v6 shorter than its payload length", good6[:71], DropTruncated},
	}
	for _, tt := range tests {
		if got := Parse(frame(tt.b), new(Packet)); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// RFC 1122 §3.2.1.3, RFC 4291 §2.5, §2.7: addresses that no packet on a wire may carry.
func TestMartianAddressesAreDropped(t *testing.T) {
	tests := []struct {
		name string
		b    []byte
		want Drop
	}{
		{"v4 from multicast", addrs4("224.0.0.1", "192.0.2.1"), DropMartianSource},
		{"v4 from broadcast", addrs4("255.255.255.255", "192.0.2.1"), DropMartianSource},
		{"v4 from loopback", addrs4("127.0.0.1", "192.0.2.1"), DropMartianSource},
		{"v4 from 0.0.0.0 to a host", addrs4("0.0.0.0", "192.0.2.1"), DropMartianSource},
		{"v4 from this network", addrs4("0.1.2.3", "255.255.255.255"), DropMartianSource},
		{"v4 from 0.0.0.0 to broadcast: DHCP", addrs4("0.0.0.0", "255.255.255.255"), DropNone},
		{"v4 from 0.0.0.0 to multicast: IGMP", addrs4("0.0.0.0", "224.0.0.22"), DropNone},
		{"v4 to loopback", addrs4("192.0.2.1", "127.0.0.1"), DropMartianDestination},
		{"v4 to 0.0.0.0", addrs4("192.0.2.1", "0.0.0.0"), DropMartianDestination},
		{"v6 from multicast", addrs6("ff02::1", "2001:db8::1", 17), DropMartianSource},
		{"v6 from loopback", addrs6("::1", "2001:db8::1", 17), DropMartianSource},
		{"v6 from IPv4-mapped", addrs6("::ffff:1.2.3.4", "2001:db8::1", 17), DropMartianSource},
		{"v6 UDP from unspecified", addrs6("::", "2001:db8::1", 17), DropMartianSource},
		{"v6 ICMPv6 from unspecified: DAD", addrs6("::", "ff02::1", 58), DropNone},
		{"v6 to loopback", addrs6("2001:db8::1", "::1", 17), DropMartianDestination},
		{"v6 to unspecified", addrs6("2001:db8::1", "::", 17), DropMartianDestination},
		{"v6 to IPv4-mapped", addrs6("2001:db8::1", "::ffff:1.2.3.4", 17), DropMartianDestination},
		{"v6 to interface-local multicast", addrs6("2001:db8::1", "ff01::1", 17), DropMartianDestination},
		{"v6 to link-local multicast", addrs6("2001:db8::1", "ff02::1", 17), DropNone},
	}
	for _, tt := range tests {
		if got := Parse(frame(tt.b), new(Packet)); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// RFC 1122 §3.2.1.3(g): loopback addresses are good where there is no wire.
func TestLoopbackAddressesPassOnLoopback(t *testing.T) {
	for _, b := range [][]byte{addrs4("127.0.0.1", "127.0.0.2"), addrs6("::1", "::1", 17)} {
		var p Packet
		if d := ParseLoopback(frame(b), &p); d != DropNone || !p.Loopback {
			t.Errorf("ParseLoopback = %v, Loopback %v", d, p.Loopback)
		}
	}
}

// RFC 894: a link may pad; what it adds is no part of the packet.
func TestLinkPaddingIsTrimmed(t *testing.T) {
	for _, b := range [][]byte{packet4(3, nil), packet6(wire.ProtoUDP, octets(3), nil)} {
		p := mustParse(t, append(bytes.Clone(b), make([]byte, 20)...))
		if !bytes.Equal(p.Frame.Packet(), b) || len(p.Payload) != 3 || p.Len() != len(b) {
			t.Errorf("version %d: packet of %d octets, payload %d", p.Version, p.Frame.Len(), len(p.Payload))
		}
	}
}

func TestFieldsAreRead(t *testing.T) {
	p := mustParse(t, packet4(16, func(f *wire.IPv4Fields) {
		f.TOS, f.TTL, f.ID, f.DontFragment, f.Protocol = 0xb8, 3, 0x1234, true, wire.ProtoTCP
	}))
	if p.Version != 4 || p.TOS != 0xb8 || p.HopLimit != 3 || p.FragID != 0x1234 || !p.DontFragment ||
		p.Protocol != wire.ProtoTCP || p.Src != src4 || p.Dst != dst4 || p.Fragment || p.Header[p.ProtocolOffset] != wire.ProtoTCP {
		t.Errorf("IPv4: %+v", p)
	}
	p = mustParse(t, packet6(wire.ProtoTCP, octets(20), func(f *wire.IPv6Fields) { f.TrafficClass, f.HopLimit = 0xb8, 3 }))
	if p.Version != 6 || p.TOS != 0xb8 || p.HopLimit != 3 || p.Protocol != wire.ProtoTCP || p.Src != src6 ||
		p.Dst != dst6 || p.Fragment || p.Header[p.ProtocolOffset] != wire.ProtoTCP {
		t.Errorf("IPv6: %+v", p)
	}
}

// RFC 1122 §3.2.1.8: options that are well formed pass, unknown ones too; RFC 7126
// §4.3, §4.4: source routes do not.
func TestIPv4Options(t *testing.T) {
	tests := []struct {
		name    string
		options []byte
		want    Drop
	}{
		{"none but padding", []byte{1, 1, 1, 0}, DropNone},
		{"record route", []byte{7, 7, 4, 0, 0, 0, 0, 0}, DropNone},
		{"router alert", []byte{148, 4, 0, 0}, DropNone},
		{"unknown", []byte{0x9e, 4, 1, 2}, DropNone},
		{"end of list hides the rest", []byte{0, 7, 99, 1}, DropNone},
		{"loose source route", []byte{131, 7, 4, 1, 2, 3, 4, 0}, DropSourceRoute},
		{"strict source route", []byte{1, 137, 7, 4, 1, 2, 3, 4}, DropSourceRoute},
		{"length past the header", []byte{7, 5, 4, 0}, DropOptions},
		{"length of one", []byte{7, 1, 4, 0}, DropOptions},
		{"no length", []byte{1, 1, 1, 7}, DropOptions},
	}
	for _, tt := range tests {
		var p Packet
		b := packet4(8, func(f *wire.IPv4Fields) { f.Options = tt.options })
		if got := Parse(frame(b), &p); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
		if tt.want == DropOptions && (p.Problem.Kind != ProblemReportUnicast || p.Problem.Pointer < 20) {
			t.Errorf("%s: problem %+v, want one in the options", tt.name, p.Problem)
		}
	}
}

// A virtio-net header may not point the checksum into what was cut off as padding.
func TestChecksumOutsideThePacketIsDropped(t *testing.T) {
	f := frame(append(packet4(8, nil), make([]byte, 32)...))
	f.Checksum, f.ChecksumStart, f.ChecksumOffset = link.ChecksumPartial, 20, 7
	if d := Parse(f, new(Packet)); d != DropOffload {
		t.Errorf("got %v, want %v", d, DropOffload)
	}
	f.ChecksumOffset = 6
	if d := Parse(f, new(Packet)); d != DropNone {
		t.Errorf("got %v, want it to pass", d)
	}
}

func TestEveryDropIsCountedUnderItsOwnName(t *testing.T) {
	var c Drops
	seen := map[string]bool{}
	for d := DropNone; d < NumDrops; d++ {
		if d.String() == "" || seen[d.String()] {
			t.Errorf("drop %d: name %q is empty or taken", d, d)
		}
		seen[d.String()] = true
		c.Add(d)
		if got := c.Get(d); (got == 1) != (d != DropNone) {
			t.Errorf("%v counted %d times", d, got)
		}
	}
	n := 0
	c.Each(func(name string, v uint64) { n += int(v) })
	if n != int(NumDrops)-1 {
		t.Errorf("Each gave %d in all, want %d", n, NumDrops-1)
	}
	if NumDrops.String() != "ip.drop.unknown" {
		t.Error("a Drop that does not exist has a name")
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	hop := []byte{wire.ProtoDestination, 0, 5, 2, 0, 0, 1, 0}
	dest := []byte{wire.ProtoUDP, 0, 0xc1, 4, 0, 0, 0, 0}
	frames := []*link.Frame{
		frame(packet4(1000, nil)),
		frame(packet4(1000, func(f *wire.IPv4Fields) { f.Options = []byte{148, 4, 0, 0} })),
		frame(packet6(wire.ProtoUDP, octets(1000), nil)),
		frame(packet6(wire.ProtoHopByHop, join(hop, dest, octets(100)), nil)),
	}
	var p Packet
	for i, f := range frames {
		if n := testing.AllocsPerRun(100, func() { Parse(f, &p) }); n != 0 {
			t.Errorf("frame %d: %v allocations", i, n)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	var p Packet
	for _, f := range []*link.Frame{frame(packet4(1000, nil)), frame(packet6(wire.ProtoUDP, octets(1000), nil))} {
		b.Run(map[byte]string{4: "v4", 6: "v6"}[f.Packet()[0]>>4], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Parse(f, &p)
			}
		})
	}
}
