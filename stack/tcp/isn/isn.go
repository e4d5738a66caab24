package isn

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/siphash"
)

// tick is how long one step of the initial sequence number's clock takes: M "is
// the 4 microsecond timer" (RFC 6528 §3).
const tick = 4 * time.Microsecond

// What a hash is for. It is hashed too, so that no number tells of another.
const (
	forISS uint32 = iota + 1
	forTimestamp
	forPortOffset
	forPortIndex
)

// Generator hashes with one secret. Make it with New.
type Generator struct {
	iss, other [2]uint64 // keys
}

// New returns a generator with the given secret, 32 octets that no one can guess.
func New(secret [32]byte) *Generator {
	w := func(i int) uint64 { return binary.LittleEndian.Uint64(secret[i:]) }
	return &Generator{
		iss:   [2]uint64{w(0), w(8)},
		other: [2]uint64{w(16), w(24)},
	}
}

// ISS returns the initial sequence number of a connection that begins now:
// "ISN = M + F(localip, localport, remoteip, remoteport, secretkey)" (RFC 6528 §3).
func (g *Generator) ISS(now clock.Time, local, remote netip.AddrPort) seq.Value {
	m := uint32(uint64(now) / uint64(tick))
	return seq.Value(m + uint32(hash(g.iss, local, remote, forISS)))
}

// TSOffset returns what is to be added to the timestamp clock on this connection, so
// that the clock tells nothing of the others or of how long the stack has been up: a
// random offset for each connection, as RFC 7323 §5.4 allows. It is the same for each incarnation of a connection, so that
// timestamps tell an old one's segments from the new one's (RFC 6191).
func (g *Generator) TSOffset(local, remote netip.AddrPort) uint32 {
	return uint32(hash(g.other, local, remote, forTimestamp))
}

// PortOffset returns where the search for a local port begins in the range of
// ephemeral ports, modulo its size: F(local_IP, remote_IP, remote_port, secret_key)
// of RFC 6056 §3.3.3.
func (g *Generator) PortOffset(local netip.Addr, remote netip.AddrPort) uint32 {
	return uint32(hash(g.other, netip.AddrPortFrom(local, 0), remote, forPortOffset))
}

// portIndex is G of RFC 6056 §3.3.4.
func (g *Generator) portIndex(local netip.Addr, remote netip.AddrPort) uint32 {
	return uint32(hash(g.other, netip.AddrPortFrom(local, 0), remote, forPortIndex))
}

// hash returns SipHash-2-4 of both ends and of what the hash is for: 40 octets.
func hash(key [2]uint64, local, remote netip.AddrPort, purpose uint32) uint64 {
	s := siphash.New(key[0], key[1])
	a := local.Addr().As16()
	s.Word(binary.LittleEndian.Uint64(a[:8]))
	s.Word(binary.LittleEndian.Uint64(a[8:]))
	a = remote.Addr().As16()
	s.Word(binary.LittleEndian.Uint64(a[:8]))
	s.Word(binary.LittleEndian.Uint64(a[8:]))
	s.Word(uint64(local.Port()) | uint64(remote.Port())<<16 | uint64(purpose)<<32)
	return s.Sum(40 << 56)
}

// Derive makes another secret of a secret for a purpose, so that what is hashed with the one
// tells nothing of what is hashed with the other.
func Derive(secret [32]byte, purpose string) (other [32]byte) {
	for i := range 4 {
		key := secret[16*(i/2):]
		s := siphash.New(binary.LittleEndian.Uint64(key), binary.LittleEndian.Uint64(key[8:]))
		s.Word(uint64(i))
		rest := []byte(purpose)
		for ; len(rest) >= 8; rest = rest[8:] {
			s.Word(binary.LittleEndian.Uint64(rest))
		}
		last := [8]byte{7: byte(8 + len(purpose))}
		copy(last[:7], rest)
		binary.LittleEndian.PutUint64(other[8*i:], s.Sum(binary.LittleEndian.Uint64(last[:])))
	}
	return other
}
