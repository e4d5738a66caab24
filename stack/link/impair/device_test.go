package impair

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/internal/testpacket"
	"github.com/weirnet/weir/stack/link/pipe"
)

func wires(from, n int) [][]byte {
	var out [][]byte
	for i := range n {
		f := numbered(from+i, 100)
		f.Checksum = link.ChecksumInPacket
		out = append(out, f.Wire())
	}
	return out
}

// collect reads until want frames came and returns their numbers.
func collect(t *testing.T, dev link.Device, want int) (got []int) {
	t.Helper()
	bufs, sizes := make([][]byte, 8), make([]int, 8)
	for i := range bufs {
		bufs[i] = make([]byte, 2000)
	}
	for len(got) < want {
		n, err := dev.ReadFrames(0, bufs, sizes)
		if err != nil {
			t.Errorf("after %d frames: %v", len(got), err)
			return got
		}
		for _, b := range bufs[:n] {
			got = append(got, int(binary.BigEndian.Uint32(b[link.VnetLen+28:])))
		}
	}
	return got
}

func TestDeviceDelaysBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.New(pipe.Options{})
		d := Wrap(a, Config{Delay: 20 * time.Millisecond})
		start := time.Now()
		if n, err := d.WriteFrames(0, wires(0, 3)); n != 3 || err != nil {
			t.Fatalf("WriteFrames = %d, %v", n, err)
		}
		if got := collect(t, b, 3); fmt.Sprint(got) != "[0 1 2]" {
			t.Errorf("frames %v arrived", got)
		}
		if e := time.Since(start); e != 20*time.Millisecond {
			t.Errorf("out took %v, want 20ms", e)
		}
		b.WriteFrames(0, wires(3, 2))
		if got := collect(t, d, 2); fmt.Sprint(got) != "[3 4]" {
			t.Errorf("frames %v arrived", got)
		}
		if e := time.Since(start); e != 40*time.Millisecond {
			t.Errorf("there and back took %v, want 40ms", e)
		}
		finish(t, d, a, b)
	})
}

// finish closes everything and checks that nothing is kept.
func finish(t *testing.T, d *Device, a, b *pipe.End) {
	t.Helper()
	d.Close()
	b.Close()
	if d.InUse() != 0 || a.InUse() != 0 {
		t.Errorf("%d buffers of the network, %d of the pipe leaked", d.InUse(), a.InUse())
	}
}

func TestUnimpairedDeviceWritesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.New(pipe.Options{})
		d := Wrap(a, Config{})
		d.WriteFrames(0, wires(0, 100))
		if s := a.Stats(); s.Written != 100 {
			t.Errorf("%d frames were written before WriteFrames returned, want 100", s.Written)
		}
		collect(t, b, 100)
		finish(t, d, a, b)
	})
}

func TestFullDeviceBelowPushesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.New(pipe.Options{QueueFrames: 4})
		d := Wrap(a, Config{})
		room := make(chan struct{}, 1)
		d.OnWritable(func() {
			select {
			case room <- struct{}{}:
			default:
			}
		})
		const all = 500
		go func() {
			for sent := 0; sent < all; {
				n, err := d.WriteFrames(0, wires(sent, min(10, all-sent)))
				if err != nil {
					t.Error(err)
					return
				}
				if sent += n; n == 0 {
					<-room
				}
			}
		}()
		for i, got := range collect(t, b, all) {
			if i != got {
				t.Fatalf("frame %d arrived at place %d", got, i)
			}
		}
		if out, _ := d.Stats(); out.Delivered != all {
			t.Errorf("%+v, want all delivered", out)
		}
		synctest.Wait()
		finish(t, d, a, b)
	})
}

func TestCloseWakesTheReaderAndStopsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.New(pipe.Options{})
		d := Wrap(a, Config{Delay: time.Hour})
		d.WriteFrames(0, wires(0, 10))
		b.WriteFrames(0, wires(0, 10))
		var wg sync.WaitGroup
		wg.Go(func() {
			bufs, sizes := [][]byte{make([]byte, 2000)}, make([]int, 1)
			if _, err := d.ReadFrames(0, bufs, sizes); !errors.Is(err, net.ErrClosed) {
				t.Errorf("ReadFrames = %v, want net.ErrClosed", err)
			}
		})
		time.Sleep(time.Minute)
		finish(t, d, a, b)
		wg.Wait()
		if _, err := d.WriteFrames(0, wires(0, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("WriteFrames = %v, want net.ErrClosed", err)
		}
		d.Close()
		if d.InUse() != 0 {
			t.Errorf("%d buffers leaked", d.InUse())
		}
	})
}

func TestFailureBelowComesAfterWhatWasOnTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.New(pipe.Options{})
		d := Wrap(a, Config{Delay: time.Second})
		b.WriteFrames(0, wires(0, 1))
		synctest.Wait()
		a.Close()
		collect(t, d, 1)
		bufs, sizes := [][]byte{make([]byte, 2000)}, make([]int, 1)
		if _, err := d.ReadFrames(0, bufs, sizes); !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrClosed) {
			t.Errorf("ReadFrames = %v, want that of the device below", err)
		}
		finish(t, d, a, b)
	})
}

func TestDirectionsDecideForThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.New(pipe.Options{})
		d := Wrap(a, Config{Loss: 0.5})
		d.WriteFrames(0, wires(0, 100))
		b.WriteFrames(0, wires(0, 100))
		synctest.Wait()
		out, in := d.Stats()
		there := collect(t, b, int(out.Packets-out.DropLoss))
		back := collect(t, d, int(in.Packets-in.DropLoss))
		if fmt.Sprint(there) == fmt.Sprint(back) {
			t.Error("both directions lost the same frames")
		}
		finish(t, d, a, b)
	})
}

func TestRefusedFramesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe.New(pipe.Options{})
		d := Wrap(a, Config{})
		big := testpacket.New(testpacket.Spec{Payload: make([]byte, 1600)}).Wire()
		frames := append(wires(0, 1), big)
		frames = append(frames, wires(1, 1)...)
		if n, err := d.WriteFrames(0, frames); n != 3 || err != nil {
			t.Errorf("WriteFrames = %d, %v", n, err)
		}
		if n, err := d.WriteFrames(0, [][]byte{nil}); n != 0 || err == nil {
			t.Errorf("WriteFrames of nothing = %d, %v; want an error", n, err)
		}
		collect(t, b, 2)
		if out, _ := d.Stats(); out.DropDevice != 1 || out.Delivered != 2 {
			t.Errorf("%+v, want one refused", out)
		}
		finish(t, d, a, b)
	})
}

func TestDeviceLooksLikeTheOneBelow(t *testing.T) {
	a, b := pipe.New(pipe.Options{Name: "x", MTU: 1280, Offload: true})
	d := Wrap(a, Config{})
	if d.Name() != a.Name() || d.MTU() != 1280 || d.Features() != a.Features() || d.Queues() != 1 {
		t.Error("name, MTU or features differ from the device below")
	}
	finish(t, d, a, b)
}

// TestEverythingAtOnce is for the race detector: both directions, all impairments, a small
// pipe, real time.
func TestEverythingAtOnce(t *testing.T) {
	a, b := pipe.New(pipe.Options{QueueFrames: 8})
	d := Wrap(a, Config{
		Delay: 200 * time.Microsecond, Jitter: 100 * time.Microsecond, Rate: 1e9,
		Loss: 0.1, Duplicate: 0.1, Corrupt: 0.1, Reorder: 0.1,
	})
	var wg sync.WaitGroup
	for _, dev := range []link.Device{d, b} {
		wg.Go(func() {
			bufs, sizes := [][]byte{make([]byte, 2000), make([]byte, 2000)}, make([]int, 2)
			for {
				if _, err := dev.ReadFrames(0, bufs, sizes); err != nil {
					return
				}
			}
		})
	}
	for range 2 {
		for _, dev := range []link.Device{d, b} {
			wg.Go(func() {
				for i := range 300 {
					dev.WriteFrames(0, wires(i, 3))
				}
			})
		}
	}
	time.Sleep(30 * time.Millisecond)
	d.Close()
	b.Close()
	wg.Wait()
	finish(t, d, a, b)
}
