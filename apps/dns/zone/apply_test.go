package zone

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

// records returns a zone's records as text.
func recordsOf(z *Zone) (lines []string) {
	for rr := range z.All() {
		lines = append(lines, rr.String())
	}
	return lines
}

// A zone that is changed step by step is the same as one made of the records that there are in the end.
func TestVersionsMadeByDifferencesAreAsThoseMadeWhole(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	origin := msg.MustName("example.")
	soa := func(serial uint32) msg.RR {
		return msg.NewRR(origin, msg.TypeSOA, 60, msg.SOA{MName: origin, RName: origin, Serial: serial, Minimum: 60}.Data())
	}
	var pool []msg.RR
	for i := range 3000 {
		name := []string{"h%d.example.", "a.b.c%d.example.", "H%d.x.example.", "d%d.sub%[1]d.example."}[i%4]
		rr, err := msg.ParseRR(fmt.Sprintf(fmt.Sprintf(name, i/6)+" 60 IN %s", []string{"A 192.0.2.1", "A 192.0.2.2", "NS ns.example.", "TXT x", "NSEC3 1 0 0 - 00000000000000000000000000000000 A"}[i%5]))
		if err != nil {
			t.Fatal(err)
		}
		pool = append(pool, rr)
	}
	make := func(in map[int]bool, serial uint32) *Zone {
		b := NewBuilder(origin)
		b.Add(soa(serial))
		for i := range pool {
			if in[i] {
				if err := b.Add(pool[i]); err != nil {
					t.Fatal(err)
				}
			}
		}
		z, err := b.Zone()
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	in := map[int]bool{}
	for i := range pool {
		in[i] = rnd.IntN(2) == 0
	}
	z := make(in, 1)
	for step := uint32(1); step < 30; step++ {
		d := Diff{Deleted: []msg.RR{soa(step)}, Added: []msg.RR{soa(step + 1)}}
		for range []int{1, 10, 2000}[step%3] {
			i := rnd.IntN(len(pool))
			if rnd.IntN(4) == 0 || step > 20 {
				i = i % 100 // and at last much in few pages, mostly away
			}
			if in[i] != (step%5 == 0) {
				continue
			}
			if in[i] = !in[i]; in[i] {
				d.Added = append(d.Added, pool[i])
			} else {
				d.Deleted = append(d.Deleted, pool[i])
			}
		}
		before := recordsOf(z)
		next, err := z.Apply(&d)
		if err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		whole := make(in, step+1)
		if got, want := recordsOf(next), recordsOf(whole); !slices.Equal(got, want) {
			t.Fatalf("step %d: %d records, want %d", step, len(got), len(want))
		}
		if next.Records() != whole.Records() || next.Names() != whole.Names() || next.cuts != whole.cuts || next.cut != whole.cut {
			t.Fatalf("step %d: counts %d %d, want %d %d", step, next.Records(), next.Names(), whole.Records(), whole.Names())
		}
		if !slices.Equal(recordsOf(z), before) {
			t.Fatalf("step %d: the version before has changed", step)
		}
		// And the difference between the two is what was applied.
		back, ok := Compare(z, next, 1<<20)
		if again, err := z.Apply(back); !ok || err != nil || !slices.Equal(recordsOf(again), recordsOf(next)) || len(back.Added) != len(d.Added) || len(back.Deleted) != len(d.Deleted) {
			t.Fatalf("step %d: the difference found is %d and %d records, applied were %d and %d: %v", step, len(back.Deleted), len(back.Added), len(d.Deleted), len(d.Added), err)
		}
		z = next
	}
	if _, ok := Compare(z, make(map[int]bool{}, 99), 5); ok {
		t.Error("a difference larger than its limit is returned")
	}
}

func TestDeletingWhatIsNotThereIsAnError(t *testing.T) {
	z := load(t, "example.", plainZone)
	for _, line := range []string{"nope.example. 60 IN A 192.0.2.1", "ns.example. 60 IN A 192.0.2.99", "ns.example. 60 IN TXT x"} {
		rr, err := msg.ParseRR(line)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Apply(&Diff{Deleted: []msg.RR{rr}}); !errors.Is(err, ErrNotThere) {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := z.Apply(&Diff{Deleted: []msg.RR{z.SOASet().AppendRRs(nil)[0]}}); !errors.Is(err, ErrNoSOA) {
		t.Errorf("without a SOA record: %v", err)
	}
}

// FuzzZone reads any text as a zone and asks it for what is in it, and beside it.
func FuzzReadAndLookup(f *testing.F) {
	for _, s := range []string{plainZone, wildcards, "$GENERATE 1-3 a${1,2,n} A 192.0.2.$\n", "$TTL 1\n@ SOA . . 1 2 3 4 5\n@ NSEC3PARAM 1 0 1 ab\n00000000000000000000000000000000 NSEC3 1 0 1 ab 00000000000000000000000000000000 A\n"} {
		f.Add(s, "a.b.example.", uint16(1), true)
	}
	// Proofs that take the most work there is: as many iterations as are taken, and names of as many labels as there may be.
	costly := "$TTL 1\n@ SOA . . 1 2 3 4 5\n@ NSEC3PARAM 1 0 2500 ab\n00000000000000000000000000000000 NSEC3 1 0 2500 ab 00000000000000000000000000000000 A\n"
	for i := range 50 {
		costly += fmt.Sprintf("%s%c%d A 192.0.2.1\n", strings.Repeat("a.", 120), 'a'+i%26, i%10)
	}
	f.Add(costly, "a.b.example.", uint16(1), true)
	origin := msg.MustName("example.")
	f.Fuzz(func(t *testing.T, s, name string, typ uint16, do bool) {
		b := NewBuilder(origin)
		rd := NewReader(strings.NewReader(s), "fuzz", origin, ReadOptions{MaxRecords: 2000, MaxOctets: 1 << 20})
		var names []msg.Name
		soa := false
		for {
			rr, ok := rd.Next()
			if !ok {
				break
			}
			if b.Add(rr) == nil && len(names) < 50 {
				names = append(names, rr.Name)
				soa = soa || rr.Type == msg.TypeSOA && rr.Name.Equal(origin)
			}
		}
		if !soa {
			b.Add(msg.NewRR(origin, msg.TypeSOA, 60, msg.SOA{MName: origin, RName: origin, Minimum: 60}.Data()))
		}
		z, err := b.Zone()
		if err != nil {
			return
		}
		z.signed = true // so that proofs are looked for
		if n, err := msg.ParseName(name); err == nil && n.Under(origin) {
			names = append(names, n)
		}
		var a Answer
		hashes := 1 << 20 // that proofs may take: with more, one text would take seconds, and the fuzzer ends what seems to hang
		for _, n := range names {
			for _, q := range []msg.Name{n, "\x01x" + n, n.Parent()} {
				if !q.Valid() || !q.Under(origin) {
					continue
				}
				if hashes -= (len(q)/2 + 1) * (z.Iterations() + 1); hashes < 0 {
					break
				}
				z.Lookup(&a, q, msg.Type(typ), do)
				for _, section := range [][]Set{a.Answer, a.Authority, a.Additional} {
					for _, s := range section {
						if !s.Name.Valid() || s.Len() == 0 {
							t.Fatalf("%v: the answer has %d records of %q", q, s.Len(), string(s.Name))
						}
					}
				}
			}
		}
		if z2, err := Load(NewReader(strings.NewReader(s), "fuzz", origin, ReadOptions{MaxRecords: 2000, MaxOctets: 1 << 20}), origin); err == nil {
			if d, ok := Compare(z2, z, 10); soa && rd.Err() == nil && (!ok || len(d.Deleted) != 1 || len(d.Added) != 1) {
				t.Fatalf("the same text is another zone: %v", d)
			}
		}
	})
}

// A record that is added brings its set the TTL that it has: all of a set have one (RFC 2181 §5.2), and a version that comes by changes
// has that of the primary.
func TestAddedRecordsBringTheirTTL(t *testing.T) {
	z := load(t, "example.", "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nw A 192.0.2.2\nw A 192.0.2.3\n")
	name := msg.MustName("w.example.")
	soa := z.SOA()
	soa.Serial = 2
	d := &Diff{
		Deleted: append(z.SOASet().AppendRRs(nil), msg.NewRR(name, msg.TypeA, 60, "\xc0\x00\x02\x02")),
		Added:   []msg.RR{msg.NewRR(z.Origin(), msg.TypeSOA, 60, soa.Data()), msg.NewRR(name, msg.TypeA, 120, "\xc0\x00\x02\x04")},
	}
	next, err := z.Apply(d)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := next.Get(name, msg.TypeA); !ok || s.TTL != 120 || s.Len() != 2 {
		t.Errorf("%v: %d records with the TTL %d, want 2 with 120", ok, s.Len(), s.TTL)
	}
}
