package route

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// model is the specification of a table: a list, of which every lookup reads all.
type model []Route

func same(a, b *Route) bool { return a.Dst == b.Dst && a.compare(b) == 0 }

func (m *model) insert(r Route) {
	r.Dst = r.Dst.Masked()
	m.remove(r)
	*m = append(*m, r)
}

func (m *model) remove(r Route) bool {
	r.Dst = r.Dst.Masked()
	n := len(*m)
	*m = slices.DeleteFunc(*m, func(e Route) bool { return same(&e, &r) })
	return len(*m) < n
}

func (m model) lookup(dst netip.Addr, usable func(*Route) bool) (best Route, ok bool) {
	for i := range m {
		r := &m[i]
		if !r.Dst.Contains(dst) || !usable(r) {
			continue
		}
		if !ok || r.Dst.Bits() > best.Dst.Bits() || r.Dst.Bits() == best.Dst.Bits() && r.compare(&best) < 0 {
			best, ok = *r, true
		}
	}
	return best, ok
}

// randomAddr returns addresses that crowd together, so that prefixes nest.
func randomAddr(rng *rand.Rand) netip.Addr {
	bits := rng.Uint32() & rng.Uint32() & rng.Uint32()
	if rng.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte{byte(bits >> 24), byte(bits >> 16), byte(bits >> 8), byte(bits)})
	}
	a := [16]byte{0x20, 1, 0xd, 0xb8, 0, 0, byte(bits >> 24), byte(bits >> 16), 15: byte(bits)}
	return netip.AddrFrom16(a)
}

func randomRoute(rng *rand.Rand) Route {
	a := randomAddr(rng)
	r := Route{Dst: netip.PrefixFrom(a, rng.IntN(a.BitLen()+1)&^3), Interface: rng.IntN(3), Metric: rng.IntN(9)}
	if rng.IntN(3) == 0 {
		r.Via = addr("192.0.2.1")
		if a.Is6() {
			r.Via = addr("fe80::1")
		}
	}
	return r
}

func randomSource(rng *rand.Rand, dst netip.Addr) netip.Addr {
	host := byte(1 + rng.IntN(200))
	if dst.Is4() {
		return netip.AddrFrom4([4]byte{192, 0, 2, host})
	}
	return netip.AddrFrom16([16]byte{0x20, 1, 15: host})
}

func TestTableAgreesWithTheModel(t *testing.T) {
	for range 10 {
		seed := rand.Uint64()
		if err := randomRun(seed, 300); err != nil {
			t.Fatalf("seed %#x: %v", seed, err)
		}
	}
}

// randomRun changes a table in place, and another by With and Without, and asks both and
// the model where addresses go.
func randomRun(seed uint64, steps int) error {
	rng := rand.New(rand.NewPCG(seed, 0))
	var m model
	inPlace, persistent := new(Table), new(Table)
	snapshot, snapshotRoutes := persistent, persistent.All()
	for step := range steps {
		r := randomRoute(rng)
		if len(m) > 0 && rng.IntN(3) == 0 {
			r = m[rng.IntN(len(m))]
			r.Src = randomSource(rng, r.Dst.Addr())
		}
		var ok, ok2 bool
		if rng.IntN(3) > 0 {
			m.insert(r)
			err := inPlace.Insert(r)
			if err != nil {
				return err
			}
			if persistent, err = persistent.With(r); err != nil {
				return err
			}
		} else {
			want := m.remove(r)
			ok = inPlace.Remove(r)
			persistent, ok2 = persistent.Without(r)
			if ok != want || ok2 != want {
				return fmt.Errorf("step %d: removing %v: %t and %t, want %t", step, r, ok, ok2, want)
			}
		}
		if inPlace.Len() != len(m) || persistent.Len() != len(m) {
			return fmt.Errorf("step %d: %d and %d routes, want %d", step, inPlace.Len(), persistent.Len(), len(m))
		}
		if rng.IntN(10) == 0 {
			if !slices.Equal(snapshot.All(), snapshotRoutes) {
				return fmt.Errorf("step %d: a table that was not touched has changed", step)
			}
			snapshot, snapshotRoutes = persistent, persistent.All()
		}
		for range 20 {
			if err := agree(&m, rng, inPlace, persistent); err != nil {
				return fmt.Errorf("step %d: %w", step, err)
			}
		}
	}
	if !slices.Equal(inPlace.All(), persistent.All()) {
		return fmt.Errorf("the two tables differ")
	}
	return nil
}

func agree(m *model, rng *rand.Rand, tables ...*Table) error {
	dst, down := randomAddr(rng), rng.IntN(4)
	usable := func(r *Route) bool { return r.Interface != down }
	want, ok := m.lookup(dst, func(*Route) bool { return true })
	wantUsable, okUsable := m.lookup(dst, usable)
	for _, tab := range tables {
		if got, gotOK := tab.Lookup(dst); got != want || gotOK != ok {
			return fmt.Errorf("%v goes by %v (%t), want %v (%t)", dst, got, gotOK, want, ok)
		}
		if got, gotOK := tab.LookupWhere(dst, usable); got != wantUsable || gotOK != okUsable {
			return fmt.Errorf("%v without interface %d goes by %v (%t), want %v (%t)", dst, down, got, gotOK, wantUsable, okUsable)
		}
	}
	return nil
}

func FuzzTable(f *testing.F) {
	f.Add(uint64(1), uint16(50))
	f.Add(uint64(77), uint16(500))
	f.Fuzz(func(t *testing.T, seed uint64, steps uint16) {
		if err := randomRun(seed, int(steps%512)); err != nil {
			t.Fatal(err)
		}
	})
}

// full returns a table of n routes spread as a full feed's are: most prefixes are long.
func full(tb testing.TB, n int) (*Table, []netip.Addr) {
	rng := rand.New(rand.NewPCG(3, 4))
	tab := table(tb, Route{Dst: prefix("0.0.0.0/0"), Interface: 1}, Route{Dst: prefix("::/0"), Interface: 1})
	for tab.Len() < n {
		b := [16]byte{0x20, 1}
		a := netip.AddrFrom4([4]byte{byte(1 + rng.IntN(223)), byte(rng.Uint32()), byte(rng.Uint32()), 0})
		bits := 24 - rng.IntN(9)*rng.IntN(2)
		if rng.IntN(4) == 0 {
			for i := 2; i < 6; i++ {
				b[i] = byte(rng.Uint32())
			}
			a, bits = netip.AddrFrom16(b), 48-rng.IntN(17)
		}
		if err := tab.Insert(Route{Dst: netip.PrefixFrom(a, bits), Interface: 1 + rng.IntN(4)}); err != nil {
			tb.Fatal(err)
		}
	}
	all := tab.All()
	dsts := make([]netip.Addr, 4096)
	for i := range dsts {
		dsts[i] = all[rng.IntN(len(all))].Dst.Addr().Next()
	}
	return tab, dsts
}

func TestLookupAllocatesNothing(t *testing.T) {
	tab, dsts := full(t, 1000)
	down := 1
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		dst := dsts[i%len(dsts)]
		i++
		_, _ = tab.Lookup(dst)
		_, _ = tab.LookupWhere(dst, func(r *Route) bool { return r.Interface != down })
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func benchmarkLookup(b *testing.B, v4 bool) {
	tab, dsts := full(b, 100000)
	dsts = slices.DeleteFunc(dsts, func(a netip.Addr) bool { return a.Is4() != v4 })
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := tab.Lookup(dsts[i%len(dsts)]); !ok {
			b.Fatal("no route")
		}
		i++
	}
}

func BenchmarkLookup4In100000(b *testing.B) { benchmarkLookup(b, true) }
func BenchmarkLookup6In100000(b *testing.B) { benchmarkLookup(b, false) }

func BenchmarkLookupWhereIn100000(b *testing.B) {
	tab, dsts := full(b, 100000)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := tab.LookupWhere(dsts[i%len(dsts)], func(r *Route) bool { return r.Interface != 4 }); !ok {
			b.Fatal("no route")
		}
		i++
	}
}

func BenchmarkWithIn100000(b *testing.B) {
	tab, _ := full(b, 100000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tab.With(Route{Dst: prefix("203.0.113.0/24"), Interface: 9}); err != nil {
			b.Fatal(err)
		}
	}
}
