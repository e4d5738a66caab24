package zone

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

// describe writes an answer in one line: kind, rcode, AA, and each section as owner/type(signatures).
func describe(a *Answer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v", a.Kind)
	if a.Rcode != 0 && a.Kind != NXDomain {
		fmt.Fprintf(&b, " %v", a.Rcode)
	}
	if !a.Authoritative {
		b.WriteString(" noAA")
	}
	for i, section := range [][]Set{a.Answer, a.Authority, a.Additional} {
		for j, s := range section {
			if j == 0 {
				b.WriteString([]string{" |", " au", " ad"}[i])
			}
			fmt.Fprintf(&b, " %s/%v", strings.TrimSuffix(s.Name.String(), "example."), s.Type)
			if s.Type == msg.TypeCNAME || s.Type == msg.TypeNSEC {
				fmt.Fprintf(&b, "=%s", strings.TrimSuffix(msg.Name(s.first()[:strings.IndexByte(s.first(), 0)+1]).String(), "example."))
			}
			if s.Signatures() > 0 {
				b.WriteString("+")
			}
		}
	}
	return b.String()
}

type question struct {
	name string
	typ  msg.Type
	want string
}

func ask(t *testing.T, z *Zone, do bool, qs []question) {
	t.Helper()
	var a Answer
	for _, q := range qs {
		z.Lookup(&a, msg.MustName(q.name), q.typ, do)
		if got := describe(&a); got != q.want {
			t.Errorf("%s %v:\n got %s\nwant %s", q.name, q.typ, got, q.want)
		}
	}
}

// The zone of RFC 4592 §2.2.1.
const wildcards = `$ORIGIN example.
$TTL 3600
@	SOA ns.example.com. h 1 2 3 4 900
	NS ns.example.com.
	NS ns.example.net.
*	TXT "this is a wildcard"
*	MX 10 host1
sub.*	TXT "this is not a wildcard"
host1	A 192.0.2.1
_ssh._tcp.host1 SRV 0 0 22 host1
_ssh._tcp.host2 SRV 0 0 22 host1
subdel	NS ns.example.com.
subdel	NS ns.example.net.
`

func TestWildcardsOfRFC4592(t *testing.T) {
	ask(t, load(t, "example.", wildcards), false, []question{
		{"host3.example.", msg.TypeMX, "positive | host3./MX ad host1./A"},
		{"host3.example.", msg.TypeA, "nodata au /SOA"},
		{"foo.bar.example.", msg.TypeTXT, "positive | foo.bar./TXT"},
		{"host1.example.", msg.TypeMX, "nodata au /SOA"},
		{"sub.*.example.", msg.TypeMX, "nodata au /SOA"},
		{"_telnet._tcp.host1.example.", msg.TypeSRV, "nxdomain au /SOA"},
		{"host.subdel.example.", msg.TypeA, "delegation noAA au subdel./NS"},
		{"ghost.*.example.", msg.TypeMX, "nxdomain au /SOA"},
		{"*.example.", msg.TypeTXT, "positive | *./TXT"},
		{"_tcp.host1.example.", msg.TypeA, "nodata au /SOA"}, // an empty non-terminal (§2.2.2)
		{"host2.example.", msg.TypeMX, "nodata au /SOA"},
	})
}

func TestWildcardThatIsAnEmptyNonTerminal(t *testing.T) {
	ask(t, load(t, "example.", "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.example.net.\na.*.w A 192.0.2.1\n"), false, []question{
		{"x.w.example.", msg.TypeA, "nodata au /SOA"},
		{"x.v.example.", msg.TypeA, "nxdomain au /SOA"},
	})
}

const plainZone = `$ORIGIN example.
$TTL 3600
@	SOA ns h 1 2 3 4 900
	NS ns
	NS ns.sub
	MX 10 mail
	MX 20 mail.example.net.
ns	A 192.0.2.1
	AAAA 2001:db8::1
mail	A 192.0.2.2
sub	NS ns.sub
	NS ns.sib
	NS ns
	NS ns.example.net.
	DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
ns.sub	A 192.0.2.3
sib	NS ns.sib
ns.sib	A 192.0.2.4
c1	CNAME c2
c2	CNAME mail
loop1	CNAME loop2
loop2	CNAME loop1
out	CNAME www.example.net.
gone	CNAME nothing
down	CNAME www.sub
*.w	CNAME mail
d	DNAME t
d	A 192.0.2.5
x.t	A 192.0.2.6
dout	DNAME example.net.
dself	DNAME x.dself
dlong	DNAME ` + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" + `
_s._tcp	SRV 0 0 1 ns
svc	HTTPS 1 . alpn=h2
svc	A 192.0.2.7
alias	SVCB 0 svc
`

func TestAnswersOfAPlainZone(t *testing.T) {
	z := load(t, "example.", plainZone)
	long := strings.Repeat("b", 60)
	ask(t, z, false, []question{
		// RFC 1034 §4.3.2
		{"ns.example.", msg.TypeA, "positive | ns./A"},
		{"NS.EXAMPLE.", msg.TypeAAAA, "positive | NS.EXAMPLE./AAAA"},
		{"example.", msg.TypeSOA, "positive | /SOA"},
		{"example.", msg.TypeMX, "positive | /MX ad mail./A"},
		{"example.", msg.TypeNS, "positive | /NS ad ns.sub./A ns./A ns./AAAA"},
		{"ns.example.", msg.TypeMX, "nodata au /SOA"},
		{"nope.example.", msg.TypeA, "nxdomain au /SOA"},
		// Delegations: AA is clear, glue below the cut first, then what else the zone knows.
		{"sub.example.", msg.TypeA, "delegation noAA au sub./NS ad ns.sub./A ns.sib./A ns./A ns./AAAA"},
		{"ns.sub.example.", msg.TypeA, "delegation noAA au sub./NS ad ns.sub./A ns.sib./A ns./A ns./AAAA"},
		{"a.b.sub.example.", msg.TypeDS, "delegation noAA au sub./NS ad ns.sub./A ns.sib./A ns./A ns./AAAA"},
		{"sub.example.", msg.TypeNS, "delegation noAA au sub./NS ad ns.sub./A ns.sib./A ns./A ns./AAAA"},
		{"sub.example.", msg.TypeDS, "positive | sub./DS"}, // RFC 4035 §3.1.4.1
		{"sib.example.", msg.TypeDS, "nodata au /SOA"},     // the parent's answer
		{"example.", msg.TypeDS, "nodata au /SOA"},         // the parent is not ours
		// Chains.
		{"c1.example.", msg.TypeA, "positive | c1./CNAME=c2. c2./CNAME=mail. mail./A"},
		{"c1.example.", msg.TypeCNAME, "positive | c1./CNAME=c2."},
		{"c1.example.", msg.TypeMX, "nodata | c1./CNAME=c2. c2./CNAME=mail. au /SOA"},
		{"gone.example.", msg.TypeA, "nxdomain | gone./CNAME=nothing. au /SOA"}, // RFC 6604 §3
		{"out.example.", msg.TypeA, "partial | out./CNAME=www.example.net."},
		{"loop1.example.", msg.TypeA, "partial | loop1./CNAME=loop2. loop2./CNAME=loop1."},
		{"down.example.", msg.TypeA, "delegation | down./CNAME=www.sub. au sub./NS ad ns.sub./A ns.sib./A ns./A ns./AAAA"},
		{"q.w.example.", msg.TypeA, "positive | q.w./CNAME=mail. mail./A"},
		// RFC 6672
		{"x.d.example.", msg.TypeA, "positive | d./DNAME x.d./CNAME=x.t. x.t./A"},
		{"x.d.example.", msg.TypeCNAME, "positive | d./DNAME x.d./CNAME=x.t."},
		{"y.d.example.", msg.TypeA, "nxdomain | d./DNAME y.d./CNAME=y.t. au /SOA"},
		{"d.example.", msg.TypeA, "positive | d./A"},
		{"d.example.", msg.TypeDNAME, "positive | d./DNAME"},
		{"a.dself.example.", msg.TypeA, "partial | dself./DNAME a.dself./CNAME=a.x.dself."},
		{"a.dout.example.", msg.TypeA, "partial | dout./DNAME a.dout./CNAME=a.example.net."},
		// RFC 2782, RFC 9460
		{"_s._tcp.example.", msg.TypeSRV, "positive | _s._tcp./SRV ad ns./A ns./AAAA"},
		{"svc.example.", msg.TypeHTTPS, "positive | svc./HTTPS ad svc./A"},
		{"alias.example.", msg.TypeSVCB, "positive | alias./SVCB ad svc./A"},
		// RFC 8482
		{"ns.example.", msg.TypeANY, "positive | ns./A"},
		{"ns.example.", msg.TypeRRSIG, "nodata au /SOA"},
	})
	var a Answer
	for _, name := range []string{"nope.example.", "mail.example."} { // RFC 2308 §5
		if z.Lookup(&a, msg.MustName(name), msg.TypeTXT, false); a.Authority[0].TTL != 900 {
			t.Errorf("%s: the SOA of a denial has TTL %d, want the minimum 900", name, a.Authority[0].TTL)
		}
	}
	name := msg.MustName(long + ".dlong.example.")
	z.Lookup(&a, name, msg.TypeA, false)
	if len(a.Answer) == 0 || a.Answer[0].Type != msg.TypeDNAME {
		t.Errorf("a DNAME: %s", describe(&a))
	}
	z.Lookup(&a, msg.Name("\x3c"+long)+msg.Name("\x3c"+long)+name[61:], msg.TypeA, false)
	if a.Rcode != msg.RcodeYXDomain || len(a.Answer) != 1 { // RFC 6672 §2.2
		t.Errorf("a DNAME to a name that is too long: %s", describe(&a))
	}
}

// signed makes the zones of RFC 4035 appendix A and RFC 5155 appendix A alike: names that are signed as there, with
// signatures of which only the presence counts here.
func signed(t *testing.T, text string) *Zone {
	t.Helper()
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		b.WriteString(line + "\n")
		f := strings.Fields(line)
		if len(f) > 2 && f[1] != "NS" && !strings.HasPrefix(f[2], "glue") || f[0] == "@" {
			fmt.Fprintf(&b, "%s RRSIG %s 13 1 3600 20380101000000 20200101000000 1 example. AAAA\n", f[0], f[1])
		}
	}
	return load(t, "example.", "$TTL 3600\n"+b.String())
}

const nsecZone = `
@ SOA ns1 h 1 2 3 4 900
@ NS ns1
@ NSEC a NS SOA MX RRSIG NSEC DNSKEY
a NS ns1.a
a DS 57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B
a NSEC ai NS DS RRSIG NSEC
ai A 192.0.2.9
ai NSEC b A RRSIG NSEC
b NS ns1.b
b NSEC ns1 NS RRSIG NSEC
ns1 A 192.0.2.1
ns1 NSEC *.w A RRSIG NSEC
*.w MX 1 ai
*.w NSEC x.w MX RRSIG NSEC
x.w MX 1 xx
x.w NSEC x.y.w MX RRSIG NSEC
x.y.w MX 1 xx
x.y.w NSEC xx MX RRSIG NSEC
xx A 192.0.2.10
xx NSEC @ A RRSIG NSEC
`

func TestDenialByNSEC(t *testing.T) {
	z := signed(t, nsecZone)
	z = withRecords(t, z, "ns1.a.example. 3600 IN A 192.0.2.5", "ns1.b.example. 3600 IN A 192.0.2.7")
	ask(t, z, true, []question{
		// RFC 4035 §3.1.1 and appendix B.1
		{"x.w.example.", msg.TypeMX, "positive | x.w./MX+ ad xx./A+"},
		{"example.", msg.TypeNSEC, "positive | /NSEC=a.+"},
		{"example.", msg.TypeRRSIG, "positive | /RRSIG"},
		// B.2: what covers the name, and what covers the wildcard
		{"ml.example.", msg.TypeA, "nxdomain au /SOA+ b./NSEC=ns1.+ /NSEC=a.+"},
		{"zz.example.", msg.TypeA, "nxdomain au /SOA+ xx./NSEC=+ /NSEC=a.+"},
		// B.3
		{"ns1.example.", msg.TypeMX, "nodata au /SOA+ ns1./NSEC=*.w.+"},
		// B.4 and B.5
		{"mc.a.example.", msg.TypeMX, "delegation noAA au a./NS a./DS+ ad ns1.a./A"},
		{"mc.b.example.", msg.TypeMX, "delegation noAA au b./NS b./NSEC=ns1.+ ad ns1.b./A"},
		// B.6: the closest match is denied
		{"a.z.w.example.", msg.TypeMX, "positive | a.z.w./MX+ au x.y.w./NSEC=xx.+ ad ai./A+"},
		// B.7
		{"a.z.w.example.", msg.TypeAAAA, "nodata au /SOA+ *.w./NSEC=x.w.+ x.y.w./NSEC=xx.+"},
		// B.8
		{"example.", msg.TypeDS, "nodata au /SOA+ /NSEC=a.+"},
		{"b.example.", msg.TypeDS, "nodata au /SOA+ b./NSEC=ns1.+"},
		{"a.example.", msg.TypeDS, "positive | a./DS+"},
		// an empty non-terminal is denied by what covers it
		{"y.w.example.", msg.TypeA, "nodata au /SOA+ x.w./NSEC=x.y.w.+"},
		// below a delegation the delegation's NSEC covers, not glue
		{"aa.example.", msg.TypeA, "nxdomain au /SOA+ a./NSEC=ai.+ /NSEC=a.+"},
	})
	ask(t, z, false, []question{
		{"x.w.example.", msg.TypeMX, "positive | x.w./MX ad xx./A"},
		{"ml.example.", msg.TypeA, "nxdomain au /SOA"},
		{"mc.b.example.", msg.TypeMX, "delegation noAA au b./NS ad ns1.b./A"},
	})
}

// withRecords adds records without signatures.
func withRecords(t *testing.T, z *Zone, lines ...string) *Zone {
	t.Helper()
	var d Diff
	for _, l := range lines {
		rr, err := msg.ParseRR(l)
		if err != nil {
			t.Fatal(err)
		}
		d.Added = append(d.Added, rr)
	}
	nz, err := z.Apply(&d)
	if err != nil {
		t.Fatal(err)
	}
	return nz
}

// All names but a few begin alike, and fill many pages.
func TestNamesThatBeginAlikeAndOthersAreFound(t *testing.T) {
	z := load(t, "example.", "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.example.net.\nb TXT b\n$GENERATE 1000-9999 host$ A 192.0.2.1\n")
	if z.names.common == "" || len(z.names.pages) < 20 {
		t.Fatalf("%d pages that have %q in common", len(z.names.pages), z.names.common)
	}
	ask(t, z, false, []question{
		{"b.example.", msg.TypeTXT, "positive | b./TXT"},
		{"host1000.example.", msg.TypeA, "positive | host1000./A"},
		{"host9999.example.", msg.TypeA, "positive | host9999./A"},
		{"a.example.", msg.TypeA, "nxdomain au /SOA"},
		{"c.example.", msg.TypeA, "nxdomain au /SOA"},
		{"host.example.", msg.TypeA, "nxdomain au /SOA"},
		{"host0.example.", msg.TypeA, "nxdomain au /SOA"},
		{"zzz.example.", msg.TypeA, "nxdomain au /SOA"},
	})
	for key, want := range map[string]string{"c\x00": "host1000\x00", "\x02\x00": "b\x00", "host5000\x00x\x00": "host5001\x00"} {
		if at, ok := z.names.find(key); ok || !z.names.valid(at) || z.names.key(at) != want {
			t.Errorf("after %q comes place %v, want %q", key, at, want)
		}
	}
	if at, ok := z.names.find("zzz\x00"); ok || z.names.valid(at) {
		t.Errorf("after the last name comes place %v", at)
	}
}
