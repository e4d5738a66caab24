package wire

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// naiveSum is RFC 1071 §4.1 word for word: 16 bits at a time.
func naiveSum(b []byte, initial uint16) uint16 {
	sum := uint64(initial) // 32 bits are too few for 131,074 octets of 0xff
	for ; len(b) > 1; b = b[2:] {
		sum += uint64(b[0])<<8 | uint64(b[1])
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return uint16(sum)
}

// sumInputs calls f with texts of every length up to 300 at every alignment, of random
// octets, of all ones and of zeros, each with several initial values.
func sumInputs(f func(b []byte, initial uint16)) {
	rng := rand.New(rand.NewPCG(1, 2))
	random, ones := make([]byte, 320), make([]byte, 320)
	for i := range random {
		random[i], ones[i] = byte(rng.Uint32()), 0xff
	}
	for _, text := range [][]byte{random, ones, make([]byte, 320)} {
		for n := 0; n <= 300; n++ {
			for align := range 16 {
				for _, initial := range []uint16{0, 0xffff, uint16(rng.Uint32())} {
					f(text[align:align+n], initial)
				}
			}
		}
	}
}

func TestSumIsTheOnesComplementSumOf16BitWords(t *testing.T) {
	sumInputs(func(b []byte, initial uint16) {
		if got, want := Sum(b, initial), naiveSum(b, initial); got != want {
			t.Fatalf("Sum(%x, %#04x) = %#04x, want %#04x", b, initial, got, want)
		}
	})
}

func TestSumOfLongTextsIsRight(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, 1<<17)
	for range 200 {
		for i := range b {
			if i%64 == 0 {
				b[i] = byte(rng.Uint32())
			} else {
				b[i] = 0xff // so that nearly every addition carries
			}
		}
		p := b[rng.IntN(16) : rng.IntN(len(b)-16)+16]
		initial := uint16(rng.Uint32())
		if got, want := Sum(p, initial), naiveSum(p, initial); got != want {
			t.Fatalf("Sum of %d octets = %#04x, want %#04x", len(p), got, want)
		}
	}
}

func TestSumOfPiecesIsTheSumOfTheWhole(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	b := make([]byte, 200)
	for range 5000 {
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		var sum uint16
		odd := false
		for rest := b; len(rest) > 0; {
			n := min(rng.IntN(40), len(rest))
			sum, odd = SumAt(rest[:n], sum, odd)
			rest = rest[n:]
		}
		if want := naiveSum(b, 0); sum != want || odd {
			t.Fatalf("pieces of %x: %#04x, odd %t, want %#04x", b, sum, odd, want)
		}
	}
}

func TestCombineCarriesAround(t *testing.T) {
	for _, c := range []struct{ a, b, want uint16 }{
		{0, 0, 0}, {1, 2, 3}, {0xffff, 0, 0xffff}, {0xffff, 1, 1}, {0xffff, 0xffff, 0xffff}, {0x8000, 0x8001, 2},
	} {
		if got := Combine(c.a, c.b); got != c.want {
			t.Errorf("Combine(%#04x, %#04x) = %#04x, want %#04x", c.a, c.b, got, c.want)
		}
	}
}

// RFC 9293 §3.1 and RFC 8200 §8.1 draw the pseudo-headers.
func TestPseudoHeaderHoldsAddressesLengthAndProtocol(t *testing.T) {
	a4, b4 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.255")
	p4 := []byte{192, 0, 2, 1, 198, 51, 100, 255, 0, 6, 0x12, 0x34}
	if got, want := PseudoHeaderSum(ProtoTCP, a4, b4, 0x1234), naiveSum(p4, 0); got != want {
		t.Errorf("IPv4: %#04x, want %#04x", got, want)
	}
	a6, b6 := netip.MustParseAddr("2001:db8::fffe"), netip.MustParseAddr("fe80::1:2:3:4")
	v, w := a6.As16(), b6.As16()
	p6 := append(append([]byte{}, v[:]...), w[:]...)
	p6 = binary.BigEndian.AppendUint32(p6, 0x54321)
	p6 = append(p6, 0, 0, 0, 58)
	if got, want := PseudoHeaderSum(ProtoICMPv6, a6, b6, 0x54321), naiveSum(p6, 0); got != want {
		t.Errorf("IPv6: %#04x, want %#04x", got, want)
	}
	h4, h6 := IPv4(packet4(ProtoTCP, nil, nil)), IPv6(packet6(ProtoTCP))
	for _, n := range []int{0, 1, 0xfffe, 0xffff, 0x10000, 0x7fffffff} {
		if got, want := h4.PseudoHeaderSum(ProtoTCP, n), PseudoHeaderSum(ProtoTCP, src4, dst4, n); got != want {
			t.Errorf("IPv4 header, length %d: %#04x, want %#04x", n, got, want)
		}
		if got, want := h6.PseudoHeaderSum(ProtoTCP, n), PseudoHeaderSum(ProtoTCP, src6, dst6, n); got != want {
			t.Errorf("IPv6 header, length %d: %#04x, want %#04x", n, got, want)
		}
	}
	if !a6.Is6() || PseudoHeaderSum(0, netip.MustParseAddr("::ffff:1.2.3.4"), netip.IPv6Unspecified(), 0) != naiveSum([]byte{0xff, 0xff, 1, 2, 3, 4}, 0) {
		t.Error("an IPv4-mapped address does not count as IPv6")
	}
}

// RFC 1624 §3: HC' = ~(~HC + ~m + m').
func TestChecksumUpdatedIsTheChecksumComputedAfresh(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	b := make([]byte, 40)
	for range 20000 {
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		if rng.IntN(4) == 0 {
			copy(b[4:], []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
		}
		old := ^Sum(b, 0)
		w16, w32 := binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint32(b[8:])
		n16, n32 := uint16(rng.Uint32()), rng.Uint32()
		a := netip.AddrFrom16([16]byte(b[16:32]))
		na := netip.AddrFrom16([16]byte{byte(n16), 3: byte(n32), 15: 0xff})

		sum := UpdateChecksum16(old, w16, n16)
		binary.BigEndian.PutUint16(b[4:], n16)
		sum = UpdateChecksum32(sum, w32, n32)
		binary.BigEndian.PutUint32(b[8:], n32)
		sum = UpdateChecksumAddr(sum, a, na)
		put16(b[16:], na)
		// The two zeros of ones-complement are one value; a sum that is checked finds 0xffff.
		if got := Combine(Sum(b, 0), sum); got != 0xffff {
			t.Fatalf("updated checksum %#04x of %x does not verify: %#04x", sum, b, got)
		}
	}
}

// The example of RFC 1624 §4, where equation 2 gives 0xffff and equation 3 gives 0.
func TestChecksumUpdateGivesTheRFCsExample(t *testing.T) {
	if got := UpdateChecksum16(0xdd2f, 0x5555, 0x3285); got != 0x0000 {
		t.Errorf("HC' = %#04x, want 0x0000", got)
	}
}
