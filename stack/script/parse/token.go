package parse

import (
	"fmt"

	"github.com/weirnet/weir/stack/script/ast"
)

type kind uint8

const (
	tokEOF       kind = iota
	tokWord           // a name; also what begins with a digit and is no number
	tokInt            // decimal digits
	tokHex            // 0x1f
	tokFloat          // 1.5 .5
	tokString         // "…", text without the quotes
	tokBackquote      // `…`
	tokCode           // %{ … }%
	tokOption         // --name, text without the dashes
	tokEllipsis       // ...
	tokIfdef          // #ifdef system
	tokEndif          // #endif
	tokPunct          // any other character
	tokBad            // what no token begins with; text says what
)

// token is one word of the language. Its text is a part of the source.
type token struct {
	kind       kind
	text       string
	pos        ast.Pos
	start, end int // offsets in the source
}

func (t *token) is(punct byte) bool { return t.kind == tokPunct && t.text[0] == punct }

func (t *token) word(name string) bool { return t.kind == tokWord && t.text == name }

// plain reports whether the token is a word, a number, a string or dots.
func (t *token) plain() bool {
	return t.kind >= tokWord && t.kind <= tokString || t.kind == tokEllipsis
}

const shown = 24 // of a token, in an error

func (t *token) describe() string {
	text := t.text
	if len(text) > shown {
		text = text[:shown] + "…"
	}
	switch t.kind {
	case tokEOF:
		return "the end of the file"
	case tokString:
		return fmt.Sprintf("the string %q", text)
	case tokBackquote:
		return fmt.Sprintf("the command %q", text)
	case tokCode:
		return "a block of code"
	case tokOption:
		return fmt.Sprintf("the option %q", "--"+text)
	case tokIfdef, tokEndif:
		return text
	case tokBad:
		return t.text
	}
	return fmt.Sprintf("%q", text)
}
