package wire

import (
	"bytes"
	"errors"
	"testing"
)

// packet6 returns an IPv6 packet whose payload begins with a header of type next.
func packet6(next uint8, parts ...[]byte) []byte {
	payload := bytes.Join(parts, nil)
	b := make([]byte, IPv6Header+len(payload))
	PutIPv6(b, &IPv6Fields{NextHeader: next, HopLimit: 64, Src: src6, Dst: dst6, PayloadLen: len(payload)})
	copy(b[IPv6Header:], payload)
	return b
}

func TestIPv6FieldsComeBackAsTheyWerePut(t *testing.T) {
	b := make([]byte, 60)
	n := PutIPv6(b, &IPv6Fields{
		TrafficClass: 0xa5, FlowLabel: 0xffabcde, NextHeader: ProtoTCP, HopLimit: 9, Src: src6, Dst: dst6, PayloadLen: 12,
	})
	copy(b[n:], "twelve octet, and padding")
	h, err := ParseIPv6(b)
	if err != nil || n != IPv6Header {
		t.Fatal(n, err)
	}
	if h.TrafficClass() != 0xa5 || h.FlowLabel() != 0xabcde || h.NextHeader() != ProtoTCP || h.HopLimit() != 9 ||
		h.Src() != src6 || h.Dst() != dst6 || h.PayloadLen() != 12 || string(h.Payload()) != "twelve octet" || cap(h) != 52 {
		t.Errorf("read back: %s", Describe(b))
	}
	h.SetTrafficClass(0x5a)
	h.SetHopLimit(8)
	h.SetNextHeader(ProtoUDP)
	h.SetPayloadLen(3)
	h.SetSrc(dst6)
	h.SetDst(src6)
	if h.TrafficClass() != 0x5a || h.FlowLabel() != 0xabcde || h[0]>>4 != 6 || h.HopLimit() != 8 || h.NextHeader() != ProtoUDP ||
		h.PayloadLen() != 3 || h.Src() != dst6 || h.Dst() != src6 {
		t.Errorf("after the setters: %s", Describe(b))
	}
}

func TestIPv6RefusesImpossibleLengths(t *testing.T) {
	good := packet6(ProtoUDP, []byte("payload"))
	long := bytes.Clone(good)
	long[5]++
	version := bytes.Clone(good)
	version[0] = 0x45
	for _, c := range []struct {
		name        string
		b           []byte
		err, quoted error
	}{
		{"empty", nil, ErrTruncated, ErrTruncated},
		{"shorter than a header", good[:39], ErrTruncated, ErrTruncated},
		{"version 4", version, ErrVersion, ErrVersion},
		{"payload length beyond the packet", long, ErrTotalLength, nil},
		{"whole", good, nil, nil},
	} {
		if _, err := ParseIPv6(c.b); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
		if _, err := ParseQuotedIPv6(c.b); !errors.Is(err, c.quoted) {
			t.Errorf("%s, quoted: %v, want %v", c.name, err, c.quoted)
		}
	}
}

func TestFragmentHeaderComesBackAsItWasPut(t *testing.T) {
	b := make([]byte, 8)
	PutIPv6Fragment(b, ProtoTCP, 65528, true, 0xdeadbeef)
	f, err := ParseIPv6Fragment(b)
	if err != nil || f.NextHeader() != ProtoTCP || f.Offset() != 65528 || !f.More() || f.ID() != 0xdeadbeef {
		t.Errorf("%v: %x", err, b)
	}
	PutIPv6Fragment(b, ProtoTCP, 0, false, 1)
	if f.Offset() != 0 || f.More() {
		t.Errorf("atomic: %x", b)
	}
	if _, err := ParseIPv6Fragment(b[:7]); !errors.Is(err, ErrTruncated) {
		t.Errorf("7 octets: %v", err)
	}
}

// options returns an options header: next, then the options padded with PadN.
func options(next uint8, opts ...byte) []byte {
	b := append([]byte{next, 0}, opts...)
	if pad := -len(b) & 7; pad == 1 {
		b = append(b, 0)
	} else if pad > 1 {
		b = append(append(b, 1, byte(pad-2)), make([]byte, pad-2)...)
	}
	b[1] = byte(len(b)/8 - 1)
	return b
}

func routing(next, typ, left uint8) []byte { return []byte{next, 0, typ, left, 0, 0, 0, 0} }

func fragment(next uint8, off int, more bool) []byte {
	b := make([]byte, 8)
	PutIPv6Fragment(b, next, off, more, 42)
	return b
}

func TestExtensionWalkFindsTheUpperLayer(t *testing.T) {
	udp := make([]byte, 8)
	for _, c := range []struct {
		name string
		b    []byte
		want ExtInfo
	}{
		{"none", packet6(ProtoUDP, udp),
			ExtInfo{Protocol: ProtoUDP, Offset: 40, NextOffset: 6, Unfragmentable: 40, UnfragmentableNext: 6}},
		{"hop-by-hop with a router alert", packet6(0, options(ProtoUDP, 5, 2, 0, 0), udp),
			ExtInfo{Protocol: ProtoUDP, Offset: 48, NextOffset: 40, Unfragmentable: 48, UnfragmentableNext: 40, Headers: 1, RouterAlert: true}},
		{"destination options are fragmentable", packet6(60, options(ProtoUDP, 0x1e, 1, 9), udp),
			ExtInfo{Protocol: ProtoUDP, Offset: 48, NextOffset: 40, Unfragmentable: 40, UnfragmentableNext: 6, Headers: 1}},
		{"but not before a routing header", packet6(0, options(60), options(43), routing(60, 0, 0), options(ProtoUDP), udp),
			ExtInfo{Protocol: ProtoUDP, Offset: 72, NextOffset: 64, Unfragmentable: 64, UnfragmentableNext: 56, Headers: 4}},
		{"first fragment", packet6(44, fragment(ProtoUDP, 0, true), udp),
			ExtInfo{Protocol: ProtoUDP, Offset: 48, NextOffset: 40, FragOffset: 40, Fragment: true, Unfragmentable: 40, UnfragmentableNext: 6, Headers: 1}},
		{"what a fragment holds is not walked", packet6(0, options(44), fragment(60, 1480, false), []byte{9, 255}),
			ExtInfo{Protocol: 60, Offset: 56, NextOffset: 48, FragOffset: 48, Fragment: true, Unfragmentable: 48, UnfragmentableNext: 40, Headers: 2}},
		// RFC 6946: an atomic fragment is a whole datagram.
		{"atomic fragment", packet6(44, fragment(60, 0, false), options(ProtoUDP), udp),
			ExtInfo{Protocol: ProtoUDP, Offset: 56, NextOffset: 48, FragOffset: 40, Unfragmentable: 40, UnfragmentableNext: 6, Headers: 2}},
		{"a routing header behind a fragment header is fragmentable", packet6(44, fragment(43, 0, false), routing(ProtoUDP, 0, 0), udp),
			ExtInfo{Protocol: ProtoUDP, Offset: 56, NextOffset: 48, FragOffset: 40, Unfragmentable: 40, UnfragmentableNext: 6, Headers: 2}},
		{"no next header", packet6(ProtoNoNext, []byte("ignored")),
			ExtInfo{Protocol: ProtoNoNext, Offset: 40, NextOffset: 6, Unfragmentable: 40, UnfragmentableNext: 6}},
		{"an unknown protocol is named with its Next Header", packet6(60, options(253), udp),
			ExtInfo{Protocol: 253, Offset: 48, NextOffset: 40, Unfragmentable: 40, UnfragmentableNext: 6, Headers: 1}},
	} {
		h, err := ParseIPv6(c.b)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := h.Extensions(); err != nil || got != c.want {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", c.name, err, got, c.want)
		}
	}
}

// RFC 8200 §4: what is wrong, where it is, and what is sent about it.
func TestExtensionProblemsArePointedAt(t *testing.T) {
	repeat := func(n int, h []byte) []byte { return bytes.Repeat(h, n) }
	for _, c := range []struct {
		name    string
		b       []byte
		problem Problem
		pointer int
		code    int // of the Parameter Problem, -1 none
	}{
		{"§4.2 unknown option 00 is skipped", packet6(0, options(ProtoUDP, 0x1e, 0), nil), ProblemNone, 0, -1},
		{"§4.2 unknown option 01 discards", packet6(0, options(ProtoUDP, 0x5e, 0)), ProblemOptionDiscard, 42, -1},
		{"§4.2 unknown option 10 reports", packet6(0, options(ProtoUDP, 0, 0x9e, 0)), ProblemOption, 43, 2},
		{"§4.2 unknown option 11 reports unless multicast", packet6(60, options(ProtoUDP, 1, 1, 0, 0xde, 0)), ProblemOptionUnicast, 45, 2},
		{"§4.2 jumbo payload is not supported", packet6(0, options(ProtoUDP, 0xc2, 4, 0, 1, 0, 0)), ProblemOptionUnicast, 42, 2},
		{"option beyond its header", packet6(0, []byte{ProtoUDP, 0, 1, 5, 0, 0, 0, 0}), ProblemHeaderField, 43, 0},
		{"option without a length", packet6(0, []byte{ProtoUDP, 0, 1, 3, 0, 0, 0, 1}), ProblemHeaderField, 47, 0},
		{"router alert of length 3", packet6(0, options(ProtoUDP, 5, 3, 0, 0, 0)), ProblemHeaderField, 43, 0},
		{"§4.1 hop-by-hop after another header", packet6(60, options(0), options(ProtoUDP)), ProblemNextHeader, 40, 1},
		{"§4.1 hop-by-hop after hop-by-hop", packet6(0, options(0), options(ProtoUDP)), ProblemNextHeader, 40, 1},
		{"§4.4 segments left of an unknown type", packet6(60, options(43), routing(ProtoUDP, 0, 1)), ProblemHeaderField, 50, 0},
		{"§4.4 no segments left", packet6(43, routing(ProtoUDP, 0, 0)), ProblemNone, 0, -1},
		{"cut within its first eight octets", packet6(60, []byte{ProtoUDP, 0, 0, 0}), ProblemTruncated, 40, -1},
		{"header length beyond the packet", packet6(60, []byte{ProtoUDP, 1, 1, 4, 0, 0, 0, 0}), ProblemTruncated, 40, -1},
		{"header length one octet beyond the packet", packet6(60, append([]byte{ProtoUDP, 1, 1, 12}, make([]byte, 11)...)), ProblemTruncated, 40, -1},
		{"fragment header cut", packet6(44, []byte{ProtoUDP, 255, 0}), ProblemTruncated, 40, -1},
		{"nothing after the fixed header", packet6(0), ProblemTruncated, 40, -1},
		{"too many headers", packet6(60, repeat(17, options(60))), ProblemTooManyHeaders, 40 + 16*8, 8},
		{"too many options", packet6(60, append([]byte{60, 8}, make([]byte, 70)...)), ProblemTooManyOptions, 40 + 2 + 64, 9},
	} {
		h, err := ParseIPv6(c.b)
		if err != nil {
			t.Fatal(err)
		}
		i, err := h.Extensions()
		if i.Problem != c.problem || i.ProblemPointer != c.pointer {
			t.Errorf("%s: %v at %d, want %v at %d", c.name, i.Problem, i.ProblemPointer, c.problem, c.pointer)
		}
		var p Problem
		if (err != nil) != (c.problem != ProblemNone) || (err != nil && (!errors.As(err, &p) || p != c.problem)) {
			t.Errorf("%s: error %v", c.name, err)
		}
		if code, ok := i.Problem.ParameterProblem(); ok != (c.code >= 0) || (ok && int(code) != c.code) {
			t.Errorf("%s: code %d, %t; want %d", c.name, code, ok, c.code)
		}
	}
}

// RFC 8883 §2.4: a host may bound the chain's length.
func TestExtensionChainTooLongIsRefused(t *testing.T) {
	h := []byte{60, 255}
	for len(h) < 2048 {
		n := min(2048-len(h)-2, 255)
		if left := 2048 - len(h) - 2 - n; left == 1 {
			n-- // a rest of one octet holds no PadN
		}
		h = append(append(h, 1, byte(n)), make([]byte, n)...)
	}
	two, err := IPv6(packet6(60, h, h, options(ProtoUDP), make([]byte, 8))).Extensions()
	if two.Problem != ProblemChainTooLong || two.ProblemPointer != 40+4096 {
		t.Errorf("%v: %+v", err, two)
	}
	h2 := bytes.Clone(h)
	h2[0] = ProtoUDP
	if i, err := IPv6(packet6(60, h, h2, make([]byte, 8))).Extensions(); err != nil || i.Protocol != ProtoUDP {
		t.Errorf("of exactly %d octets: %v", MaxExtensionOctets, err)
	}
}

// RFC 8200 §4: nodes on the way look at the Hop-by-Hop Options header alone.
func TestForwardersLookAtHopByHopOptionsOnly(t *testing.T) {
	i, err := IPv6(packet6(0, options(60), options(ProtoUDP, 0x9e, 0))).HopByHop()
	if err != nil || i.Protocol != 60 || i.Offset != 48 {
		t.Errorf("%v %+v", err, i)
	}
	if i, err = (IPv6(packet6(60, options(ProtoUDP, 0x9e, 0)))).HopByHop(); err != nil || i.Offset != 40 {
		t.Errorf("%v %+v", err, i)
	}
	if _, err = (IPv6(packet6(0, options(ProtoUDP, 0x9e, 0)))).HopByHop(); err != ProblemOption {
		t.Errorf("unknown hop-by-hop option: %v", err)
	}
}

func TestUpperLayerIsFoundWithoutJudgement(t *testing.T) {
	for _, c := range []struct {
		name  string
		b     []byte
		proto uint8
		off   int
		ok    bool
	}{
		{"plain", packet6(ProtoTCP), ProtoTCP, 40, true},
		{"beyond an unknown option", packet6(0, options(ProtoTCP, 0x9e, 0)), ProtoTCP, 48, true},
		{"in a first fragment", packet6(44, fragment(60, 0, true), options(ProtoTCP)), ProtoTCP, 56, true},
		{"not in another fragment", packet6(44, fragment(ProtoTCP, 8, true)), ProtoTCP, 48, false},
		{"cut short", packet6(60, []byte{ProtoTCP, 0}), 60, 40, false},
		{"too many headers", packet6(60, bytes.Repeat(options(60), 30)), 60, 40 + 17*8, false},
	} {
		proto, off, ok := IPv6(c.b).UpperLayer()
		if proto != c.proto || off != c.off || ok != c.ok {
			t.Errorf("%s: %d at %d, %t; want %d at %d, %t", c.name, proto, off, ok, c.proto, c.off, c.ok)
		}
	}
}

// RFC 7112 §5: the first fragment holds the whole chain, the upper-layer header included.
func TestFirstFragmentHoldsTheWholeChain(t *testing.T) {
	tcp := make([]byte, 24)
	PutTCP(tcp, &TCPFields{Options: &TCPOptions{MSS: 1}})
	for _, c := range []struct {
		name string
		b    []byte
		want bool
	}{
		{"TCP with its options", packet6(44, fragment(ProtoTCP, 0, true), tcp), true},
		{"TCP without its options", packet6(44, fragment(ProtoTCP, 0, true), tcp[:20]), false},
		{"TCP cut short", packet6(44, fragment(ProtoTCP, 0, true), tcp[:16]), false},
		{"UDP", packet6(44, fragment(ProtoUDP, 0, true), tcp[:8]), true},
		{"UDP cut short", packet6(44, fragment(ProtoUDP, 0, true), tcp[:7]), false},
		{"ICMPv6 cut short", packet6(44, fragment(ProtoICMPv6, 0, true), tcp[:7]), false},
		{"options cut short", packet6(44, fragment(60, 0, true), []byte{6, 1, 1, 12, 0, 0, 0, 0}), false},
		{"unknown protocol", packet6(44, fragment(253, 0, true)), true},
	} {
		if got := IPv6(c.b).ChainComplete(); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}
