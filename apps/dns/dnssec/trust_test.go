package dnssec

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

// What does not fit between the trust anchors of a zone and its keys is told while it can still be mended, and when it is too late.
func TestAnchorsThatDoNotFitAreTold(t *testing.T) {
	const sep = msg.FlagZone | msg.FlagSEP
	newKey := func(flags uint16, seed string) *Key {
		k, err := NewKey(msg.Root, ED25519, flags, []byte(seed))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first, second, gone, zsk := newKey(sep, "first"), newKey(sep, "second"), newKey(sep|msg.FlagRevoke, "gone"), newKey(msg.FlagZone, "zone")
	for what, c := range map[string]struct {
		keys, anchors []*Key
		status        Status
		failed        bool
		tags          string
	}{
		"they fit":           {[]*Key{first, zsk}, []*Key{first}, Secure, false, ""},
		"both are there":     {[]*Key{first, second, zsk}, []*Key{first, second}, Secure, false, ""},
		"one is not used":    {[]*Key{first, zsk}, []*Key{first, second}, Secure, false, ""},
		"a key is new":       {[]*Key{first, second, zsk}, []*Key{first}, Secure, false, fmt.Sprint(second.Tag())},
		"a key is revoked":   {[]*Key{first, gone, zsk}, []*Key{first}, Secure, false, ""},
		"another key signs":  {[]*Key{second, zsk}, []*Key{first}, Bogus, true, fmt.Sprint(first.Tag())},
		"the key is revoked": {[]*Key{gone, zsk}, []*Key{first}, Bogus, true, fmt.Sprint(first.Tag())},
	} {
		w, _ := newWorld(t, nil)
		w.zones[msg.Root] = signed(t, `
			. 3600 IN SOA a.root. host.root. 1 3600 600 86400 300
			. 3600 IN NS a.root.
			a.root. 3600 IN A 192.0.2.53
			example. 3600 IN NS ns1.example.
			`+w.ds("example."), ".", SignOptions{Keys: c.keys})
		var told []Notice
		cfg := Config{Source: w, Notice: func(n Notice) { told = append(told, n) }}
		for _, k := range c.anchors {
			cfg.Anchors = append(cfg.Anchors, k.DS(3600))
		}
		v, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if r := w.judge(v, "ai.example.", msg.TypeA, now); r.Status != c.status {
			t.Errorf("%s: %s (%s), want %s", what, r.Status, r.EDE, c.status)
		}
		switch {
		case c.tags == "" && len(told) == 0:
		case c.tags == "" || len(told) != 1 || told[0].Failed != c.failed || told[0].Zone != msg.Root || !strings.Contains(told[0].Text, c.tags):
			t.Errorf("%s: told %+v, want of %q", what, told, c.tags)
		}
	}
}

// A zone with an anchor that has no keys any more is told of as well, and nothing is where only the work for an answer came to its bounds.
func TestAnchorsOfAZoneWithoutKeysAreTold(t *testing.T) {
	w, _ := newWorld(t, nil)
	w.edit = func(_ msg.Name, typ msg.Type, m *msg.Message) error {
		if typ == msg.TypeDNSKEY {
			m.Answer = nil
		}
		return nil
	}
	var told []Notice
	v, err := New(Config{Source: w, Anchors: parse(t, w.ds(".")), Notice: func(n Notice) { told = append(told, n) }})
	if err != nil {
		t.Fatal(err)
	}
	if r := w.judge(v, "ai.example.", msg.TypeA, now); r.Status != Bogus || len(told) != 1 || !told[0].Failed || !strings.Contains(told[0].Text, "a trust anchor") {
		t.Errorf("%s (%s), told %+v", r.Status, r.EDE, told)
	}
	s := newSession(t.Context(), v, now)
	s.over = true
	if z := s.untrusted(msg.Root, msg.EDEBogus, "too much work"); z.status != Bogus || len(told) != 1 {
		t.Errorf("too much work: %s, told %+v", z.status, told)
	}
}

// An anchor of an algorithm that is not known here is one all the same: nobody is told to add it again.
func TestAnchorsOfOtherAlgorithmsAreKnown(t *testing.T) {
	var keys []publicKey
	for _, algorithm := range []uint8{ED25519, 200, 201} {
		keys = append(keys, newPublicKey(msg.DNSKEY{Flags: msg.FlagZone | msg.FlagSEP, Protocol: 3, Algorithm: algorithm, Key: strings.Repeat("k", 32)}))
	}
	var anchors []msg.RR
	for _, k := range keys[:2] {
		ds, _ := NewDS(msg.Root, k.DNSKEY, DigestSHA256)
		anchors = append(anchors, msg.RR{Name: msg.Root, Type: msg.TypeDS, Class: msg.ClassINET, Data: ds.Data()})
	}
	if got, want := unknown(msg.Root, keys, keys[:1], anchors), []string{fmt.Sprint(keys[2].tag)}; !slices.Equal(got, want) {
		t.Errorf("told of %v, want %v", got, want)
	}
}
