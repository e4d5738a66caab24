package script

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/wire"
)

// matcher compares a packet that the stack sent with what a script expects.
type matcher struct {
	script *ast.Packet
	want   *packet
	got    *packet // its numbers are the script's
	e      *endpoint
	rules  matchRules
	diffs  []string
	psh    bool // PSH differs
}

// matchRules is what is compared beyond the packet itself.
type matchRules struct {
	echo      bool          // a timestamp's echo
	tick      time.Duration // of a timestamp's value; 0: it is not compared
	tolerance time.Duration
}

func (m *matcher) differ(field string, want, got any) {
	m.diffs = append(m.diffs, fmt.Sprintf("%s %v, not %v", field, got, want))
}

func differ[T comparable](m *matcher, field string, want, got T) {
	if want != got {
		m.differ(field, want, got)
	}
}

// compare returns what differs, PSH apart.
func (m *matcher) compare() (diffs []string, psh bool) {
	if m.want.is6() != m.got.is6() {
		m.differ("IP version", 4+2*b2i(m.want.is6()), 4+2*b2i(m.got.is6()))
		return m.diffs, false
	}
	if m.want.protocol != m.got.protocol {
		m.differ("protocol", wire.ProtocolName(m.want.protocol), wire.ProtocolName(m.got.protocol))
		return m.diffs, false
	}
	m.compareIP()
	if m.got.badSum != "" {
		m.diffs = append(m.diffs, "the checksum of "+m.got.badSum+" is wrong")
	}
	switch {
	case m.script.TCP != nil:
		m.compareTCP()
	case m.script.UDP != nil:
		differ(m, "UDP length", m.want.udpLength, m.got.udpLength)
	default:
		differ(m, "ICMP type", m.want.icmpType, m.got.icmpType)
		differ(m, "ICMP code", m.want.icmpCode, m.got.icmpCode)
		if m.script.ICMP.MTU.Set {
			differ(m, "ICMP MTU", m.want.icmpRest, m.got.icmpRest)
		}
		return m.diffs, false // what it quotes is not in the script whole
	}
	if len(m.want.payload) != len(m.got.payload) {
		m.differ("payload length", len(m.want.payload), len(m.got.payload))
	} else if !bytes.Equal(m.want.payload, m.got.payload) {
		m.diffs = append(m.diffs, "the payload is not all zeros, as it was written")
	}
	return m.diffs, m.psh
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (m *matcher) compareIP() {
	ip := &m.script.IP
	ecn := m.got.tos & 3
	switch {
	case ip.TOS.Set:
		differ(m, "TOS octet", uint8(ip.TOS.Value), m.got.tos)
	case ip.DSCP.Set:
		differ(m, "DSCP", uint8(ip.DSCP.Value), m.got.tos>>2)
	}
	switch ip.ECN {
	case ast.ECNAbsent:
	case ast.ECT01:
		if ecn != 1 && ecn != 2 {
			m.differ("ECN", "ect01", ecnName(ecn))
		}
	default:
		differ(m, "ECN", ecnName(ecnBits(ip.ECN)), ecnName(ecn))
	}
	if ip.TTL.Set {
		differ(m, "TTL", uint8(ip.TTL.Value), m.got.ttl)
	}
	if ip.FlowLabel.Set && ip.FlowLabel.Value != 0 && m.got.is6() {
		m.compareLabel(ip.FlowLabel.Value)
	}
	if p := m.want.src.Port(); namesPorts(m.script) && p != 0 {
		differ(m, "source port", p, m.got.src.Port())
		differ(m, "destination port", m.want.dst.Port(), m.got.dst.Port())
	}
}

func ecnName(bits uint8) string {
	return [...]ast.ECN{ast.NotECT, ast.ECT1, ast.ECT0, ast.CE}[bits&3].String()
}

// compareLabel compares flow labels: the script's say which packets have the same.
func (m *matcher) compareLabel(script uint32) {
	live := m.got.flow
	switch {
	case live == 0:
		m.differ("flow label", "set", 0)
	case m.e.labelScript == 0 || script != m.e.labelScript && live != m.e.labelLive:
		m.e.labelScript, m.e.labelLive = script, live
	case script != m.e.labelScript:
		m.differ("flow label", "another than before", "the same")
	case live != m.e.labelLive:
		m.differ("flow label", fmt.Sprintf("%#x as before", m.e.labelLive), fmt.Sprintf("%#x", live))
	}
}

func (m *matcher) compareTCP() {
	t := m.script.TCP
	if m.want.flags&^wire.FlagPSH != m.got.flags&^wire.FlagPSH {
		m.differ("flags", flagString(m.want.flags), flagString(m.got.flags))
	} else if m.want.flags != m.got.flags {
		m.psh = true
	}
	if !t.Seq.Any {
		differ(m, "sequence number", m.want.seq, m.got.seq)
	}
	differ(m, "acknowledgment", m.want.ack, m.got.ack) // none is zero, with ACK and without
	if t.Win.Set {
		differ(m, "window", m.want.window, m.got.window)
	}
	differ(m, "urgent pointer", m.want.urgent, m.got.urgent)
	differ(m, "reserved bits", 0, m.got.reserved)
	if !t.OptionsAny {
		m.compareOptions()
	}
}

// compareOptions compares the options one by one, no-operations and ends of list included.
func (m *matcher) compareOptions() {
	w, g := m.want.options, m.got.options
	same := len(w) == len(g)
	for i := 0; same && i < len(w); i++ {
		same = w[i].kind == g[i].kind && w[i].bad == g[i].bad
	}
	if !same {
		m.differ("options", optionsText(w), optionsText(g))
		return
	}
	for i := range w {
		if w[i].kind == wire.TCPOptionTimestamps && len(g[i].data) == 8 {
			m.compareStamps(&m.script.TCP.Options[i], w[i].data, g[i].data)
		} else if !bytes.Equal(w[i].data, g[i].data) {
			m.differ("option", optionsText(w[i:i+1]), optionsText(g[i:i+1]))
		}
	}
}

func optionsText(list []option) string {
	s := make([]string, len(list))
	for i, o := range list {
		s[i] = o.String()
	}
	return "<" + strings.Join(s, ",") + ">"
}

func (m *matcher) compareStamps(o *ast.TCPOption, want, got []byte) {
	be := binary.BigEndian
	off := int32(be.Uint32(got) - be.Uint32(want))
	if m.rules.tick > 0 && !o.ValAny && time.Duration(max(off, -off))*m.rules.tick > m.rules.tolerance {
		m.differ("timestamp", be.Uint32(want), be.Uint32(got))
	}
	if m.rules.echo && !o.EcrAny {
		differ(m, "echoed timestamp", be.Uint32(want[4:]), be.Uint32(got[4:]))
	}
}

// cut divides a super-segment into the segments that the device would make of it: FIN and PSH
// stand on the last, CWR on the first.
func (p *packet) cut() []*packet {
	if p.seg <= 0 || len(p.payload) <= p.seg {
		return []*packet{p}
	}
	var list []*packet
	for rest := p.payload; len(rest) > 0; {
		q := p.clone()
		n := min(p.seg, len(rest))
		q.payload, q.seg = rest[:n], 0
		rest = rest[n:]
		if len(list) > 0 {
			q.seq = list[len(list)-1].seq + uint32(p.seg)
			q.flags &^= wire.FlagCWR
		}
		if len(rest) > 0 {
			q.flags &^= wire.FlagFIN | wire.FlagPSH
		}
		if q.protocol == wire.ProtoUDP {
			q.udpLength = uint16(n + 8)
		}
		list = append(list, q)
	}
	return list
}

// join makes one packet of consecutive segments, as packetdrill does it: the headers are the
// last one's, sequence number and CWR the first one's.
func join(list []*packet) *packet {
	first, last := list[0], list[len(list)-1]
	if len(list) == 1 {
		return first
	}
	p := last.clone()
	p.seq, p.seg = first.seq, 0
	p.flags = p.flags&^wire.FlagCWR | first.flags&wire.FlagCWR
	p.payload = nil
	for _, q := range list {
		p.payload = append(p.payload, q.payload...)
	}
	return p
}

// joins says why a segment may not be taken together with the one before it, or returns "".
func joins(prev, next *packet, last bool) string {
	const mayDiffer = wire.FlagFIN | wire.FlagPSH | wire.FlagCWR
	switch {
	case prev.protocol != wire.ProtoTCP || next.protocol != wire.ProtoTCP:
		return "only TCP segments make a larger one"
	case len(prev.payload) == 0:
		return "a segment without text is no part of one with text"
	case prev.flags&^mayDiffer != next.flags&^mayDiffer:
		return "the flags differ"
	case next.seq != prev.seq+uint32(len(prev.payload)):
		return "it does not follow the one before"
	case next.tos != prev.tos || next.ttl != prev.ttl:
		return "the IP headers differ"
	case next.ack != prev.ack || next.window != prev.window || next.urgent != prev.urgent:
		return "acknowledgment, window or urgent pointer differ"
	case optionsSize(prev.options) != optionsSize(next.options):
		return "the options differ"
	case !last && len(next.payload) != len(prev.payload):
		return "the sizes differ"
	}
	return ""
}

func optionsSize(list []option) (n int) {
	for _, o := range list {
		n += o.size()
	}
	return n
}
