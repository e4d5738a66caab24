package code

import (
	"fmt"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

// Kind says what is wrong with a block.
type Kind uint8

const (
	Syntax Kind = iota // the block cannot be read
	Name               // it uses a name that has no value
	Type               // it uses a value as what it is not, or divides by zero
	Limit              // it builds a number or a string beyond bounds
)

// Error is a block that cannot be read or run. A false assertion is a *Failure.
type Error struct {
	File    string
	Pos     ast.Pos
	Kind    Kind
	Message string
}

// Error returns file:line:column: and what is wrong.
func (e *Error) Error() string { return fmt.Sprintf("%s:%s: %s", e.File, e.Pos, e.Message) }

// Failure is an assertion that does not hold.
type Failure struct {
	File    string
	Pos     ast.Pos
	Cond    string   // as written
	Message string   // the assertion's own, or ""
	Values  []string // name = value, for each name of the condition
}

// Error returns one line with the condition, the values in it and the message.
func (f *Failure) Error() string {
	s := fmt.Sprintf("%s:%s: assertion failed: %s", f.File, f.Pos, f.Cond)
	if len(f.Values) > 0 {
		s += " (" + strings.Join(f.Values, ", ") + ")"
	}
	if f.Message != "" {
		s += ": " + f.Message
	}
	return s
}

// fail ends the parse or the run. Parse and Eval recover what it throws and nothing else.
func fail(at ast.Pos, k Kind, format string, args ...any) {
	panic(&Error{Pos: at, Kind: k, Message: fmt.Sprintf(format, args...)})
}

// rescue turns what fail threw into an error.
func rescue(file string, err *error) {
	switch e := recover().(type) {
	case nil:
	case *Error:
		e.File = file
		*err = e
	case *Failure:
		e.File = file
		*err = e
	default:
		panic(e)
	}
}
