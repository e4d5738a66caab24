package ip

import (
	"encoding/binary"
	"net/netip"

	"github.com/weirnet/weir/stack/siphash"
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
	c := &g.counter[hash(&g.index, &m)%idCounters]
	*c++
	return uint32(hash(&g.offset, &m)) + *c
}

// hash is SipHash-2-4 of 40 octets.
func hash(key *[16]byte, m *[40]byte) uint64 {
	s := siphash.New(binary.LittleEndian.Uint64(key[:]), binary.LittleEndian.Uint64(key[8:]))
	for i := 0; i < len(m); i += 8 {
		s.Word(binary.LittleEndian.Uint64(m[i:]))
	}
	return s.Sum(uint64(len(m)) << 56)
}
