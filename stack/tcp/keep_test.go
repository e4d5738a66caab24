package tcp

import (
	"bytes"
	"testing"

	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/wire"
)

// Text in order that fills its block is kept without a copy; all else leaves the block to its owner.
func TestBlockIsKeptOnlyForLongTextInOrder(t *testing.T) {
	for _, c := range []struct {
		name    string
		at, n   int
		deaf    bool
		taken   bool
		readAll int
	}{
		{"long and in order", 1, 60000, false, true, 60000},
		{"half a block", 1, keepFrom, false, true, keepFrom},
		{"short", 1, keepFrom - 1, false, false, keepFrom - 1},
		{"out of order", 2, 60000, false, false, 0},
		{"beyond the window", 1 << 20, 60000, false, false, 0},
		{"nobody reads", 1, 60000, true, false, 0},
	} {
		d := established(t, func(d *dialogue) { d.cfg.RecvBuffer = 65535 })
		if c.deaf {
			d.c.CloseRead(d.now)
		}
		b := d.pool.Get(mem.FrameBlock)
		p := b.B[64 : 64+c.n]
		for i := range p {
			p[i] = byte(i * 7)
		}
		want := bytes.Clone(p)
		before := d.pool.Outstanding()
		s := Segment{Seq: d.irs.Add(c.at), Ack: d.c.snd.nxt, Flags: wire.FlagACK, Window: 1000, Payload: p, Block: b}
		d.c.Input(d.now, &s)
		if taken := s.Block == nil; taken != c.taken {
			t.Errorf("%s: taken %v, want %v", c.name, taken, c.taken)
		}
		if s.Block != nil {
			s.Block.Release()
		} else if !c.deaf && d.pool.Outstanding() != before {
			t.Errorf("%s: %d blocks out, want the one that was given", c.name, d.pool.Outstanding())
		}
		got := make([]byte, 1<<17)
		if n := d.c.Read(d.now, got); n != c.readAll || !bytes.Equal(got[:n], want[:n]) {
			t.Errorf("%s: read %d octets, want %d", c.name, n, c.readAll)
		}
		if err := d.c.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		d.c.Release()
		if n := d.pool.Outstanding(); n != 0 {
			t.Errorf("%s: %d blocks are out at the end", c.name, n)
		}
	}
}
