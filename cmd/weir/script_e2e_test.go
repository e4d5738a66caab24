package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	kernelListens = `
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
`
	kernelAccepts = kernelListens + `
   +0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>
   +0 > S. 0:0(0) ack 1 <...>
   +0 < . 1:1(0) ack 1 win 257
   +0 accept(3, ..., ...) = 4
`
)

// kernelScript runs weir script against the kernel, with times that hold on a machine that has other work to do.
func kernelScript(t *testing.T, src string, args ...string) (out string, status int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kernel.pkt")
	if err := os.WriteFile(file, []byte(src), 0o644); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"script", "--against", "kernel", "--tolerance", "20s"}, append(args, file)...)
	cmd := exec.Command(weirBinary(t), args...)
	raw, err := cmd.CombinedOutput()
	if _, ended := err.(*exec.ExitError); err != nil && !ended {
		t.Fatal(err)
	}
	return string(raw), cmd.ProcessState.ExitCode()
}

// kernelSays runs a script against the kernel until it says what it should, three times at most: where weir is not given a
// processor for 200 ms between two events, the kernel sends again what the script does not expect.
func kernelSays(t *testing.T, src string, status int, args []string, want ...string) {
	t.Helper()
	var out string
	var got int
	for range 3 {
		out, got = kernelScript(t, src, args...)
		if got == status && !slices.ContainsFunc(want, func(s string) bool { return !strings.Contains(out, s) }) {
			return
		}
		t.Logf("%v: status %d, again\n%s", args, got, out)
	}
	t.Errorf("%v: status %d, want %d and %q\n%s", args, got, status, want, out)
}

// The kernel judges a script: one that is right passes, and one that is wrong fails with what the kernel sent.
func TestScriptAgainstTheKernel(t *testing.T) {
	newLab(t) // or the reason why not
	for _, family := range []string{"ipv4", "ipv6", "ipv4-mapped-ipv6"} {
		right := kernelAccepts + `
   +0 write(4, ..., 1000) = 1000
   +0 > P. 1:1001(1000) ack 1
   +0 < P. 1:501(500) ack 1001 win 257
    * > . 1001:1001(0) ack 501
   +0 read(4, ..., 1000) = 500
   +0...0.1 read(4, ..., 1000) = 0
  +.1 < F. 501:501(0) ack 1001 win 257
    * > . 1001:1001(0) ack 502
`
		kernelSays(t, right, 0, []string{"--family", family}, "1 pass, 0 fail")
	}
	wrong := kernelAccepts + "   +0 write(4, ..., 1000) = 1000\n   +0 > P. 1:1001(1000) ack 3\n"
	kernelSays(t, wrong, 1, []string{"--path", "plain"},
		"acknowledgment 1, not 3", "tcp ESTABLISHED 192.168.0.1:8080 > 192.0.2.1:", "against the kernel, over a plain device\n")
	if out, status := kernelScript(t, "0 `sysctl -q net.ipv4.tcp_no_such_thing=1`\n"); status != 0 || !strings.Contains(out, "1 skip") {
		t.Errorf("status %d\n%s", status, out)
	}
}

// An interrupt ends a script that would wait for long, at once and in one line.
func TestScriptAgainstTheKernelIsInterrupted(t *testing.T) {
	newLab(t)
	dir := t.TempDir()
	for _, name := range []string{"a.pkt", "b.pkt"} {
		src := kernelAccepts + "+0...1000 read(4, ..., 1000) = 0\n+900 close(4) = 0\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(weirBinary(t), "script", "--against", "kernel", "--tolerance", "20s", dir)
	var errs strings.Builder
	cmd.Stderr = &errs
	must(t, cmd.Start())
	killer := time.AfterFunc(4*patience, func() { cmd.Process.Kill() })
	happens(func() bool { return isAbroad(cmd.Process.Pid) })
	must(t, cmd.Process.Signal(syscall.SIGINT))
	cmd.Wait()
	if killer.Stop(); cmd.ProcessState.ExitCode() != 126 || errs.String() != "weir: interrupted\n" {
		t.Errorf("%v: %s", cmd.ProcessState, errs.String())
	}
}

// isAbroad reports whether a thread of the process is in a network namespace that is not ours: a script runs.
func isAbroad(pid int) bool {
	home, _ := os.Readlink("/proc/self/ns/net")
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/ns/net", pid))
	for _, task := range tasks {
		if ns, err := os.Readlink(task); err == nil && ns != home {
			return true
		}
	}
	return false
}

// Without the TUN device there is one line for all scripts, which says what to do.
func TestScriptWithoutATUNDevice(t *testing.T) {
	newLab(t)
	dir := t.TempDir()
	for _, name := range []string{"a.pkt", "b.pkt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(kernelListens), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// The first /dev/net of the shell's own mounts is empty.
	hide := exec.Command("unshare", "--mount", "sh", "-c", `mount -t tmpfs none /dev/net && exec "$0" "$@"`,
		weirBinary(t), "script", "--against", "kernel", dir)
	var out, errs strings.Builder
	hide.Stdout, hide.Stderr = &out, &errs
	hide.Run()
	if strings.Contains(errs.String(), "unshare:") || strings.Contains(errs.String(), "mount:") {
		if os.Getenv("CI") != "" {
			t.Fatalf("cannot hide /dev/net: %s", &errs)
		}
		t.Skipf("cannot hide /dev/net: %s", &errs)
	}
	if hide.ProcessState.ExitCode() != 126 || out.String() != "" || strings.Count(errs.String(), "\n") != 1 ||
		!strings.HasPrefix(errs.String(), "weir: run scripts against the kernel: ") || !strings.Contains(errs.String(), "/dev/net/tun") {
		t.Errorf("status %d: %q %q", hide.ProcessState.ExitCode(), &out, &errs)
	}
}
