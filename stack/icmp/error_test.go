package icmp

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/wire"
)

// RFC 1122 §3.2.2, RFC 1812 §4.3.2.7: about what no ICMP error is sent.
func TestNoErrorIsSentAbout(t *testing.T) {
	udp := octets(16)
	fragment := packet(wire.ProtoUDP, src4, dst4, udp)
	wire.IPv4(fragment).SetFragment(8, true, false)
	wire.IPv4(fragment).UpdateChecksum()
	first := packet(wire.ProtoUDP, src4, dst4, udp)
	wire.IPv4(first).SetFragment(0, true, false)
	wire.IPv4(first).UpdateChecksum()
	icmp := func(typ uint8) []byte { return message(src4, dst4, typ, 0, 0, nil) }
	tests := []struct {
		name     string
		b        []byte
		loopback bool
		want     bool
	}{
		{"a datagram for a host: sent", packet(wire.ProtoUDP, src4, dst4, udp), false, true},
		{"an unreachable", icmp(wire.ICMPv4Unreachable), false, false},
		{"a time exceeded", icmp(wire.ICMPv4TimeExceeded), false, false},
		{"a parameter problem", icmp(wire.ICMPv4ParameterProblem), false, false},
		{"a redirect", icmp(wire.ICMPv4Redirect), false, false},
		{"a source quench", icmp(wire.ICMPv4SourceQuench), false, false},
		{"a message of unknown type", icmp(200), false, false},
		{"an empty message", packet(wire.ProtoICMP, src4, dst4, nil), false, false},
		{"an echo request: sent", icmp(wire.ICMPv4Echo), false, true},
		{"an echo reply: sent", icmp(wire.ICMPv4EchoReply), false, true},
		{"multicast", packet(wire.ProtoUDP, src4, addr("224.0.0.1"), udp), false, false},
		{"broadcast", packet(wire.ProtoUDP, src4, addr("255.255.255.255"), udp), false, false},
		{"a fragment other than the first", fragment, false, false},
		{"the first fragment: sent", first, false, true},
		{"from the zero address", packet(wire.ProtoUDP, addr("0.0.0.0"), addr("255.255.255.255"), udp), false, false},
		{"from class E", packet(wire.ProtoUDP, addr("240.0.0.1"), dst4, udp), false, false},
		{"from loopback", packet(wire.ProtoUDP, addr("127.0.0.1"), dst4, udp), false, false},
		{"from loopback on loopback: sent", packet(wire.ProtoUDP, addr("127.0.0.1"), addr("127.0.0.1"), udp), true, true},
	}
	for _, tt := range tests {
		p := parsed(t, tt.b, tt.loopback)
		if got := MayError(p, PortUnreachable); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
		if p.NoError = true; MayError(p, PortUnreachable) {
			t.Errorf("%s: sent although it came by broadcast", tt.name)
		}
	}
}

// RFC 4443 §2.4(e): about what no ICMPv6 error is sent, and the exceptions.
func TestNoICMPv6ErrorIsSentAbout(t *testing.T) {
	udp := octets(16)
	all := addr("ff02::1")
	icmp := func(typ uint8) []byte { return message(src6, dst6, typ, 0, 0, nil) }
	frag := func(next uint8, off int, body ...byte) []byte {
		h := make([]byte, 8)
		wire.PutIPv6Fragment(h, next, off, true, 1)
		return packet(wire.ProtoFragment, src6, dst6, append(h, body...))
	}
	option := []byte{wire.ProtoICMPv6, 0, 0x81, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}
	tests := []struct {
		name string
		b    []byte
		kind Kind
		want bool
	}{
		{"a packet for a host: sent", packet(wire.ProtoUDP, src6, dst6, udp), PortUnreachable, true},
		{"(e.1) an unreachable", icmp(wire.ICMPv6Unreachable), PortUnreachable, false},
		{"(e.1) an unknown error", icmp(100), PortUnreachable, false},
		{"(e.1) an error behind an option that is refused", packet(wire.ProtoDestination, src6, dst6, option), UnrecognizedOption, false},
		{"(e.2) a redirect", icmp(wire.ICMPv6Redirect), PortUnreachable, false},
		{"an echo request: sent", icmp(wire.ICMPv6Echo), PortUnreachable, true},
		{"an empty message", packet(wire.ProtoICMPv6, src6, dst6, nil), PortUnreachable, false},
		{"(e.3) multicast", packet(wire.ProtoUDP, src6, all, udp), PortUnreachable, false},
		{"(e.3) multicast, too big: sent", packet(wire.ProtoUDP, src6, all, udp), PacketTooBig, true},
		{"(e.3) multicast, option: sent", packet(wire.ProtoUDP, src6, all, udp), UnrecognizedOption, true},
		{"(e.6) from the unspecified address", packet(wire.ProtoICMPv6, netip.IPv6Unspecified(), all, udp), PacketTooBig, false},
		{"(e.6) from loopback", packet(wire.ProtoUDP, netip.IPv6Loopback(), dst6, udp), PortUnreachable, false},
		{"a UDP fragment: sent", frag(wire.ProtoUDP, 8, udp...), ParameterProblem, true},
		{"an ICMPv6 fragment, of what nobody knows", frag(wire.ProtoICMPv6, 8, 200, 1, 2, 3, 4, 5, 6, 7), ParameterProblem, false},
	}
	for _, tt := range tests {
		if got := MayError(parsed(t, tt.b, false), tt.kind); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	p := parsed(t, packet(wire.ProtoUDP, src6, dst6, udp), false)
	p.NoError = true
	if MayError(p, PortUnreachable) || !MayError(p, PacketTooBig) {
		t.Error("(e.4): a link-layer multicast is treated as an IPv6 multicast")
	}
}

// RFC 1812 §4.3.2.3: as much as fits 576 octets; RFC 4443 §2.4(c): 1280. Never more than
// there is, and the quote is the packet's beginning.
func TestErrorQuotesAsMuchAsItMay(t *testing.T) {
	for _, n := range []int{8, 520, 528, 529, 1183, 1184, 1185, 60000} {
		for _, b := range [][]byte{packet(wire.ProtoUDP, src4, dst4, octets(n)), packet(wire.ProtoUDP, src6, dst6, octets(n))} {
			p := parsed(t, b, false)
			out, header, most, from, proto := make([]byte, 2000), 20, 576, dst4, uint8(wire.ProtoICMP)
			if p.Version == 6 {
				header, most, from, proto = 40, 1280, dst6, wire.ProtoICMPv6
			}
			got := out[:PutError(out, from, p, PortUnreachable, 0)]
			if want := min(most-header, 8+len(b)); len(got) != want {
				t.Errorf("version %d, %d octets: message of %d, want %d", p.Version, n, len(got), want)
			}
			if !bytes.Equal(got[8:], b[:len(got)-8]) {
				t.Errorf("version %d: not the packet's beginning", p.Version)
			}
			q := parsed(t, packet(proto, from, p.Src, got), false)
			if !Verify(q) {
				t.Errorf("version %d, %d octets: bad checksum", p.Version, n)
			}
			if r, ok := ParseError(q); !ok || r.Kind != PortUnreachable || r.Src != p.Src || r.Dst != p.Dst || r.Length != len(b) {
				t.Errorf("version %d, %d octets: read back as %+v, %v", p.Version, n, r, ok)
			}
		}
	}
}

// RFC 792, RFC 1191 §4, RFC 4443 §3.2, §3.4: the second word of the header.
func TestErrorArguments(t *testing.T) {
	p4, p6 := parsed(t, packet(17, src4, dst4, octets(16)), false), parsed(t, packet(17, src6, dst6, octets(16)), false)
	tests := []struct {
		p    *ip.Packet
		k    Kind
		arg  uint32
		want []byte
	}{
		{p4, FragmentationNeeded, 1400, []byte{3, 4, 0, 0, 5, 120}},
		{p4, FragmentationNeeded, 1 << 20, []byte{3, 4, 0, 0, 255, 255}},
		{p6, PacketTooBig, 1 << 20, []byte{2, 0, 0, 16, 0, 0}},
		{p4, ParameterProblem, 22, []byte{12, 0, 22, 0, 0, 0}},
		{p6, ParameterProblem, 258, []byte{4, 0, 0, 0, 1, 2}},
		{p6, ProtocolUnreachable, 6, []byte{4, 1, 0, 0, 0, 6}},
		{p4, ProtocolUnreachable, 9, []byte{3, 2, 0, 0, 0, 0}},
		{p6, UnrecognizedOption, 42, []byte{4, 2, 0, 0, 0, 42}},
		{p4, TimeExceededTransit, 99, []byte{11, 0, 0, 0, 0, 0}},
		{p6, TimeExceededReassembly, 99, []byte{3, 1, 0, 0, 0, 0}},
	}
	for _, tt := range tests {
		b := make([]byte, 100)
		if PutError(b, tt.p.Dst, tt.p, tt.k, tt.arg) == 0 {
			t.Fatalf("%v: nothing", tt.k)
		}
		if got := append(b[:2:2], b[4:8]...); !bytes.Equal(got, tt.want) {
			t.Errorf("%v: %x, want %x", tt.k, got, tt.want)
		}
	}
	if PutError(make([]byte, 100), dst4, p4, BeyondScope, 0) != 0 || PutError(make([]byte, 7), dst4, p4, PortUnreachable, 0) != 0 {
		t.Error("a message that does not exist, or does not fit, was written")
	}
	if n := PutError(make([]byte, 30), dst4, p4, PortUnreachable, 0); n != 30 {
		t.Errorf("in 30 octets: %d", n)
	}
}

// RFC 8200 §4.2, RFC 7112 §5: what a refused packet's sender is told.
func TestProblemsAndForwardingBecomeErrors(t *testing.T) {
	option := func(typ byte) []byte { return []byte{17, 0, typ, 4, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8} }
	tests := []struct {
		name string
		dst  netip.Addr
		next uint8
		body []byte
		kind Kind
		arg  uint32
	}{
		{"action 01", dst6, wire.ProtoDestination, option(0x41), KindNone, 0},
		{"action 10", dst6, wire.ProtoDestination, option(0x81), UnrecognizedOption, 42},
		{"action 10, multicast", addr("ff02::1"), wire.ProtoDestination, option(0x81), UnrecognizedOption, 42},
		{"action 11", dst6, wire.ProtoDestination, option(0xc1), UnrecognizedOption, 42},
		{"action 11, multicast", addr("ff02::1"), wire.ProtoDestination, option(0xc1), KindNone, 0},
		{"routing header", dst6, wire.ProtoRouting, []byte{17, 0, 0, 1, 0, 0, 0, 0}, ParameterProblem, 42},
		{"next header zero", dst6, wire.ProtoDestination, append([]byte{0, 0, 1, 4, 0, 0, 0, 0}, option(1)...), ProtocolUnreachable, 40},
		{"first fragment without chain", dst6, wire.ProtoFragment, []byte{17, 0, 0, 1, 0, 0, 0, 1}, IncompleteHeaderChain, 0},
		{"nothing wrong", dst6, wire.ProtoUDP, octets(8), KindNone, 0},
	}
	for _, tt := range tests {
		k, arg, ok := ForProblem(parsed(t, packet(tt.next, src6, tt.dst, tt.body), false))
		if k != tt.kind || arg != tt.arg || ok != (tt.kind != KindNone) {
			t.Errorf("%s: %v %d %v, want %v %d", tt.name, k, arg, ok, tt.kind, tt.arg)
		}
	}
	// RFC 8883 §2.
	for code, want := range map[uint8]Kind{7: HeaderChainTooLong, 8: TooManyHeaders, 9: TooManyOptions} {
		p := &ip.Packet{Dst: dst6, Problem: ip.Problem{Kind: ip.ProblemReportUnicast, Code: code}}
		if k, _, _ := ForProblem(p); k != want {
			t.Errorf("code %d: %v, want %v", code, k, want)
		}
	}
	for r, want := range map[ip.ForwardResult]Kind{ip.ForwardHopLimit: TimeExceededTransit, ip.ForwardScope: BeyondScope, ip.ForwardMartian: KindNone, ip.ForwardOK: KindNone} {
		if k, ok := ForForward(r); k != want || ok != (want != KindNone) {
			t.Errorf("result %d: %v %v", r, k, ok)
		}
	}
}

func TestPutErrorAllocatesNothing(t *testing.T) {
	p4, p6 := parsed(t, packet(17, src4, dst4, octets(1000)), false), parsed(t, packet(17, src6, dst6, octets(1000)), false)
	b := make([]byte, MaxError)
	if n := testing.AllocsPerRun(100, func() {
		if MayError(p4, PortUnreachable) && MayError(p6, PortUnreachable) {
			PutError(b, dst4, p4, PortUnreachable, 0)
			PutError(b, dst6, p6, PortUnreachable, 0)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
