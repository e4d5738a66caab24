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
	var quoted *ast.Quoted
	if !p.quotedAhead() {
		k.IP = p.ipInfo(k.Direction)
	}
	if p.quotedAhead() {
		if quoted = p.quotedPacket(); !p.tok.word("icmp") {
			p.expected("icmp, whose quoted packet stands before it")
		}
	}
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
		k.ICMP = p.icmp(at, quoted)
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

// raw returns the tokens up to one of some closing characters outside any brackets, parted
// by blanks.
func (p *parser) raw(ends ...byte) string {
	var b strings.Builder
	depth := 0
	for depth > 0 || p.tok.kind != tokPunct || !slices.Contains(ends, p.tok.text[0]) {
		switch {
		case p.tok.kind != tokPunct && !p.tok.plain(), depth == 0 && (p.tok.is('<') || p.tok.is('>')):
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
