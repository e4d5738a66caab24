package script

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/weirnet/weir/stack/wire"
)

// Captured is a packet that the stack under test has sent.
type Captured struct {
	// At is when it left, on the backend's clock.
	At time.Duration
	// Packet begins with the IP header.
	Packet []byte
	// Unsummed says that the device is to finish the transport checksum.
	Unsummed bool
	// SegmentSize is the payload of each segment that a super-segment is to be cut into; 0
	// where the packet is one segment.
	SegmentSize int
}

// packet is a packet taken apart: one that was sent, or one as the script has it.
type packet struct {
	at       time.Duration
	src, dst netip.AddrPort // port 0 where the protocol has none
	tos, ttl uint8
	flow     uint32 // IPv6's flow label
	protocol uint8
	seg      int    // payload of each segment of a super-segment
	badSum   string // the protocol whose checksum is wrong

	// TCP
	flags   wire.TCPFlags
	seq     uint32
	ack     uint32
	window  uint16
	urgent  uint16
	options []option
	// reserved is the three bits that no RFC gives a meaning; they are sent as zero (RFC 9293 §3.1).
	reserved uint8

	// ICMP
	icmpType, icmpCode uint8
	icmpRest           uint32

	udpLength uint16
	payload   []byte // of ICMP: what is behind the eight octets of the header
}

// option is one TCP option: its kind and what follows the length octet. End of list and
// no-operation have no data.
type option struct {
	kind uint8
	data []byte
	bad  bool // the length octet does not fit what follows
}

var errNotIP = errors.New("script: a packet that is neither IPv4 nor IPv6")

// decode takes a captured packet apart. It keeps no reference to c.Packet.
func decode(c Captured) (*packet, error) {
	p := &packet{at: c.At, seg: c.SegmentSize}
	b := slices.Clone(c.Packet)
	if len(b) == 0 {
		return nil, errNotIP
	}
	switch b[0] >> 4 {
	case 4:
		h, err := wire.ParseIPv4(b)
		if err != nil {
			return nil, err
		}
		p.setAddrs(h.Src(), h.Dst())
		p.tos, p.ttl, p.protocol = h.TOS(), h.TTL(), h.Protocol()
		if !h.ChecksumOK() {
			p.badSum = "IPv4"
		}
		b = h.Payload()
	case 6:
		h, err := wire.ParseIPv6(b)
		if err != nil {
			return nil, err
		}
		p.setAddrs(h.Src(), h.Dst())
		p.tos, p.ttl, p.flow = h.TrafficClass(), h.HopLimit(), h.FlowLabel()
		proto, off, ok := h.UpperLayer()
		if !ok {
			return nil, errors.New("script: an IPv6 packet without a transport header")
		}
		p.protocol, b = proto, h[off:]
	default:
		return nil, errNotIP
	}
	if err := p.decodeTransport(b); err != nil {
		return p, err
	}
	if !c.Unsummed && c.SegmentSize == 0 && !p.summed(b) {
		p.badSum = wire.ProtocolName(p.protocol)
	}
	return p, nil
}

// summed reports whether the checksum of what follows the IP header is right.
func (p *packet) summed(b []byte) bool {
	src, dst := p.src.Addr(), p.dst.Addr()
	switch p.protocol {
	case wire.ProtoTCP:
		return wire.TCP(b).ChecksumOK(src, dst)
	case wire.ProtoUDP:
		return wire.UDP(b).ChecksumOK(src, dst)
	case wire.ProtoICMP:
		return wire.ICMPv4(b).ChecksumOK()
	case wire.ProtoICMPv6:
		return wire.ICMPv6(b).ChecksumOK(src, dst)
	}
	return true
}

func (p *packet) setAddrs(src, dst netip.Addr) {
	p.src, p.dst = netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0)
}

func (p *packet) setPorts(src, dst uint16) {
	p.src, p.dst = netip.AddrPortFrom(p.src.Addr(), src), netip.AddrPortFrom(p.dst.Addr(), dst)
}

func (p *packet) decodeTransport(b []byte) error {
	switch p.protocol {
	case wire.ProtoTCP:
		h, err := wire.ParseTCP(b)
		if err != nil {
			return err
		}
		p.setPorts(h.SrcPort(), h.DstPort())
		p.flags, p.seq, p.ack = h.Flags(), h.Seq(), h.Ack()
		p.window, p.urgent = h.Window(), h.Urgent()
		p.options, p.payload = decodeOptions(h.Options()), h.Payload()
		p.reserved = b[12] >> 1 & 7
	case wire.ProtoUDP:
		if len(b) < 8 {
			return errors.New("script: a UDP datagram shorter than its header")
		}
		p.setPorts(binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]))
		p.udpLength, p.payload = binary.BigEndian.Uint16(b[4:]), b[8:]
	case wire.ProtoICMP, wire.ProtoICMPv6:
		if len(b) < 8 {
			return errors.New("script: an ICMP message shorter than its header")
		}
		p.icmpType, p.icmpCode = b[0], b[1]
		p.icmpRest, p.payload = binary.BigEndian.Uint32(b[4:]), b[8:]
	default:
		p.payload = b
	}
	return nil
}

// decodeOptions splits the options of a TCP header. What follows an option with an impossible
// length is one bad option.
func decodeOptions(b []byte) (list []option) {
	for len(b) > 0 {
		switch {
		case b[0] == wire.TCPOptionNop || b[0] == wire.TCPOptionEnd:
			list = append(list, option{kind: b[0]})
			b = b[1:]
		case len(b) < 2 || b[1] < 2 || int(b[1]) > len(b):
			return append(list, option{kind: b[0], data: b[1:], bad: true})
		default:
			n := int(b[1])
			list = append(list, option{kind: b[0], data: b[2:n]})
			b = b[n:]
		}
	}
	return list
}

// is6 reports whether the packet is IPv6.
func (p *packet) is6() bool { return p.src.Addr().Is6() }

// isICMP reports whether the packet is an ICMP message of either family.
func (p *packet) isICMP() bool {
	return p.protocol == wire.ProtoICMP || p.protocol == wire.ProtoICMPv6
}

// timestamps returns the data of the timestamps option: eight octets, or nil.
func (p *packet) timestamps() []byte {
	for _, o := range p.options {
		if o.kind == wire.TCPOptionTimestamps && len(o.data) == 8 {
			return o.data
		}
	}
	return nil
}

// clone returns a copy that shares only the payload.
func (p *packet) clone() *packet {
	q := *p
	q.options = make([]option, len(p.options))
	for i, o := range p.options {
		q.options[i] = option{o.kind, slices.Clone(o.data), o.bad}
	}
	return &q
}
