package wire

import (
	"fmt"
	"strings"
)

// transport tells of what an IP packet carries.
func (d *describer) transport(proto uint8, b []byte) {
	switch proto {
	case ProtoTCP:
		d.tcp(b)
	case ProtoUDP:
		d.udp(b)
	case ProtoICMP:
		d.icmpv4(b)
	case ProtoICMPv6:
		d.icmpv6(b)
	case ProtoIPv4, ProtoIPv6:
		d.nested(b, d.quoted)
	default:
		if len(b) > 0 {
			d.line("%s payload %d", ProtocolName(proto), len(b))
		}
	}
}

func (d *describer) tcp(b []byte) {
	if d.quoted && len(b) >= 8 && len(b) < TCPMinHeader {
		// A quotation need not have more than the ports and the sequence number.
		h := TCP(b)
		d.line("TCP %d > %d seq %d (cut short)", h.SrcPort(), h.DstPort(), h.Seq())
		return
	}
	h, err := ParseTCP(b)
	if err != nil {
		d.bad("TCP", b, err)
		return
	}
	sum := ""
	if !d.quoted && !h.ChecksumOK(d.src, d.dst) {
		sum = d.checksum(h.Checksum(), ProtoTCP, len(h))
	}
	urgent := ""
	if h.Flags().Has(FlagURG) {
		urgent = fmt.Sprintf(" urg %d", h.Urgent())
	}
	d.line("TCP %d > %d [%v] seq %d ack %d win %d%s%s payload %d%s", h.SrcPort(), h.DstPort(), h.Flags(),
		h.Seq(), h.Ack(), h.Window(), urgent, describeOptions(h.Options()), len(h.Payload()), sum)
}

// checksum tells a checksum that was left to a device from a wrong one.
func (d *describer) checksum(field uint16, proto uint8, n int) string {
	if field == PseudoHeaderSum(proto, d.src, d.dst, n) {
		return " checksum partial"
	}
	return fmt.Sprintf(" checksum 0x%04x wrong", field)
}

// describeOptions writes TCP options as packetdrill does, between angle brackets.
func describeOptions(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	var o TCPOptions
	err := ParseTCPOptions(b, &o)
	var list []string
	if o.MSS != 0 {
		list = append(list, fmt.Sprintf("mss %d", o.MSS))
	}
	if o.SACKPermitted {
		list = append(list, "sackOK")
	}
	if o.HasTimestamps {
		list = append(list, fmt.Sprintf("TS val %d ecr %d", o.TSVal, o.TSEcr))
	}
	if o.HasWindowScale {
		list = append(list, fmt.Sprintf("wscale %d", o.WindowScale))
	}
	if o.HasUserTimeout {
		list = append(list, fmt.Sprintf("uto 0x%04x", o.UserTimeout))
	}
	for _, s := range o.SACK[:o.NumSACK] {
		list = append(list, fmt.Sprintf("sack %d:%d", s.Left, s.Right))
	}
	if err != nil {
		list = append(list, "malformed")
	}
	return " <" + strings.Join(list, ",") + ">"
}

func (d *describer) udp(b []byte) {
	if d.quoted && len(b) >= UDPHeader {
		h := UDP(b)
		d.line("UDP %d > %d len %d", h.SrcPort(), h.DstPort(), h.Length())
		return
	}
	h, err := ParseUDP(b)
	if err != nil {
		d.bad("UDP", b, err)
		return
	}
	sum := ""
	if !h.ChecksumOK(d.src, d.dst) {
		sum = d.checksum(h.Checksum(), ProtoUDP, len(h))
	}
	d.line("UDP %d > %d payload %d%s", h.SrcPort(), h.DstPort(), len(h.Payload()), sum)
}

func (d *describer) icmpv4(b []byte) {
	h, err := ParseICMPv4(b)
	if err != nil {
		d.bad("ICMP", b, err)
		return
	}
	sum := ""
	if !d.quoted && !h.ChecksumOK() {
		sum = fmt.Sprintf(" checksum 0x%04x wrong", h.Checksum())
	}
	detail := ""
	switch h.Type() {
	case ICMPv4Echo, ICMPv4EchoReply:
		detail = fmt.Sprintf(" id %d seq %d payload %d", h.ID(), h.Seq(), len(h.Body()))
	case ICMPv4Unreachable:
		detail = fmt.Sprintf(" mtu %d", h.MTU())
	case ICMPv4ParameterProblem:
		detail = fmt.Sprintf(" pointer %d", h.Pointer())
	case ICMPv4Redirect:
		detail = fmt.Sprintf(" to %v", h.Gateway())
	}
	d.line("ICMP %s code %d%s%s", icmpv4Name(h.Type()), h.Code(), detail, sum)
	if h.IsError() {
		d.nested(quotation(h.Body(), h.QuoteLen()), true)
	}
}

// quotation trims an error's body to the quoted packet, where extensions follow it.
func quotation(body []byte, n int) []byte {
	if n == 0 || n > len(body) {
		return body
	}
	return body[:n]
}

func icmpv4Name(t uint8) string {
	switch t {
	case ICMPv4EchoReply:
		return "echo reply"
	case ICMPv4Unreachable:
		return "destination unreachable"
	case ICMPv4SourceQuench:
		return "source quench"
	case ICMPv4Redirect:
		return "redirect"
	case ICMPv4Echo:
		return "echo"
	case ICMPv4TimeExceeded:
		return "time exceeded"
	case ICMPv4ParameterProblem:
		return "parameter problem"
	}
	return fmt.Sprintf("type %d", t)
}

func (d *describer) icmpv6(b []byte) {
	h, err := ParseICMPv6(b)
	if err != nil {
		d.bad("ICMPv6", b, err)
		return
	}
	sum := ""
	if !d.quoted && !h.ChecksumOK(d.src, d.dst) {
		sum = d.checksum(h.Checksum(), ProtoICMPv6, len(h))
	}
	detail := ""
	switch h.Type() {
	case ICMPv6Echo, ICMPv6EchoReply:
		detail = fmt.Sprintf(" id %d seq %d payload %d", h.ID(), h.Seq(), len(h.Body()))
	case ICMPv6PacketTooBig:
		detail = fmt.Sprintf(" mtu %d", h.MTU())
	case ICMPv6ParameterProblem:
		detail = fmt.Sprintf(" pointer %d", h.Pointer())
	case ICMPv6NeighborSolicit, ICMPv6NeighborAdvert, ICMPv6Redirect, ICMPv6RouterAdvert, ICMPv6RouterSolicit:
		detail = describeNDP(h)
	}
	d.line("ICMPv6 %s code %d%s%s", icmpv6Name(h.Type()), h.Code(), detail, sum)
	if h.IsError() {
		d.nested(quotation(h.Body(), h.QuoteLen()), true)
	}
}

// describeNDP tells what a neighbor discovery message is about.
func describeNDP(h ICMPv6) string {
	if m, err := ParseNeighborSolicit(h); err == nil {
		return fmt.Sprintf(" who has %v", m.Target())
	}
	if m, err := ParseNeighborAdvert(h); err == nil {
		mac, _ := m.Options().LinkAddr(NDPOptionTargetLinkAddr)
		return fmt.Sprintf(" %v is at %v%s%s%s", m.Target(), mac,
			mark(m.Router(), " router"), mark(m.Solicited(), " solicited"), mark(m.Override(), " override"))
	}
	if m, err := ParseRouterAdvert(h); err == nil {
		return fmt.Sprintf(" lifetime %v", m.Lifetime())
	}
	if m, err := ParseRedirect(h); err == nil {
		return fmt.Sprintf(" %v by %v", m.Destination(), m.Target())
	}
	if _, err := ParseRouterSolicit(h); err == nil {
		return ""
	}
	return " malformed"
}

func icmpv6Name(t uint8) string {
	switch t {
	case ICMPv6Unreachable:
		return "destination unreachable"
	case ICMPv6PacketTooBig:
		return "packet too big"
	case ICMPv6TimeExceeded:
		return "time exceeded"
	case ICMPv6ParameterProblem:
		return "parameter problem"
	case ICMPv6Echo:
		return "echo"
	case ICMPv6EchoReply:
		return "echo reply"
	case ICMPv6RouterSolicit:
		return "router solicitation"
	case ICMPv6RouterAdvert:
		return "router advertisement"
	case ICMPv6NeighborSolicit:
		return "neighbor solicitation"
	case ICMPv6NeighborAdvert:
		return "neighbor advertisement"
	case ICMPv6Redirect:
		return "redirect"
	}
	return fmt.Sprintf("type %d", t)
}
