package control

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const suffix = ".sock"

// ErrNone says that no running weir was found.
var ErrNone = errors.New("no running weir found; start one with weir up or weir dns serve, or say --control PATH")

// DefaultPath returns where this process listens by default: a socket named
// after the device and the process, in Dir, which is made where it is missing.
func DefaultPath(device string) (string, error) {
	dir := Dir()
	if err := makePrivate(dir); err != nil {
		return "", fmt.Errorf("no directory for the control socket: %w", err)
	}
	tidy(dir)
	return filepath.Join(dir, device+"."+strconv.Itoa(os.Getpid())+suffix), nil
}

// Dir returns the directory that holds this user's control sockets: weir in
// $XDG_RUNTIME_DIR where there is one, in /run for root, and otherwise a directory
// of the user's own among the temporary files. Who is root in a user namespace only (unshare -r) counts
// as the user that he is outside of it.
func Dir() string {
	if run := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(run) {
		if info, err := os.Stat(run); err == nil && info.IsDir() {
			return filepath.Join(run, "weir")
		}
	}
	uid := os.Geteuid()
	if text, err := os.ReadFile("/proc/self/uid_map"); err == nil {
		uid = outside(string(text), uid)
	}
	if uid == 0 {
		return "/run/weir"
	}
	return filepath.Join(os.TempDir(), "weir-"+strconv.Itoa(uid))
}

// outside returns who uid is outside of the user namespace whose uid_map (user_namespaces(7)) is given.
func outside(uidMap string, uid int) int {
	for line := range strings.Lines(uidMap) {
		var in, out, n int
		if _, err := fmt.Sscan(line, &in, &out, &n); err == nil && in <= uid && uid-in < n {
			return out + uid - in
		}
	}
	return uid
}

// makePrivate makes dir, or checks that it is a directory of ours that nobody
// else can write to: another user may have made it before us.
func makePrivate(dir string) error {
	if err := os.Mkdir(dir, 0o700); err == nil || !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Geteuid() || !info.IsDir() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is not a directory of yours alone", dir)
	}
	return nil
}

// Find returns the socket of the one running weir. Sockets that nobody answers
// on are removed. Where there are several it returns an error that names them.
func Find() (string, error) {
	found := tidy(Dir())
	switch len(found) {
	case 0:
		return "", ErrNone
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("several weirs run; say which with --control PATH: %s", strings.Join(found, ", "))
}

// tidy removes the sockets of dead processes in dir, and returns the others.
func tidy(dir string) []string {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+suffix)) // only a bad pattern is an error
	if err != nil {
		return nil
	}
	var live []string
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil || info.Mode().Type() != fs.ModeSocket {
			continue
		}
		if dead(path) {
			_ = os.Remove(path) // whoever looks next will try again
			continue
		}
		live = append(live, path)
	}
	return live
}
