package icmp

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"reflect"
	"testing"

	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// quoted is the beginning of a TCP or UDP header: ports 1000 and 2000, then seq.
func quoted(seq uint32) []byte {
	b := []byte{3, 232, 7, 208, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(b[4:], seq)
	return b
}

// RFC 792, RFC 1122 §3.2.2, RFC 4443 §3: what the error says, and about which packet.
func TestErrorIsRead(t *testing.T) {
	router4, router6 := addr("203.0.113.1"), addr("2001:db8:ffff::1")
	long := packet(wire.ProtoTCP, src4, dst4, append(quoted(0xfffffff0), octets(992)...))
	dest := []byte{wire.ProtoTCP, 0, 1, 4, 0, 0, 0, 0}
	frag := make([]byte, 8)
	wire.PutIPv6Fragment(frag, wire.ProtoDestination, 0, true, 1)
	chained := packet(wire.ProtoFragment, src6, dst6, append(append(frag, dest...), quoted(5)...))
	echo := []byte{8, 0, 0, 0, 0x12, 0x34, 0, 7}
	echo6 := []byte{128, 0, 0, 0, 0x12, 0x34, 0, 7}
	tests := []struct {
		name string
		b    []byte
		want Report
	}{
		{"TCP over IPv4, cut short", message(router4, src4, 3, 1, 0, long[:28]),
			Report{Kind: HostUnreachable, Version: 4, Type: 3, Code: 1, From: router4, Protocol: 6, Src: src4, Dst: dst4,
				SrcPort: 1000, DstPort: 2000, Seq: 0xfffffff0, HasSeq: true, Length: 1020}},
		{"fragmentation needed with MTU (RFC 1191 §4)", message(router4, src4, 3, 4, 1400, long[:28]),
			Report{Kind: FragmentationNeeded, Version: 4, Type: 3, Code: 4, From: router4, Protocol: 6, Src: src4, Dst: dst4,
				SrcPort: 1000, DstPort: 2000, Seq: 0xfffffff0, HasSeq: true, Length: 1020, MTU: 1400}},
		{"UDP port unreachable", message(dst4, src4, 3, 3, 0, packet(17, src4, dst4, quoted(9))),
			Report{Kind: PortUnreachable, Version: 4, Type: 3, Code: 3, From: dst4, Protocol: 17, Src: src4, Dst: dst4,
				SrcPort: 1000, DstPort: 2000, Length: 28}},
		{"parameter problem", message(dst4, src4, 12, 0, 22<<24, packet(17, src4, dst4, quoted(9))),
			Report{Kind: ParameterProblem, Version: 4, Type: 12, From: dst4, Protocol: 17, Src: src4, Dst: dst4,
				SrcPort: 1000, DstPort: 2000, Length: 28, Pointer: 22}},
		{"time exceeded about a ping", message(router4, src4, 11, 0, 0, packet(1, src4, dst4, echo)),
			Report{Kind: TimeExceededTransit, Version: 4, Type: 11, From: router4, Protocol: 1, Src: src4, Dst: dst4,
				SrcPort: 0x1234, Seq: 7, HasSeq: true, Length: 28}},
		{"ping over IPv6", message(router6, src6, 1, 0, 0, packet(58, src6, dst6, echo6)),
			Report{Kind: NetUnreachable, Version: 6, Type: 1, From: router6, Protocol: 58, Src: src6, Dst: dst6,
				SrcPort: 0x1234, Seq: 7, HasSeq: true, Length: 48}},
		{"packet too big, extension headers in the quote", message(router6, src6, 2, 0, 1300, chained),
			Report{Kind: PacketTooBig, Version: 6, Type: 2, From: router6, Protocol: 6, Src: src6, Dst: dst6,
				SrcPort: 1000, DstPort: 2000, Seq: 5, HasSeq: true, Length: 64, MTU: 1300}},
		{"IPv6 parameter problem", message(dst6, src6, 4, 1, 6, packet(200, src6, dst6, quoted(9))),
			Report{Kind: ProtocolUnreachable, Version: 6, Type: 4, Code: 1, From: dst6, Protocol: 200, Src: src6, Dst: dst6,
				SrcPort: 1000, DstPort: 2000, Length: 48, Pointer: 6}},
	}
	for _, tt := range tests {
		p := parsed(t, tt.b, false)
		if !Verify(p) {
			t.Errorf("%s: bad checksum", tt.name)
		}
		got, ok := ParseError(p)
		if !ok || len(got.Quote) < 8 {
			t.Errorf("%s: %v, %d octets of the transport header quoted", tt.name, ok, len(got.Quote))
		}
		if got.Quote = nil; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

func TestErrorWithoutUsableQuoteIsIgnored(t *testing.T) {
	whole := packet(wire.ProtoTCP, src4, dst4, quoted(1))
	later := bytes.Clone(whole)
	wire.IPv4(later).SetFragment(8, false, false)
	whole6 := packet(wire.ProtoTCP, src6, dst6, quoted(1))
	later6 := packet(wire.ProtoFragment, src6, dst6, append([]byte{6, 0, 0, 8, 0, 0, 0, 1}, quoted(1)...))
	tests := []struct {
		name string
		b    []byte
	}{
		{"no quote", message(dst4, src4, 3, 1, 0, nil)},
		{"no header", message(dst4, src4, 3, 1, 0, whole[:19])},
		{"seven octets of transport", message(dst4, src4, 3, 1, 0, whole[:27])},
		{"a fragment without ports", message(dst4, src4, 3, 1, 0, later)},
		{"the other family", message(dst4, src4, 3, 1, 0, whole6)},
		{"redirect", message(dst4, src4, 5, 1, 0, whole)},
		{"source quench (RFC 6633 §3)", message(dst4, src4, 4, 0, 0, whole)},
		{"an echo reply", message(dst4, src4, 0, 0, 0, whole)},
		{"v6 no header", message(dst6, src6, 1, 3, 0, whole6[:39])},
		{"v6 seven octets", message(dst6, src6, 1, 3, 0, whole6[:47])},
		{"v6 later fragment", message(dst6, src6, 1, 3, 0, later6)},
		{"v6 of the other family", message(dst6, src6, 1, 3, 0, append(bytes.Clone(whole), octets(40)...))},
		{"v6 extension cut short", message(dst6, src6, 1, 3, 0, later6[:44])},
		{"short message", packet(wire.ProtoICMP, dst4, src4, []byte{3, 1, 0, 0})},
	}
	for _, tt := range tests {
		if r, ok := ParseError(parsed(t, tt.b, false)); ok {
			t.Errorf("%s: read as %+v", tt.name, r)
		}
	}
}

// Any message: no panic, and what is read hangs together; what we write of it is read back.
func FuzzParseError(f *testing.F) {
	f.Add(message(dst4, src4, 3, 4, 1400, packet(6, src4, dst4, quoted(1))))
	f.Add(message(dst6, src6, 2, 0, 1400, packet(6, src6, dst6, quoted(1))))
	f.Add(message(dst6, src6, 1, 3, 0, packet(44, src6, dst6, append([]byte{6, 0, 0, 1, 0, 0, 0, 1}, quoted(1)...))))
	f.Add(request(f, src4, dst4, 8))
	f.Add(request(f, src6, dst6, 8))
	f.Add(packet(60, src6, dst6, append([]byte{17, 0, 0x81, 4, 0, 0, 0, 0}, quoted(1)...)))
	buf := make([]byte, MaxError)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 20 && b[0]>>4 == 4 {
			b = bytes.Clone(b)
			b[10], b[11] = 0, 0
			binary.BigEndian.PutUint16(b[10:], ^wire.Sum(b[:min(len(b), int(b[0]&15)*4)], 0))
		}
		fr := &link.Frame{Buf: make([]byte, link.Headroom+len(b)), Off: link.Headroom, End: link.Headroom + len(b)}
		copy(fr.Packet(), b)
		var p ip.Packet
		if d := ip.Parse(fr, &p); d != ip.DropNone && p.Problem.Kind == ip.ProblemNone {
			return
		}
		Verify(&p)
		if r, ok := ParseError(&p); ok {
			checkReport(t, &p, r)
		}
		for k := KindNone; k < numKinds; k++ {
			if MayError(&p, k) {
				quoteBack(t, buf[:PutError(buf, p.Dst, &p, k, 1300)], &p, k)
			}
		}
		EchoReply(&p, 64, 1)
	})
}

func checkReport(t *testing.T, p *ip.Packet, r Report) {
	if r.Kind == KindNone || r.Version != p.Version || r.From != p.Src || r.Src.Is4() != (p.Version == 4) || r.Length < 20 {
		t.Fatalf("%+v", r)
	}
	if MayError(p, PortUnreachable) {
		t.Fatal("an error may be sent about an error")
	}
}

func quoteBack(t *testing.T, m []byte, p *ip.Packet, k Kind) {
	if len(m) == 0 {
		return
	}
	proto := uint8(wire.ProtoICMP)
	if p.Version == 6 {
		proto = wire.ProtoICMPv6
	}
	b := packet(proto, netip.IPv6Loopback(), netip.IPv6Loopback(), m)
	if p.Version == 4 {
		b = packet(proto, src4, src4, m)
	}
	q := parsed(t, b, true)
	r, ok := ParseError(q)
	if ok && (r.Kind != k || r.Src != p.Src || r.Dst != p.Dst) {
		t.Fatalf("%v about %v to %v read back as %+v", k, p.Src, p.Dst, r)
	}
	if MayError(q, PortUnreachable) {
		t.Fatal("an error may be sent about our own error")
	}
}
