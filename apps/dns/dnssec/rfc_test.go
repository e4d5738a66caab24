package dnssec

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Keys, their DS records and signatures as RFC 6605 section 6 and RFC 8080 section 6 have them.
func TestSignaturesOfTheRFCsAreGood(t *testing.T) {
	for _, c := range []struct{ key, ds, data, sig string }{
		{
			"example.net. 3600 IN DNSKEY 257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==",
			"example.net. 3600 IN DS 55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17",
			"www.example.net. 3600 IN A 192.0.2.1",
			"www.example.net. 3600 IN RRSIG A 13 3 3600 20100909100439 20100812100439 55648 example.net. qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==",
		},
		{
			"example.net. 3600 IN DNSKEY 257 3 14 xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBwY8rp65F6Glur8I/mlVNgF6W/qTI37m40",
			"example.net. 3600 IN DS 10771 14 4 72d7b62976ce06438e9c0bf319013cf801f09ecc84b8d7e9495f27e305c6a9b0563a9b5f4d288405c3008a946df983d6",
			"www.example.net. 3600 IN A 192.0.2.1",
			"www.example.net. 3600 IN RRSIG A 14 3 3600 20100909102025 20100812102025 10771 example.net. /L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOiLP95hxQouuroGCeZOvzFaxsT8Glr74hbavRKayJNuydCuzWTSSPdz7wnqXL5bdcJzusdnI0RSMROxxwGipWcJm",
		},
		{
			"example.com. 3600 IN DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
			"example.com. 3600 IN DS 3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b",
			"example.com. 3600 IN MX 10 mail.example.com.",
			"example.com. 3600 IN RRSIG MX 15 2 3600 1440021600 1438207200 3613 example.com. oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==",
		},
	} {
		rrs := parse(t, strings.Join([]string{c.key, c.ds, c.data, c.sig}, "\n"))
		k, _ := rrs[0].DNSKEY()
		want, _ := rrs[1].DS()
		if ds, ok := NewDS(rrs[0].Name, k, want.DigestType); !ok || ds != want {
			t.Errorf("%s: DS %x", c.key, ds.Digest)
		}
		sig, _ := rrs[3].RRSIG()
		set := msg.RRsets(rrs[2:])[0]
		middle := time.Unix(int64(sig.Inception)/2+int64(sig.Expiration)/2, 0)
		if _, err := VerifySet(&set, rrs[0].Name, rrs[:1], middle); err != nil {
			t.Errorf("%s: %v", c.sig, err)
		}
		set.Data[0] = set.Data[0][:len(set.Data[0])-1] + "\x00"
		if sig.Covered == msg.TypeA {
			if _, err := VerifySet(&set, rrs[0].Name, rrs[:1], middle); err == nil {
				t.Errorf("%s: good for another address", c.sig)
			}
		}
	}
}

// The key and the DS record of RFC 4034 section 5.4.
func TestDSOfRFC4034(t *testing.T) {
	rrs := parse(t, `
		dskey.example.com. 86400 IN DNSKEY 256 3 5 AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==
		dskey.example.com. 86400 IN DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118
		`)
	k, _ := rrs[0].DNSKEY()
	want, _ := rrs[1].DS()
	if ds, _ := NewDS(rrs[0].Name, k, DigestSHA1); ds != want {
		t.Errorf("tag %d, digest %x", ds.KeyTag, ds.Digest)
	}
}

// rfc5155 is the zone of RFC 5155 appendix A without its keys, which are of an algorithm that is not in use
// any more; its hashes do not depend on them.
const rfc5155 = `
	example. 3600 IN SOA ns1.example. bugs.x.w.example. 1 3600 300 3600000 3600
	example. 3600 IN NS ns1.example.
	example. 3600 IN NS ns2.example.
	example. 3600 IN MX 1 xx.example.
	2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. 3600 IN A 192.0.2.127
	a.example. 3600 IN NS ns1.a.example.
	a.example. 3600 IN NS ns2.a.example.
	a.example. 3600 IN DS 58470 5 1 3079F1593EBAD6DC121E202A8B766A6A4837206C
	ns1.a.example. 3600 IN A 192.0.2.5
	ns2.a.example. 3600 IN A 192.0.2.6
	ai.example. 3600 IN A 192.0.2.9
	ai.example. 3600 IN HINFO "KLH-10" "ITS"
	ai.example. 3600 IN AAAA 2001:db8:0:0:0:0:f00:baa9
	c.example. 3600 IN NS ns1.c.example.
	c.example. 3600 IN NS ns2.c.example.
	ns1.c.example. 3600 IN A 192.0.2.7
	ns2.c.example. 3600 IN A 192.0.2.8
	ns1.example. 3600 IN A 192.0.2.1
	ns2.example. 3600 IN A 192.0.2.2
	*.w.example. 3600 IN MX 1 ai.example.
	x.w.example. 3600 IN MX 1 xx.example.
	x.y.w.example. 3600 IN MX 1 xx.example.
	xx.example. 3600 IN A 192.0.2.10
	xx.example. 3600 IN HINFO "KLH-10" "TOPS-20"
	xx.example. 3600 IN AAAA 2001:db8:0:0:0:0:f00:baaa
	`

var rfc5155Hashes = map[string]string{
	"example.": "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "a.example.": "35mthgpgcu1qg68fab165klnsnk3dpvl",
	"ai.example.": "gjeqe526plbf1g8mklp59enfd789njgi", "ns1.example.": "2t7b4g4vsa5smi47k61mv5bv1a22bojr",
	"ns2.example.": "q04jkcevqvmu85r014c7dkba38o0ji5r", "w.example.": "k8udemvp1j2f7eg6jebps17vp3n8i58h",
	"*.w.example.": "r53bq7cc2uvmubfu5ocmm6pers9tk9en", "x.w.example.": "b4um86eghhds6nea196smvmlo4ors995",
	"y.w.example.": "ji6neoaepv8b5o6k4ev33abha8ht9fgc", "x.y.w.example.": "2vptu5timamqttgl4luu9kg21e0aor3s",
	"xx.example.": "t644ebqk9bibcna874givr6joj62mlhv", "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.": "kohar7mbb8dc2ce8a9qvl8hon4k53uhi",
}

var rfc5155Options = NSEC3Options{Iterations: 12, Salt: []byte{0xaa, 0xbb, 0xcc, 0xdd}, OptOut: true}

func TestHashesAreThoseOfRFC5155(t *testing.T) {
	param := msg.NSEC3PARAM{Hash: 1, Iterations: 12, Salt: "\xaa\xbb\xcc\xdd"}
	var want []string
	for name, hash := range rfc5155Hashes {
		want = append(want, hash)
		if got := encodeHash(Hash(msg.MustName(name), param)); got != hash {
			t.Errorf("%s: %s, want %s", name, got, hash)
		}
		if raw, ok := decodeHash(strings.ToUpper(hash)); !ok || raw != Hash(msg.MustName(strings.ToUpper(name)), param) {
			t.Errorf("%s: not read", hash)
		}
	}
	var got []string
	for _, r := range signed(t, rfc5155, "example.", SignOptions{NSEC3: &rfc5155Options}) {
		if r.Type == msg.TypeNSEC3 {
			got = append(got, r.Name.First())
		}
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("NSEC3 records %s, want %s", got, want)
	}
}

// Each denial of RFC 4035 appendix B and RFC 5155 appendix B: the records that it shows prove it, and
// each of them is needed.
func TestDenialsAreThoseOfTheRFCs(t *testing.T) {
	nsec3 := func(names ...string) (owners []string) {
		for _, n := range names {
			owners = append(owners, rfc5155Hashes[n]+".example.")
		}
		return owners
	}
	for _, c := range []struct {
		section string
		name    string
		typ     msg.Type
		owners  []string
		want    Status
	}{
		{"4035 B.2", "ml.example.", msg.TypeA, []string{"c.example.", "example."}, Secure},
		{"4035 B.3", "ns1.example.", msg.TypeMX, []string{"ns1.example."}, Secure},
		{"4035 B.5", "c.example.", msg.TypeDS, []string{"c.example."}, Secure},
		{"4035 B.6", "a.z.w.example.", msg.TypeMX, []string{"x.y.w.example."}, Secure},
		{"4035 B.7", "a.z.w.example.", msg.TypeAAAA, []string{"x.y.w.example.", "*.w.example."}, Secure},
		// The zone has opt-out, so that what a span denies is insecure.
		{"5155 B.1", "a.c.x.w.example.", msg.TypeA, nsec3("example.", "x.w.example.", "a.example."), Insecure},
		{"5155 B.2", "ns1.example.", msg.TypeMX, nsec3("ns1.example."), Secure},
		{"5155 B.2.1", "y.w.example.", msg.TypeA, nsec3("y.w.example."), Secure},
		{"5155 B.3", "c.example.", msg.TypeDS, nsec3("a.example.", "example."), Insecure},
		{"5155 B.4", "a.z.w.example.", msg.TypeMX, nsec3("ns2.example."), Insecure},
		{"5155 B.5", "a.z.w.example.", msg.TypeAAAA, nsec3("w.example.", "ns2.example.", "*.w.example."), Insecure},
	} {
		var o *NSEC3Options
		if strings.HasPrefix(c.section, "5155") {
			o = &rfc5155Options
		}
		w := &world{t: t, zones: map[msg.Name][]msg.RR{}}
		w.sign("example.", rfc5155, o, ECDSAP256SHA256)
		v, err := New(Config{Source: w, Anchors: parse(t, w.ds("example."))})
		if err != nil {
			t.Fatal(err)
		}
		judge := func(owners []string) Result {
			a := w.ask(msg.MustName(c.name), c.typ)
			a.Message.Authority = drop(a.Message.Authority, func(r msg.RR) bool {
				return isDenial(r) && !slices.Contains(owners, r.Name.String())
			})
			return v.Validate(context.Background(), a, now)
		}
		if r := judge(c.owners); r.Status != c.want {
			t.Errorf("RFC %s: %s (%s), want %s", c.section, r.Status, r.EDE, c.want)
		}
		for i := range c.owners {
			rest := slices.Delete(slices.Clone(c.owners), i, i+1)
			if r := judge(rest); r.Status != Bogus || r.EDE.Code != msg.EDENSECMissing {
				t.Errorf("RFC %s without %s: %s (%s)", c.section, c.owners[i], r.Status, r.EDE)
			}
		}
	}
}

// The keys of the root that the anchors are of.
func TestRootAnchorsAreOfTheRootsKeys(t *testing.T) {
	keys := parse(t, `
		. 172800 IN DNSKEY 257 3 8 AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXgnLh4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU=
		. 172800 IN DNSKEY 257 3 8 AwEAAa96jeuknZlaeSrvyAJj6ZHv28hhOKkx3rLGXVaC6rXTsDc449/cidltpkyGwCJNnOAlFNKF2jBosZBU5eeHspaQWOmOElZsjICMQMC3aeHbGiShvZsx4wMYSjH8e7Vrhbu6irwCzVBApESjbUdpWWmEnhathWu1jo+siFUiRAAxm9qyJNg/wOZqqzL/dL/q8PkcRU5oUKEpUge71M3ej2/7CPqpdVwuMoTvoB+ZOT4YeGyxMvHmbrxlFzGOHOijtzN+u1TQNatX2XBuzZNQ1K+s2CXkPIZo7s6JgZyvaBevYtxPvYLw4z9mR7K2vaF18UYH9Z9GNUUeayffKC73PYc=
		`)
	for i, anchor := range RootAnchors() {
		k, _ := keys[i].DNSKEY()
		want, _ := anchor.DS()
		if ds, _ := NewDS(msg.Root, k, DigestSHA256); ds != want {
			t.Errorf("%s: the key's digest is %x", anchor, ds.Digest)
		}
	}
}
