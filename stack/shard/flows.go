package shard

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"net/netip"
)

// flowKey names a flow by both its ends, as fixed octets that hash in one go.
// An IPv4 address is its IPv4-mapped form, which no packet can carry for another.
type flowKey struct {
	local, remote [16]byte
	ports         [4]byte // local, remote
}

func makeFlowKey(local, remote netip.AddrPort) (k flowKey) {
	k.local, k.remote = local.Addr().As16(), remote.Addr().As16()
	binary.BigEndian.PutUint16(k.ports[:2], local.Port())
	binary.BigEndian.PutUint16(k.ports[2:], remote.Port())
	return k
}

// ends returns both ends again.
func (k *flowKey) ends() (local, remote netip.AddrPort) {
	local = netip.AddrPortFrom(netip.AddrFrom16(k.local).Unmap(), binary.BigEndian.Uint16(k.ports[:2]))
	remote = netip.AddrPortFrom(netip.AddrFrom16(k.remote).Unmap(), binary.BigEndian.Uint16(k.ports[2:]))
	return local, remote
}

// is4 reports whether the flow is one of IPv4.
func (k *flowKey) is4() bool { return netip.AddrFrom16(k.remote).Is4In6() }

func (k *flowKey) localPort() uint16 { return binary.BigEndian.Uint16(k.ports[:2]) }

// bucket returns which of n parts, a power of two, the flow belongs to.
func (k *flowKey) bucket(n int) int {
	const m = 0x9e3779b97f4a7c15 // 2⁶⁴ divided by the golden ratio: spreads every input bit
	x := binary.LittleEndian.Uint64(k.remote[8:]) ^ binary.LittleEndian.Uint64(k.local[8:])*m
	x = (x ^ uint64(binary.LittleEndian.Uint32(k.ports[:]))) * m
	return int(x>>40) & (n - 1)
}

// flowSecrets key the hash, so that nobody outside can choose flows that meet in one place.
var flowSecrets = func() (s [5]uint64) {
	seed := maphash.MakeSeed()
	for i := range s {
		s[i] = maphash.Bytes(seed, []byte{byte(i)})
	}
	return s
}()

// hash returns a number that differs from process to process: two products of all octets with the
// secrets, each folded, one more of those, and one that spreads what that has left together: of flows that differ
// in their ports only, one product leaves a lattice.
func (k *flowKey) hash() uint64 {
	s, le := &flowSecrets, binary.LittleEndian
	low := folded(le.Uint64(k.local[8:])^s[0], le.Uint64(k.remote[8:])^s[1])
	high := folded(le.Uint64(k.local[:])^s[2], le.Uint64(k.remote[:])^s[3])
	x := folded(low^bits.RotateLeft64(high, 32), uint64(le.Uint32(k.ports[:]))<<16^s[4])
	return folded(x^s[1], s[3]|1)
}

// folded is the product of a and b, its halves added without carry.
func folded(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}
