//go:build !race

package msg

import (
	"net/netip"
	"testing"
)

func allocates(t *testing.T, name string, want float64, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(200, f); n > want {
		t.Errorf("%s allocates %v times, want at most %v", name, n, want)
	}
}

func TestReadingAQueryAllocatesNothing(t *testing.T) {
	m := NewQuery(MustName("wWw.Example."), TypeAAAA, true)
	m.EDNS = &EDNS{Size: 1400, DO: true, Options: []Option{{OptionNSID, nil}, {OptionCookie, []byte("12345678")}}}
	p, err := m.Append(nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var q Query
	allocates(t, "Query.Parse", 0, func() {
		if !q.Parse(p) {
			t.Fatal("not a query")
		}
	})
}

func TestPackingIntoABufferAllocatesNothing(t *testing.T) {
	m := NewQuery(MustName("www.example."), TypeA, true)
	m.Answer = []RR{A(MustName("www.example."), 60, netip.MustParseAddr("192.0.2.1"))}
	m.Authority = []RR{NS(MustName("example."), 60, MustName("ns.example."))}
	m.EDNS = &EDNS{Size: 1232, Options: []Option{{OptionCookie, []byte("12345678")}}}
	buf := make([]byte, 0, 512)
	allocates(t, "Message.Append", 0, func() {
		if _, err := m.Append(buf, 512); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNamesAreComparedWithoutAllocation(t *testing.T) {
	n, o, upper := MustName("a.b.c.example."), MustName("a.B.c.example."), MustName("EXAMPLE.")
	soa, err := ParseRR("example. 300 IN SOA ns.example. host.example. 1 7200 3600 1209600 300")
	if err != nil {
		t.Fatal(err)
	}
	set := NewTypeSet(TypeA, TypeNS, 1234)
	allocates(t, "the methods of a name", 0, func() {
		v, ok := soa.SOA()
		if !n.Equal(o) || n.Compare(o) != 0 || !n.Under(upper) || n.Fold() != n || n.Parent().Labels() != 3 ||
			n.Suffix(1).Labels() != 1 || !ok || v.Minimum != 300 || soa.Target() != "" || !set.Has(1234) {
			t.Fatal("a method is wrong")
		}
	})
}
