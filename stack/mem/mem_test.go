package mem

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

func TestClassIsTheLeastPowerOfTwoThatHolds(t *testing.T) {
	for _, c := range []struct{ n, size int }{
		{-1, 256}, {0, 256}, {1, 256}, {255, 256}, {256, 256},
		{257, 512}, {512, 512}, {513, 1024},
		{1500, 2048}, {65535, 65536}, {65536, 65536}, {65537, FrameBlock}, {FrameBlock, FrameBlock}, {FrameBlock + 1, 131072},
		{131072, 131072}, {131073, 131073}, {1 << 20, 1 << 20},
	} {
		var p Pool
		b := p.Get(c.n)
		if len(b.B) != c.size || ClassSize(c.n) != c.size {
			t.Errorf("Get(%d): %d octets, ClassSize %d, want %d", c.n, len(b.B), ClassSize(c.n), c.size)
		}
		b.Release()
	}
}

func TestEveryBlockThatIsOutIsCounted(t *testing.T) {
	var p Pool
	wantOut := func(blocks, octets int64) {
		t.Helper()
		if p.Outstanding() != blocks || p.InUse() != octets {
			t.Fatalf("%d blocks of %d octets are out, want %d of %d", p.Outstanding(), p.InUse(), blocks, octets)
		}
	}
	wantOut(0, 0)
	small, bulk, huge := p.Get(100), p.Get(60000), p.Get(1<<20+1)
	wantOut(3, 256+65536+1<<20+1)
	small.Retain()
	small.Release()
	wantOut(3, 256+65536+1<<20+1) // one owner is left
	huge.Release()
	wantOut(2, 256+65536)
	small.Release()
	bulk.Release()
	wantOut(0, 0)
}

func TestBlockComesBackWholeAfterItsOwnerCutIt(t *testing.T) {
	var p Pool
	for range 100 {
		b := p.Get(1000)
		if len(b.B) != 1024 || cap(b.B) != 1024 {
			t.Fatalf("len %d cap %d, want 1024", len(b.B), cap(b.B))
		}
		b.B = b.B[500:700]
		b.Release()
	}
}

func TestBlocksThatAreOutAreDistinct(t *testing.T) {
	var p Pool
	rng := rand.New(rand.NewPCG(1, 1))
	out := map[*byte]*Block{}
	for range 10000 {
		b := p.Get(1 + rng.IntN(4096))
		if out[&b.B[0]] != nil {
			t.Fatal("a block was lent twice")
		}
		out[&b.B[0]] = b
		for k, v := range out {
			if rng.IntN(2) == 0 {
				break
			}
			v.Release()
			delete(out, k)
		}
	}
	for _, b := range out {
		b.Release()
	}
	if p.Outstanding() != 0 || p.InUse() != 0 {
		t.Errorf("%d blocks of %d octets leaked", p.Outstanding(), p.InUse())
	}
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if s, _ := recover().(string); !strings.Contains(s, what) {
			t.Errorf("panic %q, want one about %q", s, what)
		}
	}()
	f()
}

func TestReleaseTooManyPanics(t *testing.T) {
	for _, n := range []int{100, MaxBlock + 1} {
		var p Pool
		b := p.Get(n)
		b.Retain()
		b.Release()
		b.Release()
		mustPanic(t, "Release", b.Release)
		if p.Outstanding() != 0 || p.InUse() != 0 {
			t.Errorf("a release too many changed the count to %d", p.Outstanding())
		}
	}
}

func TestRetainOfAReleasedBlockPanics(t *testing.T) {
	var p Pool
	b := p.Get(100)
	b.Release()
	mustPanic(t, "Retain", b.Retain)
}

func TestSharedIsTrueWhileThereAreTwoOwners(t *testing.T) {
	var p Pool
	b := p.Get(1)
	if b.Shared() {
		t.Error("a fresh block is shared")
	}
	b.Retain()
	if !b.Shared() {
		t.Error("a retained block is not shared")
	}
	b.Release()
	if b.Shared() {
		t.Error("a block with one owner is shared")
	}
	b.Release()
}

// The race detector judges this one: owners on several goroutines read a block that
// its last owner gives back for the next to write.
func TestOwnersOnManyGoroutinesShareABlock(t *testing.T) {
	var p Pool
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 7))
			for range 300 {
				b := p.Get(1 + rng.IntN(2000))
				want := byte(rng.Uint32())
				for i := range b.B {
					b.B[i] = want
				}
				var readers sync.WaitGroup
				for range 3 {
					b.Retain()
					readers.Go(func() {
						defer b.Release()
						if b.B[0] != want || b.B[len(b.B)-1] != want {
							t.Error("a shared block was overwritten")
						}
					})
				}
				b.Release()
				readers.Wait()
			}
		})
	}
	wg.Wait()
	if p.Outstanding() != 0 || p.InUse() != 0 {
		t.Errorf("%d blocks of %d octets leaked", p.Outstanding(), p.InUse())
	}
}

func TestGetAndReleaseAllocateNothingOnceWarm(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops at random under the race detector")
	}
	var p Pool
	sizes := []int{1, 256, 1500, 9000, 65536, MaxBlock}
	for _, n := range sizes {
		p.Get(n).Release()
	}
	if n := testing.AllocsPerRun(200, func() {
		for _, size := range sizes {
			b := p.Get(size)
			b.Retain()
			b.Release()
			b.Release()
		}
	}); n != 0 {
		t.Errorf("%v allocations a round, want none", n)
	}
}

func BenchmarkGetRelease(b *testing.B) {
	var p Pool
	b.ReportAllocs()
	for b.Loop() {
		p.Get(1500).Release()
	}
}

func BenchmarkGetReleaseParallel(b *testing.B) {
	var p Pool
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p.Get(1500).Release()
		}
	})
}
