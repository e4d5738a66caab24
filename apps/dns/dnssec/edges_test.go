package dnssec

import (
	"context"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// signAs signs with a key of any zone and labels of any number, as only a liar does.
func signAs(t *testing.T, set *msg.RRset, k *Key, labels uint8) {
	t.Helper()
	sig := msg.RRSIG{Covered: set.Type, Algorithm: k.Algorithm, Labels: labels, OrigTTL: set.TTL, KeyTag: k.Tag(), Signer: k.Zone,
		Expiration: uint32(expiration.Unix()), Inception: uint32(inception.Unix())}
	var err error
	if sig.Signature, err = k.sign(signedData(set, &sig)); err != nil {
		t.Fatal(err)
	}
	set.Sigs = []string{sig.Data()}
}

func TestLabelsOfASignatureAreThoseOfItsName(t *testing.T) {
	k := key(t, "example.", ED25519, msg.FlagZone)
	for labels, want := range map[uint8]bool{0: false, 1: true, 2: true, 3: false, 9: false} {
		set := &msg.RRset{Name: msg.MustName("a.example."), Type: msg.TypeA, Class: 1, TTL: 60, Data: []string{"\xc0\x00\x02\x01"}}
		signAs(t, set, k, labels)
		set.Data = append(set.Data, set.Data[0]) // a record counts once
		if _, err := VerifySet(set, k.Zone, []msg.RR{k.RR(60)}, now); (err == nil) != want {
			t.Errorf("%d labels: %v", labels, err)
		}
	}
}

func TestADSIsSignedByTheParentAlone(t *testing.T) {
	w, v := newWorld(t, nil)
	k := key(t, "a.example.", ECDSAP256SHA256, msg.FlagZone)
	other, err := NewKey(k.Zone, ED25519, msg.FlagZone|msg.FlagSEP, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := &msg.RRset{Name: k.Zone, Type: msg.TypeDS, Class: 1, TTL: 60, Data: []string{other.DS(60).Data}}
	signAs(t, set, k, 2)
	a := w.ask(k.Zone, msg.TypeDS)
	a.Message.Answer = set.AppendTo(nil, true)
	if r := v.Validate(context.Background(), a, now); r.Status != Bogus || r.EDE.Code != msg.EDERRSIGsMissing {
		t.Errorf("%s (%s)", r.Status, r.EDE)
	}
}

func TestADenialsSOAIsSignedToo(t *testing.T) {
	for _, nsec3 := range []*NSEC3Options{nil, {}} {
		w, v := newWorld(t, nsec3)
		a := w.ask(msg.MustName("nope.example."), msg.TypeA)
		a.Message.Authority = drop(a.Message.Authority, func(r msg.RR) bool { return covers(r, msg.TypeSOA) })
		if r := v.Validate(context.Background(), a, now); r.Status != Bogus {
			t.Errorf("%s (%s)", r.Status, r.EDE)
		}
		// A name that has others below it exists.
		a = w.ask(msg.MustName("y.w.example."), msg.TypeA)
		a.Message.Rcode = msg.RcodeNameError
		if r := v.Validate(context.Background(), a, now); r.Status != Bogus {
			t.Errorf("y.w.example.: %s (%s)", r.Status, r.EDE)
		}
	}
}

func TestANameWithOthersBelowItExists(t *testing.T) {
	n := func(owner, next string) nsecRecord {
		return nsecRecord{msg.MustName(owner), msg.NSEC{Next: msg.MustName(next), Types: msg.NewTypeSet(msg.TypeA)}}
	}
	all := []nsecRecord{n("example.", "x.ent.example."), n("x.ent.example.", "example.")}
	if name := msg.MustName("ent.example."); nsecNoName(all, name) || !nsecNoData(all, name, msg.TypeA) || nsecDelegation(all, name) != cutNone {
		t.Error("it is denied")
	}
	if name := msg.MustName("f.example."); !nsecNoName(all, name) || nsecNoData(all, name, msg.TypeA) || nsecDelegation(all, name) != cutAbsent {
		t.Error("one that does not is not denied")
	}
}

func TestAnNSECThatAWildcardMadeProvesNothing(t *testing.T) {
	w, v := newWorld(t, nil)
	a := w.ask(msg.MustName("k.w.example."), msg.TypeA)
	a.Message.Authority = drop(a.Message.Authority, func(r msg.RR) bool { return isDenial(r) && !r.Name.IsWildcard() })
	for i, r := range a.Message.Authority {
		if isDenial(r) {
			a.Message.Authority[i].Name = msg.MustName("k.w.example.")
		}
	}
	if r := v.Validate(context.Background(), a, now); r.Status != Bogus {
		t.Errorf("%s (%s)", r.Status, r.EDE)
	}
}

// RFC 4509 section 3: with SHA-256 there, what SHA-1 says does not count.
func TestSHA1CountsWhereNothingElseIsThere(t *testing.T) {
	k := key(t, "example.", ED25519, msg.FlagZone|msg.FlagSEP)
	old, _ := NewDS(k.Zone, k.DNSKEY, DigestSHA1)
	weak := msg.NewRR(k.Zone, msg.TypeDS, 60, old.Data())
	wrong := k.DS(60)
	wrong.Data = wrong.Data[:len(wrong.Data)-1] + "\x00"
	for _, c := range []struct {
		anchors []msg.RR
		want    Status
	}{{[]msg.RR{weak}, Secure}, {[]msg.RR{weak, wrong}, Bogus}, {[]msg.RR{weak, k.DS(60)}, Secure}} {
		w, _ := newWorld(t, nil)
		v, err := New(Config{Source: w, Anchors: c.anchors})
		if err != nil {
			t.Fatal(err)
		}
		if r := w.judge(v, "ai.example.", msg.TypeA, now); r.Status != c.want {
			t.Errorf("%d anchors: %s (%s), want %s", len(c.anchors), r.Status, r.EDE, c.want)
		}
	}
}

func TestBitmapsSpeakForTheirSideOfACut(t *testing.T) {
	name := msg.MustName("a.example.")
	child, parent := msg.NewTypeSet(msg.TypeNS, msg.TypeSOA), msg.NewTypeSet(msg.TypeNS)
	for _, c := range []struct {
		what      string
		got, want bool
	}{
		{"the child of a DS", lacks(child, msg.TypeDS, name), false},
		{"the parent of a DS", lacks(parent, msg.TypeDS, name), true},
		{"the child of an address", lacks(child, msg.TypeA, name), true},
		{"the parent of an address", lacks(parent, msg.TypeA, name), false},
		{"the root of a DS", lacks(child, msg.TypeDS, msg.Root), true},
		{"the child of its delegation", ofTypes(child) == cutUnproven, true},
		{"the parent of its delegation", ofTypes(parent) == cutInsecure, true},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v", c.what, c.got)
		}
	}
}

func TestNSEC3OfAnotherKindIsLeftOut(t *testing.T) {
	hash := Hash(msg.MustName("a.example."), msg.NSEC3PARAM{Hash: 1})
	owner, _ := msg.MustName("example.").Child(encodeHash(hash))
	b := budget{limits: Limits{}.withDefaults()}
	chain := nsec3Chain{b: &b, zone: msg.MustName("example.")}
	add := func(n msg.NSEC3, owner msg.Name) int {
		before := len(chain.all)
		chain.add(&msg.RRset{Name: owner, Type: msg.TypeNSEC3, Class: 1, Data: []string{n.Data()}})
		return len(chain.all) - before
	}
	good := msg.NSEC3{Hash: 1, Next: hash}
	flagged, hashed, salted, short := good, good, good, good
	flagged.Flags, hashed.Hash, salted.Salt, short.Next = 2, 2, "x", "short"
	if add(flagged, owner)+add(hashed, owner)+add(short, owner)+add(good, msg.MustName("x.example."))+add(good, "\x01x"+owner) != 0 {
		t.Error("a record of another kind is taken")
	}
	if add(good, owner) != 1 || add(salted, owner) != 0 {
		t.Error("records of two kinds are mixed")
	}
}

func TestNothingIsKeptLongerThanItIsSigned(t *testing.T) {
	w, v := newWorld(t, nil)
	a := w.ask(msg.MustName("ai.example."), msg.TypeA)
	for i := range a.Message.Answer {
		a.Message.Answer[i].TTL = 1 << 20
	}
	if r := v.Validate(context.Background(), a, now); r.Status != Secure || r.TTL != 3600 {
		t.Errorf("%s, TTL %d", r.Status, r.TTL)
	}
	if r := w.judge(v, "ai.example.", msg.TypeA, expiration.Add(-10*time.Second)); r.Status != Secure || r.TTL != 10 {
		t.Errorf("%s, TTL %d", r.Status, r.TTL)
	}
}

// An answer that is too much work says nothing of its zone.
func TestWhatWasTooMuchForOneAnswerIsNotRemembered(t *testing.T) {
	w, v := newWorld(t, nil)
	v.config.Limits.Checks = 1
	if r := w.judge(v, "ai.example.", msg.TypeA, now); r.Status != Bogus {
		t.Errorf("%s", r.Status)
	}
	v.config.Limits.Checks = 128
	if r := w.judge(v, "ai.example.", msg.TypeA, now); r.Status != Secure {
		t.Errorf("%s (%s)", r.Status, r.EDE)
	}
}
