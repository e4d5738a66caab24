package code

import (
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

// Program is a block that was read.
type Program struct {
	File       string
	statements []statement
}

// statement is an assert, an assignment, or an if with its suites.
type statement struct {
	pos     ast.Pos
	verb    string // assert, =, or if
	name    string // that is assigned to
	x       *expr  // the condition, or the value
	message *expr  // of assert, or nil
	source  string // of an assertion's condition
	then    []statement
	other   []statement // of else and elif
}

// expr is a node of an expression.
type expr struct {
	pos ast.Pos
	// op is value, name, tuple, list, call, if, and, or, not, neg, pos, inv, compare, or the
	// operator itself.
	op    string
	value Value
	name  string   // of name and call
	args  []*expr  // operands, elements, arguments; of if: condition, then, else
	ops   []string // of compare: one fewer than args
}

// Names returns the names that the block reads before it assigns to them, in their order.
func (p *Program) Names() []string {
	read, _ := namesOf(p.statements, nil, nil)
	return read
}

func namesOf(list []statement, read, assigned []string) ([]string, []string) {
	for _, s := range list {
		for _, name := range s.x.names(nil) {
			if !contains(read, name) && !contains(assigned, name) {
				read = append(read, name)
			}
		}
		if s.verb == "=" {
			assigned = append(assigned, s.name)
		}
		read, _ = namesOf(s.then, read, assigned)
		read, _ = namesOf(s.other, read, assigned)
	}
	return read, assigned
}

// String returns the block with every expression in parentheses.
func (p *Program) String() string { return printStatements(p.statements) }

func printStatements(list []statement) string {
	lines := make([]string, len(list))
	for i, s := range list {
		lines[i] = s.String()
	}
	return strings.Join(lines, "; ")
}

func (s statement) String() string {
	switch {
	case s.verb == "if" && s.other != nil:
		return "if " + s.x.String() + " {" + printStatements(s.then) + "} else {" + printStatements(s.other) + "}"
	case s.verb == "if":
		return "if " + s.x.String() + " {" + printStatements(s.then) + "}"
	case s.verb == "=":
		return s.name + " = " + s.x.String()
	case s.message != nil:
		return "assert " + s.x.String() + ", " + s.message.String()
	}
	return "assert " + s.x.String()
}

func (x *expr) String() string {
	switch x.op {
	case "value":
		return x.value.repr()
	case "name":
		return x.name
	case "call":
		return x.name + "(" + x.join(", ") + ")"
	case "tuple", "list":
		return x.op + "(" + x.join(", ") + ")"
	case "not", "neg", "pos", "inv":
		return "(" + x.op + " " + x.args[0].String() + ")"
	case "if":
		return "(" + x.args[1].String() + " if " + x.args[0].String() + " else " + x.args[2].String() + ")"
	case "compare":
		s := "(" + x.args[0].String()
		for i, op := range x.ops {
			s += " " + op + " " + x.args[i+1].String()
		}
		return s + ")"
	}
	return "(" + x.join(" "+x.op+" ") + ")"
}

func (x *expr) join(separator string) string {
	parts := make([]string, len(x.args))
	for i, a := range x.args {
		parts[i] = a.String()
	}
	return strings.Join(parts, separator)
}

// names adds the names that an expression uses, each once, in their order.
func (x *expr) names(list []string) []string {
	if x.op == "name" && !contains(list, x.name) {
		list = append(list, x.name)
	}
	for _, a := range x.args {
		list = a.names(list)
	}
	return list
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
