package main_test

import (
	"os"
	"path/filepath"
	"testing"
)

// TestReloadIsAskedForByCommand has weir dns reload read two zones again, the second time one of them with a line that is wrong.
func TestReloadIsAskedForByCommand(t *testing.T) {
	l, dir := newLab(t), t.TempDir()
	good, bad := filepath.Join(dir, "example.org.zone"), filepath.Join(dir, "example.net.zone")
	smallZone(t, good, "example.org", 1)
	smallZone(t, bad, "example.net", 1)
	u := l.serveNames("--zone", "example.org="+good, "--zone", "example.net="+bad)
	serials := func(org, net string) {
		t.Helper()
		if a, b := l.soa(weir4, "example.org"), l.soa(weir4, "example.net"); a != org || b != net {
			t.Errorf("serial numbers %s and %s, want %s and %s", a, b, org, net)
		}
	}
	smallZone(t, good, "example.org", 2)
	smallZone(t, bad, "example.net", 2)
	if r := l.weir("dns", "reload", "--control", u.control); r.status != 0 || r.stdout != "zones read again\n" {
		t.Errorf("zones that are right: %v", r)
	}
	serials("2", "2")
	smallZone(t, good, "example.org", 3)
	smallZone(t, bad, "example.net", 3)
	text, err := os.ReadFile(bad)
	must(t, err)
	must(t, os.WriteFile(bad, append(text, "www A 1\n"...), 0o644))
	r := l.weir("dns", "reload", "--control", u.control)
	oneLine(t, r, "zone example.net. stays as it was")
	says(t, "what is wrong", r.stderr, "stays as it was", bad+":6")
	serials("3", "2")
	oneLine(t, l.weir("dns", "reload", "--control", filepath.Join(dir, "nobody")), "nobody")
}
