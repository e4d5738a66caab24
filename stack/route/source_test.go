package route

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// cand is a candidate on interface 1 with a /64 or a /24.
func cand(a string) Candidate {
	bits := 64
	if addr(a).Is4() {
		bits = 24
	}
	return Candidate{Prefix: netip.PrefixFrom(addr(a), bits), Interface: 1}
}

func deprecated(c Candidate) Candidate { c.Deprecated = true; return c }
func temporary(c Candidate) Candidate  { c.Temporary = true; return c }
func tentative(c Candidate) Candidate  { c.Tentative = true; return c }

func on(i int, c Candidate) Candidate          { c.Interface = i; return c }
func from(r string, c Candidate) Candidate     { c.Router = addr(r); return c }
func bits(n int, c Candidate) Candidate        { c.Prefix = netip.PrefixFrom(c.Prefix.Addr(), n); return c }
func list(candidates ...Candidate) []Candidate { return candidates }

// wantSource checks that the answer does not depend on the candidates' order.
func wantSource(t *testing.T, s Source, candidates []Candidate, want string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		if got := s.Select(candidates); got != addr(want) {
			t.Errorf("to %v from %v: %v, want %s", s.Dst, candidates, got, want)
		}
		rng.Shuffle(len(candidates), func(i, j int) { candidates[i], candidates[j] = candidates[j], candidates[i] })
	}
}

// RFC 6724 §10.1, but for the example of home addresses (rule 4).
func TestExamplesOfRFC6724(t *testing.T) {
	for _, c := range []struct {
		rule, dst  string
		candidates []Candidate
		want       string
	}{
		{"prefer appropriate scope", "2001:db8:1::1", list(cand("2001:db8:3::1"), cand("fe80::1")), "2001:db8:3::1"},
		{"prefer appropriate scope", "ff05::1", list(cand("2001:db8:3::1"), cand("fe80::1")), "2001:db8:3::1"},
		{"prefer same address", "2001:db8:1::1", list(deprecated(cand("2001:db8:1::1")), cand("2001:db8:2::1")), "2001:db8:1::1"},
		{"prefer appropriate scope", "fe80::1", list(deprecated(cand("fe80::2")), cand("2001:db8:1::1")), "fe80::2"},
		{"longest matching prefix", "2001:db8:1::1", list(cand("2001:db8:1::2"), cand("2001:db8:3::2")), "2001:db8:1::2"},
		{"prefer matching label", "2002:c633:6401::1", list(temporary(cand("2002:c633:6401::d5e3:7953:13eb:22e8")), cand("2001:db8:1::2")), "2002:c633:6401::d5e3:7953:13eb:22e8"},
		{"prefer temporary address", "2001:db8:1::d5e3:0:0:1", list(cand("2001:db8:1::2"), temporary(cand("2001:db8:1::d5e3:7953:13eb:22e8"))), "2001:db8:1::d5e3:7953:13eb:22e8"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			wantSource(t, Source{Dst: addr(c.dst)}, c.candidates, c.want)
			if got := SelectSource(addr(c.dst), c.candidates); got != addr(c.want) {
				t.Errorf("SelectSource: %v, want %s", got, c.want)
			}
		})
	}
}

func TestZoneOfTheDestinationIsNoPartOfItsAddress(t *testing.T) {
	wantSource(t, Source{Dst: addr("fe80::2%eth0")}, list(cand("fe80::1"), deprecated(cand("fe80::2"))), "fe80::2")
}

// RFC 6724 §5: each rule decides before those that follow it would decide otherwise.
func TestRulesAreAskedInTheirOrder(t *testing.T) {
	dst := addr("2001:db8:1::1")
	via := addr("fe80::fe")
	for _, c := range []struct {
		rule       string
		s          Source
		candidates []Candidate
		want       string
	}{
		{"2 before 3", Source{Dst: dst}, list(deprecated(cand("2001:db8:9::9")), cand("fe80::1")), "2001:db8:9::9"},
		{"3 before 5", Source{Dst: dst, Interface: 2}, list(deprecated(on(2, cand("2001:db8:1::2"))), cand("2001:db8:9::9")), "2001:db8:9::9"},
		{"5 before 5.5", Source{Dst: dst, Interface: 2, NextHop: via}, list(on(2, cand("2001:db8:9::9")), from("fe80::fe", cand("2001:db8:1::2"))), "2001:db8:9::9"},
		{"5.5 before 6", Source{Dst: dst, NextHop: via}, list(from("fe80::fe", cand("2002::9")), cand("2001:db8:1::2")), "2002::9"},
		{"6 before 7", Source{Dst: dst}, list(cand("2001:db8:9::9"), temporary(cand("fd00::9"))), "2001:db8:9::9"},
		{"7 before 8", Source{Dst: dst}, list(temporary(cand("2001:db8:9::9")), cand("2001:db8:1::2")), "2001:db8:9::9"},
		{"7 turned round", Source{Dst: dst, PreferPublic: true}, list(cand("2001:db8:9::9"), temporary(cand("2001:db8:1::2"))), "2001:db8:9::9"},
		{"8", Source{Dst: dst}, list(cand("2001:db8:9::9"), cand("2001:db8:1::2")), "2001:db8:1::2"},
	} {
		t.Run(c.rule, func(t *testing.T) { wantSource(t, c.s, c.candidates, c.want) })
	}
}

// RFC 6724 §2.2: CommonPrefixLen ends with the source's prefix.
func TestCommonPrefixIsNotLongerThanTheSourcesPrefix(t *testing.T) {
	first := cand("2001:db8:1::ff00")
	second := cand("2001:db8:1::2") // shares more bits with the destination, all in the host part
	if got := SelectSource(addr("2001:db8:1::1"), list(first, second)); got != first.Prefix.Addr() {
		t.Errorf("got %v, want the first of equals", got)
	}
}

// RFC 6724 §4.
func TestMulticastAndLinkLocalAreSentFromTheOutgoingInterface(t *testing.T) {
	for _, dst := range []string{"ff02::1", "ff0e::1", "fe80::99", "224.0.0.1", "169.254.0.1", "255.255.255.255"} {
		other, own := on(1, cand("fe80::1")), on(2, deprecated(cand("2001:db8::2")))
		if addr(dst).Is4() {
			other, own = on(1, cand("169.254.0.9")), on(2, deprecated(cand("192.0.2.2")))
		}
		wantSource(t, Source{Dst: addr(dst), Interface: 2}, list(other, own), own.Prefix.Addr().String())
		if got := (Source{Dst: addr(dst), Interface: 3}).Select(list(other, own)); got.IsValid() {
			t.Errorf("to %s by interface 3: %v, which is not its address", dst, got)
		}
	}
}

// RFC 6724 §4, RFC 4862 §2.
func TestWhatCannotBeASourceIsNoCandidate(t *testing.T) {
	for _, c := range []Candidate{
		{}, tentative(cand("2001:db8::1")), cand("ff02::1"), cand("::"), cand("192.0.2.1"),
	} {
		if got := SelectSource(addr("2001:db8::9"), list(c)); got.IsValid() {
			t.Errorf("%v was chosen", got)
		}
	}
	for _, c := range []Candidate{cand("2001:db8::1"), cand("224.0.0.1"), cand("255.255.255.255"), cand("0.0.0.0")} {
		if got := SelectSource(addr("192.0.2.9"), list(c)); got.IsValid() {
			t.Errorf("%v was chosen", got)
		}
	}
	if SelectSource(netip.Addr{}, list(cand("192.0.2.1"))).IsValid() || SelectSource(addr("192.0.2.9"), nil).IsValid() {
		t.Error("a source without a destination, or without candidates")
	}
}

// RFC 1122 §3.3.4.3, and the rules of RFC 6724 §5 that have a meaning for IPv4.
func TestSourceForIPv4(t *testing.T) {
	for _, c := range []struct {
		rule       string
		s          Source
		candidates []Candidate
		want       string
	}{
		{"same address", Source{Dst: addr("192.0.2.2")}, list(deprecated(cand("192.0.2.2")), cand("192.0.2.3")), "192.0.2.2"},
		{"scope", Source{Dst: addr("198.51.100.1")}, list(cand("169.254.1.1"), deprecated(cand("192.0.2.2"))), "192.0.2.2"},
		{"scope of a neighbour", Source{Dst: addr("169.254.9.9")}, list(bits(16, cand("169.254.1.1")), cand("192.0.2.2")), "169.254.1.1"},
		{"deprecated", Source{Dst: addr("192.0.2.9")}, list(deprecated(cand("192.0.2.2")), cand("198.51.100.2")), "198.51.100.2"},
		{"interface before subnet", Source{Dst: addr("192.0.2.9"), Interface: 2}, list(on(1, cand("192.0.2.2")), on(2, cand("198.51.100.2"))), "198.51.100.2"},
		{"subnet of the destination", Source{Dst: addr("192.0.2.9")}, list(cand("192.0.2.2"), cand("192.0.3.2")), "192.0.2.2"},
		{"smallest subnet", Source{Dst: addr("10.1.2.3")}, list(bits(8, cand("10.1.2.9")), bits(16, cand("10.1.9.9"))), "10.1.9.9"},
		{"subnet of the router", Source{Dst: addr("192.1.1.1"), NextHop: addr("10.0.0.1")}, list(cand("192.0.2.2"), cand("10.0.0.2")), "10.0.0.2"},
		{"mapped destination", Source{Dst: addr("::ffff:192.0.2.9")}, list(cand("192.0.2.2"), cand("192.0.3.2"), cand("2001:db8::1")), "192.0.2.2"},
	} {
		t.Run(c.rule, func(t *testing.T) { wantSource(t, c.s, c.candidates, c.want) })
	}
}

func TestFirstOfEqualsWins(t *testing.T) {
	for _, c := range [][]Candidate{
		list(cand("192.0.2.2"), cand("192.0.2.3")), list(cand("192.0.2.3"), cand("192.0.2.2")),
		list(cand("198.51.100.2"), cand("192.0.2.2")), // neither subnet has the destination
	} {
		if got := SelectSource(addr("203.0.113.1"), c); got != c[0].Prefix.Addr() {
			t.Errorf("got %v, want the first of %v", got, c)
		}
	}
}

// RFC 6724 §2.1.
func TestPolicyTableGivesTheLongestPrefixesLabel(t *testing.T) {
	for a, want := range map[string]int{
		"::1": 0, "2001:db8::1": 1, "192.0.2.1": 4, "::ffff:192.0.2.1": 4, "2002::1": 2, "2001::1": 5,
		"fd00::1": 13, "::2": 3, "fec0::1": 11, "3ffe::1": 12, "fe80::1": 1, "fe80::1%eth0": 1,
	} {
		if e, ok := DefaultPolicy().Match(addr(a)); !ok || e.Label != want {
			t.Errorf("%s: label %d, want %d", a, e.Label, want)
		}
	}
	if _, ok := (Policy{}).Match(addr("::1")); ok {
		t.Error("an empty policy has a row")
	}
	own := Policy{{prefix("2001:db8:9::/48"), 40, 1}, {prefix("2001:db8:1::/48"), 40, 1}, {prefix("::/0"), 40, 2}}
	wantSource(t, Source{Dst: addr("2001:db8:1::1"), Policy: own}, list(cand("2001:db8:2::2"), cand("2001:db8:9::9")), "2001:db8:9::9")
}

// The choice is a preference: whoever beats a and b is the same whichever way they are asked,
// so the best of a list does not depend on its order, but for equals.
func TestComparisonIsAPreference(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	random := func() Candidate {
		a := []string{"2001:db8:1::1", "2001:db8:2::1", "2002::1", "fd00::1", "fe80::1", "fec0::1", "::1", "2001:db8:1::2"}[rng.IntN(8)]
		return Candidate{
			Prefix: netip.PrefixFrom(addr(a), 32+rng.IntN(97)), Interface: rng.IntN(3),
			Deprecated: rng.IntN(3) == 0, Temporary: rng.IntN(3) == 0,
		}
	}
	for range 20000 {
		s := Source{Dst: random().Prefix.Addr(), Interface: rng.IntN(3), Policy: defaultPolicy}
		a, b, c := random(), random(), random()
		if x, y := s.compare(&a, &b), s.compare(&b, &a); x > 0 != (y < 0) || (x == 0) != (y == 0) {
			t.Fatalf("seed %#x: to %v, %v against %v: %d and %d", seed, s.Dst, a, b, x, y)
		}
		if s.compare(&a, &b) >= 0 && s.compare(&b, &c) >= 0 && s.compare(&a, &c) < 0 {
			t.Fatalf("seed %#x: to %v, %v, %v and %v go in a circle", seed, s.Dst, a, b, c)
		}
	}
}

func TestSelectAllocatesNothing(t *testing.T) {
	dst6, dst4 := addr("2001:db8:1::1"), addr("192.0.2.9")
	if n := testing.AllocsPerRun(100, func() {
		c := [...]Candidate{cand6a, cand6b, cand4a}
		_ = SelectSource(dst6, c[:])
		_ = Source{Dst: dst4, Interface: 1}.Select(c[:])
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

var cand6a, cand6b, cand4a = cand("2001:db8:1::2"), cand("fe80::1"), cand("192.0.2.2")

func BenchmarkSelectSource(b *testing.B) {
	c := list(cand("2001:db8:1::2"), cand("fe80::1"), cand("fd00::1"), cand("192.0.2.2"))
	dst := addr("2001:db8:7::1")
	b.ReportAllocs()
	for b.Loop() {
		if !SelectSource(dst, c).IsValid() {
			b.Fatal("no source")
		}
	}
}
