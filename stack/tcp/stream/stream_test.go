package stream

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/weirnet/weir/stack/mem"
)

// pattern returns n octets that differ from those at any near position.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// step does one operation, which two octets choose, on the queue and on its model.
func step(t *testing.T, s *SendQueue, model *[]byte, op byte, arg int) {
	t.Helper()
	switch op % 4 {
	case 0, 1:
		p := pattern(arg)
		if n := s.Append(p); n != len(p) {
			t.Fatalf("Append of %d took %d", len(p), n)
		}
		*model = append(*model, p...)
	case 2:
		want := min(arg, len(*model))
		if n := s.Discard(arg); n != want {
			t.Fatalf("Discard(%d) of %d = %d", arg, len(*model), n)
		}
		*model = (*model)[want:]
	case 3:
		off := 0
		if len(*model) > 0 {
			off = (arg * 2654435761) % (len(*model) + 1)
		}
		got := make([]byte, arg)
		n := s.CopyAt(got, off)
		if want := (*model)[off:min(off+arg, len(*model))]; !bytes.Equal(got[:n], want) {
			t.Fatalf("CopyAt(%d, %d) of %d gives %d wrong octets, want %d", arg, off, len(*model), n, len(want))
		}
	}
	if s.Len() != len(*model) {
		t.Fatalf("Len = %d, want %d", s.Len(), len(*model))
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
}

func TestQueueIsTheRunOfOctetsThatItsModelIs(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var pool mem.Pool
		var s SendQueue
		s.Init(&pool)
		s.q.front, s.q.back = ^uint32(0)-5000, ^uint32(0)-5000 // positions wrap around
		var model []byte
		for range 400 {
			arg := rng.IntN(1 << rng.IntN(18))
			if len(model) > 1<<20 {
				s.Discard(len(model))
				model = nil
			}
			step(t, &s, &model, byte(rng.Uint32()), arg)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
		s.Release()
		if n := pool.Outstanding(); n != 0 {
			t.Fatalf("seed %d: %d blocks out after Release", seed, n)
		}
	}
}

func FuzzSendQueue(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 200, 100, 2, 255, 3, 255})
	f.Fuzz(func(t *testing.T, script []byte) {
		var pool mem.Pool
		var s SendQueue
		s.Init(&pool)
		var model []byte
		script = script[:min(len(script), 200)]
		for ; len(script) >= 2 && len(model) < 1<<18; script = script[2:] {
			step(t, &s, &model, script[0], int(script[1])<<(script[0]>>5))
		}
		s.Release()
		if pool.InUse() != 0 {
			t.Fatalf("%d octets out after Release", pool.InUse())
		}
	})
}

func TestEmptyQueueHoldsNoBlock(t *testing.T) {
	var pool mem.Pool
	var s SendQueue
	s.Init(&pool)
	for _, n := range []int{1, 256, 70000, 1 << 20} {
		s.Append(pattern(n))
		s.Discard(n - 1)
		if s.Len() != 1 || pool.Outstanding() != 1 {
			t.Fatalf("with one octet of %d left: Len %d, %d blocks", n, s.Len(), pool.Outstanding())
		}
		s.Discard(1)
		if pool.Outstanding() != 0 {
			t.Fatalf("%d blocks out when all of %d octets were acknowledged", pool.Outstanding(), n)
		}
		if cap(s.q.pieces) > 1 {
			t.Fatalf("an empty queue keeps an index of %d", cap(s.q.pieces))
		}
	}
}

func TestBlocksNeverHoldMoreThanTwiceWhatWentIntoThem(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, most := range []int{1, 10, 300, 3000, 65536, 200000} {
		var pool mem.Pool
		var s SendQueue
		s.Init(&pool)
		for s.Len() < 1<<20 {
			s.Append(pattern(1 + rng.IntN(most)))
			if m := int(pool.InUse()); m > max(2*s.Len(), mem.MinBlock) || m != s.Memory() {
				t.Fatalf("writes up to %d: %d octets in %d (Memory %d)", most, s.Len(), m, s.Memory())
			}
			if most == 1 && s.Len() > 1<<17 {
				break
			}
		}
		s.Release()
	}
}

func TestSmallWritesFillTheTailBlockFirst(t *testing.T) {
	var pool mem.Pool
	var s SendQueue
	s.Init(&pool)
	for range mem.MinBlock {
		s.Append([]byte{1})
	}
	if n := pool.Outstanding(); n != 1 {
		t.Fatalf("%d one-octet writes lie in %d blocks", mem.MinBlock, n)
	}
	s.Append(pattern(10))
	if n := pool.Outstanding(); n != 2 {
		t.Fatalf("%d blocks, want 2", n)
	}
	s.Release()
}

func TestBulkWriteTakesBlocksOf64KiB(t *testing.T) {
	var pool mem.Pool
	var s SendQueue
	s.Init(&pool)
	s.Append(pattern(1 << 20))
	if n := pool.Outstanding(); n != 16 {
		t.Fatalf("1 MiB lies in %d blocks, want 16", n)
	}
	s.Release()
}

func TestCopyAtOutsideOfTheQueueCopiesNothing(t *testing.T) {
	var pool mem.Pool
	var s SendQueue
	s.Init(&pool)
	s.Append(pattern(100))
	defer s.Release()
	b := make([]byte, 10)
	for _, off := range []int{-1, 100, 101, 1 << 31} {
		if n := s.CopyAt(b, off); n != 0 {
			t.Errorf("CopyAt(%d) of 100 octets = %d", off, n)
		}
	}
	if n := s.CopyAt(b, 95); n != 5 {
		t.Errorf("CopyAt over the end = %d, want 5", n)
	}
	if n := s.Discard(-1); n != 0 {
		t.Errorf("Discard(-1) = %d", n)
	}
}

func TestReadGivesWhatWasAppendedInOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	var pool mem.Pool
	var r RecvQueue
	r.Init(&pool)
	want := pattern(3 << 20)
	in, out := want, []byte(nil)
	buf := make([]byte, 100000)
	for len(out) < len(want) {
		n := min(len(in), rng.IntN(80000))
		r.Append(in[:n])
		in = in[n:]
		p := buf[:rng.IntN(len(buf))]
		switch rng.IntN(3) {
		case 0:
			out = append(out, p[:r.Read(p)]...)
		case 1:
			n := r.Peek(p)
			out = append(out, p[:n]...)
			r.Discard(n)
		case 2:
			next := r.Next()
			out = append(out, next...)
			r.Discard(len(next))
		}
		if err := r.Check(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(out, want) {
		t.Fatal("what was read is not what was appended")
	}
	if r.Len() != 0 || r.Next() != nil || r.Memory() != 0 || pool.Outstanding() != 0 {
		t.Fatalf("after all was read: Len %d, %d blocks", r.Len(), pool.Outstanding())
	}
}

func TestTakenBlocksAndCopiesAreReadInOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	var pool mem.Pool
	var r RecvQueue
	r.Init(&pool)
	want := pattern(4 << 20)
	in, out := want, []byte(nil)
	buf := make([]byte, 100000)
	for len(out) < len(want) {
		if len(in) > 0 && rng.IntN(2) == 0 {
			b := pool.Get(mem.FrameBlock)
			at := rng.IntN(100)
			p := b.B[at : at+min(len(in), 1+rng.IntN(65536))]
			in = in[copy(p, in):]
			r.Take(b, p)
		} else {
			n := min(len(in), rng.IntN(3000))
			r.Append(in[:n])
			in = in[n:]
		}
		p := buf[:rng.IntN(len(buf))]
		out = append(out, p[:r.Read(p)]...)
		if err := r.Check(); err != nil {
			t.Fatal(err)
		}
		if m := r.Memory(); m != int(pool.InUse()) {
			t.Fatalf("Memory = %d, %d octets are out", m, pool.InUse())
		}
	}
	if !bytes.Equal(out, want) {
		t.Fatal("what was read is not what came in")
	}
	if pool.Outstanding() != 0 {
		t.Fatalf("%d blocks out after all was read", pool.Outstanding())
	}
}

func TestNextStaysValidThroughAppend(t *testing.T) {
	var pool mem.Pool
	var r RecvQueue
	r.Init(&pool)
	defer r.Release()
	r.Append([]byte("first"))
	next := r.Next()
	r.Append(pattern(100000))
	if string(next) != "first" {
		t.Fatalf("Next changed to %q", next)
	}
}

func TestQueueAllocatesNothingOnceWarm(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops blocks at random under the race detector")
	}
	var pool mem.Pool
	var s SendQueue
	var r RecvQueue
	s.Init(&pool)
	r.Init(&pool)
	small, bulk, buf := pattern(100), pattern(300<<10), make([]byte, 65536)
	for name, f := range map[string]func(){
		"request and answer": func() {
			s.Append(small)
			s.CopyAt(buf, 0)
			s.Discard(len(small))
			r.Append(small)
			r.Read(buf)
		},
		"bulk, drained": func() {
			s.Append(bulk)
			for off := 0; off < len(bulk); off += 1448 {
				s.CopyAt(buf[:1448], off)
			}
			s.Discard(len(bulk))
			r.Append(buf)
			r.Discard(len(r.Next()))
		},
	} {
		if n := testing.AllocsPerRun(100, f); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	for range 60 {
		s.Append(bulk)
	}
	if n := testing.AllocsPerRun(1000, func() {
		s.Append(bulk[:65536])
		s.CopyAt(buf, 8<<20)
		s.Discard(65536)
	}); n > 0 {
		t.Errorf("16 MiB deep: %v allocations", n)
	}
	s.Release()
	r.Release()
}

func BenchmarkCopyAt(b *testing.B) {
	for name, next := range map[string]func(off int) int{
		"inOrder": func(off int) int { return off + 1448 },
		"random":  func(off int) int { return off + 7654321 },
	} {
		b.Run(name, func(b *testing.B) {
			var pool mem.Pool
			var s SendQueue
			s.Init(&pool)
			p := pattern(65536)
			for s.Len() < 16<<20 {
				s.Append(p)
			}
			buf := make([]byte, 1448)
			b.SetBytes(int64(len(buf)))
			off := 0
			for b.Loop() {
				s.CopyAt(buf, off)
				off = next(off) % (16<<20 - 1448)
			}
			s.Release()
		})
	}
}

func BenchmarkThrough(b *testing.B) {
	for name, n := range map[string]int{"1": 1, "1448": 1448, "65536": 65536} {
		b.Run(name, func(b *testing.B) {
			var pool mem.Pool
			var s SendQueue
			s.Init(&pool)
			p, buf := pattern(n), make([]byte, n)
			b.SetBytes(int64(n))
			s.Append(pattern(1 << 20))
			for b.Loop() {
				s.Append(p)
				s.CopyAt(buf, s.Len()-n)
				s.Discard(n)
			}
			s.Release()
		})
	}
}

// A queue's blocks have at most about twice the octets that went into them, whatever comes after
// what: here one octet, and then as little as is worth to keep its block.
func TestTakenBlocksDoNotStrandAlmostEmptyOnes(t *testing.T) {
	var pool mem.Pool
	var r RecvQueue
	r.Init(&pool)
	want := pattern(4 << 20)
	for in := want; len(in) > mem.FrameBlock; {
		r.Append(in[:1])
		b := pool.Get(mem.FrameBlock)
		n := copy(b.B[:mem.FrameBlock/2], in[1:])
		r.Take(b, b.B[:n])
		in = in[1+n:]
		if err := r.Check(); err != nil {
			t.Fatal(err)
		}
		if r.Len() > 1<<20 && r.Memory()*2 > r.Len()*5 {
			t.Fatalf("%d octets of blocks for %d that are queued", r.Memory(), r.Len())
		}
	}
	got := make([]byte, r.Len())
	if r.Read(got); !bytes.Equal(got, want[:len(got)]) {
		t.Error("what was read is not what was put in")
	}
	if n := pool.Outstanding(); n != 0 {
		t.Errorf("%d blocks are out at the end", n)
	}
}
