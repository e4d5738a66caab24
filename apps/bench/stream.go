package bench

import (
	"io"
	"sync/atomic"
	"syscall"
	"time"
)

// countInto reads from r until it ends and counts the octets.
func countInto(n *atomic.Uint64, r io.Reader, buf []byte) error {
	for {
		k, err := r.Read(buf)
		n.Add(uint64(k))
		if err != nil {
			return err
		}
	}
}

// filling returns n octets to send.
func filling(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// cpuTime returns the processor time that this process has used, its own and the kernel's for it.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
