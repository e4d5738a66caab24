package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Requirements is what all RFCs ask, in the order of the file.
type Requirements struct {
	RFCs []*RFC
}

// RFC is what one asks.
type RFC struct {
	Number string // "9293"
	Title  string
	Items  []*Requirement
}

// Requirement is one sentence of an RFC, and what proves that it is kept.
type Requirement struct {
	ID      string // MUST-1; unique within the RFC
	Level   string // one of Levels
	Section string // §3.1
	Asked   string // in our own words
	// Scripts is the scripts that show it, below the directory of the file and without their
	// extension; Tests the Go tests.
	Scripts []string
	Tests   []Test
	// Design says where the code is built so that it holds; Missing why what may be left out is not
	// there; Departs why weir does otherwise, in all of it or, where scripts or tests are named, in a
	// part. At most one of them is not empty.
	Design, Missing, Departs string
	Line                     int // of the file
}

// Test is a Go test.
type Test struct {
	Package string // its path below the module: stack/tcp
	Name    string
}

// String is the test as the file has it.
func (t Test) String() string { return goPrefix + t.Package + "." + t.Name }

// Levels is what a requirement may be.
var Levels = []string{"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"}

// Must reports whether the requirement has to be kept.
func (r *Requirement) Must() bool { return strings.HasPrefix(r.Level, "MUST") }

// Proved reports whether anything is named that proves it.
func (r *Requirement) Proved() bool { return len(r.Scripts)+len(r.Tests) > 0 || r.Design != "" }

const (
	goPrefix      = "go:"
	designPrefix  = "by design:"
	missingPrefix = "not implemented:"
	departsPrefix = "not followed:"
)

// Read reads the file of requirements, whose name stands in errors: file, line and what is
// wrong with it.
func Read(name string, r io.Reader) (*Requirements, error) {
	all := new(Requirements)
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := all.add(line, n); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return all, nil
}

// add takes in a line that is no comment.
func (a *Requirements) add(line string, n int) error {
	if rest, ok := strings.CutPrefix(line, "RFC "); ok {
		number, title, _ := strings.Cut(rest, " ")
		if number == "" || title == "" {
			return fmt.Errorf("expected the RFC's number and its title, found %q", line)
		}
		a.RFCs = append(a.RFCs, &RFC{Number: number, Title: strings.TrimSpace(title)})
		return nil
	}
	if len(a.RFCs) == 0 {
		return fmt.Errorf("expected a line RFC NUMBER TITLE before the first requirement")
	}
	rfc := a.RFCs[len(a.RFCs)-1]
	q, err := requirement(line)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(rfc.Items, func(o *Requirement) bool { return o.ID == q.ID }) {
		return fmt.Errorf("%s of RFC %s is there twice", q.ID, rfc.Number)
	}
	q.Line = n
	rfc.Items = append(rfc.Items, q)
	return nil
}

// requirement reads the five fields of a line.
func requirement(line string) (*Requirement, error) {
	f := strings.Split(line, "|")
	if len(f) != 5 {
		return nil, fmt.Errorf("expected five fields parted by bars (id | level | section | what is asked | proof), found %d", len(f))
	}
	for i := range f {
		if f[i] = strings.TrimSpace(f[i]); f[i] == "" {
			return nil, fmt.Errorf("field %d is empty", i+1)
		}
	}
	q := &Requirement{ID: f[0], Level: f[1], Section: f[2], Asked: f[3]}
	if !slices.Contains(Levels, q.Level) {
		return nil, fmt.Errorf("%s: expected %s, found %q", q.ID, strings.Join(Levels, ", "), q.Level)
	}
	return q, q.proof(f[4])
}

// proof reads the last field.
func (r *Requirement) proof(text string) error {
	remarks := []struct {
		prefix string
		field  *string
	}{{designPrefix, &r.Design}, {missingPrefix, &r.Missing}, {departsPrefix, &r.Departs}}
	for text != "" {
		for _, m := range remarks {
			if rest, ok := strings.CutPrefix(text, m.prefix); ok {
				*m.field = strings.TrimSpace(rest)
				return r.said(*m.field)
			}
		}
		word, rest, _ := strings.Cut(text, " ")
		text = strings.TrimSpace(rest)
		test, ok := strings.CutPrefix(word, goPrefix)
		if !ok {
			r.Scripts = append(r.Scripts, word)
			continue
		}
		dot := strings.LastIndexByte(test, '.')
		if dot <= 0 || !strings.HasPrefix(test[dot+1:], "Test") {
			return fmt.Errorf("%s: expected go:PACKAGE.TestName, found %q", r.ID, word)
		}
		r.Tests = append(r.Tests, Test{test[:dot], test[dot+1:]})
	}
	return nil
}

func (r *Requirement) said(why string) error {
	if why == "" {
		return fmt.Errorf("%s: expected where or why after the colon", r.ID)
	}
	return nil
}
