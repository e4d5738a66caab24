package stack_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var fileSet = token.NewFileSet()

// module is the path that begins every package of the module.
const module = "github.com/weirnet/weir"

// root is the module's directory, seen from this package's.
const root = ".."

// source is a parsed file; path is its place from the module's root.
type source struct {
	path string
	file *ast.File
}

func (s *source) dir() string  { return path.Dir(s.path) }
func (s *source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// at begins a complaint with the place that it is about.
func (s *source) at(p token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", s.path, fileSet.Position(p).Line, fmt.Sprintf(format, args...))
}

// matches reports whether a path is what a pattern of the tables means.
func matches(pattern, p string) bool {
	if pattern == "*" {
		return true
	}
	if under, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(p, under+"/")
	}
	return p == pattern
}

func matchesAny(patterns []string, p string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, p) })
}

// rowFor returns the row of a table that counts for a path: the one of the longest pattern.
func rowFor(table map[string][]string, p string) ([]string, bool) {
	best, found := "", false
	for pattern := range maps.Keys(table) {
		if matches(pattern, p) && len(pattern) >= len(best) {
			best, found = pattern, true
		}
	}
	return table[best], found
}

// floorOf returns the floor that a package stands on: that of the package above it where it
// has none of its own, but for those right below the public face. -1: none.
func floorOf(p string) int {
	for ; p != "stack" && p != "."; p = path.Dir(p) {
		if i := slices.IndexFunc(floors, func(f []string) bool { return slices.Contains(f, p) }); i >= 0 {
			return i
		}
	}
	return -1
}

// checkArrows says which imports of a file the tables forbid.
func checkArrows(s *source) (complaints []string) {
	if s.isTest() {
		return checkTestArrows(s)
	}
	_, hasRow := rowFor(imports, s.dir())
	if s.dir() != "stack" && floorOf(s.dir()) < 0 && !hasRow {
		return []string{s.at(s.file.Package, "package %s stands on no floor: give it one in the tables", s.dir())}
	}
	for _, spec := range s.file.Imports {
		if why := arrow(s.dir(), importPath(spec)); why != "" {
			complaints = append(complaints, s.at(spec.Pos(), "%s", why))
		}
	}
	return complaints
}

// arrow says why a package may not import another; "" where it may.
func arrow(from, imported string) string {
	to, own := strings.CutPrefix(imported, module+"/")
	if !own {
		return foreign(from, imported)
	}
	if row, ok := rowFor(imports, from); ok {
		if !matchesAny(row, to) {
			return fmt.Sprintf("%s may not import %s: it imports %v only", from, to, row)
		}
		return ""
	}
	high, low := floorOf(from), floorOf(to)
	if from == "stack" {
		high = len(floors)
	}
	switch {
	case from != "stack" && strings.HasPrefix(to, from+"/"):
		return ""
	case low < 0 || low >= high:
		return fmt.Sprintf("%s is not below %s", to, from)
	case high < floorOf(driver) && blocks(to):
		return fmt.Sprintf("%s may block, so %s may not import it", to, from)
	}
	return ""
}

// blocks reports whether a package is a device, in whole or in part.
func blocks(p string) bool {
	return slices.ContainsFunc(devices, func(d string) bool { return d == p || isFile(d) && path.Dir(d) == p })
}

// isFile reports whether a path of the tables is a file's.
func isFile(p string) bool { return strings.HasSuffix(p, ".go") }

// foreign says why a package may not be built with another's; "" where it may. A path without a
// dot in its first element is the standard library's.
func foreign(from, imported string) string {
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return ""
	}
	row, _ := rowFor(modules, from)
	within := func(m string) bool { return m == "*" || imported == m || strings.HasPrefix(imported, m+"/") }
	if !slices.ContainsFunc(row, within) || slices.ContainsFunc(neverLinked, within) && !matchesAny(opponents, from) {
		return fmt.Sprintf("%s is not built with %s", from, imported)
	}
	return ""
}

func checkTestArrows(s *source) (complaints []string) {
	row, _ := rowFor(testImports, s.dir())
	for _, spec := range s.file.Imports {
		if to, own := strings.CutPrefix(importPath(spec), module+"/"); own && matchesAny(row, to) {
			complaints = append(complaints, s.at(spec.Pos(), "tests of %s and %s together are the command's", s.dir(), to))
		}
	}
	return complaints
}

// checkSansIO says what in a file breaks the rule of the packages below the driver.
func checkSansIO(s *source) (complaints []string) {
	floor := floorOf(s.dir())
	if floor < 0 || floor >= floorOf(driver) || s.isTest() || slices.Contains(devices, s.dir()) || slices.Contains(devices, s.path) {
		return nil
	}
	say := func(p token.Pos, format string, args ...any) {
		complaints = append(complaints, s.at(p, "below the driver: "+format, args...))
	}
	names := map[string]string{} // what the file calls the packages with forbidden names
	for _, spec := range s.file.Imports {
		p := importPath(spec)
		if matchesAny(forbiddenImports, p) && !matchesAny(allowedImports, p) {
			say(spec.Pos(), "import of %q", p)
		}
		if forbiddenNames[p] == nil {
			continue
		}
		switch {
		case spec.Name == nil:
			names[path.Base(p)] = p
		case spec.Name.Name == ".":
			say(spec.Pos(), "dot import of %q", p)
		default:
			names[spec.Name.Name] = p
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			say(n.Pos(), "go statement")
		case *ast.SendStmt:
			say(n.Pos(), "send")
		case *ast.SelectStmt:
			say(n.Pos(), "select")
		case *ast.ChanType:
			say(n.Pos(), "channel type")
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				say(n.Pos(), "receive")
			}
		case *ast.SelectorExpr:
			if name, ok := forbiddenName(s, names, n); ok {
				say(n.Pos(), "%s", name)
			}
		}
		return true
	})
	return complaints
}

// forbiddenName returns the name that a selector gives, such as time.Now, where it is forbidden.
func forbiddenName(s *source, names map[string]string, n *ast.SelectorExpr) (string, bool) {
	x, ok := n.X.(*ast.Ident)
	if !ok || names[x.Name] == "" {
		return "", false
	}
	pkg := names[x.Name]
	name := pkg + "." + n.Sel.Name
	return name, matchesAny(forbiddenNames[pkg], n.Sel.Name) && !slices.Contains(allowedNames[s.dir()], name)
}

// checkLinked says which packages of a list no build may have.
func checkLinked(packages []string) (complaints []string) {
	for _, p := range packages {
		for _, m := range neverLinked {
			if p == m || strings.HasPrefix(p, m+"/") {
				complaints = append(complaints, p+" is linked into the library or a command; only tests may use it")
			}
		}
	}
	return complaints
}

func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return p
}

func parseSource(t *testing.T, name, text string) *source {
	t.Helper()
	f, err := parser.ParseFile(fileSet, name, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return &source{name, f}
}

var parseModule = sync.OnceValues(func() (files []*source, err error) {
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(name, d.Name())
		}
		if !strings.HasSuffix(name, ".go") || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") {
			return nil
		}
		f, err := parser.ParseFile(fileSet, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		files = append(files, &source{filepath.ToSlash(rel), f})
		return err
	})
	return files, err
})

// skipDir passes by what the go command passes by.
func skipDir(name, base string) error {
	if name == root {
		return nil
	}
	if base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_' {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

// moduleFiles returns every Go file of the module, parsed.
func moduleFiles(t *testing.T) []*source {
	t.Helper()
	files, err := parseModule()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// buildDependencies returns every package that a package or command of the module is built with.
func buildDependencies(t *testing.T) []string {
	t.Helper()
	args := []string{"list", "-deps"}
	for _, dir := range []string{"stack", "tun", "apps", "cmd"} {
		if _, err := os.Stat(filepath.Join(root, dir)); err == nil {
			args = append(args, "./"+dir+"/...")
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.Fields(string(out))
}
