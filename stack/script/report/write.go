package report

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/weirnet/weir/stack/script"
)

// Scripts sorts the results of scripts by the names that the requirements have for them; dir is where
// the file of requirements lies. Of several results of one script the worst counts.
func Scripts(dir string, results ...[]*script.Result) map[string]string {
	worst := map[string]string{}
	rank := map[string]int{Passed: 1, Skipped: 2, Failed: 3}
	for _, list := range results {
		for _, r := range list {
			name, err := filepath.Rel(dir, r.File)
			if err != nil {
				continue
			}
			name = strings.TrimSuffix(filepath.ToSlash(name), script.Extension)
			if o := outcome(r.Outcome); rank[o] > rank[worst[name]] {
				worst[name] = o
			}
		}
	}
	return worst
}

func outcome(o script.Outcome) string {
	switch o {
	case script.Pass:
		return Passed
	case script.Skip:
		return Skipped
	}
	return Failed
}

// The results of requirements beyond those of their proofs.
const (
	byDesign       = "by design"
	notImplemented = "not implemented"
	inPart         = "in part"
	notFollowed    = "not followed"
)

// Result is what becomes of a requirement: Failed where one of its proofs fails, NotRun or Skipped
// where one was, Passed where all pass, or "in part" where weir departs from the rest. One
// without scripts and tests holds by design, is not implemented or not followed.
func (r *Requirement) Result(scripts map[string]string, tests map[Test]string) string {
	var all []string
	for _, s := range r.Scripts {
		all = append(all, scripts[s])
	}
	for _, t := range r.Tests {
		all = append(all, tests[t])
	}
	switch {
	case r.Missing != "":
		return notImplemented
	case len(all) == 0 && r.Departs != "":
		return notFollowed
	case len(all) == 0:
		return byDesign
	}
	worst := Passed
	for _, o := range all {
		switch {
		case o == Failed:
			return Failed
		case o == "":
			worst = NotRun
		case o == Skipped && worst == Passed:
			worst = Skipped
		}
	}
	if worst == Passed && r.Departs != "" {
		return inPart
	}
	return worst
}

// Write writes the table RFC → requirement → level → proof → result in Markdown, with a summary
// before it. scripts is from Scripts; tests is from RunTests, or nil where none were run.
func Write(w io.Writer, req *Requirements, scripts map[string]string, tests map[Test]string) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "# What the RFCs ask of TCP, and what proves it\n\n"+
		"Written by `weir script --report`, from `stack/tcp/testdata/requirements.txt`. A script is a path below\n"+
		"`stack/tcp/testdata`; it ran over the data path that merges segments and over the one that does not.\n\n")
	writeSummary(b, req, scripts, tests)
	for _, rfc := range req.RFCs {
		fmt.Fprintf(b, "\n## RFC %s: %s\n\n| Requirement | Section | Level | What is asked | Proof | Result |\n|---|---|---|---|---|---|\n", rfc.Number, rfc.Title)
		for _, q := range rfc.Items {
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", q.ID, q.Section, q.Level, q.Asked, q.proofs(), q.Result(scripts, tests))
		}
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// writeSummary counts the results of each RFC.
func writeSummary(b *bufio.Writer, req *Requirements, scripts map[string]string, tests map[Test]string) {
	columns := []string{Passed, Failed, Skipped, NotRun, byDesign, inPart, notFollowed, notImplemented}
	fmt.Fprintf(b, "| RFC | %s |\n|---|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for _, rfc := range req.RFCs {
		count := map[string]int{}
		for _, q := range rfc.Items {
			count[q.Result(scripts, tests)]++
		}
		fmt.Fprintf(b, "| RFC %s |", rfc.Number)
		for _, c := range columns {
			fmt.Fprintf(b, " %d |", count[c])
		}
		fmt.Fprintln(b)
	}
}

// proofs is the last field of the file, for a cell of a table.
func (r *Requirement) proofs() string {
	var list []string
	for _, s := range r.Scripts {
		list = append(list, "`"+s+"`")
	}
	for _, t := range r.Tests {
		list = append(list, "`"+strings.TrimPrefix(t.String(), goPrefix)+"`")
	}
	if said := r.Design + r.Missing + r.Departs; said != "" {
		list = append(list, said)
	}
	return strings.Join(list, ", ")
}
