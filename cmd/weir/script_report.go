package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/weirnet/weir/stack/script"
	"github.com/weirnet/weir/stack/script/report"
)

// requirementsName is the file beside the scripts that says which requirement each one proves.
const requirementsName = "requirements.txt"

// writeReport writes the table RFC → requirement → level → proof → result for a directory of scripts
// with its file of requirements.
func (f *scriptFlags) writeReport(ctx context.Context, out io.Writer, args []string, results []*script.Result) error {
	dir := args[0]
	name := filepath.Join(dir, requirementsName)
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("report: %w; the requirements that scripts prove are listed there", err)
	}
	defer file.Close()
	req, err := report.Read(name, file)
	if err != nil {
		return err
	}
	var tests map[report.Test]string
	if f.goTests {
		root, err := moduleRoot(dir)
		if err != nil {
			return err
		}
		if tests, err = report.RunTests(ctx, root, req); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	if err := report.Write(&b, req, report.Scripts(dir, results), tests); err != nil {
		return err
	}
	if f.report == "-" {
		_, err = b.WriteTo(out)
		return err
	}
	return os.WriteFile(f.report, b.Bytes(), 0o644)
}

// moduleRoot finds the folder with go.mod at or above dir.
func moduleRoot(dir string) (string, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at, nil
		}
		up := filepath.Dir(at)
		if up == at {
			return "", errors.New("--go-tests: no go.mod above " + dir + ": the tests are run from the sources")
		}
		at = up
	}
}
