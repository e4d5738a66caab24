package main_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

// TestDigAndKdigReadEveryType asks weir for every set of the zone of every type by both programs, which must write the records
// that are in the zone: as they know them, and as octets (RFC 3597).
func TestDigAndKdigReadEveryType(t *testing.T) {
	l := newLab(t)
	path, err := filepath.Abs("testdata/types.zone")
	must(t, err)
	u := l.serveNames("--zone", "types.example="+path, "--reverse", "192.0.2.0/24", "--reverse", "2001:db8::/112")
	var questions []string
	want := map[string][]string{}
	cuts := map[msg.Name]bool{}
	origin := msg.MustName("types.example.")
	records := typesZone(t, origin)
	for _, rr := range records {
		if rr.Type == msg.TypeNS && !rr.Name.Equal(origin) {
			cuts[rr.Name.Fold()] = true
		}
	}
	for _, rr := range records {
		if slices.ContainsFunc(ancestors(rr.Name), func(n msg.Name) bool { return cuts[n.Fold()] }) || strings.HasPrefix(rr.Name.First(), "big") || strings.HasPrefix(rr.Name.First(), "host-") {
			continue
		}
		key := rr.Name.Fold().String() + " " + rr.Type.String()
		if want[key] == nil {
			questions = append(questions, rr.Name.String(), rr.Type.String())
		}
		want[key] = append(want[key], fact(rr))
	}
	if len(want) < 90 {
		t.Fatalf("the zone has only %d sets", len(want))
	}
	for name, args := range map[string][]string{
		"dig":                {"+noall", "+answer", "@" + weir4},
		"dig over TCP":       {"+noall", "+answer", "+tcp", "+keepopen", "@" + weir6},
		"dig as octets":      {"+noall", "+answer", "+unknownformat", "@" + weir4},
		"kdig":               {"+noall", "+answer", "@" + weir4},
		"kdig over TCP":      {"+noall", "+answer", "+tcp", "+keepopen", "@" + weir6},
		"kdig as octets":     {"+noall", "+answer", "+generic", "@" + weir4},
		"dig without EDNS":   {"+noall", "+answer", "+noedns", "@" + weir6},
		"dig with a cookie":  {"+noall", "+answer", "+cookie", "@" + weir4},
		"kdig with a cookie": {"+noall", "+answer", "+cookie", "@" + weir4},
	} {
		got := map[string][]string{}
		program, _, _ := strings.Cut(name, " ")
		// The flags of dig's command line before the first name are those of all questions; +keepopen is one such.
		out := l.ok("", program, append(args, questions...)...)
		for line := range strings.Lines(out) {
			if line = strings.TrimSpace(line); line == "" || line[0] == ';' {
				continue
			}
			rr, err := msg.ParseRR(line)
			if err != nil {
				t.Errorf("%s: %q: %v", name, line, err)
				continue
			}
			key := rr.Name.Fold().String() + " " + rr.Type.String()
			if f := fact(rr); !slices.Contains(got[key], f) {
				got[key] = append(got[key], f)
			}
		}
		for key, records := range want {
			slices.Sort(records)
			slices.Sort(got[key])
			if !slices.Equal(records, got[key]) {
				t.Errorf("%s %s:\n%s\nwant\n%s", name, key, strings.Join(got[key], "\n"), strings.Join(records, "\n"))
			}
		}
	}
	digOptions(l)
	u.end()
}

func ancestors(n msg.Name) (list []msg.Name) {
	for ; n != msg.Root; n = n.Parent() {
		list = append(list, n)
	}
	return list
}

// digOptions are the options that change what is asked, and what of the answer shows that they were understood.
func digOptions(l *lab) {
	for _, c := range []struct{ program, args, want string }{
		{"dig", "@192.0.2.2 www.types.example A", "status: NOERROR.*flags: qr aa rd; QUERY: 1, ANSWER: 2, AUTHORITY: 0, ADDITIONAL: 1.*udp: 1232"},
		{"dig", "@192.0.2.2 wWw.tYpEs.ExAmPlE A", `;wWw\.tYpEs\.ExAmPlE\..*wWw\.tYpEs\.ExAmPlE\.`},
		{"dig", "@192.0.2.2 +cookie=0102030405060708 www.types.example", `COOKIE: 0102030405060708[0-9a-f]{32} \(good\)`},
		{"dig", "@192.0.2.2 +nsid www.types.example", "status: NOERROR"},
		{"dig", "@192.0.2.2 +bufsize=512 +ignore bigtxt.types.example TXT", "flags: qr aa tc rd"},
		{"dig", "@192.0.2.2 +bufsize=4096 bigtxt.types.example TXT", "Truncated, retrying in TCP mode.*ANSWER: 80"},
		{"dig", "@192.0.2.2 +tcp bigtxt.types.example TXT", "ANSWER: 80"},
		{"dig", "@192.0.2.2 +dnssec www.types.example", "flags: do; udp: 1232"},
		{"dig", "@192.0.2.2 +edns=7 +noednsnegotiation www.types.example", "status: BADVERS"},
		{"dig", "@192.0.2.2 +ednsopt=65001:00ff www.types.example", "status: NOERROR.*ANSWER: 2"},
		{"dig", "@192.0.2.2 +header-only +nocookie", "status: FORMERR"},
		{"dig", "@192.0.2.2 +header-only", `status: NOERROR.*QUERY: 0.*COOKIE: [0-9a-f]{48} \(good\)`}, // RFC 7873 section 5.4
		{"dig", "@192.0.2.2 +opcode=status www.types.example", "status: NOTIMP"},
		{"dig", "@192.0.2.2 +opcode=update www.types.example SOA", "status: (NOTIMP|REFUSED)"},
		{"dig", "@192.0.2.2 nothing.types.example", "status: NXDOMAIN.*AUTHORITY: 1.*300\tIN\tSOA"},
		{"dig", "@192.0.2.2 www.types.example MX", "status: NOERROR.*ANSWER: 0, AUTHORITY: 1"},
		{"dig", "@192.0.2.2 www.child.types.example", "flags: qr rd;.*ANSWER: 0, AUTHORITY: 2, ADDITIONAL: 4"},
		{"dig", "@192.0.2.2 www.example.org", `status: REFUSED.*EDE: 20 \(Not Authoritative\)`},
		{"dig", "@192.0.2.2 -x 192.0.2.25", `25\.2\.0\.192\.in-addr\.arpa\. .*PTR\tmail\.types\.example\.`},
		{"dig", "@2001:db8:77::2 -x 2001:db8::25", `PTR\s+mail\.types\.example\.`},
		{"dig", "@192.0.2.2 types.example AXFR", "Transfer failed"},
		{"dig", "@192.0.2.2 +qr +short alias.types.example", `www\.types\.example\.\n192\.0\.2\.80\n192\.0\.2\.81`},
		{"kdig", "@192.0.2.2 +nsid www.types.example", "status: NOERROR"},
		{"kdig", "@192.0.2.2 +cookie www.types.example", `COOKIE: [0-9A-F]{48}`},
		{"kdig", "@192.0.2.2 +dnssec +bufsize=512 bigtxt.types.example TXT", "ANSWER: 80"},
		{"kdig", "@192.0.2.2 +padding=128 www.types.example", "status: NOERROR"},
		{"kdig", "@192.0.2.2 +tcp +keepopen www.types.example A mail.types.example A", "(?s)192.0.2.80.*192.0.2.25"},
		{"kdig", "@192.0.2.2 -x 192.0.2.25", `PTR\s+mail\.types\.example\.`},
	} {
		r := l.run("", c.program, strings.Fields(c.args)...)
		if ok, err := regexp.MatchString("(?s)"+c.want, r.stdout); err != nil || !ok {
			l.t.Errorf("%s %s: no %q in\n%v", c.program, c.args, c.want, r)
		}
	}
}
