package script

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/script/parse"
)

// Extension is what the name of a packet script ends with.
const Extension = ".pkt"

// SuiteOptions says how many scripts are run.
type SuiteOptions struct {
	Options
	// Parallel is how many run at once; 0 is one for each processor.
	Parallel int
	// Done is called for each script as it ends, one at a time, in no certain order.
	Done func(*Result)
}

// Paths lists the scripts that paths name: files as they are, and in directories, however deep,
// every file whose name ends with Extension. The order is that of the arguments, and within a
// directory that of the names.
func Paths(paths []string) (files []string, err error) {
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, fmt.Errorf("find scripts: %w", err)
		}
		if !info.IsDir() {
			files = append(files, p)
			continue
		}
		err = filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(path, Extension) {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("find scripts: %w", err)
		}
	}
	return files, nil
}

// RunPaths runs every script that paths name, and returns the results in the order of Paths.
// The error is that of a path that is not there.
func RunPaths(paths []string, o SuiteOptions) ([]*Result, error) {
	files, err := Paths(paths)
	if err != nil {
		return nil, err
	}
	workers := o.Parallel
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	results := make([]*Result, len(files))
	var mu sync.Mutex
	var group sync.WaitGroup
	next := make(chan int)
	for range min(workers, len(files)) {
		group.Go(func() {
			for i := range next {
				if o.Interrupted != nil && o.Interrupted() {
					results[i] = (&Result{File: files[i]}).end(errInterrupted)
					continue
				}
				results[i] = RunFile(files[i], o.Options)
				if o.Done != nil {
					mu.Lock()
					o.Done(results[i])
					mu.Unlock()
				}
			}
		})
	}
	for i := range files {
		next <- i
	}
	close(next)
	group.Wait()
	return slices.Clip(results), nil
}

// RunFile reads and runs one script.
func RunFile(file string, o Options) *Result {
	began := time.Now()
	src, err := os.ReadFile(file)
	if err != nil {
		return &Result{File: file, Outcome: Invalid, Reason: err.Error()}
	}
	return runSource(file, src, o, began)
}

// RunSource reads and runs a script that is not a file; name stands in messages.
func RunSource(name string, src []byte, o Options) *Result {
	return runSource(name, src, o, time.Now())
}

// commented finds the settings of Google's suite in a comment: copies of it are about that were made for
// tools that run no commands. Such a script is written for those settings all the same.
var commented = regexp.MustCompile("(?m)^[ \t]*(//|#).*`[./]*common/defaults\\.sh")

func hasCommands(s *ast.Script) bool {
	return slices.ContainsFunc(s.Events, func(e *ast.Event) bool { return e.Command != nil })
}

func runSource(name string, src []byte, o Options, began time.Time) *Result {
	s, err := parse.File(name, src)
	if err != nil {
		return &Result{File: name, Outcome: Invalid, Reason: err.Error(), Real: time.Since(began)}
	}
	if o.Profile == "" && commented.Match(src) && !hasCommands(s) {
		s.Events = append([]*ast.Event{{Command: &ast.Command{Text: "defaults.sh"}}}, s.Events...)
	}
	r := Run(s, o)
	if r.Failure != nil {
		if lines := strings.Split(string(src), "\n"); r.Failure.Line >= 1 && r.Failure.Line <= len(lines) {
			r.Failure.Source = strings.TrimSpace(lines[r.Failure.Line-1])
		}
	}
	return r
}
