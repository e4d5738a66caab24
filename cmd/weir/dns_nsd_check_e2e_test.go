package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/tree"
	"github.com/weirnet/weir/apps/dns/zone"
)

// checkedZones are the master files of testdata/zones, by what named-checkzone thinks of them. weir's verdict is the same but
// where why says something.
var checkedZones = []struct {
	file string
	good bool
	why  string // weir takes it although BIND does not
}{
	{"good-plain", true, ""},
	{"good-include", true, ""},
	{"good-generate", true, ""},
	{"good-ttl", true, ""},
	{"good-warnings", true, ""},
	{"bad-cname", false, ""},
	{"bad-glueless-ns", false, ""},
	{"bad-include", false, ""},
	{"bad-nosoa", false, ""},
	{"bad-owner", false, ""},
	{"bad-paren", false, ""},
	{"bad-rdata", false, ""},
	{"bad-svcb", false, ""},
	{"bad-type", false, ""},
	{"bad-generate-words", false, "rdata of several words after $GENERATE need no quotes here"},
}

// TestCheckAgreesWithNamedCheckzone has both judge the same files, and holds what weir reads against named-compilezone's
// canonical text.
func TestCheckAgreesWithNamedCheckzone(t *testing.T) {
	l := newLab(t)
	files, err := filepath.Glob("testdata/zones/*.zone")
	must(t, err)
	if len(files) != len(checkedZones) {
		t.Errorf("%d files, %d verdicts", len(files), len(checkedZones))
	}
	for _, c := range checkedZones {
		path, err := filepath.Abs(filepath.Join("testdata", "zones", c.file+".zone"))
		must(t, err)
		theirs := l.run("", "named-checkzone", "-w", filepath.Dir(path), "example", path)
		ours := l.finish("", command(weirBinary(t), "dns", "check", "--origin", "example", path), patience)
		if (theirs.status == 0) != c.good || (ours.status == 0) != (c.good || c.why != "") {
			t.Errorf("%s: named-checkzone %v\nweir dns check %v", c.file, theirs, ours)
		}
		if c.good {
			l.sameText(path, "example")
		}
	}
	path, err := filepath.Abs("testdata/types.zone")
	must(t, err)
	l.sameText(path, "types.example")
}

// sameText holds the records that weir reads against those that named-compilezone writes, in that order of names.
func (l *lab) sameText(path, origin string) {
	l.t.Helper()
	compiled := filepath.Join(l.t.TempDir(), "compiled")
	l.ok("", "named-compilezone", "-w", filepath.Dir(path), "-i", "none", "-k", "ignore", "-F", "text", "-s", "full", "-o", compiled, origin, path)
	list := func(path string) (records []msg.RR) {
		z, err := zone.LoadFile(path, msg.MustName(origin), zone.ReadOptions{})
		must(l.t, err)
		for rr := range z.All() {
			rr.Name = rr.Name.Fold()
			records = append(records, rr)
		}
		return records
	}
	text, err := os.ReadFile(compiled)
	must(l.t, err)
	ours, theirs := list(path), list(compiled)
	if n := strings.Count(strings.TrimSpace(string(text)), "\n") + 1; len(ours) != n {
		l.t.Errorf("%s: %d records, named-compilezone writes %d lines", path, len(ours), n)
	}
	if !slices.Equal(ours, theirs) {
		l.t.Errorf("%s: weir reads\n%s\nnamed-compilezone\n%s", path, tree.Text(ours), tree.Text(theirs))
	}
}
