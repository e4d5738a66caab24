package msg

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestNamesAreReadAndWrittenAsRFC1035Says(t *testing.T) {
	for _, c := range []struct{ in, wire, out string }{
		{".", "\x00", "."},
		{"www.Example.", "\x03www\x07Example\x00", "www.Example."},
		{"example", "\x07example\x00", "example."},
		{`a\.b.c.`, "\x03a.b\x01c\x00", `a\.b.c.`},
		{`\065\200\\.x`, "\x03A\xc8\\\x01x\x00", `A\200\\.x.`},
		{strings.Repeat("a.", 127), strings.Repeat("\x01a", 127) + "\x00", strings.Repeat("a.", 127)},
	} {
		n, err := ParseName(c.in)
		if err != nil || string(n) != c.wire || !n.Valid() {
			t.Errorf("%q: %q, %v, want %q", c.in, n, err, c.wire)
		}
		if got := n.String(); got != c.out {
			t.Errorf("%q: written %q, want %q", c.in, got, c.out)
		}
	}
	for _, bad := range []string{"", "..", ".a", "a..b", `a\`, `a\12`, `a\256`, strings.Repeat("a", 64), strings.Repeat("a.", 128), strings.Repeat("a.", 127) + "a"} {
		if n, err := ParseName(bad); err == nil {
			t.Errorf("%q is read as %q", bad, n)
		}
	}
}

func TestNamesInRelationToOthers(t *testing.T) {
	n := MustName("a.B.example.")
	if n.Labels() != 3 || n.First() != "a" || n.Parent() != MustName("B.example.") || n.Suffix(1) != MustName("example.") || n.Suffix(9) != n {
		t.Errorf("%d labels, first %q, parent %s, suffix %s", n.Labels(), n.First(), n.Parent(), n.Suffix(1))
	}
	if !n.Under(MustName("b.EXAMPLE.")) || !n.Under(Root) || !n.Under(n) || n.Under(MustName("ample.")) || Root.Under(n) {
		t.Error("Under is wrong")
	}
	if Root.Parent() != Root || Root.Labels() != 0 || !n.Equal(n.Fold()) || n.Fold() == n || n.Fold() != MustName("a.b.example.") {
		t.Error("the root or Fold is wrong")
	}
	w, err := n.Wildcard()
	if err != nil || !w.IsWildcard() || w.String() != "*.a.B.example." {
		t.Errorf("wildcard %s, %v", w, err)
	}
}

func TestNamesAreOrderedAsInRFC4034Section61(t *testing.T) {
	order := []string{"example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.", "z.example.", `\001.z.example.`, "*.z.example.", `\200.z.example.`}
	for i, a := range order {
		for j, b := range order {
			if got := MustName(a).Compare(MustName(b)); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%s against %s: %d", a, b, got)
			}
		}
	}
}

// lines has a record of every kind of rdata.
var lines = []string{
	"a.example. 300 IN A 192.0.2.1",
	"a.example. 300 IN AAAA 2001:db8::1",
	"example. 300 IN NS ns.example.",
	"example. 300 IN SOA ns.example. host.example. 1 7200 3600 1209600 300",
	"c.example. 300 IN CNAME a.example.",
	"d.example. 300 IN DNAME a.example.",
	"1.2.0.192.in-addr.arpa. 300 IN PTR a.example.",
	"example. 300 IN MX 10 mail.example.",
	`example. 300 IN TXT "hello world" "a\"b" "\200"`,
	"_s._tcp.example. 300 IN SRV 1 2 53 ns.example.",
	`example. 300 IN CAA 0 issue "ca.example"`,
	`example. 300 IN NAPTR 10 20 "s" "SIP+D2U" "" _sip._udp.example.`,
	"example. 300 IN LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
	"example. 300 IN SSHFP 4 2 2B4B6D7C09D8AE5F2A90B5C1E0F2B1D0E1C2A3F4051627384950A1B2C3D4E5F6",
	`_u.example. 300 IN URI 10 1 "https://www.example/"`,
	"_443._tcp.example. 300 IN TLSA 3 1 1 2B4B6D7C09D8AE5F2A90B5C1E0F2B1D0E1C2A3F4051627384950A1B2C3D4E5F6",
	`example. 300 IN HTTPS 1 . alpn="h2,h3" ipv4hint="192.0.2.1" ipv6hint="2001:db8::1"`,
	`_x.example. 300 IN SVCB 16 svc.example. port="8443" key667="hello"`,
	"example. 300 IN DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
	"example. 300 IN DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==",
	"example. 300 IN RRSIG A 13 1 300 20300101000000 20200101000000 12345 example. mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==",
	"example. 300 IN NSEC a.example. A NS SOA RRSIG NSEC TYPE1234",
	"0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM.example. 300 IN NSEC3 1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A RRSIG",
	"example. 300 IN NSEC3PARAM 1 0 12 AABBCCDD",
	`example. 300 IN HINFO "PDP-11" "UNIX"`,
	"example. 300 IN RP host.example. txt.example.",
	"example. 300 IN AFSDB 1 afs.example.",
	"example. 300 IN KX 1 kx.example.",
	"example. 300 IN APL 1:192.0.2.0/24 !2:2001:db8::/32",
	`example. 300 IN TYPE65280 \# 4 c0000201`,
	"example. 300 IN CDS 0 0 0 00",
	"example. 300 IN ZONEMD 2018031500 1 1 FEBE3D4CE2EC2FFA4BA99D46CD69D6D29711E55217057BEE7EB1A7B641A47BA7FED2DD5B97AE499FAFA4F22C6BD647DE",
	"example. 300 IN CSYNC 66 3 A NS AAAA",
	"example. 300 IN IPSECKEY 10 3 2 gw.example. AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==",
	"example. 300 IN EUI48 00-00-5e-00-53-2a",
	"example. 300 IN OPENPGPKEY AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==",
	"example. 300 IN MINFO a.example. b.example.",
	"example. 300 IN LP 10 l64.example.",
	"4.e.nsap.example. 300 IN NSAP-PTR a.example.",
}

func TestEveryTypeIsTheSameInTextAndOnTheWire(t *testing.T) {
	for _, line := range lines {
		r, err := ParseRR(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		ref, _ := dns.NewRR(line)
		if got := r.String(); !strings.EqualFold(got, ref.String()) && r.Type != 65280 {
			t.Errorf("written\n%s, want\n%s", got, ref)
		}
		buf := make([]byte, 1024)
		n, err := dns.PackRR(ref, buf, 0, nil, false)
		if got := string(r.appendTo(nil)); err != nil || got != string(buf[:n]) {
			t.Errorf("%s: packed %x, want %x (%v)", line, got, buf[:n], err)
		}
		if again, err := ParseRR(r.String()); err != nil || again != r {
			t.Errorf("%s: read again as %v (%v)", line, again, err)
		}
	}
}

// message returns one with every type, as an answer.
func message(t testing.TB) *Message {
	m := NewQuery(MustName("www.Example."), TypeANY, true)
	m.ID, m.Response = 0x1234, true
	for i, line := range lines {
		r, err := ParseRR(line)
		if err != nil {
			t.Fatal(err)
		}
		switch i % 3 {
		case 0:
			m.Answer = append(m.Answer, r)
		case 1:
			m.Authority = append(m.Authority, r)
		default:
			m.Additional = append(m.Additional, r)
		}
	}
	m.EDNS = &EDNS{Size: 1232, DO: true, Options: []Option{{OptionCookie, []byte("12345678")}}}
	m.AddEDE(EDE{EDEBogus, "why"})
	m.Rcode = RcodeBadCookie
	return m
}

func TestAMessageIsTheSameAfterTheWire(t *testing.T) {
	m := message(t)
	p, err := m.Append([]byte("before"), 0)
	if err != nil || string(p[:6]) != "before" {
		t.Fatal(err)
	}
	var got Message
	if err := got.Unpack(p[6:]); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&got, m) {
		t.Errorf("got\n%s, want\n%s", &got, m)
	}
	var ref dns.Msg
	if err := ref.Unpack(p[6:]); err != nil {
		t.Fatalf("miekg/dns does not read it: %v", err)
	}
	ref.Compress = true
	theirs, err := ref.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Unpack(theirs); err != nil || !reflect.DeepEqual(got.Answer, m.Answer) || !reflect.DeepEqual(got.Additional, m.Additional) {
		t.Errorf("read from miekg/dns: %v\n%s", err, &got)
	}
}

func TestWhatDoesNotFitGoesByWholeRRsets(t *testing.T) {
	m := NewQuery(MustName("example."), TypeA, false)
	m.Response = true
	for i := range 4 {
		m.Answer = append(m.Answer, A(MustName("example."), 60, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})))
	}
	m.Additional = append(m.Additional, A(MustName("x.example."), 60, netip.MustParseAddr("2001:db8::1")))
	full, err := m.Append(nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got Message
	for limit := 25; limit <= len(full); limit++ {
		p, err := m.Append(nil, limit)
		if err != nil {
			t.Fatal(err)
		}
		if err := got.Unpack(p); err != nil || len(p) > limit {
			t.Fatalf("limit %d: %d octets, %v", limit, len(p), err)
		}
		whole := limit >= 25+4*16
		if (len(got.Answer) == 4) != whole || got.Truncated == whole || len(got.Answer) != 4 && len(got.Answer) != 0 {
			t.Errorf("limit %d: %d answers, TC %v", limit, len(got.Answer), got.Truncated)
		}
		if all := limit == len(full); (len(got.Additional) == 1) != all {
			t.Errorf("limit %d: %d additional", limit, len(got.Additional))
		}
	}
	if _, err := m.Append(nil, 24); err == nil {
		t.Error("a message without room for its question is packed")
	}
}

func TestGlueThatAReferralNeedsSetsTC(t *testing.T) {
	for _, c := range []struct {
		server string
		tc     bool
	}{{"ns.sub.example.", true}, {"ns.other.", false}} {
		m := NewQuery(MustName("www.sub.example."), TypeA, false)
		m.Response = true
		m.Authority = []RR{NS(MustName("sub.example."), 60, MustName(c.server))}
		m.Additional = []RR{A(MustName(c.server), 60, netip.MustParseAddr("192.0.2.1"))}
		full, _ := m.Append(nil, 0)
		p, err := m.Append(nil, len(full)-1)
		var got Message
		if err != nil || got.Unpack(p) != nil || got.Truncated != c.tc || len(got.Additional) != 0 {
			t.Errorf("%s: TC %v, want %v (%v)", c.server, got.Truncated, c.tc, err)
		}
	}
}

func TestMalformedMessagesAreRefused(t *testing.T) {
	good, _ := NewQuery(MustName("a.example."), TypeA, true).Append(nil, 0)
	edit := func(f func(p []byte) []byte) []byte { return f(append([]byte(nil), good...)) }
	opt := "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"
	for _, c := range []struct {
		what string
		p    []byte
		want error
	}{
		{"octets after it", append(edit(func(p []byte) []byte { return p }), 0), errTrailing},
		{"cut", good[:len(good)-1], errShort},
		{"more questions than there are", edit(func(p []byte) []byte { p[5] = 2; return p }), errShort},
		{"records that are not there", edit(func(p []byte) []byte { p[7] = 1; return p }), errShort},
		{"a pointer to itself", edit(func(p []byte) []byte { p[12], p[13] = 0xc0, 12; return p }), errLoop},
		{"a label of another kind", edit(func(p []byte) []byte { p[12] = 0x41; return p }), errLabel},
		{"two OPTs", edit(func(p []byte) []byte { p[11] = 2; return append(p, opt+opt...) }), errOPT},
		{"OPT in the answer", edit(func(p []byte) []byte { p[7] = 1; return append(p, opt...) }), errOPT},
		{"a short address", edit(func(p []byte) []byte {
			p[7] = 1
			return append(p, "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x03abc"...)
		}), nil},
		{"an NSAP-PTR whose name ends in a pointer", edit(func(p []byte) []byte { // into what is the rdata only where it stands alone
			p[7] = 1
			return append(p, "\xc0\x0c\x00\x17\x00\x01\x00\x00\x00\x00\x00\x06\x03\x01a\x00\xc0\x01"...)
		}), errLoop},
		{"an NSAP-PTR with a pointer", edit(func(p []byte) []byte {
			p[7] = 1
			return append(p, "\xc0\x0c\x00\x17\x00\x01\x00\x00\x00\x00\x00\x02\xc0\x0c"...)
		}), errPointer},
	} {
		var m Message
		err := m.Unpack(c.p)
		if err == nil || c.want != nil && !strings.Contains(err.Error(), c.want.Error()) || !m.RecursionDesired {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
		var q Query
		if q.Parse(c.p) {
			t.Errorf("%s: taken for a plain query", c.what)
		}
	}
}

func TestQueryIsWhatUnpackSays(t *testing.T) {
	m := NewQuery(MustName("wWw.Example."), TypeAAAA, true)
	m.ID, m.CheckingDisabled = 7, true
	m.EDNS = &EDNS{Size: 1400, DO: true, Options: []Option{{OptionNSID, nil}, {OptionCookie, []byte("12345678")}}}
	p, _ := m.Append(nil, 0)
	var q Query
	if !q.Parse(p) || string(q.Name()) != string(MustName("www.example.")) || string(q.Asked()) != string(m.Question[0].Name) ||
		!q.DO || !q.RD || !q.CD || q.AD || q.Size != 1400 || string(q.Cookie) != "12345678" || q.Type != TypeAAAA || q.Labels != 2 || q.ID != 7 {
		t.Errorf("%+v", q)
	}
}

// rebuilt returns the rdata that the typed view of a record makes: ok is false when there is none.
func rebuilt(r RR) (data string, ok bool) {
	switch r.Type {
	case TypeSOA:
		v, is := r.SOA()
		return v.Data(), is
	case TypeMX:
		v, is := r.MX()
		return v.Data(), is
	case TypeSRV:
		v, is := r.SRV()
		return v.Data(), is
	case TypeTXT:
		v, is := r.TXT()
		return v.Data(), is
	case TypeRRSIG:
		v, is := r.RRSIG()
		return v.Data(), is
	case TypeDNSKEY:
		v, is := r.DNSKEY()
		return v.Data(), is
	case TypeDS, TypeCDS:
		v, is := r.DS()
		return v.Data(), is
	case TypeNSEC:
		v, is := r.NSEC()
		var minimal bool
		v.Types, minimal = remade(v.Types)
		return v.Data(), is && minimal
	case TypeNSEC3:
		v, is := r.NSEC3()
		var minimal bool
		v.Types, minimal = remade(v.Types)
		return v.Data(), is && minimal
	case TypeNSEC3PARAM:
		v, is := r.NSEC3PARAM()
		return v.Data(), is
	}
	return r.Data, true
}

// remade returns a set made of the types of another, and whether that one has no octets too many: zeros at the end of a
// window, which RFC 4034 section 4.1.2 does not allow and readers take.
func remade(s TypeSet) (TypeSet, bool) {
	again := NewTypeSet(s.Types()...)
	if !slices.Equal(again.Types(), s.Types()) {
		return again, true // and so not what was read
	}
	return again, len(again) == len(s)
}

func TestTypedViewsBuildWhatTheyRead(t *testing.T) {
	for _, line := range lines {
		r, _ := ParseRR(line)
		if data, ok := rebuilt(r); !ok || data != r.Data {
			t.Errorf("%s: %v %x, want %x", line, ok, data, r.Data)
		}
		// What is cut is not read, and does no harm.
		for i := range r.Data {
			short := r
			short.Data = r.Data[:i]
			_, _ = rebuilt(short)
			_ = short.Target().String() + short.String()
		}
	}
	set := NewTypeSet(TypeSOA, 1234, TypeA, TypeA)
	if !set.Has(TypeSOA) || !set.Has(1234) || set.Has(TypeMX) || set.Has(1235) || set.Has(65535) || set.String() != "A SOA TYPE1234" {
		t.Errorf("%s", set)
	}
}

func TestNamesAreCompressedWhereTheTypeAllowsIt(t *testing.T) {
	for _, c := range []struct {
		rdata string
		saved int // octets, of the rdata
	}{
		{"NS ns.example.", 7},
		{"CNAME www.example.", 11},
		{"PTR WWW.example.", 7}, // the case is preserved
		{"MX 10 www.example.", 11},
		{"SOA ns.example. host.example. 1 2 3 4 5", 14},
		{"DNAME www.example.", 0}, // and so is what was not made to be compressed
		{"SRV 1 2 3 www.example.", 0},
		{"RP www.example. www.example.", 0},
		{"NSEC www.example. A", 0},
		{"SVCB 1 www.example.", 0},
	} {
		m := NewQuery(MustName("www.example."), TypeANY, false)
		r, err := ParseRR("www.example. 60 IN " + c.rdata)
		if err != nil {
			t.Fatal(err)
		}
		m.Answer = []RR{r}
		p, err := m.Append(nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := 12 + 17 + 2 + 10 + len(r.Data) - len(p); got != c.saved {
			t.Errorf("%s: %d octets are saved, want %d", c.rdata, got, c.saved)
		}
	}
}

// A message of 64 kB has names beyond the reach of a pointer.
func TestLargeMessagesArePackedWhole(t *testing.T) {
	m := NewQuery(MustName("example."), TypeAXFR, false)
	for i := range 2300 {
		name, _ := MustName("example.").Child("host" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)))
		m.Answer = append(m.Answer, A(name, 60, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})))
	}
	p, err := m.Append(nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got Message
	if err := got.Unpack(p); err != nil || got.Truncated || !reflect.DeepEqual(got.Answer, m.Answer) {
		t.Errorf("%d octets: %v, TC %v", len(p), err, got.Truncated)
	}
	m.Answer = append(m.Answer, m.Answer...)
	if p, err = m.Append(nil, 0); err != nil || got.Unpack(p) != nil || !got.Truncated || len(p) > MaxSize {
		t.Errorf("%d octets: %v, TC %v", len(p), err, got.Truncated)
	}
}

// Names that were packed and given back must not be pointed to.
func TestWhatIsLeftOutIsNotPointedTo(t *testing.T) {
	m := NewQuery(MustName("q."), TypeA, false)
	m.Response = true
	m.Additional = []RR{
		A(MustName("a.x.example."), 1, netip.MustParseAddr("192.0.2.1")),
		{Name: MustName("big.y.example."), Type: TypeTXT, Class: 1, Data: TXT{strings.Repeat("x", 200)}.Data()},
		A(MustName("b.y.example."), 1, netip.MustParseAddr("192.0.2.2")),
		A(MustName("c.y.example."), 1, netip.MustParseAddr("192.0.2.3")),
	}
	p, err := m.Append(nil, 150)
	var got Message
	if err != nil || got.Unpack(p) != nil || len(got.Additional) != 3 || got.Additional[2] != m.Additional[3] || got.Truncated {
		t.Errorf("%v\n%s", err, &got)
	}
}

func TestATSIGRecordStaysTheLast(t *testing.T) {
	m := NewQuery(MustName("q."), TypeA, false)
	m.EDNS = &EDNS{Size: 1232}
	tsig := RR{Name: MustName("key."), Type: TypeTSIG, Class: ClassANY, Data: "\x0bhmac-sha256\x00\x00\x00\x65\x53\xf1\x00\x01\x2c\x00\x00\x12\x34\x00\x00\x00\x00"}
	m.Additional = []RR{A(MustName("a."), 1, netip.MustParseAddr("192.0.2.1")), tsig}
	full, err := m.Append(nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got Message
	for limit := len(full) - 1; ; limit++ {
		p, err := m.Append(nil, limit)
		if err != nil || got.Unpack(p) != nil || got.EDNS == nil || got.Additional[len(got.Additional)-1] != tsig {
			t.Fatalf("%d octets: %v\n%s", limit, err, &got)
		}
		if at, r, err := LastRecord(p); err != nil || r != tsig || at != len(p)-len(tsig.appendTo(nil)) {
			t.Errorf("the last record is %s at %d (%v)", r, at, err)
		}
		if limit == len(full) {
			break
		}
	}
	m.Additional = []RR{tsig, m.Additional[0]}
	if p, err := m.Append(nil, 0); err != nil || got.Unpack(p) == nil {
		t.Errorf("a TSIG record before another is taken (%v)", err)
	}
}

func TestExtendedErrorsAreCarriedByEDNS(t *testing.T) {
	q := NewQuery(MustName("example."), TypeA, true)
	m := q.Reply()
	m.AddEDE(EDE{EDEBogus, "no EDNS"})
	if m.EDNS != nil || m.EDE() != nil {
		t.Error("without EDNS there is one")
	}
	q.EDNS = &EDNS{Size: 4096, DO: true}
	m = q.Reply()
	for range 2 {
		m.AddEDE(EDE{EDESignatureExpired, "since 2026"})
	}
	m.AddEDE(EDE{Code: 4711})
	want := []EDE{{EDESignatureExpired, "since 2026"}, {4711, ""}}
	p, err := m.Append(nil, 0)
	var got Message
	if err != nil || got.Unpack(p) != nil || !reflect.DeepEqual(got.EDE(), want) || !got.EDNS.DO || got.EDNS.Size != DefaultSize {
		t.Errorf("%v\n%s", err, &got)
	}
	if s := got.String(); !strings.Contains(s, "; EDE: 7 (Signature Expired): (since 2026)\n; EDE: 4711 (Extended Error 4711)\n") || !strings.Contains(s, "flags: do; udp: 1232") {
		t.Errorf("written\n%s", s)
	}
	if m.EDNS = nil; !strings.Contains(errorOf(m.withRcode(RcodeBadVers).Append(nil, 0)), "needs EDNS") {
		t.Error("BADVERS without EDNS is packed")
	}
}

func (m *Message) withRcode(r Rcode) *Message { m.Rcode = r; return m }

func errorOf(_ []byte, err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestTypesClassesAndCodesAreReadAsWritten(t *testing.T) {
	for _, n := range []uint16{0, 1, 28, 41, 65, 255, 257, 1234, 65280, 65535} {
		if got, err := ParseType(strings.ToLower(Type(n).String())); err != nil || got != Type(n) {
			t.Errorf("%s: %d, %v", Type(n), got, err)
		}
		if got, err := ParseClass(strings.ToLower(Class(n).String())); err != nil || got != Class(n) {
			t.Errorf("%s: %d, %v", Class(n), got, err)
		}
	}
	for _, bad := range []string{"", "TYPE", "TYPE65536", "TYPE-1", "TYPE+1", "NOSUCH", "CLASS65536"} {
		if got, err := ParseType(bad); err == nil {
			t.Errorf("%q is the type %d", bad, got)
		}
		if got, err := ParseClass(bad); err == nil {
			t.Errorf("%q is the class %d", bad, got)
		}
	}
	if s := RcodeBadCookie.String() + " " + Rcode(99).String() + " " + OpcodeNotify.String() + " " + Opcode(9).String(); s != "BADCOOKIE RCODE99 NOTIFY OPCODE9" {
		t.Error(s)
	}
}
