package code

import (
	"math"
	"math/big"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

const (
	maxBits = 1024    // of an integer
	maxText = 1 << 16 // octets of a string, or of a sequence with its elements

	valueSize = 64 // octets of a value beside its text, about
)

// within reports whether a is an element of b, or a part of the string b.
func within(at ast.Pos, a, b Value) bool {
	switch {
	case b.sort == sequence:
		for _, item := range b.items {
			if equal(a, item) {
				return true
			}
		}
		return false
	case a.sort == text && b.sort == text:
		return strings.Contains(b.s, a.s)
	}
	fail(at, Type, "in does not look for %s in %s", sortNames[a.sort], sortNames[b.sort])
	return false
}

func sign(at ast.Pos, op string, v Value) Value {
	switch {
	case v.n != nil && op == "neg":
		return whole(at, new(big.Int).Neg(v.n))
	case v.n != nil && op == "inv":
		return whole(at, new(big.Int).Not(v.n))
	case v.n != nil:
		return whole(at, v.n)
	case v.sort == real && op == "neg":
		return Float(-v.f)
	case v.sort == real && op == "pos":
		return v
	}
	fail(at, Type, "%s has no sign", sortNames[v.sort])
	return Value{}
}

// whole returns an integer within bounds.
func whole(at ast.Pos, n *big.Int) Value {
	if n.BitLen() > maxBits {
		fail(at, Limit, "a number of more than %d bits", maxBits)
	}
	return Value{sort: integer, n: n}
}

func bounded(at ast.Pos, s string) Value {
	if len(s) > maxText {
		fail(at, Limit, "a string of more than %d octets", maxText)
	}
	return String(s)
}

func binary(at ast.Pos, op string, a, b Value) Value {
	switch {
	case op == "%" && a.sort == text:
		return bounded(at, format(at, a.s, b))
	case op == "/" && a.number() && b.number():
		return reals(at, op, a.float(), b.float())
	case a.n != nil && b.n != nil:
		return integers(at, op, a.n, b.n)
	case a.number() && b.number():
		return reals(at, op, a.float(), b.float())
	case op == "+" && a.sort == text && b.sort == text:
		return bounded(at, a.s+b.s)
	case op == "+" && a.sort == sequence && b.sort == sequence:
		return group(at, append(append([]Value(nil), a.items...), b.items...))
	case op == "*" && a.sort == text && b.n != nil:
		return repeat(at, a.s, b.n)
	}
	fail(at, Type, "%s does not combine %s and %s", op, sortNames[a.sort], sortNames[b.sort])
	return Value{}
}

func repeat(at ast.Pos, s string, n *big.Int) Value {
	if n.Sign() <= 0 || s == "" {
		return String("")
	}
	if !n.IsInt64() || n.Int64() > int64(maxText/len(s)) {
		fail(at, Limit, "a string of more than %d octets", maxText)
	}
	return String(strings.Repeat(s, int(n.Int64())))
}

func integers(at ast.Pos, op string, a, b *big.Int) Value {
	r := new(big.Int)
	switch op {
	case "|":
		r.Or(a, b)
	case "^":
		r.Xor(a, b)
	case "&":
		r.And(a, b)
	case "+":
		r.Add(a, b)
	case "-":
		r.Sub(a, b)
	case "*":
		r.Mul(a, b)
	case "<<":
		r.Lsh(a, shift(at, b))
	case ">>":
		r.Rsh(a, shift(at, b))
	case "**":
		return power(at, a, b)
	case "//", "%":
		if b.Sign() == 0 {
			fail(at, Type, "division by zero")
		}
		rest := new(big.Int)
		r.QuoRem(a, b, rest)
		if rest.Sign() != 0 && rest.Sign() != b.Sign() { // rounded down, not towards zero
			r.Sub(r, big.NewInt(1))
			rest.Add(rest, b)
		}
		if op == "%" {
			r = rest
		}
	}
	return whole(at, r)
}

func shift(at ast.Pos, n *big.Int) uint {
	if n.Sign() < 0 {
		fail(at, Type, "a shift by a negative number")
	}
	if !n.IsInt64() || n.Int64() > maxBits {
		fail(at, Limit, "a shift by more than %d bits", maxBits)
	}
	return uint(n.Int64())
}

func power(at ast.Pos, a, b *big.Int) Value {
	if b.Sign() < 0 {
		x, _ := new(big.Float).SetInt(a).Float64()
		y, _ := new(big.Float).SetInt(b).Float64()
		return reals(at, "**", x, y)
	}
	if a.BitLen() > 1 && (!b.IsInt64() || b.Int64() > maxBits/int64(a.BitLen()-1)) {
		fail(at, Limit, "a number of more than %d bits", maxBits)
	}
	if a.BitLen() <= 1 { // -1, 0, 1: only whether b is odd or zero matters
		b = big.NewInt(int64(b.Bit(0)) + 2*int64(min(b.BitLen(), 1)))
	}
	return whole(at, new(big.Int).Exp(a, b, nil))
}

func reals(at ast.Pos, op string, a, b float64) Value {
	switch op {
	case "+":
		return Float(a + b)
	case "-":
		return Float(a - b)
	case "*":
		return Float(a * b)
	case "**":
		if a == 0 && b < 0 {
			fail(at, Type, "division by zero")
		}
		return Float(math.Pow(a, b))
	case "/", "//", "%":
		if b == 0 {
			fail(at, Type, "division by zero")
		}
		switch op {
		case "/":
			return Float(a / b)
		case "//":
			return Float(math.Floor(a / b))
		}
		return Float(a - b*math.Floor(a/b))
	}
	fail(at, Type, "%s does not combine real numbers", op)
	return Value{}
}
