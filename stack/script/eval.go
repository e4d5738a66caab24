package script

import (
	"encoding/binary"

	"github.com/weirnet/weir/stack/script/ast"
)

// integer works out an expression. What it cannot name is a skipError.
func (r *runner) integer(e ast.Expr) (int64, error) {
	switch x := e.(type) {
	case *ast.Int:
		return x.Value, nil
	case *ast.Float:
		return int64(x.Value), nil
	case *ast.Symbol:
		return r.symbol(x)
	case *ast.Paren:
		return r.integer(x.X)
	case *ast.Cast:
		return r.integer(x.X)
	case *ast.Unary:
		return r.unary(x)
	case *ast.Binary:
		return r.binary(x)
	case *ast.Call:
		return r.function(x)
	}
	return 0, invalidf("line %d: %s is not an integer", e.At().Line, e)
}

func (r *runner) symbol(x *ast.Symbol) (int64, error) {
	if v, ok := r.cfg.defines[x.Name]; ok {
		return r.integer(v)
	}
	if x.Value != nil {
		return r.integer(x.Value)
	}
	if v, ok := r.cfg.symbol(x.Name); ok {
		return v, nil
	}
	return constant(x.Name)
}

func (r *runner) unary(x *ast.Unary) (int64, error) {
	v, err := r.integer(x.X)
	switch x.Op {
	case "-":
		v = -v
	case "~":
		v = ^v
	case "!":
		v = int64(b2i(v == 0))
	}
	return v, err
}

func (r *runner) binary(x *ast.Binary) (int64, error) {
	a, err := r.integer(x.X)
	if err != nil {
		return 0, err
	}
	b, err := r.integer(x.Y)
	if err != nil {
		return 0, err
	}
	switch x.Op {
	case "|":
		return a | b, nil
	case "&":
		return a & b, nil
	case "^":
		return a ^ b, nil
	case "<<":
		return a << (uint64(b) & 63), nil
	case ">>":
		return a >> (uint64(b) & 63), nil
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	case "/", "%":
		if b == 0 {
			return 0, invalidf("line %d: division by zero in %s", x.Pos.Line, x)
		}
		if x.Op == "/" {
			return a / b, nil
		}
		return a % b, nil
	}
	return 0, invalidf("line %d: %s is not an integer", x.Pos.Line, x)
}

// function works out a call within an expression. htons and htonl change nothing: a port is a
// number here, not octets.
func (r *runner) function(x *ast.Call) (int64, error) {
	switch x.Name {
	case "htons", "htonl", "ntohs", "ntohl":
		if len(x.Args) == 1 {
			return r.integer(x.Args[0])
		}
	case "inet_addr":
		if a, err := r.address(x); err == nil && a.Is4() {
			b := a.As4()
			return int64(binary.BigEndian.Uint32(b[:])), nil
		}
	}
	return 0, skipf("uses the function %s()", x.Name)
}
