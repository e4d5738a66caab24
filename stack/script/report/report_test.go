package report

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/weirnet/weir/stack/script"
)

const (
	root = "../../.."
	dir  = root + "/stack/tcp/testdata"
	file = dir + "/requirements.txt"
)

func requirements(t *testing.T) *Requirements {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	req, err := Read(file, f)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// each calls f for every requirement.
func each(req *Requirements, f func(*RFC, *Requirement)) {
	for _, rfc := range req.RFCs {
		for _, q := range rfc.Items {
			f(rfc, q)
		}
	}
}

// TestEveryRequirementOfRFC9293IsListed: Appendix B numbers them MUST-1 to 69, SHLD-1 to 31,
// MAY-1 to 18 and REC-1.
func TestEveryRequirementOfRFC9293IsListed(t *testing.T) {
	want := []string{"REC-1"}
	for _, kind := range []struct {
		name string
		last int
	}{{"MUST", 69}, {"SHLD", 31}, {"MAY", 18}} {
		for n := range kind.last {
			want = append(want, fmt.Sprintf("%s-%d", kind.name, n+1))
		}
	}
	var got []string
	each(requirements(t), func(rfc *RFC, q *Requirement) {
		if rfc.Number == "9293" {
			got = append(got, q.ID)
			if kind, _, _ := strings.Cut(q.ID, "-"); !strings.HasPrefix(q.Level, map[string]string{"MUST": "MUST", "SHLD": "SHOULD", "MAY": "MAY", "REC": "SHOULD"}[kind]) {
				t.Errorf("line %d: %s is a %s", q.Line, q.ID, q.Level)
			}
		}
	})
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestEveryRFCOfTheIssueIsListed is the rest of what the table is to be about.
func TestEveryRFCOfTheIssueIsListed(t *testing.T) {
	var got []string
	for _, rfc := range requirements(t).RFCs {
		got = append(got, rfc.Number)
		if len(rfc.Items) < 4 {
			t.Errorf("RFC %s has %d requirements", rfc.Number, len(rfc.Items))
		}
	}
	if want := []string{"9293", "7323", "2018", "5961", "6191", "6298", "6093", "5482"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestEveryProofExists: the scripts and the tests that the file names are there, and no MUST is
// without any.
func TestEveryProofExists(t *testing.T) {
	tests := map[string][]string{}
	each(requirements(t), func(rfc *RFC, q *Requirement) {
		for _, s := range q.Scripts {
			if info, err := os.Stat(filepath.Join(dir, s+script.Extension)); err != nil || info.IsDir() {
				t.Errorf("line %d: RFC %s %s names %s, which is no script: %v", q.Line, rfc.Number, q.ID, s, err)
			}
		}
		for _, p := range q.Tests {
			if tests[p.Package] == nil {
				tests[p.Package] = testsOf(t, p.Package)
			}
			if !slices.Contains(tests[p.Package], p.Name) {
				t.Errorf("line %d: RFC %s %s names %v, which is no test", q.Line, rfc.Number, q.ID, p)
			}
		}
		if q.Must() && q.Departs == "" && (!q.Proved() || q.Missing != "") {
			t.Errorf("line %d: RFC %s %s is a %s without a proof", q.Line, rfc.Number, q.ID, q.Level)
		}
		if !q.Proved() && q.Missing == "" && q.Departs == "" {
			t.Errorf("line %d: RFC %s %s has no proof, and no reason why", q.Line, rfc.Number, q.ID)
		}
	})
}

// TestWhatEveryTCPMustDoIsDoneButThis is the whole list of what weir does otherwise though an RFC
// says MUST: source routes, which RFC 7126 would have dropped, and advice to an IP that has one
// way only. It is not to grow unseen.
func TestWhatEveryTCPMustDoIsDoneButThis(t *testing.T) {
	var got []string
	each(requirements(t), func(rfc *RFC, q *Requirement) {
		if q.Must() && q.Departs != "" {
			got = append(got, rfc.Number+" "+q.ID)
		}
	})
	if want := []string{"9293 MUST-20", "9293 MUST-51", "9293 MUST-52", "9293 MUST-53"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

var testFunc = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)

// testsOf finds the tests of a package by its source.
func testsOf(t *testing.T, pkg string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pkg, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Errorf("%s has no tests: %v", pkg, err)
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testFunc.FindAllSubmatch(src, -1) {
			names = append(names, string(m[1]))
		}
	}
	return names
}

// TestEveryScriptOfRFC9293ProvesSomething: a script that no requirement names is one that the table
// does not tell of. Scripts of §3.10.7, which has no numbers, say its step instead.
func TestEveryScriptOfRFC9293ProvesSomething(t *testing.T) {
	named := map[string]bool{}
	each(requirements(t), func(_ *RFC, q *Requirement) {
		for _, s := range q.Scripts {
			named[s] = true
		}
	})
	files, err := script.Paths([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	id := regexp.MustCompile(`\b(MUST|SHLD|MAY|REC)-\d+`)
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(string(src), "\n\n")
		name, _ := filepath.Rel(dir, strings.TrimSuffix(f, script.Extension))
		if ids := id.FindAllString(head, -1); len(ids) > 0 && !named[name] {
			t.Errorf("%s says that it shows %s, but no requirement names it", name, strings.Join(ids, ", "))
		}
	}
}

func TestMistakesAreToldWithTheirLine(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"MUST-1 | MUST | §1 | x | y", "f:1: expected a line RFC NUMBER TITLE before the first requirement"},
		{"RFC 1", `f:1: expected the RFC's number and its title, found "RFC 1"`},
		{"# c\nRFC 1 T\nMUST-1 | MUST | §1 | x", "f:3: expected five fields parted by bars (id | level | section | what is asked | proof), found 4"},
		{"RFC 1 T\nMUST-1 | MUST | | x | y", "f:2: field 3 is empty"},
		{"RFC 1 T\nA | SHALL | §1 | x | y", `f:2: A: expected MUST, MUST NOT, SHOULD, SHOULD NOT, MAY, found "SHALL"`},
		{"RFC 1 T\nA | MAY | §1 | x | y\n\nA | MAY | §1 | x | y", "f:4: A of RFC 1 is there twice"},
		{"RFC 1 T\nA | MAY | §1 | x | go:stack/tcp", `f:2: A: expected go:PACKAGE.TestName, found "go:stack/tcp"`},
		{"RFC 1 T\nA | MAY | §1 | x | y not implemented: ", "f:2: A: expected where or why after the colon"},
	} {
		if _, err := Read("f", strings.NewReader(c.text)); err == nil || err.Error() != c.want {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
}

func TestTheTableShowsEveryOutcome(t *testing.T) {
	req, err := Read("f", strings.NewReader(`RFC 1 First
a | MUST | §1 | runs | s/one go:stack/x.TestA
b | MUST | §2 | fails | s/one s/two
c | SHOULD | §3 | is not run | go:stack/x.TestB s/one
d | MUST NOT | §4 | is so | by design: in the code
e | MAY | §5 | is not there | not implemented: nobody asks
f | MUST | §6 | is skipped | s/three by design: somewhere
g | MUST | §7 | is otherwise | not followed: for a reason
h | MUST | §8 | is otherwise in part | s/one not followed: for another
`))
	if err != nil {
		t.Fatal(err)
	}
	result := func(name string, o script.Outcome) *script.Result {
		return &script.Result{File: "d/s/" + name + ".pkt", Outcome: o}
	}
	scripts := Scripts("d", []*script.Result{result("one", script.Pass), result("two", script.Fail), result("three", script.Skip)},
		[]*script.Result{result("one", script.Pass), result("two", script.Pass), result("three", script.Pass)})
	tests := map[Test]string{}
	events := `{"Action":"run","Test":"TestA"}
# a line of the compiler
{"Action":"fail","Test":"TestA/part"}
{"Action":"pass","Test":"TestA"}
{"Action":"pass"}
`
	if err := readEvents(strings.NewReader(events), "stack/x", tests); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := Write(&b, req, scripts, tests); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"## RFC 1: First",
		"| RFC 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 |",
		"| a | §1 | MUST | runs | `s/one`, `stack/x.TestA` | pass |",
		"| b | §2 | MUST | fails | `s/one`, `s/two` | FAIL |",
		"| c | §3 | SHOULD | is not run | `s/one`, `stack/x.TestB` | not run |",
		"| d | §4 | MUST NOT | is so | in the code | by design |",
		"| e | §5 | MAY | is not there | nobody asks | not implemented |",
		"| f | §6 | MUST | is skipped | `s/three`, somewhere | skipped |",
		"| g | §7 | MUST | is otherwise | for a reason | not followed |",
		"| h | §8 | MUST | is otherwise in part | `s/one`, for another | in part |",
	} {
		if !strings.Contains(b.String(), line+"\n") {
			t.Errorf("no line %q in\n%s", line, b.String())
		}
	}
}

// TestGoTestsAreRun asks the go command about one test that exists and one that does not.
func TestGoTestsAreRun(t *testing.T) {
	req, err := Read("f", strings.NewReader("RFC 1 T\na | MAY | §1 | x | go:stack/seq.TestNone go:stack/script/report.TestMistakesAreToldWithTheirLine\n"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := RunTests(t.Context(), root, req)
	if err != nil {
		t.Fatal(err)
	}
	want := Test{"stack/script/report", "TestMistakesAreToldWithTheirLine"}
	if len(got) != 1 || got[want] != Passed {
		t.Errorf("%v", got)
	}
	if _, err := RunTests(t.Context(), filepath.Join(root, "none"), req); err == nil {
		t.Error("a directory that is not there is no error")
	}
}

// The report in the tree is what the command writes when everything holds.
func TestTheReportInTheTreeIsUpToDate(t *testing.T) {
	req := requirements(t)
	scripts, tests := map[string]string{}, map[Test]string{}
	for _, rfc := range req.RFCs {
		for _, r := range rfc.Items {
			for _, s := range r.Scripts {
				scripts[s] = Passed
			}
			for _, g := range r.Tests {
				tests[g] = Passed
			}
		}
	}
	var b strings.Builder
	if err := Write(&b, req, scripts, tests); err != nil {
		t.Fatal(err)
	}
	const name = "../../tcp/testdata/REPORT.md"
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Errorf("%s is not what the requirements give; write it anew: go run ./cmd/weir script --report %s --go-tests stack/tcp/testdata",
			name, "stack/tcp/testdata/REPORT.md")
	}
}
