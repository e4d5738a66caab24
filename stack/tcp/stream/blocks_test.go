package stream

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/weirnet/weir/stack/mem"
)

// blockStep does what only blocks do on the queue and on its model.
func blockStep(s *SendQueue, pool *mem.Pool, model *[]byte, rng *rand.Rand) error {
	p := pattern(1 + rng.IntN(60000))
	switch rng.IntN(5) {
	case 0: // a block that may have room left
		b := pool.Get(mem.FrameBlock)
		b.B = b.B[100 : 100+len(p)+rng.IntN(5000)]
		n := copy(b.B, p)
		s.Take(b, n)
		*model = append(*model, p...)
	case 1:
		b, free := s.Tail()
		if b == nil {
			return nil
		}
		n := copy(free, p)
		ok := s.Extend(free, n)
		b.Release()
		if !ok {
			return fmt.Errorf("the tail that was just given is none")
		}
		*model = append(*model, p[:n]...)
	case 2:
		n := rng.IntN(len(p))
		s.Append(p[:n])
		*model = append(*model, p[:n]...)
	case 3:
		s.AppendAhead(p, 192, 1<<(10+rng.IntN(7)))
		*model = append(*model, p...)
	case 4:
		n := s.Discard(rng.IntN(100000))
		*model = (*model)[n:]
	}
	return s.Check()
}

func TestBlocksGivenAndFilledAreTheRunThatTheirModelIs(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var pool mem.Pool
		var s SendQueue
		s.Init(&pool)
		var model []byte
		for range 300 {
			if err := blockStep(&s, &pool, &model, rng); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			got := make([]byte, s.Len())
			if s.CopyAt(got, 0); !bytes.Equal(got, model) {
				t.Fatalf("seed %d: %d octets differ from the model's %d", seed, len(got), len(model))
			}
			if used, most := s.Memory(), 2*s.Len()+3*mem.FrameBlock; used > most {
				t.Fatalf("seed %d: %d octets hold %d, more than %d", seed, s.Len(), used, most)
			}
			if off := rng.IntN(s.Len() + 1); off < s.Len() {
				n := 1 + rng.IntN(60000)
				if b := s.Block(off, n, 100); b != nil {
					if !bytes.Equal(b.B[:n], model[off:off+n]) || b.Ahead() < 100 {
						t.Fatalf("seed %d: the block at %d has other octets", seed, off)
					}
					b.Release()
				}
			}
		}
		s.Release()
		if n := pool.Outstanding(); n != 0 {
			t.Fatalf("seed %d: %d blocks leaked", seed, n)
		}
	}
}

func TestTailThatWasGivenUpIsNotExtended(t *testing.T) {
	var pool mem.Pool
	var s SendQueue
	s.Init(&pool)
	s.Append(pattern(100))
	b, free := s.Tail()
	defer b.Release()
	s.Release()
	if s.Extend(free, 1) {
		t.Error("an empty queue has taken an octet at the end of a block that it has let go")
	}
	s.Append(pattern(100))
	if s.Extend(free, 1) {
		t.Error("an octet in another block was counted")
	}
	s.Release()
}

func TestLentOctetsStayWhileTheQueueGoesOn(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 4))
		var pool mem.Pool
		var r RecvQueue
		r.Init(&pool)
		var lent [3]Lent
		in, out := 0, 0 // positions in a stream whose octet i is byte(i*31 + i>>9)
		at := func(i int) byte { return byte(i*31 + i>>9) }
		fill := func(p []byte) {
			for i := range p {
				p[i] = at(in + i)
			}
			in += len(p)
		}
		for range 200 {
			n := 1 + rng.IntN(60000)
			if rng.IntN(2) == 0 {
				b := pool.Get(mem.FrameBlock)
				p := b.B[64 : 64+n]
				fill(p)
				r.Take(b, p)
			} else {
				p := make([]byte, n%5000+1)
				fill(p)
				r.Append(p)
			}
			most := rng.IntN(100000)
			runs, n := r.Lend(lent[:], most)
			p := make([]byte, 3000)
			fill(p)
			r.Append(p) // behind what is lent, maybe in the same block
			got := 0
			for i := range runs {
				for _, b := range lent[i].P {
					if b != at(out) {
						t.Fatalf("seed %d: octet %d is another", seed, out)
					}
					out++
					got++
				}
				lent[i].Release()
			}
			if got != n || n > most {
				t.Fatalf("seed %d: %d octets lent, %d said, at most %d wanted", seed, got, n, most)
			}
			if err := r.Check(); err != nil || r.Len() != in-out {
				t.Fatalf("seed %d: %v; %d queued, want %d", seed, err, r.Len(), in-out)
			}
		}
		r.Release()
		if n := pool.Outstanding(); n != 0 {
			t.Fatalf("seed %d: %d blocks leaked", seed, n)
		}
	}
}

func TestMuchTextCanBeSentFromWhereItLies(t *testing.T) {
	var pool mem.Pool
	var s SendQueue
	s.Init(&pool)
	const unit = 45 * 1448
	for range 10 {
		s.AppendAhead(pattern(32<<10), 192, unit)
	}
	for off := 0; off+unit <= s.Len(); off += unit {
		b := s.Block(off, unit, 192)
		if b == nil {
			t.Fatalf("the octets from %d on are in no block of their own with room ahead of them", off)
		}
		b.Release()
	}
	s.Release()
	s.AppendAhead(pattern(1000), 192, unit)
	if n := s.Memory(); n > 1024 {
		t.Errorf("1000 octets take %d", n)
	}
	s.Release()
	if pool.Outstanding() != 0 {
		t.Errorf("%d blocks leaked", pool.Outstanding())
	}
}
