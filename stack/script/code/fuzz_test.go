package code

import (
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A block is read and run, or is refused with a place, within a bounded time.
func FuzzCode(f *testing.F) {
	for _, src := range []string{
		"assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd", "x = 2 ** 10 % 7; x <<= 3", "if a:\n  x = (1, 2)\nelif b: pass\nelse:\n\ty = x + x",
		"assert 1 < tcpi_rtt <= 3 and not 'a' in 'b', '%5.2f %s' % (1.5, None)", "print 'a'; assert [1] != (1,) or ~1 | 0x1f", "x = max(1, -2.5e3) // round(7 / 2)",
	} {
		f.Add(src)
	}
	// Each statement may walk a sequence that is as long as may be.
	f.Add("x = 1,\n" + strings.Repeat("x = x + x\n", 9) + "y = 0" + strings.Repeat(" + len(str(x))", 500))
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 1<<13 { // the time goes with the length
			return
		}
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		begin := worked(t)
		p, err := Parse("f", start, src)
		if err == nil {
			_, _ = p.String(), p.Names()
			err = p.Eval(info())
		}
		switch e := err.(type) {
		case nil, *Failure:
		case *Error:
			if e.Pos.Line < start.Line || e.Pos.Column < 1 || e.Message == "" {
				t.Fatalf("error without a place: %#v", e)
			}
		default:
			t.Fatalf("%T: %v", err, err)
		}
		if d := worked(t) - begin; d > 2*time.Second {
			t.Fatalf("%v for %d octets", d, len(src))
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
