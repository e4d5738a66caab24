package dnssec

import (
	"fmt"
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
