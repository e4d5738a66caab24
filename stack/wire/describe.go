package wire

import (
	"fmt"
	"net/netip"
	"strings"
)

// maxDescription is what a description never exceeds, in octets: that of maxNesting packets
// within a packet, each with the longest lines that there are.
const maxDescription = 4096

// maxNesting bounds how many packets within packets (tunnels, quotations) Describe opens.
const maxNesting = 3

// Describe tells what an IP packet holds, one line a layer, the lines of a packet within a
// packet indented. It is for people: failures of tests, listings, logs. It takes any
// octets, never panics, and what it returns is bounded whatever it is given.
func Describe(packet []byte) string {
	d := describer{}
	d.packet(packet, false)
	return strings.TrimSuffix(d.String(), "\n")
}

// DescribeFrame is Describe for an Ethernet frame.
func DescribeFrame(frame []byte) string {
	d := describer{}
	d.frame(frame)
	return strings.TrimSuffix(d.String(), "\n")
}

// describer gathers the lines.
type describer struct {
	strings.Builder
	depth    int
	src, dst netip.Addr // of the packet that holds the transport header
	quoted   bool       // the packet may have been cut short, so no checksum is judged
}

func (d *describer) line(format string, args ...any) {
	for range d.depth {
		d.WriteString("  ")
	}
	fmt.Fprintf(d, format, args...)
	d.WriteByte('\n')
}

func (d *describer) frame(b []byte) {
	h, err := ParseEthernet(b)
	if err != nil {
		d.bad("Ethernet", b, err)
		return
	}
	tag := ""
	if id, ok := h.VLAN(); ok {
		tag = fmt.Sprintf(" vlan %d", id)
	}
	d.line("Ethernet %v > %v type 0x%04x%s len %d", h.Src(), h.Dst(), h.EtherType(), tag, len(h))
	switch h.EtherType() {
	case EtherTypeARP:
		d.arp(h.Payload())
	case EtherTypeIPv4, EtherTypeIPv6:
		d.packet(h.Payload(), false)
	}
}

func (d *describer) arp(b []byte) {
	h, err := ParseARP(b)
	if err != nil {
		d.bad("ARP", b, err)
		return
	}
	switch h.Op() {
	case ARPRequest:
		d.line("ARP who has %v, tell %v (%v)", h.TargetIP(), h.SenderIP(), h.SenderMAC())
	case ARPReply:
		d.line("ARP %v is at %v, to %v", h.SenderIP(), h.SenderMAC(), h.TargetIP())
	default:
		d.line("ARP op %d", h.Op())
	}
}

// bad tells of a layer that does not parse, with its first octets.
func (d *describer) bad(layer string, b []byte, err error) {
	d.line("%s malformed: %s; %d octets: %x", layer, strings.TrimPrefix(err.Error(), "wire: "), len(b), b[:min(len(b), 24)])
}

func (d *describer) packet(b []byte, quoted bool) {
	if d.quoted = quoted; len(b) == 0 {
		d.line("empty packet")
		return
	}
	switch b[0] >> 4 {
	case 4:
		d.ipv4(b)
	case 6:
		d.ipv6(b)
	default:
		d.bad("IP", b, ErrVersion)
	}
}

func (d *describer) ipv4(b []byte) {
	parse := ParseIPv4
	if d.quoted {
		parse = ParseQuotedIPv4
	}
	h, err := parse(b)
	if err != nil {
		d.bad("IPv4", b, err)
		return
	}
	d.src, d.dst = h.Src(), h.Dst()
	extra := mark(h.DontFragment(), " DF") + mark(h.MoreFragments(), " MF") +
		mark(!h.ChecksumOK(), fmt.Sprintf(" header checksum 0x%04x wrong", h.Checksum()))
	if h.IsFragment() {
		extra += fmt.Sprintf(" fragment at %d", h.FragmentOffset())
	}
	if n := len(h.Options()); n > 0 {
		extra += fmt.Sprintf(" options %d octets", n)
	}
	if i, err := h.CheckOptions(); err != nil {
		extra += fmt.Sprintf(" (%s at octet %d)", i.Problem.String(), i.ProblemPointer)
	}
	d.line("IPv4 %v > %v %s ttl %d tos 0x%02x id %d len %d%s", h.Src(), h.Dst(),
		ProtocolName(h.Protocol()), h.TTL(), h.TOS(), h.ID(), h.TotalLen(), extra)
	if h.FragmentOffset() == 0 {
		d.quoted = d.quoted || h.MoreFragments()
		d.transport(h.Protocol(), h.Payload())
	}
}

func (d *describer) ipv6(b []byte) {
	parse := ParseIPv6
	if d.quoted {
		parse = ParseQuotedIPv6
	}
	h, err := parse(b)
	if err != nil {
		d.bad("IPv6", b, err)
		return
	}
	d.src, d.dst = h.Src(), h.Dst()
	d.line("IPv6 %v > %v %s hlim %d class 0x%02x flow 0x%05x len %d", h.Src(), h.Dst(),
		ProtocolName(h.NextHeader()), h.HopLimit(), h.TrafficClass(), h.FlowLabel(), h.PayloadLen())
	if d.extensions(h) {
		if proto, off, ok := h.UpperLayer(); ok {
			d.transport(proto, h[off:])
		}
	}
}

// extensions tells of the extension headers; it reports whether an upper layer may follow.
func (d *describer) extensions(h IPv6) bool {
	i, err := h.Extensions()
	if i.FragOffset != 0 {
		f := IPv6Fragment(h[i.FragOffset:])
		d.line("Fragment at %d id 0x%08x%s, then %s", f.Offset(), f.ID(), mark(f.More(), " more"), ProtocolName(f.NextHeader()))
		d.quoted = d.quoted || i.Fragment
	}
	switch {
	case err != nil:
		d.line("extension headers: %s at octet %d", i.Problem.String(), i.ProblemPointer)
	case i.Headers > 0:
		d.line("extension headers %d, %d octets%s", i.Headers, i.Offset-IPv6Header, mark(i.RouterAlert, ", router alert"))
	}
	return err == nil
}

func mark(set bool, text string) string {
	if set {
		return text
	}
	return ""
}

// nested describes a packet within the packet.
func (d *describer) nested(b []byte, quoted bool) {
	if d.depth == maxNesting {
		d.line("%d octets more", len(b))
		return
	}
	d.depth++
	d.packet(b, quoted)
	d.depth--
}
