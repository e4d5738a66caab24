package stub

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestResolvConfIsReadAsItsManualSays(t *testing.T) {
	for _, c := range []struct {
		text, want string
	}{
		{"nameserver 192.0.2.1\nnameserver 2001:db8::1\n", "[192.0.2.1:53 [2001:db8::1]:53] [] 1 5s 2"},
		{"nameserver 192.0.2.1\nnameserver nobody\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4", "[192.0.2.1:53 192.0.2.2:53 192.0.2.3:53] [] 1 5s 2"},
		{"nameserver fe80::1%eth0", "[[fe80::1%eth0]:53] [] 1 5s 2"},
		{"# c\n; c\n\nnameserver\t192.0.2.1\t# c\nsearch a.example b.example.\n", "[192.0.2.1:53] [a.example. b.example.] 1 5s 2"},
		{"nameserver 192.0.2.1\ndomain d.example\nsearch .\n search a.example", "[192.0.2.1:53] [a.example.] 1 5s 2"},
		{"nameserver 192.0.2.1\nsearch a.example\ndomain d.example", "[192.0.2.1:53] [d.example.] 1 5s 2"},
		{"nameserver 192.0.2.1\noptions ndots:3 timeout:1 attempts:4", "[192.0.2.1:53] [] 3 1s 4"},
		{"nameserver 192.0.2.1\noptions ndots:99 timeout:99 attempts:99", "[192.0.2.1:53] [] 15 30s 5"},
		{"nameserver 192.0.2.1\noptions ndots:-1 timeout:0 attempts:x", "[192.0.2.1:53] [] 0 1s 1"},
		{"nameserver 192.0.2.1\noptions ndots:99999999999999999999", "[192.0.2.1:53] [] 15 5s 2"},
		{"nameserver 192.0.2.1\noptions rotate single-request use-vc trust-ad edns0 no-reload what:ever", "[192.0.2.1:53] [] 1 5s 2 rotate single tcp ad fixed"},
		{"", "[127.0.0.1:53 [::1]:53] [] 1 5s 2"},
	} {
		conf, err := ParseConf(strings.NewReader(c.text))
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
		}
		if fmt.Sprint(conf.Search) == fmt.Sprint(hostDomain()) {
			conf.Search = nil // where the text has none it is the host's
		}
		got := fmt.Sprint(conf.Servers, conf.Search, conf.NDots, conf.Timeout, conf.Attempts)
		for _, f := range []struct {
			on   bool
			name string
		}{{conf.Rotate, "rotate"}, {conf.SingleRequest, "single"}, {conf.TCP, "tcp"}, {conf.TrustAD, "ad"}, {conf.NoReload, "fixed"}} {
			if f.on {
				got += " " + f.name
			}
		}
		got = strings.Replace(got, "] [] 1", "] [] 1", 1)
		if got != c.want {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		}
	}
}

func TestHostsFile(t *testing.T) {
	h, err := ParseHosts(strings.NewReader(`
127.0.0.1	localhost
192.0.2.7 Web.example web  # the web
2001:db8::7 web.example
nonsense web.example
192.0.2.8
fe80::1%eth0 router
192.0.2.9 other.example web.example
`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"localhost": "[127.0.0.1] localhost", "WEB.example": "[192.0.2.7 2001:db8::7 192.0.2.9] web.example.",
		"web.example.": "[192.0.2.7 2001:db8::7 192.0.2.9] web.example.", "web": "[192.0.2.7] web.example.",
		"router": "[fe80::1%eth0] router", "nobody": "[] ", "localhost.": "[] ",
	} {
		addrs, canonical := h.Addrs(name)
		if got := fmt.Sprint(addrs) + " " + canonical; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := fmt.Sprint(h.Names(netip.MustParseAddr("::ffff:192.0.2.7"))); got != "[Web.example. web]" {
		t.Errorf("names of 192.0.2.7: %s", got)
	}
	if got := h.Names(netip.MustParseAddr("192.0.2.8")); len(got) > 0 {
		t.Errorf("names of 192.0.2.8: %s", got)
	}
}

// A file is read again when it has changed, and no sooner than a second after it was looked at.
func TestFileIsReadAgainWhenItHasChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write := func(s string, age time.Duration) {
		t.Helper()
		next := path + ".next"
		if err := os.WriteFile(next, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		when := time.Unix(1e9, 0).Add(age)
		if err := os.Chtimes(next, when, when); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, path); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		f := &file[*Hosts]{path: path, parse: ParseHosts, empty: func() *Hosts { return new(Hosts) }}
		want := func(what, want string) {
			t.Helper()
			if a, _ := f.get().Addrs("web"); fmt.Sprint(a) != want {
				t.Errorf("%s: %v, want %s", what, a, want)
			}
		}
		want("no file", "[]")
		write("192.0.2.1 web", 0)
		want("looked at just now", "[]")
		time.Sleep(recheck)
		want("a file that came", "[192.0.2.1]")
		write("192.0.2.2 web", 0)
		time.Sleep(recheck)
		want("neither time nor size has changed", "[192.0.2.1]")
		write("192.0.2.2 web", time.Minute)
		time.Sleep(recheck)
		want("a file that changed", "[192.0.2.2]")
		os.Remove(path)
		time.Sleep(recheck)
		want("a file that went", "[]")
	})
}

func FuzzFiles(f *testing.F) {
	f.Add("nameserver 192.0.2.1\nsearch a\noptions ndots:2 timeout:3\n")
	f.Add("192.0.2.1 web web.example # c\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, _ := ParseConf(strings.NewReader(text))
		if len(c.Servers) == 0 || c.NDots < 0 || c.NDots > maxNDots || c.Timeout < time.Second || c.Attempts < 1 || c.Attempts > maxAttempts {
			t.Errorf("%+v", c)
		}
		h, err := ParseHosts(strings.NewReader(text))
		for name, e := range h.byName {
			if got, _ := h.Addrs(name); err == nil && len(got) != len(e.addrs) {
				t.Errorf("%q: %v", name, got)
			}
		}
	})
}
