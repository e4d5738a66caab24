package parse

import (
	"fmt"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

// The bounds of a script.
const (
	MaxSize      = 4 << 20 // octets of a file
	maxDepth     = 64      // of nested expressions
	maxOperators = 1024    // in one expression
)

// parser holds one token of look-ahead.
type parser struct {
	lex     lexer
	tok     token
	depth   int
	defines map[string]*ast.Option
	only    string // the #ifdef that is open
}

// File reads a script. The name is what errors call the file. The error is an *Error.
func File(name string, src []byte) (s *ast.Script, err error) {
	if len(src) > MaxSize {
		return nil, &Error{File: name, Line: 1, Column: 1,
			Expected: fmt.Sprintf("a script of at most %d octets", MaxSize), Found: fmt.Sprintf("%d", len(src))}
	}
	p := &parser{lex: lexer{name: name, src: strings.TrimPrefix(string(src), "\ufeff"), line: 1}, defines: map[string]*ast.Option{}}
	defer func() {
		if r := recover(); r != nil {
			e, ours := r.(*Error)
			if !ours {
				panic(r)
			}
			s, err = nil, e
		}
	}()
	p.advance()
	return p.script(), nil
}

func (p *parser) advance() { p.tok = p.lex.next() }

// mark and reset look further ahead than one token.
func (p *parser) mark() parser { return *p }

func (p *parser) reset(m parser) { *p = m }

// script reads options and events, and which system they are for.
func (p *parser) script() *ast.Script {
	s := &ast.Script{Name: p.lex.name}
	timed := false
	for {
		switch {
		case p.tok.kind == tokEOF && p.only != "":
			p.expected("#endif")
		case p.tok.kind == tokEOF:
			return s
		case p.tok.kind == tokIfdef:
			p.ifdef()
		case p.tok.kind == tokEndif && p.only != "":
			p.only = ""
			p.advance()
		case p.tok.kind == tokOption && !timed:
			s.Options = append(s.Options, p.option())
		default:
			e := p.event()
			timed = timed || e.Time.Kind != ast.TimeNone
			s.Events = append(s.Events, e)
		}
	}
}

func (p *parser) ifdef() {
	if p.only != "" {
		p.expected("#endif")
	}
	words := strings.Fields(p.tok.text)
	if len(words) != 2 || !isName(words[1]) {
		p.fail(p.tok.pos, "#ifdef and the name of one system", fmt.Sprintf("%q", p.tok.text))
	}
	p.only = strings.ToLower(words[1])
	p.advance()
}

func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isWord(s[i]) {
			return false
		}
	}
	return s != ""
}

// option reads --name, --name=value and --define=SYMBOL=value.
func (p *parser) option() *ast.Option {
	o := &ast.Option{Pos: p.tok.pos, Only: p.only, Name: p.tok.text}
	p.advance()
	if !p.tok.is('=') {
		return o
	}
	o.Set = true
	p.advance()
	if p.tok.kind == tokWord {
		m := p.mark()
		symbol := p.tok.text
		if p.advance(); p.tok.is('=') {
			p.advance()
			o.Symbol = symbol
		} else {
			p.reset(m)
		}
	}
	p.optionValue(o)
	if o.Symbol != "" && o.Name == "define" {
		p.defines[o.Symbol] = o
	}
	return o
}

func (p *parser) optionValue(o *ast.Option) {
	switch p.tok.kind {
	case tokString:
		o.Quote, o.Value = '"', p.unescape(p.tok)
		p.advance()
	case tokBackquote:
		o.Quote, o.Value = '`', p.tok.text
		p.advance()
	default:
		o.Value = p.run(func(c byte) bool { return isWord(c) || c == '.' || c == ':' || c == '-' || c == '+' })
		if o.Value == "" {
			p.expected("the value of --" + o.Name)
		}
	}
}

// run returns the characters from the token at hand on that belong to a class.
func (p *parser) run(class func(byte) bool) string {
	start := p.tok.start
	end := start
	for end < len(p.lex.src) && class(p.lex.src[end]) {
		end++
	}
	p.seek(end)
	return p.lex.src[start:end]
}

// seek makes the token that begins at off, not before the token at hand, the one at hand.
func (p *parser) seek(off int) {
	pos := p.tok.pos
	p.lex.off, p.lex.line, p.lex.bol = p.tok.start, pos.Line, p.tok.start-pos.Column+1
	p.lex.advance(off)
	p.advance()
}

// punct reads one character; what says what it is for.
func (p *parser) punct(c byte, what string) {
	if !p.tok.is(c) {
		p.expected(fmt.Sprintf("%q %s", c, what))
	}
	p.advance()
}

// number reads an unsigned number of at most max, in decimal or hexadecimal.
func (p *parser) number(what string, max uint64) uint64 {
	t := p.tok
	if d := p.defines[t.text]; t.kind == tokWord && d != nil {
		l := lexer{src: d.Value}
		t = l.next()
	}
	if t.kind != tokInt && t.kind != tokHex {
		p.expected(what)
	}
	v, ok := parseUint(t)
	if !ok || v > max {
		p.expected(fmt.Sprintf("%s of at most %d", what, max))
	}
	p.advance()
	return v
}
