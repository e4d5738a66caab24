package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/dns/dnssec"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/tree"
	"github.com/weirnet/weir/apps/dns/zone"
)

// The zones that both servers have: the same names, unsigned and signed in three ways.
var comparedZones = []struct {
	origin string
	signed bool
	nsec3  *dnssec.NSEC3Options
}{
	{"plain.example.", false, nil},
	{"nsec.example.", true, nil},
	{"nsec3.example.", true, &dnssec.NSEC3Options{}},
	{"optout.example.", true, &dnssec.NSEC3Options{Iterations: 5, Salt: []byte("\xaa\xbb"), OptOut: true}},
}

// typesZone reads the zone of every type under an origin.
func typesZone(t testing.TB, origin msg.Name) []msg.RR {
	t.Helper()
	z, err := zone.LoadFile("testdata/types.zone", origin, zone.ReadOptions{})
	must(t, err)
	return slices.Collect(z.All())
}

// signedZone is it with signatures that are good now.
func signedZone(t testing.TB, origin msg.Name, nsec3 *dnssec.NSEC3Options) []msg.RR {
	t.Helper()
	o := dnssec.SignOptions{NSEC3: nsec3, Inception: time.Now().Add(-time.Hour), Expiration: time.Now().Add(240 * time.Hour)}
	for _, flags := range []uint16{msg.FlagZone | msg.FlagSEP, msg.FlagZone} {
		k, err := dnssec.NewKey(origin, dnssec.ECDSAP256SHA256, flags, []byte("of no use to anybody"))
		must(t, err)
		o.Keys = append(o.Keys, k)
	}
	records, err := dnssec.SignZone(typesZone(t, origin), origin, o)
	must(t, err)
	return records
}

// writeZones writes the compared zones out, one record a line, and returns the files and the names in them.
func writeZones(t testing.TB) (files []zoneFile, names map[string][]msg.Name) {
	t.Helper()
	dir := t.TempDir()
	names = map[string][]msg.Name{}
	for _, c := range comparedZones {
		origin := msg.MustName(c.origin)
		records := typesZone(t, origin)
		if c.signed {
			records = signedZone(t, origin, c.nsec3)
		}
		path := filepath.Join(dir, tree.FileName(origin))
		must(t, os.WriteFile(path, []byte(tree.Text(records)), 0o644))
		files = append(files, zoneFile{c.origin, path})
		seen := map[msg.Name]bool{}
		for _, rr := range records {
			if !seen[rr.Name.Fold()] {
				seen[rr.Name.Fold()] = true
				names[c.origin] = append(names[c.origin], rr.Name)
			}
		}
	}
	return files, names
}

// TestAnswersAreThoseOfNSD puts the same queries to weir and to NSD, which have the same zones, and holds the answers against
// each other field by field. Only differences of the table may remain, and each of the table's must be seen.
func TestAnswersAreThoseOfNSD(t *testing.T) {
	l := newLab(t)
	files, names := writeZones(t)
	l.ok("", "ip", "link", "set", "lo", "up")
	var flags []string
	for _, f := range files {
		flags = append(flags, "--zone", f.origin+"="+f.path)
	}
	u := l.serveNames(flags...)
	l.nsdWith("192.0.2.1:53", []string{"rrl-ratelimit: 0", "minimal-responses: no", "refuse-any: no", "tcp-query-count: 0"}, "", files)
	queries := comparedQueries(names)
	begin := time.Now()
	ours := l.answersOf(weir4+":53", queries)
	middle := time.Now()
	theirs := l.answersOf("192.0.2.1:53", queries)
	t.Logf("%d queries: weir %v, NSD %v", len(queries), middle.Sub(begin).Round(time.Millisecond), time.Since(middle).Round(time.Millisecond))
	seen := map[string]int{}
	failures := map[string]int{}
	for i, q := range queries {
		if what := compare(q, ours[i], theirs[i], seen); what != "" {
			kind, _, _ := strings.Cut(what, "\n")
			if failures[kind]++; len(failures) < 400 && failures[kind] == 1 {
				t.Errorf("%v: %s", q, what)
			}
		}
	}
	for _, e := range explained {
		t.Logf("%-24s %6d  %s", e.name, seen[e.name], e.why)
		if seen[e.name] == 0 {
			t.Errorf("no answer differs in the way %q any more: take it out of the table", e.name)
		}
	}
	u.stop(syscall.SIGTERM)
}

// compare says what differs beyond the table, and counts what the table explains.
func compare(q ask, ours, theirs []byte, seen map[string]int) string {
	var w, n msg.Message
	if err := w.Unpack(ours); err != nil {
		return fmt.Sprintf("weir's answer cannot be unpacked: %v\n%x", err, ours)
	}
	if err := n.Unpack(theirs); err != nil {
		return fmt.Sprintf("NSD's answer cannot be unpacked: %v\n%x", err, theirs)
	}
	w.ID, n.ID = 0, 0
	before := difference(&w, &n)
	whole := strings.Join(before, "\n")
	for _, e := range explained {
		if len(before) == 0 {
			return ""
		}
		e.settle(q, &w, &n)
		if after := difference(&w, &n); len(after) != len(before) {
			seen[e.name]++
			before = after
		}
	}
	if len(before) == 0 {
		return ""
	}
	return strings.Join(before, "\n") + "\nin all\n" + whole
}
