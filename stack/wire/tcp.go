package wire

import (
	"encoding/binary"
	"net/netip"
)

// TCPMinHeader and TCPMaxHeader bound the length of a TCP header, in octets.
const (
	TCPMinHeader = 20
	TCPMaxHeader = 60
)

// TCPChecksumOffset is the place of the checksum field in a TCP header.
const TCPChecksumOffset = 16

// TCPFlags are the nine control bits of a TCP header.
type TCPFlags uint16

// The control bits (RFC 9293 §3.1; AE is RFC 9768's, once named NS).
const (
	FlagFIN TCPFlags = 1 << iota
	FlagSYN
	FlagRST
	FlagPSH
	FlagACK
	FlagURG
	FlagECE
	FlagCWR
	FlagAE
)

// flagLetters stand in the order in which String writes them: tcpdump's and
// packetdrill's, with the letters that those use.
const flagLetters = "FSRPAUEWN"

// String writes one letter for each bit set, in the order FSRPAUEWN (W is CWR, N is
// AE): a SYN,ACK is "SA". No bit at all is "-".
func (f TCPFlags) String() string {
	var b [len(flagLetters)]byte
	n := 0
	for i := range len(flagLetters) {
		if f&(1<<i) != 0 {
			b[n] = flagLetters[i]
			n++
		}
	}
	if n == 0 {
		return "-"
	}
	return string(b[:n])
}

// Has reports whether every bit of bits is set.
func (f TCPFlags) Has(bits TCPFlags) bool { return f&bits == bits }

// TCP is a view of a TCP segment (RFC 9293 §3.1), header and payload. Got from
// ParseTCP, no accessor panics.
type TCP []byte

// ParseTCP checks the data offset. The segment's end is the end of b: TCP has no
// length field. The checksum and the options are not checked.
//
// Errors: ErrTruncated, ErrHeaderLength.
func ParseTCP(b []byte) (TCP, error) {
	if len(b) < TCPMinHeader {
		return nil, ErrTruncated
	}
	off := int(b[12]>>4) * 4
	if off < TCPMinHeader {
		return nil, ErrHeaderLength
	}
	if off > len(b) {
		return nil, ErrTruncated
	}
	return TCP(b), nil
}

// SrcPort returns the source port.
func (h TCP) SrcPort() uint16 { return binary.BigEndian.Uint16(h) }

// DstPort returns the destination port.
func (h TCP) DstPort() uint16 { return binary.BigEndian.Uint16(h[2:]) }

// Seq returns the sequence number.
func (h TCP) Seq() uint32 { return binary.BigEndian.Uint32(h[4:]) }

// Ack returns the acknowledgment number; it counts where FlagACK is set.
func (h TCP) Ack() uint32 { return binary.BigEndian.Uint32(h[8:]) }

// DataOffset returns the length of the header with its options, in octets.
func (h TCP) DataOffset() int { return int(h[12]>>4) * 4 }

// Flags returns the nine control bits.
func (h TCP) Flags() TCPFlags { return TCPFlags(binary.BigEndian.Uint16(h[12:]) & 0x1ff) }

// Window returns the window field, not scaled.
func (h TCP) Window() uint16 { return binary.BigEndian.Uint16(h[14:]) }

// Checksum returns the checksum field.
func (h TCP) Checksum() uint16 { return binary.BigEndian.Uint16(h[TCPChecksumOffset:]) }

// Urgent returns the urgent pointer; it counts where FlagURG is set.
func (h TCP) Urgent() uint16 { return binary.BigEndian.Uint16(h[18:]) }

// Options returns the header's options, padding included.
func (h TCP) Options() []byte { return h[TCPMinHeader:h.DataOffset()] }

// Payload returns the segment's data.
func (h TCP) Payload() []byte { return h[h.DataOffset():] }

// ChecksumOK reports whether the checksum is right for a segment between these
// addresses (RFC 9293 §3.1).
func (h TCP) ChecksumOK(src, dst netip.Addr) bool {
	return Sum(h, PseudoHeaderSum(ProtoTCP, src, dst, len(h))) == 0xffff
}

// UpdateChecksum computes the checksum of the segment, header and payload.
func (h TCP) UpdateChecksum(src, dst netip.Addr) {
	h.SetChecksum(0)
	h.SetChecksum(^Sum(h, PseudoHeaderSum(ProtoTCP, src, dst, len(h))))
}

// SetSrcPort sets the source port. No setter touches the checksum.
func (h TCP) SetSrcPort(p uint16) { binary.BigEndian.PutUint16(h, p) }

// SetDstPort sets the destination port.
func (h TCP) SetDstPort(p uint16) { binary.BigEndian.PutUint16(h[2:], p) }

// SetSeq sets the sequence number.
func (h TCP) SetSeq(v uint32) { binary.BigEndian.PutUint32(h[4:], v) }

// SetAck sets the acknowledgment number.
func (h TCP) SetAck(v uint32) { binary.BigEndian.PutUint32(h[8:], v) }

// SetFlags sets the nine control bits; the data offset and the reserved bits stay.
func (h TCP) SetFlags(f TCPFlags) {
	w := binary.BigEndian.Uint16(h[12:])
	binary.BigEndian.PutUint16(h[12:], w&^0x1ff|uint16(f)&0x1ff)
}

// SetWindow sets the window field.
func (h TCP) SetWindow(w uint16) { binary.BigEndian.PutUint16(h[14:], w) }

// SetChecksum sets the checksum field.
func (h TCP) SetChecksum(sum uint16) { binary.BigEndian.PutUint16(h[TCPChecksumOffset:], sum) }

// SetUrgent sets the urgent pointer.
func (h TCP) SetUrgent(p uint16) { binary.BigEndian.PutUint16(h[18:], p) }

// TCPFields is what PutTCP writes.
type TCPFields struct {
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	Flags            TCPFlags
	Window, Urgent   uint16
	Options          *TCPOptions // nil for none
}

// HeaderLen returns the length of the header that PutTCP writes.
func (f *TCPFields) HeaderLen() int {
	if f.Options == nil {
		return TCPMinHeader
	}
	return TCPMinHeader + f.Options.Len()
}

// PutTCP writes the header and its options at the front of b, with the checksum field
// zero, and returns the header's length. It panics when b is shorter than that.
func PutTCP(b []byte, f *TCPFields) int {
	n := TCPMinHeader
	if f.Options != nil {
		n += PutTCPOptions(b[TCPMinHeader:], f.Options)
	}
	h := TCP(b[:n])
	binary.BigEndian.PutUint16(h, f.SrcPort)
	binary.BigEndian.PutUint16(h[2:], f.DstPort)
	binary.BigEndian.PutUint32(h[4:], f.Seq)
	binary.BigEndian.PutUint32(h[8:], f.Ack)
	binary.BigEndian.PutUint16(h[12:], uint16(n/4)<<12|uint16(f.Flags)&0x1ff)
	binary.BigEndian.PutUint16(h[14:], f.Window)
	binary.BigEndian.PutUint16(h[16:], 0)
	binary.BigEndian.PutUint16(h[18:], f.Urgent)
	return n
}
