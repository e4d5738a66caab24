package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// up is a weir up that runs as a process in a namespace.
type up struct {
	*lab
	cmd     *exec.Cmd
	ready   string // the line
	control string
	devices []string

	waited chan struct{} // closed when the process is gone
	err    error

	mu     sync.Mutex
	stdout bytes.Buffer
	stderr bytes.Buffer
}

// locked makes writes to a buffer safe beside its reader.
type locked struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// up starts weir up with the flags and waits for its ready line. It is killed at the end
// of the test where the test did not stop it.
func (l *lab) up(args ...string) *up {
	l.t.Helper()
	return l.starts([]string{"up"}, args...)
}

// serveNames is up for weir dns serve.
func (l *lab) serveNames(args ...string) *up {
	l.t.Helper()
	return l.starts([]string{"dns", "serve"}, args...)
}

func (l *lab) starts(what []string, args ...string) *up {
	l.t.Helper()
	u := &up{lab: l, waited: make(chan struct{})}
	u.control = filepath.Join(shortTempDir(l.t), "control")
	u.devices = devicesOf(args)
	u.cmd = command(weirBinary(l.t), append(append(what, "--control", u.control), args...)...)
	u.cmd.Stderr = locked{&u.mu, &u.stderr}
	r, w, err := os.Pipe()
	must(l.t, err)
	u.cmd.Stdout = w
	l.do(u.cmd.Start)
	w.Close()
	l.t.Cleanup(func() { u.cmd.Process.Kill(); <-u.waited })
	first := make(chan string, 1)
	go u.read(r, first)
	select {
	case u.ready = <-first:
	case <-time.After(patience):
	}
	if !strings.HasPrefix(u.ready, "ready") {
		l.t.Fatalf("weir %s %s: no line that begins with ready: %q\n%s", what[0], strings.Join(args, " "), u.ready, u.said())
	}
	return u
}

// read reads what the process prints, tells of the first line, and waits for its end.
func (u *up) read(r *os.File, first chan<- string) {
	defer close(u.waited)
	defer r.Close()
	lines := bufio.NewReader(r)
	line, _ := lines.ReadString('\n')
	locked{&u.mu, &u.stdout}.Write([]byte(line))
	first <- line
	lines.WriteTo(locked{&u.mu, &u.stdout})
	u.err = u.cmd.Wait()
}

func (u *up) said() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return "stdout:\n" + u.stdout.String() + "\nstderr:\n" + u.stderr.String()
}

// devicesOf returns the names of the devices that a command line asks for.
func devicesOf(args []string) (names []string) {
	for i, a := range args {
		if a == "--tun" {
			names = append(names, args[i+1])
		}
	}
	if len(names) == 0 {
		names = []string{"weir0"}
	}
	return names
}

// shortTempDir returns a directory whose path leaves room for a socket's name in the 108
// octets of a sockaddr_un.
func shortTempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "weir")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// stop ends the process as a person would and holds it to its promise: exit status 0,
// nothing on standard error, its devices gone.
func (u *up) stop(sig syscall.Signal) {
	u.t.Helper()
	must(u.t, u.cmd.Process.Signal(sig))
	select {
	case <-u.waited:
	case <-time.After(patience):
		u.cmd.Process.Signal(syscall.SIGQUIT) // its stacks, for the log
		<-u.waited
		u.t.Fatalf("weir up did not end after %v\n%s", sig, u.said())
	}
	if u.err != nil || complains(u.stderr.String()) {
		u.t.Errorf("weir up after %v: %v\n%s", sig, u.err, u.said())
	}
	for _, name := range u.devices {
		if u.hasLink(name) {
			u.t.Errorf("%s is still there after %v", name, sig)
		}
	}
}

// counters asks the running weir for them, with the command that does so.
func (u *up) counters(t testing.TB) map[string]uint64 {
	t.Helper()
	r := u.in(t).finish("", command(weirBinary(t), "stats", "--json", "--control", u.control), patience)
	var m map[string]uint64
	if err := json.Unmarshal([]byte(r.stdout), &m); err != nil || r.status != 0 {
		t.Fatalf("weir stats: %v\n%v", err, r)
	}
	return m
}

// idle waits until the running weir holds nothing but its listeners and sockets, and the
// records of connections that are over.
func (u *up) idle(t testing.TB) {
	t.Helper()
	var left []string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		left = left[:0]
		m := u.counters(t)
		for _, name := range []string{"held.tcp_connections", "held.blocks", "held.octets", "held.frames", "held.reassembly_octets"} {
			if _, is := m[name]; !is {
				t.Fatalf("weir stats does not know %s", name)
			}
			if m[name] != 0 {
				left = append(left, name)
			}
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("weir still holds %v: %v", left, u.counters(t))
}

// complains reports whether there is anything on standard error but the warning that a handler is
// slow: on a machine whose processors are all wanted, one that does not block may look as if it did.
func complains(stderr string) bool {
	for line := range strings.Lines(stderr) {
		if !strings.Contains(line, "an event handler does not return") {
			return true
		}
	}
	return false
}
