package ast

import (
	"fmt"
	"strings"
)

// String returns the packet in the language.
func (p *Packet) String() string {
	s := "<"
	if p.Direction == Out {
		s = ">"
	}
	if p.Path != "" {
		s += " " + p.Path
	}
	for _, l := range p.Layers {
		s += " " + l.String()
	}
	if ip := p.IP.String(); ip != "" {
		s += " " + ip
	}
	switch {
	case p.TCP != nil:
		s += " " + p.TCP.String()
	case p.UDP != nil:
		s += " " + p.UDP.String()
	case p.ICMP != nil:
		s += " " + p.ICMP.String()
	case p.Unsupported != nil:
		s += " " + p.Unsupported.String()
	}
	if p.Fuzz != "" {
		s += " {" + p.Fuzz + "}"
	}
	return s
}

var ecnNames = [...]string{NotECT: "noecn", ECT0: "ect0", ECT1: "ect1", CE: "ce", ECT01: "ect01"}

// String returns the name of the code point, or "".
func (e ECN) String() string {
	if int(e) < len(ecnNames) {
		return ecnNames[e]
	}
	return fmt.Sprintf("ECN(%d)", uint8(e))
}

// String returns what is said of the header in square brackets, or "".
func (ip IP) String() string {
	var parts []string
	add := func(format string, m Maybe) {
		if m.Set {
			parts = append(parts, fmt.Sprintf(format, m.Value))
		}
	}
	add("tos %#x", ip.TOS)
	add("dscp %#x", ip.DSCP)
	if ip.ECN != ECNAbsent && ip.DSCP.Set {
		parts = append(parts, "ecn "+ip.ECN.String())
	} else if ip.ECN != ECNAbsent {
		parts = append(parts, ip.ECN.String())
	}
	add("flowlabel %#x", ip.FlowLabel)
	add("ttl %d", ip.TTL)
	if parts == nil {
		return ""
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// String returns the header with its colon.
func (l Layer) String() string {
	switch l.Kind {
	case LayerGRE:
		return strings.TrimRight("gre "+l.Text, " ") + ":"
	case LayerPSP:
		return "psp " + l.Text + ":"
	case LayerPSPTransport:
		return "encap psp " + l.Text
	case LayerMPLS:
		s := "mpls"
		for _, e := range l.MPLS {
			s += " " + e.String()
		}
		return s + ":"
	}
	s := "ipv4"
	if l.Kind == LayerIPv6 {
		s = "ipv6"
	}
	if ip := l.IP.String(); ip != "" {
		s += " " + ip
	}
	return s + " " + l.Src + " > " + l.Dst + ":"
}

// String returns the entry in its parentheses.
func (e Label) String() string {
	bottom := ""
	if e.Bottom {
		bottom = "[S], "
	}
	return fmt.Sprintf("(label %d, tc %d, %sttl %d)", e.Label, e.TC, bottom, e.TTL)
}

// String returns the ports as source > destination.
func (p Ports) String() string { return fmt.Sprintf("%d > %d", p.Src, p.Dst) }

// String returns the datagram in the language.
func (u *UDP) String() string {
	s := "udp "
	if u.Ports != nil {
		s += u.Ports.String() + " "
	}
	return fmt.Sprintf("%s(%d)", s, u.Len)
}

// String returns the message in the language.
func (m *ICMP) String() string {
	s := "icmp " + m.Type
	if m.Code != "" {
		s += " " + m.Code
	}
	if m.MTU.Set {
		s += fmt.Sprintf(" mtu %d", m.MTU.Value)
	}
	if m.ID.Set {
		s += fmt.Sprintf(" id %d", m.ID.Value)
	}
	if m.Quoted != nil {
		s += " [" + m.Quoted.String() + "]"
	}
	return s
}

// String returns the quoted packet without its brackets.
func (q *Quoted) String() string {
	var s string
	switch q.Kind {
	case QuotedTCP:
		s = q.Seq.String()
	case QuotedUDP:
		s = fmt.Sprintf("udp (%d)", q.Len)
	case QuotedRaw:
		s = fmt.Sprintf("raw (%d)", q.Len)
	case QuotedUDPLite:
		s = fmt.Sprintf("udplite (%d, %d)", q.Len, q.Coverage)
	case QuotedSCTP:
		s = fmt.Sprintf("sctp (%d)", q.Tag)
	}
	return s + encap(q.Encap)
}

func encap(p *Ports) string {
	if p == nil {
		return ""
	}
	return " /udp (" + p.String() + ")"
}

// String returns the packet's text.
func (u *Unsupported) String() string { return u.Text }
