package dnssec

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/weirnet/weir/apps/dns/msg"
)

var (
	inception  = time.Unix(1_700_000_000, 0)
	now        = inception.Add(24 * time.Hour)
	expiration = inception.Add(30 * 24 * time.Hour)
	algorithms = []uint8{RSASHA256, RSASHA512, ECDSAP256SHA256, ECDSAP384SHA384, ED25519}
)

func parse(t testing.TB, lines string) []msg.RR {
	t.Helper()
	var rrs []msg.RR
	for _, line := range strings.Split(lines, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		r, err := msg.ParseRR(line)
		if err != nil {
			t.Fatal(err)
		}
		rrs = append(rrs, r)
	}
	return rrs
}

// key makes the keys of all zones here. Whoever changes what newWorld signs must change the seed too: the fuzzer keeps inputs with
// signatures of the zones as they were, which are good by the same keys, and FuzzNothingForgedIsSecure would take them for forged.
func key(t testing.TB, zone string, algorithm uint8, flags uint16) *Key {
	t.Helper()
	id := fmt.Sprint(zone, algorithm, flags)
	if k := keys[id]; k != nil {
		return k
	}
	k, err := NewKey(msg.MustName(zone), algorithm, flags, []byte("seed"))
	if err != nil {
		t.Fatal(err)
	}
	keys[id] = k
	return k
}

// keys has those that were made: for RSA the primes take long to find.
var keys = map[string]*Key{}

// both returns a key for the DNSKEY set, and one for the zone.
func both(t testing.TB, zone string, algorithm uint8) []*Key {
	return []*Key{key(t, zone, algorithm, msg.FlagZone|msg.FlagSEP), key(t, zone, algorithm, msg.FlagZone)}
}

// plainZone has something of everything that matters to a signer.
const plainZone = `
	example. 3600 IN SOA ns1.example. host.example. 1 3600 600 86400 300
	example. 3600 IN NS ns1.example.
	example. 3600 IN NS NS2.Example.
	example. 3600 IN MX 1 xx.example.
	a.example. 3600 IN NS ns1.a.example.
	a.example. 3600 IN DS 58470 5 1 3079F1593EBAD6DC121E202A8B766A6A4837206C
	ns1.a.example. 3600 IN A 192.0.2.5
	ai.example. 3600 IN A 192.0.2.9
	ai.example. 3600 IN AAAA 2001:db8::f00:baa9
	b.example. 3600 IN NS ns1.b.example.
	ns1.b.example. 3600 IN A 192.0.2.7
	dn.example. 3600 IN DNAME elsewhere.example.
	ns1.example. 3600 IN A 192.0.2.1
	ns2.example. 3600 IN A 192.0.2.2
	*.w.example. 3600 IN MX 1 ai.example.
	x.w.example. 3600 IN MX 1 xx.example.
	x.y.w.example. 3600 IN MX 1 xx.example.
	xx.example. 3600 IN A 192.0.2.10
	alias.example. 3600 IN CNAME xx.example.
	wild.example. 3600 IN CNAME z.w.example.
	`

func signed(t testing.TB, lines, zone string, o SignOptions) []msg.RR {
	t.Helper()
	if o.Keys == nil {
		o.Keys = both(t, zone, ECDSAP256SHA256)
	}
	if o.Expiration.IsZero() {
		o.Inception, o.Expiration = inception, expiration
	}
	rrs, err := SignZone(parse(t, lines), msg.MustName(zone), o)
	if err != nil {
		t.Fatal(err)
	}
	return rrs
}

var variants = map[string]*NSEC3Options{
	"nsec": nil, "nsec3": {}, "salted": {Iterations: 12, Salt: []byte{0xaa, 0xbb, 0xcc, 0xdd}}, "optout": {OptOut: true},
}

func TestSignaturesAreThoseThatAnotherImplementationExpects(t *testing.T) {
	for _, a := range algorithms {
		o := SignOptions{Keys: both(t, "example.", a)}
		rrs := signed(t, plainZone, "example.", o)
		var keys []*dns.DNSKEY
		var keyRRs []msg.RR
		for _, k := range o.Keys {
			rr, _ := dns.NewRR(k.RR(3600).String())
			keys = append(keys, rr.(*dns.DNSKEY))
			keyRRs = append(keyRRs, k.RR(3600))
			if ref := rr.(*dns.DNSKEY); ref.KeyTag() != k.Tag() || ref.ToDS(dns.SHA256).String() != k.DS(3600).String() {
				t.Errorf("%s: tag %d, %s, want %d, %s", AlgorithmName(a), k.Tag(), k.DS(3600), ref.KeyTag(), ref.ToDS(dns.SHA256))
			}
		}
		count := 0
		for _, set := range msg.RRsets(rrs) {
			for _, data := range set.Sigs {
				count++
				ref, _ := dns.NewRR(msg.NewRR(set.Name, msg.TypeRRSIG, set.TTL, data).String())
				sig := ref.(*dns.RRSIG)
				var theirs []dns.RR
				for _, r := range set.RRs() {
					rr, err := dns.NewRR(r.String())
					if err != nil {
						t.Fatal(err)
					}
					theirs = append(theirs, rr)
				}
				ok := false
				for _, k := range keys {
					ok = ok || k.KeyTag() == sig.KeyTag && sig.Verify(k, theirs) == nil
				}
				if !ok {
					t.Errorf("%s: the signature of %s is wrong", AlgorithmName(a), describe(&set))
				}
			}
			if len(set.Sigs) > 0 {
				if _, err := VerifySet(&set, msg.MustName("example."), keyRRs, now); err != nil {
					t.Errorf("%s: %v", AlgorithmName(a), err)
				}
			}
		}
		if count < 15 {
			t.Errorf("%s: only %d signatures", AlgorithmName(a), count)
		}
	}
}

func TestTheSameSeedMakesTheSameZone(t *testing.T) {
	for _, a := range algorithms {
		o := SignOptions{Keys: both(t, "example.", a)}
		one, two := signed(t, plainZone, "example.", o), signed(t, plainZone, "example.", SignOptions{Keys: both(t, "example.", a)})
		for i := range one {
			if one[i] != two[i] {
				t.Fatalf("%s: %s, then %s", AlgorithmName(a), one[i], two[i])
			}
		}
		if a == RSASHA512 {
			continue // as for RSASHA256
		}
		again, _ := NewKey(msg.MustName("example."), a, msg.FlagZone, []byte("seed"))
		other, _ := NewKey(msg.MustName("example."), a, msg.FlagZone, []byte("another"))
		if again.Key != o.Keys[1].Key {
			t.Errorf("%s: the same seed makes another key", AlgorithmName(a))
		}
		if other.Key == o.Keys[1].Key {
			t.Errorf("%s: another seed makes the same key", AlgorithmName(a))
		}
	}
}

// ldns-verify-zone checks chains and signatures of a whole zone.
func TestLdnsVerifiesSignedZones(t *testing.T) {
	tool := tool(t, "ldns-verify-zone")
	for name, nsec3 := range variants {
		for _, a := range []uint8{RSASHA256, ECDSAP256SHA256, ECDSAP384SHA384, ED25519} {
			o := SignOptions{Keys: both(t, "example.", a), NSEC3: nsec3}
			if out, err := ldnsVerify(t, tool, signed(t, plainZone, "example.", o)); err != nil {
				t.Errorf("%s, %s: %v\n%s", name, AlgorithmName(a), err, out)
			}
		}
	}
	// And it would have noticed.
	rrs := signed(t, plainZone, "example.", SignOptions{})
	for i, r := range rrs {
		if r.Type == msg.TypeA {
			rrs[i].Data = "\xc0\x00\x02\xff"
		}
	}
	if out, err := ldnsVerify(t, tool, rrs); err == nil {
		t.Errorf("changed addresses are not noticed\n%s", out)
	}
}

func ldnsVerify(t *testing.T, tool string, rrs []msg.RR) (string, error) {
	t.Helper()
	var text strings.Builder
	for _, r := range rrs {
		text.WriteString(r.String() + "\n")
	}
	file := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, "-t", now.UTC().Format("20060102150405"), file).CombinedOutput()
	return string(out), err
}
