package script_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirnet/weir/stack/script"
	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/script/parse"
)

// rfcScripts is weir's own scripts, a folder for each RFC.
const rfcScripts = "../tcp/testdata"

// rfcFiles lists them.
func rfcFiles(t *testing.T) []string {
	t.Helper()
	files, err := script.Paths([]string{rfcScripts})
	if err != nil || len(files) < 120 {
		t.Fatalf("%d scripts below %s: %v", len(files), rfcScripts, err)
	}
	return files
}

func rfcName(file string) string {
	name, _ := filepath.Rel(rfcScripts, file)
	return strings.TrimSuffix(name, script.Extension)
}

// writtenFor reports whether a script holds for one family only.
func writtenFor(s *ast.Script) bool {
	for _, o := range s.Options {
		if o.Name == "ip_version" {
			return true
		}
	}
	return false
}

// TestScriptsOfTheRFCs runs every script with super-segments and without; and over both
// families, where it is not written for one. None may be skipped.
func TestScriptsOfTheRFCs(t *testing.T) {
	for _, file := range rfcFiles(t) {
		t.Run(rfcName(file), func(t *testing.T) {
			t.Parallel()
			for _, o := range variants(t, file) {
				if r := script.RunFile(file, o); r.Outcome != script.Pass {
					t.Fatalf("family %q, offload %v: %v", r.Family, o.Offload, r)
				}
			}
		})
	}
}

// variants is all ways in which a script must hold.
func variants(t *testing.T, file string) (list []script.Options) {
	families := []string{script.FamilyIPv4, script.FamilyIPv6}
	if writtenFor(parsed(t, file)) {
		families = []string{""}
	}
	for _, f := range families {
		for _, offload := range []bool{false, true} {
			list = append(list, script.Options{Family: f, Offload: offload})
		}
	}
	return list
}

func parsed(t *testing.T, file string) *ast.Script {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := parse.File(file, src)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEveryScriptSaysWhatItShows: a script begins with a comment that names the RFC whose folder it is in, or another.
func TestEveryScriptSaysWhatItShows(t *testing.T) {
	for _, file := range rfcFiles(t) {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(string(src), "\n\n")
		for _, line := range strings.Split(head, "\n") {
			if !strings.HasPrefix(line, "// ") {
				t.Errorf("%s: %q stands before the first empty line and is no comment", rfcName(file), line)
			}
		}
		if !strings.Contains(head, "RFC ") || !strings.Contains(head, "§") {
			t.Errorf("%s: its comment names no section of an RFC", rfcName(file))
		}
	}
}

// TestScriptsOfTheRFCsCanFail breaks every expectation of every script, one at a time, and has the
// script fail there: the number of a packet out, and the result of a call.
func TestScriptsOfTheRFCsCanFail(t *testing.T) {
	broken := 0
	for _, file := range rfcFiles(t) {
		events := parsed(t, file).Events
		for i := range events {
			s := parsed(t, file) // a fresh tree, since it is changed
			if !spoil(s.Events[i]) {
				continue
			}
			broken++
			line := s.Events[i].Pos.Line
			r := script.Run(s, script.Options{Offload: i%2 == 1})
			if r.Outcome != script.Fail || r.Failure.Line != line {
				t.Errorf("%s line %d (%v) was spoiled: %v", rfcName(file), line, s.Events[i], r)
			}
		}
	}
	t.Logf("%d expectations", broken)
}

// spoil makes an expectation wrong, and reports whether the event has one.
func spoil(e *ast.Event) bool {
	switch {
	case e.Packet != nil && e.Packet.Direction == ast.Out && e.Packet.TCP != nil:
		seq := &e.Packet.TCP.Seq
		if e.Packet.TCP.Bits()&ast.SYN != 0 { // the first SYN's number is what the script says
			e.Packet.TCP.Flags = strings.ReplaceAll(e.Packet.TCP.Flags, "S", "SU")
			return true
		}
		seq.Start, seq.End = seq.Start+7, seq.End+7
		return true
	case e.Syscall != nil:
		return spoilResult(e.Syscall)
	}
	return false
}

// spoilResult makes the result of a call wrong: a number by one, and an error another.
func spoilResult(c *ast.Syscall) bool {
	if c.Errno != "" {
		c.Errno = map[bool]string{true: "EIO", false: "ENOSPC"}[c.Errno != "EIO"]
		return true
	}
	n, ok := c.Result.(*ast.Int)
	if !ok || c.Name == "socket" || c.Name == "accept" { // a descriptor is the script's to name
		return false
	}
	n.Value++
	return true
}
