package code

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

type sort uint8

const (
	none sort = iota
	boolean
	integer
	real
	text
	sequence
)

var sortNames = [...]string{"None", "a truth value", "an integer", "a real number", "a string", "a sequence"}

// Value is what an expression comes to: None (the zero value), a truth value, an integer, a
// real number, a string or a sequence.
type Value struct {
	sort  sort
	n     *big.Int // of integer and boolean; never changed
	f     float64
	s     string
	items []Value
	heavy int // the weight of a sequence
}

// Int returns an integer.
func Int(v int64) Value { return Value{sort: integer, n: big.NewInt(v)} }

// Uint returns an integer.
func Uint(v uint64) Value { return Value{sort: integer, n: new(big.Int).SetUint64(v)} }

// Float returns a real number.
func Float(v float64) Value { return Value{sort: real, f: v} }

// String returns a string.
func String(s string) Value { return Value{sort: text, s: s} }

// Bool returns a truth value, which is also the integer 1 or 0.
func Bool(b bool) Value {
	v := Value{sort: boolean, n: new(big.Int)}
	if b {
		v.n.SetInt64(1)
	}
	return v
}

// group returns a sequence. It is bounded with all that is in it.
func group(at ast.Pos, items []Value) Value {
	v := Value{sort: sequence, items: items}
	if v.weight() > maxText {
		fail(at, Limit, "a sequence of more than %d octets", maxText)
	}
	v.heavy = v.weight()
	return v
}

// weight returns the octets that the value takes, about. Each element counts as itself, so that
// what walks a sequence, such as max() or str(), is as bounded as what walks a string.
func (v Value) weight() int {
	switch {
	case v.heavy > 0:
		return v.heavy
	case v.sort == text:
		return valueSize + len(v.s)
	}
	n := valueSize
	for _, item := range v.items {
		n += item.weight()
	}
	return n
}

// Truth reports whether an assertion of the value holds: it is not zero, empty or None.
func (v Value) Truth() bool {
	switch v.sort {
	case boolean, integer:
		return v.n.Sign() != 0
	case real:
		return v.f != 0
	case text:
		return v.s != ""
	case sequence:
		return len(v.items) > 0
	}
	return false
}

// Int64 returns the value as an integer, and whether it is one that fits.
func (v Value) Int64() (int64, bool) {
	if v.n == nil || !v.n.IsInt64() {
		return 0, false
	}
	return v.n.Int64(), true
}

// String returns the value as print shows it.
func (v Value) String() string {
	switch v.sort {
	case boolean:
		if v.Truth() {
			return "True"
		}
		return "False"
	case integer:
		return v.n.String()
	case real:
		s := strconv.FormatFloat(v.f, 'g', -1, 64)
		if !strings.ContainsAny(s, ".eIN") {
			s += ".0"
		}
		return s
	case text:
		return v.s
	case sequence:
		parts := make([]string, len(v.items))
		for i, item := range v.items {
			parts[i] = item.repr()
		}
		return "(" + strings.Join(parts, ", ") + ")"
	}
	return "None"
}

// repr is String with quotes around strings.
func (v Value) repr() string {
	if v.sort == text {
		return strconv.Quote(v.s)
	}
	return v.String()
}

func (v Value) number() bool { return v.sort == boolean || v.sort == integer || v.sort == real }

// float returns a number as a real one.
func (v Value) float() float64 {
	if v.sort == real {
		return v.f
	}
	f, _ := new(big.Float).SetInt(v.n).Float64()
	return f
}
