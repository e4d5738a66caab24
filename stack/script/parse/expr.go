package parse

import (
	"fmt"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

// mode says what may stand in an expression beside the usual.
type mode uint8

const (
	anywhere mode = iota // within brackets: every operator
	member               // a structure's member: = is not an operator
	atResult             // a call's result: | alone, for + and * begin the next event
)

// expr reads an expression.
func (p *parser) expr(m mode) ast.Expr {
	p.deeper()
	defer p.shallower()
	operators := 0
	x := p.binary(m, 1, &operators)
	if s, ok := x.(*ast.Symbol); ok && m == anywhere && p.tok.is('=') {
		p.advance()
		return &ast.Binary{Pos: s.Pos, Op: "=", X: s, Y: p.expr(m)}
	}
	return x
}

func (p *parser) deeper() {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.tok.pos, fmt.Sprintf("expressions nested at most %d deep", maxDepth), "one more")
	}
}

func (p *parser) shallower() { p.depth-- }

func (p *parser) result() ast.Expr { return p.expr(atResult) }

// list reads expressions up to a closing bracket, which it reads too.
func (p *parser) list(closing byte, what string) (list []ast.Expr) {
	if p.tok.is(closing) {
		p.advance()
		return nil
	}
	for {
		list = append(list, p.expr(anywhere))
		if !p.tok.is(',') {
			break
		}
		p.advance()
	}
	p.punct(closing, "or a comma in "+what)
	return list
}

var precedence = map[string]int{"|": 1, "^": 2, "&": 3, "<<": 4, ">>": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6}

// operator returns the operator at hand and how tightly it binds, or 0.
func (p *parser) operator(m mode) (string, int) {
	if p.tok.kind != tokPunct {
		return "", 0
	}
	op := p.tok.text
	if (op == "<" || op == ">") && p.lex.at(p.tok.end) == op[0] {
		op += op
	}
	if m == atResult && op != "|" {
		return "", 0
	}
	return op, precedence[op]
}

func (p *parser) binary(m mode, tightest int, operators *int) ast.Expr {
	x := p.unary(m)
	for {
		op, binds := p.operator(m)
		if binds == 0 || binds < tightest {
			return x
		}
		if *operators++; *operators > maxOperators {
			p.fail(p.tok.pos, fmt.Sprintf("at most %d operators in an expression", maxOperators), "one more")
		}
		for range len(op) {
			p.advance()
		}
		x = &ast.Binary{Pos: x.At(), Op: op, X: x, Y: p.binary(m, binds+1, operators)}
	}
}

func (p *parser) unary(m mode) ast.Expr {
	at := p.tok
	if !at.is('-') && !at.is('~') && !at.is('!') {
		return p.primary(m)
	}
	p.advance()
	if at.is('-') && (p.tok.kind == tokInt || p.tok.kind == tokFloat) {
		return p.literal(at.pos, true)
	}
	p.deeper()
	defer p.shallower()
	x := p.unary(m)
	if at.is('-') {
		switch x := x.(type) { // as - -5: a number keeps its sign to itself
		case *ast.Int:
			if !x.Hex {
				return &ast.Int{Pos: at.pos, Value: -x.Value}
			}
		case *ast.Float:
			return &ast.Float{Pos: at.pos, Value: -x.Value}
		}
	}
	return &ast.Unary{Pos: at.pos, Op: at.text, X: x}
}

func (p *parser) primary(m mode) ast.Expr {
	at := p.tok
	switch {
	case at.kind == tokInt || at.kind == tokHex || at.kind == tokFloat:
		return p.literal(at.pos, false)
	case at.kind == tokEllipsis:
		p.advance()
		return &ast.Ellipsis{Pos: at.pos}
	case at.kind == tokString:
		return p.stringExpr()
	case at.kind == tokWord:
		return p.name(m)
	case at.is('['):
		p.advance()
		return &ast.List{Pos: at.pos, Elems: p.list(']', "the list")}
	case at.is('{'):
		return p.structure()
	case at.is('('):
		return p.paren(m)
	}
	p.expected("an expression")
	return nil
}

// stringExpr reads a string, its neighbours, and the dots that leave its end open.
func (p *parser) stringExpr() ast.Expr {
	s := &ast.String{Pos: p.tok.pos}
	var b strings.Builder
	for p.tok.kind == tokString {
		b.WriteString(p.unescape(p.tok))
		p.advance()
	}
	s.Value = b.String()
	if p.tok.kind == tokEllipsis {
		p.advance()
		s.Open = true
	}
	return s
}

// calls is the functions that a result may call; another name before a parenthesis there is
// a constant and the remark behind it.
var calls = map[string]bool{"htons": true, "htonl": true, "ntohs": true, "ntohl": true, "inet_addr": true,
	"inet6_addr": true, "inet_pton": true, "sizeof": true}

// name reads a symbol or a call.
func (p *parser) name(m mode) ast.Expr {
	at := p.tok
	p.advance()
	if !p.tok.is('(') || m == atResult && !calls[at.text] {
		return &ast.Symbol{Pos: at.pos, Name: at.text, Value: p.define(at)}
	}
	p.advance()
	return &ast.Call{Pos: at.pos, Name: at.text, Args: p.list(')', "the arguments of "+at.text)}
}

// define returns what the script's --define gives a word, or nil.
func (p *parser) define(at token) ast.Expr {
	o := p.defines[at.text]
	if o == nil || o.Quote == '`' {
		return nil
	}
	if o.Quote == '"' {
		return &ast.String{Pos: o.Pos, Value: o.Value}
	}
	l := lexer{name: p.lex.name, src: strings.TrimPrefix(o.Value, "-"), line: 1}
	t := l.next()
	v, ok := parseUint(t)
	if (t.kind != tokInt && t.kind != tokHex) || t.end != len(l.src) || !ok {
		return &ast.Symbol{Pos: o.Pos, Name: o.Value}
	}
	if len(l.src) < len(o.Value) {
		v = -v
	}
	return &ast.Int{Pos: o.Pos, Value: int64(v), Hex: t.kind == tokHex}
}

// paren reads an expression in parentheses, or a cast.
func (p *parser) paren(m mode) ast.Expr {
	at := p.tok.pos
	p.advance()
	start := p.mark()
	var words []string
	for p.tok.kind == tokWord || len(words) > 0 && p.tok.is('*') {
		words = append(words, p.tok.text)
		p.advance()
	}
	if p.tok.is(')') && len(words) > 0 && m != atResult {
		if p.advance(); p.operand() {
			p.deeper()
			defer p.shallower()
			x := p.unary(m)
			return &ast.Cast{Pos: at, Type: strings.Join(words, " "), X: x}
		}
	}
	p.reset(start)
	x := p.expr(anywhere)
	p.punct(')', "after the expression")
	return &ast.Paren{Pos: at, X: x}
}

// operand reports whether the token at hand begins an operand and is no operator.
func (p *parser) operand() bool {
	switch p.tok.kind {
	case tokWord, tokInt, tokHex, tokFloat, tokString, tokEllipsis:
		return true
	}
	return p.tok.is('(') || p.tok.is('[') || p.tok.is('{') || p.tok.is('~') || p.tok.is('!')
}
