package tree

import (
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/dnssec"
	"github.com/weirnet/weir/apps/dns/msg"
)

// Every zone has keys that its parent vouches for and that signed its SOA; one that is left unsigned has none.
func TestSignedTreeHasAChainOfTrust(t *testing.T) {
	island := msg.MustName("host.test.")
	tr, err := New(Options{Signed: true, Unsigned: []msg.Name{island}})
	if err != nil {
		t.Fatal(err)
	}
	for _, z := range tr.Zones {
		keys, ds := sets(z.Records, z.Origin, msg.TypeDNSKEY), sets(tr.Anchors, msg.Root, msg.TypeDS)
		if z.Origin != msg.Root {
			ds = sets(parentOf(tr, z.Origin).Records, z.Origin, msg.TypeDS)
		}
		if z.Origin.Equal(island) {
			if len(keys.Data)+len(ds.Data) > 0 {
				t.Errorf("%v is signed", z.Origin)
			}
			continue
		}
		if len(keys.Data) != 2 || len(ds.Data) != 1 {
			t.Errorf("%v has %d keys and %d DS", z.Origin, len(keys.Data), len(ds.Data))
			continue
		}
		soa := sets(z.Records, z.Origin, msg.TypeSOA)
		if _, err := dnssec.VerifySet(&soa, z.Origin, keys.RRs(), time.Now()); err != nil {
			t.Errorf("%v: the SOA: %v", z.Origin, err)
		}
		if _, err := dnssec.VerifySet(&soa, z.Origin, keys.RRs(), time.Now().Add(validity+time.Hour)); err == nil {
			t.Errorf("%v: the signatures do not end", z.Origin)
		}
		vouched := false
		for _, k := range keys.RRs() {
			key, _ := k.DNSKEY()
			d, _ := dnssec.NewDS(z.Origin, key, dnssec.DigestSHA256)
			vouched = vouched || d.Data() == ds.Data[0]
		}
		if !vouched {
			t.Errorf("%v: no key is the one of the DS record", z.Origin)
		}
	}
}

// sets gathers the set of a name and type with its signatures.
func sets(records []msg.RR, name msg.Name, typ msg.Type) msg.RRset {
	s := msg.RRset{Name: name, Type: typ, Class: msg.ClassINET}
	for _, rr := range records {
		if !rr.Name.Equal(name) {
			continue
		}
		if rr.Type == typ {
			s.TTL, s.Data = rr.TTL, append(s.Data, rr.Data)
		}
		if sig, ok := rr.RRSIG(); ok && sig.Covered == typ {
			s.Sigs = append(s.Sigs, rr.Data)
		}
	}
	return s
}
