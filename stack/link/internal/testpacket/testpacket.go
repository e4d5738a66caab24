// Package testpacket builds frames for the tests of the link packages.
package testpacket

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/wire"
)

// Spec says what packet to build.
type Spec struct {
	V6, UDP     bool
	Extensions  bool // IPv4 options, or an IPv6 Destination Options header
	Payload     []byte
	SegmentSize int // 0: one segment
	Checksum    link.Checksum
	ID          uint16
	Seq         uint32
	Flags       wire.TCPFlags
	Urgent      uint16
	Options     *wire.TCPOptions
}

var (
	src4, dst4 = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.2")
	src6, dst6 = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:1::2")
)

// Addrs returns the source and destination that New's packets have.
func (s *Spec) Addrs() (src, dst netip.Addr) {
	if s.V6 {
		return src6, dst6
	}
	return src4, dst4
}

func (s *Spec) proto() uint8 {
	if s.UDP {
		return wire.ProtoUDP
	}
	return wire.ProtoTCP
}

// New builds the packet in a frame of its own.
func New(s Spec) *link.Frame {
	var transport [60]byte
	var n int
	if s.UDP {
		n = wire.PutUDP(transport[:], 1234, 5678, len(s.Payload))
	} else {
		n = wire.PutTCP(transport[:], &wire.TCPFields{
			SrcPort: 1234, DstPort: 5678, Seq: s.Seq, Ack: 99, Flags: s.Flags,
			Window: 1000, Urgent: s.Urgent, Options: s.Options,
		})
	}
	f := &link.Frame{Buf: make([]byte, link.FrameSize), Off: link.Headroom}
	p := f.Buf[link.Headroom:]
	start := s.network(p, n+len(s.Payload))
	copy(p[start:], transport[:n])
	f.End = link.Headroom + start + n + copy(p[start+n:], s.Payload)
	f.SegmentSize, f.UDP = uint16(s.SegmentSize), s.UDP && s.SegmentSize > 0
	f.ECN = f.SegmentSize > 0 && s.Flags.Has(wire.FlagCWR)
	s.checksum(f, start)
	return f
}

// network writes the network header for n octets of transport and returns where
// they begin.
func (s *Spec) network(p []byte, n int) int {
	src, dst := s.Addrs()
	if !s.V6 {
		h := wire.IPv4Fields{ID: s.ID, TTL: 64, Protocol: s.proto(), Src: src, Dst: dst, PayloadLen: n}
		if s.Extensions {
			h.Options = []byte{1, 1, 1, 0}
		}
		return wire.PutIPv4(p, &h)
	}
	h := wire.IPv6Fields{HopLimit: 64, NextHeader: s.proto(), Src: src, Dst: dst, PayloadLen: n}
	if !s.Extensions {
		return wire.PutIPv6(p, &h)
	}
	h.NextHeader, h.PayloadLen = wire.ProtoDestination, n+8
	at := wire.PutIPv6(p, &h)
	copy(p[at:], []byte{s.proto(), 0, 1, 4, 0, 0, 0, 0})
	return at + 8
}

func (s *Spec) checksum(f *link.Frame, start int) {
	src, dst := s.Addrs()
	t := f.Packet()[start:]
	offset := wire.TCPChecksumOffset
	if s.UDP {
		offset = wire.UDPChecksumOffset
	}
	f.Checksum = s.Checksum
	if s.Checksum != link.ChecksumPartial {
		if s.UDP {
			wire.UDP(t).UpdateChecksum(src, dst)
		} else {
			wire.TCP(t).UpdateChecksum(src, dst)
		}
		return
	}
	f.ChecksumStart, f.ChecksumOffset = uint16(start), uint16(offset)
	sum := wire.PseudoHeaderSum(s.proto(), src, dst, len(t))
	t[offset], t[offset+1] = byte(sum>>8), byte(sum)
}

// Transport returns the transport header of a packet and what follows it, and the
// protocol.
func Transport(p []byte) (proto uint8, t []byte, src, dst netip.Addr, err error) {
	if len(p) > 0 && p[0]>>4 == 6 {
		ip, err := wire.ParseIPv6(p)
		if err != nil {
			return 0, nil, src, dst, err
		}
		ext, err := ip.Extensions()
		return ext.Protocol, ip[ext.Offset:], ip.Src(), ip.Dst(), err
	}
	ip, err := wire.ParseIPv4(p)
	if err != nil {
		return 0, nil, src, dst, err
	}
	if !ip.ChecksumOK() {
		return 0, nil, src, dst, errors.New("wrong IPv4 header checksum")
	}
	return ip.Protocol(), ip.Payload(), ip.Src(), ip.Dst(), nil
}

// Check returns what is wrong with a packet's lengths and checksums, nil if nothing is.
func Check(p []byte) error {
	proto, t, src, dst, err := Transport(p)
	if err != nil {
		return err
	}
	ok := false
	switch proto {
	case wire.ProtoTCP:
		h, err := wire.ParseTCP(t)
		ok = err == nil && h.ChecksumOK(src, dst)
	case wire.ProtoUDP:
		h, err := wire.ParseUDP(t)
		ok = err == nil && len(h) == len(t) && h.ChecksumOK(src, dst)
	}
	if !ok {
		return fmt.Errorf("wrong transport header or checksum in protocol %d", proto)
	}
	return nil
}

// Payload returns the transport payload of a packet that Check finds right.
func Payload(p []byte) []byte {
	proto, t, _, _, _ := Transport(p)
	if proto == wire.ProtoUDP {
		return wire.UDP(t).Payload()
	}
	return wire.TCP(t).Payload()
}
