package tcp

import (
	"testing"
	"time"
)

// fillUp writes as a user does who does not wait: as long as there is room, sending in between.
func (d *dialogue) fillUp(most int) (taken int) {
	for taken < most {
		n := d.c.Write(d.now, make([]byte, most-taken))
		if n == 0 {
			return taken
		}
		taken += n
		d.drain()
		d.check("Write")
	}
	return taken
}

// A write fills the packets that it has begun, and begins one only where memory and the low-water mark
// let it: the peer's window of 32,896 makes packets of 16,000, of which the first ten segments leave.
func TestLinuxWriteStopsBetweenPackets(t *testing.T) {
	for _, tc := range []struct{ lowat, buffer, want int }{
		{0, 50000, 58000}, {32000, 50000, 42000}, {4000, 50000, 26000}, {0, 4608, 26000}, {0, 100000, 90000},
	} {
		d := linuxServer(t, func(d *dialogue) {
			d.cfg.SendBuffer, d.cfg.SendBufferFixed, d.cfg.NotSentLowat = tc.buffer, tc.buffer != 50000, tc.lowat
		})
		if got := d.fillUp(90000); got != tc.want {
			t.Errorf("buffer %d, low-water mark %d: %d octets taken, want %d", tc.buffer, tc.lowat, got, tc.want)
		}
		d.c.Release()
	}
}

// Who has found the buffer full hears of room once, when a third of the memory is free; who has not, hears nothing.
func TestLinuxTellsOfRoomWhoFoundNone(t *testing.T) {
	d := linuxServer(t, func(d *dialogue) { d.cfg.SendBuffer, d.cfg.SendBufferFixed = 50000, true })
	d.fillUp(10000)
	if ev := d.in("A", 1, 10001, win(257)); ev&EventWritable != 0 {
		t.Error("told although there was room all the time")
	}
	d.fillUp(90000)
	if d.c.WriteSpace() {
		t.Error("there is room in a full buffer")
	}
	told := 0
	for at := 12001; at < 60000; at += 2000 {
		if d.in("A", 1, at, win(257))&EventWritable != 0 {
			if told++; !d.c.WriteSpace() || 3*d.c.memory() > 2*50000 {
				t.Errorf("told of room with %d octets of memory taken", d.c.memory())
			}
		}
		d.drain()
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

// A buffer that no user has fixed holds two congestion windows of single segments.
func TestLinuxSendBufferGrowsWithTheWindow(t *testing.T) {
	for _, fixed := range []bool{false, true} {
		d := linuxServer(t, func(d *dialogue) { d.cfg.SendBuffer, d.cfg.SendBufferFixed = 16384, fixed })
		want := 20 * 2304 // a segment of 1000 takes a piece of 2048, and 256
		if fixed {
			want = 16384
		}
		if _, send := d.c.Buffers(); send != want {
			t.Errorf("fixed %v: room for %d, want %d", fixed, send, want)
		}
		d.c.Release()
	}
}

// The receive buffer grows with what the user reads in a round trip, but not beyond the largest,
// nor where the user has said how large it is to be.
func TestKernelsReceiveBufferGrowsWithTheUser(t *testing.T) {
	for _, tc := range []struct {
		name string
		with func(*dialogue)
		want func(n int) bool
	}{
		{"linux", asLinux, func(n int) bool { return n > 200000 && n <= 300000 }},
		{"linux, fixed", func(d *dialogue) { asLinux(d); d.cfg.RecvBufferFixed = true }, func(n int) bool { return n == 131072 }},
		{"freebsd", func(d *dialogue) { d.set = FreeBSDSettings() }, func(n int) bool { return n > 131072 && n <= 300000 }},
		{"weir", func(*dialogue) {}, func(n int) bool { return n == 131072 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDialogue(t, tc.with, func(d *dialogue) {
				d.cfg.RecvBuffer, d.set.ReceiveSizes = 131072, [3]int{4096, 131072, 300000}
			})
			d.accept(mss(1000), wscale(7), win(32792))
			d.drain()
			d.advance(10 * time.Millisecond)
			d.in("A", 1, 1, win(257))
			at := 1
			for range 30 {
				for range 60 {
					d.in("A", at, 1, octets(1000), win(257))
					at += 1000
				}
				d.drain()
				d.read(60000)
				d.drain()
				d.advance(100 * time.Millisecond)
				d.drain()
			}
			if recv, _ := d.c.Buffers(); !tc.want(recv) {
				t.Errorf("room for %d octets", recv)
			}
			d.c.Release()
		})
	}
}
