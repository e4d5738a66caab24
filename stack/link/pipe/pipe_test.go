package pipe

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/mem"
)

// frame returns a frame in wire form whose packet is n octets that begin with tag.
func frame(tag byte, n int) []byte {
	b := make([]byte, link.VnetLen+n)
	for i := range n {
		b[link.VnetLen+i] = tag + byte(i)
	}
	return b
}

func superSegment(n int) []byte {
	b := frame(0x45, n)
	b[0], b[6], b[8] = 1, 20, 16     // partial checksum of TCP after an IPv4 header
	b[1], b[4], b[5] = 1, 0xb4, 0x05 // TCP over IPv4, 1460 octets
	return b
}

func buffers(n int) ([][]byte, []int) {
	bufs := make([][]byte, n)
	for i := range bufs {
		bufs[i] = make([]byte, link.FrameSize)
	}
	return bufs, make([]int, n)
}

func mustWrite(t *testing.T, e *End, frames ...[]byte) {
	t.Helper()
	if n, err := e.WriteFrames(0, frames); n != len(frames) || err != nil {
		t.Fatalf("WriteFrames = %d, %v; want all %d", n, err, len(frames))
	}
}

func mustRead(t *testing.T, e *End, want ...[]byte) {
	t.Helper()
	bufs, sizes := buffers(len(want))
	n, err := e.ReadFrames(0, bufs, sizes)
	if n != len(want) || err != nil {
		t.Fatalf("ReadFrames = %d, %v; want %d frames", n, err, len(want))
	}
	for i := range want {
		if got := bufs[i][:sizes[i]]; !bytes.Equal(got, want[i]) {
			t.Fatalf("frame %d is %x, want %x", i, got, want[i])
		}
	}
}

func closeBoth(t *testing.T, a, b *End) {
	t.Helper()
	a.Close()
	b.Close()
	if n := a.InUse(); n != 0 {
		t.Errorf("%d frames leaked", n)
	}
}

func TestFramesCrossInOrderBothWays(t *testing.T) {
	a, b := New(Options{})
	defer closeBoth(t, a, b)
	one, two, three := frame(1, 20), frame(2, 1500), frame(3, 1)
	mustWrite(t, a, one, two)
	mustWrite(t, b, three)
	mustRead(t, b, one, two)
	mustRead(t, a, three)
}

func TestWrittenFramesAreTheCallersAgain(t *testing.T) {
	a, b := New(Options{})
	defer closeBoth(t, a, b)
	f := frame(1, 100)
	want := bytes.Clone(f)
	mustWrite(t, a, f)
	clear(f)
	mustRead(t, b, want)
}

func TestFullPipeTakesWhatFitsAndCallsBack(t *testing.T) {
	for _, tt := range []struct {
		name string
		opt  Options
	}{
		{"frames", Options{QueueFrames: 2}},
		{"octets", Options{QueueBytes: 250}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := New(tt.opt)
			defer closeBoth(t, a, b)
			calls := 0
			a.OnWritable(func() {
				calls++
				a.Stats() // deadlocks when a lock is held
			})
			f := frame(1, 100)
			if n, err := a.WriteFrames(0, [][]byte{f, f, f}); n != 2 || err != nil {
				t.Fatalf("WriteFrames = %d, %v; want 2", n, err)
			}
			mustRead(t, b, f)
			mustRead(t, b, f)
			if calls != 1 {
				t.Errorf("OnWritable called %d times after one short write, want 1", calls)
			}
			mustWrite(t, a, f, f) // all the room has come back
			mustRead(t, b, f, f)
			if calls != 1 {
				t.Errorf("OnWritable called %d times, want none without a short write", calls-1)
			}
		})
	}
}

func TestFrameLargerThanTheBoundCrossesAnEmptyPipe(t *testing.T) {
	a, b := New(Options{QueueBytes: 10})
	defer closeBoth(t, a, b)
	mustWrite(t, a, frame(1, 1500))
	mustRead(t, b, frame(1, 1500))
}

func TestPlainPipeRefusesOffloads(t *testing.T) {
	partial, whole := superSegment(3000), frame(1, 60)
	partial[1] = 0
	for _, f := range [][]byte{partial, superSegment(3000)} {
		a, b := New(Options{MTU: 9000})
		n, err := a.WriteFrames(0, [][]byte{whole, f, whole})
		if n != 1 || !errors.Is(err, syscall.EINVAL) {
			t.Errorf("WriteFrames = %d, %v; want 1, EINVAL", n, err)
		}
		mustRead(t, b, whole)
		closeBoth(t, a, b)
	}
}

func TestPlainPipeHasZeroHeaders(t *testing.T) {
	a, b := New(Options{})
	defer closeBoth(t, a, b)
	f := frame(1, 60)
	f[0] = 2 // vouched for
	mustWrite(t, a, f)
	mustRead(t, b, frame(1, 60))
	if a.Features() != 0 {
		t.Errorf("Features = %#x, want 0", a.Features())
	}
}

func TestOffloadPipeCarriesSuperSegments(t *testing.T) {
	a, b := New(Options{Offload: true})
	defer closeBoth(t, a, b)
	f := superSegment(65535)
	mustWrite(t, a, f)
	mustRead(t, b, f)
	const both = link.FeatureHostTSO4 | link.FeatureGuestTSO4 | link.FeatureCsum | link.FeatureGuestCsum
	if a.Features()&both != both {
		t.Errorf("Features = %#x, want all offloads", a.Features())
	}
}

func TestWrongFramesAreRefused(t *testing.T) {
	big := superSegment(3000)
	big[4], big[5] = 0xdc, 0x05 // 1500 octets and a header do not fit 1500
	badSum := superSegment(30)
	for _, tt := range []struct {
		name string
		f    []byte
		want error
	}{
		{"larger than the MTU", frame(1, 1501), syscall.EMSGSIZE},
		{"segments larger than the MTU", big, syscall.EMSGSIZE},
		{"larger than any packet", superSegment(link.MaxPacket + 1), syscall.EMSGSIZE},
		{"no packet", frame(1, 0), syscall.EINVAL},
		{"half a header", make([]byte, 5), syscall.EINVAL},
		{"nil", nil, syscall.EINVAL},
		{"checksum outside", badSum, syscall.EINVAL},
	} {
		a, b := New(Options{Offload: true})
		if n, err := a.WriteFrames(0, [][]byte{tt.f}); n != 0 || !errors.Is(err, tt.want) {
			t.Errorf("%s: WriteFrames = %d, %v; want %v", tt.name, n, err, tt.want)
		}
		closeBoth(t, a, b)
	}
}

func TestPulledCableLosesAndCounts(t *testing.T) {
	a, b := New(Options{})
	defer closeBoth(t, a, b)
	mustWrite(t, a, frame(1, 60))
	b.Down()
	mustWrite(t, a, frame(2, 60), frame(3, 60))
	mustWrite(t, b, frame(4, 60))
	a.Up()
	mustWrite(t, a, frame(5, 60))
	mustRead(t, b, frame(1, 60), frame(5, 60))
	if n := a.Stats().DropDown; n != 2 {
		t.Errorf("a.DropDown = %d, want 2", n)
	}
	if n := b.Stats().DropDown; n != 1 {
		t.Errorf("b.DropDown = %d, want 1", n)
	}
}

func TestFrameTooLongForItsBufferIsCounted(t *testing.T) {
	a, b := New(Options{})
	defer closeBoth(t, a, b)
	mustWrite(t, a, frame(1, 200), frame(2, 20), frame(3, 20))
	bufs := [][]byte{make([]byte, 40), make([]byte, 40), make([]byte, 40)}
	sizes := make([]int, 3)
	n, err := b.ReadFrames(0, bufs, sizes)
	if n != 2 || err != nil || bufs[0][link.VnetLen] != 2 {
		t.Fatalf("ReadFrames = %d, %v, first %x; want the two short frames", n, err, bufs[0])
	}
	if s := a.Stats(); s.DropTooLong != 1 || s.Read != 2 {
		t.Errorf("Stats = %+v, want one too long and two read", s)
	}
}

func TestCloseWakesReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := New(Options{})
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				bufs, sizes := buffers(1)
				if _, err := a.ReadFrames(0, bufs, sizes); !errors.Is(err, net.ErrClosed) {
					t.Errorf("ReadFrames = %v, want net.ErrClosed", err)
				}
			})
		}
		time.Sleep(time.Hour) // passes only when readers are durably blocked
		a.Close()
		a.Close()
		wg.Wait()
		if _, err := a.WriteFrames(0, [][]byte{frame(1, 20)}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("WriteFrames = %v, want net.ErrClosed", err)
		}
		closeBoth(t, a, b)
	})
}

func TestClosedFarEndSwallowsAndCallsBack(t *testing.T) {
	a, b := New(Options{QueueFrames: 1})
	woken := false
	a.OnWritable(func() { woken = true })
	f := frame(1, 60)
	a.WriteFrames(0, [][]byte{f, f})
	b.Close()
	if !woken {
		t.Error("a starved writer was not told that the far end closed")
	}
	mustWrite(t, a, f, f, f)
	if s := a.Stats(); s.DropClosed != 4 {
		t.Errorf("DropClosed = %d, want 4", s.DropClosed)
	}
	closeBoth(t, a, b)
}

func TestWhatWasWrittenBeforeCloseArrives(t *testing.T) {
	a, b := New(Options{})
	mustWrite(t, a, frame(1, 60))
	a.Close()
	mustRead(t, b, frame(1, 60))
	closeBoth(t, a, b)
}

func TestFrameCopiedWhileTheFarEndClosesIsGivenBack(t *testing.T) {
	a, b := New(Options{})
	f := [][]byte{frame(1, 60)}
	if n, lost, err := a.out.reserve(f); n != 1 || lost || err != nil {
		t.Fatalf("reserve = %d, %v, %v", n, lost, err)
	}
	b.Close()
	block := a.cable.pool.Get(len(f[0]))
	a.out.push([]*mem.Block{block})
	if s := a.Stats(); s.DropClosed != 1 {
		t.Errorf("DropClosed = %d, want 1", s.DropClosed)
	}
	closeBoth(t, a, b)
}

// TestNoWakeUpIsLost has several writers push against a small ring through nothing
// but OnWritable.
func TestNoWakeUpIsLost(t *testing.T) {
	const writers, each = 3, 2000
	a, b := New(Options{QueueFrames: 4})
	defer closeBoth(t, a, b)
	var mu sync.Mutex
	room := sync.NewCond(&mu)
	epoch := 0
	a.OnWritable(func() { mu.Lock(); epoch++; mu.Unlock(); room.Broadcast() })
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := 0; i < each; {
				mu.Lock()
				was := epoch
				mu.Unlock()
				f := frame(byte(w), 64)
				f[link.VnetLen+1], f[link.VnetLen+2] = byte(i>>8), byte(i)
				if n, _ := a.WriteFrames(0, [][]byte{f}); n == 1 {
					i++
					continue
				}
				mu.Lock()
				for epoch == was {
					room.Wait()
				}
				mu.Unlock()
			}
		})
	}
	bufs, sizes := buffers(8)
	var next [writers]int
	for got := 0; got < writers*each; {
		n, err := b.ReadFrames(0, bufs, sizes)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range bufs[:n] {
			p := f[link.VnetLen:]
			if i := int(p[1])<<8 | int(p[2]); i != next[p[0]] {
				t.Fatalf("writer %d: frame %d arrived, want %d", p[0], i, next[p[0]])
			}
			next[p[0]]++
		}
		got += n
	}
	wg.Wait()
}

func TestCloseDuringTrafficLeaksNothing(t *testing.T) {
	a, b := New(Options{QueueFrames: 8})
	var wg sync.WaitGroup
	var stop atomic.Bool
	for _, e := range []*End{a, b} {
		wg.Go(func() {
			for !stop.Load() {
				e.WriteFrames(0, [][]byte{frame(1, 100), frame(2, 1000)})
			}
		})
		wg.Go(func() {
			bufs, sizes := buffers(3)
			for {
				if _, err := e.ReadFrames(0, bufs, sizes); err != nil {
					return
				}
			}
		})
	}
	time.Sleep(5 * time.Millisecond)
	a.Close()
	b.Close()
	stop.Store(true)
	wg.Wait()
	closeBoth(t, a, b)
}

func TestSteadyTrafficAllocatesNothing(t *testing.T) {
	a, b := New(Options{})
	defer closeBoth(t, a, b)
	frames := [][]byte{frame(1, 1500), frame(2, 60)}
	bufs, sizes := buffers(2)
	got := testing.AllocsPerRun(100, func() {
		a.WriteFrames(0, frames)
		b.ReadFrames(0, bufs, sizes)
	})
	if got >= 1 && !raceEnabled { // sync.Pool forgets at random under the race detector
		t.Errorf("%v allocations per round, want 0", got)
	}
}

func BenchmarkPipe(b *testing.B) {
	for _, n := range []int{1500, 65535} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x, y := New(Options{MTU: 65535})
			frames := [][]byte{frame(1, n)}
			bufs, sizes := buffers(1)
			b.SetBytes(int64(n))
			for b.Loop() {
				x.WriteFrames(0, frames)
				y.ReadFrames(0, bufs, sizes)
			}
		})
	}
}
