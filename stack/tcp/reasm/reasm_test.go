package reasm

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/seq"
	"github.com/weirnet/weir/stack/tcp/stream"
	"github.com/weirnet/weir/stack/wire"
)

// model is a queue as a map of octets.
type model struct {
	held map[seq.Value]byte
	next seq.Value
}

// insert does what Queue.Insert promises when there is room for stored octets.
func (m *model) insert(at seq.Value, p []byte, stored int) (dup seq.Range) {
	open := false
	for i, b := range p {
		v := at.Add(i)
		if _, ok := m.held[v]; ok {
			if dup.Len() == 0 {
				dup, open = seq.Range{Start: v, End: v}, true
			}
			if open {
				dup.End = v + 1
			}
			continue
		}
		open = false
		if stored == 0 {
			return dup
		}
		m.held[v] = b
		stored--
	}
	return dup
}

// pull takes what is contiguous at m.next.
func (m *model) pull() (out []byte) {
	for {
		b, ok := m.held[m.next]
		if !ok {
			return out
		}
		delete(m.held, m.next)
		out = append(out, b)
		m.next++
	}
}

// world is a queue beside its model.
type world struct {
	t    *testing.T
	pool mem.Pool
	q    Queue
	in   stream.RecvQueue
	m    model
}

func newWorld(t *testing.T, isn seq.Value) *world {
	w := &world{t: t, m: model{held: map[seq.Value]byte{}, next: isn}}
	w.q.Init(&w.pool)
	w.in.Init(&w.pool)
	return w
}

// insert puts octets at an offset from next, with contents that differ at each
// insertion so that overwriting what is held would show.
func (w *world) insert(off, n int, salt byte) {
	w.t.Helper()
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(off+i)*31 ^ salt
	}
	at := w.m.next.Add(off)
	before := w.q.Refused()
	stored, dup := w.q.Insert(at, p)
	if w.q.Refused() == before && len(w.m.held)+stored != w.q.Bytes() {
		w.t.Fatalf("stored %d, Bytes %d, held before %d", stored, w.q.Bytes(), len(w.m.held))
	}
	var want seq.Range
	if stored > 0 || dup.Len() > 0 || w.q.Refused() == before {
		want = w.m.insert(at, p, stored)
	}
	if dup != want && (dup.Len() > 0 || want.Len() > 0) {
		w.t.Fatalf("Insert(%d, %d) says %v is a duplicate, want %v", at, n, dup, want)
	}
	w.check()
}

// pull moves what is contiguous and compares it.
func (w *world) pull() {
	w.t.Helper()
	want := w.m.pull()
	n := w.q.Pull(w.m.next.Add(-len(want)), &w.in)
	got := make([]byte, w.in.Len())
	w.in.Read(got)
	if n != len(want) || !bytes.Equal(got, want) {
		w.t.Fatalf("Pull moved %d octets (%d arrived), want %d", n, len(got), len(want))
	}
	w.check()
}

func (w *world) check() {
	w.t.Helper()
	if err := w.q.Check(); err != nil {
		w.t.Fatal(err)
	}
	if w.q.Bytes() != len(w.m.held) {
		w.t.Fatalf("Bytes = %d, want %d", w.q.Bytes(), len(w.m.held))
	}
	if m := int(w.pool.InUse()) - w.in.Memory(); m != w.q.Memory() {
		w.t.Fatalf("Memory = %d, but %d octets are out", w.q.Memory(), m)
	}
}

func (w *world) end() {
	w.q.Release()
	w.in.Release()
	if w.pool.Outstanding() != 0 {
		w.t.Fatalf("%d blocks out after Release", w.pool.Outstanding())
	}
}

func TestOctetsComeOutInOrderWhateverOrderTheyWentIn(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 2))
		// Sequence numbers wrap around in the middle.
		w := newWorld(t, seq.Value(0).Add(-rng.IntN(40000)))
		window := 1 + rng.IntN(60000)
		if seed%3 == 0 {
			w.q.SetLimit(rng.IntN(window + PageSize))
		}
		for range 150 {
			off := 1 + rng.IntN(window)
			w.insert(off, 1+rng.IntN(1+rng.IntN(5000)), byte(rng.Uint32()))
			switch rng.IntN(8) {
			case 0: // the gap is filled by a segment that Input took itself
				n := 1 + rng.IntN(2000)
				for i := range n {
					delete(w.m.held, w.m.next.Add(i))
				}
				w.m.next = w.m.next.Add(n)
				w.pull()
			case 1:
				w.pull()
			}
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
		w.end()
	}
}

func FuzzReasm(f *testing.F) {
	f.Add(uint32(0xffffff00), []byte{0, 4, 1, 8, 0, 2, 3, 1, 0, 20})
	f.Fuzz(func(t *testing.T, isn uint32, script []byte) {
		w := newWorld(t, seq.Value(isn))
		w.q.SetLimit(4 * PageSize)
		script = script[:min(len(script), 300)]
		for ; len(script) >= 3; script = script[3:] {
			off, n := int(script[1])<<(script[0]>>4), int(script[2])<<(script[0]>>2&3)
			switch script[0] & 3 {
			case 0, 1:
				w.insert(1+off, n, script[0])
			case 2:
				for i := range n {
					delete(w.m.held, w.m.next.Add(i))
				}
				w.m.next = w.m.next.Add(n)
				w.pull()
			case 3: // any sequence number at all
				at := seq.Value(off * 0x01010101)
				if d := at.Sub(w.m.next); d <= 0 || d > 1<<20 {
					var q Queue
					q.Init(&w.pool)
					q.Insert(w.m.next, script)
					q.Insert(at, script)
					if err := q.Check(); err != nil {
						t.Fatal(err)
					}
					q.Release()
				}
			}
		}
		w.end()
	})
}

// RFC 2018 §4: the first block is the one with the segment that came last, then
// those reported most recently.
func TestFirstSACKBlockHoldsTheSegmentThatCameLast(t *testing.T) {
	var pool mem.Pool
	var q Queue
	q.Init(&pool)
	defer q.Release()
	p := make([]byte, 10)
	for i, c := range []struct {
		at   seq.Value
		want []wire.SACKBlock
	}{
		{100, []wire.SACKBlock{{Left: 100, Right: 110}}},
		{300, []wire.SACKBlock{{Left: 300, Right: 310}, {Left: 100, Right: 110}}},
		{200, []wire.SACKBlock{{Left: 200, Right: 210}, {Left: 300, Right: 310}, {Left: 100, Right: 110}}},
		{110, []wire.SACKBlock{{Left: 100, Right: 120}, {Left: 200, Right: 210}, {Left: 300, Right: 310}}},
		{500, []wire.SACKBlock{{Left: 500, Right: 510}, {Left: 100, Right: 120}, {Left: 200, Right: 210}, {Left: 300, Right: 310}}},
		{400, []wire.SACKBlock{{Left: 400, Right: 410}, {Left: 500, Right: 510}, {Left: 100, Right: 120}, {Left: 200, Right: 210}}},
		// A duplicate is a segment that came, too.
		{300, []wire.SACKBlock{{Left: 300, Right: 310}, {Left: 400, Right: 410}, {Left: 500, Right: 510}, {Left: 100, Right: 120}}},
	} {
		q.Insert(c.at, p)
		var got [4]wire.SACKBlock
		for n := 0; n <= 5; n++ {
			if k := q.Blocks(&got, n); k != min(n, len(c.want)) {
				t.Fatalf("step %d: Blocks(%d) = %d", i, n, k)
			} else if !equal(got[:k], c.want[:k]) {
				t.Fatalf("step %d: Blocks(%d) = %v, want %v", i, n, got[:k], c.want[:k])
			}
		}
	}
}

func equal(a, b []wire.SACKBlock) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// RFC 2883 §4.2: only the first duplicate is reported when a segment has several.
func TestDuplicateReportedIsTheFirstContiguousOne(t *testing.T) {
	var pool mem.Pool
	var q Queue
	q.Init(&pool)
	defer q.Release()
	p := make([]byte, 1000)
	q.Insert(1000, p[:500])
	q.Insert(2000, p[:500])
	for _, c := range []struct {
		at     seq.Value
		n      int
		stored int
		dup    seq.Range
	}{
		{1100, 100, 0, seq.Range{Start: 1100, End: 1200}},
		{900, 150, 100, seq.Range{Start: 1000, End: 1050}},
		{1500, 100, 100, seq.Range{}}, // touching is no duplicate
		{1550, 1000, 450, seq.Range{Start: 1550, End: 1600}},
	} {
		stored, dup := q.Insert(c.at, p[:c.n])
		if stored != c.stored || dup != c.dup {
			t.Errorf("Insert(%d, %d) = %d, %v, want %d, %v", c.at, c.n, stored, dup, c.stored, c.dup)
		}
	}
}

func TestSegmentsThatTouchMakeOneRange(t *testing.T) {
	for name, order := range map[string][]int{
		"in order": {1, 2, 3}, "backwards": {3, 2, 1}, "middle last": {1, 3, 2}, "middle first": {2, 1, 3},
	} {
		w := newWorld(t, seq.Value(0).Add(-200))
		for _, i := range order {
			w.insert(100*i, 100, 0)
		}
		if w.q.Ranges() != 1 || w.q.Range(0) != (seq.Range{Start: ^seq.Value(99), End: 200}) {
			t.Errorf("%s: %d ranges, the first %v", name, w.q.Ranges(), w.q.Range(0))
		}
		w.end()
	}
}

func TestManyTinySegmentsStayBounded(t *testing.T) {
	var pool mem.Pool
	var q Queue
	q.Init(&pool)
	defer q.Release()
	const limit = 256 << 10
	q.SetLimit(limit)
	one := []byte{1}
	for i := range 1 << 17 { // an octet every two, as a hostile peer would
		q.Insert(seq.Value(2*i), one)
	}
	if q.Ranges() > MaxRanges || pool.InUse() > limit {
		t.Fatalf("%d ranges in %d octets", q.Ranges(), pool.InUse())
	}
	if cost := pool.InUse() / int64(q.Bytes()); cost > 16 {
		t.Errorf("an octet costs %d", cost)
	}
	if q.Refused() == 0 {
		t.Error("nothing was refused")
	}
	q.Release()
	for i := range 1 << 16 { // an octet for every page
		q.Insert(seq.Value(i*PageSize), one)
	}
	if q.Memory() > limit {
		t.Fatalf("%d octets held with a limit of %d", q.Memory(), limit)
	}
}

func TestLimitRefusesWhatIsNewAndKeepsWhatWasReported(t *testing.T) {
	var pool mem.Pool
	var q Queue
	var in stream.RecvQueue
	q.Init(&pool)
	in.Init(&pool)
	q.SetLimit(2 * PageSize)
	p := bytes.Repeat([]byte{7}, 3*PageSize)
	if n, _ := q.Insert(100, p); n != 2*PageSize-100 {
		t.Fatalf("stored %d with room for %d", n, 2*PageSize-100)
	}
	if q.Refused() != uint64(PageSize+100) {
		t.Fatalf("Refused = %d", q.Refused())
	}
	if n, dup := q.Insert(200, p[:100]); n != 0 || dup.Len() != 100 {
		t.Fatalf("a duplicate gives %d, %v", n, dup)
	}
	q.SetLimit(0) // what was acknowledged by SACK stays: RFC 2018 §8
	if n := q.Pull(100, &in); n != 2*PageSize-100 || q.Memory() != 0 {
		t.Fatalf("Pull = %d", n)
	}
	in.Release()
	if pool.Outstanding() != 0 {
		t.Fatal("blocks left")
	}
}

func TestPruneGivesUpTheFarEndFirst(t *testing.T) {
	var pool mem.Pool
	var q Queue
	q.Init(&pool)
	for i := range 8 {
		q.Insert(seq.Value(i*2*PageSize), make([]byte, 100))
	}
	if n := q.Prune(3 * PageSize); n != 500 || q.Memory() != 3*PageSize || q.Bytes() != 300 {
		t.Fatalf("Prune gave up %d; %d octets in %d left", n, q.Bytes(), q.Memory())
	}
	if q.Range(0).Start != 0 || q.Range(2).Start != 4*PageSize {
		t.Fatalf("what is left begins at %d", q.Range(0).Start)
	}
	if err := q.Check(); err != nil {
		t.Fatal(err)
	}
	q.Prune(0)
	if !q.Empty() || q.Bytes() != 0 || pool.Outstanding() != 0 {
		t.Fatal("Prune(0) left something")
	}
}

func TestAnySequenceNumberIsSafe(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	var pool mem.Pool
	var q Queue
	var in stream.RecvQueue
	q.Init(&pool)
	in.Init(&pool)
	q.SetLimit(1 << 20)
	p := make([]byte, 70000)
	for range 6000 {
		q.Insert(seq.Value(rng.Uint32()), p[:rng.IntN(1<<rng.IntN(17))])
		if rng.IntN(100) == 0 {
			q.Pull(seq.Value(rng.Uint32()), &in)
			in.Release()
		}
		if rng.IntN(50) == 0 {
			if err := q.Check(); err != nil {
				t.Fatal(err)
			}
		}
	}
	q.Release()
	if pool.Outstanding() != 0 {
		t.Fatalf("%d blocks left", pool.Outstanding())
	}
}

func TestQueueAllocatesNothingOnceWarm(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops blocks at random under the race detector")
	}
	var pool mem.Pool
	var q Queue
	var in stream.RecvQueue
	var blocks [4]wire.SACKBlock
	q.Init(&pool)
	in.Init(&pool)
	p := make([]byte, 1448)
	at := seq.Value(1<<32 - 100000)
	if n := testing.AllocsPerRun(1000, func() {
		for i := 1; i < 20; i++ { // one segment lost before nineteen, and two more of these
			if i != 7 && i != 12 {
				q.Insert(at.Add(i*len(p)), p)
				q.Blocks(&blocks, 3)
			}
		}
		q.Insert(at.Add(7*len(p)), p)
		q.Insert(at.Add(12*len(p)), p)
		q.Pull(at.Add(len(p)), &in)
		in.Discard(in.Len())
		at = at.Add(20 * len(p))
	}); n > 0 {
		t.Errorf("%v allocations for a window with losses", n)
	}
	if pool.Outstanding() != 0 {
		t.Errorf("%d blocks left", pool.Outstanding())
	}
}

func BenchmarkInsertPull(b *testing.B) {
	for name, n := range map[string]int{"1448": 1448, "65160": 65160} {
		b.Run(name, func(b *testing.B) {
			var pool mem.Pool
			var q Queue
			var in stream.RecvQueue
			q.Init(&pool)
			in.Init(&pool)
			p := make([]byte, n)
			b.SetBytes(int64(n))
			at, i := seq.Value(0), 0
			for b.Loop() {
				i++
				q.Insert(at.Add(i*n), p)
				if i == 100 {
					q.Pull(at.Add(n), &in)
					in.Discard(in.Len())
					at, i = at.Add(101*n), 0
				}
			}
		})
	}
}

// BenchmarkFull is a queue with as many ranges as there may be.
func BenchmarkFull(b *testing.B) {
	var pool mem.Pool
	var q Queue
	var blocks [4]wire.SACKBlock
	q.Init(&pool)
	p := make([]byte, 100)
	for i := range MaxRanges {
		q.Insert(seq.Value(i*3000), p)
	}
	b.Run("duplicate", func(b *testing.B) {
		for b.Loop() {
			q.Insert(1500000, p)
		}
	})
	b.Run("blocks", func(b *testing.B) {
		for b.Loop() {
			q.Blocks(&blocks, 3)
		}
	})
	q.Release()
}
