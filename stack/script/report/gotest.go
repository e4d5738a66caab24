package report

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
)

// The outcomes of a proof.
const (
	Passed  = "pass"
	Failed  = "FAIL"
	Skipped = "skipped"
	NotRun  = "not run"
)

// Tests is the names of all Go tests that the requirements name, by package.
func (a *Requirements) Tests() map[string][]string {
	list := map[string][]string{}
	for _, rfc := range a.RFCs {
		for _, q := range rfc.Items {
			for _, t := range q.Tests {
				if !slices.Contains(list[t.Package], t.Name) {
					list[t.Package] = append(list[t.Package], t.Name)
				}
			}
		}
	}
	return list
}

// RunTests runs the Go tests that the requirements name by the go command, in the module whose root
// is dir, and returns Passed, Failed or Skipped for each; a test that did not end, as its package
// does not build, has none. The error is that go cannot be run, or that the context ended.
func RunTests(ctx context.Context, dir string, req *Requirements) (map[Test]string, error) {
	results := map[Test]string{}
	tests := req.Tests()
	for _, pkg := range slices.Sorted(maps.Keys(tests)) {
		pattern := "^(" + strings.Join(tests[pkg], "|") + ")$"
		cmd := exec.CommandContext(ctx, "go", "test", "-json", "-timeout", "10m", "-run", pattern, "./"+pkg)
		cmd.Dir = dir
		out, err := cmd.Output() // a test that fails is an error as well; what failed is in the output
		var exit *exec.ExitError
		if err != nil && (ctx.Err() != nil || !errors.As(err, &exit)) {
			return nil, fmt.Errorf("run the tests of %s in %s: %w", pkg, dir, errors.Join(err, ctx.Err()))
		}
		if err := readEvents(bytes.NewReader(out), pkg, results); err != nil {
			return nil, fmt.Errorf("read what go test says of %s: %w", pkg, err)
		}
	}
	return results, nil
}

// readEvents takes the ends of tests out of what go test -json writes; what runs within a test
// does not count by itself.
func readEvents(r io.Reader, pkg string, results map[Test]string) error {
	names := map[string]string{"pass": Passed, "fail": Failed, "skip": Skipped}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e struct{ Action, Test string }
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue // what a compiler or a linker has to say
		}
		if what, ok := names[e.Action]; ok && e.Test != "" && !strings.Contains(e.Test, "/") {
			results[Test{pkg, e.Test}] = what
		}
	}
	return lines.Err()
}
