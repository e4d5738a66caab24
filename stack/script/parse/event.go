package parse

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
)

// event reads one event.
func (p *parser) event() *ast.Event {
	e := &ast.Event{Pos: p.tok.pos, Only: p.only}
	if c := p.command(); c != nil {
		e.Command = c
		return e
	}
	e.Time = p.time()
	blocks := p.tok.kind == tokEllipsis
	switch {
	case blocks || p.tok.kind == tokWord && p.symbolCommand() == nil:
		e.Syscall = p.syscall(e.Time)
	case p.tok.is('<') || p.tok.is('>'):
		e.Packet = p.packet()
	case p.tok.kind == tokCode:
		e.Code = p.code()
	default:
		if e.Command = p.command(); e.Command == nil {
			p.expected("a packet (< or >), a system call, a `command` or %{ code }%")
		}
	}
	floating := e.Time.Kind == ast.TimeAny || e.Time.Kind == ast.TimeAbsoluteRange || e.Time.Kind == ast.TimeRelativeRange
	if floating && (e.Packet == nil || e.Packet.Direction != ast.Out) {
		p.fail(e.Pos, "a single time, for only a packet out may come at any of several", e.Time.String())
	}
	return e
}

func (p *parser) time() ast.Time {
	t := ast.Time{Pos: p.tok.pos, Kind: ast.TimeAbsolute}
	if p.tok.is('*') {
		p.advance()
		t.Kind = ast.TimeAny
		return t
	}
	relative := p.tok.is('+')
	if relative {
		p.advance()
		t.Kind = ast.TimeRelative
		t.Start = p.seconds("a time in seconds")
	} else {
		t.Start = p.seconds("an event, which begins with a time")
	}
	if !p.tok.is('~') {
		return t
	}
	p.advance()
	t.Kind = ast.TimeAbsoluteRange
	if relative {
		p.punct('+', "before the end of a relative range")
		t.Kind = ast.TimeRelativeRange
	}
	end := p.tok
	if t.End = p.seconds("the end of the range in seconds"); t.End < t.Start {
		p.fail(end.pos, "a range that ends after its start", end.describe())
	}
	return t
}

// seconds reads a time. Digits beyond the nanosecond are dropped.
func (p *parser) seconds(what string) time.Duration {
	if p.tok.kind != tokInt && p.tok.kind != tokFloat {
		p.expected(what)
	}
	whole, frac, _ := strings.Cut(p.tok.text, ".")
	var s uint64
	var err error
	if whole != "" {
		s, err = strconv.ParseUint(whole, 10, 64)
	}
	const max = math.MaxInt64/uint64(time.Second) - 1
	if err != nil || s > max {
		p.expected("a time of at most " + strconv.FormatUint(max, 10) + " seconds")
	}
	ns, _ := strconv.ParseUint((frac + "000000000")[:9], 10, 64)
	p.advance()
	return time.Duration(s)*time.Second + time.Duration(ns)
}

// symbolCommand returns the --define that the word at hand names, when that is a command.
func (p *parser) symbolCommand() *ast.Option {
	if d := p.defines[p.tok.text]; p.tok.kind == tokWord && d != nil && d.Quote == '`' {
		return d
	}
	return nil
}

// command reads a backquoted command or a symbol for one, or returns nil.
func (p *parser) command() *ast.Command {
	c := &ast.Command{Pos: p.tok.pos}
	if p.tok.kind == tokBackquote {
		c.Text = p.tok.text
	} else if d := p.symbolCommand(); d != nil {
		c.Text, c.Symbol = d.Value, p.tok.text
	} else {
		return nil
	}
	p.advance()
	return c
}

// code reads a block of code, less the blanks at its ends.
func (p *parser) code() *ast.Code {
	const blanks = " \t"
	c := &ast.Code{Pos: p.tok.pos, Text: strings.Trim(p.tok.text, blanks)}
	c.At = c.Pos
	c.At.Column += 2 + len(p.tok.text) - len(strings.TrimLeft(p.tok.text, blanks))
	p.advance()
	return c
}

// syscall reads a call from its ... or its name on.
func (p *parser) syscall(start ast.Time) *ast.Syscall {
	c := &ast.Syscall{Pos: p.tok.pos}
	if p.tok.kind == tokEllipsis {
		p.advance()
		end := p.tok
		c.Blocking, c.End = true, p.seconds("the time at which the call returns")
		if c.End < start.Start {
			p.fail(end.pos, "a call that returns after its start", end.describe())
		}
		c.Pos = p.tok.pos
	}
	if p.tok.kind != tokWord {
		p.expected("the name of a system call")
	}
	c.Name = p.tok.text
	p.advance()
	p.punct('(', "before the arguments of "+c.Name)
	c.Args = p.list(')', "the arguments of "+c.Name)
	p.punct('=', "and the result of "+c.Name)
	c.Result = p.result()
	if p.tok.kind == tokWord {
		c.Errno = p.tok.text
		p.advance()
	}
	if p.tok.is('(') {
		c.Note = p.note()
	}
	return c
}

const maxNote = 256 // octets; a parenthesis that nothing closes does not eat the file

// note reads the remark behind a result. It is prose: any characters up to the closing
// parenthesis.
func (p *parser) note() string {
	open := p.tok.pos
	start := p.tok.start + 1
	depth := 0
	for i := start; i < min(len(p.lex.src), start+maxNote); i++ {
		switch p.lex.src[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				p.seek(i + 1)
				return strings.Join(strings.Fields(p.lex.src[start:i]), " ")
			}
		}
	}
	p.fail(open, "a remark in parentheses", "no closing parenthesis")
	return ""
}
