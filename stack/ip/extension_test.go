package ip

import (
	"net/netip"
	"testing"

	"github.com/weirnet/weir/stack/wire"
)

// ext builds an options header of eight octets.
func ext(next uint8, option ...byte) []byte {
	b := []byte{next, 0, 1, 4, 0, 0, 0, 0}
	if len(option) > 0 {
		copy(b[2:], make([]byte, 6))
		copy(b[2:], option)
	}
	return b
}

// fragHeader builds a fragment header.
func fragHeader(next uint8, off int, more bool, id uint32) []byte {
	b := make([]byte, 8)
	wire.PutIPv6Fragment(b, next, off, more, id)
	return b
}

// RFC 8200 §4: the chain is walked to the upper-layer header.
func TestExtensionHeadersAreWalked(t *testing.T) {
	const hop, route, frag, dest, udp = wire.ProtoHopByHop, wire.ProtoRouting, wire.ProtoFragment, wire.ProtoDestination, wire.ProtoUDP
	upper := octets(16)
	done := []byte{udp, 0, 99, 0, 0, 0, 0, 0} // unknown routing type, no segments left
	tests := []struct {
		name    string
		next    uint8
		body    []byte
		headers int
		proto   uint8
	}{
		{"none", udp, upper, 0, udp},
		{"hop-by-hop", hop, join(ext(udp), upper), 8, udp},
		{"hop-by-hop and destination", hop, join(ext(dest), ext(udp), upper), 16, udp},
		{"routing, done (§4.4)", route, join(done, upper), 8, udp},
		{"atomic fragment (RFC 6946)", frag, join(fragHeader(udp, 0, false, 1), upper), 8, udp},
		{"option to skip (§4.2, action 00)", dest, join(ext(udp, 0x1e, 4), upper), 8, udp},
		{"no next header (§4.7)", wire.ProtoNoNext, upper, 0, wire.ProtoNoNext},
		{"unknown protocol is the upper layer", 200, upper, 0, 200},
	}
	for _, tt := range tests {
		p := mustParse(t, packet6(tt.next, tt.body, nil))
		if d := p.CheckLocal(); d != DropNone {
			t.Errorf("%s: CheckLocal = %v", tt.name, d)
		}
		if len(p.Header) != 40+tt.headers || p.Protocol != tt.proto || p.Fragment ||
			p.Header[p.ProtocolOffset] != tt.proto || len(p.Payload) != len(upper) {
			t.Errorf("%s: header %d, protocol %d at %d, payload %d", tt.name, len(p.Header), p.Protocol, p.ProtocolOffset, len(p.Payload))
		}
	}
}

// RFC 8200 §4, §4.2, §4.4: what a packet's destination refuses, and what it says. A node on
// the way does not look, but for the hop-by-hop options.
func TestExtensionProblems(t *testing.T) {
	const hop, route, frag, dest, udp = wire.ProtoHopByHop, wire.ProtoRouting, wire.ProtoFragment, wire.ProtoDestination, wire.ProtoUDP
	upper := octets(16)
	segments := []byte{udp, 0, 0, 1, 0, 0, 0, 0}
	tests := []struct {
		name  string
		next  uint8
		body  []byte
		parse Drop
		local Drop
		kind  ProblemKind
		code  uint8
		at    uint32
	}{
		{"hop-by-hop, discard (01)", hop, join(ext(udp, 0x41, 0), upper), DropExtension, DropExtension, ProblemSilent, 0, 42},
		{"hop-by-hop, report (10)", hop, join(ext(udp, 0x81, 0), upper), DropExtension, DropExtension, ProblemReport, 2, 42},
		{"hop-by-hop, report unicast (11)", hop, join(ext(udp, 0xc2, 4), upper), DropExtension, DropExtension, ProblemReportUnicast, 2, 42},
		{"hop-by-hop, cut short", hop, ext(udp)[:4], DropExtension, DropExtension, ProblemSilent, 0, 40},
		{"destination, discard (01)", dest, join(ext(udp, 0x41, 0), upper), DropNone, DropExtension, ProblemSilent, 0, 42},
		{"destination, report (10)", dest, join(ext(udp, 0x81, 0), upper), DropNone, DropExtension, ProblemReport, 2, 42},
		{"destination, report unicast (11)", dest, join(ext(udp, 0xc9, 4), upper), DropNone, DropExtension, ProblemReportUnicast, 2, 42},
		{"option past its header", dest, join(ext(udp, 0x1e, 5), upper), DropNone, DropExtension, ProblemReportUnicast, 0, 43},
		{"hop-by-hop in second place (§4)", dest, join(ext(hop), ext(udp), upper), DropNone, DropExtension, ProblemReportUnicast, 1, 40},
		{"routing with segments left (§4.4, RFC 5095)", route, join(segments, upper), DropNone, DropExtension, ProblemReportUnicast, 0, 42},
		{"cut short", dest, []byte{udp, 9, 0, 0, 0, 0, 0, 0}, DropNone, DropExtension, ProblemSilent, 0, 40},
		{"first fragment without its chain (RFC 7112)", frag, join(fragHeader(dest, 0, true, 1), []byte{udp, 1, 0, 0, 0, 0, 0, 0}), DropNone, DropFragmentChain, ProblemReportUnicast, 3, 0},
		{"first fragment without its UDP header", frag, join(fragHeader(dest, 0, true, 1), ext(udp)), DropNone, DropFragmentChain, ProblemReportUnicast, 3, 0},
		{"fragment header in a fragment", frag, join(fragHeader(frag, 0, true, 1), fragHeader(udp, 0, true, 2), upper), DropNone, DropExtension, ProblemSilent, 0, 48},
	}
	for _, tt := range tests {
		var p Packet
		if d := Parse(frame(packet6(tt.next, tt.body, nil)), &p); d != tt.parse {
			t.Errorf("%s: Parse = %v, want %v", tt.name, d, tt.parse)
		}
		if d := p.CheckLocal(); d != tt.local {
			t.Errorf("%s: CheckLocal = %v, want %v", tt.name, d, tt.local)
		}
		if q := p.Problem; q.Kind != tt.kind || q.Code != tt.code || q.Pointer != tt.at {
			t.Errorf("%s: problem %d code %d at %d, want %d code %d at %d", tt.name, q.Kind, q.Code, q.Pointer, tt.kind, tt.code, tt.at)
		}
		if p.Len() != p.Frame.Len() {
			t.Errorf("%s: header and payload are %d octets of %d", tt.name, p.Len(), p.Frame.Len())
		}
	}
}

// A packet that its destination refuses offers no payload to any protocol by mistake.
func TestProblemPacketHasNoUpperLayer(t *testing.T) {
	p := mustParse(t, packet6(wire.ProtoDestination, join(ext(wire.ProtoUDP, 0x41, 0), octets(8)), nil))
	if p.Protocol != wire.ProtoNoNext {
		t.Errorf("protocol %d, want %d", p.Protocol, wire.ProtoNoNext)
	}
}

func TestIPv6FragmentIsRead(t *testing.T) {
	body := join(ext(wire.ProtoFragment), fragHeader(wire.ProtoUDP, 1480, true, 0xdeadbeef), octets(16))
	p := mustParse(t, packet6(wire.ProtoHopByHop, body, nil))
	if !p.Fragment || !p.MoreFragments || p.FragOffset != 1480 || p.FragID != 0xdeadbeef ||
		len(p.Header) != 56 || len(p.Payload) != 16 || p.Protocol != wire.ProtoUDP {
		t.Errorf("%+v", p)
	}
}

func TestDirectedBroadcast(t *testing.T) {
	for _, tt := range []struct{ prefix, want string }{
		{"192.0.2.1/24", "192.0.2.255"}, {"10.1.2.3/9", "10.127.255.255"}, {"192.0.2.1/30", "192.0.2.3"},
		{"192.0.2.1/31", ""}, {"192.0.2.1/32", ""}, {"2001:db8::1/64", ""}, {"192.0.2.1/0", "255.255.255.255"},
	} {
		got, ok := Broadcast(netip.MustParsePrefix(tt.prefix))
		if ok != (tt.want != "") || ok && got.String() != tt.want {
			t.Errorf("Broadcast(%s) = %v %v, want %q", tt.prefix, got, ok, tt.want)
		}
	}
}
