package wire

import (
	"errors"
	"net/netip"
	"testing"
	"time"
)

func TestNeighborMessagesComeBackAsTheyWerePut(t *testing.T) {
	b := make([]byte, 64)
	n := PutNeighborSolicit(b, dst6)
	n += PutLinkAddr(b[n:], NDPOptionSourceLinkAddr, macA)
	ns, err := ParseNeighborSolicit(b[:n])
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := ns.Options().LinkAddr(NDPOptionSourceLinkAddr); ns.Target() != dst6 || !ok || m != macA {
		t.Errorf("solicitation for %v from %v", ns.Target(), m)
	}
	if _, ok := ns.Options().LinkAddr(NDPOptionTargetLinkAddr); ok {
		t.Error("found an option that is not there")
	}

	for _, f := range []NeighborAdvertFields{
		{Target: src6}, {Router: true, Target: src6}, {Solicited: true, Target: src6}, {Override: true, Target: src6},
	} {
		n = PutNeighborAdvert(b, &f)
		n += PutLinkAddr(b[n:], NDPOptionTargetLinkAddr, macB)
		na, err := ParseNeighborAdvert(b[:n])
		if err != nil {
			t.Fatal(err)
		}
		m, ok := na.Options().LinkAddr(NDPOptionTargetLinkAddr)
		got := NeighborAdvertFields{na.Router(), na.Solicited(), na.Override(), na.Target()}
		if got != f || !ok || m != macB {
			t.Errorf("advertisement %+v at %v, want %+v", got, m, f)
		}
	}
}

func TestRouterMessagesComeBackAsTheyWerePut(t *testing.T) {
	b := make([]byte, 128)
	n := PutRouterSolicit(b)
	if rs, err := ParseRouterSolicit(b[:n]); err != nil || n != RouterSolicitLen || len(rs) != n {
		t.Fatal(n, err)
	}
	prefix := PrefixInfo{
		Prefix: netip.MustParsePrefix("2001:db8:1::/64"), OnLink: true, Autonomous: true,
		ValidLifetime: NDPInfinity, PreferredLifetime: 4 * time.Hour,
	}
	n = PutRouterAdvert(b, &RouterAdvertFields{
		HopLimit: 64, Managed: true, OtherConfig: true, Lifetime: 30 * time.Minute, ReachableTime: 30 * time.Second, RetransTimer: 1500 * time.Millisecond,
	})
	n += PutLinkAddr(b[n:], NDPOptionSourceLinkAddr, macA)
	n += PutNDPMTU(b[n:], 1400)
	n += PutPrefixInfo(b[n:], &prefix)
	ra, err := ParseRouterAdvert(b[:n])
	if err != nil {
		t.Fatal(err)
	}
	if ra.HopLimit() != 64 || !ra.Managed() || !ra.OtherConfig() || ra.Preference() != 0 || ra.Lifetime() != 30*time.Minute ||
		ra.ReachableTime() != 30*time.Second || ra.RetransTimer() != 1500*time.Millisecond {
		t.Errorf("read back %x", ra)
	}
	var kinds []uint8
	w := ra.Options()
	for o, ok := w.Next(); ok; o, ok = w.Next() {
		kinds = append(kinds, o.Kind())
		if mtu, ok := o.MTU(); ok != (o.Kind() == NDPOptionMTU) || (ok && mtu != 1400) {
			t.Errorf("option %d: MTU %d, %t", o.Kind(), mtu, ok)
		}
		if p, ok := o.PrefixInfo(); ok != (o.Kind() == NDPOptionPrefix) || (ok && p != prefix) {
			t.Errorf("option %d: prefix %+v, %t", o.Kind(), p, ok)
		}
		if m, ok := o.LinkAddr(); ok != (o.Kind() == NDPOptionSourceLinkAddr) || (ok && m != macA) {
			t.Errorf("option %d: link address %v, %t", o.Kind(), m, ok)
		}
	}
	if len(kinds) != 3 {
		t.Errorf("options %v", kinds)
	}
}

// RFC 4191 §2.2: 01 high, 00 medium, 11 low, 10 as medium.
func TestRouterPreferenceIsASignedNumber(t *testing.T) {
	b := make([]byte, RouterAdvertLen)
	PutRouterAdvert(b, &RouterAdvertFields{})
	for bits, want := range []int{0, 1, 0, -1} {
		b[5] = byte(bits << 3)
		if got := RouterAdvert(b).Preference(); got != want {
			t.Errorf("bits %02b: %d, want %d", bits, got, want)
		}
	}
}

func TestDurationsAreCutToTheirFields(t *testing.T) {
	b := make([]byte, RouterAdvertLen)
	PutRouterAdvert(b, &RouterAdvertFields{Lifetime: 1000 * time.Hour, ReachableTime: -time.Second, RetransTimer: 1 << 62})
	ra := RouterAdvert(b)
	if ra.Lifetime() != 65535*time.Second || ra.ReachableTime() != 0 || ra.RetransTimer() != (1<<32-1)*time.Millisecond {
		t.Errorf("%v %v %v", ra.Lifetime(), ra.ReachableTime(), ra.RetransTimer())
	}
}

func TestPrefixLongerThanAnAddressIsRefused(t *testing.T) {
	o := make(NDPOption, 32)
	for bits, want := range map[byte]bool{0: true, 64: true, 128: true, 129: false, 255: false} {
		PutPrefixInfo(o, &PrefixInfo{})
		o[2] = bits
		if p, ok := o.PrefixInfo(); ok != want || (ok && p.Prefix.Bits() != int(bits)) {
			t.Errorf("length %d: %v, %t", bits, p.Prefix, ok)
		}
	}
}

// RFC 8106 §5.1.
func TestDNSServersAreReadFromARouterAdvertisement(t *testing.T) {
	o := make(NDPOption, 40)
	o[0], o[1], o[7] = NDPOptionRDNSS, 5, 60
	put16(o[8:], src6)
	put16(o[24:], dst6)
	life, n, ok := o.RDNSS()
	if !ok || n != 2 || life != time.Minute || o.DNSServer(0) != src6 || o.DNSServer(1) != dst6 {
		t.Errorf("%v %d %t", life, n, ok)
	}
	if _, _, ok := o[:16].RDNSS(); ok {
		t.Error("an option without a server is taken")
	}
}

func TestRedirectNamesABetterHop(t *testing.T) {
	b := make([]byte, RedirectLen)
	PutICMP(b, ICMPv6Redirect, 0, 0)
	put16(b[8:], src6)
	put16(b[24:], dst6)
	m, err := ParseRedirect(b)
	if err != nil || m.Target() != src6 || m.Destination() != dst6 {
		t.Fatal(err, m)
	}
	b[24] = 0xff
	if _, err := ParseRedirect(b); !errors.Is(err, ErrNDPTarget) {
		t.Errorf("RFC 4861 §8.1, multicast destination: %v", err)
	}
}

// RFC 4861 §6.1 and §7.1: length, code 0, no option of length zero, target not multicast.
func TestMalformedNeighborDiscoveryIsRefused(t *testing.T) {
	parsers := map[uint8]func([]byte) error{
		ICMPv6RouterSolicit:   func(b []byte) error { _, err := ParseRouterSolicit(b); return err },
		ICMPv6RouterAdvert:    func(b []byte) error { _, err := ParseRouterAdvert(b); return err },
		ICMPv6NeighborSolicit: func(b []byte) error { _, err := ParseNeighborSolicit(b); return err },
		ICMPv6NeighborAdvert:  func(b []byte) error { _, err := ParseNeighborAdvert(b); return err },
		ICMPv6Redirect:        func(b []byte) error { _, err := ParseRedirect(b); return err },
	}
	lengths := map[uint8]int{133: 8, 134: 16, 135: 24, 136: 24, 137: 40}
	for typ, parse := range parsers {
		n := lengths[typ]
		message := func(extra ...byte) []byte {
			return append(append([]byte{typ}, make([]byte, n-1)...), extra...)
		}
		otherCode, otherType := message(), message()
		otherCode[1] = 1
		otherType[0] = 1
		for _, c := range []struct {
			name string
			b    []byte
			err  error
		}{
			{"bare", message(), nil},
			{"an unknown option", message(200, 1, 0, 0, 0, 0, 0, 0), nil},
			{"short", message()[:n-1], ErrTruncated},
			{"code 1", otherCode, ErrICMPType},
			{"another type", otherType, ErrICMPType},
			{"option of length 0", message(1, 0, 0, 0, 0, 0, 0, 0), ErrNDPOption},
			{"option beyond the message", message(1, 2, 0, 0, 0, 0, 0, 0), ErrNDPOption},
			{"a rest too short for an option", message(1, 1, 0, 0, 0, 0, 0), ErrNDPOption},
		} {
			if err := parse(c.b); !errors.Is(err, c.err) {
				t.Errorf("type %d, %s: %v, want %v", typ, c.name, err, c.err)
			}
		}
	}
	for _, typ := range []uint8{ICMPv6NeighborSolicit, ICMPv6NeighborAdvert} {
		b := make([]byte, 24)
		b[0], b[8] = typ, 0xff
		if err := parsers[typ](b); !errors.Is(err, ErrNDPTarget) {
			t.Errorf("type %d, multicast target: %v", typ, err)
		}
	}
}
