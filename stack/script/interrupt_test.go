package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A run that is interrupted ends at once, in the middle of a wait, and a suite runs nothing more.
func TestInterruptedRunsEnd(t *testing.T) {
	asked := 0
	o := Options{Interrupted: func() bool { asked++; return asked > 20 }}
	src := handshake + "+0 setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0\n+0 setsockopt(4, SOL_TCP, TCP_KEEPIDLE, [1], 4) = 0\n+100000 < . 1:1(0) ack 1 win 257\n"
	r := run(t, src, o)
	if r.Outcome != Skip || r.Reason != "was interrupted" || r.Virtual > 50000*time.Second {
		t.Errorf("after %v: %v", r.Virtual, r)
	}
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		if err := os.WriteFile(filepath.Join(dir, name+Extension), []byte(handshake), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	done := 0
	suite := SuiteOptions{Parallel: 1, Done: func(*Result) { done++ }}
	suite.Interrupted = func() bool { return done > 0 }
	results, err := RunPaths([]string{dir}, suite)
	if err != nil || len(results) != 3 || results[0].Outcome != Pass || results[1].Reason != "was interrupted" || done != 1 {
		t.Errorf("%v, %d done: %v", err, done, results)
	}
}

// Where time is real nobody waits for hours.
func TestPatience(t *testing.T) {
	o := Options{Patience: 3 * time.Second}
	for src, want := range map[string]string{
		handshake + "* > . 1:1(0) ack 1\n":      "nothing was sent by 3.100000, nor in the 3s after",
		handshake + "+1 > . 1:1(0) ack 1\n":     "nothing was sent by 1.225000, nor in the 3s after",
		handshake + "+0 read(4, ..., 10) = 0\n": "read() blocks; it was to return at once",
	} {
		r := run(t, src, o)
		if r.Outcome != Fail || !strings.Contains(r.Reason, want) || r.Virtual > 7*time.Second {
			t.Errorf("want %s after %v\n%v", want, r.Virtual, r)
		}
	}
}
