package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// configured is a weir dns serve with a file of --config that a test writes again.
type configured struct {
	*up
	t    testing.TB
	path string
}

func serveConfig(t testing.TB, l *lab, dir, text string, args ...string) *configured {
	t.Helper()
	c := &configured{t: t, path: filepath.Join(dir, "names.toml")}
	must(t, os.WriteFile(c.path, []byte(text), 0o600))
	c.up = l.serveNames(append([]string{"--config", c.path}, args...)...)
	return c
}

// again writes the file and has it read, and returns the line that is said of it.
func (c *configured) again(text string) string {
	c.t.Helper()
	must(c.t, os.WriteFile(c.path, []byte(text), 0o600))
	before := len(c.lines())
	must(c.t, c.cmd.Process.Signal(syscall.SIGHUP))
	eventually(c.t, "something is said of the file", func() bool { return len(c.lines()) > before })
	return c.lines()[before]
}

// lines are what weir has said to people on standard error.
func (c *configured) lines() []string {
	return slices.DeleteFunc(strings.Split(c.said(), "\n"), func(s string) bool { return !strings.HasPrefix(s, "weir: ") })
}

// soa is a zone's SOA record as one server has it, or the code of its answer where it has none.
func (l *lab) soa(at, zone string) string {
	l.t.Helper()
	if list := l.dig("@"+at, zone, "SOA", "+short"); len(list) == 1 {
		return strings.Fields(list[0])[2]
	}
	code, err := l.rcode(at+":53", zone)
	must(l.t, err)
	return fmt.Sprintf("rcode %d", code)
}

// TestReconfiguringLosesNoQuery has the file of --config read again dozens of times while a zone that is always in it is asked for without
// a pause: zones come and go, become what is forwarded and come back, and files that are wrong change nothing.
func TestReconfiguringLosesNoQuery(t *testing.T) {
	l, dir := newLab(t), t.TempDir()
	file := func(origin string) string { return filepath.Join(dir, origin+".zone") }
	for _, origin := range []string{"example.org", "example.net", "example.com"} {
		smallZone(t, file(origin), origin, 1)
	}
	smallZone(t, file("example.net")+".upstream", "example.net", 1000)
	const head = "rate-limit = -1\n"
	with := [2]string{
		head + "[zone]\n\"example.org\" = \"example.org.zone\"\n\"example.net\" = \"example.net.zone\"\n",
		head + "[zone]\n\"example.org\" = \"example.org.zone\"\n\"example.com\" = \"example.com.zone\"\n[forward]\n\"example.net\" = \"192.0.2.1\"\n",
	}
	wrong := []string{"nonsense = 1", "[zone]\n\"example.org\" = \"nowhere.zone\"", head + "key = \"rubbish\"\n[zone]\n\"example.com\" = \"example.com.zone\"",
		"[forward]\n\"example.org\" = \"nobody\"", ""}
	c := serveConfig(t, l, dir, with[0])
	l.nsd("192.0.2.1:53", []zoneFile{{"example.net", file("example.net") + ".upstream"}})
	s, moving := c.streams(t, "example.org."), c.streamOf(t, "example.net.")
	for n := range 20 {
		smallZone(t, file("example.org"), "example.org", n+2)
		if said := c.again(with[(n+1)%2]); said != "weir: configuration and zones read again" {
			t.Fatalf("reload %d: %s", n, said)
		}
		s.sees(n + 2)
		others := [2]string{"1", "rcode 5"}
		if n%2 == 0 {
			others = [2]string{"1000", "1"}
		}
		if got := [2]string{l.soa(weir4, "example.net"), l.soa(weir4, "example.com")}; got != others {
			t.Errorf("after reload %d example.net and example.com have %v, want %v", n, got, others)
		}
		if said := c.again(wrong[n%len(wrong)]); !strings.HasSuffix(said, "; what was served before is served on") || l.soa(weir4, "example.net") != others[0] {
			t.Errorf("of a file that is wrong it says %q", said)
		}
	}
	s.end()
	moving.end()
	t.Logf("%d questions, and %d of a zone that moved", s.asked.Load(), moving.asked.Load())
	if n := c.counters(t)["app.dns.drop.unanswered"]; n > 0 {
		t.Errorf("%d queries were not answered", n)
	}
	c.end()
}

// TestReconfiguringChangesWhoMayWhat: keys, who may transfer, the server's name and the secrets of cookies follow the file, and what does
// not is named.
func TestReconfiguringChangesWhoMayWhat(t *testing.T) {
	l, dir := newLab(t), t.TempDir()
	smallZone(t, filepath.Join(dir, "example.org.zone"), "example.org", 1)
	const zones = "\n[zone]\n\"example.org\" = \"example.org.zone\"\n"
	const first, second = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"
	c := serveConfig(t, l, dir, `cookie-secret = "`+first+`"`+zones, "--nsid", "from the command line")
	nsid := func() string {
		out := l.ok("", "dig", "@"+weir4, "example.org", "SOA", "+nsid")
		_, after, _ := strings.Cut(out, `("`)
		id, _, _ := strings.Cut(after, `")`)
		return id
	}
	transfer := func() int { return len(l.dig("@"+weir4, "example.org", "AXFR", "-y", movedKey)) }
	if nsid() != "from the command line" || transfer() != 0 {
		t.Errorf("at first: NSID %q, %d records", nsid(), transfer())
	}
	if out := l.ok("", "dig", "@"+weir4, "example.org", "SOA"); strings.Contains(out, "NSID") {
		t.Errorf("it tells who does not ask:\n%s", out)
	}
	cookie := func() string {
		for line := range strings.Lines(l.ok("", "dig", "@"+weir4, "example.org", "SOA", "+cookie=0011223344556677")) {
			if _, s, ok := strings.Cut(line, "COOKIE: "); ok {
				return strings.Fields(s)[0]
			}
		}
		return ""
	}
	// proven reports whether a cookie proves who sends it.
	proven := func(cookie string) bool {
		before := c.counters(t)["app.dns.queries_proven"]
		l.ok("", "dig", "@"+weir4, "example.org", "SOA", "+cookie="+cookie)
		return c.counters(t)["app.dns.queries_proven"] > before
	}
	old := cookie()
	said := c.again("nsid = \"from the file\"\nkey = \"" + movedKey + "\"\nallow-transfer = \"key:mover\"\nmax-udp = 600\nlog = \"queries\"\ncookie-secret = [\"" + second + "\", \"" + first + "\"]" + zones)
	if want := "weir: configuration and zones read again; until weir is started anew log, max-udp will be as before"; said != want {
		t.Errorf("said %q, want %q", said, want)
	}
	if nsid() != "from the command line" || transfer() != 4 {
		t.Errorf("the command line goes first: NSID %q; with the key there are %d records", nsid(), transfer())
	}
	renewed := cookie()
	if !proven(old) || !proven(renewed) || old[16+8:] == renewed[16+8:] {
		t.Errorf("while both secrets are there: %v and %v, cookies %s and %s", proven(old), proven(renewed), old, renewed)
	}
	c.again("cookie-secret = \"" + second + "\"" + zones)
	if proven(old) || !proven(renewed) || transfer() != 0 {
		t.Errorf("when the first is gone: %v and %v; %d records with a key that is gone", proven(old), proven(renewed), transfer())
	}
	c.end()
}
