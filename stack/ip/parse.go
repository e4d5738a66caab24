package ip

import (
	"encoding/binary"
	"net/netip"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// Parse checks the packet of a frame that came from a wire and fills p, which needs no
// clearing before. It allocates nothing. It trims the frame to the packet's own length.
//
// The checks are those that every node makes: RFC 1122 §3.2.1 and RFC 8200 §3, §4.
// The transport checksum is not among them. On a drop for options or extension
// headers p is filled as far as an ICMP error needs it and p.Problem says which one.
func Parse(f *link.Frame, p *Packet) Drop { return parse(f, p, false) }

// ParseLoopback is Parse for the frames of a loopback device, which never
// were on a wire: 127.0.0.0/8 and ::1 are good addresses there (RFC 1122 §3.2.1.3 (g),
// RFC 4291 §2.5.3).
func ParseLoopback(f *link.Frame, p *Packet) Drop { return parse(f, p, true) }

func parse(f *link.Frame, p *Packet, loopback bool) Drop {
	*p = Packet{Frame: f, Loopback: loopback}
	b := f.Packet()
	if len(b) == 0 {
		return DropTruncated
	}
	switch b[0] >> 4 {
	case 4:
		return p.parse4(b)
	case 6:
		return p.parse6(b)
	}
	return DropVersion
}

// parse4 reads an IPv4 header (RFC 791 §3.1).
func (p *Packet) parse4(b []byte) Drop {
	if len(b) < wire.IPv4MinHeader {
		return DropTruncated
	}
	header, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case header < wire.IPv4MinHeader || total < header:
		return DropHeaderLength
	case total > len(b):
		return DropTruncated
	case wire.Sum(b[:header], 0) != 0xffff:
		return DropHeaderChecksum // RFC 1122 §3.2.1.2: a host MUST verify it
	}
	p.Version = 4
	p.TOS, p.HopLimit = b[1], b[8]
	p.Protocol, p.ProtocolOffset = b[9], 9
	p.FragID = uint32(binary.BigEndian.Uint16(b[4:]))
	frag := binary.BigEndian.Uint16(b[6:])
	p.DontFragment, p.MoreFragments = frag&0x4000 != 0, frag&0x2000 != 0
	p.FragOffset = int(frag&0x1fff) * 8
	p.Fragment = p.MoreFragments || p.FragOffset != 0
	p.Src = netip.AddrFrom4([4]byte(b[12:16]))
	p.Dst = netip.AddrFrom4([4]byte(b[16:20]))
	if d := p.bound(b, header, total); d != DropNone {
		return d
	}
	if d := p.martian4([4]byte(b[12:16]), [4]byte(b[16:20])); d != DropNone {
		return d
	}
	if header > wire.IPv4MinHeader {
		return p.options4()
	}
	return DropNone
}

// parse6 reads an IPv6 header and walks its extension headers (RFC 8200 §3, §4).
func (p *Packet) parse6(b []byte) Drop {
	if len(b) < wire.IPv6Header {
		return DropTruncated
	}
	total := wire.IPv6Header + int(binary.BigEndian.Uint16(b[4:]))
	if total > len(b) {
		return DropTruncated
	}
	p.Version = 6
	p.TOS, p.HopLimit = b[0]<<4|b[1]>>4, b[7]
	p.Protocol, p.ProtocolOffset = b[6], 6
	p.Src = netip.AddrFrom16([16]byte(b[8:24]))
	p.Dst = netip.AddrFrom16([16]byte(b[24:40]))
	if d := p.bound(b, wire.IPv6Header, total); d != DropNone {
		return d
	}
	switch b[6] {
	case wire.ProtoTCP, wire.ProtoUDP, wire.ProtoICMPv6: // nothing to walk
	default:
		if d := p.extensions6(b[:total:total]); d != DropNone {
			return d
		}
	}
	return p.martian6()
}

// bound trims the frame to the packet's own length and divides it into Header and
// Payload. What the virtio-net header says must still lie within it.
func (p *Packet) bound(b []byte, header, total int) Drop {
	f := p.Frame
	f.End = f.Off + total
	p.Header, p.Payload = b[:header:header], b[header:total:total]
	if f.Checksum == link.ChecksumPartial && int(f.ChecksumStart)+int(f.ChecksumOffset)+2 > total {
		return DropOffload
	}
	return DropNone
}

// options4 judges the IPv4 options. Malformed ones drop the packet (RFC 1122 §3.2.1.8),
// and so does a source route (RFC 7126 §4.3.5, §4.4.5). The others pass, known or not:
// a host "MUST silently ignore" an option that it does not understand.
func (p *Packet) options4() Drop {
	i, err := wire.IPv4(p.Header).CheckOptions()
	switch {
	case i.SourceRoute != 0:
		return DropSourceRoute
	case err != nil:
		p.problem(ProblemReportUnicast, wire.ICMPv4CodePointer, i.ProblemPointer, DropOptions)
		return DropOptions
	}
	return DropNone
}
