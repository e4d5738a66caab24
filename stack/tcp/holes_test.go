package tcp

import (
	"testing"
	"time"
)

// holesBegun has sent eleven segments of 1000 octets and two more by limited transmit, and the peer has
// SACKed three behind the second, which begins recovery: ssthresh is five segments.
func holesBegun(t *testing.T, with ...func(*dialogue)) *dialogue {
	t.Helper()
	d := newDialogue(t, append([]func(*dialogue){func(d *dialogue) {
		d.set = FreeBSD12Settings()
		d.cfg.SendBuffer = 100000
	}}, with...)...)
	d.accept(mss(1000), sackPermitted())
	d.want("SYN,ACK", "SA", 0, 1)
	d.in("A", 1, 1)
	d.write(40000)
	if n, _ := d.drain(); n != 10 {
		t.Fatalf("%d segments at first", n)
	}
	d.in("A", 1, 1001)
	if n, _ := d.drain(); n != 2 {
		t.Fatalf("%d segments more", n)
	}
	for i := 3; i <= 4; i++ {
		d.in("A", 1, 1001, sack(2001, 1000*i+1))
		d.want("limited transmit", "A", 1000*(9+i)+1, 1, octets(1000))
	}
	d.in("A", 1, 1001, sack(2001, 5001))
	d.want("retransmission", "A", 1001, 1, octets(1000))
	d.idle("the window is one segment")
	return d
}

// New text goes once less than ssthresh is beyond what has arrived.
func TestRecoveryByHolesWaitsForHalfTheWindow(t *testing.T) {
	d := holesBegun(t)
	for end := 6001; end <= 10001; end += 1000 {
		d.in("A", 1, 1001, sack(2001, end))
		d.idle("too much is under way")
	}
	d.in("A", 1, 1001, sack(2001, 11001))
	d.want("room", "A", 14001, 1, octets(1000))
	d.in("A", 1, 14001)
	d.want("the window is what is under way and a segment, and has not grown", "A", 15001, 1, octets(1000))
	d.idle("no burst")
	d.in("A", 1, 16001)
	if n, _ := d.drain(); n != 4 {
		t.Errorf("%d segments in slow start", n)
	}
}

// What was sent again counts with what is under way.
func TestRecoveryByHolesWithThePipeOfSACK(t *testing.T) {
	d := holesBegun(t, func(d *dialogue) { d.set.PipeBySACK = true })
	idle := 0
	for end := 6001; end <= 14001; end += 1000 {
		d.in("A", 1, 1001, sack(2001, end))
		if n, _ := d.drain(); n > 0 {
			break
		}
		idle++
	}
	if idle != 6 {
		t.Errorf("%d duplicates let nothing go", idle)
	}
}

// A partial acknowledgment lets two segments go, or is answered by an ACK where nothing may.
func TestRecoveryByHolesAtPartialAcks(t *testing.T) {
	d := holesBegun(t)
	d.in("A", 1, 5001, sack(7001, 8001))
	d.want("a hole", "A", 5001, 1, octets(1000))
	d.want("and its rest", "A", 6001, 1, octets(1000))
	d.idle("two segments")

	d = holesBegun(t)
	d.in("A", 1, 5001)
	d.want("an ACK by itself", "A", 14001, 1)
	d.idle("no hole is known")
}

// Where nothing tells of a hole, the last segment is sent again.
func TestRecoveryByHolesRescues(t *testing.T) {
	d := holesBegun(t, func(d *dialogue) { d.set.PipeBySACK = true })
	d.in("A", 1, 5001)
	d.want("rescue", "A", 13001, 1, octets(1000))
	d.in("A", 1, 5001, sack(13001, 14001))
	d.want("now it is known", "A", 5001, 1, octets(1000))
}

// Without timestamps one segment at a time is measured, and none that was sent again.
func TestOneSegmentIsTimed(t *testing.T) {
	d := freeBSDClient(t)
	d.write(1460)
	d.drain()
	d.in("A", 1, 1461, win(32767))
	d.write(1460 * 3)
	d.drain()
	d.now = d.now.Add(100 * time.Millisecond)
	d.in("A", 1, 1461, win(30000))
	before := d.c.rtt.SRTT()
	d.in("A", 1, 2921, win(30000))
	first := d.c.rtt.SRTT()
	if before == first {
		t.Errorf("SRTT stays %v", first)
	}
	d.now = d.now.Add(300 * time.Millisecond)
	d.in("A", 1, 5841, win(30000))
	if got := d.c.rtt.SRTT(); got != first {
		t.Errorf("SRTT %v after text that was not timed, %v before", got, first)
	}
	d.write(1460)
	d.drain()
	d.toTimer()
	d.drain()
	d.now = d.now.Add(50 * time.Millisecond)
	d.in("A", 1, 7301, win(30000))
	if got := d.c.rtt.SRTT(); got != first {
		t.Errorf("SRTT %v after a retransmission", got)
	}
	d.write(1460)
	d.drain()
	d.now = d.now.Add(200 * time.Millisecond)
	d.in("A", 1, 8761, win(30000))
	if d.c.rtt.SRTT() == first {
		t.Error("the next text is timed again")
	}
	d = newDialogue(t, asFreeBSD)
	d.accept(mss(1460))
	d.want("SYN,ACK", "SA", 0, 1)
	d.now = d.now.Add(100 * time.Millisecond)
	if d.in("A", 1, 1); d.c.rtt.Sampled() {
		t.Error("the SYN,ACK was timed")
	}
}

// By what was SACKed recovery may begin with an ACK that makes progress, which lets two segments go.
func TestRecoveryByHolesBeginsWithProgress(t *testing.T) {
	for _, pipe := range []bool{false, true} {
		d := newDialogue(t, func(d *dialogue) {
			d.set = FreeBSD12Settings()
			d.set.PipeBySACK = pipe
		})
		d.accept(mss(1000), sackPermitted())
		d.want("SYN,ACK", "SA", 0, 1)
		d.in("A", 1, 1)
		d.write(10000)
		d.drain()
		d.in("A", 1, 1001, sack(5001, 8001))
		if !pipe {
			d.idle("no duplicate")
			continue
		}
		d.want("first hole", "A", 1001, 1, octets(1000))
		d.want("and more", "A", 2001, 1, octets(1000))
		d.idle("two segments")
	}
}
