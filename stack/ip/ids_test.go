package ip

import "testing"

// The reference implementation's vector for the 40 octets 00 01 02 … under the key
// 00 01 02 … 0f.
func TestSipHash(t *testing.T) {
	var key [16]byte
	var m [40]byte
	for i := range key {
		key[i] = byte(i)
	}
	for i := range m {
		m[i] = byte(i)
	}
	if got, want := hash(&key, &m), uint64(0x0e3ea96b5304a7d0); got != want {
		t.Errorf("got %#x, want %#x", got, want)
	}
}

// RFC 6864 §4.1, RFC 7739 §3: identifications to one destination do not come again soon, and
// those of one tell nothing of those of another.
func TestIdentificationsAreUniqueAndSecret(t *testing.T) {
	g, other := NewIDs([32]byte{1}), NewIDs([32]byte{2})
	seen := map[uint16]bool{}
	for range 1 << 16 {
		seen[g.Next4(src4, dst4, 17)] = true
	}
	if len(seen) != 1<<16 {
		t.Errorf("%d different of %d", len(seen), 1<<16)
	}
	first := g.Next6(src6, dst6)
	if next := g.Next6(src6, dst6); next != first+1 {
		t.Errorf("%#x after %#x to the same destination", next, first)
	}
	if a, b := g.Next6(src6, dst6.Next()), other.Next6(src6, dst6); int32(a-first) < 1000 && int32(a-first) > -1000 || b == first {
		t.Errorf("%#x to one destination, %#x to the next, %#x under another secret", first, a, b)
	}
	if a, b := g.Next4(src4, dst4, 17), g.Next4(src4, dst4, 6); a+1 == b {
		t.Error("protocols count together")
	}
	if n := testing.AllocsPerRun(100, func() { g.Next4(src4, dst4, 17); g.Next6(src6, dst6) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
