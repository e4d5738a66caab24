package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// home gives the test directories for sockets of its own.
func home(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "weir") // t.TempDir may be longer than a socket's path can be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", dir)
	return dir
}

func listen(t *testing.T, path string) *Server {
	t.Helper()
	s, err := Listen(path, Handlers{
		"stats": func(json.RawMessage) (any, error) { return map[string]int{"tcp.segments.in": 12}, nil },
		"fail":  func(json.RawMessage) (any, error) { return nil, errors.New("it failed") },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// abandon leaves a socket behind as a killed process does.
func abandon(t *testing.T, path string) {
	t.Helper()
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	ln.SetUnlinkOnClose(false)
	ln.Close()
}

func TestRequestIsAnswered(t *testing.T) {
	path := filepath.Join(home(t), "a.sock")
	listen(t, path)
	raw, err := Call(t.Context(), path, "stats", nil)
	if err != nil || string(raw) != `{"tcp.segments.in":12}` {
		t.Errorf("Call = %s, %v", raw, err)
	}
	for op, want := range map[string]string{"fail": "it failed", "dance": `unknown request "dance"`} {
		if _, err := Call(t.Context(), path, op, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Call %s = %v, want %q", op, err, want)
		}
	}
}

func TestSeveralRequestsOnOneConnection(t *testing.T) {
	path := filepath.Join(home(t), "a.sock")
	listen(t, path)
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	lines := bufio.NewScanner(c)
	for _, tt := range []struct{ ask, want string }{
		{`{"op":"stats"}`, `{"ok":{"tcp.segments.in":12}}`},
		{`nonsense`, `{"error":"request is no JSON object with an op"}`},
		{`{"op":"stats"}`, `{"ok":{"tcp.segments.in":12}}`},
		{strings.Repeat("x", maxRequest+1), `{"error":"request too long"}`},
	} {
		go fmt.Fprintln(c, tt.ask)
		if !lines.Scan() || lines.Text() != tt.want {
			t.Errorf("%.20s… answered %q (%v), want %q", tt.ask, lines.Text(), lines.Err(), tt.want)
		}
	}
}

func TestSocketIsItsOwnersAlone(t *testing.T) {
	home(t)
	path, err := DefaultPath("weir0")
	if err != nil {
		t.Fatal(err)
	}
	listen(t, path)
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v (%v), want %v", name, info.Mode().Perm(), err, want)
		}
	}
	if want := fmt.Sprintf("weir0.%d.sock", os.Getpid()); filepath.Base(path) != want {
		t.Errorf("socket is %s, want %s", filepath.Base(path), want)
	}
}

func TestDirectoryThatOthersCanWriteToIsNotUsed(t *testing.T) {
	dir := home(t)
	shared := filepath.Join(dir, "weir")
	if err := os.Mkdir(shared, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shared, 0o777); err != nil {
		t.Fatal(err)
	}
	if path, err := DefaultPath("weir0"); err == nil || !strings.Contains(err.Error(), "not a directory of yours alone") {
		t.Errorf("DefaultPath = %s, %v: anybody can replace what is there", path, err)
	}
}

func TestSocketGoesWithItsServer(t *testing.T) {
	path := filepath.Join(home(t), "a.sock")
	s := listen(t, path)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Close the socket is still there: %v", err)
	}
}

func TestFindTheOnlyOneAndTakeTheDeadAway(t *testing.T) {
	dir := filepath.Join(home(t), "weir")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(dir, "weir9.1.sock")
	abandon(t, stale)
	if path, err := Find(); !errors.Is(err, ErrNone) {
		t.Fatalf("Find = %s, %v; want %v", path, err, ErrNone)
	}
	if _, err := os.Lstat(stale); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the dead socket is still there: %v", err)
	}

	one := filepath.Join(dir, "weir0.2.sock")
	listen(t, one)
	if path, err := Find(); path != one || err != nil {
		t.Errorf("Find = %s, %v; want %s", path, err, one)
	}
	two := filepath.Join(dir, "weir1.3.sock")
	listen(t, two)
	if _, err := Find(); err == nil || !strings.Contains(err.Error(), one) || !strings.Contains(err.Error(), two) {
		t.Errorf("Find = %v, want an error that names both", err)
	}
}

func TestListenReplacesOnlyADeadSocket(t *testing.T) {
	dir := home(t)
	path := filepath.Join(dir, "a.sock")
	abandon(t, path)
	listen(t, path)
	if _, err := Listen(path, nil); err == nil || !strings.Contains(err.Error(), "another weir answers") {
		t.Errorf("Listen on a live socket = %v", err)
	}
	file := filepath.Join(dir, "precious")
	if err := os.WriteFile(file, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(file, nil); err == nil || !strings.Contains(err.Error(), "something else") {
		t.Errorf("Listen on a file = %v", err)
	}
	if data, err := os.ReadFile(file); string(data) != "data" {
		t.Errorf("the file is gone: %v", err)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	dir := home(t)
	abandon(t, filepath.Join(dir, "dead.sock"))
	for path, want := range map[string]string{"none.sock": "is weir up running", "dead.sock": "is gone"} {
		if _, err := Call(t.Context(), filepath.Join(dir, path), "stats", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// Root of a user namespace has no part in the directory of the host's root.
func TestRootOfAUserNamespaceIsTheUserOutside(t *testing.T) { // user_namespaces(7)
	for _, c := range []struct {
		uidMap    string
		uid, want int
	}{
		{"         0          0 4294967295\n", 0, 0},
		{"         0          0 4294967295\n", 1000, 1000},
		{"         0       1000          1\n", 0, 1000},
		{"         0       1000          1\n         1     100000      65536\n", 5, 100004},
		{"", 7, 7},
		{"nonsense\n", 0, 0},
	} {
		if got := outside(c.uidMap, c.uid); got != c.want {
			t.Errorf("%d with the map %q is %d outside, want %d", c.uid, c.uidMap, got, c.want)
		}
	}
}
