package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/weirnet/weir/tun"
)

// The addresses of a plain weir up: TEST-NET-1 (RFC 5737) and the documentation
// prefix of IPv6 (RFC 3849). The kernel is .1, weir is .2.
const (
	host4, weir4 = "192.0.2.1", "192.0.2.2"
	host6, weir6 = "2001:db8:77::1", "2001:db8:77::2"
)

// families are the two ends of a plain weir up in each family.
var families = []struct{ name, flag, host, weir string }{
	{"IPv4", "-4", host4, weir4},
	{"IPv6", "-6", host6, weir6},
}

// modes are the ways on to a device that must not be told apart.
var modes = []mode{
	{"offload", tun.OffloadOn, 1},
	{"plain", tun.OffloadOff, 1},
	{"offload 2 queues", tun.OffloadOn, 2},
	{"plain 2 queues", tun.OffloadOff, 2},
}

type mode struct {
	name    string
	offload tun.Offload
	queues  int
}

func (m mode) flags() []string {
	return []string{"--offload", m.offload.String(), "--queues", fmt.Sprint(m.queues)}
}

// patience bounds every wait for what takes milliseconds on a machine that has
// nothing else to do.
const patience = 30 * time.Second

// childEnv names what this program is to be when it is started as another: see child.
const childEnv = "WEIR_E2E_CHILD"

func TestMain(m *testing.M) {
	if role := os.Getenv(childEnv); role != "" {
		child(role, os.Args[1:])
		return
	}
	// Whoever runs the tests may have them ignore SIGHUP, as nohup does, and a child inherits
	// that. A signal that is caught is the default one again in a child.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	status := m.Run()
	if binaryDir != "" {
		os.RemoveAll(binaryDir)
	}
	os.Exit(status)
}

var binaryDir string

// binary builds the command once, in a directory that every user can read. Under the
// race detector it has one too.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "weir-e2e-")
	if err != nil {
		return "", err
	}
	binaryDir = dir
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "weir")
	args := []string{"build", "-o", path}
	if raceEnabled {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, ".")...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, os.Chmod(path, 0o755)
})

func weirBinary(t testing.TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// lab is a network namespace of a test's own.
type lab struct {
	t    testing.TB
	ns   *tun.Namespace
	open *closers
}

// closers are what a test has opened.
type closers struct {
	mu   sync.Mutex
	list []io.Closer
}

// keep remembers c to be closed.
func (k *closers) keep(c io.Closer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list = append(k.list, c)
}

// closeAll closes what was kept.
func (k *closers) closeAll() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.list {
		c.Close()
	}
	k.list = nil
}

// newLab makes a namespace that is gone when the test ends. Without root the test is
// skipped; in CI it fails.
func newLab(t testing.TB) *lab {
	t.Helper()
	if testing.Short() {
		t.Skip("real devices and programs take a while")
	}
	if os.Getuid() != 0 && os.Getenv("CI") != "true" {
		t.Skip("no network namespace without root")
	}
	ns, err := tun.NewNamespace()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ns.Close() })
	l := &lab{t, ns, new(closers)}
	t.Cleanup(l.open.closeAll)
	return l
}

// in returns the lab for a subtest.
func (l *lab) in(t testing.TB) *lab { return &lab{t, l.ns, l.open} }

// do runs fn with the thread in the namespace and fails the test on an error.
func (l *lab) do(fn func() error) {
	l.t.Helper()
	if err := l.ns.Do(fn); err != nil {
		l.t.Fatal(err)
	}
}

// sysctl sets a kernel setting of the namespace.
func (l *lab) sysctl(name, value string) {
	l.t.Helper()
	l.do(func() error { return os.WriteFile("/proc/sys/"+strings.ReplaceAll(name, ".", "/"), []byte(value), 0) })
}

// dial dials from the kernel of the namespace; it fits http.Transport.DialContext.
func (l *lab) dial(ctx context.Context, network, address string) (c net.Conn, err error) {
	err = l.ns.Do(func() (err error) {
		d := net.Dialer{Timeout: patience}
		c, err = d.DialContext(ctx, network, address)
		return err
	})
	return c, err
}

func (l *lab) mustDial(network, address string) net.Conn {
	l.t.Helper()
	c, err := l.dial(context.Background(), network, address)
	if err != nil {
		l.t.Fatal(err)
	}
	l.open.keep(c)
	return c
}

// listen listens on the kernel of the namespace.
func (l *lab) listen(address string) (ln net.Listener) {
	l.t.Helper()
	l.do(func() (err error) {
		ln, err = net.Listen("tcp", address)
		return err
	})
	l.open.keep(ln)
	return ln
}

// program returns the path of a program that a test needs; where it is missing the
// test is skipped, and in CI fails.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is not installed", name)
	default:
		t.Skipf("%s is not installed", name)
	}
	return ""
}

// command makes a command to be started by start. It does not outlive the test's
// program.
func command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=10") // a second otherwise, at each end of a racing weir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// start starts a command in the namespace and kills it at the end of the test.
func (l *lab) start(cmd *exec.Cmd) {
	l.t.Helper()
	l.do(cmd.Start)
	l.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
}

// result is what a program did.
type result struct {
	stdout, stderr string
	status         int
	took           time.Duration
}

func (r result) String() string {
	return fmt.Sprintf("status %d after %v\nstdout:\n%s\nstderr:\n%s", r.status, r.took, r.stdout, r.stderr)
}

// run runs a program of the system in the namespace to its end.
func (l *lab) run(stdin, name string, args ...string) result {
	l.t.Helper()
	return l.finish(stdin, command(program(l.t, name), args...), 4*patience)
}

// finish runs a command in the namespace to its end.
func (l *lab) finish(stdin string, cmd *exec.Cmd, limit time.Duration) result {
	l.t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	begin := time.Now()
	l.do(cmd.Start)
	timer := time.AfterFunc(limit, func() { cmd.Process.Kill() })
	err := cmd.Wait()
	r := result{out.String(), errs.String(), cmd.ProcessState.ExitCode(), time.Since(begin)}
	if !timer.Stop() {
		l.t.Fatalf("%v did not end: %v\n%v", cmd.Args, err, r)
	}
	return r
}

// ok runs a program that must succeed and returns its standard output.
func (l *lab) ok(stdin, name string, args ...string) string {
	l.t.Helper()
	r := l.run(stdin, name, args...)
	if r.status != 0 {
		l.t.Fatalf("%s %s: %v", name, strings.Join(args, " "), r)
	}
	return r.stdout
}

// hasLink reports whether the namespace has an interface of the name.
func (l *lab) hasLink(name string) (has bool) {
	l.t.Helper()
	l.do(func() error {
		_, err := netlink.LinkByName(name)
		has = err == nil
		return nil
	})
	return has
}

// operators makes a persistent device, as ip tuntap add does.
func (l *lab) operators(name string, mode netlink.TuntapMode, flags netlink.TuntapFlag) {
	l.t.Helper()
	l.do(func() error {
		device := &netlink.Tuntap{
			LinkAttrs: netlink.LinkAttrs{Name: name}, Mode: mode,
			Flags: unix.IFF_NO_PI | unix.IFF_TUN_EXCL | flags, Queues: 1,
		}
		err := netlink.LinkAdd(device)
		for _, fd := range device.Fds {
			fd.Close()
		}
		return err
	})
}

// portrait describes an interface: what its operator would miss.
func (l *lab) portrait(name string) (text string) {
	l.t.Helper()
	l.do(func() error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		a := link.Attrs()
		text = fmt.Sprintf("mtu %d up %v txqlen %d", a.MTU, a.RawFlags&unix.IFF_UP != 0, a.TxQLen)
		if tt, ok := link.(*netlink.Tuntap); ok {
			text += fmt.Sprintf(" persist %v flags %#x", !tt.NonPersist, tt.Flags)
		}
		addrs, err := netlink.AddrList(link, netlink.FAMILY_ALL)
		for _, a := range addrs {
			text += "\n" + a.IPNet.String()
		}
		return err
	})
	return text
}

// eventually waits for what another goroutine, program or the kernel is to bring about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !happens(ok) {
		t.Fatal("did not happen: " + what)
	}
}

// happens reports whether ok becomes true in time.
func happens(ok func() bool) bool {
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

func prefixes(list ...string) (p []netip.Prefix) {
	for _, s := range list {
		p = append(p, netip.MustParsePrefix(s))
	}
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
