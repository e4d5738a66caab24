package main_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/tun"
)

// TestProgramsOfTheSystemTalkToWeir runs, against one weir up for each way on to a device, the
// programs that a person would try.
func TestProgramsOfTheSystemTalkToWeir(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			u := newLab(t).up(m.flags()...)
			for _, f := range families {
				t.Run(f.name, func(t *testing.T) {
					l := u.in(t)
					t.Run("ping", func(t *testing.T) { pings(l.in(t), f.flag, f.weir) })
					t.Run("nc", func(t *testing.T) { netcats(l.in(t), f.weir) })
					t.Run("closed ports", func(t *testing.T) { closedPorts(l.in(t), f.weir) })
					t.Run("nmap", func(t *testing.T) { nmap(l.in(t), f.flag, f.weir) })
				})
			}
			u.idle(t)
			u.stop(syscall.SIGTERM)
		})
	}
}

func pings(l *lab, flag, addr string) {
	l.ping(flag, addr, "-c", "20", "-i", "0.01")
	l.ping(flag, addr, "-c", "3", "-i", "0.2", "-s", "60000")
	l.ping(flag, addr, "-c", "3", "-i", "0.01", "-s", "1472")
	l.ping(flag, addr, "-c", "3", "-i", "0.01", "-s", "0")
	l.pingAll(addr, 500, 56)
}

func netcats(l *lab, addr string) {
	if got := l.ok("hello", "nc", "-N", "-w", "20", addr, "7"); got != "hello" {
		l.t.Errorf("nc -N %s 7 says %q, want hello", addr, got)
	}
	if got := l.ok("hello", "nc", "-u", "-W", "1", "-w", "20", addr, "7"); got != "hello" {
		l.t.Errorf("nc -u %s 7 says %q, want hello", addr, got)
	}
	long := strings.Repeat("0123456789abcdef", 500) // several fragments
	if got := l.ok(long, "nc", "-u", "-W", "1", "-w", "20", addr, "7"); got != long {
		l.t.Errorf("nc -u %s 7 sends %d octets and gets %d", addr, len(long), len(got))
	}
	if got := l.ok("gone", "nc", "-N", "-w", "20", addr, "9"); got != "" {
		l.t.Errorf("nc %s 9 (discard) says %q, want nothing", addr, got)
	}
	year := fmt.Sprint(time.Now().UTC().Year())
	if got := l.ok("", "nc", "-w", "20", addr, "13"); !strings.Contains(got, year) {
		l.t.Errorf("nc %s 13 (daytime) says %q, want a time of %s", addr, got, year)
	}
	if got := l.ok("x", "nc", "-u", "-W", "1", "-w", "20", addr, "13"); !strings.Contains(got, year) {
		l.t.Errorf("nc -u %s 13 (daytime) says %q, want a time of %s", addr, got, year)
	}
}

// closedPorts holds that who knocks where nobody listens learns so by the answer, not by a
// timeout. An unanswered SYN is sent again only after a second, and a datagram never.
func closedPorts(l *lab, addr string) {
	const atOnce = 900 * time.Millisecond
	r := l.run("", "nc", "-z", "-v", "-w", "20", addr, "6")
	if r.status == 0 || !strings.Contains(r.stderr, "refused") {
		l.t.Errorf("nc -z %s 6: %v", addr, r)
	}
	best := time.Hour // the machine may be busy: one in time proves it
	for try := 0; try < 20 && best > atOnce; try++ {
		begin := time.Now()
		c, err := l.dial(context.Background(), "tcp", net.JoinHostPort(addr, "6"))
		if err == nil {
			c.Close()
		}
		best = min(best, time.Since(begin))
		if !errors.Is(err, syscall.ECONNREFUSED) {
			l.t.Errorf("dial of a closed TCP port: %v, want ECONNREFUSED", err)
		}
	}
	if best > atOnce {
		l.t.Errorf("a closed TCP port refused after %v, want it at once", best)
	}
	c := l.mustDial("udp", net.JoinHostPort(addr, "6"))
	c.SetDeadline(time.Now().Add(patience))
	c.Write([]byte("anybody?"))
	if _, err := c.Read(make([]byte, 100)); !errors.Is(err, syscall.ECONNREFUSED) {
		l.t.Errorf("read from a closed UDP port: %v, want ECONNREFUSED", err)
	}
}

var nmapPort = regexp.MustCompile(`(?m)^(\d+)/tcp +(\S+)`)

// nmap holds that a port scan agrees with what is served: those ports are open, and every other
// is closed, none silent.
func nmap(l *lab, flag, addr string) {
	args := []string{"-sT", "-Pn", "-n", "--min-rtt-timeout", "2s", "-p", "1-1000", addr}
	if flag == "-6" {
		args = append([]string{flag}, args...)
	}
	out := l.ok("", "nmap", args...)
	var open []string
	for _, m := range nmapPort.FindAllStringSubmatch(out, -1) {
		open = append(open, m[1]+" "+m[2])
	}
	want := []string{"7 open", "9 open", "13 open", "19 open"}
	if !slices.Equal(open, want) || !strings.Contains(out, "996 closed tcp ports (conn-refused)") {
		l.t.Errorf("nmap finds %v, want %v and 996 closed\n%s", open, want, out)
	}
}

// TestBulkEchoArrivesUnchanged sends through TCP echo and compares the SHA-256 of what left
// and of what came back, over one connection and over fifty at once.
func TestBulkEchoArrivesUnchanged(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			u := newLab(t).up(m.flags()...)
			for i, f := range families {
				t.Run(f.name, func(t *testing.T) {
					l := u.in(t)
					n := bulk(m, i)
					begin := time.Now()
					if err := transfer(l.dial, net.JoinHostPort(f.weir, "7"), n, 1); err != nil {
						t.Fatalf("%v\n%v", err, u.counters(t))
					}
					took := time.Since(begin)
					t.Logf("%d MiB there and back in %v, %.0f Mbit/s each way", n>>20, took.Round(time.Millisecond), float64(n)*8/1e6/took.Seconds())
					transfers(t, l.dial, net.JoinHostPort(f.weir, "7"), 50, n/128)
				})
			}
			u.idle(t)
			u.stop(syscall.SIGTERM)
		})
	}
}

// bulk is how much is sent each way: 1 GiB once for each family, where segments
// are large.
func bulk(m mode, family int) int64 {
	switch {
	case raceEnabled:
		return 32 << 20
	case m.offload == tun.OffloadOn && (m.queues == 1) == (family == 0):
		return 1 << 30
	}
	return 128 << 20
}
