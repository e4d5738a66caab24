package parse

import (
	"fmt"
	"math"
	"net/netip"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

var ecnWords = map[string]ast.ECN{"noecn": ast.NotECT, "ect0": ast.ECT0, "ect1": ast.ECT1, "ce": ast.CE, "ect01": ast.ECT01}

// dscpWords is the names of code points, from IANA's registry of them.
var dscpWords = map[string]uint32{
	"cs0": 0, "cs1": 8, "cs2": 16, "cs3": 24, "cs4": 32, "cs5": 40, "cs6": 48, "cs7": 56,
	"af11": 10, "af12": 12, "af13": 14, "af21": 18, "af22": 20, "af23": 22,
	"af31": 26, "af32": 28, "af33": 30, "af41": 34, "af42": 36, "af43": 38,
	"ef": 46, "voice_admit": 44, "voice-admit": 44, "le": 1,
}

// ipInfo reads what is said of an IP header in parentheses or brackets, if anything is.
func (p *parser) ipInfo(dir ast.Direction) ast.IP {
	ip := ast.IP{Pos: p.tok.pos}
	closing := byte(')')
	switch {
	case p.tok.is('['):
		closing = ']'
	case !p.tok.is('('):
		return ip
	}
	for {
		p.advance()
		p.ipField(&ip, dir)
		if !p.tok.is(',') {
			break
		}
	}
	p.punct(closing, "after the fields of the IP header")
	return ip
}

func (p *parser) ipField(ip *ast.IP, dir ast.Direction) {
	at := p.tok
	if p.tok.kind != tokWord {
		p.expected("a field of the IP header")
	}
	if p.ecn(ip, dir) {
		return
	}
	p.advance()
	switch at.text {
	case "ecn":
		if p.tok.kind != tokWord || !p.ecn(ip, dir) {
			p.expected("noecn, ect0, ect1, ect01 or ce")
		}
	case "tos", "class":
		p.ipNumber(&ip.TOS, at, 0xff)
	case "dscp":
		p.dscp(ip, at)
	case "flowlabel":
		p.ipNumber(&ip.FlowLabel, at, 0xfffff)
	case "ttl", "hlim", "hoplimit":
		p.ipNumber(&ip.TTL, at, 0xff)
	default:
		p.fail(at.pos, "noecn, ect0, ect1, ect01, ce, ecn, tos, class, dscp, flowlabel, ttl or hlim", at.describe())
	}
}

// ecn reads a code point of ECN, if the word at hand is one.
func (p *parser) ecn(ip *ast.IP, dir ast.Direction) bool {
	e, ok := ecnWords[p.tok.text]
	if !ok {
		return false
	}
	if ip.ECN != ast.ECNAbsent {
		p.expected("one ECN code point")
	}
	if e == ast.ECT01 && dir == ast.In {
		p.expected("a single code point for a packet in")
	}
	ip.ECN = e
	p.advance()
	return true
}

func (p *parser) ipNumber(m *ast.Maybe, name token, max uint64) {
	if m.Set {
		p.fail(name.pos, "each field of the IP header once", name.describe())
	}
	*m = ast.Just(uint32(p.number("a number for "+name.text, max)))
}

func (p *parser) dscp(ip *ast.IP, name token) {
	if p.tok.kind != tokWord {
		p.ipNumber(&ip.DSCP, name, 63)
		return
	}
	at := p.tok
	text := p.run(func(c byte) bool { return isWord(c) || c == '-' })
	v, ok := dscpWords[strings.ToLower(text)]
	if !ok || ip.DSCP.Set {
		p.fail(at.pos, "one DSCP as a number or a name such as cs1, af11 or ef", fmt.Sprintf("%q", text))
	}
	ip.DSCP = ast.Just(v)
}

// layers reads the headers that a packet is wrapped in.
func (p *parser) layers(dir ast.Direction) (layers []ast.Layer) {
	for p.tok.kind == tokWord {
		l := ast.Layer{Pos: p.tok.pos}
		switch p.tok.text {
		case "ipv4":
			p.ipLayer(&l, ast.LayerIPv4, dir)
		case "ipv6":
			p.ipLayer(&l, ast.LayerIPv6, dir)
		case "gre", "GREv0":
			p.advance()
			l.Kind, l.Text = ast.LayerGRE, p.raw(':')
			p.punct(':', "after the fields of the GRE header")
		case "psp":
			l.Kind, l.Text = ast.LayerPSP, p.psp()
			p.punct(':', "after the fields of the PSP header")
		case "encap":
			if p.advance(); !p.tok.word("psp") {
				p.expected("psp")
			}
			l.Kind, l.Text = ast.LayerPSPTransport, p.psp()
		case "mpls":
			p.advance()
			l.Kind, l.MPLS = ast.LayerMPLS, p.labels()
			p.punct(':', "after the MPLS labels")
		default:
			return layers
		}
		layers = append(layers, l)
	}
	return layers
}

// psp reads spi and the optional virtual cookie of Google's PSP.
func (p *parser) psp() string {
	p.advance()
	text := fmt.Sprintf("spi %#x", p.named("spi", math.MaxUint32))
	if p.tok.is(',') {
		p.advance()
		text += fmt.Sprintf(", vc %#x", p.named("vc", math.MaxUint64))
	}
	return text
}

func (p *parser) ipLayer(l *ast.Layer, k ast.LayerKind, dir ast.Direction) {
	p.advance()
	l.Kind, l.IP = k, p.ipInfo(dir)
	l.Src = p.address(k)
	p.punct('>', "between two addresses")
	l.Dst = p.address(k)
	p.punct(':', "after the addresses")
}

// address reads an address. The colon that ends a header is not a part of it.
func (p *parser) address(k ast.LayerKind) string {
	at := p.tok
	m := p.mark()
	text := p.run(func(c byte) bool { return isHex(c) || c == '.' || c == ':' })
	a, err := netip.ParseAddr(text)
	if err != nil && strings.HasSuffix(text, ":") {
		text = strings.TrimSuffix(text, ":")
		a, err = netip.ParseAddr(text)
		p.reset(m)
		p.seek(at.start + len(text))
	}
	want := "an IPv4 address"
	if k == ast.LayerIPv6 {
		want = "an IPv6 address"
	}
	if err != nil || a.Is4() != (k == ast.LayerIPv4) {
		p.fail(at.pos, want, at.describe())
	}
	return text
}

// labels reads a stack of (label 1, tc 2, [S], ttl 3).
func (p *parser) labels() (labels []ast.Label) {
	for p.tok.is('(') {
		l := ast.Label{Pos: p.tok.pos}
		p.advance()
		l.Label = uint32(p.named("label", 1<<20-1))
		p.punct(',', "after the label")
		l.TC = uint8(p.named("tc", 7))
		p.punct(',', "after the traffic class")
		if p.tok.is('[') {
			p.advance()
			if !p.tok.word("S") {
				p.expected("S, the bottom of the stack")
			}
			p.advance()
			p.punct(']', "after S")
			p.punct(',', "after [S]")
			l.Bottom = true
		}
		l.TTL = uint8(p.named("ttl", 0xff))
		p.punct(')', "after the label's fields")
		labels = append(labels, l)
	}
	return labels
}

// named reads a word and its number.
func (p *parser) named(word string, max uint64) uint64 {
	if !p.tok.word(word) {
		p.expected(word)
	}
	p.advance()
	return p.number("a number for "+word, max)
}
