package tcp

import "testing"

// What left as a packet is sent again as one: a hole that SACK has cut out of packets is filled with
// what is left of each, and PSH is on those of several segments and where the write ended.
func TestPacketsAreSentAgainAsTheyWere(t *testing.T) {
	d := newDialogue(t, asLinux)
	d.accept(mss(1000), sackPermitted(), wscale(7), win(32792))
	d.want("SYN,ACK", "SA", 0, 1)
	d.pass(20 * ms)
	d.in("A", 1, 1, win(257))
	d.write(9500)
	for at := 1; at < 8001; at += 2000 {
		d.want("what is paced in a millisecond is less than two segments", "AP", at, 1, octets(2000))
	}
	d.want("with the end", "AP", 8001, 1, octets(1500))
	d.pass(20 * ms)
	d.in("A", 1, 1001, win(257), sack(4001, 5001, 8001, 9001, 6001, 7001))
	d.want("half of the first", "A", 1001, 1, octets(1000))
	d.want("the second", "AP", 2001, 1, octets(2000))
	d.want("half of the third", "A", 5001, 1, octets(1000))
	d.idle("as much as was delivered")
	d.in("A", 1, 5001, win(257), sack(8001, 9001, 6001, 7001))
	d.want("the other half of the fourth", "A", 7001, 1, octets(1000))
	d.idle("nothing that was sent later has arrived")
	d.in("A", 1, 9001, win(257))
	d.toTimer()
	d.want("where the write ended", "AP", 9001, 1, octets(500))
}

// Records stay apart when they are sent again, and what was not a record is put together to a segment.
func TestRecordsAreSentAgainApart(t *testing.T) {
	for _, record := range []bool{false, true} {
		d := linuxServer(t)
		d.c.SetNoDelay(true)
		for i := range 6 {
			if record {
				d.c.WriteRecord(d.now, make([]byte, 300))
			} else {
				d.write(300)
			}
			d.want("at once", "AP", 1+300*i, 1, octets(300))
		}
		d.toTimer()
		d.drain() // the tail loss probe
		d.toTimer()
		n := 900
		if record {
			n = 300
		}
		d.want("timeout", "AP", 1, 1, octets(n))
		d.in("A", 1, 1+n, win(257))
		d.want("the next", "AP", 1+n, 1, octets(n))
	}
}

// A write asks the sender to send whenever a packet is full. What has left by then makes room in
// the packet, so that its end, and PSH where it is forced, moves on.
func TestPacketGoesOnWhileItIsSent(t *testing.T) {
	d := linuxServer(t)
	d.awake().cc.SetWindow(2000)
	d.in("A", 1, 1, win(257))
	d.write(60000)
	// Packets of 16000 octets, half of the window: the first is full and one segment leaves, the
	// second time the next; PSH at 17001 because half of the window lies behind the last; it moves to 18001.
	d.want("the first", "A", 1, 1, octets(1000))
	d.want("the second", "A", 1001, 1, octets(1000))
	var ends []int
	for at := 2001; at < 60001; at += 1000 {
		d.pass(ms)
		d.in("A", 1, at-1000, win(257))
		d.awake().cc.SetWindow(2000)
		for d.c.Output(d.now, &d.got, d.buf) {
			if d.got.has(8) {
				ends = append(ends, d.got.Seq.Sub(d.iss)+len(d.got.Payload))
			}
		}
	}
	want := []int{18001, 34001, 60001}
	if len(ends) != len(want) || ends[0] != want[0] || ends[1] != want[1] || ends[2] != want[2] {
		t.Errorf("PSH at %v, want %v", ends, want)
	}
}

// RFC 2018 §4: the first block is the most recent. That another new one in the same ACK lies before it
// does not mean that the path reorders.
func TestOrderOfBlocksIsNoReordering(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.bulk(10000, 1, 10001)
	d.pass(100 * ms)
	d.in("A", 1, 1, sack(8001, 9001, 4001, 5001, 6001, 7001))
	if n := d.ctr.Reordered.Load(); n != 0 || d.c.loss.state != caRecovery {
		t.Errorf("%d reordered, %v", n, d.c.loss.state)
	}
}

// A window that has room for one segment of a longer packet waits for the ACK that is about to come.
func TestPacketsAreDeferred(t *testing.T) {
	for _, divisor := range []int{0, 3} {
		d := newDialogue(t, asLinux, func(d *dialogue) { d.set.DeferDivisor = divisor })
		d.accept(mss(1000), sackPermitted(), wscale(7), win(32792))
		d.want("SYN,ACK", "SA", 0, 1)
		d.pass(80 * ms)
		d.in("A", 1, 1, win(257))
		d.write(30000)
		d.drain()
		d.pass(80 * ms)
		d.in("A", 1, 1001, win(257))
		d.want("slow start", "AP", 10001, 1, octets(2000))
		d.in("A", 1, 1001, win(257), sack(2001, 3001))
		if divisor > 0 {
			d.idle("one of eleven, just after the last, and 1001 is a round trip old")
			d.pass(2 * ms)
			d.in("A", 1, 1001, win(257), sack(2001, 4001))
		}
		d.want("limited transmit", map[int]string{0: "A", 3: "AP"}[divisor], 12001, 1, octets(1000+divisor/3*1000))
	}
}

// RFC 5681 §3.1: one segment after a SYN,ACK was lost; Linux asks for two losses, and both believe
// an echo that shows the first to have arrived.
func TestInitialWindowAfterALostSYN(t *testing.T) {
	for _, tc := range []struct {
		lost, pardoned int
		first          bool
		want           int
	}{{1, 0, false, 1}, {1, 1, false, 10}, {2, 1, false, 1}, {2, 1, true, 10}} {
		d := newDialogue(t, func(d *dialogue) { d.set.Timestamps, d.set.SynLosses = true, tc.pardoned })
		d.accept(mss(1000), ts(1, 0))
		val := d.want("SYN,ACK", "SA", 0, 1).Options.TSVal
		for range tc.lost {
			d.toTimer()
			if s := d.want("again", "SA", 0, 1); !tc.first {
				val = s.Options.TSVal
			}
		}
		d.in("A", 1, 1, ts(2, val))
		if got := d.awake().cc.Window() / int(d.c.snd.mss); got != tc.want {
			t.Errorf("%+v: %d segments", tc, got)
		}
	}
}

// RFC 8985 §5.2: of two segments that left at one instant the retransmission is the later.
func TestRetransmissionIsLaterThanNewText(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.bulk(30000, 1, 10001)
	d.pass(100 * ms)
	d.in("A", 1, 1, sack(1001, 3001))
	d.run(10001, 12001)
	d.in("A", 1, 1, sack(1001, 5001))
	d.want("lost", "A", 1, 1, octets(1000))
	d.pass(100 * ms)
	d.in("A", 1, 1, sack(1001, 5001, 10001, 11001))
	if n := d.ctr.LostRetransmits.Load(); n != 0 {
		t.Errorf("%d lost again: only what was sent before it has arrived", n)
	}
}
