package script

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/wire"
)

// icmpKind is a type of ICMP message with the names of its codes.
type icmpKind struct {
	number uint8
	codes  []string // by number; names that mean the same are parted by bars
}

// The names of ICMPv4's types and codes (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1).
var icmp4Kinds = map[string]icmpKind{
	"echo_reply": {0, nil},
	"unreachable": {3, []string{
		"net_unreachable", "host_unreachable", "protocol_unreachable", "port_unreachable", "frag_needed",
		"source_route_failed", "net_unknown", "host_unknown", "source_host_isolated", "net_prohibited", "host_prohibited",
		"net_unreachable_for_tos", "host_unreachable_for_tos", "packet_filtered", "precedence_violation", "precedence_cutoff",
	}},
	"source_quench":        {4, nil},
	"redirect":             {5, nil},
	"echo_request":         {8, nil},
	"time_exceeded":        {11, []string{"ttl_exceeded_in_transit|exceeded_hop_limit", "frag_reass_exceeded|exceeded_frag_time"}},
	"parameter_problem":    {12, nil},
	"timestamp_request":    {13, nil},
	"timestamp_reply":      {14, nil},
	"information_request":  {15, nil},
	"information_reply":    {16, nil},
	"address_mask_request": {17, nil},
	"address_mask_reply":   {18, nil},
}

// The names of ICMPv6's (RFC 4443 §3).
var icmp6Kinds = map[string]icmpKind{
	"unreachable":       {1, []string{"no_route|net_unreachable", "admin_prohibited", "not_neighbour", "address_unreachable", "port_unreachable"}},
	"packet_too_big":    {2, nil},
	"time_exceeded":     {3, []string{"exceeded_hop_limit", "exceeded_frag_time"}},
	"parameter_problem": {4, []string{"header_field", "unknown_next_header", "unknown_option"}},
	"echo_request":      {128, nil},
	"echo_reply":        {129, nil},
}

// icmpNumbers returns the type and the code that a script names.
func icmpNumbers(m *ast.ICMP, v6 bool) (typ, code uint8, err error) {
	kinds, family := icmp4Kinds, "ICMPv4"
	if v6 {
		kinds, family = icmp6Kinds, "ICMPv6"
	}
	kind, ok := kinds[m.Type]
	if !ok {
		n, ok := numbered(m.Type, "type_")
		if !ok {
			return 0, 0, invalidf("%s has no type %q", family, m.Type)
		}
		kind = icmpKind{number: n}
	}
	if m.Code == "" {
		return kind.number, 0, nil
	}
	if n, ok := numbered(m.Code, "code_"); ok {
		return kind.number, n, nil
	}
	for n, names := range kind.codes {
		if slices.Contains(strings.Split(names, "|"), m.Code) {
			return kind.number, uint8(n), nil
		}
	}
	return 0, 0, invalidf("%s %s has no code %q", family, m.Type, m.Code)
}

// numbered reads a number that may stand behind a word, as in type_11.
func numbered(s, word string) (uint8, bool) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, word), 0, 8)
	return uint8(n), err == nil
}

func (p *packet) setICMP(m *ast.ICMP) (err error) {
	p.protocol = wire.ProtoICMP
	if p.is6() {
		p.protocol = wire.ProtoICMPv6
	}
	if p.icmpType, p.icmpCode, err = icmpNumbers(m, p.is6()); err != nil {
		return err
	}
	p.icmpRest = m.MTU.Value
	if m.ID.Set {
		p.icmpRest = m.ID.Value << 16
	}
	q := m.Quoted
	switch {
	case q == nil:
	case q.Encap != nil || q.Kind == ast.QuotedUDPLite || q.Kind == ast.QuotedSCTP:
		return skipf("needs ICMP messages about what is neither TCP nor UDP")
	case q.Kind == ast.QuotedRaw:
		p.payload = make([]byte, max(0, int(q.Len)-8))
	default:
		p.payload = p.quote(q)
	}
	p.setPorts(0, 0)
	return nil
}

// quote returns the packet that the stack is told to have sent: its IP header and eight
// octets of TCP or UDP (RFC 792), sequence number in the script's numbers.
func (p *packet) quote(q *ast.Quoted) []byte {
	be := binary.BigEndian
	proto, header, length := uint8(wire.ProtoTCP), wire.TCPMinHeader, int(q.Seq.Len)
	if q.Kind == ast.QuotedUDP {
		proto, header, length = wire.ProtoUDP, 8, int(q.Len)
	}
	b := p.quotedIP(proto, header+length)
	b = be.AppendUint16(be.AppendUint16(b, p.dst.Port()), p.src.Port())
	if proto == wire.ProtoUDP {
		return be.AppendUint16(be.AppendUint16(b, uint16(8+length)), 0)
	}
	return be.AppendUint32(b, q.Seq.Start)
}

// quotedIP is the header of a packet that goes the other way.
func (p *packet) quotedIP(proto uint8, length int) []byte {
	if p.is6() {
		h := make([]byte, wire.IPv6Header)
		wire.PutIPv6(h, &wire.IPv6Fields{NextHeader: proto, HopLimit: 64, Src: p.dst.Addr(), Dst: p.src.Addr(), PayloadLen: length})
		return h
	}
	h := make([]byte, wire.IPv4MinHeader)
	wire.PutIPv4(h, &wire.IPv4Fields{DontFragment: true, TTL: 64, Protocol: proto, Src: p.dst.Addr(), Dst: p.src.Addr(), PayloadLen: length})
	return h
}
