package parse

import (
	"fmt"

	"github.com/weirnet/weir/stack/script/ast"
)

// Error says where a script breaks the language.
type Error struct {
	File         string
	Line, Column int // from 1; columns in bytes
	Expected     string
	Found        string
}

// Error returns file:line:column: expected X, found Y.
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: expected %s, found %s", e.File, e.Line, e.Column, e.Expected, e.Found)
}

// fail ends the parse. File recovers what it throws and nothing else.
func (p *parser) fail(at ast.Pos, expected, found string) {
	panic(&Error{File: p.lex.name, Line: at.Line, Column: at.Column, Expected: expected, Found: found})
}

// expected ends the parse at the token at hand.
func (p *parser) expected(what string) { p.fail(p.tok.pos, what, p.tok.describe()) }
