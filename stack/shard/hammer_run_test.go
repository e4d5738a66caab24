package shard

import (
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/pipe"
)

// TestNoPacketHarmsARunningHost is TestNoPacketHarmsTheHost for a host with its goroutines,
// over pipes: two attackers, their readers and the applications at once. It is not
// replayed by its seed; what it looks for is races, deadlocks and leaks.
func TestNoPacketHarmsARunningHost(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, forward := range []bool{false, true} {
		hammerRunning(t, forward, hammerCount()/10)
	}
	for range 6000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	buf := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
}

func hammerRunning(t *testing.T, forward bool, count int) {
	h := New(Config{Forward: forward, ReceiveBuffer: 64 << 10, SendBuffer: 64 << 10, DatagramBuffer: 64 << 10, Backlog: hammerBacklog})
	seen := new(traffic)
	var readers, attackers sync.WaitGroup
	var ends [2]*pipe.End
	for n, addrs := range [][]netip.Prefix{{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8::1/64")},
		{netip.MustParsePrefix("198.51.100.1/24"), netip.MustParsePrefix("2001:db8:1::1/64")}} {
		near, far := pipe.New(pipe.Options{Offload: n == 0, MTU: 1500, QueueFrames: 32})
		if _, err := h.AddInterface([]string{"e0", "e1"}[n], near, addrs); err != nil {
			t.Fatal(err)
		}
		ends[n] = far
		readers.Go(func() { readAll(far, n, seen) })
	}
	h.Start()
	l, err := newLoad(newMaker(99, seen), h)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(2) {
		attackers.Go(func() { attack(newMaker(seed, seen), ends, count/2) })
	}
	for range count / 8 {
		if err := l.step(); err != nil {
			t.Error(err)
			break
		}
	}
	attackers.Wait()
	l.end()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	for _, e := range ends {
		e.Close()
	}
	readers.Wait()
	h.EachCounter(func(name string, v uint64) {
		if strings.HasPrefix(name, "held.") && v != 0 {
			t.Errorf("%s is %d, want nothing held", name, v)
		}
	})
}

// attack sends packets as fast as the pipes take them.
func attack(m *maker, ends [2]*pipe.End, count int) {
	for range count {
		ifc, n := m.next()
		frame := m.frame.Buf[link.Headroom-link.VnetLen:][:n]
		for {
			k, err := ends[ifc].WriteFrames(0, [][]byte{frame})
			if k > 0 || err != nil { // what no pipe takes is of no use here
				break
			}
			runtime.Gosched()
		}
	}
}

// readAll observes what the host sends until the pipe is closed.
func readAll(e *pipe.End, ifc int, seen *traffic) {
	var bufs [16][]byte
	var sizes [16]int
	for i := range bufs {
		bufs[i] = make([]byte, link.FrameSize)
	}
	for {
		n, err := e.ReadFrames(0, bufs[:], sizes[:])
		if err != nil {
			return
		}
		for i := range n {
			seen.observe(ifc, bufs[i][:sizes[i]])
		}
	}
}
