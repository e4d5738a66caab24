package code

import (
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokNewline
	tokName
	tokNumber
	tokString
	tokOp
)

type token struct {
	kind       tokenKind
	text       string // of a string: its value
	pos        ast.Pos
	start, end int
	first      bool // of its line
	indent     int  // of the line, when first
}

// operators, the longer before their beginnings.
var operators = strings.Fields("**= //= <<= >>= ** // << >> <= >= == != <> += -= *= /= %= &= |= ^= -> := ( ) [ ] { } , : ; . = < > + - * / % & | ^ ~ @ ` !")

const tabStop = 8

// lexer cuts a block into tokens. Within brackets the ends of lines are blanks.
type lexer struct {
	src    string
	off    int
	pos    ast.Pos
	depth  int
	first  bool // nothing but blanks so far on the line
	indent int
}

func (l *lexer) advance(n int) {
	for ; n > 0; n-- {
		l.pos.Column++
		if l.src[l.off] == '\n' {
			l.pos = ast.Pos{Line: l.pos.Line + 1, Column: 1}
			l.first, l.indent = true, 0
		}
		l.off++
	}
}

func (l *lexer) next() token {
	if t, ok := l.blanks(); ok {
		return t
	}
	t := token{pos: l.pos, start: l.off, end: l.off, first: l.first, indent: l.indent}
	if l.off >= len(l.src) {
		return t
	}
	l.first = false
	c := l.src[l.off]
	switch {
	case isDigit(c) || c == '.' && l.off+1 < len(l.src) && isDigit(l.src[l.off+1]):
		t.kind = tokNumber
		l.advance(l.numberLength())
	case isLetter(c):
		t.kind = tokName
		l.advance(l.span(func(c byte) bool { return isLetter(c) || isDigit(c) }))
		if l.off < len(l.src) && (l.src[l.off] == '"' || l.src[l.off] == '\'') {
			fail(t.pos, Syntax, "strings with a prefix (%s) are not understood", l.src[t.start:l.off])
		}
	case c == '"' || c == '\'':
		t.kind, t.text = tokString, l.quoted(c)
		t.end = l.off
		return t
	default:
		t.kind = tokOp
		l.operator()
	}
	t.end = l.off
	t.text = l.src[t.start:t.end]
	return t
}

// blanks skips white space and comments. It is true with the token of a line's end.
func (l *lexer) blanks() (token, bool) {
	for l.off < len(l.src) {
		rest := l.src[l.off:]
		switch c := rest[0]; {
		case c == '\n' && l.depth == 0:
			t := token{kind: tokNewline, text: "\n", pos: l.pos, start: l.off, end: l.off + 1}
			l.advance(1)
			return t, true
		case c == ' ' || c == '\r' || c == '\f':
			l.blank(1)
		case c == '\t':
			l.blank(tabStop - l.indent%tabStop)
		case c == '#':
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			l.advance(n)
		case c == '\n', strings.HasPrefix(rest, "\\\n"), strings.HasPrefix(rest, "\\\r\n"): // the line goes on
			first, indent := l.first, l.indent
			l.advance(strings.IndexByte(rest, '\n') + 1)
			l.first, l.indent = first, indent
		default:
			return token{}, false
		}
	}
	return token{}, false
}

// blank passes over a blank of some columns, which indents the line if it begins it.
func (l *lexer) blank(columns int) {
	l.advance(1)
	if l.first {
		l.indent += columns
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

func (l *lexer) span(class func(byte) bool) int {
	n := 0
	for l.off+n < len(l.src) && class(l.src[l.off+n]) {
		n++
	}
	return n
}

// numberLength returns the length of what a number may be written with; Parse judges it.
func (l *lexer) numberLength() int {
	n := 0
	for l.off+n < len(l.src) {
		c := l.src[l.off+n]
		exponent := n > 0 && (c == '+' || c == '-') && (l.src[l.off+n-1]|0x20) == 'e' && !strings.HasPrefix(l.src[l.off:], "0x")
		if !isDigit(c) && !isLetter(c) && c != '.' && !exponent {
			break
		}
		n++
	}
	return n
}

func (l *lexer) operator() {
	for _, op := range operators {
		if strings.HasPrefix(l.src[l.off:], op) {
			switch op {
			case "(", "[", "{":
				l.depth++
			case ")", "]", "}":
				l.depth = max(0, l.depth-1)
			}
			l.advance(len(op))
			return
		}
	}
	fail(l.pos, Syntax, "the character %q is not understood", l.src[l.off])
}

var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'a': 7, 'b': 8, 'f': 12, 'v': 11, '0': 0, '\\': '\\', '\'': '\'', '"': '"'}

// quoted returns the value of a string on one line. An escape that is not known stays as it
// is written.
func (l *lexer) quoted(quote byte) string {
	at := l.pos
	if strings.HasPrefix(l.src[l.off+1:], string([]byte{quote, quote})) {
		fail(at, Syntax, "strings in triple quotes are not understood")
	}
	var b strings.Builder
	for l.advance(1); l.off < len(l.src) && l.src[l.off] != '\n'; l.advance(1) {
		c := l.src[l.off]
		if c == quote {
			l.advance(1)
			return b.String()
		}
		if c == '\\' && l.off+1 < len(l.src) {
			if e, ok := escapes[l.src[l.off+1]]; ok {
				l.advance(1)
				c = e
			}
		}
		b.WriteByte(c)
	}
	fail(at, Syntax, "a string lacks its closing quote")
	return ""
}
