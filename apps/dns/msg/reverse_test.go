package msg

import (
	"net/netip"
	"testing"
)

func TestReverseNameIsThatOfRFC1035And3596(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.5":          "5.2.0.192.in-addr.arpa.",
		"::ffff:10.20.0.1":   "1.0.20.10.in-addr.arpa.",
		"2001:db8::567:89ab": "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
	} {
		a := netip.MustParseAddr(addr)
		n := ReverseName(a)
		if n.String() != want || !n.Valid() {
			t.Errorf("%s: %s, want %s", addr, n, want)
		}
		if back, ok := ReverseAddr(n); !ok || back != a.Unmap() {
			t.Errorf("%s: back to %v, %v", addr, back, ok)
		}
	}
	if n := ReverseName(netip.Addr{}); n != "" {
		t.Errorf("no address: %s", n)
	}
	for _, s := range []string{".", "in-addr.arpa.", "2.0.192.in-addr.arpa.", "256.2.0.192.in-addr.arpa.", "05.2.0.192.in-addr.arpa.",
		"x.2.0.192.in-addr.arpa.", "1111.2.0.192.in-addr.arpa.", "1.5.2.0.192.in-addr.arpa.", "5.2.0.192.example.",
		"b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.g.ip6.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa."} {
		if a, ok := ReverseAddr(MustName(s)); ok {
			t.Errorf("%s is taken for %v", s, a)
		}
	}
}
