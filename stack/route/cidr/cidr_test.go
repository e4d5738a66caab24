package cidr

import (
	"net/netip"
	"testing"
)

var (
	addr   = netip.MustParseAddr
	prefix = netip.MustParsePrefix
)

func TestPrefixIsTakenApart(t *testing.T) {
	for _, c := range []struct{ p, network, last, host, mask, wildcard, first, final string }{
		{"203.0.113.77/26", "203.0.113.64", "203.0.113.127", "0.0.0.13", "255.255.255.192", "0.0.0.63", "203.0.113.65", "203.0.113.126"},
		{"10.1.2.3/8", "10.0.0.0", "10.255.255.255", "0.1.2.3", "255.0.0.0", "0.255.255.255", "10.0.0.1", "10.255.255.254"},
		{"192.0.2.5/30", "192.0.2.4", "192.0.2.7", "0.0.0.1", "255.255.255.252", "0.0.0.3", "192.0.2.5", "192.0.2.6"},
		{"192.0.2.5/31", "192.0.2.4", "192.0.2.5", "0.0.0.1", "255.255.255.254", "0.0.0.1", "192.0.2.4", "192.0.2.5"},
		{"192.0.2.5/32", "192.0.2.5", "192.0.2.5", "0.0.0.0", "255.255.255.255", "0.0.0.0", "192.0.2.5", "192.0.2.5"},
		{"0.0.0.0/0", "0.0.0.0", "255.255.255.255", "0.0.0.0", "0.0.0.0", "255.255.255.255", "0.0.0.1", "255.255.255.254"},
		{"2001:db8::1234/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", "::1234", "ffff:ffff:ffff:ffff::", "::ffff:ffff:ffff:ffff", "2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"},
		{"2001:db8::8001/113", "2001:db8::8000", "2001:db8::ffff", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:8000", "::7fff", "2001:db8::8001", "2001:db8::ffff"},
		{"2001:db8::3/127", "2001:db8::2", "2001:db8::3", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "::1", "2001:db8::2", "2001:db8::3"},
		{"2001:db8::3/128", "2001:db8::3", "2001:db8::3", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::", "2001:db8::3", "2001:db8::3"},
	} {
		p := prefix(c.p)
		first, final := Usable(p)
		for _, v := range []struct {
			what string
			got  netip.Addr
			want string
		}{
			{"Network", Network(p), c.network}, {"Last", Last(p), c.last}, {"Host", Host(p), c.host},
			{"Mask", Mask(p), c.mask}, {"Wildcard", Wildcard(p), c.wildcard},
			{"first usable", first, c.first}, {"last usable", final, c.final},
		} {
			if v.got != addr(v.want) {
				t.Errorf("%s: %s is %v, want %s", c.p, v.what, v.got, v.want)
			}
		}
	}
}

// RFC 1122 §3.2.1.3(c); RFC 3021 §2.1 for /31.
func TestDirectedBroadcastHasAHostPartOfAllOnes(t *testing.T) {
	for _, c := range []struct {
		p, a string
		want bool
	}{
		{"192.0.2.1/24", "192.0.2.255", true},
		{"192.0.2.1/24", "192.0.2.0", false}, // 4.2BSD's form is a host's address
		{"192.0.2.1/24", "192.0.2.254", false},
		{"192.0.2.1/24", "192.0.3.255", false},
		{"192.0.2.1/26", "192.0.2.63", true},
		{"192.0.2.1/26", "192.0.2.127", false},
		{"192.0.2.5/30", "192.0.2.7", true},
		{"192.0.2.5/31", "192.0.2.5", false},
		{"192.0.2.5/32", "192.0.2.5", false},
		{"10.0.0.0/8", "10.255.255.255", true},
		{"0.0.0.0/0", "255.255.255.255", true},
		{"2001:db8::/120", "2001:db8::ff", false},
		{"192.0.2.1/24", "::ffff:192.0.2.255", false},
	} {
		if got := IsBroadcast(prefix(c.p), addr(c.a)); got != c.want {
			t.Errorf("%s in %s: broadcast is %t, want %t", c.a, c.p, got, c.want)
		}
	}
}

func TestLimitedBroadcastIsOneAddress(t *testing.T) {
	if !IsLimitedBroadcast(addr("255.255.255.255")) {
		t.Error("255.255.255.255 is not a limited broadcast")
	}
	for _, a := range []netip.Addr{{}, addr("255.255.255.254"), addr("::ffff:ffff"), addr("0.0.0.0")} {
		if IsLimitedBroadcast(a) {
			t.Errorf("%v is a limited broadcast", a)
		}
	}
}

// RFC 4291 §2.6.1; RFC 6164 §6 for /127.
func TestSubnetRouterAnycastHasAHostPartOfZero(t *testing.T) {
	for _, c := range []struct {
		p, a string
		want bool
	}{
		{"2001:db8::1/64", "2001:db8::", true},
		{"2001:db8::1/64", "2001:db8::1", false},
		{"2001:db8::1/64", "2001:db8:0:1::", false},
		{"fe80::1/64", "fe80::%eth0", true},
		{"2001:db8::1/127", "2001:db8::", false},
		{"2001:db8::/128", "2001:db8::", false},
		{"192.0.2.1/24", "192.0.2.0", false},
	} {
		if got := IsSubnetRouterAnycast(prefix(c.p), addr(c.a)); got != c.want {
			t.Errorf("%s in %s: anycast is %t, want %t", c.a, c.p, got, c.want)
		}
	}
}

// RFC 3021 for /31, RFC 6164 for /127.
func TestBothAddressesOfAPointToPointLinkAreUsable(t *testing.T) {
	for _, c := range []struct {
		p, a, b string
		want    bool
	}{
		{"192.0.2.4/31", "192.0.2.4", "192.0.2.5", true},
		{"2001:db8::/127", "2001:db8::", "2001:db8::1", true},
		{"192.0.2.4/30", "192.0.2.4", "192.0.2.7", false},
	} {
		p := prefix(c.p)
		if IsPointToPoint(p) != c.want {
			t.Errorf("%s: point to point is %t", c.p, !c.want)
		}
		if IsUsable(p, addr(c.a)) != c.want || IsUsable(p, addr(c.b)) != c.want {
			t.Errorf("%s: edge addresses: usable is %t", c.p, !c.want)
		}
	}
	if IsUsable(prefix("192.0.2.0/24"), addr("192.0.3.1")) {
		t.Error("an address outside the prefix is usable")
	}
}

func TestInvalidPrefixGivesInvalidAddresses(t *testing.T) {
	var p netip.Prefix
	first, last := Usable(p)
	for _, a := range []netip.Addr{Network(p), Last(p), Host(p), Mask(p), Wildcard(p), first, last} {
		if a.IsValid() {
			t.Errorf("got %v", a)
		}
	}
	if _, ok := Broadcast(p); ok || HostBits(p) != -1 || IsPointToPoint(p) || IsBroadcast(p, addr("255.255.255.255")) ||
		IsSubnetRouterAnycast(p, addr("::")) || IsUsable(p, addr("::")) {
		t.Error("an invalid prefix has properties")
	}
}

func TestCommonPrefixIsCountedInBits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"192.0.2.1", "192.0.2.1", 32}, {"192.0.2.1", "192.0.2.0", 31}, {"192.0.2.1", "64.0.0.0", 0},
		{"10.0.0.1", "10.128.0.1", 8}, {"192.0.2.1", "::1", 0}, {"::ffff:192.0.2.1", "192.0.2.1", 0},
		{"2001:db8::1", "2001:db8::1", 128}, {"2001:db8::1", "2001:db8::2", 126},
		{"2001:db8:1::", "2001:db8:2::", 46}, {"::", "8000::", 0},
	} {
		if got := CommonPrefixLen(addr(c.a), addr(c.b)); got != c.want {
			t.Errorf("%s and %s: %d bits, want %d", c.a, c.b, got, c.want)
		}
	}
	if CommonPrefixLen(netip.Addr{}, netip.Addr{}) != 0 {
		t.Error("invalid addresses have bits in common")
	}
}

// RFC 4007 §4, RFC 6724 §3.1 and §3.2, RFC 4291 §2.7, RFC 2365 §8.
func TestScopeOfAnAddress(t *testing.T) {
	for a, want := range map[string]Scope{
		"2001:db8::1": ScopeGlobal, "fc00::1": ScopeGlobal, "fe80::1": ScopeLinkLocal, "fe80::1%eth0": ScopeLinkLocal,
		"fec0::1": ScopeSiteLocal, "feff::1": ScopeSiteLocal, "::1": ScopeLinkLocal, "::": ScopeLinkLocal,
		"ff01::1": ScopeInterfaceLocal, "ff02::1": ScopeLinkLocal, "ff03::1": ScopeRealmLocal, "ff04::1": ScopeAdminLocal,
		"ff05::1": ScopeSiteLocal, "ff08::1": ScopeOrganizationLocal, "ff0e::1": ScopeGlobal, "ff3e::1": ScopeGlobal, "ff06::1": 6,
		"192.0.2.1": ScopeGlobal, "10.0.0.1": ScopeGlobal, "169.254.1.1": ScopeLinkLocal, "127.0.0.1": ScopeLinkLocal,
		"255.255.255.255": ScopeLinkLocal, "0.0.0.0": ScopeLinkLocal,
		"224.0.0.1": ScopeLinkLocal, "224.0.1.1": ScopeGlobal, "239.255.1.1": ScopeRealmLocal, "239.195.0.1": ScopeOrganizationLocal,
		"239.196.0.1": ScopeGlobal, "::ffff:169.254.1.1": ScopeLinkLocal, "::ffff:192.0.2.1": ScopeGlobal, "::ffff:224.0.0.1": ScopeLinkLocal,
	} {
		if got := ScopeOf(addr(a)); got != want {
			t.Errorf("%s: %v, want %v", a, got, want)
		}
	}
	if ScopeOf(netip.Addr{}) != 0 {
		t.Error("an invalid address has a scope")
	}
}

func TestEveryScopeHasAName(t *testing.T) {
	seen := map[string]bool{}
	for s := range Scope(16) {
		seen[s.String()] = true
	}
	if len(seen) != 16 || Scope(6).String() != "scope 0x06" {
		t.Errorf("names: %v", seen)
	}
}

func TestClassIsThatOfTheSmallestBlock(t *testing.T) {
	for a, want := range map[string]Class{
		"8.8.8.8": ClassGlobal, "0.0.0.0": ClassUnspecified, "0.1.2.3": ClassThisNetwork, "10.2.3.4": ClassPrivate,
		"172.15.0.1": ClassGlobal, "172.31.255.255": ClassPrivate, "172.32.0.1": ClassGlobal, "192.168.1.1": ClassPrivate,
		"100.64.0.1": ClassShared, "100.128.0.1": ClassGlobal, "127.9.9.9": ClassLoopback, "169.254.3.4": ClassLinkLocal,
		"192.0.2.1": ClassDocumentation, "198.51.100.1": ClassDocumentation, "203.0.113.1": ClassDocumentation,
		"198.18.0.1": ClassBenchmark, "198.19.255.255": ClassBenchmark, "198.20.0.0": ClassGlobal,
		"224.0.0.1": ClassMulticast, "233.252.0.1": ClassDocumentation, "240.0.0.1": ClassReserved, "255.255.255.255": ClassBroadcast,
		"::": ClassUnspecified, "::1": ClassLoopback, "::2": ClassGlobal, "::ffff:1.2.3.4": ClassMapped, "64:ff9b::1": ClassTranslation,
		"100::1": ClassDiscard, "2001::1": ClassTranslation, "2001:2::1": ClassBenchmark, "2001:2:1::1": ClassProtocol,
		"2001:db8::1": ClassDocumentation, "3fff:fff::1": ClassDocumentation, "3fff:1000::": ClassGlobal, "2002::1": ClassTranslation,
		"fd00::1": ClassUniqueLocal, "fe80::1": ClassLinkLocal, "fe80::1%x": ClassLinkLocal, "fec0::1": ClassSiteLocal,
		"ff02::1": ClassMulticast, "2a00::1": ClassGlobal,
	} {
		if got := ClassOf(addr(a)); got != want {
			t.Errorf("%s: %v, want %v", a, got, want)
		}
	}
	if ClassOf(netip.Addr{}) != ClassInvalid {
		t.Error("the zero address is valid")
	}
}

// RFC 6890 §2.2: what must not be a source, or not leave the link.
func TestRegistryAnswersForRouters(t *testing.T) {
	for _, c := range []struct {
		a                         string
		source, dest, fwd, global bool
	}{
		{"192.0.2.1", false, false, false, false}, {"10.0.0.1", true, true, true, false}, {"169.254.0.1", true, true, false, false},
		{"255.255.255.255", false, true, false, false}, {"0.0.0.0", true, false, false, false}, {"1.1.1.1", true, true, true, true},
		{"::", true, false, false, false}, {"fe80::1", true, true, false, false}, {"ff02::1", false, true, false, false},
		{"ff0e::1", false, true, true, true}, {"127.0.0.1", false, false, false, false},
	} {
		i := Lookup(addr(c.a))
		if i.Source != c.source || i.Destination != c.dest || i.Forwardable != c.fwd || i.Global != c.global {
			t.Errorf("%s: %+v", c.a, i)
		}
	}
}

func TestRegistryRowsAreWholeAndInOrder(t *testing.T) {
	rows := Registered()
	for i, r := range rows {
		if r.Prefix != r.Prefix.Masked() || r.Class == ClassInvalid || r.Class == ClassGlobal || r.Name == "" || r.RFC == 0 || r.Class.String() == "" {
			t.Errorf("row %v: %+v", r.Prefix, r)
		}
		if i > 0 && rows[i-1].Prefix.Compare(r.Prefix) >= 0 {
			t.Errorf("%v stands before %v", rows[i-1].Prefix, r.Prefix)
		}
		if got := Lookup(Last(r.Prefix)); !got.Prefix.IsValid() || got.Prefix.Bits() < r.Prefix.Bits() {
			t.Errorf("the last address of %v is looked up in %v", r.Prefix, got.Prefix)
		}
	}
	if Class(200).String() != "unknown" {
		t.Error("a class that does not exist has a name")
	}
}

func TestPerPacketQuestionsAllocateNothing(t *testing.T) {
	p4, p6, a4, a6 := prefix("192.0.2.1/24"), prefix("2001:db8::1/64"), addr("192.0.2.255"), addr("2001:db8::")
	if n := testing.AllocsPerRun(100, func() {
		_ = IsBroadcast(p4, a4) && IsLimitedBroadcast(a4) && IsSubnetRouterAnycast(p6, a6) && IsUsable(p4, a4)
		_ = ScopeOf(a4) + ScopeOf(a6)
		_ = CommonPrefixLen(a4, a4)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzPrefix(f *testing.F) {
	f.Add([]byte{192, 0, 2, 77}, uint8(26), []byte{192, 0, 2, 127})
	f.Add([]byte{192, 0, 2, 4}, uint8(31), []byte{192, 0, 2, 5})
	f.Add(addr("2001:db8::1").AsSlice(), uint8(64), addr("2001:db8::").AsSlice())
	f.Fuzz(func(t *testing.T, b []byte, bits uint8, c []byte) {
		a, _ := netip.AddrFromSlice(b)
		x, _ := netip.AddrFromSlice(c)
		p := netip.PrefixFrom(a, int(bits))
		_, _, _ = ClassOf(x).String(), ScopeOf(x).String(), CommonPrefixLen(a, x)
		first, last := Usable(p)
		if !p.IsValid() {
			if first.IsValid() || IsUsable(p, x) || IsBroadcast(p, x) {
				t.Fatalf("invalid prefix %v has addresses", p)
			}
			return
		}
		if !p.Contains(first) || !p.Contains(last) || first.Compare(last) > 0 || !IsUsable(p, first) || !IsUsable(p, last) {
			t.Fatalf("%v: usable from %v to %v", p, first, last)
		}
		if b, ok := Broadcast(p); ok && (!IsBroadcast(p, b) || IsUsable(p, b)) {
			t.Fatalf("%v: broadcast %v", p, b)
		}
		if IsBroadcast(p, x) != (HostBits(p) >= 2 && x.Is4() && a.Is4() && x == Last(p)) {
			t.Fatalf("%v: is %v broadcast?", p, x)
		}
		if n := CommonPrefixLen(a, x); a.BitLen() == x.BitLen() && (n >= p.Bits()) != p.Contains(x) && !a.Is4In6() {
			t.Fatalf("%v and %v share %d bits", p, x, n)
		}
	})
}
