package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns"
	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
)

// silent is a network that leads nowhere.
type silent struct{}

func (silent) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("it leads nowhere")
}

// reloading is a name server without sockets, of a file of --config.
func reloading(t *testing.T, text string) *nameServer {
	t.Helper()
	f, _, err := configured(t, text)
	if err != nil {
		t.Fatal(err)
	}
	n := &nameServer{network: silent{}, flags: f}
	cfg, err := f.build(n.network, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	n.cfg.Store(cfg)
	if n.service, err = dns.New(cfg.Config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n.service.Close()
		n.close()
	})
	return n
}

// When other servers are asked about a zone, or other keys are trusted, what the cache has of that is forgotten, and nothing else.
func TestReloadingForgetsWhatIsAskedElsewhere(t *testing.T) {
	const forwards = "[forward]\n\"corp.example\" = \"10.0.0.53\"\n\"other.example\" = \"10.0.1.53\"\n"
	for what, c := range map[string]struct {
		text string
		kept []string
	}{
		"the same":                   {forwards, []string{"www.corp.example", "www.other.example", "www.example"}},
		"another server":             {"[forward]\n\"corp.example\" = \"10.0.0.54\"\n\"other.example\" = \"10.0.1.53\"\n", []string{"www.other.example", "www.example"}},
		"it is not forwarded":        {"[forward]\n\"other.example\" = \"10.0.1.53\"\n", []string{"www.other.example", "www.example"}},
		"a zone more":                {forwards + "\"example\" = \"10.0.0.55\"\n", nil},
		"what is resolved is signed": {"recursive = true\n" + forwards, nil},
	} {
		n := reloading(t, forwards)
		names := []string{"www.corp.example", "www.other.example", "www.example"}
		for _, name := range names {
			n.cfg.Load().cache.Put(cache.Entry{Name: msg.MustName(name), Kind: cache.NXDomain, Rank: cache.RankAnswer, TTL: 600})
		}
		if err := os.WriteFile(n.flags.config, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if said, err := n.reload(); err != nil {
			t.Fatalf("%s: %s, %v", what, said, err)
		}
		n.retiring.Wait()
		for _, name := range names {
			if _, ok := n.cfg.Load().cache.Get(msg.MustName(name), 0, cache.NXDomain, false); ok != slices.Contains(c.kept, name) {
				t.Errorf("%s: %s is there: %v", what, name, ok)
			}
		}
	}
}

// An alias that leads from the public tree into a zone that is forwarded is followed there, and not in the public tree.
func TestRecursionKnowsWhatIsForwarded(t *testing.T) {
	n := reloading(t, "recursive = true\n[forward]\n\"corp.test\" = \"10.0.0.53\"\n")
	rc := n.cfg.Load().Recursion
	if rc.Upstream == nil {
		t.Fatal("it does not know")
	}
	if zone, ok := rc.Upstream.Zone(msg.MustName("www.corp.test")); !ok || !zone.Equal(msg.MustName("corp.test")) {
		t.Errorf("%v, %v", zone, ok)
	}
	if _, ok := rc.Upstream.Zone(msg.MustName("www.test")); ok || !slices.Contains(rc.Untrusted, msg.MustName("corp.test")) || !slices.Contains(rc.Public, msg.MustName("corp.test")) {
		t.Errorf("untrusted %v, public %v", rc.Untrusted, rc.Public)
	}
}

// Who asks for it over the control socket is told what stays as it was, and of an error in one line.
func TestReloadingOverTheControlSocketTellsWhatStays(t *testing.T) {
	n := reloading(t, "recursive = true\n")
	reload := n.handlers()["dns.reload"]
	for text, want := range map[string]string{
		"recursive = true\nlog-sample = 7\nmax-udp = 4096\n": "until weir is started anew log-sample, max-udp will be as before",
		"recursive = maybe\n":                                "what was served before is served on",
	} {
		if err := os.WriteFile(n.flags.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		said, err := reload(nil)
		if got := fmt.Sprint(said, err); !strings.Contains(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// Two zones that cannot be read are told of in one line too.
func TestReloadingTwoBrokenZonesIsToldInOneLine(t *testing.T) {
	text, dir := "[zone]\n", t.TempDir()
	write := func(more string) {
		for _, zone := range []string{"a.example", "b.example"} {
			if err := os.WriteFile(filepath.Join(dir, zone), []byte("$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.2\n"+more), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, zone := range []string{"a.example", "b.example"} {
		text += fmt.Sprintf("%q = %q\n", zone, filepath.Join(dir, zone))
	}
	write("")
	n := reloading(t, text)
	n.flags.config = "" // as with --zone: only the files are read again
	write("www A 1\n")
	_, err := n.handlers()["dns.reload"](nil)
	if got := fmt.Sprint(err); !strings.Contains(got, "zone a.example.") || !strings.Contains(got, "zone b.example.") || strings.Contains(got, "\n") {
		t.Errorf("%s", got)
	}
}
