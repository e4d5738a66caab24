package parse

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

// packet reads a packet from its direction on.
func (p *parser) packet() *ast.Packet {
	k := &ast.Packet{Pos: p.tok.pos, Direction: ast.In}
	if p.tok.is('>') {
		k.Direction = ast.Out
	}
	p.advance()
	k.Path = p.path()
	k.Layers = p.layers(k.Direction)
	k.IP = p.ipInfo(k.Direction)
	at := p.tok.pos
	ports := p.ports()
	switch {
	case p.tok.word("sctp"):
		k.Unsupported = p.sctp(at, ports)
	case ports == nil && p.tok.word("udp"):
		k.UDP = p.udp(at)
	case ports == nil && p.tok.word("udplite"):
		k.Unsupported = p.udplite(at)
	case ports == nil && p.tok.word("icmp"):
		k.ICMP = p.icmp(at)
	default:
		k.TCP = p.tcp(at, ports, k.Direction)
	}
	if p.tok.is('{') {
		p.advance()
		k.Fuzz = p.raw('}')
		p.punct('}', "after the fields to damage")
		if k.Fuzz == "" {
			p.expected("what to damage, before the }")
		}
	}
	return k
}

// path reads Multipath TCP's addresses, addr[a] > addr[b], of which either may be left out.
func (p *parser) path() string {
	var ends [2]string
	for i := range ends {
		if p.tok.word("addr") {
			p.advance()
			p.punct('[', "before the name of an address")
			ends[i] = "addr[" + p.raw(']') + "]"
			p.punct(']', "after the name of an address")
		}
		if i == 0 && !p.tok.is('>') {
			return ends[0]
		}
		if i == 0 {
			p.advance()
		}
	}
	return strings.TrimSpace(ends[0] + " > " + ends[1])
}

// ports reads a > b, if a number followed by > is at hand.
func (p *parser) ports() *ast.Ports {
	if p.tok.kind != tokInt {
		return nil
	}
	m := p.mark()
	if p.advance(); !p.tok.is('>') {
		p.reset(m)
		return nil
	}
	p.reset(m)
	return p.portPair()
}

func (p *parser) portPair() *ast.Ports {
	ports := &ast.Ports{Pos: p.tok.pos}
	ports.Src = uint16(p.number("a source port", 0xffff))
	p.punct('>', "between two ports")
	ports.Dst = uint16(p.number("a destination port", 0xffff))
	return ports
}

// encap reads nplab's /udp(a > b), if it is at hand.
func (p *parser) encap() *ast.Ports {
	if !p.tok.is('/') {
		return nil
	}
	p.advance()
	if !p.tok.word("udp") {
		p.expected("udp, the only wrapping after a slash")
	}
	p.advance()
	p.punct('(', "before the ports")
	ports := p.portPair()
	p.punct(')', "after the ports")
	return ports
}

func (p *parser) udp(at ast.Pos) *ast.UDP {
	p.advance()
	u := &ast.UDP{Pos: at, Ports: p.ports()}
	u.Len = p.length()
	return u
}

// length reads (n).
func (p *parser) length() uint16 {
	p.punct('(', "before the length")
	n := uint16(p.number("a length", 0xffff))
	p.punct(')', "after the length")
	return n
}

func (p *parser) udplite(at ast.Pos) *ast.Unsupported {
	p.advance()
	text := "udplite"
	if ports := p.ports(); ports != nil {
		text += " " + ports.String()
	}
	n, coverage := p.lengthAndCoverage()
	return &ast.Unsupported{Pos: at, Protocol: "udplite", Text: fmt.Sprintf("%s (%d, %d)", text, n, coverage)}
}

func (p *parser) lengthAndCoverage() (n, coverage uint16) {
	p.punct('(', "before the length")
	n = uint16(p.number("a length", 0xffff))
	p.punct(',', "after the length")
	coverage = uint16(p.number("the coverage of the checksum", 0xffff))
	p.punct(')', "after the coverage of the checksum")
	return n, coverage
}

// sctp reads an SCTP packet's text: a header, a colon, and chunks parted by semicolons.
func (p *parser) sctp(at ast.Pos, ports *ast.Ports) *ast.Unsupported {
	var b strings.Builder
	if ports != nil {
		b.WriteString(ports.String() + " ")
	}
	b.WriteString(p.raw(':') + ":")
	p.punct(':', "after the SCTP header")
	for p.tok.kind == tokWord || p.tok.is('[') {
		if chunk := p.raw('['); chunk != "" {
			b.WriteString(" " + chunk)
		}
		p.punct('[', "before the fields of a chunk")
		b.WriteString(" [ " + p.raw(']') + " ]")
		p.punct(']', "after the fields of a chunk")
		if !p.tok.is(';') {
			break
		}
		p.advance()
		b.WriteString(" ;")
		if p.tok.kind != tokWord {
			p.expected("a chunk after the semicolon")
		}
	}
	return &ast.Unsupported{Pos: at, Protocol: "sctp", Text: b.String()}
}

func (p *parser) icmp(at ast.Pos) *ast.ICMP {
	p.advance()
	m := &ast.ICMP{Pos: at}
	if m.Type = p.icmpName(); m.Type == "" {
		p.expected("the type of an ICMP message")
	}
	m.Code = p.icmpName()
	if p.tok.word("mtu") {
		m.MTU = ast.Just(uint32(p.named("mtu", 0xffffffff)))
	}
	if p.tok.word("id") {
		m.ID = ast.Just(uint32(p.named("id", 0xffff)))
	}
	if p.tok.is('[') {
		m.Quoted = p.quotedPacket()
	}
	return m
}

// icmpName reads a type or a code, if one is at hand.
func (p *parser) icmpName() string {
	if p.tok.kind != tokWord || p.tok.text == "mtu" || p.tok.text == "id" {
		return ""
	}
	name := p.tok.text
	p.advance()
	return name
}

// quotedPacket reads the brackets behind an ICMP message.
func (p *parser) quotedPacket() *ast.Quoted {
	q := &ast.Quoted{Pos: p.tok.pos}
	p.advance()
	word := p.tok.text
	switch {
	case p.tok.word("udp"), p.tok.word("raw"):
		q.Kind = ast.QuotedUDP
		if word == "raw" {
			q.Kind = ast.QuotedRaw
		}
		p.advance()
		q.Len = p.length()
	case p.tok.word("udplite"):
		p.advance()
		q.Kind = ast.QuotedUDPLite
		q.Len, q.Coverage = p.lengthAndCoverage()
	case p.tok.word("sctp"):
		p.advance()
		q.Kind = ast.QuotedSCTP
		p.punct('(', "before the verification tag")
		q.Tag = uint32(p.number("a verification tag", 0xffffffff))
		p.punct(')', "after the verification tag")
		q.Encap = p.encap()
	default:
		q.Seq = p.seq()
		q.Encap = p.encap()
	}
	p.punct(']', "after the quoted packet")
	return q
}

// raw returns the tokens up to one of some closing characters outside any brackets, parted
// by blanks.
func (p *parser) raw(ends ...byte) string {
	var b strings.Builder
	depth := 0
	for depth > 0 || p.tok.kind != tokPunct || !slices.Contains(ends, p.tok.text[0]) {
		switch {
		case p.tok.kind == tokEOF || p.tok.kind == tokBad || p.tok.kind == tokIfdef || p.tok.kind == tokEndif:
			p.expected(fmt.Sprintf("%q", ends[0]))
		case p.tok.is('(') || p.tok.is('[') || p.tok.is('{'):
			depth++
		case depth > 0 && (p.tok.is(')') || p.tok.is(']') || p.tok.is('}')):
			depth--
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(p.lex.src[p.tok.start:p.tok.end])
		p.advance()
	}
	return b.String()
}
