package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/apps/bench"
)

// starting starts a command of weir's in the namespace and waits until it says that it is ready.
func (l *lab) starting(args ...string) (cmd *exec.Cmd) {
	l.t.Helper()
	cmd = command(weirBinary(l.t), args...)
	r, w, err := os.Pipe()
	must(l.t, err)
	l.open.keep(r)
	cmd.Stdout = w
	l.start(cmd)
	w.Close()
	must(l.t, r.SetReadDeadline(time.Now().Add(patience)))
	line, err := bufio.NewReader(r).ReadString('\n')
	if !strings.HasPrefix(line, "ready: ") {
		l.t.Fatalf("weir %s: %q, %v", strings.Join(args, " "), line, err)
	}
	return cmd
}

// measured runs a short weir bench and returns its report. Where nothing happened in that time, as where a process was not
// given a processor, it measures for longer.
func (l *lab) measured(args ...string) (r bench.Report) {
	l.t.Helper()
	for d := 600 * time.Millisecond; d < patience; d *= 4 {
		if r = l.measuredFor(d, args...); found(r) || r.Rate != nil && r.Rate.Errors > 0 {
			break
		}
	}
	return r
}

func (l *lab) measuredFor(d time.Duration, args ...string) (r bench.Report) {
	l.t.Helper()
	args = append([]string{"bench"}, append(args, "--json", "-t", d.String(), "--warmup", "50ms", "-i", "200ms")...)
	res := l.finish("", command(weirBinary(l.t), args...), 4*patience)
	if res.status != 0 || strings.Count(res.stderr, "\n") < 1 {
		l.t.Fatalf("weir %s: want status 0 and lines of progress: %v", strings.Join(args, " "), res)
	}
	if err := json.Unmarshal([]byte(res.stdout), &r); err != nil {
		l.t.Fatalf("weir %s: %v\n%s", strings.Join(args, " "), err, res.stdout)
	}
	return r
}

// TestBenchMeasuresBetweenKernelAndWeir runs every test with each kind of client and server.
func TestBenchMeasuresBetweenKernelAndWeir(t *testing.T) {
	for name, side := range map[string]struct {
		server, client []string
		addrs          []string
	}{
		"weir to the kernel":   {[]string{"--kernel"}, nil, []string{"198.51.100.1", "2001:db8:78::1"}},
		"the kernel to weir":   {nil, []string{"--kernel"}, []string{"198.51.100.2", "2001:db8:78::2"}},
		"weir to weir":         {nil, nil, []string{"198.51.100.2", "2001:db8:78::2"}},
		"kernel to the kernel": {[]string{"--kernel"}, []string{"--kernel"}, []string{"127.0.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.sysctl("net.ipv4.ip_forward", "1")
			l.sysctl("net.ipv6.conf.all.forwarding", "1")
			l.ok("", "ip", "link", "set", "lo", "up")
			server := l.starting(append([]string{"bench", "server"}, side.server...)...)
			for _, addr := range side.addrs {
				for _, test := range [][]string{{"bulk", "-d", "both", "-n", "2"}, {"rr", "-n", "3"}, {"rr", "-u"}, {"connect"}, {"udp", "-b", "5M", "-d", "both"}} {
					r := l.in(t).measured(append(append(test[:len(test):len(test)], side.client...), addr)...)
					if !found(r) {
						t.Errorf("%s %s: %+v", strings.Join(test, " "), addr, r)
					}
				}
			}
			must(t, server.Process.Signal(os.Interrupt))
			if err := server.Wait(); err != nil {
				t.Errorf("the server ends with %v", err)
			}
		})
	}
}

// found reports whether a report holds what was asked for.
func found(r bench.Report) bool {
	if r.Rate != nil {
		return r.Rate.Count > 0 && r.Rate.Errors == 0 && r.Rate.Latency.P50 > 0
	}
	return r.To != nil && r.To.Octets > 0 && r.From != nil && r.From.Octets > 0
}

// firstLine waits for a line of a command's pipe.
func firstLine(t *testing.T, pipe io.Reader) {
	t.Helper()
	must(t, pipe.(*os.File).SetReadDeadline(time.Now().Add(4*patience)))
	_, err := bufio.NewReader(pipe).ReadString('\n')
	must(t, err)
}

// TestBenchInterruptedTellsWhatItHas interrupts a client while it measures and while it warms up.
func TestBenchInterruptedTellsWhatItHas(t *testing.T) {
	l := newLab(t)
	l.ok("", "ip", "link", "set", "lo", "up")
	l.starting("bench", "server", "--kernel", "--host", "127.0.0.1")
	for _, test := range []string{"bulk", "rr", "connect", "udp"} {
		cmd := command(weirBinary(t), "bench", test, "--kernel", "--json", "--warmup", "50ms", "-i", "50ms", "-t", "1h", "127.0.0.1")
		progress, err := cmd.StderrPipe()
		must(t, err)
		var out bytes.Buffer
		cmd.Stdout = &out
		l.start(cmd)
		firstLine(t, progress)
		must(t, cmd.Process.Signal(os.Interrupt))
		io.Copy(io.Discard, progress)
		if err := cmd.Wait(); err != nil {
			t.Errorf("bench %s, interrupted: %v", test, err)
		}
		var r bench.Report
		if err := json.Unmarshal(out.Bytes(), &r); err != nil || !r.Interrupted || r.Seconds <= 0 {
			t.Errorf("bench %s, interrupted: %v\n%s", test, err, out.Bytes())
		}
	}
}

// TestBenchInterruptedTooSoonSaysSo interrupts a client before it measures.
func TestBenchInterruptedTooSoonSaysSo(t *testing.T) {
	l := newLab(t)
	l.ok("", "ip", "link", "set", "lo", "up")
	server := command(weirBinary(t), "bench", "server", "--kernel", "--host", "127.0.0.1")
	out, err := server.StdoutPipe()
	must(t, err)
	messages, err := server.StderrPipe()
	must(t, err)
	l.start(server)
	firstLine(t, out)
	client := command(weirBinary(t), "bench", "rr", "--kernel", "--warmup", "1h", "127.0.0.1")
	var said bytes.Buffer
	client.Stderr = &said
	l.start(client)
	firstLine(t, messages) // the test has begun
	must(t, client.Process.Signal(os.Interrupt))
	err = client.Wait()
	if err == nil || !strings.Contains(said.String(), "interrupted before anything was measured") || strings.Count(said.String(), "\n") != 1 {
		t.Errorf("%v\n%s", err, said.String())
	}
}
