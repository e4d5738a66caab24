package dnssec

import (
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

func TestAnswersAreWhatTheirZonesMakeThem(t *testing.T) {
	for variant, nsec3 := range variants {
		w, v := newWorld(t, nsec3)
		insecureIfOptOut := Secure
		if nsec3 != nil && nsec3.OptOut {
			insecureIfOptOut = Insecure
		}
		for _, c := range []struct {
			name string
			typ  msg.Type
			want Status
		}{
			{".", msg.TypeNS, Secure},
			{"example.", msg.TypeSOA, Secure},
			{"EXAMPLE.", msg.TypeNS, Secure},
			{"example.", msg.TypeDNSKEY, Secure},
			{"example.", msg.TypeDS, Secure},
			{"ai.example.", msg.TypeAAAA, Secure},
			{"ai.example.", msg.TypeMX, Secure},              // NODATA
			{"y.w.example.", msg.TypeA, Secure},              // NODATA: nothing but others below it
			{"alias.example.", msg.TypeA, Secure},            // CNAME
			{"q.dn.example.", msg.TypeCNAME, Secure},         // made of a DNAME
			{"a.z.w.example.", msg.TypeMX, insecureIfOptOut}, // made of a wildcard
			{"a.z.w.example.", msg.TypeA, insecureIfOptOut},  // NODATA of a wildcard
			{"*.w.example.", msg.TypeMX, Secure},             // the wildcard itself
			{"wild.example.", msg.TypeMX, insecureIfOptOut},  // CNAME to what is made of a wildcard
			{"nope.example.", msg.TypeA, insecureIfOptOut},   // NXDOMAIN
			{"a.b.nope.example.", msg.TypeA, insecureIfOptOut},
			{"tld.", msg.TypeA, insecureIfOptOut},
			{"www.a.example.", msg.TypeA, Secure},
			{"a.example.", msg.TypeDS, Secure},
			{"www.a.example.", msg.TypeDS, Secure},
			{"b.example.", msg.TypeDS, insecureIfOptOut}, // NODATA
			{"www.b.example.", msg.TypeA, Insecure},
			{"nope.b.example.", msg.TypeA, Insecure},
			{"www.b.example.", msg.TypeTXT, Insecure},
		} {
			r := w.judge(v, c.name, c.typ, now)
			if r.Status != c.want {
				t.Errorf("%s: %s %s is %s (%s), want %s", variant, c.name, c.typ, r.Status, r.EDE, c.want)
			}
			if r.Status == Secure && (r.TTL == 0 || r.TTL > 3600) {
				t.Errorf("%s: %s %s has a TTL of %d", variant, c.name, c.typ, r.TTL)
			}
		}
		if r := w.judge(v, "out.a.example.", msg.TypeA, now); r.Status != Secure || r.Rest != msg.MustName("www.b.example.") {
			t.Errorf("%s: a chain that leaves the zone: %s, rest %s", variant, r.Status, r.Rest)
		}
		asked := w.asked
		w.judge(v, "www.a.example.", msg.TypeA, now)
		w.judge(v, "www.b.example.", msg.TypeA, now)
		if w.asked != asked {
			t.Errorf("%s: %d questions for what is known", variant, w.asked-asked)
		}
	}
}
