package script

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/wire"
)

// flagLetters is the letters of a script in the order in which they are written, with the
// bits that they stand for.
var flagLetters = []struct {
	bit    wire.TCPFlags
	letter byte
}{
	{wire.FlagFIN, 'F'}, {wire.FlagSYN, 'S'}, {wire.FlagRST, 'R'}, {wire.FlagPSH, 'P'}, {wire.FlagACK, '.'},
	{wire.FlagURG, 'U'}, {wire.FlagECE, 'E'}, {wire.FlagCWR, 'W'}, {wire.FlagAE, 'A'},
}

func flagString(f wire.TCPFlags) string {
	var b []byte
	for _, l := range flagLetters {
		if f&l.bit != 0 {
			b = append(b, l.letter)
		}
	}
	if b == nil {
		return "-"
	}
	return string(b)
}

// text is the packet in the script language, so that a person may copy it into a script.
func (p *packet) text(d ast.Direction) string {
	a := &ast.Packet{Direction: d}
	switch p.protocol {
	case wire.ProtoTCP:
		a.TCP = p.astTCP()
	case wire.ProtoUDP:
		a.UDP = &ast.UDP{Len: uint16(len(p.payload))}
	case wire.ProtoICMP, wire.ProtoICMPv6:
		a.ICMP = p.astICMP()
	default:
		return fmt.Sprintf("%s protocol %d (%d)", strings.TrimSpace(a.String()), p.protocol, len(p.payload))
	}
	a.IP.ECN = [...]ast.ECN{ast.ECNAbsent, ast.ECT1, ast.ECT0, ast.CE}[p.tos&3]
	if len(p.options) > 0 {
		return a.String() + " " + optionsText(p.options)
	}
	return a.String()
}

func (p *packet) astTCP() *ast.TCP {
	n := uint32(len(p.payload))
	t := &ast.TCP{
		Flags: flagString(p.flags),
		Seq:   ast.Seq{Start: p.seq, End: p.seq + n, Len: uint16(n)},
		Win:   ast.Just(uint32(p.window)),
	}
	if p.flags.Has(wire.FlagACK) {
		t.Ack = ast.Just(p.ack)
	}
	if p.flags.Has(wire.FlagURG) || p.urgent != 0 {
		t.Urg = ast.Just(uint32(p.urgent))
	}
	return t
}

// String is the option as a script writes it, or in hexadecimal where scripts have no name for it.
func (o option) String() string {
	if a, ok := astOption(o); ok {
		return a.String()
	}
	return fmt.Sprintf("kind %d 0x%x", o.kind, o.data)
}

func astOption(o option) (ast.TCPOption, bool) {
	be := binary.BigEndian
	switch {
	case o.kind == wire.TCPOptionNop && !o.bad:
		return ast.TCPOption{Kind: ast.OptNOP}, true
	case o.kind == wire.TCPOptionEnd && !o.bad:
		return ast.TCPOption{Kind: ast.OptEOL}, true
	case o.kind == wire.TCPOptionMSS && len(o.data) == 2:
		return ast.TCPOption{Kind: ast.OptMSS, Value: ast.Just(uint32(be.Uint16(o.data)))}, true
	case o.kind == wire.TCPOptionWindowScale && len(o.data) == 1:
		return ast.TCPOption{Kind: ast.OptWScale, Value: ast.Just(uint32(o.data[0]))}, true
	case o.kind == wire.TCPOptionSACKPermitted && len(o.data) == 0:
		return ast.TCPOption{Kind: ast.OptSACKOK}, true
	case o.kind == wire.TCPOptionSACK && len(o.data)%8 == 0:
		x := ast.TCPOption{Kind: ast.OptSACK}
		for b := o.data; len(b) > 0; b = b[8:] {
			x.Blocks = append(x.Blocks, ast.Block{Left: be.Uint32(b), Right: be.Uint32(b[4:])})
		}
		return x, true
	case o.kind == wire.TCPOptionTimestamps && len(o.data) == 8:
		return ast.TCPOption{Kind: ast.OptTS, Val: be.Uint32(o.data), Ecr: be.Uint32(o.data[4:])}, true
	case o.kind == optFastOpen:
		return ast.TCPOption{Kind: ast.OptFO, Data: o.data}, true
	case o.kind == optMD5:
		return ast.TCPOption{Kind: ast.OptMD5, Data: o.data}, true
	}
	return ast.TCPOption{}, false
}

func (p *packet) astICMP() *ast.ICMP {
	kinds := icmp4Kinds
	if p.protocol == wire.ProtoICMPv6 {
		kinds = icmp6Kinds
	}
	m := &ast.ICMP{Type: fmt.Sprintf("type_%d", p.icmpType)}
	for name, k := range kinds {
		if k.number != p.icmpType {
			continue
		}
		m.Type = name
		if int(p.icmpCode) < len(k.codes) {
			m.Code, _, _ = strings.Cut(k.codes[p.icmpCode], "|")
		}
	}
	if m.Code == "" && p.icmpCode != 0 {
		m.Code = fmt.Sprintf("code_%d", p.icmpCode)
	}
	return m
}

// seconds writes an instant as a script does.
func seconds(d time.Duration) string {
	return fmt.Sprintf("%.6f", d.Seconds())
}
