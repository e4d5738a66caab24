package tcp

import (
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/wire"
)

// RFC 9293 §3.8.6.3, RFC 5681 §4.2: an ACK for at least every second segment, and within 500 ms.
func TestAckIsDelayedForOneSegmentAndSentForTwo(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, octets(1000))
	d.idle("the first waits")
	if took := d.toTimer(); took != d.set.DelAckTimeout || took >= 500*time.Millisecond {
		t.Errorf("delayed by %v", took)
	}
	d.want("delayed ACK", "A", 1, 1001)
	d.in("A", 1001, 1, octets(1000))
	d.idle("the first waits")
	d.in("A", 2001, 1, octets(1000))
	d.want("every second segment", "A", 1, 3001)
	d.idle("once")
	if at := d.c.Deadline(); at != clock.Never {
		t.Errorf("a timer is left at %v", at)
	}
}

// A super-segment counts as the segments that it was coalesced from.
func TestSuperSegmentCountsAsItsSegmentsForDelayedAck(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, octets(1001), segments(1000))
	d.want("two segments in one", "A", 1, 1002)
	d.in("A", 1002, 1, octets(1000), segments(1000))
	d.idle("one segment")
}

// The first segments of a connection are acknowledged at once, until the user answers.
func TestQuickAcksAtTheStart(t *testing.T) {
	d := established(t, func(d *dialogue) { d.set.QuickAcks = 3 })
	for i := range 3 {
		d.in("A", 1+10*i, 1, octets(10))
		d.want("at once", "A", 1, 11+10*i)
	}
	d.in("A", 31, 1, octets(10))
	d.idle("no longer")

	d = established(t, func(d *dialogue) { d.set.QuickAcks = 3 })
	d.in("A", 1, 1, octets(10))
	d.write(5)
	d.want("the answer carries the ACK", "PA", 1, 11, octets(5))
	d.in("A", 11, 6, octets(10))
	d.idle("a second quick ACK would have been due")
}

// RFC 5681 §4.2: out of order at once, and at once when the gap is filled.
func TestOutOfOrderTextIsAckedAtOnceAndDeliveredInOrder(t *testing.T) {
	d := established(t)
	d.in("A", 4, 1, text("def"))
	d.want("out of order", "A", 1, 1)
	d.in("A", 10, 1, text("jkl"))
	d.want("out of order", "A", 1, 1)
	if d.c.Readable() != 0 || d.c.Info().OutOfOrder != 6 {
		t.Errorf("%d readable, %d out of order", d.c.Readable(), d.c.Info().OutOfOrder)
	}
	d.in("A", 1, 1, text("abc"))
	d.want("part of the gap", "A", 1, 7)
	d.in("A", 6, 1, text("fghi"))
	d.want("the gap", "A", 1, 13)
	if got := d.read(100); got != "abcdefghijkl" {
		t.Errorf("read %q", got)
	}
}

// Without SACK the peer counts duplicate ACKs: one for each segment out of order, even
// where many come before Output is called.
func TestEachSegmentOutOfOrderGetsItsDuplicateAck(t *testing.T) {
	d := established(t)
	for i := range 3 {
		d.in("A", 1001+1000*i, 1, octets(1000))
	}
	for range 3 {
		d.want("duplicate ACK", "A", 1, 1)
	}
	d.idle("three")
}

// RFC 2018 §3, §4: SACK blocks, the latest first.
func TestSackBlocksReportWhatIsOutOfOrder(t *testing.T) {
	d := newDialogue(t, withSACK)
	d.accept(mss(1000), sackPermitted())
	s := d.want("SYN,ACK", "SA", 0, 1)
	if !s.Options.SACKPermitted {
		t.Error("SACK-permitted is not answered")
	}
	d.in("A", 1, 1)
	d.in("A", 11, 1, text("bb"))
	d.in("A", 21, 1, text("cc"))
	s = d.want("out of order", "A", 1, 1)
	at := func(n int) uint32 { return uint32(d.irs.Add(n)) }
	want := [4]wire.SACKBlock{{Left: at(21), Right: at(23)}, {Left: at(11), Right: at(13)}}
	if s.Options.NumSACK != 2 || s.Options.SACK != want {
		t.Errorf("SACK %v", s.Options.SACK[:s.Options.NumSACK])
	}
	d.write(2000)
	s = d.want("text beside SACK blocks is shorter", "A", 1, 1, octets(980))
	if s.Options.Len()+len(s.Payload) > 1000 {
		t.Errorf("%d octets of options beside %d of text", s.Options.Len(), len(s.Payload))
	}
}

// RFC 2018 §2: no SACK option where the peer's SYN had no SACK-permitted.
func TestNoSackWhereItWasNotAgreed(t *testing.T) {
	d := established(t, withSACK)
	d.in("A", 11, 1, text("bb"))
	if s := d.want("out of order", "A", 1, 1); s.Options.NumSACK != 0 {
		t.Error("SACK block sent")
	}
}

// RFC 9293 §3.10.7.4 first: old text is trimmed off, text beyond the window too.
func TestSegmentIsTrimmedToTheWindow(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, text("abc"))
	d.in("A", 2, 1, text("bcde"))
	if got := d.read(10); got != "abcde" {
		t.Errorf("read %q", got)
	}
	d.drain()
	d.in("FA", 6, 1, octets(20000), segments(1000))
	if n := d.c.Readable(); n != 9995 {
		t.Errorf("%d octets accepted into a window of 9995", n)
	}
	d.state(StateEstablished) // the FIN was beyond
	d.want("the window is full", "A", 1, 10001, win(0))
}

// A FIN counts when everything before it is there (§3.10.7.4 eighth).
func TestFinOutOfOrderWaits(t *testing.T) {
	d := established(t)
	d.in("FA", 4, 1, text("def"))
	d.state(StateEstablished)
	d.want("out of order", "A", 1, 1)
	d.in("A", 1, 1, text("abc"))
	d.state(StateCloseWait)
	d.events(EventReadable | EventFin)
	d.want("text and FIN", "A", 1, 8)
	if got := d.read(10); got != "abcdef" || !d.c.EOF() {
		t.Errorf("read %q, EOF %v", got, d.c.EOF())
	}
}

// Text behind the FIN is not the peer's.
func TestTextBehindTheFinIsDropped(t *testing.T) {
	d := established(t)
	d.in("FA", 4, 1, text("def"))
	d.in("A", 7, 1, text("more"))
	d.in("A", 1, 1, text("abc"))
	if got := d.read(20); got != "abcdef" {
		t.Errorf("read %q", got)
	}
	d.state(StateCloseWait)
}

// A FIN before text that is there already is not the end: nothing is lost, nothing hangs.
func TestFinBeforeTextThatIsThereIsForgotten(t *testing.T) {
	d := established(t)
	d.in("A", 7, 1, text("ghi"))
	d.in("FA", 4, 1, text("def"))
	d.in("A", 1, 1, text("abc"))
	if got := d.read(20); got != "abcdefghi" {
		t.Errorf("read %q", got)
	}
	d.state(StateEstablished)
	d.in("FA", 10, 1)
	d.state(StateCloseWait)
}

// RFC 9293 §3.8.6.2.2: the window opens by min(buffer/2, MSS), not in small steps.
func TestReceiverAvoidsSillyWindows(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, octets(10000), segments(1000))
	d.want("full", "A", 1, 10001, win(0))
	d.read(999)
	d.idle("less than a segment")
	d.in("A", 10001, 1, octets(1)) // a probe
	d.want("still closed", "A", 1, 10001, win(0))
	d.read(1)
	d.want("window update", "A", 1, 10001, win(1000))
	d.read(4000)
	d.want("window update", "A", 1, 10001, win(5000))
	d.read(4000)
	d.idle("it would not double: the next ACK can say so")
	d.read(1000)
	d.want("window update", "A", 1, 10001, win(10000))
	if n := d.ctr.WindowUpdates.Load(); n != 3 {
		t.Errorf("%d window updates counted", n)
	}
}

// RFC 9293 §3.8.6 (SHLD-14): the right edge does not move left when the buffer shrinks.
func TestWindowIsNotTakenBack(t *testing.T) {
	d := established(t)
	d.c.SetBuffers(2000, 0)
	d.in("A", 1, 1, octets(1000))
	d.in("A", 1001, 1, octets(1000))
	d.want("the edge stays at 10001", "A", 1, 2001, win(8000))
	d.in("A", 2001, 1, octets(8000), segments(1000))
	if d.c.Readable() != 10000 {
		t.Errorf("%d octets of what was offered were taken", d.c.Readable())
	}
}

// A buffer smaller than a unit of the window's scale, which the handshake has fixed, would keep the window shut for good.
func TestASmallBufferOpensTheWindowByAUnit(t *testing.T) {
	for _, buffer := range []int{1, 31, 32} {
		d := newDialogue(t, withScale, func(d *dialogue) { d.cfg.RecvBuffer, d.cfg.RecvBufferFixed = 1<<20, true })
		d.accept(mss(1000), wscale(3))
		d.want("SYN,ACK", "SA", 0, 1, win(0xffff), wscale(5))
		d.in("A", 1, 1, win(100))
		d.c.SetBuffers(buffer, 0)
		for at := 1; at <= 0xffff; at += 1000 {
			n := min(1000, 0x10000-at)
			d.in("A", at, 1, octets(n))
			d.read(n)
			d.drain()
		}
		if w := d.c.Info().RcvWnd; w != 32 {
			t.Errorf("with a buffer of %d, empty, the window is %d, want a unit of 32", buffer, w)
		}
	}
}

// RFC 7323 §2.2, §2.3: the scale is as large as the buffer needs, and not in the SYN.
func TestWindowScaleFollowsTheReceiveBuffer(t *testing.T) {
	for _, tc := range []struct {
		buffer int
		shift  uint8
	}{{1000, 0}, {65535, 0}, {65536, 1}, {1 << 20, 5}, {1 << 30, 14}} {
		d := newDialogue(t, withScale, func(d *dialogue) { d.cfg.RecvBuffer, d.cfg.RecvBufferFixed = tc.buffer, true })
		d.accept(mss(1000), wscale(3))
		s := d.want("SYN,ACK", "SA", 0, 1, win(min(tc.buffer, 65535)))
		if !s.Options.HasWindowScale || s.Options.WindowScale != tc.shift {
			t.Errorf("buffer %d: scale %d, want %d", tc.buffer, s.Options.WindowScale, tc.shift)
		}
		d.in("A", 1, 1, win(100))
		if d.c.Info().SndWnd != 800 {
			t.Errorf("the peer's window is %d, want 800", d.c.Info().SndWnd)
		}
	}
}

// RFC 7323 §2.3: "If a Window Scale option is received with a shift.cnt value larger than
// 14, the TCP SHOULD log the error but MUST use 14 instead".
func TestWindowScaleAbove14Is14(t *testing.T) {
	d := newDialogue(t, withScale)
	d.accept(mss(1000), wscale(200))
	d.want("SYN,ACK", "SA", 0, 1)
	if got := d.c.Info().SndScale; got != 14 {
		t.Errorf("scale %d", got)
	}
}

// RFC 7323 §2.2: no option in a SYN,ACK that the SYN did not have; then windows are not scaled.
func TestOptionsAreUsedOnlyWhereBothHaveThem(t *testing.T) {
	d := newDialogue(t, withScale, withSACK, withTimestamps, func(d *dialogue) { d.cfg.RecvBuffer = 1 << 20 })
	d.accept(mss(1000))
	s := d.want("SYN,ACK", "SA", 0, 1, win(65535))
	if o := s.Options; o.HasWindowScale || o.SACKPermitted || o.HasTimestamps || o.MSS != 1000 {
		t.Errorf("options %+v", o)
	}
	d.in("A", 1, 1)
	d.in("A", 1, 1, octets(2000), segments(1000))
	d.want("not scaled", "A", 1, 2001, win(65535))
}

// RFC 9293 §3.8.5: the urgent pointer goes to the octet behind the urgent data, and RFC
// 6093 §6: the data is delivered in line.
func TestUrgentDataIsAnnouncedAndDeliveredInLine(t *testing.T) {
	d := established(t)
	d.in("PUA", 1, 1, text("abcdef"), urg(4))
	d.events(EventReadable | EventUrgent)
	if n, ok := d.c.Urgent(); n != 4 || !ok {
		t.Errorf("urgent %d %v, want 4", n, ok)
	}
	if got := d.read(3); got != "abc" {
		t.Errorf("read %q", got)
	}
	if n, ok := d.c.Urgent(); n != 1 || !ok {
		t.Errorf("urgent %d %v, want 1", n, ok)
	}
	d.in("PUA", 1, 1, text("abcdef"), urg(4))
	if d.ev&EventUrgent != 0 {
		t.Error("the same announcement twice")
	}
	d.read(3)
	if _, ok := d.c.Urgent(); ok {
		t.Error("still urgent")
	}
}

// RFC 9293 §3.10.2: SEND with the urgent flag.
func TestUrgentPointerIsSent(t *testing.T) {
	d := established(t)
	d.c.WriteUrgent(d.now, []byte("abc"))
	s := d.want("urgent", "UPA", 1, 1, octets(3), urg(3))
	_ = s
	d.write(10)
	d.in("A", 1, 4)
	d.want("no longer", "PA", 4, 1, octets(10))
}

// The bound on memory for text out of order holds, and what was dropped comes again.
func TestReassemblyIsBounded(t *testing.T) {
	d := established(t, func(d *dialogue) { d.set.ReassemblyLimit = 4096; d.cfg.RecvBuffer = 60000 })
	for at := 2; at < 50000; at += 1000 {
		d.in("A", at, 1, octets(10))
	}
	if got := d.pool.InUse(); got > 8192 {
		t.Errorf("%d octets held", got)
	}
	if d.ctr.OutOfOrderFull.Load() == 0 {
		t.Error("nothing counted")
	}
	d.drain()
	d.in("A", 1, 1, octets(50000), segments(1000))
	if d.c.Readable() != 50000 {
		t.Errorf("%d readable", d.c.Readable())
	}
}

// RFC 5681 §3.2: duplicate ACKs tell of a loss. When the gap is filled before they have left, one
// ACK with the new number is all there is to tell.
func TestDuplicateAcksDueAreNotSentWithANewNumber(t *testing.T) {
	d := established(t)
	for i := range 4 {
		d.in("A", 11+10*i, 1, octets(10))
	}
	d.in("A", 1, 1, octets(10))
	d.want("one ACK for all", "A", 1, 51)
	d.idle("nothing is missing")
}
