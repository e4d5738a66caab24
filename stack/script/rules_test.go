package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each rule of testdata/rules has a script that must pass and one that must fail, and say why.
func TestRules(t *testing.T) {
	files, err := filepath.Glob("testdata/rules/*.pkt")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), Extension), func(t *testing.T) {
			r := RunFile(f, Options{})
			if strings.HasSuffix(f, ".pass.pkt") {
				if r.Outcome != Pass {
					t.Errorf("%v", r)
				}
				return
			}
			want := wanted(t, f)
			if r.Outcome != Fail && r.Outcome != Invalid || r.Reason != want {
				t.Errorf("want: %s\n%v", want, r)
			}
		})
	}
}

// wanted reads the reason that a script gives in a comment.
func wanted(t *testing.T, file string) string {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(src)) {
		if w, ok := strings.CutPrefix(line, "// want: "); ok {
			return strings.TrimSpace(w)
		}
	}
	t.Fatalf("%s does not say what it wants", file)
	return ""
}
