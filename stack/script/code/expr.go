package code

import (
	"math/big"
	"strconv"
	"strings"
)

var comparisons = []string{"==", "!=", "<>", "<", "<=", ">", ">="}

// expression reads one expression, with its conditional.
func (p *parser) expression() *expr {
	p.deeper()
	defer func() { p.depth-- }()
	if p.nested == 0 {
		p.count = 0
	}
	p.nested++
	defer func() { p.nested-- }()
	x := p.either()
	if !p.keyword("if") {
		return x
	}
	at := p.tok.pos
	p.advance()
	cond := p.either()
	if !p.keyword("else") {
		p.unexpected("else of a conditional expression")
	}
	p.advance()
	return &expr{pos: at, op: "if", args: []*expr{cond, x, p.expression()}}
}

// tuple reads expressions parted by commas.
func (p *parser) tuple() *expr {
	x := p.expression()
	if !p.op(",") {
		return x
	}
	t := &expr{pos: x.pos, op: "tuple", args: []*expr{x}}
	for p.op(",") {
		if p.advance(); !p.starts() {
			break
		}
		t.args = append(t.args, p.expression())
	}
	return t
}

// starts reports whether the token at hand may begin an expression.
func (p *parser) starts() bool {
	switch p.tok.kind {
	case tokName, tokNumber, tokString:
		return true
	case tokOp:
		return strings.Contains("( [ - + ~", p.tok.text)
	}
	return false
}

func (p *parser) either() *expr { return p.logical("or", p.both) }

func (p *parser) both() *expr { return p.logical("and", p.negation) }

func (p *parser) logical(word string, operand func() *expr) *expr {
	x := operand()
	for p.keyword(word) {
		at := p.operator()
		x = &expr{pos: at.pos, op: word, args: []*expr{x, operand()}}
	}
	return x
}

// operator passes over the operator at hand and counts it.
func (p *parser) operator() token {
	t := p.tok
	if p.count++; p.count > maxOperators {
		fail(t.pos, Limit, "more than %d operators in an expression", maxOperators)
	}
	p.advance()
	return t
}

func (p *parser) negation() *expr {
	if !p.keyword("not") {
		return p.comparison()
	}
	p.deeper()
	defer func() { p.depth-- }()
	at := p.operator()
	return &expr{pos: at.pos, op: "not", args: []*expr{p.negation()}}
}

// comparison reads operands and the comparisons between them: a < b < c is one.
func (p *parser) comparison() *expr {
	x := p.arithmetic(1)
	c := &expr{pos: p.tok.pos, op: "compare", args: []*expr{x}}
	for {
		op := p.comparator()
		if op == "" {
			break
		}
		c.ops = append(c.ops, op)
		c.args = append(c.args, p.arithmetic(1))
	}
	if c.ops == nil {
		return x
	}
	return c
}

// comparator reads a comparison's operator, or returns "".
func (p *parser) comparator() string {
	switch {
	case p.tok.kind == tokOp && contains(comparisons, p.tok.text):
		op := p.operator().text
		if op == "<>" {
			op = "!="
		}
		return op
	case p.keyword("in"):
		return p.operator().text
	case p.keyword("is"):
		if p.operator(); p.keyword("not") {
			p.advance()
			return "is not"
		}
		return "is"
	case p.keyword("not"):
		if p.operator(); !p.keyword("in") {
			p.unexpected("in, after not")
		}
		p.advance()
		return "not in"
	}
	return ""
}

var precedence = map[string]int{"|": 1, "^": 2, "&": 3, "<<": 4, ">>": 4, "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6}

func (p *parser) arithmetic(tightest int) *expr {
	x := p.signed()
	for p.tok.kind == tokOp {
		binds := precedence[p.tok.text]
		if binds == 0 || binds < tightest {
			break
		}
		at := p.operator()
		x = &expr{pos: at.pos, op: at.text, args: []*expr{x, p.arithmetic(binds + 1)}}
	}
	return x
}

var signs = map[string]string{"-": "neg", "+": "pos", "~": "inv"}

// signed reads an operand with its signs. A power binds tighter than the sign before it.
func (p *parser) signed() *expr {
	if op := signs[p.tok.text]; p.tok.kind == tokOp && op != "" {
		p.deeper()
		defer func() { p.depth-- }()
		at := p.operator()
		return &expr{pos: at.pos, op: op, args: []*expr{p.signed()}}
	}
	x := p.operand()
	if !p.op("**") {
		return x
	}
	p.deeper()
	defer func() { p.depth-- }()
	at := p.operator()
	return &expr{pos: at.pos, op: "**", args: []*expr{x, p.signed()}}
}

var reserved = strings.Fields("and as assert elif else if in is not or await async def for lambda while yield import from with return")

func (p *parser) operand() *expr {
	at := p.tok
	x := &expr{pos: at.pos, op: "value"}
	switch {
	case at.kind == tokNumber:
		x.value = number(at)
		p.advance()
	case at.kind == tokString:
		x.value = Value{sort: text}
		for p.tok.kind == tokString {
			x.value.s += p.tok.text
			p.advance()
		}
	case at.kind == tokName && at.text == "lambda":
		fail(at.pos, Syntax, "lambda is not understood")
	case at.kind == tokName && !contains(reserved, at.text):
		p.advance()
		p.named(x, at.text)
	case p.op("("), p.op("["):
		p.bracketed(x)
	case p.op("{"):
		fail(at.pos, Syntax, "sets and dictionaries are not understood")
	default:
		p.unexpected("an expression")
	}
	switch {
	case p.op("."):
		fail(p.tok.pos, Syntax, "attributes (.name) are not understood")
	case p.op("["):
		fail(p.tok.pos, Syntax, "subscripts ([…] after a value) are not understood")
	case p.op("("):
		fail(p.tok.pos, Syntax, "calls of what is not a name are not understood")
	}
	return x
}

// named makes x the constant, the call or the name.
func (p *parser) named(x *expr, name string) {
	switch name {
	case "True", "False":
		x.value = Bool(name == "True")
		return
	case "None":
		return
	}
	x.op, x.name = "name", name
	if !p.op("(") {
		return
	}
	if functions[name] == nil {
		fail(x.pos, Syntax, "the function %s() is not understood", name)
	}
	p.advance()
	x.op = "call"
	x.args = p.elements(")")
}

// bracketed reads parentheses, a tuple or a list.
func (p *parser) bracketed(x *expr) {
	closing := map[string]string{"(": ")", "[": "]"}[p.tok.text]
	p.advance()
	x.op, x.args = "list", nil
	if closing == "]" {
		x.args = p.elements(closing)
		return
	}
	if x.op = "tuple"; p.op(closing) {
		p.advance()
		return
	}
	pos := x.pos
	*x = *p.tuple()
	if x.op == "tuple" {
		x.pos = pos
	}
	p.closing(closing)
}

// elements reads expressions up to a closing bracket, which it reads too.
func (p *parser) elements(closing string) (list []*expr) {
	for !p.op(closing) {
		list = append(list, p.expression())
		if !p.op(",") {
			break
		}
		p.advance()
	}
	p.closing(closing)
	return list
}

func (p *parser) closing(bracket string) {
	if p.keyword("for") {
		fail(p.tok.pos, Syntax, "comprehensions (… for …) are not understood")
	}
	p.expect(bracket, "or a comma")
}

const maxDigits = 80 // of a literal

// number returns the value of a literal.
func number(t token) Value {
	s := strings.TrimRight(t.text, "lL")
	if len(s) > maxDigits {
		fail(t.pos, Limit, "a number has more than %d digits", maxDigits)
	}
	if n, ok := new(big.Int).SetString(strings.TrimLeft(s, "0"), 10); ok && !strings.ContainsAny(s, "xXbBoO") {
		return Value{sort: integer, n: n}
	}
	if n, ok := new(big.Int).SetString(s, 0); ok {
		return Value{sort: integer, n: n}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.ContainsAny(s, "xXpP_nNiI") {
		fail(t.pos, Syntax, "%q is not a number", t.text)
	}
	return Float(f)
}
