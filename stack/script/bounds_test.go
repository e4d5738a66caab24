package script

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A script that asks for more than there is gets an answer, soon and in one line.
func TestScriptsAreBounded(t *testing.T) {
	alive := handshake + "+0 setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0\n+0 setsockopt(4, SOL_TCP, TCP_KEEPIDLE, [1], 4) = 0\n" +
		"+0 setsockopt(4, SOL_TCP, TCP_KEEPINTVL, [1], 4) = 0\n" + strings.Repeat("+5 < . 1:1(0) ack 1 win 257\n", 20000)
	many := strings.Repeat("+0 < . 1:1(0) ack 1 win 257\n", 5000)
	for _, c := range []struct{ name, src, want string }{
		{"a time", handshake + "+9223372034 < . 1:1(0) ack 1 win 257\n", "line 9: time goes beyond 100 years"},
		{"a sum of times", handshake + strings.Repeat("+3000000000 < . 1:1(0) ack 1 win 257\n", 5), "line 10: time goes beyond 100 years"},
		{"an absolute time", handshake + "9223372034 close(4) = 0\n", "line 9: time goes beyond 100 years"},
		{"the end of a range", handshake + "+0~+9223372034 > . 1:1(0) ack 1\n", "line 9: time goes beyond 100 years"},
		{"the end of a call", handshake + "+0...9223372034 read(4, ..., 1) = 0\n", "line 9: time goes beyond 100 years"},
		{"sleep", "0 `true`\n" + strings.Repeat("+0 `sleep 999999`\n", 4000), "line 3155: time goes beyond 100 years"},
		{"calls", handshake + strings.Repeat("+0...9 read(4, ..., 1) = 0\n", 2000), "line 1009: more than 1000 calls are blocked at once"},
		{"buffers", handshake + strings.Repeat("+0...9 read(4, ..., 30000000) = 0\n", 5), "line 13: the buffers of the script are more than 134217728 octets"},
		{"options", handshake + strings.Repeat("+0 setsockopt(4, SOL_TCP, TCP_CONGESTION, \"reno\", [30000000]) = 0\n", 5), "line 13: the buffers of the script are more than 134217728 octets"},
		{"events", "0 epoll_create(1) = 3\n+0 epoll_wait(3, ..., 5000, 0) = 0\n", "waits for 5000 events"},
		{"packets", alive, "the script goes beyond its bounds: 65537 packets of 2621480 octets were sent that the script has not looked at"},
		{"timers", handshake + "+0 < . 1001:2001(1000) ack 1 win 257\n+3000000000 close(4) = 0\n", "the script goes beyond its bounds: timers have gone off 1048576 times"},
		{"a percentage", "--tolerance_percent=NaN\n" + handshake, "line 1: bad --tolerance_percent=NaN"},
		{"a negative percentage", "--tolerance_percent=-5\n" + handshake, "line 1: bad --tolerance_percent=-5"},
		{"nothing", handshake + many, ""},
	} {
		began := worked(t)
		r := RunSource("s.pkt", []byte(c.src), Options{})
		if took := worked(t) - began; r.Reason != c.want || took > 10*time.Minute {
			t.Errorf("%s: after %v %v: %.200s, want %s", c.name, took, r.Outcome, r.Reason, c.want)
		}
	}
	if r := run(t, "--non_fatal=\"packet,syscall\"\n"+alive, Options{}); r.Outcome != Fail {
		t.Errorf("bounds are none with --non_fatal: %v", r.Outcome)
	}
}

// worked is the processor time that the tests have used: what other programs take of it does not count.
func worked(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// tracer is weir with every packet written down.
type tracer struct {
	Backend
	trace *strings.Builder
}

func (x tracer) Sent() (Captured, bool) {
	c, ok := x.Backend.Sent()
	if ok {
		fmt.Fprintf(x.trace, "%v > %x\n", c.At, c.Packet)
	}
	return c, ok
}

func (x tracer) Inject(p []byte, segment int) error {
	fmt.Fprintf(x.trace, "%v < %x\n", x.Now(), p)
	return x.Backend.Inject(p, segment)
}

// The same script has the same outcome and the same packets to the last octet, whatever runs beside it.
func TestTwoHundredRunsAreOne(t *testing.T) {
	files, err := filepath.Glob("testdata/rules/*.pkt")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for len(files) > 12 { // a few of each kind
		files = slices.Delete(files, len(files)/2, len(files)/2+1)
	}
	for _, f := range append(files, "testdata/waiting.pkt") {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		once := func() string {
			var trace strings.Builder
			r := RunSource(f, src, Options{Offload: true, Backend: func(n Network) (Backend, error) {
				b, err := NewWeir(n)
				return tracer{b, &trace}, err
			}})
			return fmt.Sprint(r.Virtual, r, "\n") + trace.String()
		}
		first := once()
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 50 {
					if again := once(); again != first {
						t.Errorf("%s: first\n%s\nthen\n%s", f, first, again)
						return
					}
				}
			})
		}
		group.Wait()
	}
}
