package stub

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/stack"
)

// What is asked, in which names, follows from the search list, the dots and the options.
func TestNamesAreCompletedAsResolvConfSays(t *testing.T) {
	s := newServer(t)
	search := Conf{NDots: 1, Search: []string{"search.example.", "other.example."}}
	with := func(f func(*Conf)) Conf { c := search; f(&c); return c }
	for _, c := range []struct {
		what, row string
		conf      Conf
		asked     string // in the order of the alphabet
		want      string
	}{
		{"a short name", "host short", search, "short.search.example A, short.search.example AAAA", "[192.0.2.9]"},
		{"one family only", "host six", search, "six.search.example A, six.search.example AAAA", "[2001:db8::9]"},
		{"the second of the list", "ip4 www", with(func(c *Conf) { c.Search = []string{"search.example.", "example."} }), "www.example A, www.search.example A", "[192.0.2.80]"},
		{"enough dots", "ip4 www.example", search, "www.example A", "[192.0.2.80]"},
		{"enough dots, and not there", "ip4 two.dots", search, "two.dots A, two.dots.search.example A", "[192.0.2.10]"},
		{"not enough dots", "ip4 two.dots", with(func(c *Conf) { c.NDots = 2 }), "two.dots.search.example A", "[192.0.2.10]"},
		{"not enough dots, and only as it stands", "ip4 www.example", with(func(c *Conf) { c.NDots = 3 }), "www.example A, www.example.other.example A, www.example.search.example A", "[192.0.2.80]"},
		{"a final dot", "ip4 short.", search, "short A", "[]"},
		{"nowhere", "ip4 none", search, "none A, none.other.example A, none.search.example A", "[]"},
		{"two attempts", "ip4 fail.example.", with(func(c *Conf) { c.Attempts = 3 }), "fail.example A, fail.example A, fail.example A", "[]"},
		{"one after the other", "ip www.example", with(func(c *Conf) { c.SingleRequest = true }), "www.example A, www.example AAAA", "[192.0.2.80 2001:db8::80]"},
		{"TCP only", "txt text.example", with(func(c *Conf) { c.TCP = true }), "text.example TXT", "onetwo, three"},
		{"nothing of onion", "host hidden.onion", search, "hidden.onion.other.example A, hidden.onion.other.example AAAA, hidden.onion.search.example A, hidden.onion.search.example AAAA", "[]"},
	} {
		got, err := call(t.Context(), asking(t, s, c.conf), c.row)
		if asked := strings.Join(s.questions(), ", "); asked != c.asked {
			t.Errorf("%s: asked %s, want %s", c.what, asked, c.asked)
		}
		if fmt.Sprint(got) != c.want || err == nil && c.want == "[]" {
			t.Errorf("%s: %v, %v, want %s", c.what, got, err, c.want)
		}
	}
}

// A server that does not answer, or not well, is passed over; rotate begins with another each time.
func TestServersAreAskedInTurn(t *testing.T) {
	good, other := newServer(t), newServer(t)
	dead := netip.MustParseAddrPort("127.0.0.1:1")
	r := New(patient(Conf{NDots: 1, Attempts: 1}, dead, good.addr))
	defer r.Close()
	if got, err := r.LookupTXT(t.Context(), "text.example"); err != nil || len(got) != 2 {
		t.Errorf("with a dead server first: %v, %v", got, err)
	}
	good.questions()
	r = New(patient(Conf{NDots: 1, Rotate: true}, good.addr, other.addr))
	defer r.Close()
	for range 10 {
		if _, err := r.LookupTXT(t.Context(), "text.example"); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := len(good.questions()), len(other.questions()); a != 5 || b != 5 {
		t.Errorf("with rotate the servers had %d and %d questions of ten", a, b)
	}
	_, err := r.LookupTXT(t.Context(), "fail.example.")
	if a, b := len(good.questions()), len(other.questions()); a != 2 || b != 2 || err == nil {
		t.Errorf("%d and %d questions for two attempts at two servers that fail: %v", a, b, err)
	}
}

// The hosts file comes first, resolv.conf is the file's, and both are read again.
func TestFilesAreHonoured(t *testing.T) {
	s := newServer(t)
	dir := t.TempDir()
	hosts, conf := filepath.Join(dir, "hosts"), filepath.Join(dir, "resolv.conf")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(hosts, "192.0.2.99 www.example web\n2001:db8::99 www.example\n")
	write(conf, "search search.example\noptions ndots:1 attempts:1 timeout:30\n")
	r := New(Config{Network: &net.Dialer{}, Servers: []netip.AddrPort{s.addr}, ResolvConf: conf, HostsFile: hosts})
	defer r.Close()
	for row, want := range map[string]string{
		"host www.example": "[192.0.2.99 2001:db8::99]", "ip4 WWW.example.": "[192.0.2.99]", "ip6 web": "[]", "addr 192.0.2.99": "www.example., web",
		"cname web": "www.example.", "ip4 short": "[192.0.2.9]", "addr 2001:db8::80": "www.example.",
	} {
		if got, err := call(t.Context(), r, row); fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v, want %s", row, got, err, want)
		}
	}
	r.conf.checked, r.conf.size = time.Time{}, -1 // as if a second had passed, and the file changed
	write(conf, "search example\noptions timeout:30\n")
	if got, err := r.LookupNetIP(t.Context(), "ip4", "four"); fmt.Sprint(got) != "[192.0.2.4]" {
		t.Errorf("after resolv.conf has changed: %v, %v", got, err)
	}
}

// Each family is told when its answer is there.
func TestLookupEagerTellsOfEachFamily(t *testing.T) {
	r := asking(t, newServer(t), Conf{NDots: 1})
	var calls []string
	err := r.LookupEager(t.Context(), "ip", "www.example", func(a []netip.Addr) { calls = append(calls, fmt.Sprint(a)) })
	slices.Sort(calls)
	if err != nil || strings.Join(calls, " ") != "[192.0.2.80] [2001:db8::80]" {
		t.Errorf("%v, %v", calls, err)
	}
}

// A *net.Resolver asks the servers that are configured here, whatever the host's files say.
func TestNetResolverAsksOverTheNetwork(t *testing.T) {
	s := newServer(t)
	n := asking(t, s, Conf{}).NetResolver()
	got, err := n.LookupTXT(context.Background(), "large.example.")
	if err != nil || len(got) != 1 || len(got[0]) != 4000 {
		t.Errorf("%v, %v", got, err)
	}
	if asked := s.questions(); len(asked) != 2 {
		t.Errorf("asked %v, want once over UDP and once over TCP", asked)
	}
}

func TestHostNamesAreTold(t *testing.T) {
	for name, want := range map[string]bool{
		".": true, "a": true, "a.": true, "www.example": true, "_http._tcp.example": true, "1.2.3.4": false, "1.a": true, "": false, "..": false,
		"a..b": false, "-a": false, "a-": false, "a.-b": false, "é.example": false, "a b": false, strings.Repeat("a", 63): true, strings.Repeat("a", 64): false,
	} {
		if isHostName(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

// A stack takes the resolver, and asks for each family as it comes.
var (
	_ stack.EagerResolver = (*Resolver)(nil)
	_ sorter              = (*stack.Stack)(nil)
)
