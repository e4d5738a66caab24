package parse

import (
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

// What parses prints to what parses to the same tree. What does not gives an error with a
// place, within a bounded time.
func FuzzFile(f *testing.F) {
	for _, c := range slices.Concat(constructs, packetConstructs) {
		f.Add(c.script)
	}
	for _, m := range mistakes {
		f.Add(m.script)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 1<<16 { // the time goes with the length
			return
		}
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		start := worked(t)
		s, err := File("f", []byte(src))
		if d := worked(t) - start; d > 2*time.Second {
			t.Fatalf("%v for %d octets", d, len(src))
		}
		if err != nil {
			e, ok := err.(*Error)
			if !ok || e.Line < 1 || e.Column < 1 || e.Expected == "" || e.Found == "" {
				t.Fatalf("error without a place: %#v", err)
			}
			return
		}
		text := s.String()
		again, err := File("f", []byte(text))
		if err != nil {
			t.Fatalf("%v\nprinted:\n%s", err, text)
		}
		if got, want := dump(again), dump(s); got != want {
			t.Fatalf("printed:\n%s\nsecond: %s\n first: %s", text, got, want)
		}
		if got := again.String(); got != text {
			t.Fatalf("printed again:\n%s\nfirst:\n%s", got, text)
		}
	})
}

// worked is the processor time that the thread has used: what other programs take of it does not count. The goroutine
// is locked to its thread.
func worked(t *testing.T) time.Duration {
	const thread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	if err := syscall.Getrusage(thread, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
