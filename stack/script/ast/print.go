package ast

import (
	"fmt"
	"strings"
	"time"
)

// String returns the script in the language.
func (s *Script) String() string {
	var b strings.Builder
	only := ""
	line := func(system, text string) {
		if system != only && only != "" {
			b.WriteString("#endif\n")
		}
		if system != only && system != "" {
			b.WriteString("#ifdef " + system + "\n")
		}
		only = system
		b.WriteString(text + "\n")
	}
	for _, o := range s.Options {
		line(o.Only, o.String())
	}
	for _, e := range s.Events {
		line(e.Only, e.String())
	}
	if only != "" {
		b.WriteString("#endif\n")
	}
	return b.String()
}

// String returns the option as it stands in a script.
func (o *Option) String() string {
	s := "--" + o.Name
	if !o.Set {
		return s
	}
	s += "="
	if o.Symbol != "" {
		s += o.Symbol + "="
	}
	switch o.Quote {
	case '"':
		return s + Quote(o.Value)
	case '`':
		return s + "`" + o.Value + "`"
	}
	return s + o.Value
}

// String returns the event in the language.
func (e *Event) String() string {
	s := e.Time.String()
	if e.Syscall != nil && e.Syscall.Blocking {
		s += "..." + seconds(e.Syscall.End)
	}
	if s != "" {
		s += " "
	}
	switch {
	case e.Packet != nil:
		return s + e.Packet.String()
	case e.Syscall != nil:
		return s + e.Syscall.String()
	case e.Command != nil:
		return s + e.Command.String()
	case e.Code != nil:
		return s + e.Code.String()
	}
	return s
}

// String returns the time as it begins an event, or "" when there is none.
func (t Time) String() string {
	switch t.Kind {
	case TimeAbsolute:
		return seconds(t.Start)
	case TimeRelative:
		return "+" + seconds(t.Start)
	case TimeAny:
		return "*"
	case TimeAbsoluteRange:
		return seconds(t.Start) + "~" + seconds(t.End)
	case TimeRelativeRange:
		return "+" + seconds(t.Start) + "~+" + seconds(t.End)
	}
	return ""
}

func seconds(d time.Duration) string {
	s := fmt.Sprintf("%d", d/time.Second)
	if frac := d % time.Second; frac != 0 {
		s += "." + strings.TrimRight(fmt.Sprintf("%09d", frac), "0")
	}
	return s
}

// String returns the call without its times.
func (c *Syscall) String() string {
	s := c.Name + "(" + Join(c.Args) + ") = " + c.Result.String()
	if c.Errno != "" {
		s += " " + c.Errno
	}
	if c.Note != "" {
		s += " (" + c.Note + ")"
	}
	return s
}

// String returns the command in its quotes, or the symbol that stands for it.
func (c *Command) String() string {
	if c.Symbol != "" {
		return c.Symbol
	}
	return "`" + c.Text + "`"
}

// String returns the block in its brackets.
func (c *Code) String() string { return "%{ " + c.Text + " }%" }
