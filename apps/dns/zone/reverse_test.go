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
		subnet    string
		classless bool
		want      map[string][]string // zone, and its PTR and CNAME records
	}{
		{"192.0.2.0/24", false, map[string][]string{"2.0.192.in-addr.arpa.": {"1 Two.example.", "1 ns.example.", "70 mid.example."}}},
		{"192.0.2.64/29", true, map[string][]string{"64/29.2.0.192.in-addr.arpa.": {"70 mid.example."}}},
		{"192.0.2.70/31", false, map[string][]string{"70.2.0.192.in-addr.arpa.": {" mid.example."}, "71.2.0.192.in-addr.arpa.": {}}},
		{"198.51.100.0/23", false, map[string][]string{"100.51.198.in-addr.arpa.": {"9 far.example."}, "101.51.198.in-addr.arpa.": {}}},
		{"203.0.113.5/32", false, map[string][]string{"5.113.0.203.in-addr.arpa.": {" wide.example."}}},
		{"2001:db8::/64", false, map[string][]string{"0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 ns.example."}}},
		{"2001:db8:0:10::/61", false, map[string][]string{"0.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {}, "1.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {},
			"2.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {}, "3.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {}, "4.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {},
			"5.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {}, "6.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {}, "7.1.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {}}},
	} {
		made, err := Reverse([]*Zone{z}, []netip.Prefix{netip.MustParsePrefix(c.subnet)}, ReverseOptions{Classless: c.classless})
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

// A version that would have the same is the one before; another has a later serial number, and TTLs are those of the addresses.
func TestReverseZonesGoOnFromTheVersionBefore(t *testing.T) {
	const text = "$TTL 60\n@ SOA ns h 7 2 3 4 5\n@ NS ns\nns 120 A 192.0.2.1\n"
	subnets := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("192.0.2.0/24")}
	before := map[msg.Name]*Zone{}
	o := ReverseOptions{Serial: 10, Before: func(n msg.Name) *Zone { return before[n] }}
	remade := func(text string) (changed int, made []*Zone) {
		made, err := Reverse([]*Zone{load(t, "example.", text)}, subnets, o)
		if err != nil || len(made) != 2 {
			t.Fatalf("%d zones, %v", len(made), err)
		}
		for _, z := range made {
			if before[z.Origin()] != z {
				changed++
			}
			before[z.Origin()] = z
		}
		return changed, made
	}
	if changed, made := remade(text); changed != 2 || made[0].Serial() != 10 {
		t.Errorf("at first: %d changed, serial %d", changed, made[0].Serial())
	}
	if changed, _ := remade(text); changed != 0 {
		t.Errorf("%d changed where nothing has", changed)
	}
	changed, made := remade(text + "www 30 A 192.0.2.1\nmail 30 A 192.0.2.2\n")
	if changed != 1 || made[0].Serial() != 11 {
		t.Errorf("two more names: %d changed, serial %d, want 1 and 11", changed, made[0].Serial())
	}
	for name, want := range map[string]uint32{"1": 120, "2": 30} {
		owner, _ := made[0].Origin().Child(name)
		if s, ok := made[0].Get(owner, msg.TypePTR); !ok || s.TTL != want {
			t.Errorf("%s has the TTL %d, want %d", name, s.TTL, want)
		}
	}
	if changed, made = remade(strings.Replace(text, "SOA ns h", "SOA ns other", 1) + "www 30 A 192.0.2.1\nmail 30 A 192.0.2.2\n"); changed != 2 || made[0].Serial() != 12 || made[1].Serial() != 11 {
		t.Errorf("another mailbox: %d changed, serials %d and %d", changed, made[0].Serial(), made[1].Serial())
	}
}

func TestReverseZonesOfNoSubnet(t *testing.T) {
	if made, err := Reverse([]*Zone{load(t, "example.", "@ SOA ns h 7 2 3 4 5\n@ NS ns\n")}, make([]netip.Prefix, 1), ReverseOptions{}); err == nil {
		t.Errorf("%d zones", len(made))
	}
}
