package main_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/tree"
	"github.com/weirnet/weir/cmd/weir/internal/nametree"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/tun"
)

// The tree's resolver, and the authority that has most of its names.
const (
	resolver4, resolver6 = "203.0.113.53", "2001:db8:53::35"
	authority4           = "203.0.113.8"
)

// TestProgramsOfTheSystemLookNamesUp serves the tree and asks for what is in it as people and programs do.
func TestProgramsOfTheSystemLookNamesUp(t *testing.T) {
	u := newLab(t).serveNames("--tree")
	t.Run("dig", func(t *testing.T) { digs(u.in(t)) })
	t.Run("every type", func(t *testing.T) { everyType(u.in(t)) })
	t.Run("trace", func(t *testing.T) { digTrace(u.in(t)) })
	t.Run("kdig", func(t *testing.T) { kdigs(u.in(t)) })
	t.Run("transfer", func(t *testing.T) { transfersZone(u.in(t)) })
	t.Run("resolv.conf", func(t *testing.T) { byResolvConf(u.in(t)) })
	t.Run("cache", func(t *testing.T) { cacheCommands(t, u) })
	u.idle(t)
	u.stop(syscall.SIGTERM)
}

// digs holds that dig gets by UDP and by TCP, in both families, what there is.
func digs(l *lab) {
	for _, at := range []string{"@" + resolver4, "@" + resolver6} {
		for _, how := range []string{"+notcp", "+tcp"} {
			for _, c := range []struct{ question, want string }{
				{"www.weir.example A", "www.weir.example. IN A 203.0.113.80"},
				{"WwW.wEiR.ExAmPlE AAAA", "WwW.wEiR.ExAmPlE. IN AAAA 2001:db8:53::50"},
				{"blog.weir.example A", "blog.weir.example. IN CNAME pages.host.test. | pages.host.test. IN CNAME web.shop.example. | web.shop.example. IN A 203.0.113.82"},
				{"host.old.weir.example A", "host.new.weir.example. IN A 203.0.113.83 | host.old.weir.example. IN CNAME host.new.weir.example. | old.weir.example. IN DNAME new.weir.example."},
				{"any.thing.wild.weir.example A", "any.thing.wild.weir.example. IN A 203.0.113.84"},
				{"-x 203.0.113.25", "25.113.0.203.in-addr.arpa. IN PTR mail.weir.example."},
				{"nobody.weir.example A", ""},
				{"empty.weir.example A", ""},
			} {
				args := append([]string{at, how, "+nottlid"}, strings.Fields(c.question)...)
				if got := strings.Join(l.dig(args...), " | "); got != c.want {
					l.t.Errorf("dig %s %s %s: %s, want %s", at, how, c.question, got, c.want)
				}
			}
		}
	}
	for question, want := range map[string]string{
		"www.weir.example":     "status: NOERROR|qr rd ra;",
		"nobody.weir.example":  "status: NXDOMAIN|SOA",
		"empty.weir.example":   "status: NOERROR|ANSWER: 0|SOA",
		"loop.weir.example":    "status: SERVFAIL|EDE",
		"big.weir.example TXT": "Truncated, retrying in TCP mode|ANSWER: 20",
	} {
		out := l.ok("", "dig", append([]string{"@" + resolver4}, strings.Fields(question)...)...)
		for w := range strings.SplitSeq(want, "|") {
			if !strings.Contains(out, w) {
				l.t.Errorf("dig %s: no %q in\n%s", question, w, out)
			}
		}
	}
	if out := l.ok("", "dig", "@"+authority4, "+ignore", "+bufsize=512", "big.weir.example", "TXT"); !strings.Contains(out, "flags: qr aa tc") {
		l.t.Errorf("an answer that does not fit is not marked:\n%s", out)
	}
	if out := l.ok("", "dig", "@"+authority4, "+bufsize=1500", "www.weir.example", "A"); !strings.Contains(out, "udp: 1232") {
		l.t.Errorf("an authority's EDNS:\n%s", out)
	}
}

// everyType asks the authority for every name and type of its zone, and holds the answer against the tree.
func everyType(l *lab) {
	tr, err := tree.New(tree.Options{})
	must(l.t, err)
	z, _ := tr.Zone(msg.MustName("weir.example."))
	want := map[string][]string{}
	for _, rr := range z.Records {
		if rr.Name.Under(msg.MustName("lab.weir.example.")) || rr.Name.IsWildcard() {
			continue
		}
		key := rr.Name.String() + " " + rr.Type.String()
		want[key] = append(want[key], fields(rr.String()))
	}
	if len(want) < 30 {
		l.t.Fatalf("the zone has only %d sets", len(want))
	}
	for key, records := range want {
		slices.Sort(records)
		got := l.dig(append([]string{"@" + authority4, "+norecurse", "+unknownformat"}, strings.Fields(key)...)...)
		if len(got) != len(records) {
			l.t.Errorf("%s: %d records, want %d:\n%s", key, len(got), len(records), strings.Join(got, "\n"))
			continue
		}
		got = l.dig(append([]string{"@" + authority4, "+norecurse"}, strings.Fields(key)...)...)
		for i := range got {
			// The text of some types may be written in several ways; dig's and ours must mean the same.
			a, aerr := msg.ParseRR(got[i])
			b, berr := msg.ParseRR(records[i])
			if aerr != nil || berr != nil || a != b {
				l.t.Errorf("%s: %s (%v), want %s (%v)", key, got[i], aerr, records[i], berr)
			}
		}
	}
}

func fields(s string) string { return strings.Join(strings.Fields(s), " ") }

// digTrace walks from the root by dig itself, which looks the servers' names up by resolv.conf.
func digTrace(l *lab) {
	r := l.resolving("nameserver "+resolver4+"\n", "dig", "@203.0.113.4", "+trace", "+nodnssec", "www.weir.example", "A")
	at := 0
	for _, want := range []string{"IN\tNS\ta.roots.test.", "example.\t\t86400\tIN\tNS\tns.tld.example.", "weir.example.\t\t86400\tIN\tNS\tns1.weir.example.", "www.weir.example.\t300\tIN\tA\t203.0.113.80"} {
		i := strings.Index(r.stdout[at:], want)
		if i < 0 {
			l.t.Fatalf("dig +trace: no %q in its place: %v", want, r)
		}
		at += i
	}
}

func kdigs(l *lab) {
	for _, c := range []struct{ args, want string }{
		{"+short www.weir.example", "203.0.113.80\n"},
		{"+short +tcp mail.weir.example AAAA", "2001:db8:53::19\n"},
		{"+short -x 2001:db8:53::19", "mail.weir.example.\n"},
		{"+short +cookie weir.example MX", "10 mail.weir.example.\n20 web.shop.example.\n"},
	} {
		args := append([]string{"@" + resolver4}, strings.Fields(c.args)...)
		out := strings.Split(strings.TrimSpace(l.ok("", "kdig", args...)), "\n")
		slices.Sort(out)
		if got := strings.Join(out, "\n") + "\n"; got != c.want {
			l.t.Errorf("kdig %s: %q, want %q", c.args, got, c.want)
		}
	}
	// Several questions on one connection.
	out := l.ok("", "kdig", "@"+resolver4, "+tcp", "+keepopen", "+short", "www.weir.example", "A", "mail.weir.example", "A", "ftp.weir.example", "AAAA")
	if n := len(strings.Fields(out)); n != 4 {
		l.t.Errorf("kdig +keepopen: %d answers in\n%s", n, out)
	}
}

// transfersZone fetches a zone whole, which must be what the tree has.
func transfersZone(l *lab) {
	tr, err := tree.New(tree.Options{})
	must(l.t, err)
	for _, origin := range []string{"weir.example.", "."} {
		at := authority4
		if origin == "." {
			at = "203.0.113.4"
		}
		z, _ := tr.Zone(msg.MustName(origin))
		got := l.dig("@"+at, origin, "AXFR")
		if len(got) != len(z.Records)+1 { // the SOA record is at both ends
			l.t.Errorf("AXFR of %s: %d records, want %d", origin, len(got), len(z.Records)+1)
		}
	}
	if out := l.ok("", "dig", "@"+resolver4, "weir.example", "AXFR"); !strings.Contains(out, "Transfer failed") {
		l.t.Errorf("AXFR at the resolver:\n%s", out)
	}
}

// byResolvConf has the namespace's programs find names through the resolv.conf that they all read.
func byResolvConf(l *lab) {
	conf := "nameserver " + resolver4 + "\nsearch weir.example\noptions timeout:5 attempts:2\n"
	for args, want := range map[string]string{
		"ahosts www.weir.example": "203.0.113.80 2001:db8:53::50",
		"ahosts www":              "203.0.113.80 2001:db8:53::50",
		"hosts 203.0.113.25":      "203.0.113.25 mail.weir.example",
		"ahostsv4 blog":           "203.0.113.82",
	} {
		r := l.resolving(conf, "getent", strings.Fields(args)...)
		for w := range strings.FieldsSeq(want) {
			if r.status != 0 || !strings.Contains(r.stdout, w) {
				l.t.Errorf("getent %s: no %s: %v", args, w, r)
			}
		}
	}
	if r := l.resolving(conf, "getent", "hosts", "nobody.weir.example"); r.status != 2 {
		l.t.Errorf("getent hosts nobody.weir.example: %v", r)
	}
	self, err := os.Executable()
	must(l.t, err)
	cmd := command(program(l.t, "unshare"), l.within(conf, self, "www", "blog.weir.example", "203.0.113.80", "nobody.weir.example.")...)
	cmd.Env = append(cmd.Env, childEnv+"=resolver")
	r := l.finish("", cmd, patience)
	want := "www: 2001:db8:53::50 203.0.113.80\nblog.weir.example: 2001:db8:53::52 203.0.113.82\n203.0.113.80: weir.example. www.weir.example.\n" +
		"nobody.weir.example.: lookup nobody.weir.example. on " + resolver4 + ":53: no such host\n"
	if r.stdout != want {
		l.t.Errorf("a Go program found\n%swant\n%s%s", r.stdout, want, r.stderr)
	}
}

// cacheCommands look into the running resolver's cache.
func cacheCommands(t *testing.T, u *up) {
	ask := func(args ...string) string {
		t.Helper()
		r := u.in(t).finish("", command(weirBinary(t), append(append([]string{"dns", "cache"}, args...), "--control", u.control)...), patience)
		if r.status != 0 {
			t.Fatalf("weir dns cache %v: %v", args, r)
		}
		return r.stdout
	}
	u.in(t).dig("@"+resolver4, "www.weir.example")
	if out := ask("dump", "weir.example"); !strings.Contains(out, "www.weir.example.") || strings.Contains(out, "pages.host.test.\t") {
		t.Errorf("dump weir.example:\n%s", out)
	}
	if out := ask("stats"); !strings.Contains(out, "entries") {
		t.Errorf("stats:\n%s", out)
	}
	if out := ask("flush", "weir.example"); strings.HasPrefix(out, "0 ") {
		t.Errorf("flush: %s", out)
	}
	if out := ask("dump", "www.weir.example"); strings.Contains(out, "www.weir.example.") {
		t.Errorf("after flush the cache has\n%s", out)
	}
}

// TestNamesLeadToAServerOnWeir has curl find a web server by its name, and weir's own stack find one by
// its own resolver: both the server and the names are on weir.
func TestNamesLeadToAServerOnWeir(t *testing.T) {
	l := newLab(t)
	tr, err := tree.New(tree.Options{})
	must(t, err)
	st, err := stack.New(stack.Config{TCP: hasty()})
	must(t, err)
	t.Cleanup(func() { st.Close() })
	dev, err := tun.Open(tun.Config{Name: "weir0", Offload: tun.OffloadOn, Namespace: l.ns.Path()})
	must(t, err)
	t.Cleanup(func() { dev.Close() })
	_, err = st.AddInterface(dev, stack.InterfaceConfig{Addresses: tr.Addrs()})
	must(t, err)
	for _, p := range nametree.Neighbours(tr) {
		must(t, dev.AddHostAddress(p))
	}
	must(t, dev.Up())
	names, err := nametree.Serve(st, tr)
	must(t, err)
	ln, err := st.Listen("tcp", ":80")
	must(t, err)
	web := serveHTTP(ln, nil)
	r := l.resolving("nameserver "+resolver6+"\n", "curl", "-sS", "--fail", "--max-time", "60", "http://www.weir.example/small", "http://blog.weir.example/small")
	if r.stdout != page+page {
		t.Errorf("curl http://www.weir.example/small: %v", r)
	}
	web.Close()
	must(t, names.Close())
	must(t, st.Close())
}

// TestZoneIsReloadedWithoutALostQuery changes a zone's file, sends SIGHUP, and sees the new content; a file that is broken
// leaves the zone as it was.
func TestZoneIsReloadedWithoutALostQuery(t *testing.T) {
	file := filepath.Join(t.TempDir(), "example.org.zone")
	write := func(serial int, address string) {
		text := fmt.Sprintf("$ORIGIN example.org.\n$TTL 60\n@ SOA ns hostmaster %d 3600 600 604800 60\n@ NS ns\nns A 192.0.2.2\nwww A %s\n", serial, address)
		must(t, os.WriteFile(file, []byte(text), 0o644))
	}
	write(1, "192.0.2.80")
	u := newLab(t).serveNames("--zone", "example.org="+file, "--reverse", "192.0.2.0/24", "--log", file+".log")
	asked := func() string { return strings.Join(u.in(t).dig("@192.0.2.2", "+short", "www.example.org"), " ") }
	if got := asked(); got != "192.0.2.80" {
		t.Fatalf("www is %q", got)
	}
	if got := u.dig("@192.0.2.2", "+short", "-x", "192.0.2.80"); len(got) != 1 || got[0] != "www.example.org." {
		t.Errorf("the reverse zone has %v", got)
	}
	write(2, "192.0.2.81")
	must(t, u.cmd.Process.Signal(syscall.SIGHUP))
	eventually(t, "the zone is read again", func() bool { return asked() == "192.0.2.81" })
	must(t, os.WriteFile(file, []byte("$ORIGIN example.org.\n@ SOA nonsense\n"), 0o644))
	must(t, u.cmd.Process.Signal(syscall.SIGHUP))
	eventually(t, "the broken file is told of", func() bool { return strings.Contains(u.said(), "stays as it was") })
	if got := asked(); got != "192.0.2.81" {
		t.Errorf("after a broken file www is %q", got)
	}
	if log, err := os.ReadFile(file + ".log"); err != nil || !strings.Contains(string(log), "www.example.org. IN A") {
		t.Errorf("the log of queries: %v\n%s", err, log)
	}
	must(t, u.cmd.Process.Signal(syscall.SIGTERM))
	<-u.waited
}

// TestOtherServersInTheLab starts NSD with the tree's zones and unbound before weir's tree: the harness that comparisons stand on.
func TestOtherServersInTheLab(t *testing.T) {
	l := newLab(t)
	tr, err := tree.New(tree.Options{})
	must(t, err)
	dir := t.TempDir()
	must(t, tr.Write(dir))
	l.ok("", "ip", "link", "set", "lo", "up")
	var zones []zoneFile
	for _, z := range tr.Zones {
		zones = append(zones, zoneFile{z.Origin.String(), filepath.Join(dir, tree.FileName(z.Origin))})
	}
	l.nsd("127.0.0.1:53", zones)
	if got := l.dig("@127.0.0.1", "+short", "www.weir.example"); len(got) != 1 || got[0] != "203.0.113.80" {
		t.Errorf("NSD says %v", got)
	}
	u := l.serveNames("--tree")
	l.unbound("127.0.0.2:53", filepath.Join(dir, "root.hints"))
	if got := l.dig("@127.0.0.2", "+short", "blog.weir.example", "AAAA"); !slices.Contains(got, netip.MustParseAddr("2001:db8:53::52").String()) {
		t.Errorf("unbound says %v", got)
	}
	u.stop(syscall.SIGTERM)
}
