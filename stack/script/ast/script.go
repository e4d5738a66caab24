package ast

import (
	"fmt"
	"time"
)

// Pos is a place in a script. Lines and columns count from 1, columns in bytes; the zero
// value is no place.
type Pos struct{ Line, Column int }

// String returns the position as line:column.
func (p Pos) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

// Script is one file.
type Script struct {
	Name    string // the file's name, as errors print it
	Options []*Option
	Events  []*Event
}

// Option is a line of configuration before the first event, as --mtu=1500.
type Option struct {
	Pos   Pos
	Only  string // the system that an #ifdef reserves it for, or "": see Event.Only
	Name  string // without the dashes
	Set   bool   // a value follows; --name= has one, and it is empty
	Value string // unquoted
	Quote byte   // '"' or '`' when the value was quoted, else 0
	// Symbol is the name that --define=SYMBOL=value gives a value to, else "".
	Symbol string
}

// Event is one step of a script: a time, and one of Packet, Syscall, Command and Code.
type Event struct {
	Pos  Pos
	Time Time
	// Only is the system of the #ifdef that the event stands in, in lower case (linux,
	// freebsd, openbsd, netbsd …), or "" when it is for every system.
	Only string

	Packet  *Packet
	Syscall *Syscall
	Command *Command
	Code    *Code
}

// TimeKind says how an event's time is meant.
type TimeKind uint8

const (
	TimeNone          TimeKind = iota // no time: a script's first and last commands may have none
	TimeAbsolute                      // 1.5: since the start of the script
	TimeRelative                      // +1.5: since the event before
	TimeAny                           // *: whenever it comes
	TimeAbsoluteRange                 // 1~2
	TimeRelativeRange                 // +1~+2
)

// Time is when an event is to happen.
type Time struct {
	Pos   Pos
	Kind  TimeKind
	Start time.Duration
	End   time.Duration // the end of a range, at or after Start
}

// Command is a backquoted line for a shell. No shell ever sees it here.
type Command struct {
	Pos    Pos
	Text   string // between the quotes, as written
	Symbol string // the --define whose value it is, or ""
}

// Code is a block of assertions, %{ … }%. Package code reads it.
type Code struct {
	Pos  Pos    // of the block
	Text string // between the brackets, as written but for blanks at either end
	At   Pos    // of the first character of Text
}

// Syscall is a system call, its arguments and what it is to answer.
type Syscall struct {
	Pos      Pos
	Blocking bool          // start...end: the call is expected to block
	End      time.Duration // when it returns: since the same instant as the event's time
	Name     string
	Args     []Expr
	Result   Expr
	Errno    string // the name of the error, or ""
	Note     string // the remark in parentheses after the result, or ""
}
