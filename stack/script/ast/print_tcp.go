package ast

import (
	"fmt"
	"strings"
)

// String returns the segment in the language.
func (t *TCP) String() string {
	var b strings.Builder
	if t.Ports != nil {
		b.WriteString(t.Ports.String() + " ")
	}
	b.WriteString(t.Flags + " " + t.Seq.String())
	add := func(name string, m Maybe) {
		if m.Set {
			fmt.Fprintf(&b, " %s %d", name, m.Value)
		}
	}
	add("ack", t.Ack)
	add("win", t.Win)
	add("urg", t.Urg)
	switch {
	case t.OptionsAny:
		b.WriteString(" <...>")
	case len(t.Options) > 0:
		options := make([]string, len(t.Options))
		for i, o := range t.Options {
			options[i] = o.String()
		}
		b.WriteString(" <" + strings.Join(options, ",") + ">")
	}
	return b.String() + encap(t.Encap)
}

// String returns start:end(len) and the marks.
func (s Seq) String() string {
	if s.Any {
		return fmt.Sprintf("...(%d)", s.Len)
	}
	mark := ""
	if s.Absolute {
		mark = "!"
	}
	return fmt.Sprintf("%d:%d(%d)%s", s.Start, s.End, s.Len, mark)
}

var optionNames = [...]string{
	OptNOP: "nop", OptEOL: "eol", OptMSS: "mss", OptWScale: "wscale", OptSACKOK: "sackOK", OptSACK: "sack", OptTS: "TS",
	OptFO: "FO", OptFOEXP: "FOEXP", OptMD5: "md5", OptAccECN0: "AccECN0", OptAccECN1: "AccECN1", OptAccECN: "ECN",
	OptExpAccECN0: "exp-AccECN0", OptExpAccECN1: "exp-AccECN1", OptExpTARR: "exp-tarr", OptUnknown: "unknown",
}

// String returns the name of the kind.
func (k OptionKind) String() string {
	if int(k) < len(optionNames) {
		return optionNames[k]
	}
	return fmt.Sprintf("OptionKind(%d)", uint8(k))
}

// String returns the option as it stands between the angle brackets.
func (o TCPOption) String() string {
	if o.Kind == OptUnknown {
		return o.Text
	}
	s := o.Kind.String()
	if o.Value.Set {
		s += fmt.Sprintf(" %d", o.Value.Value)
	}
	if !o.Value.Set && (o.Kind == OptMSS || o.Kind == OptWScale) {
		s += " *"
	}
	for _, b := range o.Blocks {
		s += fmt.Sprintf(" %d:%d", b.Left, b.Right)
	}
	for _, c := range o.Counters {
		s += fmt.Sprintf(" %s %d", c.Name, c.Value)
	}
	if len(o.Data) > 0 {
		s += fmt.Sprintf(" %x", o.Data)
	}
	if o.Symbol != "" {
		s += " " + o.Symbol
	}
	if o.Kind == OptTS {
		s += " val " + stamp(o.Val, o.ValAny, false) + " ecr " + stamp(o.Ecr, o.EcrAny, o.EcrAbsolute)
	}
	return s
}

func stamp(v uint32, anything, absolute bool) string {
	if anything {
		return "..."
	}
	mark := ""
	if absolute {
		mark = "!"
	}
	return fmt.Sprintf("%d%s", v, mark)
}
