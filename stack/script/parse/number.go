package parse

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

// parseUint returns the value of a tokInt or tokHex, without its suffix.
func parseUint(t token) (uint64, bool) {
	text, base := strings.TrimRight(t.text, "uUlL"), 10
	if t.kind == tokHex {
		text, base = text[2:], 16
	}
	v, err := strconv.ParseUint(text, base, 64)
	return v, err == nil
}

// literal reads a number, with its sign when negative.
func (p *parser) literal(at ast.Pos, negative bool) ast.Expr {
	defer p.advance()
	if p.tok.kind == tokFloat {
		v, err := strconv.ParseFloat(p.tok.text, 64)
		if err != nil {
			p.expected("a number")
		}
		if negative {
			v = -v
		}
		return &ast.Float{Pos: at, Value: v}
	}
	v, ok := parseUint(p.tok)
	if !ok || negative && v > -math.MinInt64 {
		p.expected("a number of 64 bits")
	}
	if negative {
		v = -v
	}
	return &ast.Int{Pos: at, Value: int64(v), Hex: p.tok.kind == tokHex}
}

var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'a': 7, 'b': 8, 'e': 27, 'f': 12, 'v': 11}

// unescape returns the value of a string.
func (p *parser) unescape(t token) string {
	s := t.text
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out = append(out, s[i])
			continue
		}
		i++
		c := s[i]
		switch {
		case c == 'x':
			n := digits(s[i+1:], 2, isHex)
			v, err := strconv.ParseUint(s[i+1:i+1+n], 16, 8)
			if err != nil {
				p.fail(t.pos, `one or two hexadecimal digits after \x`, fmt.Sprintf("%q", s[i+1:min(i+2, len(s))]))
			}
			out = append(out, byte(v))
			i += n
		case c >= '0' && c <= '7':
			n := digits(s[i:], 3, func(c byte) bool { return c >= '0' && c <= '7' })
			v, _ := strconv.ParseUint(s[i:i+n], 8, 16)
			out = append(out, byte(v))
			i += n - 1
		case escapes[c] != 0:
			out = append(out, escapes[c])
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// digits returns how many bytes at the start of s, of at most max, are of a class.
func digits(s string, max int, class func(byte) bool) int {
	n := 0
	for n < min(max, len(s)) && class(s[n]) {
		n++
	}
	return n
}
