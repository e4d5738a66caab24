package ip

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// idCounters is how many counters the destinations share; a power of two.
const idCounters = 1024

// IDs makes the identifications of packets that are or may be fragmented, by the
// double hash of RFC 7739 §5.3: each pair of addresses starts at a secret number of
// its own and counts on in one of a table of counters. Nobody off the path can tell the
// next one, nor learn from those that he gets how many packets go elsewhere, and
// one pair's do not come again before the counter has gone round. It is not
// safe for concurrent use.
type IDs struct {
	offset, index [16]byte // keys
	counter       [idCounters]uint32
}

// NewIDs returns a generator. The secret must come from a random source, and never
// leave the stack.
func NewIDs(secret [32]byte) *IDs {
	g := new(IDs)
	copy(g.offset[:], secret[:16])
	copy(g.index[:], secret[16:])
	return g
}

// Next4 returns the identification of the next IPv4 packet from src to dst of the
// protocol: these three are what it must be unique for (RFC 6864 §4.1).
func (g *IDs) Next4(src, dst netip.Addr, protocol uint8) uint16 {
	return uint16(g.next(src, dst, protocol))
}

// Next6 returns the identification of the next IPv6 datagram from src to dst that is to be
// fragmented (RFC 8200 §4.5).
func (g *IDs) Next6(src, dst netip.Addr) uint32 { return g.next(src, dst, 0) }

func (g *IDs) next(src, dst netip.Addr, protocol uint8) uint32 {
	var m [40]byte
	a, b := src.As16(), dst.As16()
	copy(m[:], a[:])
	copy(m[16:], b[:])
	m[32] = protocol
	c := &g.counter[siphash(&g.index, &m)%idCounters]
	*c++
	return uint32(siphash(&g.offset, &m)) + *c
}

// siphash is SipHash-2-4 (Aumasson and Bernstein 2012) of 40 octets.
func siphash(key *[16]byte, m *[40]byte) uint64 {
	k0, k1 := binary.LittleEndian.Uint64(key[:]), binary.LittleEndian.Uint64(key[8:])
	s := sip{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573}
	for i := 0; i < len(m); i += 8 {
		s.word(binary.LittleEndian.Uint64(m[i:]))
	}
	s.word(uint64(len(m)) << 56)
	s.v2 ^= 0xff
	for range 4 {
		s.round()
	}
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}

type sip struct{ v0, v1, v2, v3 uint64 }

func (s *sip) word(m uint64) {
	s.v3 ^= m
	s.round()
	s.round()
	s.v0 ^= m
}

func (s *sip) round() {
	s.v0 += s.v1
	s.v1 = bits.RotateLeft64(s.v1, 13) ^ s.v0
	s.v0 = bits.RotateLeft64(s.v0, 32)
	s.v2 += s.v3
	s.v3 = bits.RotateLeft64(s.v3, 16) ^ s.v2
	s.v0 += s.v3
	s.v3 = bits.RotateLeft64(s.v3, 21) ^ s.v0
	s.v2 += s.v1
	s.v1 = bits.RotateLeft64(s.v1, 17) ^ s.v2
	s.v2 = bits.RotateLeft64(s.v2, 32)
}
