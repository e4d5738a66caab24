package event_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
)

// pattern returns n octets of which no two runs are alike nearby.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return p
}

// TestAllThatIsWrittenArrives has handlers write much, in pieces of all sizes, by Write and into blocks, to a peer
// that reads as fast as it can.
func TestAllThatIsWrittenArrives(t *testing.T) {
	want := pattern(5<<20 + 3)
	for _, profile := range []string{"weir", "linux"} {
		for _, piece := range []int{1000, 65_000, 1 << 20} {
			for _, blocks := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %d octets, blocks %v", profile, piece, blocks), func(t *testing.T) {
					a, b := pair(t, stack.Config{Profile: profile})
					rest := want
					more := func(c *event.Conn) {
						for len(rest) > 0 {
							p := rest[:min(len(rest), piece)]
							n := 0
							if blocks {
								n = c.WriteBlock(func(room []byte) int { return copy(room, p) })
							} else {
								n = c.Write(p)
							}
							if rest = rest[n:]; n == 0 || !blocks && n < len(p) {
								return
							}
						}
						c.Close()
					}
					listen(t, b, &event.Funcs{Open: more, Writable: more})
					if got, err := io.ReadAll(dial(t, a)); err != nil || !bytes.Equal(got, want) {
						t.Errorf("%d octets came of %d, %v, or others", len(got), len(want), err)
					}
				})
			}
		}
	}
}

func TestWriteBlockTakesWhatFillSaysAndNothingAfterClose(t *testing.T) {
	a, b := pair(t, stack.Config{})
	answer := make(chan [4]int, 1)
	listen(t, b, &event.Funcs{Open: func(c *event.Conn) {
		nothing := func([]byte) int { return 0 }
		got := [4]int{c.WriteBlock(nothing)}
		got[1] = c.WriteBlock(func(p []byte) int { return copy(p, "hello") })
		got[2] = c.WriteBlock(func(p []byte) int { return -copy(p, "none") })
		c.CloseWrite()
		got[3] = c.WriteBlock(func([]byte) int {
			t.Error("fill was called after CloseWrite")
			return 1
		})
		answer <- got
	}})
	if got, err := io.ReadAll(dial(t, a)); string(got) != "hello" || err != nil {
		t.Errorf("%q came, %v", got, err)
	}
	if got := wait(t, "OnOpen's end", answer); got != [4]int{0, 5, 0, 0} {
		t.Errorf("WriteBlock returned %v", got)
	}
}

// TestDetachedConnectionWithMoreToWriteIsANetConnThatIsWoken detaches a connection whose handler has been refused room.
func TestDetachedConnectionWithMoreToWriteIsANetConnThatIsWoken(t *testing.T) {
	a, b := pair(t, stack.Config{})
	want := pattern(20 << 20)
	begun := make(chan int, 1)
	moved := make(chan net.Conn, 1)
	listen(t, b, &event.Funcs{Open: func(c *event.Conn) {
		n := 0
		for {
			k := c.Write(want[n:min(len(want), n+64<<10)])
			if n += k; k < 64<<10 {
				break
			}
		}
		begun <- n
		moved <- c.Detach()
	}, Writable: func(*event.Conn) { t.Error("OnWritable after Detach") }})
	c := dial(t, a)
	n, nc := wait(t, "OnOpen", begun), wait(t, "the net.Conn", moved)
	go func() {
		nc.Write(want[n:]) // a failure shows at the reader
		nc.Close()
	}()
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d octets came of %d, %v, or others", len(got), len(want), err)
	}
}
