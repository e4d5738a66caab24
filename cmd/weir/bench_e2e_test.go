package main_test

import (
	"bufio"
	"encoding/json"
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

// measured runs a short weir bench and returns its report.
func (l *lab) measured(args ...string) (r bench.Report) {
	l.t.Helper()
	args = append([]string{"bench"}, append(args, "--json", "-t", "300ms", "--warmup", "50ms", "-i", "100ms")...)
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
