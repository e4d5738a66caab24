package dnssec

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

// sameTag returns n keys with the tag of k: octets of a key that are swapped do not change it.
func sameTag(t *testing.T, k msg.DNSKEY, n int) []msg.DNSKEY {
	t.Helper()
	var keys []msg.DNSKEY
	for i := 0; len(keys) < n; i++ {
		b := []byte(k.Key)
		x, y := 2*(i%15), 2*(i/15%15)
		b[x], b[y] = b[y]+byte(i), b[x]-byte(i)
		c := k
		c.Key = string(b)
		if c.Key != k.Key && KeyTag(c) == KeyTag(k) {
			keys = append(keys, c)
		}
	}
	return keys
}

// CVE-2023-50387: many keys of one tag, many signatures by it.
func TestKeyTrapEndsWithinItsBound(t *testing.T) {
	k := key(t, "example.", ED25519, msg.FlagZone)
	set := &msg.RRset{Name: msg.MustName("a.example."), Type: msg.TypeA, Class: 1, TTL: 60, Data: []string{"\xc0\x00\x02\x01"}}
	good, err := SignSet(set, k, inception, expiration)
	if err != nil {
		t.Fatal(err)
	}
	var keys []publicKey
	for _, c := range sameTag(t, k.DNSKEY, 60) {
		keys = append(keys, newPublicKey(c))
	}
	for i := range 60 {
		s, _ := good.RRSIG()
		s.Signature = s.Signature[:60] + fmt.Sprintf("%04d", i)
		set.Sigs = append(set.Sigs, s.Data())
	}
	b := budget{limits: Limits{}.withDefaults()}
	v, ok := b.verify(set, k.Zone, keys, now)
	if ok || v.ede.Code != msg.EDEBogus || b.checks > b.limits.FailedCheck || b.checks > b.limits.KeysPerTag*b.limits.SigsPerSet {
		t.Errorf("%v after %d checks (%s)", ok, b.checks, v.ede)
	}
	// One key too many is in the way, fewer are not.
	set.Sigs = []string{good.Data}
	for n, want := range map[int]bool{b.limits.KeysPerTag - 1: true, b.limits.KeysPerTag: false} {
		b = budget{limits: b.limits}
		if _, ok := b.verify(set, k.Zone, append(keys[:n:n], newPublicKey(k.DNSKEY)), now); ok != want {
			t.Errorf("the key behind %d of the same tag: %v", n, ok)
		}
	}
}

func TestTheWorkOfOneAnswerIsBounded(t *testing.T) {
	w, v := newWorld(t, nil)
	// Many signatures that are of nothing, on many names.
	a := w.ask(msg.MustName("ai.example."), msg.TypeA)
	good := a.Message.Answer
	a.Message.Answer = nil
	for i := range 200 {
		name, _ := msg.MustName("example.").Child(fmt.Sprint("n", i))
		for _, r := range good {
			r.Name = name
			a.Message.Answer = append(a.Message.Answer, r)
		}
	}
	a.Question.Name = a.Message.Answer[0].Name
	if r := v.Validate(context.Background(), a, now); r.Status != Bogus {
		t.Errorf("%s", r.Status)
	}
	// A name of many labels without signatures: a question for each on the way down.
	w, v = newWorld(t, nil)
	deep := msg.MustName(strings.Repeat("a.", 120) + "example.")
	w.edit = func(name msg.Name, typ msg.Type, m *msg.Message) error {
		if name.Labels() > 1 { // each claims to be a name, and no cut
			m.Answer, m.Rcode = nil, 0
			set := &msg.RRset{Name: name, Type: msg.TypeNSEC, Class: 1, TTL: 60, Data: []string{msg.NSEC{Next: msg.MustName("z.example."), Types: msg.NewTypeSet(msg.TypeA)}.Data()}}
			sig, err := SignSet(set, key(t, "example.", ED25519, msg.FlagZone), inception, expiration)
			if err != nil {
				t.Fatal(err)
			}
			m.Authority = append(set.RRs(), sig)
		}
		return nil
	}
	r := v.Validate(context.Background(), Answer{Question: msg.Question{Name: deep, Type: msg.TypeA, Class: 1},
		Message: &msg.Message{Answer: []msg.RR{{Name: deep, Type: msg.TypeA, Class: 1, TTL: 1, Data: "abcd"}}}}, now)
	if r.Status != Bogus || w.asked != v.config.Limits.Fetches || r.Err == nil {
		t.Errorf("%s (%s) after %d questions, error %v", r.Status, r.EDE, w.asked, r.Err)
	}
}

// CVE-2023-50868: a hash for each label of a name.
func TestHashesOfOneAnswerAreBounded(t *testing.T) {
	w, v := newWorld(t, &NSEC3Options{Iterations: 100})
	v.config.Limits.Hashes = 16
	r := w.judge(v, strings.Repeat("a.", 100)+"example.", msg.TypeA, now)
	if r.Status != Bogus || !strings.Contains(r.EDE.Text, "hashes") {
		t.Errorf("%s (%s)", r.Status, r.EDE)
	}
	v.config.Limits.Hashes = 128
	if r := w.judge(v, strings.Repeat("a.", 100)+"example.", msg.TypeA, now); r.Status != Secure {
		t.Errorf("%s (%s)", r.Status, r.EDE)
	}
}

// An answer of 64 kB that is all signatures takes no more than its checks.
func TestManyRecordsAreJudgedAtOnce(t *testing.T) {
	w, v := newWorld(t, nil)
	a := w.ask(msg.MustName("example."), msg.TypeNS)
	for i := range 3000 {
		a.Message.Answer = append(a.Message.Answer, msg.NewRR(msg.MustName("example."), msg.TypeTXT, 60, msg.TXT{fmt.Sprint(i)}.Data()))
	}
	if r := v.Validate(context.Background(), a, now); r.Status != Bogus || r.EDE.Code != msg.EDERRSIGsMissing {
		t.Errorf("%s (%s)", r.Status, r.EDE)
	}
}
