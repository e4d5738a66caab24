package main_test

import (
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/weirnet/weir/apps/dns/tree"
)

// treeFiles writes the tree's zones and returns where.
func treeFiles(t *testing.T, signed bool) string {
	t.Helper()
	tr, err := tree.New(tree.Options{Signed: signed})
	must(t, err)
	dir := t.TempDir()
	must(t, tr.Write(dir))
	return dir
}

// weir runs the command in the lab to its end.
func (l *lab) weir(args ...string) result {
	l.t.Helper()
	return l.finish("", command(weirBinary(l.t), args...), patience)
}

// says holds that a text has the parts, in their order.
func says(t testing.TB, what, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, p := range parts {
		_, after, ok := strings.Cut(rest, p)
		if !ok {
			t.Errorf("%s: no %q in its place in\n%s", what, p, text)
			return
		}
		rest = after
	}
}

// TestSignedTreeIsServedAndBelieved has dig see signatures, and the resolver's word that they hold.
func TestSignedTreeIsServedAndBelieved(t *testing.T) {
	u := newLab(t).serveNames("--tree", "--signed")
	dig := func(args ...string) string {
		return u.ok("", "dig", append([]string{"+time=20", "+tries=2"}, args...)...)
	}
	says(t, "dig +dnssec at the authority", dig("@"+authority4, "+dnssec", "+norecurse", "www.weir.example", "A"), "flags: qr aa", "flags: do", "IN\tA\t203.0.113.80", "IN\tRRSIG\tA ")
	says(t, "dig +dnssec at the resolver", dig("@"+resolver4, "+dnssec", "www.weir.example", "A"), "qr rd ra ad", "IN\tA\t203.0.113.80", "IN\tRRSIG\tA ")
	says(t, "a denial", dig("@"+authority4, "+dnssec", "+norecurse", "nobody.weir.example", "A"), "status: NXDOMAIN", "NSEC")
	says(t, "a delegation", dig("@203.0.113.4", "+dnssec", "+norecurse", "example", "DS"), "IN\tDS\t", "IN\tRRSIG\tDS ")
	says(t, "keys over TCP", dig("@"+authority4, "+dnssec", "+tcp", "weir.example", "DNSKEY"), "IN\tDNSKEY\t", "IN\tRRSIG\tDNSKEY ")
	if out := dig("@"+authority4, "+norecurse", "www.weir.example", "A"); strings.Contains(out, "RRSIG") {
		t.Errorf("signatures for who did not ask for them:\n%s", out)
	}
	u.stop(syscall.SIGTERM)
}

// TestNamesAreResolvedAndForwarded puts a resolver on one device that walks the tree on another, and a forwarder on a third that
// asks the resolver: the kernel is the router between them.
func TestNamesAreResolvedAndForwarded(t *testing.T) {
	l := newLab(t)
	l.sysctl("net.ipv4.ip_forward", "1")
	dir := treeFiles(t, false)
	root := l.serveNames("--tree")
	log := filepath.Join(dir, "queries.log")
	r := l.serveNames("--tun", "weir1", "--addr", "192.0.2.53/28", "--host-addr", "192.0.2.49/28", "--recursive", "--hints", dir+"/root.hints", "--resolve", ".", "--allow", "192.0.2.0/24", "--log", log, "--log-sample", "5")
	for range 40 {
		if got := r.dig("@192.0.2.53", "+short", "www.weir.example"); strings.Join(got, " ") != "203.0.113.80" {
			t.Fatalf("resolved: %v", got)
		}
	}
	eventually(t, "one in five is logged", func() bool {
		text, err := os.ReadFile(log)
		return err == nil && strings.Count(string(text), "www.weir.example. IN A") == 8
	})
	page, more := metricsPage(t, l, "--tun", "weir2", "--addr", "192.0.2.21/28", "--host-addr", "192.0.2.17/28", "--forward", ".=192.0.2.53")
	for range 3 {
		if got := more.dig("@192.0.2.21", "+short", "mail.weir.example"); strings.Join(got, " ") != "203.0.113.25" {
			t.Fatalf("forwarded: %v", got)
		}
	}
	more.dig("@192.0.2.21", "+tcp", "nobody.weir.example", "MX")
	var m map[string]float64
	happens(func() bool { // an answer is counted when it has been sent
		m = page()
		return m["weir_dns_latency_seconds_count"]+m["weir_dns_answers_direct_total"] >= 4 &&
			m[`weir_dns_answers_total{rcode="noerror"}`]+m[`weir_dns_answers_total{rcode="nxdomain"}`] >= 4
	})
	for name, want := range map[string]float64{
		`weir_dns_queries_total{type="A",transport="udp",family="ipv4"}`:  3,
		`weir_dns_queries_total{type="MX",transport="tcp",family="ipv4"}`: 1,
		`weir_dns_answers_total{rcode="noerror"}`:                         3,
		`weir_dns_answers_total{rcode="nxdomain"}`:                        1,
	} {
		if got, ok := m[name]; !ok || got != want {
			t.Errorf("metrics: %s is %v (%v), want %v", name, got, ok, want)
		}
	}
	// What is answered in the receive path is counted, and takes no time worth a histogram.
	if n := m["weir_dns_latency_seconds_count"] + m["weir_dns_answers_direct_total"]; n != 4 {
		t.Errorf("metrics: %v answers with a time or in the receive path, want 4", n)
	}
	if m["weir_dns_cache_misses_total"] == 0 {
		t.Error("metrics: nothing of the forwarder's cache")
	}
	if m["weir_dns_resolver_questions_total"] == 0 || m["weir_dns_resolver_client_udp_sent_total"] == 0 {
		t.Error("metrics: nothing of what the forwarder did")
	}
	if _, ok := m["weir_dns_authority_transfer_total"]; !ok {
		t.Error("metrics: nothing of the zones")
	}
	for _, u := range []*up{more, r, root} {
		u.stop(syscall.SIGTERM)
	}
}

// metricLine is a line of Prometheus' text format.
var metricLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{[^}]*\})?) (\S+)$`)

// metricsPage serves names with --metrics and returns what scrapes them, on the lab's loopback.
func metricsPage(t *testing.T, l *lab, args ...string) (func() map[string]float64, *up) {
	t.Helper()
	l.ok("", "ip", "link", "set", "lo", "up")
	u := l.serveNames(append(args, "--metrics", "127.0.0.1:9153")...)
	client := http.Client{Transport: &http.Transport{DialContext: l.dial, DisableKeepAlives: true}}
	return func() map[string]float64 {
		resp, err := client.Get("http://127.0.0.1:9153/metrics")
		must(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		must(t, err)
		values := map[string]float64{}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSuffix(line, "\n")
			if line == "" || line[0] == '#' {
				continue
			}
			f := metricLine.FindStringSubmatch(line)
			if f == nil {
				t.Fatalf("not a line of metrics: %q", line)
			}
			v, err := strconv.ParseFloat(f[2], 64)
			must(t, err)
			if _, twice := values[f[1]]; twice {
				t.Errorf("%s is there twice", f[1])
			}
			values[f[1]] = v
		}
		return values
	}, u
}

// TestLookupAndTraceOverADevice has weir ask weir: each on a device of its own, and from the host's sockets.
func TestLookupAndTraceOverADevice(t *testing.T) {
	l := newLab(t)
	l.sysctl("net.ipv4.ip_forward", "1")
	l.sysctl("net.ipv6.conf.all.forwarding", "1")
	dir := treeFiles(t, false)
	u := l.serveNames("--tree")
	for _, c := range []struct {
		args string
		want []string
	}{
		{"lookup --server " + resolver4 + " www.weir.example", []string{"status: NOERROR", "203.0.113.80", "from " + resolver4 + ":53 over udp"}},
		{"lookup --server " + resolver6 + " --tcp --short mail.weir.example AAAA", []string{"2001:db8:53::19\n"}},
		{"lookup --kernel --server " + resolver4 + " big.weir.example TXT", []string{"ANSWER: 20", "after a truncated answer over UDP"}},
		{"lookup --kernel --server " + resolver6 + " --short -x 2001:db8:53::19", []string{"mail.weir.example.\n"}},
		{"lookup --server " + resolver4 + " --short -x 203.0.113.25", []string{"mail.weir.example.\n"}},
		{"trace --hints " + dir + "/root.hints www.weir.example", []string{"refers us to the servers of example.", "refers us to the servers of weir.example.", "203.0.113.80"}},
		{"trace --kernel --hints " + dir + "/root.hints blog.weir.example", []string{"is another name for", "203.0.113.82"}},
	} {
		r := l.weir(append([]string{"dns"}, strings.Fields(c.args)...)...)
		if r.status != 0 || r.stderr != "" {
			t.Errorf("weir dns %s: %v", c.args, r)
			continue
		}
		says(t, "weir dns "+c.args, r.stdout, c.want...)
	}
	conf := l.finish("", command(program(t, "unshare"), l.within("nameserver "+resolver4+"\n", weirBinary(t), "dns", "lookup", "--kernel", "--short", "www.weir.example")...), patience)
	if conf.stdout != "203.0.113.80\n" {
		t.Errorf("weir dns lookup --kernel by resolv.conf: %v", conf)
	}
	if r := l.weir("dns", "lookup", "--kernel", "-w", "0.3", "--server", "203.0.113.99", "www.weir.example"); r.status != 1 || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, "203.0.113.99") {
		t.Errorf("nobody there: %v", r)
	}
	u.stop(syscall.SIGTERM)
}

// TestConfigFileIsServed serves by a file what other tests serve by flags, beside the other services of weir up.
func TestConfigFileIsServed(t *testing.T) {
	dir := treeFiles(t, false)
	file := filepath.Join(dir, "names.toml")
	must(t, os.WriteFile(file, []byte("reverse = \"203.0.113.0/24\"\nallow-transfer = [\"192.0.2.1\"]\n[zone]\n\"weir.example\" = \"weir.example.zone\"\n"), 0o644))
	u := newLab(t).up("--serve", "echo,dns", "--config", file)
	for _, at := range []netip.Addr{netip.MustParseAddr(weir4), netip.MustParseAddr(weir6)} {
		if got := u.dig("@"+at.String(), "+short", "www.weir.example"); strings.Join(got, " ") != "203.0.113.80" {
			t.Errorf("at %v: %v", at, got)
		}
	}
	if got := u.dig("@"+weir4, "+short", "-x", "203.0.113.25"); strings.Join(got, " ") != "mail.weir.example." {
		t.Errorf("the reverse zone: %v", got)
	}
	if got := u.dig("@"+weir4, "weir.example", "AXFR"); len(got) < 30 {
		t.Errorf("a transfer for who may have it: %v", got)
	}
	if out := u.ok("", "dig", "@"+weir6, "weir.example", "AXFR"); !strings.Contains(out, "Transfer failed") {
		t.Errorf("a transfer for who may not:\n%s", out)
	}
	if got := u.ok("hello", "nc", "-N", "-w", "20", weir4, "7"); got != "hello" {
		t.Errorf("echo beside dns: %q", got)
	}
	must(t, u.cmd.Process.Signal(syscall.SIGTERM)) // it has told of the transfer that it refused
	<-u.waited
}
