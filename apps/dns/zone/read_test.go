package zone

import (
	"io"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

// load reads a zone from text.
func load(t testing.TB, origin, text string) *Zone {
	t.Helper()
	z, err := Load(NewReader(strings.NewReader(text), "test", msg.MustName(origin), ReadOptions{}), msg.MustName(origin))
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestKeysSortAsNamesAndComeBack(t *testing.T) {
	// The order of RFC 4034 §6.1, with the octets that keys escape added.
	names := []string{"example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.", "z.example.",
		`\000.z.example.`, `\001.z.example.`, `\001\000.z.example.`, `\001\001.z.example.`, `\001\002.z.example.`, `\002.z.example.`,
		"*.z.example.", `\200.z.example.`, "zz.example."}
	for i, s := range names {
		n := msg.MustName(s)
		key := string(appendKey(nil, string(n), 1))
		if got := keyName(key, msg.MustName("example.")); got != n.Fold() {
			t.Errorf("%s: the key says %s", s, got)
		}
		if i > 0 && string(appendKey(nil, string(msg.MustName(names[i-1])), 1)) >= key {
			t.Errorf("%s does not sort before %s", names[i-1], s)
		}
	}
}

func TestMasterFileOfEverySyntax(t *testing.T) {
	files := map[string]string{"sub.inc": "$ORIGIN deep\nhere A 192.0.2.9\n", "more.inc": "x 5 A 192.0.2.8\n$INCLUDE sub.inc other.example.\nback A 192.0.2.7\n"}
	o := ReadOptions{Open: func(p string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(files[p])), nil
	}}
	text := `$TTL 1h
@	IN SOA ns hostmaster ( 1 ; serial
	2h 3h
	4w 300 )
	NS ns
ns 60 IN A 192.0.2.1
   IN 60 AAAA 2001:db8::1
esc\.aped TXT "a;b" "c\"d" e\ f
\065bc A 192.0.2.2 ; a comment ( here
$ORIGIN sub
@ A 192.0.2.3
$ORIGIN example.
$GENERATE 1-5/2 h$ A 192.0.2.$ ; three
$GENERATE 10-11 r${-10,3,d} 30 IN CNAME \$.x$$y
$INCLUDE more.inc inc
end TYPE65280 \# 3 010203
`
	rd := NewReader(strings.NewReader(text), "zone", msg.MustName("example."), o)
	var got []string
	for {
		rr, ok := rd.Next()
		if !ok {
			break
		}
		got = append(got, rd.Position().String()+" "+strings.Join(strings.Fields(rr.String()), " "))
	}
	if rd.Err() != nil {
		t.Fatal(rd.Err())
	}
	want := []string{
		"zone:4 example. 3600 IN SOA ns.example. hostmaster.example. 1 7200 10800 2419200 300",
		"zone:5 example. 3600 IN NS ns.example.",
		"zone:6 ns.example. 60 IN A 192.0.2.1",
		"zone:7 ns.example. 60 IN AAAA 2001:db8::1",
		`zone:8 esc\.aped.example. 3600 IN TXT "a;b" "c\"d" "e f"`,
		"zone:9 Abc.example. 3600 IN A 192.0.2.2",
		"zone:11 sub.example. 3600 IN A 192.0.2.3",
		"zone:13 h1.example. 3600 IN A 192.0.2.1",
		"zone:13 h3.example. 3600 IN A 192.0.2.3",
		"zone:13 h5.example. 3600 IN A 192.0.2.5",
		"zone:14 r000.example. 30 IN CNAME $.x$y.example.",
		"zone:14 r001.example. 30 IN CNAME $.x$y.example.",
		"more.inc:1 x.inc.example. 5 IN A 192.0.2.8",
		"sub.inc:2 here.deep.other.example. 3600 IN A 192.0.2.9",
		"more.inc:3 back.inc.example. 3600 IN A 192.0.2.7",
		`zone:16 end.example. 3600 IN TYPE65280 \# 3 010203`,
	}
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("record %d is\n%s, want\n%s", i, g, w)
		}
	}
}

func TestErrorsOfMasterFilesSayFileAndLine(t *testing.T) {
	const soa = "@ 60 SOA ns h 1 2 3 4 5\n"
	for _, c := range []struct{ text, want string }{
		{soa + "www A 192.0.2.256\n", "f:2: "},
		{soa + "www A\n", "f:2: www.example. A: the record's data are missing"},
		{soa + "\n\nwww MX ten mail\n", "f:4: "},
		{soa + "$GENERATE 1-2 x$ A 192.0.2.$\nbad TYPEX y\n", "f:3: "},
		{soa + "$GENERATE 5-2 x$ A 192.0.2.$\n", `f:2: $GENERATE range "5-2"`},
		{soa + "$GENERATE 1-2 x${1 A 192.0.2.$\n", "f:2: $GENERATE: ${ without }"},
		{soa + "$GENERATE 1-2000000 x$ A 192.0.2.1\n", "of more than 1048576 records"},
		{soa + "$INCLUDE none\n", "f:2: $INCLUDE none: "},
		{soa + "$INCLUDE loop\n", "loop:1: "},
		{soa + "$INCLUDE bad\nx A 192.0.2.1\n", "bad:2: not an IPv4 address: "},
		{soa + "$INCLUDE many\n", "more than 20 files included"},
		{soa + "$GENERATE 1-9999 x$ A 192.0.2.1\n", "f:2: more than 1000 records"},
		{soa + "a TXT \"" + strings.Repeat("x", 1<<16) + "\"\n", "f:2: "},
		{"www A 192.0.2.1\n", "f:1: www.example. A: no TTL is given"},
		{strings.Repeat("; comment\n", 20000), "f:"},
		{soa + strings.Repeat("a", 64) + " A 192.0.2.1\n", "f:2: "},
		{soa + "( www A 192.0.2.1\n", "f:"},
	} {
		o := ReadOptions{MaxRecords: 1000, MaxIncludes: 20, MaxOctets: 150_000, Open: func(p string) (io.ReadCloser, error) {
			switch p {
			case "loop":
				return io.NopCloser(strings.NewReader("$INCLUDE loop\n")), nil
			case "many":
				return io.NopCloser(strings.NewReader(strings.Repeat("$INCLUDE empty\n", 100))), nil
			case "bad":
				return io.NopCloser(strings.NewReader("a A 192.0.2.1\nb A nothing\n")), nil
			case "empty":
				return io.NopCloser(strings.NewReader("")), nil
			}
			return nil, io.ErrUnexpectedEOF
		}}
		_, err := Load(NewReader(strings.NewReader(c.text), "f", msg.MustName("example."), o), msg.MustName("example."))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60q: %v, want one line with %q", c.text, err, c.want)
		}
	}
}

func TestRecordsWithoutTTLHaveTheMinimumOfTheSOA(t *testing.T) {
	z := load(t, "example.", "@ SOA ns h 1 2 3 4 77\n@ NS ns\nns A 192.0.2.1\nx 5 A 192.0.2.1\ny A 192.0.2.1\n")
	for name, ttl := range map[string]uint32{"ns.example.": 77, "x.example.": 5, "y.example.": 5} {
		if s, ok := z.Get(msg.MustName(name), msg.TypeA); !ok || s.TTL != ttl {
			t.Errorf("%s: TTL %d, %v, want %d", name, s.TTL, ok, ttl)
		}
	}
}

func TestNibblesOfGenerate(t *testing.T) {
	for mod, want := range map[string]string{"0,7,n": "b.0.1.0\n", "0,0,n": "b.0.1\n", "0,3,N": "B.0.1\n", "5,6,x": "000110\n", "0,0,o": "413\n", "-267": "0\n"} {
		g, err := newGenerator("267-267 ${" + mod + "} A x")
		if err != nil {
			t.Fatal(err)
		}
		line, _, err := g.next()
		if got := strings.TrimSuffix(string(line), " A x\n") + "\n"; err != nil || got != want {
			t.Errorf("${%s} of 267 is %q, %v, want %q", mod, got, err, want)
		}
	}
}
