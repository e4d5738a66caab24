package msg

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// String returns the message as dig prints it.
func (m *Message) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, ";; ->>HEADER<<- opcode: %s, status: %s, id: %d\n;; flags:%s; QUERY: %d, ANSWER: %d, AUTHORITY: %d, ADDITIONAL: %d\n",
		m.Opcode, m.Rcode, m.ID, m.flagNames(), len(m.Question), len(m.Answer), len(m.Authority), m.additional())
	if m.EDNS != nil {
		b.WriteString("\n;; OPT PSEUDOSECTION:\n")
		m.EDNS.write(&b)
	} else {
		b.WriteString("\n")
	}
	if len(m.Question) > 0 {
		b.WriteString(";; QUESTION SECTION:\n")
		for _, q := range m.Question {
			b.WriteString(";" + q.String() + "\n")
		}
	}
	for _, s := range []struct {
		name string
		rrs  []RR
	}{{"ANSWER", m.Answer}, {"AUTHORITY", m.Authority}, {"ADDITIONAL", m.Additional}} {
		if len(s.rrs) == 0 {
			continue
		}
		b.WriteString("\n;; " + s.name + " SECTION:\n")
		for _, r := range s.rrs {
			b.WriteString(r.String() + "\n")
		}
	}
	return b.String()
}

func (m *Message) additional() int {
	n := len(m.Additional)
	if m.EDNS != nil {
		n++
	}
	return n
}

func (h *Header) flagNames() string {
	s := ""
	for _, f := range []struct {
		set  bool
		name string
	}{
		{h.Response, " qr"}, {h.Authoritative, " aa"}, {h.Truncated, " tc"}, {h.RecursionDesired, " rd"},
		{h.RecursionAvailable, " ra"}, {h.AuthenticData, " ad"}, {h.CheckingDisabled, " cd"},
	} {
		if f.set {
			s += f.name
		}
	}
	return s
}

func (e *EDNS) write(b *strings.Builder) {
	flags := ""
	if e.DO {
		flags = " do"
	}
	fmt.Fprintf(b, "; EDNS: version: %d, flags:%s; udp: %d\n", e.Version, flags, e.Size)
	for _, o := range e.Options {
		b.WriteString("; " + o.String() + "\n")
	}
}

var optionNames = map[uint16]string{
	OptionNSID: "NSID", OptionECS: "CLIENT-SUBNET", OptionExpire: "EXPIRE", OptionCookie: "COOKIE",
	OptionKeepalive: "TCP-KEEPALIVE", OptionPadding: "PAD", OptionChain: "CHAIN", OptionKeyTag: "KEY-TAG",
	OptionEDE: "EDE", OptionReportTo: "REPORT-CHANNEL", OptionZoneVer: "ZONEVERSION",
}

// String returns the option's name and its data, in words for an extended error and in hexadecimal
// digits for others.
func (o Option) String() string {
	name, ok := optionNames[o.Code]
	switch {
	case !ok:
		name = fmt.Sprintf("OPT=%d", o.Code)
	case o.Code == OptionEDE && len(o.Data) >= 2:
		return "EDE: " + EDE{uint16(o.Data[0])<<8 | uint16(o.Data[1]), string(o.Data[2:])}.String()
	case o.Code == OptionNSID:
		return fmt.Sprintf("NSID: %s (\"%s\")", hex.EncodeToString(o.Data), printable(string(o.Data)))
	}
	return strings.TrimRight(name+": "+hex.EncodeToString(o.Data), " ")
}

// printable makes text of a stranger fit for a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
