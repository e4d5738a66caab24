package route

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
)

var (
	addr   = netip.MustParseAddr
	prefix = netip.MustParsePrefix
)

func table(t testing.TB, routes ...Route) *Table {
	t.Helper()
	var tab Table
	for _, r := range routes {
		if err := tab.Insert(r); err != nil {
			t.Fatal(err)
		}
	}
	return &tab
}

func wantLookup(t *testing.T, tab *Table, dst string, want *Route) {
	t.Helper()
	got, ok := tab.Lookup(addr(dst))
	if ok != (want != nil) || ok && got != *want {
		t.Errorf("%s goes by %v (%t), want %v", dst, got, ok, want)
	}
}

// RFC 1812 §5.2.4.3, Longest Match.
func TestLongestPrefixWins(t *testing.T) {
	def4 := Route{Dst: prefix("0.0.0.0/0"), Via: addr("192.0.2.254"), Interface: 1}
	net4 := Route{Dst: prefix("198.51.100.0/24"), Via: addr("192.0.2.253"), Interface: 1}
	sub4 := Route{Dst: prefix("198.51.100.128/25"), Interface: 2, Metric: 1000}
	host4 := Route{Dst: prefix("198.51.100.129/32"), Interface: 3}
	def6 := Route{Dst: prefix("::/0"), Via: addr("fe80::1"), Interface: 1}
	net6 := Route{Dst: prefix("2001:db8::/32"), Interface: 2, Src: addr("2001:db8::1")}
	tab := table(t, def4, net4, sub4, host4, def6, net6)
	wantLookup(t, tab, "203.0.113.1", &def4)
	wantLookup(t, tab, "198.51.100.1", &net4)
	wantLookup(t, tab, "198.51.100.130", &sub4) // its metric is of no account here
	wantLookup(t, tab, "198.51.100.129", &host4)
	wantLookup(t, tab, "::ffff:198.51.100.129", &host4)
	wantLookup(t, tab, "2001:db8::2", &net6)
	wantLookup(t, tab, "2001:db8::2%eth0", &net6)
	wantLookup(t, tab, "2001:db9::2", &def6)
	wantLookup(t, table(t, net4, net6), "203.0.113.1", nil)
	wantLookup(t, new(Table), "::1", nil)
	if _, ok := tab.Lookup(netip.Addr{}); ok {
		t.Error("an invalid address has a route")
	}
}

// RFC 1812 §5.2.4.3, Best Metric.
func TestLowestMetricOfAPrefixWins(t *testing.T) {
	dst := prefix("0.0.0.0/0")
	a := Route{Dst: dst, Via: addr("192.0.2.1"), Interface: 2, Metric: 10}
	b := Route{Dst: dst, Via: addr("192.0.2.2"), Interface: 1, Metric: 20}
	c := Route{Dst: dst, Via: addr("192.0.2.3"), Interface: 1, Metric: 5}
	for _, order := range [][]Route{{a, b, c}, {c, b, a}, {b, a, c}} {
		tab := table(t, order...)
		wantLookup(t, tab, "8.8.8.8", &c)
		tab.Remove(c)
		wantLookup(t, tab, "8.8.8.8", &a)
		tab.Remove(a)
		wantLookup(t, tab, "8.8.8.8", &b)
		tab.Remove(b)
		wantLookup(t, tab, "8.8.8.8", nil)
	}
}

func TestChoiceBetweenEqualsDoesNotDependOnTheOrderTheyCameIn(t *testing.T) {
	dst := prefix("2001:db8::/32")
	routes := []Route{
		{Dst: dst, Interface: 1},
		{Dst: dst, Interface: 1, Via: addr("fe80::1")},
		{Dst: dst, Interface: 1, Via: addr("fe80::2")},
		{Dst: dst, Interface: 2, Via: addr("fe80::1")},
	}
	backwards := slices.Clone(routes)
	slices.Reverse(backwards)
	if got := table(t, backwards...).All(); !slices.Equal(got, routes) {
		t.Errorf("got %v, want %v", got, routes)
	}
}

func TestInsertReplacesTheSameRoute(t *testing.T) {
	r := Route{Dst: prefix("192.0.2.77/24"), Interface: 1}
	tab := table(t, r)
	r.Src = addr("192.0.2.2")
	if err := tab.Insert(r); err != nil || tab.Len() != 1 || !tab.Contains(r) {
		t.Fatalf("%v: %v", err, tab.All())
	}
	r.Dst = prefix("192.0.2.0/24")
	wantLookup(t, tab, "192.0.2.9", &r)
	if !tab.Remove(Route{Dst: prefix("192.0.2.1/24"), Interface: 1}) || tab.Remove(r) || tab.Len() != 0 {
		t.Errorf("left: %v", tab.All())
	}
}

func TestMalformedRoutesAreRefused(t *testing.T) {
	for _, c := range []struct {
		r    Route
		want error
	}{
		{Route{}, ErrDestination},
		{Route{Dst: netip.PrefixFrom(addr("192.0.2.1"), 33)}, ErrDestination},
		{Route{Dst: prefix("::ffff:192.0.2.0/120")}, ErrDestination},
		{Route{Dst: prefix("192.0.2.0/24"), Via: addr("fe80::1")}, ErrNextHop},
		{Route{Dst: prefix("2001:db8::/32"), Via: addr("192.0.2.1")}, ErrNextHop},
		{Route{Dst: prefix("192.0.2.0/24"), Via: addr("0.0.0.0")}, ErrNextHop},
		{Route{Dst: prefix("2001:db8::/32"), Via: addr("ff02::1")}, ErrNextHop},
		{Route{Dst: prefix("192.0.2.0/24"), Src: addr("::1")}, ErrSource},
		{Route{Dst: prefix("192.0.2.0/24"), Src: addr("224.0.0.1")}, ErrSource},
	} {
		var tab Table
		if err := tab.Insert(c.r); !errors.Is(err, c.want) || tab.Len() != 0 {
			t.Errorf("%v: %v, want %v", c.r, err, c.want)
		}
		if next, err := tab.With(c.r); !errors.Is(err, c.want) || next != nil {
			t.Errorf("%v: With gives %v, want %v", c.r, err, c.want)
		}
		if tab.Contains(c.r) || tab.Remove(c.r) {
			t.Errorf("%v is there", c.r)
		}
		if _, ok := tab.Without(c.r); ok {
			t.Errorf("%v was there", c.r)
		}
	}
}

func TestLookupWhereFallsBackToWhatIsUsable(t *testing.T) {
	def := Route{Dst: prefix("0.0.0.0/0"), Interface: 9}
	wide := Route{Dst: prefix("10.0.0.0/8"), Interface: 3}
	best := Route{Dst: prefix("10.1.0.0/16"), Interface: 1}
	second := Route{Dst: prefix("10.1.0.0/16"), Interface: 2, Metric: 7}
	tab := table(t, def, wide, best, second)
	down := map[int]bool{}
	usable := func(r *Route) bool { return !down[r.Interface] }
	for _, want := range []Route{best, second, wide, def} {
		got, ok := tab.LookupWhere(addr("10.1.2.3"), usable)
		if !ok || got != want {
			t.Errorf("with %v down: %v, want %v", down, got, want)
		}
		down[want.Interface] = true
	}
	if got, ok := tab.LookupWhere(addr("10.1.2.3"), usable); ok {
		t.Errorf("with all down: %v", got)
	}
	if got, ok := tab.LookupWhere(addr("10.1.2.3"), nil); !ok || got != best {
		t.Errorf("with no filter: %v", got)
	}
	if _, ok := tab.LookupWhere(netip.Addr{}, usable); ok {
		t.Error("an invalid address has a route")
	}
}

func TestNextHopIsTheRouterOrTheDestinationItself(t *testing.T) {
	dst := addr("10.1.2.3")
	if r := (Route{Via: addr("192.0.2.1")}); r.NextHop(dst) != r.Via {
		t.Error("the next hop is not the router")
	}
	if r := (Route{}); r.NextHop(dst) != dst {
		t.Error("the next hop on the link is not the destination")
	}
}

func TestAllIsSortedForListing(t *testing.T) {
	want := []Route{
		{Dst: prefix("0.0.0.0/0"), Metric: 1}, {Dst: prefix("0.0.0.0/0"), Metric: 2},
		{Dst: prefix("10.0.0.0/8")}, {Dst: prefix("10.0.0.0/16")}, {Dst: prefix("10.0.1.0/24")}, {Dst: prefix("192.0.2.0/24")},
		{Dst: prefix("::/0")}, {Dst: prefix("2001:db8::/32")}, {Dst: prefix("fe80::/64"), Interface: 1}, {Dst: prefix("fe80::/64"), Interface: 2},
	}
	mixed := slices.Clone(want)
	slices.Reverse(mixed)
	if got := table(t, mixed...).All(); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestRemoveWhereTakesTheRoutesOfAnInterface(t *testing.T) {
	keep := Route{Dst: prefix("10.0.0.0/8"), Interface: 1}
	tab := table(t, keep, Route{Dst: prefix("10.0.0.0/8"), Interface: 2}, Route{Dst: prefix("::/0"), Interface: 2})
	if n := tab.RemoveWhere(func(r *Route) bool { return r.Interface == 2 }); n != 2 || tab.Len() != 1 || !tab.Contains(keep) {
		t.Errorf("%d removed, left %v", n, tab.All())
	}
}

func TestWithAndWithoutLeaveTheTableAsItWas(t *testing.T) {
	a := Route{Dst: prefix("10.0.0.0/8"), Interface: 1}
	b := Route{Dst: prefix("10.0.0.0/8"), Interface: 2}
	c := Route{Dst: prefix("10.1.0.0/16"), Interface: 3}
	t0 := new(Table)
	t1, _ := t0.With(b)
	t2, _ := t1.With(a)
	t3, _ := t2.With(c)
	t4, ok4 := t3.Without(a)
	t5, ok5 := t4.Without(b)
	t6, ok6 := t5.Without(b)
	if !ok4 || !ok5 || ok6 || t6 != t5 {
		t.Error("Without says the wrong thing")
	}
	for i, c := range []struct {
		tab  *Table
		want []Route
	}{{t0, nil}, {t1, []Route{b}}, {t2, []Route{a, b}}, {t3, []Route{a, b, c}}, {t4, []Route{b, c}}, {t5, []Route{c}}} {
		if got := c.tab.All(); !slices.Equal(got, c.want) || c.tab.Len() != len(c.want) {
			t.Errorf("table %d has %v, want %v", i, got, c.want)
		}
	}
}

func TestCloneSharesNothing(t *testing.T) {
	a := Route{Dst: prefix("10.0.0.0/8"), Interface: 1}
	b := Route{Dst: prefix("10.0.0.0/8"), Interface: 2}
	t0 := table(t, a)
	t1 := t0.Clone()
	if err := t1.Insert(b); err != nil {
		t.Fatal(err)
	}
	t0.Remove(a)
	if t0.Len() != 0 || len(t0.All()) != 0 || !slices.Equal(t1.All(), []Route{a, b}) {
		t.Errorf("the table has %v, its clone %v", t0.All(), t1.All())
	}
}

func TestRouteIsPrintedAsIPRouteWould(t *testing.T) {
	r := Route{Dst: prefix("10.0.0.0/8"), Via: addr("192.0.2.1"), Interface: 2, Metric: 7, Src: addr("192.0.2.2")}
	if got, want := r.String(), "10.0.0.0/8 via 192.0.2.1 dev 2 metric 7 src 192.0.2.2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
