package ast

// Expr is an expression: one of the types below.
type Expr interface {
	At() Pos
	String() string
	expr()
}

// Int is an integer. A value of 2⁶³ or more is held as its two's complement.
type Int struct {
	Pos   Pos
	Value int64
	Hex   bool // written in hexadecimal
}

// Float is a number with a fraction.
type Float struct {
	Pos   Pos
	Value float64
}

// String is a string, its escapes resolved and its neighbours joined.
type String struct {
	Pos   Pos
	Value string
	Open  bool // "abc"...: what follows is not said
}

// Symbol is a name: of a constant, or of a --define.
type Symbol struct {
	Pos   Pos
	Name  string
	Value Expr // what the script's own --define gives it, or nil
}

// Ellipsis is ..., "whatever is right": a value that the script leaves to the runner.
type Ellipsis struct{ Pos Pos }

// List is an array, [a, b].
type List struct {
	Pos   Pos
	Elems []Expr
}

// Struct is a structure, {a=1, b=2}. A structure of the dialects is known by its fields'
// names; one without names, as the {..., 1000} of an iovec, by its place.
type Struct struct {
	Pos    Pos
	Fields []Field
}

// Field is one member of a Struct.
type Field struct {
	Pos   Pos
	Name  string // "": known by its place
	Count Expr   // the number in msg_iov(2)=[…], or nil
	Value Expr
}

// Call is a call within an expression, as htons(80).
type Call struct {
	Pos  Pos
	Name string
	Args []Expr
}

// Unary is an operator before an operand: - ~ !.
type Unary struct {
	Pos Pos
	Op  string
	X   Expr
}

// Binary is an operator between two operands: | ^ & << >> + - * / %; and = for a name that
// is given a value within a list.
type Binary struct {
	Pos  Pos // of the left operand
	Op   string
	X, Y Expr
}

// Paren is an expression in parentheses.
type Paren struct {
	Pos Pos
	X   Expr
}

// Cast is (type) before an operand.
type Cast struct {
	Pos  Pos
	Type string // its words parted by blanks
	X    Expr
}

// Raw is the text of an expression that the language knows and weir has no use for, as an
// MPLS label stack; its tokens are parted by blanks.
type Raw struct {
	Pos  Pos
	Text string
}

func (e *Int) At() Pos      { return e.Pos }
func (e *Float) At() Pos    { return e.Pos }
func (e *String) At() Pos   { return e.Pos }
func (e *Symbol) At() Pos   { return e.Pos }
func (e *Ellipsis) At() Pos { return e.Pos }
func (e *List) At() Pos     { return e.Pos }
func (e *Struct) At() Pos   { return e.Pos }
func (e *Call) At() Pos     { return e.Pos }
func (e *Unary) At() Pos    { return e.Pos }
func (e *Binary) At() Pos   { return e.Pos }
func (e *Paren) At() Pos    { return e.Pos }
func (e *Cast) At() Pos     { return e.Pos }
func (e *Raw) At() Pos      { return e.Pos }

func (*Int) expr()      {}
func (*Float) expr()    {}
func (*String) expr()   {}
func (*Symbol) expr()   {}
func (*Ellipsis) expr() {}
func (*List) expr()     {}
func (*Struct) expr()   {}
func (*Call) expr()     {}
func (*Unary) expr()    {}
func (*Binary) expr()   {}
func (*Paren) expr()    {}
func (*Cast) expr()     {}
func (*Raw) expr()      {}

// Field returns the member of that name, or nil.
func (e *Struct) Field(name string) Expr {
	for i := range e.Fields {
		if e.Fields[i].Name == name {
			return e.Fields[i].Value
		}
	}
	return nil
}
