package parse

import (
	"fmt"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

// lexer cuts a source into tokens. It can be set back to any offset that it has passed.
type lexer struct {
	name string
	src  string
	off  int
	line int
	bol  int // the offset of the line's first byte
}

func (l *lexer) pos(off int) ast.Pos { return ast.Pos{Line: l.line, Column: off - l.bol + 1} }

func (l *lexer) at(off int) byte {
	if off < len(l.src) {
		return l.src[off]
	}
	return 0
}

// advance moves to off, counting the lines on the way.
func (l *lexer) advance(off int) {
	for i := l.off; i < off; i++ {
		if l.src[i] == '\n' {
			l.line++
			l.bol = i + 1
		}
	}
	l.off = off
}

// next returns the token at hand and moves behind it.
func (l *lexer) next() token {
	if bad, ok := l.blanks(); !ok {
		return bad
	}
	if l.off >= len(l.src) {
		return token{kind: tokEOF, pos: l.pos(l.off), start: l.off, end: l.off}
	}
	c := l.src[l.off]
	switch {
	case c == '#' && l.lineStart():
		return l.directive()
	case isWord(c) || c == '.' && isDigit(l.at(l.off+1)):
		return l.wordOrNumber()
	case strings.HasPrefix(l.src[l.off:], "..."):
		return l.cut(tokEllipsis, l.off+3, 0)
	case c == '-' && l.at(l.off+1) == '-' && isWord(l.at(l.off+2)):
		end := l.off + 2
		for isWord(l.at(end)) {
			end++
		}
		return l.cut(tokOption, end, 2)
	case c == '"':
		return l.quoted(tokString, "a string without its closing quote")
	case c == '`':
		return l.quoted(tokBackquote, "a command without its closing backquote")
	case c == '%' && l.at(l.off+1) == '{':
		return l.code()
	case c < ' ' || c > '~':
		return l.bad(l.off+1, fmt.Sprintf("the character %#02x", c))
	}
	return l.cut(tokPunct, l.off+1, 0)
}

// cut returns the token that ends at end; trim bytes at its start are not its text.
func (l *lexer) cut(k kind, end, trim int) token {
	t := token{kind: k, text: l.src[l.off+trim : end], pos: l.pos(l.off), start: l.off, end: end}
	l.advance(end)
	return t
}

// bad returns the token that stands for what is wrong with the source up to end.
func (l *lexer) bad(end int, what string) token {
	t := l.cut(tokBad, end, 0)
	t.text = what
	return t
}

// blanks skips white space and comments. It is false with the token of a comment that does
// not end.
func (l *lexer) blanks() (token, bool) {
	for l.off < len(l.src) {
		rest := l.src[l.off:]
		switch c := rest[0]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			l.advance(l.off + 1)
		case strings.HasPrefix(rest, "\\\n"), strings.HasPrefix(rest, "\\\r\n"):
			l.advance(l.off + strings.IndexByte(rest, '\n') + 1)
		case strings.HasPrefix(rest, "//"), c == '#' && l.lineStart() && !isDirective(rest):
			l.advance(l.off + lineLength(rest))
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return l.bad(len(l.src), "a comment without its closing */"), false
			}
			l.advance(l.off + 2 + end + 2)
		default:
			return token{}, true
		}
	}
	return token{}, true
}

// lineStart reports whether only blanks stand before the offset on its line.
func (l *lexer) lineStart() bool { return strings.Trim(l.src[l.bol:l.off], " \t") == "" }

func lineLength(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i
	}
	return len(s)
}

func isDirective(line string) bool {
	return wordAt(line, "#ifdef") || wordAt(line, "#endif")
}

func wordAt(s, word string) bool {
	return strings.HasPrefix(s, word) && (len(s) == len(word) || !isWord(s[len(word)]))
}

// directive returns #ifdef with its line, or #endif.
func (l *lexer) directive() token {
	rest := l.src[l.off:]
	if wordAt(rest, "#endif") {
		return l.cut(tokEndif, l.off+len("#endif"), 0)
	}
	line := rest[:lineLength(rest)]
	if i := strings.Index(line, "//"); i >= 0 {
		line = line[:i]
	}
	return l.cut(tokIfdef, l.off+len(strings.TrimRight(line, " \t\r")), 0)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

func isHex(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// wordOrNumber returns a name or a number. Digits followed by letters are a name, as a
// cookie is, unless the letters are a suffix of C's integers.
func (l *lexer) wordOrNumber() token {
	end := l.off
	for isWord(l.at(end)) {
		end++
	}
	text := l.src[l.off:end]
	digits := 0
	for digits < len(text) && isDigit(text[digits]) {
		digits++
	}
	switch {
	case digits == len(text) && l.at(end) == '.' && isDigit(l.at(end+1)):
		for end++; isDigit(l.at(end)); end++ {
		}
		return l.cut(tokFloat, end, 0)
	case len(text) > 2 && (text[:2] == "0x" || text[:2] == "0X") && isNumber(text[2:], isHex):
		return l.cut(tokHex, end, 0)
	case digits > 0 && isNumber(text, isDigit):
		return l.cut(tokInt, end, 0)
	}
	return l.cut(tokWord, end, 0)
}

// isNumber reports whether s is digits and at most a suffix such as ULL.
func isNumber(s string, digit func(byte) bool) bool {
	n := 0
	for n < len(s) && digit(s[n]) {
		n++
	}
	return n > 0 && len(s)-n <= 3 && strings.Trim(s[n:], "uUlL") == ""
}

// quoted returns what stands between two of the byte at hand. A backslash keeps the byte
// behind it from ending the text.
func (l *lexer) quoted(k kind, unclosed string) token {
	quote := l.src[l.off]
	for end := l.off + 1; end < len(l.src); end++ {
		switch l.src[end] {
		case '\\':
			end++
		case quote:
			t := l.cut(k, end+1, 1)
			t.text = t.text[:len(t.text)-1]
			return t
		}
	}
	return l.bad(len(l.src), unclosed)
}

// code returns a block %{ … }%.
func (l *lexer) code() token {
	end := strings.Index(l.src[l.off+2:], "}%")
	if end < 0 {
		return l.bad(len(l.src), "a block of code without its closing }%")
	}
	t := l.cut(tokCode, l.off+2+end+2, 2)
	t.text = t.text[:len(t.text)-2]
	return t
}
