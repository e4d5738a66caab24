package siphash

import (
	"encoding/binary"
	"testing"
)

// The vectors of SipHash-2-4's reference implementation: key 00…0f, message 00, 01 …
// of the length that is the index.
func TestSipHashVectors(t *testing.T) {
	for n, want := range map[int]uint64{
		0:  0x726fdb47dd0e0e31,
		1:  0x74f839c593dc67fd,
		2:  0x0d6c8009d9a94f5a,
		7:  0xab0200f58b01d137,
		8:  0x93f5f5799a932462,
		15: 0xa129ca6149be45e5, // also Appendix A of the paper
	} {
		var key [16]byte
		for i := range key {
			key[i] = byte(i)
		}
		msg := make([]byte, n, 64)
		for i := range msg {
			msg[i] = byte(i)
		}
		s := New(binary.LittleEndian.Uint64(key[:]), binary.LittleEndian.Uint64(key[8:]))
		for ; len(msg) >= 8; msg = msg[8:] {
			s.Word(binary.LittleEndian.Uint64(msg))
		}
		last := append(msg, make([]byte, 8-len(msg))...)
		last[7] = byte(n)
		if got := s.Sum(binary.LittleEndian.Uint64(last)); got != want {
			t.Errorf("SipHash-2-4 of %d octets = %#016x, want %#016x", n, got, want)
		}
	}
}
