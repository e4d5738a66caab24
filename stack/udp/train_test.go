package udp

import (
	"bytes"
	"testing"

	"github.com/weirnet/weir/stack/mem"
)

// Datagrams that came as one are taken out one by one, or as they came; what is left of one that was
// begun too.
func TestTrainIsTakenApart(t *testing.T) {
	text := make([]byte, 2500)
	for i := range text {
		text[i] = byte(i)
	}
	for _, keep := range []bool{false, true} {
		var pool mem.Pool
		var q Queue
		q.Init(&pool, 0, 0)
		d := Datagram{Payload: text, SegmentSize: 1000}
		var block *mem.Block
		if keep {
			block = pool.Get(4096)
			d.Payload = block.B[100 : 100+copy(block.B[100:], text)]
		}
		kept, drop := q.PushBlock(&d, block)
		if kept != keep || drop != DropNone || q.Len() != 3 || d.Count() != 3 {
			t.Fatalf("kept %v, %v, %d queued", kept, drop, q.Len())
		}
		q.Push(&Datagram{Payload: []byte("x")})
		if p := q.Peek(); !bytes.Equal(p.Payload, text[:1000]) || p.Count() != 1 {
			t.Errorf("peeked at %d octets", len(p.Payload))
		}
		first, _ := q.Pop()
		if n := q.Next(); len(n.Payload) != 1500 || n.Count() != 2 || q.Len() != 3 {
			t.Errorf("%d octets are next, %d queued", len(n.Payload), q.Len())
		}
		rest, _ := q.PopTrain()
		if !bytes.Equal(first.Payload, text[:1000]) || !bytes.Equal(rest.Payload, text[1000:]) || rest.SegmentSize != 1000 || q.Len() != 1 {
			t.Errorf("%d octets, then %d of %d each, and %d queued", len(first.Payload), len(rest.Payload), rest.SegmentSize, q.Len())
		}
		last, _ := q.PopTrain()
		if string(last.Payload) != "x" || last.SegmentSize != 0 || q.Memory() != 0 || q.Len() != 0 {
			t.Errorf("%q, %d octets held", last.Payload, q.Memory())
		}
		rest.Release()
		first.Release()
		last.Release()
		if pool.Outstanding() != 0 {
			t.Errorf("%d blocks are out", pool.Outstanding())
		}
	}
}

// A block that is much too large for what lies in it is not kept, and a train that finds no room is lost
// whole and counted so.
func TestTrainIsBounded(t *testing.T) {
	var pool mem.Pool
	var q Queue
	q.Init(&pool, 8192, 0)
	block := pool.Get(mem.FrameBlock)
	if kept, drop := q.PushBlock(&Datagram{Payload: block.B[:5000], SegmentSize: 1000}, block); kept || drop != DropNone || q.Memory() != 8192 {
		t.Errorf("kept %v, %v, %d octets held", kept, drop, q.Memory())
	}
	if _, drop := q.PushBlock(&Datagram{Payload: block.B[:5000], SegmentSize: 1000}, block); drop != DropFull || q.Dropped() != 5 {
		t.Errorf("%v, %d dropped", drop, q.Dropped())
	}
	block.Release()
	q.Release()
	if pool.Outstanding() != 0 || q.Len() != 0 {
		t.Errorf("%d blocks are out, %d datagrams queued", pool.Outstanding(), q.Len())
	}
}

// A queue that is filled and emptied again and again keeps its ring; one that no longer is gives it up.
func TestRingIsKeptWhileItIsNeeded(t *testing.T) {
	var pool mem.Pool
	var q Queue
	q.Init(&pool, 0, 0)
	fill := func(n int) {
		for range n {
			q.Push(&Datagram{})
		}
		for range n {
			q.Pop()
		}
	}
	fill(100)
	ring := len(q.ring)
	if fill(100); ring != 128 || len(q.ring) != ring {
		t.Errorf("a ring of %d, then of %d", ring, len(q.ring))
	}
	for range leanTimes {
		fill(1)
	}
	if len(q.ring) > smallRing {
		t.Errorf("a ring of %d is kept for nothing", len(q.ring))
	}
	if fill(1000); q.ring != nil {
		t.Errorf("an empty queue has a ring of %d", len(q.ring))
	}
}
