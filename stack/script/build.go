package script

import (
	"encoding/binary"
	"net/netip"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/wire"
)

// scriptTTL is the hop limit of a packet in whose script says none: the most, so that GTSM
// (RFC 5082) never is in the way.
const scriptTTL = 255

// The option kinds that packet scripts have beyond those of package wire
// (IANA "TCP Option Kind Numbers"; RFC 6994 for the experimental one).
const (
	optMD5          = 19
	optFastOpen     = 34
	optAccECN0      = 172
	optAccECN1      = 174
	optExperimental = 254
	magicFastOpen   = 0xf989
)

// fromScript makes a packet of what a script says, in the script's numbers, between the ends
// src and dst. Ports that the script names stand in place of theirs.
func fromScript(a *ast.Packet, src, dst netip.AddrPort) (*packet, error) {
	p := &packet{src: src, dst: dst, ttl: scriptTTL}
	p.setIP(&a.IP)
	switch {
	case a.TCP != nil:
		return p, p.setTCP(a.TCP)
	case a.UDP != nil:
		p.protocol = wire.ProtoUDP
		p.override(a.UDP.Ports)
		p.payload = make([]byte, a.UDP.Len)
		p.udpLength = uint16(len(p.payload) + 8)
		return p, nil
	case a.ICMP != nil:
		return p, p.setICMP(a.ICMP)
	}
	return nil, skipf("needs packets that are neither TCP, UDP nor ICMP")
}

func (p *packet) setIP(ip *ast.IP) {
	switch {
	case ip.TOS.Set:
		p.tos = uint8(ip.TOS.Value)
	case ip.DSCP.Set:
		p.tos = uint8(ip.DSCP.Value << 2)
	}
	p.tos |= ecnBits(ip.ECN)
	p.flow = ip.FlowLabel.Value
	if ip.TTL.Set {
		p.ttl = uint8(ip.TTL.Value)
	}
}

func ecnBits(e ast.ECN) uint8 {
	switch e {
	case ast.ECT0:
		return 2
	case ast.ECT1:
		return 1
	case ast.CE:
		return 3
	}
	return 0
}

// override sets the ports that a script names; 0 names none.
func (p *packet) override(ports *ast.Ports) {
	if ports == nil {
		return
	}
	src, dst := p.src.Port(), p.dst.Port()
	if ports.Src != 0 {
		src = ports.Src
	}
	if ports.Dst != 0 {
		dst = ports.Dst
	}
	p.setPorts(src, dst)
}

func (p *packet) setTCP(t *ast.TCP) error {
	p.protocol = wire.ProtoTCP
	p.override(t.Ports)
	p.flags = wire.TCPFlags(t.Bits())
	p.seq, p.ack = t.Seq.Start, t.Ack.Value
	p.window, p.urgent = uint16(t.Win.Value), uint16(t.Urg.Value)
	p.payload = make([]byte, t.Seq.Len)
	n := 0
	for _, o := range t.Options {
		x, err := tcpOption(&o)
		if err != nil {
			return err
		}
		p.options = append(p.options, x)
		n += x.size()
	}
	if n%4 != 0 || n > wire.TCPMaxOptions {
		return invalidf("the TCP options take %d octets; it must be a multiple of 4 and at most %d (add nop or eol)", n, wire.TCPMaxOptions)
	}
	return nil
}

// size returns how many octets the option takes.
func (o option) size() int {
	if o.kind == wire.TCPOptionNop || o.kind == wire.TCPOptionEnd {
		return 1
	}
	return 2 + len(o.data)
}

func tcpOption(o *ast.TCPOption) (option, error) {
	be := binary.BigEndian
	switch o.Kind {
	case ast.OptNOP:
		return option{kind: wire.TCPOptionNop}, nil
	case ast.OptEOL:
		return option{kind: wire.TCPOptionEnd}, nil
	case ast.OptMSS:
		return option{kind: wire.TCPOptionMSS, data: be.AppendUint16(nil, uint16(o.Value.Value))}, nil
	case ast.OptWScale:
		return option{kind: wire.TCPOptionWindowScale, data: []byte{byte(o.Value.Value)}}, nil
	case ast.OptSACKOK:
		return option{kind: wire.TCPOptionSACKPermitted}, nil
	case ast.OptSACK:
		var b []byte
		for _, s := range o.Blocks {
			b = be.AppendUint32(be.AppendUint32(b, s.Left), s.Right)
		}
		return option{kind: wire.TCPOptionSACK, data: b}, nil
	case ast.OptTS:
		return option{kind: wire.TCPOptionTimestamps, data: be.AppendUint32(be.AppendUint32(nil, o.Val), o.Ecr)}, nil
	case ast.OptFO:
		return option{kind: optFastOpen, data: o.Data}, nil
	case ast.OptFOEXP:
		return option{kind: optExperimental, data: append(be.AppendUint16(nil, magicFastOpen), o.Data...)}, nil
	case ast.OptMD5:
		return option{kind: optMD5, data: o.Data}, nil
	}
	return option{}, skipf("needs the TCP option %s", o.Kind)
}

// encode returns the packet's octets with all checksums.
func (p *packet) encode() []byte {
	t := p.encodeTransport()
	var h []byte
	if p.is6() {
		h = make([]byte, wire.IPv6Header)
		wire.PutIPv6(h, &wire.IPv6Fields{
			TrafficClass: p.tos, FlowLabel: p.flow, NextHeader: p.protocol, HopLimit: p.ttl,
			Src: p.src.Addr(), Dst: p.dst.Addr(), PayloadLen: len(t),
		})
	} else {
		h = make([]byte, wire.IPv4MinHeader)
		wire.PutIPv4(h, &wire.IPv4Fields{
			TOS: p.tos, DontFragment: false, TTL: p.ttl, Protocol: p.protocol,
			Src: p.src.Addr(), Dst: p.dst.Addr(), PayloadLen: len(t),
		})
	}
	return append(h, t...)
}

func (p *packet) encodeTransport() []byte {
	be := binary.BigEndian
	src, dst := p.src.Addr(), p.dst.Addr()
	switch p.protocol {
	case wire.ProtoTCP:
		t := wire.TCP(p.tcpHeader())
		t = append(t, p.payload...)
		t.UpdateChecksum(src, dst)
		return t
	case wire.ProtoUDP:
		t := be.AppendUint16(be.AppendUint16(nil, p.src.Port()), p.dst.Port())
		t = be.AppendUint16(t, p.udpLength)
		t = append(append(t, 0, 0), p.payload...)
		sum := ^wire.Sum(t, wire.PseudoHeaderSum(wire.ProtoUDP, src, dst, len(t)))
		if sum == 0 { // RFC 768: zero says that there is none
			sum = 0xffff
		}
		be.PutUint16(t[6:], sum)
		return t
	default:
		t := be.AppendUint32([]byte{p.icmpType, p.icmpCode, 0, 0}, p.icmpRest)
		t = append(t, p.payload...)
		if p.is6() {
			wire.ICMPv6(t).UpdateChecksum(src, dst)
		} else {
			wire.ICMPv4(t).UpdateChecksum()
		}
		return t
	}
}

func (p *packet) tcpHeader() []byte {
	be := binary.BigEndian
	t := be.AppendUint16(be.AppendUint16(nil, p.src.Port()), p.dst.Port())
	t = be.AppendUint32(be.AppendUint32(t, p.seq), p.ack)
	n := wire.TCPMinHeader
	for _, o := range p.options {
		n += o.size()
	}
	t = be.AppendUint16(t, uint16(n/4)<<12|uint16(p.flags))
	t = be.AppendUint16(t, p.window)
	t = be.AppendUint16(append(t, 0, 0), p.urgent)
	for _, o := range p.options {
		t = append(t, o.kind)
		if o.size() > 1 {
			t = append(append(t, byte(o.size())), o.data...)
		}
	}
	return t
}
