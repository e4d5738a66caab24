package parse

import (
	"fmt"
	"math"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

// tcp reads a segment from its flags on.
func (p *parser) tcp(at ast.Pos, ports *ast.Ports, dir ast.Direction) *ast.TCP {
	t := &ast.TCP{Pos: at, Ports: ports, Flags: p.flags()}
	t.Seq = p.seq()
	p.tcpNumbers(t)
	if p.tok.is('<') {
		p.tcpOptions(t, dir)
	}
	t.Encap = p.encap()
	return t
}

// flags reads a run of flags, or the minus that stands for none.
func (p *parser) flags() string {
	at := p.tok.pos
	if p.tok.is('-') {
		p.advance()
		return "-"
	}
	if p.tok.kind == tokEllipsis || p.tok.kind == tokInt && len(p.tok.text) > 1 {
		p.expected("TCP flags, or - for none")
	}
	text := p.run(func(c byte) bool { return isWord(c) || c == '.' })
	if text == "" {
		p.expected("TCP flags, udp or icmp")
	}
	number, letters := false, false
	for i := range len(text) {
		c := text[i]
		at.Column += min(i, 1)
		if !ast.ValidFlag(c) {
			p.fail(at, "a TCP flag (F S R P . U E W A, or a digit 0 to 7)", fmt.Sprintf("%q", c))
		}
		if number && (isDigit(c) || isECN(c)) || letters && isDigit(c) {
			p.fail(at, "either letters or one digit for the flags of ECN", fmt.Sprintf("%q", c))
		}
		number = number || isDigit(c)
		letters = letters || isECN(c)
	}
	return text
}

func isECN(c byte) bool { return strings.IndexByte("EWCA", c) >= 0 }

// seq reads start:end(len), its ! for an absolute number, or ...(len).
func (p *parser) seq() ast.Seq {
	s := ast.Seq{Pos: p.tok.pos}
	if p.tok.kind == tokEllipsis {
		p.advance()
		s.Any, s.Len = true, p.length()
		return s
	}
	s.Start = uint32(p.number("a sequence number", math.MaxUint32))
	p.punct(':', "between the sequence numbers")
	end := p.tok
	s.End = uint32(p.number("the sequence number of the end", math.MaxUint32))
	s.Len = p.length()
	if want := s.Start + uint32(s.Len); s.End != want {
		p.fail(end.pos, fmt.Sprintf("%d, the end of %d octets from %d", want, s.Len, s.Start), end.describe())
	}
	if p.tok.is('!') {
		p.advance()
		s.Absolute = true
	}
	return s
}

// tcpNumbers reads ack, win and urg. A window of * or ... is one that is not compared.
func (p *parser) tcpNumbers(t *ast.TCP) {
	for {
		m, max, at := &t.Ack, uint64(math.MaxUint32), p.tok
		switch {
		case p.tok.word("ack"):
		case p.tok.word("win"):
			m, max = &t.Win, 0xffff
		case p.tok.word("urg"):
			m, max = &t.Urg, 0xffff
		default:
			return
		}
		if m.Set {
			p.expected("each of ack, win and urg once")
		}
		p.advance()
		if m == &t.Win && (p.tok.is('*') || p.tok.kind == tokEllipsis) {
			p.advance()
			continue
		}
		*m = ast.Just(uint32(p.number("a number for "+at.text, max)))
	}
}
