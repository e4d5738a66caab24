package tcp

import (
	"testing"
	"time"
)

// pump moves segments between two connections without a network, and returns how many.
func pump(ch *channel, s *Segment, buf []byte) int {
	n := 0
	for moved := true; moved; {
		moved = false
		for i, e := range ch.ends {
			for e.c.Output(ch.now, s, buf) {
				ch.ends[1-i].c.Input(ch.now, s)
				moved = true
				n++
			}
		}
	}
	return n
}

// joined returns two connections that are established.
func joined(t testing.TB, set func(*chanEnd)) (*channel, *Segment, []byte) {
	t.Helper()
	ch := newChannel(1)
	for _, e := range ch.ends {
		e.cfg.MaxSegment, e.cfg.RecvBuffer, e.cfg.SendBuffer = 64<<10-1460, 1<<20, 1<<20
		if set != nil {
			set(e)
		}
	}
	var s Segment
	buf := make([]byte, 64<<10)
	a, b := &ch.ends[0].c, &ch.ends[1].c
	a.Connect(0, &ch.ends[0].cfg)
	a.Output(0, &s, buf)
	b.Accept(0, &ch.ends[1].cfg, &s)
	pump(ch, &s, buf)
	if a.State() != StateEstablished || b.State() != StateEstablished {
		t.Fatalf("%v, %v", a.State(), b.State())
	}
	return ch, &s, buf
}

// TestSteadyStateAllocatesNothing: octets go from Write through Output and Input to Read, and
// ACKs back, without an allocation.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector sync.Pool forgets at random")
	}
	for _, size := range []int{1, 1000, 60000, 300000} {
		ch, s, buf := joined(t, nil)
		a, b := &ch.ends[0].c, &ch.ends[1].c
		data, into := make([]byte, size), make([]byte, size)
		round := func(from, to *Conn) {
			ch.now = ch.now.Add(time.Millisecond)
			from.Write(ch.now, data)
			for got := 0; got < size; {
				if pump(ch, s, buf) == 0 && to.Readable() == 0 {
					ch.now = ch.now.Add(50 * time.Millisecond) // a delayed ACK
					from.Expire(ch.now)
					to.Expire(ch.now)
				}
				got += to.Read(ch.now, into)
			}
		}
		for range 20 {
			round(a, b)
			round(b, a)
		}
		if n := testing.AllocsPerRun(50, func() { round(a, b); round(b, a) }); n != 0 {
			t.Errorf("%d octets: %v allocations", size, n)
		}
		for _, e := range ch.ends {
			e.c.Release()
		}
	}
}

// An idle connection holds no block.
func TestIdleConnectionHoldsNoBlock(t *testing.T) {
	ch, s, buf := joined(t, nil)
	ch.ends[0].c.Write(ch.now, make([]byte, 100000))
	into := make([]byte, 100000)
	for got := 0; got < len(into); {
		pump(ch, s, buf)
		ch.now = ch.now.Add(50 * time.Millisecond)
		for _, e := range ch.ends {
			e.c.Expire(ch.now)
		}
		got += ch.ends[1].c.Read(ch.now, into)
	}
	pump(ch, s, buf)
	if n := ch.pool.Outstanding(); n != 0 {
		t.Errorf("%d blocks", n)
	}
}

// BenchmarkBulk moves 60 kB at a time from Write to Read.
func BenchmarkBulk(b *testing.B) {
	ch, s, buf := joined(b, nil)
	data, into := make([]byte, 60000), make([]byte, 60000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		ch.now = ch.now.Add(time.Millisecond)
		ch.ends[0].c.Write(ch.now, data)
		pump(ch, s, buf)
		ch.ends[1].c.Read(ch.now, into)
	}
}

// BenchmarkEcho moves one octet there and back.
func BenchmarkEcho(b *testing.B) {
	ch, s, buf := joined(b, nil)
	var p [1]byte
	b.ReportAllocs()
	for b.Loop() {
		for i := range ch.ends {
			ch.now = ch.now.Add(time.Millisecond)
			ch.ends[i].c.Write(ch.now, p[:])
			pump(ch, s, buf)
			ch.ends[1-i].c.Read(ch.now, p[:])
		}
	}
}
