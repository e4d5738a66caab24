package zone

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

func TestReverseZonesOfSubnets(t *testing.T) {
	z := load(t, "example.", `$TTL 60
@ SOA ns h 7 2 3 4 5
@ NS ns
ns A 192.0.2.1
   AAAA 2001:db8::1
Two A 192.0.2.1
mid A 192.0.2.70
far A 198.51.100.9
wide A 203.0.113.5
* A 192.0.2.66
sub NS ns.sub
ns.sub A 192.0.2.2
v6 AAAA 2001:db8:0:18::5
`)
	for _, c := range []struct {
		subnet string
		parent bool
		want   map[string][]string // zone, and its PTR and CNAME records
	}{
		{"192.0.2.0/24", false, map[string][]string{"2.0.192.in-addr.arpa.": {"1 Two.example.", "1 ns.example.", "70 mid.example."}}},
		{"192.0.2.64/29", true, map[string][]string{"64/29.2.0.192.in-addr.arpa.": {"70 mid.example."},
			"2.0.192.in-addr.arpa.": {"64 64.64/29.2.0.192.in-addr.arpa.", "65 65.64/29.2.0.192.in-addr.arpa.", "66 66.64/29.2.0.192.in-addr.arpa.", "67 67.64/29.2.0.192.in-addr.arpa.",
				"68 68.64/29.2.0.192.in-addr.arpa.", "69 69.64/29.2.0.192.in-addr.arpa.", "70 70.64/29.2.0.192.in-addr.arpa.", "71 71.64/29.2.0.192.in-addr.arpa."}}},
		{"198.51.100.0/23", false, map[string][]string{"100.51.198.in-addr.arpa.": {"9 far.example."}, "101.51.198.in-addr.arpa.": {}}},
		{"203.0.113.5/32", false, map[string][]string{"5.113.0.203.in-addr.arpa.": {" wide.example."}}},
		{"2001:db8::/64", false, map[string][]string{"0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 ns.example."}}},
		{"2001:db8:0:10::/61", false, map[string][]string{"0.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {}, "1.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {},
			"2.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {}, "3.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {}, "4.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {},
			"5.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {}, "6.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {}, "7.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {}}},
	} {
		made, err := Reverse([]*Zone{z}, []netip.Prefix{netip.MustParsePrefix(c.subnet)}, ReverseOptions{Parent: c.parent})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range made {
			got := []string{}
			for s := range r.Sets() {
				for d := range s.Data() {
					if s.Type == msg.TypePTR || s.Type == msg.TypeCNAME {
						got = append(got, strings.TrimSuffix(strings.TrimSuffix(s.Name.String(), r.Origin().String()), ".")+" "+msg.Name(d).String())
					}
				}
			}
			slices.Sort(got)
			want, ok := c.want[r.Origin().String()]
			slices.Sort(want)
			if !ok || !slices.Equal(got, want) || r.Serial() != 7 {
				t.Errorf("%s: zone %v, serial %d: %q, want %q", c.subnet, r.Origin(), r.Serial(), got, want)
			}
		}
		if len(made) != len(c.want) {
			t.Errorf("%s: %d zones, want %d", c.subnet, len(made), len(c.want))
		}
	}
}
