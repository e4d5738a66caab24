package netconn

import (
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/weirnet/weir/stack/shard"
)

// flood is a device with the same datagram again and again, which counts how many have been read when it is asked
// for the next. It has the next one when the reader waits for it.
type flood struct {
	waits   func() bool
	frame   []byte // also what was written last
	left    int
	given   int64
	read    atomic.Int64
	inTime  int
	end     chan struct{}
	drained chan struct{}
}

func (f *flood) Name() string     { return "flood" }
func (f *flood) MTU() int         { return 1500 }
func (f *flood) Features() uint64 { return 0 }
func (f *flood) Queues() int      { return 1 }
func (f *flood) Close() error     { close(f.end); return nil }

func (f *flood) WriteFrames(_ int, frames [][]byte) (int, error) {
	f.frame = append([]byte(nil), frames[0]...)
	return len(frames), nil
}

func (f *flood) ReadFrames(_ int, bufs [][]byte, sizes []int) (int, error) {
	if f.given > 0 && f.read.Load() == f.given {
		f.inTime++
	}
	if f.left == 0 {
		close(f.drained)
		<-f.end
		return 0, net.ErrClosed
	}
	for !f.waits() { // who was kept from the processor in the middle of a Read is not woken by what comes
		runtime.Gosched()
	}
	f.left--
	f.given++
	sizes[0] = copy(bufs[0], f.frame)
	return 1, nil
}

// TestAReaderOfDatagramsRunsBeforeTheNextAreLookedFor has one processor for the receive loop and the reader, who would
// otherwise run when the loop sleeps. The scheduler looks at its other queue first now and then.
func TestAReaderOfDatagramsRunsBeforeTheNextAreLookedFor(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const datagrams = 500
	f := &flood{left: datagrams, end: make(chan struct{}), drained: make(chan struct{})}
	f.frame = datagramTo(t, "192.0.2.1:7")
	h := shard.New(shard.Config{})
	if _, err := h.AddInterface("e0", f, prefixes("192.0.2.1/24")); err != nil {
		t.Fatal(err)
	}
	c, err := ListenUDP(h, "udp", ap("192.0.2.1:7"), false)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for p := make([]byte, 100); ; f.read.Add(1) {
			if _, _, err := c.ReadFromUDPAddrPort(p); err != nil {
				return
			}
		}
	}()
	f.waits = func() bool {
		c.u.Locker().Lock()
		defer c.u.Locker().Unlock()
		return c.rd.waiting > 0
	}
	h.Start()
	<-f.drained
	if f.inTime < datagrams/2 {
		t.Errorf("%d of %d datagrams had been read when the next was asked for", f.inTime, datagrams)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
}

// datagramTo returns the frame of a datagram from a neighbour.
func datagramTo(t *testing.T, to string) []byte {
	f := &flood{end: make(chan struct{})}
	h := shard.New(shard.Config{})
	if _, err := h.AddInterface("e0", f, prefixes("192.0.2.9/24")); err != nil {
		t.Fatal(err)
	}
	c, err := DialUDP(h, "udp", netip.AddrPort{}, ap(to))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	return f.frame
}
