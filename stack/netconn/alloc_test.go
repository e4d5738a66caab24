package netconn

import (
	"io"
	"testing"

	"github.com/weirnet/weir/stack/shard"
)

// TestEchoByBlockingConnsAllocatesNothing takes text from the device to a reader that waits for it, and what that
// writes back to the device; the other end does the same.
func TestEchoByBlockingConnsAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops what it is given at random under the race detector")
	}
	for _, size := range []int{1, 1000, 4 << 10, 64 << 10} {
		inBubble(t, shard.Config{}, func(p *pair) {
			near, far := p.connect()
			go func() {
				buf := make([]byte, 64<<10)
				for {
					n, err := far.Read(buf)
					if err != nil {
						return
					}
					if _, err := far.Write(buf[:n]); err != nil {
						return
					}
				}
			}()
			buf := make([]byte, size)
			echo := func() {
				if _, err := near.Write(buf); err != nil {
					t.Error(err)
				}
				if _, err := io.ReadFull(near, buf); err != nil {
					t.Error(err)
				}
			}
			for range 200 {
				echo()
			}
			if n := testing.AllocsPerRun(500, echo); n > 0 {
				t.Errorf("%v allocations for an echo of %d octets", n, size)
			}
		})
	}
}
