package dnssec

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
)

// tool returns the path of a program of ldnsutils.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed: apt-get install ldnsutils", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// ldnsSign signs plainZone with keys that ldns makes, and returns the zone.
func ldnsSign(t *testing.T, algorithm string, options ...string) []msg.RR {
	t.Helper()
	dir := t.TempDir()
	run := func(name string, args ...string) string {
		cmd := exec.Command(tool(t, name), args...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
		}
		return strings.TrimSpace(string(out))
	}
	ksk, zsk := "", ""
	for ksk == zsk { // the files are named by the key's tag: one time in 65,536 the second key is written over the first
		ksk = run("ldns-keygen", "-r", "/dev/urandom", "-k", "-a", algorithm, "example.")
		zsk = run("ldns-keygen", "-r", "/dev/urandom", "-a", algorithm, "example.")
	}
	if err := os.WriteFile(filepath.Join(dir, "zone"), []byte(strings.ReplaceAll(plainZone, "\t", "")), 0o600); err != nil {
		t.Fatal(err)
	}
	date := "20060102150405"
	args := append(options, "-o", "example.", "-i", inception.UTC().Format(date), "-e", expiration.UTC().Format(date), "zone", ksk, zsk)
	run("ldns-signzone", args...)
	text, err := os.ReadFile(filepath.Join(dir, "zone.signed"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, ";") {
			lines = append(lines, line)
		}
	}
	return parse(t, strings.Join(lines, "\n"))
}

// A zone that ldns signed has the NSEC and NSEC3 records that ours has, and its answers are judged
// as those of ours.
func TestZonesThatLdnsSignedAreSecure(t *testing.T) {
	for _, c := range []struct {
		what, algorithm string
		options         []string
		ours            *NSEC3Options
	}{
		{"nsec", "ECDSAP256SHA256", nil, nil},
		{"nsec3", "ED25519", []string{"-n", "-t", "0"}, &NSEC3Options{}},
		{"salted", "ECDSAP384SHA384", []string{"-n", "-t", "5", "-s", "aabb"}, &NSEC3Options{Iterations: 5, Salt: []byte{0xaa, 0xbb}}},
		{"optout", "RSASHA256", []string{"-n", "-t", "0", "-p"}, &NSEC3Options{OptOut: true}},
	} {
		w := &world{t: t, zones: map[msg.Name][]msg.RR{}}
		w.zones[msg.MustName("example.")] = ldnsSign(t, c.algorithm, c.options...)
		theirs, ours := chainOf(w.zones[msg.MustName("example.")]), chainOf(signed(t, plainZone, "example.", SignOptions{NSEC3: c.ours}))
		// With opt-out ldns keeps the records that it may leave out.
		if c.what != "optout" && !slices.Equal(theirs, ours) {
			t.Errorf("%s: ours\n%s\ntheirs\n%s", c.what, strings.Join(ours, "\n"), strings.Join(theirs, "\n"))
		}
		v, err := New(Config{Source: w, Anchors: parse(t, w.ds("example."))})
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []struct {
			name string
			typ  msg.Type
		}{
			{"example.", msg.TypeSOA}, {"ai.example.", msg.TypeAAAA}, {"ai.example.", msg.TypeMX}, {"nope.example.", msg.TypeA},
			{"a.z.w.example.", msg.TypeMX}, {"a.z.w.example.", msg.TypeA}, {"y.w.example.", msg.TypeA}, {"a.example.", msg.TypeDS}, {"b.example.", msg.TypeDS},
		} {
			r := w.judge(v, q.name, q.typ, now)
			if r.Status != Secure && (c.what != "optout" || r.Status != Insecure) {
				t.Errorf("%s: %s %s is %s (%s)", c.what, q.name, q.typ, r.Status, r.EDE)
			}
		}
	}
}

// chainOf returns the NSEC and NSEC3 records of a zone as lines, their names in lower case.
func chainOf(rrs []msg.RR) (lines []string) {
	for _, r := range rrs {
		if r.Type == msg.TypeNSEC || r.Type == msg.TypeNSEC3 {
			lines = append(lines, strings.ToLower(r.String()))
		}
	}
	slices.Sort(lines)
	return lines
}
