package wire

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// Sum returns the 16-bit ones-complement sum of initial and the octets of b, taken as
// big-endian words; a last odd octet is the high half of a word (RFC 1071 §1). The
// sum is folded and not inverted: a checksum field holds ^Sum. Where any input is
// not zero neither is the result, so that 0xffff and 0 keep their two meanings.
//
// initial must be the sum of an even number of octets; SumAt is for other pieces.
func Sum(b []byte, initial uint16) uint16 {
	// Words are loaded little-endian and the result's octets are swapped once: the sum
	// does not mind in which order the octets of its words lie (RFC 1071 §2(B)).
	acc := uint64(bits.ReverseBytes16(initial))
	var c uint64
	if len(b) >= 128 {
		// An add with carry waits for the one before it, so there are two chains of
		// them, which a processor runs side by side. The carry that ends a chain never
		// carries again: a chain that began without one and carried out is at most 2⁶⁴-2.
		var acc2 uint64
		for len(b) >= 128 {
			acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b), 0)
			acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[8:]), c)
			acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[16:]), c)
			acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[24:]), c)
			acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[32:]), c)
			acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[40:]), c)
			acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[48:]), c)
			acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[56:]), c)
			acc, _ = bits.Add64(acc, 0, c)
			acc2, c = bits.Add64(acc2, binary.LittleEndian.Uint64(b[64:]), 0)
			acc2, c = bits.Add64(acc2, binary.LittleEndian.Uint64(b[72:]), c)
			acc2, c = bits.Add64(acc2, binary.LittleEndian.Uint64(b[80:]), c)
			acc2, c = bits.Add64(acc2, binary.LittleEndian.Uint64(b[88:]), c)
			acc2, c = bits.Add64(acc2, binary.LittleEndian.Uint64(b[96:]), c)
			acc2, c = bits.Add64(acc2, binary.LittleEndian.Uint64(b[104:]), c)
			acc2, c = bits.Add64(acc2, binary.LittleEndian.Uint64(b[112:]), c)
			acc2, c = bits.Add64(acc2, binary.LittleEndian.Uint64(b[120:]), c)
			acc2, _ = bits.Add64(acc2, 0, c)
			b = b[128:]
		}
		acc, c = bits.Add64(acc, acc2, 0)
		acc, _ = bits.Add64(acc, 0, c)
	}
	return bits.ReverseBytes16(fold(sumTail(b, acc)))
}

// sumTail adds fewer than 128 octets to acc.
func sumTail(b []byte, acc uint64) uint64 {
	var c uint64
	if len(b) >= 64 {
		acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b), 0)
		acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[8:]), c)
		acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[16:]), c)
		acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[24:]), c)
		acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[32:]), c)
		acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[40:]), c)
		acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[48:]), c)
		acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[56:]), c)
		acc, _ = bits.Add64(acc, 0, c)
		b = b[64:]
	}
	if len(b) >= 32 {
		acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b), 0)
		acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[8:]), c)
		acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[16:]), c)
		acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[24:]), c)
		acc, _ = bits.Add64(acc, 0, c)
		b = b[32:]
	}
	if len(b) >= 16 {
		acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b), 0)
		acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b[8:]), c)
		acc, _ = bits.Add64(acc, 0, c)
		b = b[16:]
	}
	if len(b) >= 8 {
		acc, c = bits.Add64(acc, binary.LittleEndian.Uint64(b), 0)
		acc, _ = bits.Add64(acc, 0, c)
		b = b[8:]
	}
	if len(b) == 0 {
		return acc
	}
	// At most seven octets are left: they make one word, each at an even place.
	var last uint64
	if len(b) >= 4 {
		last = uint64(binary.LittleEndian.Uint32(b)) << 32
		b = b[4:]
	}
	if len(b) >= 2 {
		last |= uint64(binary.LittleEndian.Uint16(b)) << 16
		b = b[2:]
	}
	if len(b) == 1 {
		last |= uint64(b[0])
	}
	acc, c = bits.Add64(acc, last, 0)
	acc, _ = bits.Add64(acc, 0, c)
	return acc
}

// fold adds the four 16-bit words of acc, with end-around carry.
func fold(acc uint64) uint16 {
	acc = acc>>32 + acc&0xffffffff
	acc = acc>>32 + acc&0xffffffff
	s := uint32(acc>>16) + uint32(acc&0xffff)
	return uint16(s>>16 + s)
}

// Combine returns the ones-complement sum of a and b.
func Combine(a, b uint16) uint16 {
	s := uint32(a) + uint32(b)
	return uint16(s>>16 + s)
}

// SumAt is Sum for a piece of a longer text. odd says that an odd number of octets
// came before b; initial is their sum. The second result is odd for the piece that
// follows b.
func SumAt(b []byte, initial uint16, odd bool) (uint16, bool) {
	s := Sum(b, 0)
	if odd {
		s = bits.ReverseBytes16(s) // RFC 1071 §2(B): one octet further is the other half
	}
	return Combine(initial, s), odd != (len(b)&1 != 0)
}

// PseudoHeaderSum returns the sum of the pseudo-header of a transport packet of
// length octets: RFC 9293 §3.1 where src is an IPv4 address, RFC 8200 §8.1
// otherwise. Both addresses must be of one family; an IPv4-mapped IPv6 address
// counts as IPv6.
//
// The sum for a length of 0 may be kept: Combine adds a length below 65,536 to it. Where
// the IP header is at hand, its own PseudoHeaderSum is cheaper.
func PseudoHeaderSum(proto uint8, src, dst netip.Addr, length int) uint16 {
	return Combine(lengthSum(proto, length), Combine(sumAddr(src), sumAddr(dst)))
}

// PseudoHeaderSum is the function of that name for the packet's own addresses.
func (h IPv4) PseudoHeaderSum(proto uint8, length int) uint16 {
	return Sum(h[12:20], lengthSum(proto, length))
}

// PseudoHeaderSum is the function of that name for the packet's own addresses.
func (h IPv6) PseudoHeaderSum(proto uint8, length int) uint16 {
	return Sum(h[8:40], lengthSum(proto, length))
}

// lengthSum is the part of a pseudo-header's sum that is not addresses.
func lengthSum(proto uint8, length int) uint16 {
	return fold(uint64(proto) + uint64(uint32(length)>>16) + uint64(uint32(length)&0xffff))
}

// sumAddr returns the sum of an address's octets.
func sumAddr(a netip.Addr) uint16 {
	if a.Is4() {
		b := a.As4()
		return fold(uint64(binary.BigEndian.Uint32(b[:])))
	}
	b := a.As16()
	acc, c := bits.Add64(binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:]), 0)
	return fold(acc + c)
}

// UpdateChecksum16 returns the checksum field that follows from sum, the field as it
// was, when one 16-bit word changes from old to new: RFC 1624 §3, equation 3.
//
// A UDP field of zero over IPv4 stands for no checksum and is not to be updated; one
// that becomes zero is written 0xffff (RFC 768).
func UpdateChecksum16(sum, old, new uint16) uint16 {
	return ^Combine(Combine(^sum, ^old), new)
}

// UpdateChecksum32 is UpdateChecksum16 for a 32-bit field at an even offset.
func UpdateChecksum32(sum uint16, old, new uint32) uint16 {
	acc := uint64(^sum) + uint64(^old) + uint64(new)
	return ^fold(acc)
}

// UpdateChecksumAddr is UpdateChecksum16 for an address, in a header or in a
// pseudo-header. old and new may be of different families.
func UpdateChecksumAddr(sum uint16, old, new netip.Addr) uint16 {
	return UpdateChecksum16(sum, sumAddr(old), sumAddr(new))
}
