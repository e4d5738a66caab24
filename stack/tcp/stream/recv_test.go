package stream

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/weirnet/weir/stack/mem"
)

// recvModel is a receive queue, the octets that it is to have, and a frame whose text it may have borrowed.
type recvModel struct {
	q     RecvQueue
	pool  mem.Pool
	want  []byte
	next  byte // of the stream
	lent  mem.Block
	frame *mem.Block // what the text that stands in the queue without a copy lies in, or nil
}

// text returns the next n octets of the stream.
func (m *recvModel) text(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		m.next = m.next*5 + 1
		p[i] = m.next ^ byte(i>>8)
	}
	return p
}

// keep ends what Borrow began, and writes over the frame where that is the driver's again.
func (m *recvModel) keep(give bool) {
	f := m.frame
	if f == nil {
		return
	}
	m.frame = nil
	var b *mem.Block
	if give {
		b = f
	}
	if !m.q.Keep(&m.lent, b) {
		clear(f.Whole())
		f.Release()
	}
}

// step does one operation on both.
func (m *recvModel) step(op byte, n int) error {
	switch op % 9 {
	case 0:
		p := m.text(n)
		m.q.Append(p)
		m.want = append(m.want, p...)
	case 1: // a segment in its block
		b := m.pool.Get(mem.FrameBlock)
		p := b.B[100 : 100+copy(b.B[100:], m.text(min(n, 60000)+1))]
		m.want = append(m.want, p...)
		m.q.Take(b, p)
	case 2:
		if m.keep(n%2 == 0); m.q.Len() == 0 {
			m.frame = m.pool.Get(mem.FrameBlock)
			p := m.frame.B[100 : 100+copy(m.frame.B[100:], m.text(min(n, 60000)+1))]
			m.want = append(m.want, p...)
			m.q.Borrow(&m.lent, p)
		}
	case 3:
		m.keep(n%2 == 0)
	case 4:
		p := make([]byte, n)
		k := m.q.Read(p)
		if !bytes.Equal(p[:k], m.want[:k]) {
			return fmt.Errorf("other octets are read")
		}
		m.want = m.want[k:]
	case 5:
		m.want = m.want[m.q.Discard(n):]
	case 6:
		m.q.Gather(n)
		if p := m.q.Next(); len(p) < min(n, len(m.want)) {
			return fmt.Errorf("%d octets lie together, want %d", len(p), min(n, len(m.want)))
		}
	case 7:
		return m.lend(n)
	case 8:
		if p := m.q.Next(); !bytes.Equal(p, m.want[:len(p)]) || len(p) == 0 && len(m.want) > 0 {
			return fmt.Errorf("other octets come next")
		}
	}
	return m.check()
}

// lend takes octets away in their blocks, of which those of the driver's frame are none.
func (m *recvModel) lend(n int) error {
	m.keep(true)
	var lent [3]Lent
	runs, k := m.q.Lend(lent[:], n)
	p := m.text(n) // behind them, maybe in the same block
	m.q.Append(p)
	m.want = append(m.want, p...)
	for i := range runs {
		p := lent[i].P
		if !bytes.Equal(p, m.want[:len(p)]) {
			return fmt.Errorf("other octets were lent")
		}
		k -= len(p)
		m.want = m.want[len(p):]
		lent[i].Release()
	}
	if k != 0 {
		return fmt.Errorf("%d octets more were said to be lent than were", k)
	}
	return m.check()
}

func (m *recvModel) check() error {
	got := make([]byte, m.q.Len())
	if m.q.CopyAt(got, 0); !bytes.Equal(got, m.want) {
		return fmt.Errorf("%d octets are not the %d of the model", len(got), len(m.want))
	}
	return m.q.Check()
}

// FuzzRecvQueue reads operations of three octets: what, and a number.
func FuzzRecvQueue(f *testing.F) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 30 {
		script := make([]byte, 300)
		for i := range script {
			script[i] = byte(rng.Uint32())
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		m := new(recvModel)
		m.q.Init(&m.pool)
		m.q.q.front = ^uint32(0) - 5000 // positions wrap around
		m.q.q.back = m.q.q.front
		for i := 0; i+3 <= min(len(script), 600) && len(m.want) < 1<<20; i += 3 {
			n := int(binary.BigEndian.Uint16(script[i+1:])) >> (script[i] / 9 % 14)
			if err := m.step(script[i], n); err != nil {
				t.Fatalf("operation %d, %d with %d: %v", i/3, script[i]%9, n, err)
			}
		}
		m.keep(true)
		m.q.Release()
		if n := m.pool.Outstanding(); n != 0 {
			t.Fatalf("%d blocks are out after Release", n)
		}
	})
}
