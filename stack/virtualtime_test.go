package stack_test

import (
	"io"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link/impair"
	"github.com/weirnet/weir/stack/link/pipe"
)

// A program's test may look like this: an upload over a slow, far and lossy line, in no time. Nothing of it is real but the
// code: the clock is the bubble's, and what is lost follows from the seed.
func TestUploadOverABadLineInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.New(pipe.Options{MTU: 1500})
		line := impair.Wrap(a, impair.Config{Rate: 1e6, Delay: 300 * time.Millisecond, Loss: .01, Seed: 7})
		client := newStack(t, line, []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")}, stack.Config{})
		server := newStack(t, b, []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24")}, stack.Config{})

		ln, err := server.Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		received := make(chan int64)
		go func() {
			c, err := ln.Accept()
			if err != nil {
				received <- -1
				return
			}
			n, _ := io.Copy(io.Discard, c)
			received <- n
		}()
		begun := time.Now()
		c, err := client.Dial("tcp", "192.0.2.2:80")
		if err != nil {
			t.Fatal(err)
		}
		const size = 1 << 20
		if _, err := c.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		c.Close()
		if n := <-received; n != size {
			t.Errorf("%d octets arrived, want %d", n, size)
		}
		if took := time.Since(begun); took < 8*time.Second || took > time.Minute {
			t.Errorf("1 MiB at 1 Mbit/s took %v", took)
		}
	})
}
