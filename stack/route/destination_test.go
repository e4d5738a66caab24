package route

import (
	"net/netip"
	"strings"
	"testing"
)

// destinations reads "address<source" pairs; a source that is left out is one there is none of.
func destinations(text string) (list []Destination) {
	for _, pair := range strings.Fields(text) {
		dst, src, _ := strings.Cut(pair, "<")
		src, old := strings.CutSuffix(src, "!")
		d := Destination{Addr: addr(dst), Deprecated: old}
		if src != "" {
			bits := 64
			if addr(src).Is4() {
				bits = 24
			}
			d.Source = netip.PrefixFrom(addr(src), bits)
		}
		list = append(list, d)
	}
	return list
}

// RFC 6724 §10.2, but for the example of home addresses (rule 4), and what §6 says beside.
func TestDestinationsAreSortedAsRFC6724Says(t *testing.T) {
	for _, c := range []struct{ rule, list, want string }{
		{"2: scope, IPv4", "198.51.100.121<169.254.13.78 2001:db8:1::1<2001:db8:1::2", "2001:db8:1::1 198.51.100.121"},
		{"2: scope, IPv6", "2001:db8:1::1<fe80::1 198.51.100.121<198.51.100.117", "198.51.100.121 2001:db8:1::1"},
		{"6: precedence", "10.1.2.3<10.1.2.4 2001:db8:1::1<2001:db8:1::2", "2001:db8:1::1 10.1.2.3"},
		{"8: smaller scope", "2001:db8:1::1<2001:db8:1::2 fe80::1<fe80::2", "fe80::1 2001:db8:1::1"},
		{"3: deprecated", "2001:db8:1::1<2001:db8:1::2! fe80::1<fe80::2!  2001:db8:9::1<2001:db8:9::2", "2001:db8:9::1 fe80::1 2001:db8:1::1"},
		{"9: longest prefix", "2001:db8:3ffe::1<2001:db8:1::2 2001:db8:1::1<2001:db8:1::2", "2001:db8:1::1 2001:db8:3ffe::1"},
		{"5: label", "2002:c633:6401::1<2001:db8:1::2 2001:db8:1::1<2001:db8:1::2", "2001:db8:1::1 2002:c633:6401::1"},
		{"6: precedence of 6to4", "2002:c633:6401::1<2002:c633:6401::2 2001:db8:1::1<2001:db8:1::2", "2001:db8:1::1 2002:c633:6401::1"},
		{"1: unusable", "2001:db8:1::1 198.51.100.121<198.51.100.117", "198.51.100.121 2001:db8:1::1"},
		{"9 is not for IPv4", "198.51.100.9<192.0.2.2 192.0.2.9<192.0.2.2", "198.51.100.9 192.0.2.9"},
		{"10: otherwise as they came", "2001:db8:2::9 198.51.100.1 2001:db8:1::9", "2001:db8:2::9 198.51.100.1 2001:db8:1::9"},
	} {
		list := destinations(c.list)
		SortDestinations(list, nil)
		var got []string
		for _, d := range list {
			got = append(got, d.Addr.String())
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("rule %s: %s, want %s", c.rule, s, c.want)
		}
	}
}
