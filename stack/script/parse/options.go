package parse

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

const (
	maxOptions = 40 // octets of options, that a header of 60 has room for (RFC 9293 §3.1)
	maxCounter = 1<<24 - 1
)

// tcpOptions reads <…>.
func (p *parser) tcpOptions(t *ast.TCP, dir ast.Direction) {
	at := p.tok.pos
	p.advance()
	if p.tok.kind == tokEllipsis {
		if dir == ast.In {
			p.expected("the options of a packet in")
		}
		t.OptionsAny = true
		p.advance()
		p.punct('>', "after the options")
		return
	}
	length, known := 0, true
	for !p.tok.is('>') {
		o := p.tcpOption()
		length += o.Len()
		known = known && o.Kind != ast.OptUnknown && o.Symbol == ""
		t.Options = append(t.Options, o)
		if length > maxOptions {
			p.fail(o.Pos, "at most 40 octets of options", fmt.Sprintf("%d", length))
		}
		if p.tok.is('>') {
			break
		}
		p.punct(',', "or > after an option")
		if p.tok.is('>') {
			p.expected("another option after the comma")
		}
	}
	p.advance()
	if known && length%4 != 0 {
		p.fail(at, "options padded with nop or eol to a multiple of 4 octets", fmt.Sprintf("%d octets", length))
	}
}

var optionWords = map[string]ast.OptionKind{
	"nop": ast.OptNOP, "eol": ast.OptEOL, "mss": ast.OptMSS, "wscale": ast.OptWScale, "sackok": ast.OptSACKOK,
	"sack": ast.OptSACK, "ts": ast.OptTS, "fo": ast.OptFO, "foexp": ast.OptFOEXP, "exp-fo": ast.OptFOEXP,
	"exp-fast-open": ast.OptFOEXP, "md5": ast.OptMD5,
	"accecn0": ast.OptAccECN0, "accecn1": ast.OptAccECN1, "ecn": ast.OptAccECN, "accecn": ast.OptAccECN,
	"exp-accecn0": ast.OptExpAccECN0, "exp-accecn1": ast.OptExpAccECN1, "exp-tarr": ast.OptExpTARR,
}

func (p *parser) tcpOption() ast.TCPOption {
	at := p.tok
	o := ast.TCPOption{Pos: at.pos}
	name := p.run(func(c byte) bool { return isWord(c) || c == '-' })
	k, ok := optionWords[strings.ToLower(name)]
	if !ok && !mptcp(name) {
		p.fail(at.pos, "a TCP option (mss, wscale, sackOK, sack, TS, nop, eol, FO, md5 …)", at.describe())
	}
	if !ok {
		o.Kind, o.Text = ast.OptUnknown, strings.TrimSpace(name+" "+p.raw(',', '>'))
		return o
	}
	o.Kind = k
	if (k == ast.OptMSS || k == ast.OptWScale) && p.tok.kind == tokWord && p.defines[p.tok.text] == nil {
		o.Kind, o.Text = ast.OptUnknown, name+" "+p.tok.text // a symbol from outside the script
		p.advance()
		return o
	}
	switch k {
	case ast.OptMSS:
		o.Value = p.numberOrAny("a number for mss", 0xffff)
	case ast.OptWScale:
		o.Value = p.numberOrAny("a shift count", 0xff)
	case ast.OptExpTARR:
		if p.tok.kind == tokInt {
			o.Value = ast.Just(uint32(p.number("an ACK rate", 1<<11-1)))
		}
	case ast.OptSACK:
		p.blocks(&o)
	case ast.OptTS:
		p.timestamps(&o)
	case ast.OptFO, ast.OptFOEXP, ast.OptMD5:
		p.hexData(&o)
	case ast.OptAccECN, ast.OptAccECN0, ast.OptAccECN1, ast.OptExpAccECN0, ast.OptExpAccECN1:
		p.counters(&o)
	}
	return o
}

// mptcp reports whether the name is of an option of Multipath TCP (RFC 8684), which the
// language has in a third dialect.
func mptcp(name string) bool {
	switch name {
	case "mpcapable", "dss", "add_address", "add_addr", "remove_address", "rm_addr":
		return true
	}
	return strings.HasPrefix(name, "mp_")
}

// numberOrAny reads a number, or the * or ... that stands for any.
func (p *parser) numberOrAny(what string, max uint64) ast.Maybe {
	if p.tok.is('*') || p.tok.kind == tokEllipsis {
		p.advance()
		return ast.Maybe{}
	}
	return ast.Just(uint32(p.number(what, max)))
}

func (p *parser) blocks(o *ast.TCPOption) {
	for p.tok.kind == tokInt || len(o.Blocks) == 0 {
		var b ast.Block
		b.Left = uint32(p.number("the left edge of a SACK block", math.MaxUint32))
		p.punct(':', "between the edges of a SACK block")
		b.Right = uint32(p.number("the right edge of a SACK block", math.MaxUint32))
		o.Blocks = append(o.Blocks, b)
	}
}

func (p *parser) timestamps(o *ast.TCPOption) {
	o.Val, o.ValAny, _ = p.stamp("val")
	o.Ecr, o.EcrAny, o.EcrAbsolute = p.stamp("ecr")
}

// stamp reads a word and a timestamp, of which ecr may be marked absolute.
func (p *parser) stamp(word string) (v uint32, anything, absolute bool) {
	if !p.tok.word(word) {
		p.expected(word)
	}
	p.advance()
	if p.tok.kind == tokEllipsis {
		p.advance()
		return 0, true, false
	}
	v = uint32(p.number("a timestamp", math.MaxUint32))
	if word == "ecr" && p.tok.is('!') {
		p.advance()
		absolute = true
	}
	return v, false, absolute
}

// hexData reads the octets of a cookie or a digest; there may be none, or a symbol for them.
func (p *parser) hexData(o *ast.TCPOption) {
	at := p.tok
	text := p.run(isWord)
	if d := p.defines[text]; d != nil && text != "" {
		text = d.Value
	}
	data, err := hex.DecodeString(text)
	switch {
	case err == nil && len(data) > 0:
		o.Data = data
	case err != nil && at.kind == tokWord && digits(at.text, 1, isHex) == 0:
		o.Symbol = at.text
	case err != nil:
		p.fail(at.pos, "an even number of hexadecimal digits for "+o.Kind.String(), fmt.Sprintf("%q", text))
	}
}

// counters reads up to three counters of AccECN, whose names are spelled in many ways.
func (p *parser) counters(o *ast.TCPOption) {
	for len(o.Counters) < 3 && p.tok.kind == tokWord {
		name := strings.ToLower(p.tok.text)
		if len(name) == 4 && name[0] == 'e' {
			name = name[1:]
		}
		if name != "e0b" && name != "ceb" && name != "e1b" {
			p.expected("e0b, ceb or e1b")
		}
		p.advance()
		v := p.number("a number for "+name, maxCounter)
		o.Counters = append(o.Counters, ast.Counter{Name: name, Value: uint32(v)})
	}
}
