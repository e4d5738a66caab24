package ast

import (
	"fmt"
	"strconv"
	"strings"
)

func (e *Int) String() string {
	if !e.Hex {
		return strconv.FormatInt(e.Value, 10)
	}
	return fmt.Sprintf("%#x", uint64(e.Value))
}

func (e *Float) String() string {
	s := strconv.FormatFloat(e.Value, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func (e *String) String() string {
	s := Quote(e.Value)
	if e.Open {
		s += "..."
	}
	return s
}

// Quote returns a string as a script writes it.
func Quote(s string) string {
	b := []byte{'"'}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\t':
			b = append(b, '\\', 't')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c < ' ' || c > '~':
			b = fmt.Appendf(b, "\\x%02x", c)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

func (e *Symbol) String() string   { return e.Name }
func (e *Ellipsis) String() string { return "..." }
func (e *List) String() string     { return "[" + Join(e.Elems) + "]" }
func (e *Call) String() string     { return e.Name + "(" + Join(e.Args) + ")" }
func (e *Paren) String() string    { return "(" + e.X.String() + ")" }
func (e *Cast) String() string     { return "(" + e.Type + ")" + e.X.String() }
func (e *Raw) String() string      { return e.Text }

func (e *Unary) String() string {
	x := e.X.String()
	if strings.HasPrefix(x, "-") {
		return e.Op + " " + x // -- would begin an option
	}
	return e.Op + x
}

func (e *Binary) String() string {
	if e.Op == "=" || e.Op == "|" {
		return e.X.String() + e.Op + e.Y.String()
	}
	return e.X.String() + " " + e.Op + " " + e.Y.String()
}

func (e *Struct) String() string {
	fields := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		fields[i] = f.String()
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

// String returns the member as it stands in its structure.
func (f Field) String() string {
	s := f.Name
	if f.Count != nil {
		s += "(" + f.Count.String() + ")"
	}
	if s != "" {
		s += "="
	}
	return s + f.Value.String()
}

// Join returns expressions parted by commas.
func Join(list []Expr) string {
	s := make([]string, len(list))
	for i, e := range list {
		s[i] = e.String()
	}
	return strings.Join(s, ", ")
}
