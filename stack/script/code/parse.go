package code

import (
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

const (
	maxDepth     = 64   // of nested expressions and suites
	maxOperators = 1024 // in one expression
)

type parser struct {
	lex    lexer
	tok    token
	last   int // the end of the token before the one at hand
	depth  int
	nested int // of depth, how much is expressions
	count  int // of operators in the expression at hand
}

// Parse reads a block that stands at a place of a file. The error is an *Error.
func Parse(file string, at ast.Pos, src string) (p *Program, err error) {
	defer rescue(file, &err)
	r := &parser{lex: lexer{src: src, pos: at, first: true}}
	r.advance()
	prog := &Program{File: file}
	prog.statements = r.block(-1)
	if r.tok.kind != tokEnd {
		r.unexpected("a statement")
	}
	return prog, nil
}

func (p *parser) advance() {
	p.last = p.tok.end
	p.tok = p.lex.next()
}

func (p *parser) op(text string) bool { return p.tok.kind == tokOp && p.tok.text == text }

func (p *parser) keyword(text string) bool { return p.tok.kind == tokName && p.tok.text == text }

func (p *parser) unexpected(want string) {
	switch {
	case p.tok.kind == tokEnd:
		fail(p.tok.pos, Syntax, "expected %s, found the end of the block", want)
	case p.tok.kind == tokNewline:
		fail(p.tok.pos, Syntax, "expected %s, found the end of the line", want)
	}
	fail(p.tok.pos, Syntax, "expected %s, found %q", want, p.lex.src[p.tok.start:min(p.tok.end, p.tok.start+24)])
}

// expect reads an operator.
func (p *parser) expect(text, after string) {
	if !p.op(text) {
		p.unexpected("\"" + text + "\" " + after)
	}
	p.advance()
}

func (p *parser) deeper() {
	if p.depth++; p.depth > maxDepth {
		fail(p.tok.pos, Limit, "nested more than %d deep", maxDepth)
	}
}

// block reads the statements of one indentation, or with -1 those of any.
func (p *parser) block(indent int) (list []statement) {
	p.deeper()
	defer func() { p.depth-- }()
	for {
		for p.tok.kind == tokNewline || p.op(";") {
			p.advance()
		}
		if p.tok.kind == tokEnd || p.tok.first && indent >= 0 && p.tok.indent < indent {
			return list
		}
		if p.tok.first && indent >= 0 && p.tok.indent > indent {
			fail(p.tok.pos, Syntax, "a line is indented more than the one above it")
		}
		list = append(list, p.statement()...)
		if p.tok.kind != tokEnd && p.tok.kind != tokNewline && !p.op(";") && !p.tok.first {
			p.unexpected("the end of the statement")
		}
	}
}

// suite reads what stands behind a colon: statements on the same line, or a deeper block.
func (p *parser) suite(outer int) []statement {
	p.expect(":", "before a suite")
	if p.tok.kind == tokNewline {
		for p.tok.kind == tokNewline {
			p.advance()
		}
		if p.tok.kind == tokEnd || p.tok.indent <= outer {
			p.unexpected("an indented suite")
		}
		return p.block(p.tok.indent)
	}
	list := p.statement()
	for p.op(";") {
		if p.advance(); p.tok.kind == tokNewline || p.tok.kind == tokEnd {
			break
		}
		list = append(list, p.statement()...)
	}
	return list
}

// constructs is what Python begins a statement with and this package does not know.
var constructs = strings.Fields("async await break class continue def del exec for from global import lambda nonlocal raise return try while with yield")

// statement reads one statement; those without effect give none.
func (p *parser) statement() []statement {
	at := p.tok
	if at.kind != tokName {
		p.unexpected("a statement")
	}
	if contains(constructs, at.text) {
		fail(at.pos, Syntax, "%s statements are not understood, only assert, assignments, if and print", at.text)
	}
	if at.text != "assert" && at.text != "if" && contains(reserved, at.text) {
		fail(at.pos, Syntax, "%s does not begin a statement here", at.text)
	}
	p.advance()
	switch at.text {
	case "assert":
		return []statement{p.assertion(at)}
	case "if":
		return []statement{p.conditional(at)}
	case "pass":
		return nil
	case "print":
		p.skip()
		return nil
	}
	return []statement{p.assignment(at)}
}

// skip passes over the rest of a statement that has no effect.
func (p *parser) skip() {
	for p.tok.kind != tokEnd && p.tok.kind != tokNewline && !p.op(";") {
		p.advance()
	}
}

func (p *parser) assertion(at token) statement {
	s := statement{pos: at.pos, verb: "assert"}
	start := p.tok.start
	s.x = p.expression()
	s.source = strings.Join(strings.Fields(strings.ReplaceAll(p.lex.src[start:p.last], "\\\n", " ")), " ")
	if p.op(",") {
		p.advance()
		s.message = p.expression()
	}
	return s
}

// conditional reads an if from its condition on. An else belongs to it when it stands on a
// line of the same indentation.
func (p *parser) conditional(at token) statement {
	p.deeper()
	defer func() { p.depth-- }()
	s := statement{pos: at.pos, verb: "if", x: p.expression()}
	s.then = p.suite(at.indent)
	m := *p
	for p.tok.kind == tokNewline {
		p.advance()
	}
	word := p.tok
	switch {
	case word.first && word.indent == at.indent && p.keyword("elif"):
		p.advance()
		s.other = []statement{p.conditional(word)}
	case word.first && word.indent == at.indent && p.keyword("else"):
		p.advance()
		s.other = p.suite(at.indent)
	case p.keyword("elif") || p.keyword("else"):
		fail(word.pos, Syntax, "%s is not indented as its if", word.text)
	default:
		*p = m
	}
	return s
}

func (p *parser) assignment(at token) statement {
	s := statement{pos: at.pos, verb: "=", name: at.text}
	op := p.tok.text
	switch {
	case p.op("="):
		p.advance()
		s.x = p.tuple()
	case p.tok.kind == tokOp && len(op) > 1 && strings.HasSuffix(op, "=") && !contains(comparisons, op) && op != ":=":
		operator := p.tok.pos
		p.advance()
		left := &expr{pos: at.pos, op: "name", name: at.text}
		s.x = &expr{pos: operator, op: strings.TrimSuffix(op, "="), args: []*expr{left, p.expression()}}
	case p.op("."):
		fail(p.tok.pos, Syntax, "attributes (%s.…) are not understood", at.text)
	case p.op("("):
		fail(at.pos, Syntax, "the call of %s() as a statement is not understood, only print", at.text)
	default:
		p.unexpected("= after " + at.text)
	}
	if p.op("=") {
		fail(p.tok.pos, Syntax, "assignments to several names are not understood")
	}
	return s
}
