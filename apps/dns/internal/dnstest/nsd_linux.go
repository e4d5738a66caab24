package dnstest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// inside says that a test runs in the namespace that was made for it.
const inside = "WEIR_DNSTEST_NAMESPACE"

// InNamespace runs the test that calls it again, in a network namespace of its own in which the loopback interface is up, and reports whether
// this is the run there: the other one has nothing left to do. Without root the test is skipped but under CI.
func InNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inside) != "" {
		Run(t, "", "ip", "link", "set", "lo", "up")
		return true
	}
	if os.Getuid() != 0 && os.Getenv("CI") != "true" {
		t.Skip("a network namespace needs root")
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v="+fmt.Sprint(testing.Verbose()))
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGTERM}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("in its namespace: %v\n%s", err, out)
	}
	if testing.Verbose() {
		t.Logf("%s", strings.TrimSpace(string(out)))
	}
	return false
}

// NSD starts NSD at 127.0.0.1, on port, with what it writes in dir, and sections of nsd.conf behind those of the server, such as zones. It
// is ended with the test, which has its log where it fails.
func NSD(t testing.TB, dir string, port int, sections string) *os.Process {
	t.Helper()
	conf := filepath.Join(dir, "nsd.conf")
	text := fmt.Sprintf(`server:
 ip-address: 127.0.0.1@%[2]d
 server-count: 1
 username: ""
 database: ""
 zonesdir: %[1]q
 pidfile: ""
 zonelistfile: "%[1]s/list"
 xfrdfile: "%[1]s/xfrd"
 xfrdir: %[1]q
 xfrd-reload-timeout: 0
 rrl-ratelimit: 0
remote-control:
 control-enable: no
`, dir, port)
	if err := os.WriteFile(conf, []byte(text+sections), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(Program(t, "nsd"), "-d", "-V", "2", "-c", conf)
	var log bytes.Buffer
	cmd.Stderr = &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if t.Failed() {
			t.Logf("nsd: %s", log.String())
		}
	})
	return cmd.Process
}
