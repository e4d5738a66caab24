//go:build linux

package authority

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/internal/dnstest"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/zone"
)

// TestNSDAnswersAlike gives the same zones to NSD and to a Set and holds the answers against each other, section by
// section, unsigned and signed with NSEC and NSEC3.
func TestNSDAnswersAlike(t *testing.T) {
	for _, p := range []string{"nsd", "ldns-keygen", "ldns-signzone"} {
		dnstest.Program(t, p)
	}
	if !dnstest.InNamespace(t) {
		return
	}
	dir := t.TempDir()
	set := New(Config{})
	conf := ""
	for _, origin := range []string{"plain.example.", "nsec.example.", "nsec3.example.", "optout.example."} {
		file := signFor(t, dir, origin)
		z, err := zone.LoadFile(file, msg.MustName(origin), zone.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := set.Add(ZoneConfig{Origin: z.Origin()}, z); err != nil {
			t.Fatal(err)
		}
		conf += fmt.Sprintf("zone:\n name: %q\n zonefile: %q\n", origin, file)
	}
	dnstest.NSD(t, dir, 5300, conf)
	compareAll(t, set)
}

const comparedZone = `$TTL 3600
@ SOA ns h 1 7200 3600 86400 300
@ NS ns
@ NS ns.example.net.
@ MX 10 mail
ns A 192.0.2.1
ns AAAA 2001:db8::1
mail A 192.0.2.2
www A 192.0.2.3
www A 192.0.2.4
alias CNAME www
alias2 CNAME alias
dangling CNAME nothing
away CNAME www.example.net.
tosub CNAME www.sub
*.wild TXT "wild"
*.wild MX 5 mail
*.cwild CNAME www
a.b.c.ent A 192.0.2.5
sub NS ns.sub
sub NS ns
ns.sub A 192.0.2.6
secure NS ns.secure
secure DS 60485 13 2 2BB183AF5F22588179A53B0A98631FAD1A292118000000000000000000000000
ns.secure A 192.0.2.7
ns.secure AAAA 2001:db8::7
d DNAME t
x.t A 192.0.2.8
t TXT "t"
dout DNAME example.net.
_sip._tcp SRV 0 5 5060 mail
svc HTTPS 1 . alpn=h2
svc A 192.0.2.9
caa CAA 0 issue "ca.example.net"
txt TXT "one" "two"
ptr PTR www
u TYPE65280 \# 4 0A000001
MiXeD A 192.0.2.10
`

// signFor writes the zone for an origin, signed as its name says, and returns the file.
func signFor(t *testing.T, dir, origin string) string {
	t.Helper()
	file := filepath.Join(dir, strings.TrimSuffix(origin, "."))
	if err := os.WriteFile(file, []byte("$ORIGIN "+origin+"\n"+comparedZone), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-o", strings.TrimSuffix(origin, ".")}
	switch strings.SplitN(origin, ".", 2)[0] {
	case "plain":
		return file
	case "nsec3":
		args = append(args, "-n", "-s", "abcd", "-t", "3")
	case "optout":
		args = append(args, "-n", "-p", "-t", "0")
	}
	key := dnstest.Run(t, dir, "ldns-keygen", "-a", "ECDSAP256SHA256", "-k", strings.TrimSuffix(origin, "."))
	dnstest.Run(t, dir, "ldns-signzone", append(args, file, key)...)
	return file + ".signed"
}

var comparedNames = strings.Fields(`@ ns www WWW mail alias alias2 dangling away tosub wild *.wild x.wild y.x.wild x.cwild ent c.ent b.c.ent a.b.c.ent z.b.c.ent
sub www.sub ns.sub secure www.secure ns.secure d x.d y.d x.y.d t x.t dout x.dout _sip._tcp _tcp svc caa txt ptr u mixed nothing a.nothing zzz 0 nx.www`)

var comparedTypes = []msg.Type{msg.TypeA, msg.TypeAAAA, msg.TypeNS, msg.TypeSOA, msg.TypeMX, msg.TypeTXT, msg.TypeCNAME, msg.TypeDNAME, msg.TypeDS,
	msg.TypeSRV, msg.TypeHTTPS, msg.TypeCAA, msg.TypePTR, msg.TypeDNSKEY, msg.TypeNSEC, msg.TypeNSEC3PARAM, 65280}

func compareAll(t *testing.T, set *Set) {
	t.Helper()
	c, err := net.Dial("udp", "127.0.0.1:5300")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	compared, id := 0, uint16(0)
	for _, origin := range set.Zones() {
		for _, label := range comparedNames {
			name := origin
			if label != "@" {
				name = msg.MustName(label + "." + origin.String())
			}
			for _, typ := range comparedTypes {
				for _, do := range []bool{false, true} {
					m := msg.NewQuery(name, typ, false)
					id++
					m.ID, m.EDNS = id, &msg.EDNS{Size: 4096, DO: do}
					theirs := exchange(t, c, packed(t, m), compared == 0)
					ours := serveWire(t, set, packed(t, m), server.UDP).answers[0]
					compared++
					if explained(label, origin, typ, do) {
						continue
					}
					if a, b := sections(ours), sections(theirs); a != b && a != without(theirs, ours) {
						t.Errorf("%v %v DO=%v:\nweir:\n%s\nNSD:\n%s", name, typ, do, a, b)
					}
				}
			}
		}
	}
	t.Logf("%d answers compared", compared)
}

// explained names the answers in which NSD 4.6 differs, and why ours is as it is.
func explained(label string, origin msg.Name, typ msg.Type, do bool) bool {
	kind := origin.First()
	switch {
	case label == "svc" && typ == msg.TypeHTTPS: // NSD adds no addresses for HTTPS; RFC 9460 §4.1 would have them
		return true
	case (label == "y.d" || label == "x.y.d") && kind == "nsec" && do:
		// A DNAME leads to a name that is not there: NSD proves that there is no wildcard, but not that the name is
		// missing (RFC 4035 §3.1.3.2 wants both).
		return true
	case label == "*.wild" && kind == "nsec3" || label == "*.wild" && kind == "optout":
		// The question is for the wildcard's own name: NSD adds a proof of its closest encloser, which a name that
		// is there does not need (RFC 5155 §7.2.3).
		return do
	}
	return false
}

// exchange asks NSD, which at first may not be there yet.
func exchange(t *testing.T, c net.Conn, p []byte, first bool) *msg.Message {
	t.Helper()
	buf := make([]byte, 65535)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		c.Write(p)
		c.SetReadDeadline(time.Now().Add(time.Second))
		if !first { // it is asked once
			c.SetReadDeadline(end)
		}
		n, err := c.Read(buf)
		for err == nil && n > 2 && (buf[0] != p[0] || buf[1] != p[1]) { // a second answer to what was asked twice
			n, err = c.Read(buf)
		}
		if err != nil && !first {
			break
		}
		if err != nil {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		m := new(msg.Message)
		if err := m.Unpack(buf[:n]); err != nil {
			t.Fatal(err)
		}
		if first && m.Rcode == msg.RcodeServerFailure { // it has no zone yet
			time.Sleep(50 * time.Millisecond)
			continue
		}
		return m
	}
	t.Fatal("NSD does not answer")
	return nil
}

// without writes what NSD says without its courtesy: beside an answer it sends the zone's NS records, which
// RFC 1034 §4.3.2 does not ask for, and their addresses.
func without(theirs, ours *msg.Message) string {
	apex := func(rr msg.RR) bool {
		covered := rr.Type
		if rr.Type == msg.TypeRRSIG {
			covered = msg.Type(uint16(rr.Data[0])<<8 | uint16(rr.Data[1]))
		}
		return covered == msg.TypeNS && rr.Name.Labels() == 2
	}
	if len(theirs.Answer) == 0 || !slices.ContainsFunc(theirs.Authority, apex) {
		return ""
	}
	m := *theirs
	m.Authority = slices.DeleteFunc(slices.Clone(theirs.Authority), apex)
	m.Additional = slices.DeleteFunc(slices.Clone(theirs.Additional), func(rr msg.RR) bool {
		first := rr.Name.Fold().First()
		return first == "ns" && !slices.ContainsFunc(ours.Additional, func(o msg.RR) bool { return o.Name.Equal(rr.Name) })
	})
	return sections(&m)
}

// sections writes what an answer says, without the order of records.
func sections(m *msg.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v aa=%v tc=%v\n", m.Rcode, m.Authoritative, m.Truncated)
	for _, rrs := range [][]msg.RR{m.Answer, m.Authority, m.Additional} {
		var lines []string
		for _, rr := range rrs {
			lines = append(lines, strings.ToLower(rr.String()))
		}
		sort.Strings(lines)
		fmt.Fprintf(&b, "%s\n", strings.Join(append([]string{"  --"}, lines...), "\n  "))
	}
	return b.String()
}
