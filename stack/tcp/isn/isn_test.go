package isn

import (
	"math/bits"
	"net/netip"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/seq"
)

// secret is 00 01 02 …, the key of the published SipHash vectors, twice.
func secret() (s [32]byte) {
	for i := range s {
		s[i] = byte(i & 15)
	}
	return s
}

var (
	local  = netip.MustParseAddrPort("192.0.2.1:40000")
	remote = netip.MustParseAddrPort("198.51.100.7:443")
)

// RFC 6528 §3: M is a timer that ticks every 4 microseconds.
func TestSequenceNumbersOfOneConnectionGrowWithTime(t *testing.T) {
	g := New(secret())
	first := g.ISS(0, local, remote)
	for _, d := range []time.Duration{4 * time.Microsecond, time.Millisecond, time.Second, time.Hour, 100 * time.Hour} {
		want := first + seq.Value(uint32(d/(4*time.Microsecond)))
		if got := g.ISS(clock.Time(d), local, remote); got != want {
			t.Errorf("after %v: %d, want %d", d, got, want)
		}
	}
	last := first
	for now := clock.Time(0); now < clock.Time(10*time.Minute); now = now.Add(37 * time.Millisecond) {
		iss := g.ISS(now, local, remote)
		if iss.Less(last) {
			t.Fatalf("at %d: %d comes before %d", now, iss, last)
		}
		last = iss
	}
}

func TestNumbersFollowFromTheSecretAlone(t *testing.T) {
	a, b := New(secret()), New(secret())
	if a.ISS(5, local, remote) != b.ISS(5, local, remote) || a.TSOffset(local, remote) != b.TSOffset(local, remote) ||
		a.PortOffset(local.Addr(), remote) != b.PortOffset(local.Addr(), remote) {
		t.Error("the same secret gives other numbers")
	}
	s := secret()
	s[3] ^= 1
	s[20] ^= 1
	c := New(s)
	if a.ISS(5, local, remote) == c.ISS(5, local, remote) || a.TSOffset(local, remote) == c.TSOffset(local, remote) ||
		a.PortOffset(local.Addr(), remote) == c.PortOffset(local.Addr(), remote) {
		t.Error("another secret gives the same numbers")
	}
	if a.TSOffset(local, remote) == uint32(a.ISS(0, local, remote)) {
		t.Error("the timestamp offset gives the sequence number away")
	}
}

// Neighbouring connections' numbers differ in half of their bits on average, in each
// bit about as often as not.
func TestNumbersOfNeighboursTellNothing(t *testing.T) {
	g := New(secret())
	for name, f := range map[string]func(l, r netip.AddrPort) uint32{
		"ISS":        func(l, r netip.AddrPort) uint32 { return uint32(g.ISS(0, l, r)) },
		"TSOffset":   g.TSOffset,
		"PortOffset": func(l, r netip.AddrPort) uint32 { return g.PortOffset(l.Addr(), r) },
	} {
		const n = 20000
		var flips [32]int
		total := 0
		last := f(local, remote)
		for i := range n {
			l, r := local, remote
			switch i % 3 {
			case 0:
				r = netip.AddrPortFrom(remote.Addr(), uint16(1+i))
			case 1:
				r = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 80)
			case 2:
				l = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), uint16(i))
			}
			v := f(l, r)
			total += bits.OnesCount32(v ^ last)
			for b := range flips {
				flips[b] += int((v ^ last) >> b & 1)
			}
			last = v
		}
		if mean := float64(total) / n; mean < 15.8 || mean > 16.2 {
			t.Errorf("%s: neighbours differ in %.2f bits on average", name, mean)
		}
		for b, c := range flips { // six standard deviations
			if d := c - n/2; d > 425 || d < -425 {
				t.Errorf("%s: bit %d differs %d times of %d", name, b, c, n)
			}
		}
	}
}

func TestEndsAndFamiliesAreDistinct(t *testing.T) {
	g := New(secret())
	if g.ISS(0, local, remote) == g.ISS(0, remote, local) {
		t.Error("both directions have one number")
	}
	if g.ISS(0, local, remote) == g.ISS(0, netip.AddrPortFrom(local.Addr(), 40001), remote) {
		t.Error("the local port does not matter")
	}
	l6, r6 := netip.MustParseAddrPort("[2001:db8::1]:40000"), netip.MustParseAddrPort("[2001:db8::2]:443")
	if g.ISS(0, l6, r6) == g.ISS(0, l6, netip.MustParseAddrPort("[2001:db8:0:1::2]:443")) {
		t.Error("the upper half of an IPv6 address does not matter")
	}
}

// RFC 6056 §3.3.4.
func TestPortsToOneDestinationFollowEachOther(t *testing.T) {
	p := Ports{Generator: New(secret()), Low: 50000, High: 50099}
	all := func(uint16) bool { return true }
	first, ok := p.Pick(local.Addr(), remote, all)
	if !ok || first < 50000 || first > 50099 {
		t.Fatalf("Pick = %d, %v", first, ok)
	}
	for i := 1; i < 100; i++ {
		want := 50000 + (int(first)-50000+i)%100
		if got, _ := p.Pick(local.Addr(), remote, all); int(got) != want {
			t.Fatalf("pick %d = %d, want %d", i, got, want)
		}
	}
}

func TestPortsInUseArePassedOver(t *testing.T) {
	p := Ports{Generator: New(secret()), Low: 50000, High: 50009}
	got, ok := p.Pick(local.Addr(), remote, func(port uint16) bool { return port == 50003 })
	if !ok || got != 50003 {
		t.Fatalf("Pick = %d, %v, want the only free port", got, ok)
	}
	asked := map[uint16]bool{}
	if _, ok := p.Pick(netip.Addr{}, remote, func(port uint16) bool { asked[port] = true; return false }); ok || len(asked) != 10 {
		t.Fatalf("with no port free: %v, %d asked for", ok, len(asked))
	}
	p.Low, p.High = 10, 9
	if _, ok := p.Pick(local.Addr(), remote, func(uint16) bool { return true }); ok {
		t.Fatal("an empty range has a port")
	}
}

func TestDefaultPortsBeginWhereTheDestinationSays(t *testing.T) {
	p := Ports{Generator: New(secret())}
	seen := map[uint16]int{}
	for i := range 1000 {
		r := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 80)
		port, ok := p.Pick(local.Addr(), r, func(uint16) bool { return true })
		if !ok || port < DefaultLow {
			t.Fatalf("Pick = %d, %v", port, ok)
		}
		seen[port]++
	}
	if len(seen) < 960 { // about 15 of 1000 meet in 32768 places
		t.Errorf("1000 destinations use %d ports only", len(seen))
	}
}

func TestNothingAllocates(t *testing.T) {
	g := New(secret())
	p := Ports{Generator: g}
	free := func(uint16) bool { return true }
	if n := testing.AllocsPerRun(100, func() {
		g.ISS(1, local, remote)
		g.TSOffset(local, remote)
		p.Pick(local.Addr(), remote, free)
	}); n > 0 {
		t.Fatalf("%v allocations", n)
	}
}

func BenchmarkISS(b *testing.B) {
	g := New(secret())
	b.ReportAllocs()
	var sink seq.Value
	for i := 0; b.Loop(); i++ {
		sink += g.ISS(clock.Time(i), local, remote)
	}
	_ = sink
}

func TestDerivedSecretsDifferByPurposeAndSecret(t *testing.T) {
	seen := map[[32]byte]string{secret(): "itself"}
	other := secret()
	other[31] ^= 1
	for _, s := range [][32]byte{secret(), other} {
		for _, purpose := range []string{"", "a", "1234567", "12345678", "123456789", "SO_REUSEPORT"} {
			d := Derive(s, purpose)
			if d != Derive(s, purpose) {
				t.Errorf("%q: two calls differ", purpose)
			}
			if s == other { // half of the key is the same, and so may that half of the result be
				copy(d[:16], s[:16])
			}
			if was, ok := seen[d]; ok {
				t.Errorf("%q gives the same as %s", purpose, was)
			}
			seen[d] = purpose
		}
	}
}
