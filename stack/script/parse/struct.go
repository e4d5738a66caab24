package parse

import (
	"fmt"

	"github.com/weirnet/weir/stack/script/ast"
)

// structure reads {…}.
func (p *parser) structure() ast.Expr {
	s := &ast.Struct{Pos: p.tok.pos}
	p.advance()
	if p.headerText() {
		at := p.tok.pos
		s.Fields = []ast.Field{{Pos: at, Value: &ast.Raw{Pos: at, Text: p.raw('}')}}}
	}
	for !p.tok.is('}') {
		s.Fields = append(s.Fields, p.field())
		if !p.tok.is(',') {
			break
		}
		p.advance()
		if p.tok.is('}') {
			p.expected("another member after the comma")
		}
	}
	p.punct('}', "or a comma in the structure")
	return s
}

// headerText reports whether the structure is an MPLS stack or a GRE header, which are
// written as packets write them.
func (p *parser) headerText() bool {
	m := p.mark()
	defer p.reset(m)
	switch {
	case p.tok.is('('):
		p.advance()
		return p.tok.word("label")
	case p.tok.word("flags"), p.tok.word("Flags"):
		p.advance()
		return p.tok.is('[') || p.tok.kind == tokInt || p.tok.kind == tokHex
	}
	return false
}

// field reads a member: name=value, name(count)=value, or a value.
func (p *parser) field() ast.Field {
	f := ast.Field{Pos: p.tok.pos}
	x := p.expr(member)
	if !p.tok.is('=') {
		f.Value = x
		return f
	}
	switch x := x.(type) {
	case *ast.Symbol:
		f.Name = x.Name
	case *ast.Call:
		if f.Name = x.Name; len(x.Args) == 1 {
			f.Count = x.Args[0]
			break
		}
		p.fail(x.Pos, "one number in parentheses after "+x.Name, fmt.Sprintf("%d", len(x.Args)))
	default:
		p.expected("} or a comma in the structure")
	}
	p.advance()
	f.Value = p.expr(member)
	return f
}
