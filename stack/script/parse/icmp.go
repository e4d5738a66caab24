package parse

import "github.com/weirnet/weir/stack/script/ast"

// quotedAhead reports whether the packet that an ICMP message quotes stands before the
// message, as the older of nplab's scripts have it.
func (p *parser) quotedAhead() bool {
	if !p.tok.is('[') {
		return false
	}
	m := p.mark()
	defer p.reset(m)
	p.advance()
	return p.tok.kind == tokInt || p.tok.word("udp") || p.tok.word("sctp") || p.tok.word("udplite")
}

// icmp reads a message, of which the quoted packet may have been read already.
func (p *parser) icmp(at ast.Pos, quoted *ast.Quoted) *ast.ICMP {
	p.advance()
	m := &ast.ICMP{Pos: at, Quoted: quoted}
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
	if p.tok.is('[') && quoted == nil {
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
