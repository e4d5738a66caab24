package siphash

import "math/bits"

// State is the state of SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast
// short-input PRF", §2), fed with whole words: what is hashed here has a fixed
// length.
type State struct{ v0, v1, v2, v3 uint64 }

// New returns the state for the key (§2.1).
func New(k0, k1 uint64) State {
	return State{
		k0 ^ 0x736f6d6570736575,
		k1 ^ 0x646f72616e646f6d,
		k0 ^ 0x6c7967656e657261,
		k1 ^ 0x7465646279746573,
	}
}

// Word takes in eight octets (§2.2, c = 2).
func (s *State) Word(m uint64) {
	s.v3 ^= m
	s.round()
	s.round()
	s.v0 ^= m
}

// Sum takes in the last word, whose top octet is the length, and returns the hash
// (§2.3, d = 4). The state is spent.
func (s *State) Sum(last uint64) uint64 {
	s.Word(last)
	s.v2 ^= 0xff
	s.round()
	s.round()
	s.round()
	s.round()
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}

func (s *State) round() {
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
