package zone

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

// rfc5155 is the zone of RFC 5155 appendix A, without the signatures' octets.
func rfc5155(t *testing.T) *Zone {
	t.Helper()
	text := `
@ SOA ns1 bugs.x.w 1 3600 300 3600000 3600
@ NS ns1
@ MX 1 xx
@ NSEC3PARAM 1 0 12 aabbccdd
2t7b4g4vsa5smi47k61mv5bv1a22bojr A 192.0.2.127
a NS ns1.a
a DS 58470 5 1 3079F1593EBAD6DC121E202A8B766A6A4837206C
ai A 192.0.2.9
c NS ns1.c
ns1 A 192.0.2.1
*.w MX 1 ai
x.w MX 1 xx
x.y.w MX 1 xx
xx A 192.0.2.10
`
	chain := []string{"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "2t7b4g4vsa5smi47k61mv5bv1a22bojr", "2vptu5timamqttgl4luu9kg21e0aor3s",
		"35mthgpgcu1qg68fab165klnsnk3dpvl", "b4um86eghhds6nea196smvmlo4ors995", "gjeqe526plbf1g8mklp59enfd789njgi",
		"ji6neoaepv8b5o6k4ev33abha8ht9fgc", "k8udemvp1j2f7eg6jebps17vp3n8i58h", "kohar7mbb8dc2ce8a9qvl8hon4k53uhi",
		"q04jkcevqvmu85r014c7dkba38o0ji5r", "r53bq7cc2uvmubfu5ocmm6pers9tk9en", "t644ebqk9bibcna874givr6joj62mlhv"}
	for i, h := range chain {
		text += fmt.Sprintf("%s NSEC3 1 1 12 aabbccdd %s A RRSIG\n", h, chain[(i+1)%len(chain)])
	}
	z := signed(t, text)
	return withRecords(t, z, "ns1.a.example. 3600 IN A 192.0.2.5", "ns1.c.example. 3600 IN A 192.0.2.7")
}

func TestHashesOfRFC5155(t *testing.T) {
	p := rfc5155(t).nsec3
	for name, want := range map[string]string{
		"example.": "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "A.example.": "35mthgpgcu1qg68fab165klnsnk3dpvl",
		"*.w.example.": "r53bq7cc2uvmubfu5ocmm6pers9tk9en", "x.y.w.example.": "2vptu5timamqttgl4luu9kg21e0aor3s",
	} {
		if got := p.hash(msg.MustName(name)); got != want+"\x00" {
			t.Errorf("%s: %q, want %s", name, got, want)
		}
	}
}

// The answers of RFC 5155 appendix B.
func TestDenialByNSEC3(t *testing.T) {
	var a Answer
	z := rfc5155(t)
	for _, c := range []struct {
		name string
		typ  msg.Type
		kind Kind
		want string // the NSEC3 records by the beginning of their owners
	}{
		{"a.c.x.w.example.", msg.TypeA, NXDomain, "b4um 0p9m 35mt"},                    // B.1
		{"ns1.example.", msg.TypeMX, NoData, "2t7b"},                                   // B.2
		{"y.w.example.", msg.TypeA, NoData, "ji6n"},                                    // B.2.1, an empty non-terminal
		{"mc.c.example.", msg.TypeMX, Delegation, "0p9m 35mt"},                         // B.3, opt-out
		{"c.example.", msg.TypeDS, NoData, "0p9m 35mt"},                                // §7.2.4
		{"mc.a.example.", msg.TypeMX, Delegation, ""},                                  // the DS says it
		{"a.z.w.example.", msg.TypeMX, Positive, "q04j"},                               // B.4
		{"a.z.w.example.", msg.TypeAAAA, NoData, "k8ud q04j r53b"},                     // B.5
		{"example.", msg.TypeDS, NoData, "0p9m"},                                       // B.6
		{"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.", msg.TypeNSEC3, NXDomain, "0p9m"}, // §7.2.8: not a name
		{"2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", msg.TypeA, Positive, ""},
	} {
		z.Lookup(&a, msg.MustName(c.name), c.typ, true)
		var owners []string
		for _, s := range a.Authority {
			if s.Type == msg.TypeNSEC3 {
				owners = append(owners, s.Name.First()[:4])
				if s.Signatures() == 0 {
					t.Errorf("%s %v: the proof is not signed", c.name, c.typ)
				}
			}
		}
		got := strings.Join(owners, " ")
		if c.typ == msg.TypeNSEC3 {
			got, c.want = "", ""
		}
		if a.Kind != c.kind || got != c.want {
			t.Errorf("%s %v: %v with %s, want %v with %s", c.name, c.typ, a.Kind, got, c.kind, c.want)
		}
	}
}

func TestTheLastSpanGoesRound(t *testing.T) {
	var a Answer
	z := rfc5155(t)
	before, after := 0, 0
	for i := range 300 {
		name := msg.MustName(fmt.Sprintf("n%d.example.", i))
		hash := z.nsec3.hash(name)
		first, last := hash < "0p9m", hash > "t645"
		if !first && !last {
			continue
		}
		z.Lookup(&a, name, msg.TypeA, true)
		covered := false
		for _, s := range a.Authority {
			covered = covered || s.Type == msg.TypeNSEC3 && strings.HasPrefix(s.Name.First(), "t644")
		}
		if !covered {
			t.Errorf("%v, hash %.4s, is not covered by the last record", name, hash)
		}
		if first {
			before++
		} else {
			after++
		}
	}
	if before == 0 || after == 0 {
		t.Errorf("%d hashes before the first, %d after the last", before, after)
	}
}
