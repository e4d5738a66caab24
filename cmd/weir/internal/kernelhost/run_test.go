package kernelhost

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/script"
)

const (
	open = `
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
`
	handshake = open + `
   +0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>
   * > S. 0:0(0) ack 1 <...>
  +.1 < . 1:1(0) ack 1 win 257
   +0 accept(3, ..., ...) = 4
`
)

// left is what a run may leave behind: descriptors, goroutines, and threads that are in
// another namespace.
func left(t *testing.T) map[string]int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	home, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	abroad := 0
	tasks, _ := filepath.Glob("/proc/self/task/*/ns/net")
	for _, task := range tasks {
		if ns, err := os.Readlink(task); err == nil && ns != home {
			abroad++
		}
	}
	return map[string]int{"descriptors": len(fds), "goroutines": runtime.NumGoroutine(), "threads elsewhere": abroad}
}

// run runs a script against the kernel and interrupts it after a time that is not 0.
func run(t *testing.T, name, src string, stop time.Duration) *script.Result {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if stop > 0 {
		defer time.AfterFunc(stop, cancel).Stop()
	}
	o := script.Options{Backend: Until(ctx), Patience: 5 * time.Second, Tolerance: 10 * time.Second, Interrupted: func() bool { return ctx.Err() != nil }}
	return script.RunSource(name, []byte(src), o)
}

// However a script ends, with calls that are blocked and connections that are open, nothing of its host is left.
func TestNothingIsLeftOfARun(t *testing.T) {
	newHost(t, networks["IPv4"]).Close() // once, for what is kept for good
	before := left(t)
	for name, c := range map[string]struct {
		src     string
		outcome script.Outcome
		stop    time.Duration
	}{
		"passes":          {handshake + "+0 write(4, ..., 100) = 100\n* > P. 1:101(100) ack 1\n", script.Pass, 0},
		"fails":           {handshake + "+0 write(4, ..., 100) = 100\n* > P. 1:101(100) ack 77\n", script.Fail, 0},
		"a call blocked":  {handshake + "+0...9 read(4, ..., 100) = 0\n+.1 close(77) = 0\n", script.Fail, 0},
		"accept blocked":  {open + "+0...9 accept(3, ..., ...) = 4\n+.1 close(77) = 0\n", script.Fail, 0},
		"blocks unmarked": {handshake + "+0 read(4, ..., 100) = 0\n", script.Fail, 0},
		"interrupted":     {handshake + "+0...90 read(4, ..., 100) = 0\n+80 close(4) = 0\n", script.Skip, 500 * time.Millisecond},
		"no packet":       {open + "* > S. 0:0(0) ack 1 <...>\n", script.Fail, 0},
	} {
		t.Run(name, func(t *testing.T) {
			// Where we are not given a processor for most of a second, the kernel sends again what the script does not expect.
			for try := 1; ; try++ {
				began := time.Now()
				r := run(t, name, c.src, c.stop)
				if r.Outcome == c.outcome && time.Since(began) < 2*time.Minute {
					return
				}
				t.Logf("after %v: want %v\n%v", time.Since(began), c.outcome, r)
				if try == 3 {
					t.Fatal("time after time")
				}
			}
		})
	}
	var after map[string]int
	for range 3000 { // a goroutine that has done its work may take a moment to end
		if after = left(t); fmt.Sprint(after) == fmt.Sprint(before) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	for what, n := range after {
		if n > before[what] {
			t.Errorf("%s: %d, %d before", what, n, before[what])
		}
	}
	links := []string{}
	fds, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range fds {
		to, _ := os.Readlink(fd)
		links = append(links, to)
	}
	slices.Sort(links)
	t.Logf("open: %s", strings.Join(links, " "))
}

func TestCheckSaysWhyThereCanBeNoHost(t *testing.T) {
	newHost(t, networks["IPv4"]).Close()
	if err := Check(); err != nil {
		t.Error(err)
	}
}
