package code

import (
	"math"
	"math/big"

	"github.com/weirnet/weir/stack/script/ast"
)

// Eval runs the block. Names have their values from env, and keep there what the block
// assigns to them. It returns a *Failure for the first assertion that does not hold, an
// *Error for what cannot be computed, or nil.
func (p *Program) Eval(env map[string]Value) (err error) {
	defer rescue(p.File, &err)
	run(p.statements, env)
	return nil
}

func run(list []statement, env map[string]Value) {
	for i := range list {
		s := &list[i]
		switch v := s.x.eval(env); {
		case s.verb == "=":
			env[s.name] = v
		case s.verb == "if" && v.Truth():
			run(s.then, env)
		case s.verb == "if":
			run(s.other, env)
		case !v.Truth():
			s.failed(env)
		}
	}
}

// failed throws the failure of an assertion.
func (s *statement) failed(env map[string]Value) {
	f := &Failure{Pos: s.pos, Cond: s.source}
	for _, name := range s.x.names(nil) {
		if v, ok := env[name]; ok {
			f.Values = append(f.Values, name+" = "+v.repr())
		}
	}
	f.Message = s.said(env)
	panic(f)
}

// said returns the message of an assertion. One that cannot be computed does not hide that
// the assertion failed.
func (s *statement) said(env map[string]Value) (text string) {
	if s.message == nil {
		return ""
	}
	var err error
	defer func() {
		if err != nil {
			text = err.(*Error).Message
		}
	}()
	defer rescue("", &err)
	return s.message.eval(env).String()
}

func (x *expr) eval(env map[string]Value) Value {
	switch x.op {
	case "value":
		return x.value
	case "name":
		v, ok := env[x.name]
		if !ok {
			fail(x.pos, Name, "the name %s has no value", x.name)
		}
		return v
	case "and", "or":
		if v := x.args[0].eval(env); v.Truth() == (x.op == "or") {
			return v
		}
		return x.args[1].eval(env)
	case "if":
		if x.args[0].eval(env).Truth() {
			return x.args[1].eval(env)
		}
		return x.args[2].eval(env)
	case "compare":
		return x.compare(env)
	}
	args := make([]Value, len(x.args))
	for i, a := range x.args {
		args[i] = a.eval(env)
	}
	switch x.op {
	case "tuple", "list":
		return group(x.pos, args)
	case "call":
		return functions[x.name](x.pos, args)
	case "not":
		return Bool(!args[0].Truth())
	case "neg", "pos", "inv":
		return sign(x.pos, x.op, args[0])
	}
	return binary(x.pos, x.op, args[0], args[1])
}

// compare evaluates a chain of comparisons up to the first that does not hold.
func (x *expr) compare(env map[string]Value) Value {
	left := x.args[0].eval(env)
	for i, op := range x.ops {
		right := x.args[i+1].eval(env)
		if !compare(x.pos, op, left, right) {
			return Bool(false)
		}
		left = right
	}
	return Bool(true)
}

func compare(at ast.Pos, op string, a, b Value) bool {
	switch op {
	case "==", "is":
		return equal(a, b)
	case "!=", "is not":
		return !equal(a, b)
	case "in":
		return within(at, a, b)
	case "not in":
		return !within(at, a, b)
	}
	c, ok := order(a, b)
	if !ok {
		if a.number() && b.number() {
			return false // not a number: no order
		}
		fail(at, Type, "%s does not compare %s and %s", op, sortNames[a.sort], sortNames[b.sort])
	}
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

// order compares numbers with numbers and strings with strings.
func order(a, b Value) (int, bool) {
	switch {
	case a.n != nil && b.n != nil:
		return a.n.Cmp(b.n), true
	case a.number() && b.number():
		if math.IsNaN(a.float()) || math.IsNaN(b.float()) {
			return 0, false
		}
		return exact(a).Cmp(exact(b)), true
	case a.sort == text && b.sort == text:
		switch {
		case a.s < b.s:
			return -1, true
		case a.s > b.s:
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// exact returns a number that is not NaN without rounding it.
func exact(v Value) *big.Float {
	if v.sort == real {
		return big.NewFloat(v.f)
	}
	return new(big.Float).SetInt(v.n)
}

func equal(a, b Value) bool {
	if a.sort == sequence && b.sort == sequence && len(a.items) == len(b.items) {
		for i := range a.items {
			if !equal(a.items[i], b.items[i]) {
				return false
			}
		}
		return true
	}
	c, ok := order(a, b)
	return ok && c == 0 || a.sort == none && b.sort == none
}
