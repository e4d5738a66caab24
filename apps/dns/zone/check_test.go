package zone

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/internal/dnstest"
	"github.com/weirnet/weir/apps/dns/msg"
)

const sound = "$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.2\n"

// Zone files, and whether BIND 9.18 loads them.
var checkCases = []struct {
	name, text string
	refused    bool
	want       string // of the first problem; "" for none
}{
	{"sound", sound, false, ""},
	{"no SOA", "$TTL 300\n@ NS ns\nns A 192.0.2.1\n", true, "f: error: example. has 0 SOA records"},
	{"two SOA", sound + "@ SOA ns h 2 3600 600 86400 60\n", true, "f: error: example. has 2 SOA records"},
	{"no NS", "$TTL 300\n@ SOA ns h 1 3600 600 86400 60\nns A 192.0.2.1\n", true, "f: error: example. has no NS records"},
	{"CNAME and other data", sound + "w CNAME ns\nw A 192.0.2.1\n", true, "f:5: error: w.example.: CNAME and other data (A)"},
	{"CNAME and delegation", sound + "w CNAME ns\nw NS ns\n", true, "f:5: error: w.example.: CNAME and other data (NS)"},
	{"CNAME at the apex", sound + "@ CNAME w\n", true, "f:5: error: example.: CNAME and other data (NS)"},
	{"two CNAME", sound + "w CNAME ns\nw CNAME ns2\n", true, "f:5: error: w.example. has 2 CNAME records, it may have one"},
	{"two DNAME", sound + "d DNAME x\nd DNAME y\n", true, "f:5: error: d.example. has 2 DNAME records, it may have one"},
	{"DNAME and CNAME", sound + "d DNAME x\nd CNAME y\n", true, "f:6: error: d.example.: CNAME and other data (DNAME)"},
	{"NS to CNAME", sound + "@ NS c\nc CNAME ns\n", true, "f:5: error: example. NS points to c.example., which is a CNAME (RFC 2181 §10.3)"},
	{"NS to nothing", sound + "@ NS nothing\n", true, "f:5: error: example. NS points to nothing.example., which has no address (A or AAAA)"},
	{"NS to an address", sound + "@ NS 192.0.2.1\n", true, "f:5: warning: example. NS points to 192.0.2.1.example.: it wants a name, not an address"},
	{"MX to CNAME", sound + "@ MX 1 c\nc CNAME ns\n", false, "f:5: warning: example. MX points to c.example., which is a CNAME (RFC 2181 §10.3)"},
	{"MX to nothing", sound + "@ MX 1 nothing\n", false, "f:5: warning: example. MX points to nothing.example., which has no address (A or AAAA)"},
	{"MX to an address", sound + "@ MX 1 192.0.2.1\n", false, "f:5: warning: example. MX points to 192.0.2.1.example.: it wants a name, not an address"},
	{"null MX", sound + "@ MX 0 .\n", false, ""},
	{"SRV to CNAME", sound + "_a._tcp SRV 1 1 1 c\nc CNAME ns\n", false, "f:5: warning: _a._tcp.example. SRV points to c.example., which is a CNAME (RFC 2181 §10.3)"},
	{"SRV to nothing", sound + "_a._tcp SRV 1 1 1 nothing\n", false, "f:5: warning: _a._tcp.example. SRV points to nothing.example., which has no address (A or AAAA)"},
	{"no glue", sound + "sub NS ns.sub\n", false, "f:5: warning: sub.example. NS points to ns.sub.example., for which there is no address: glue, without which it cannot be reached"},
	{"IPv6 glue", sound + "sub NS ns.sub\nns.sub AAAA 2001:db8::1\n", false, ""},
	{"no sibling glue", sound + "sub NS ns.sib\nsib NS ns.example.net.\n", false, "f:5: warning: sub.example. NS points to ns.sib.example., for which there is no address: sibling glue"},
	{"delegation to nothing", sound + "sub NS nothing\n", false, "f:5: warning: sub.example. NS points to nothing.example., which has no address (A or AAAA)"},
	{"delegation to CNAME", sound + "sub NS c\nc CNAME ns\n", false, "f:5: warning: sub.example. NS points to c.example., which is a CNAME (RFC 2181 §10.3)"},
	{"out of zone", sound + "www.example.net. A 192.0.2.1\n", false, "f:5: warning: out-of-zone data is ignored: www.example.net. A"},
	{"twice", sound + "w A 192.0.2.1\nw A 192.0.2.1\n", false, "f:6: warning: w.example. A: the record is there twice"},
	{"TTL differs", sound + "w 60 A 192.0.2.1\nw 61 A 192.0.2.2\n", false, "f:6: warning: w.example. A: TTL 61 differs from 60 of the RRset's first record, which is taken"},
	{"below DNAME", sound + "d DNAME x\nw.d A 192.0.2.1\n", false, "f: warning: w.d.example. A is below a DNAME, d.example., and no answer has it"},
	{"below delegation", sound + "sub NS ns.example.net.\nw.sub TXT x\n", false, "f: warning: w.sub.example. TXT is below a delegation, sub.example., and no answer has it"},
	{"owner", sound + "bad_name A 192.0.2.1\n", false, "f:5: warning: bad_name.example. A: this is no name of a host (check-names)"},
	{"wildcard owner", sound + "*.w A 192.0.2.1\n", false, ""},
	{"exchange", sound + "@ MX 1 bad_mail\nbad_mail A 192.0.2.1\n", false, "f:5: warning: example. MX points to bad_mail.example., which is no name of a host (check-names)"},
	{"server", sound + "@ NS bad_ns\nbad_ns A 192.0.2.1\n", false, "f:5: warning: example. NS points to bad_ns.example., which is no name of a host (check-names)"},
	{"wildcard NS", sound + "*.w NS ns\n", true, "f:5: error: *.w.example.: a wildcard cannot be delegated (RFC 4592 §4.2)"},
	{"DS without NS", sound + "w DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\n", false, "f:5: warning: w.example.: DS without NS: nothing is delegated there"},
	{"DS at the apex", sound + "@ DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\n", true, "f:5: error: example.: DS at the zone's own name belongs into the zone above (RFC 4035 §2.4)"},
	{"no TTL", "@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.2\n", false, "f: warning: records without a TTL, and no $TTL: the minimum of the SOA record is taken"},
	{"no TTL at all", "@ NS ns\n@ SOA ns h 1 3600 600 86400 60\nns A 192.0.2.2\n", true, "f:1: error: example. NS: no TTL is given"},
	{"TTL too large", sound + "w 2147483648 A 192.0.2.1\n", false, "f:5: warning: w.example. A: TTL 2147483648 is above 2147483647 and counts as 0 (RFC 2181 §8)"},
	{"class", sound + "w CH A 192.0.2.1\n", true, "f:5: error: w.example. A: not of class IN"},
	{"empty label", sound + "a..b A 192.0.2.1\n", true, "f:5: error: bad owner name"},
	{"long label", sound + strings.Repeat("a", 64) + " A 192.0.2.1\n", true, "f:5: error: bad owner name"},
	{"no owner", "$TTL 300\n   SOA ns h 1 3600 600 86400 60\n   NS ns\nns A 192.0.2.1\n", true, "f:"},
	{"no newline at the end", sound + "w A 192.0.2.1", false, ""},
	{"parenthesis", sound + "w TXT ( \"x\"\n", true, "f:"},
	{"quote", sound + "w TXT \"x\n", true, "f:"},
	{"no rdata", sound + "w A\n", true, "f:5: error: w.example. A: the record's data are missing"},
	{"bad rdata", sound + "w A 192.0.2.256\n", true, "f:5: error: not an IPv4 address"},
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	origin := msg.MustName("example.")
	for _, c := range checkCases {
		found, _ := Check(NewReader(strings.NewReader(c.text), "f", origin, ReadOptions{}), origin, time.Now())
		refused := slices.ContainsFunc(found, func(p Problem) bool { return p.Error })
		first := ""
		if len(found) > 0 {
			first = found[0].String()
		}
		if refused != c.refused || !strings.HasPrefix(first, c.want) || c.want == "" && first != "" {
			t.Errorf("%s: refused %v, %q; want %v, %q", c.name, refused, first, c.refused, c.want)
		}
	}
}

// named-checkzone would ask the machine's resolver for names out of the zone.
func TestNamedCheckzoneDividesErrorsFromWarningsAlike(t *testing.T) {
	program := dnstest.Program(t, "named-checkzone")
	for _, c := range checkCases {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(program, "-i", "local", "example", path).CombinedOutput()
		if (err != nil) != c.refused {
			t.Errorf("%s: named-checkzone: %v, %s", c.name, err, out)
		}
	}
}

func TestSignaturesThatHaveExpired(t *testing.T) {
	origin := msg.MustName("example.")
	text := sound + "@ RRSIG SOA 13 1 300 20200201000000 20200101000000 1 example. AAAA\n"
	for _, c := range []struct{ now, want string }{
		{"2020-01-15", ""}, {"2020-02-03", "f:5: warning: example. SOA: the signature expired 2 days ago"}, {"2019-12-31", "f:5: warning: example. SOA: the signature is not valid yet"},
	} {
		now, err := time.Parse(time.DateOnly, c.now)
		if err != nil {
			t.Fatal(err)
		}
		found, _ := Check(NewReader(strings.NewReader(text), "f", origin, ReadOptions{}), origin, now)
		if got := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(found), "["), "]"); got != c.want {
			t.Errorf("on %s: %q, want %q", c.now, got, c.want)
		}
	}
}

func TestProblemsAreBounded(t *testing.T) {
	origin := msg.MustName("example.")
	text := sound + "$GENERATE 1-5000 a_$ A 192.0.2.1\nw CNAME x\nw A 192.0.2.1\n"
	found, _ := Check(NewReader(strings.NewReader(text), "f", origin, ReadOptions{}), origin, time.Now())
	if len(found) != MaxProblems+1 || !found[MaxProblems].Error {
		t.Errorf("%d problems, the last %v", len(found), found[len(found)-1])
	}
}

// everything has records of all sorts, written as differently as may be.
const everything = `$ORIGIN example.
$TTL 1h
@ IN SOA ns hostmaster ( 2024010101 2h 30m 2w 5m )
 NS ns
 NS ns.Other.example.net.
 MX 10 Mail
 CAA 0 issue "ca.example.net"
 TXT "v=spf1 -all" "second \"part\"" three\032words
NS A 192.0.2.1
ns AAAA 2001:db8:0:0:0::1
Mail 60 A 192.0.2.2
*.Wild CNAME mail
_sip._tcp SRV 0 5 5060 mail
svc HTTPS 1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.5
alias SVCB 0 svc
d DNAME Other.example.net.
ptr PTR mail
esc\.aped\;x A 192.0.2.3
\000bin\255 A 192.0.2.4
_443._tcp TLSA 3 1 1 0C72AC70B745AC19998811B131D662C9AC69DBDBE7CB23E5B514B56664C5D3D6
h SSHFP 4 2 0C72AC70B745AC19998811B131D662C9AC69DBDBE7CB23E5B514B56664C5D3D6
n NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.net!" .
loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
u TYPE65280 \# 4 0A000001
sub NS ns.sub
 DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118
ns.sub A 192.0.2.6
$GENERATE 8-12 h$ A 192.0.2.$
hi HINFO "CPU" OS
rp RP a.b c
`

func TestWritingIsAsNamedCompilezoneDoesIt(t *testing.T) {
	program := dnstest.Program(t, "named-compilezone")
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, []byte(everything), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := exec.Command(program, "-i", "none", "-k", "ignore", "-s", "full", "-o", out, "example", in).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	theirs, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var ours bytes.Buffer
	z := load(t, "example.", everything)
	if _, err := z.WriteTo(&ours); err != nil {
		t.Fatal(err)
	}
	// Each record's rdata is compared in wire form, for there are several ways to write the same.
	other := load(t, "example.", string(theirs))
	again := load(t, "example.", ours.String())
	for what, o := range map[string]*Zone{"named-compilezone's": other, "what was written, read again,": again} {
		d, ok := Compare(z, o, 100)
		if !ok || len(d.Deleted) != 1 || len(d.Added) != 1 || d.Deleted[0] != d.Added[0] || o.Records() != z.Records() {
			t.Errorf("%s differs: gone %v, new %v", what, d.Deleted, d.Added)
		}
	}
	if n := bytes.Count(ours.Bytes(), []byte("\n")); n != z.Records() {
		t.Errorf("%d lines for %d records", n, z.Records())
	}
	// The order of names is theirs too.
	owners := func(text string) (names []string) {
		for _, l := range strings.Split(strings.TrimSpace(text), "\n") {
			if n := strings.ToLower(strings.Fields(l)[0]); len(names) == 0 || names[len(names)-1] != n {
				names = append(names, n)
			}
		}
		return names
	}
	if a, b := owners(ours.String()), owners(string(theirs)); !slices.Equal(a, b) {
		t.Errorf("the names are written in another order:\n%q\n%q", a, b)
	}
}
