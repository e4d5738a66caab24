package code

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

// functions is what a block may call.
var functions map[string]func(ast.Pos, []Value) Value

func init() {
	functions = map[string]func(ast.Pos, []Value) Value{
		"abs": absolute, "bool": truth, "float": toReal, "int": toInteger, "len": length,
		"max": largest, "min": smallest, "round": rounded, "str": toText,
	}
}

func one(at ast.Pos, name string, args []Value) Value {
	if len(args) != 1 {
		fail(at, Type, "%s() takes one argument, not %d", name, len(args))
	}
	return args[0]
}

func absolute(at ast.Pos, args []Value) Value {
	v := one(at, "abs", args)
	if !v.number() {
		fail(at, Type, "abs() of %s", sortNames[v.sort])
	}
	if compare(at, "<", v, Int(0)) {
		return sign(at, "neg", v)
	}
	return v
}

func truth(at ast.Pos, args []Value) Value { return Bool(one(at, "bool", args).Truth()) }

func toText(at ast.Pos, args []Value) Value { return bounded(at, one(at, "str", args).String()) }

func toReal(at ast.Pos, args []Value) Value {
	v := one(at, "float", args)
	if v.sort == text {
		f, err := strconv.ParseFloat(strings.TrimSpace(v.s), 64)
		if err != nil {
			fail(at, Type, "float() of %q", v.s)
		}
		return Float(f)
	}
	if !v.number() {
		fail(at, Type, "float() of %s", sortNames[v.sort])
	}
	return Float(v.float())
}

// toInteger drops the fraction of a real number.
func toInteger(at ast.Pos, args []Value) Value {
	v := one(at, "int", args)
	switch {
	case v.n != nil:
		return whole(at, v.n)
	case v.sort == real && !math.IsNaN(v.f) && !math.IsInf(v.f, 0):
		n, _ := big.NewFloat(v.f).Int(nil)
		return whole(at, n)
	case v.sort == text && len(v.s) <= maxDigits:
		if n, ok := new(big.Int).SetString(strings.TrimSpace(v.s), 10); ok {
			return whole(at, n)
		}
	}
	fail(at, Type, "int() of %s", v.repr())
	return Value{}
}

// rounded returns the nearest integer, the even one of two as near.
func rounded(at ast.Pos, args []Value) Value {
	v := one(at, "round", args)
	if v.sort == real {
		v.f = math.RoundToEven(v.f)
	}
	return toInteger(at, []Value{v})
}

func length(at ast.Pos, args []Value) Value {
	switch v := one(at, "len", args); v.sort {
	case text:
		return Int(int64(len(v.s)))
	case sequence:
		return Int(int64(len(v.items)))
	default:
		fail(at, Type, "len() of %s", sortNames[v.sort])
	}
	return Value{}
}

func largest(at ast.Pos, args []Value) Value { return extreme(at, "max", ">", args) }

func smallest(at ast.Pos, args []Value) Value { return extreme(at, "min", "<", args) }

func extreme(at ast.Pos, name, op string, args []Value) Value {
	if len(args) == 1 && args[0].sort == sequence {
		args = args[0].items
	}
	if len(args) == 0 {
		fail(at, Type, "%s() of nothing", name)
	}
	best := args[0]
	for _, v := range args[1:] {
		if compare(at, op, v, best) {
			best = v
		}
	}
	return best
}

// format is the % of strings. The values are one or a tuple of as many as the text asks for.
func format(at ast.Pos, s string, v Value) string {
	values := []Value{v}
	if v.sort == sequence {
		values = v.items
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		spec := 1
		for i+spec < len(s) && strings.IndexByte("-+ 0.#123456789", s[i+spec]) >= 0 {
			spec++
		}
		if i+spec == len(s) || spec > 8 {
			fail(at, Type, "a %% in %q lacks its letter", s)
		}
		verb := s[i+spec]
		if verb == '%' {
			b.WriteByte('%')
		} else if len(values) == 0 {
			fail(at, Type, "%q asks for more values than there are", s)
		} else {
			b.WriteString(formatOne(at, s[i:i+spec], verb, values[0]))
			values = values[1:]
		}
		if i += spec; b.Len() > maxText {
			fail(at, Limit, "a string of more than %d octets", maxText)
		}
	}
	if len(values) > 0 {
		fail(at, Type, "%q asks for fewer values than there are", s)
	}
	return b.String()
}

func formatOne(at ast.Pos, flags string, verb byte, v Value) string {
	for _, digits := range strings.FieldsFunc(flags, func(r rune) bool { return r < '0' || r > '9' }) {
		if len(digits) > 3 {
			fail(at, Limit, "a width of %s", digits)
		}
	}
	switch verb {
	case 's':
		return fmt.Sprintf(flags+"s", v.String())
	case 'r':
		return fmt.Sprintf(flags+"s", v.repr())
	case 'd', 'i', 'u':
		return fmt.Sprintf(flags+"d", toInteger(at, []Value{v}).n)
	case 'x', 'X', 'o':
		return fmt.Sprintf(flags+string(verb), toInteger(at, []Value{v}).n)
	case 'e', 'f', 'g', 'E', 'F', 'G':
		return fmt.Sprintf(flags+string(verb), toReal(at, []Value{v}).f)
	}
	fail(at, Type, "%%%c is not understood", verb)
	return ""
}
