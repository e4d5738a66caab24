package tcp

import (
	"slices"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/wire"
)

// asLinux has the Linux profile with the sizes that its network tests set, and without timestamps.
func asLinux(d *dialogue) {
	d.set = LinuxSettings()
	d.set.ReceiveSizes = [3]int{4096, 540000, 15 << 20}
	d.set.Timestamps = false
	d.cfg.MSS, d.cfg.PathMSS, d.cfg.MaxSegment, d.cfg.RecvBuffer = 1460, 1460, 65000, 540000
}

// linuxServer is an established connection of that profile: the peer has an MSS of 1000.
func linuxServer(t *testing.T, with ...func(*dialogue)) *dialogue {
	t.Helper()
	d := newDialogue(t, append([]func(*dialogue){asLinux}, with...)...)
	d.accept(mss(1000), sackPermitted(), wscale(7), win(32792))
	d.want("SYN,ACK", "SA", 0, 1)
	d.in("A", 1, 1, win(257))
	d.state(StateEstablished)
	return d
}

func TestLinuxWindowScaleFollowsTheLargestBuffer(t *testing.T) {
	for _, tc := range []struct {
		buffer, largest int
		fixed           bool
		window, scale   int
	}{
		{131072, 6 << 20, false, 64240, 7},
		{540000, 15 << 20, false, 65535, 8},
		{131072, 32 << 20, false, 64240, 10},
		{40000, 15 << 20, true, 18980, 0},
		{2000000, 15 << 20, true, 65535, 4},
	} {
		d := newDialogue(t, asLinux, func(d *dialogue) {
			d.set.ReceiveSizes[2], d.cfg.RecvBuffer, d.cfg.RecvBufferFixed = tc.largest, tc.buffer, tc.fixed
		})
		d.connect()
		s := d.want("SYN", "S", 0, 0)
		if int(s.Window) != tc.window || int(s.Options.WindowScale) != tc.scale {
			t.Errorf("buffer %d of %d: window %d scale %d, want %d and %d", tc.buffer, tc.largest, s.Window, s.Options.WindowScale, tc.window, tc.scale)
		}
		d.c.Release()
	}
}

// The window that a client's first ACK offers is the SYN's, rounded up to the scale.
func TestLinuxFirstWindowIsThatOfTheSyn(t *testing.T) {
	d := newDialogue(t, asLinux, func(d *dialogue) { d.cfg.RecvBuffer, d.set.ReceiveSizes[2] = 131072, 6<<20 })
	d.connect()
	d.want("SYN", "S", 0, 0, win(64240))
	d.in("SA", 0, 1, mss(1460), wscale(7))
	d.want("ACK", "A", 1, 1, win(502))
}

func TestLinuxServerWithTimestampsOffersLessForTheSyn(t *testing.T) {
	d := newDialogue(t, asLinux, func(d *dialogue) {
		d.cfg.RecvBuffer, d.set.ReceiveSizes[2], d.set.Timestamps = 131072, 6<<20, true
	})
	d.accept(mss(1460), ts(1, 0), wscale(7))
	d.want("SYN,ACK", "SA", 0, 1, win(65160))
}

// ACKs are quick at first, and a FIN waits for the user's own while text is answered.
func TestLinuxDelaysTheAckOfAFinAfterText(t *testing.T) {
	d := linuxServer(t)
	d.in("AP", 1, 1, octets(1000), win(257))
	d.want("quick", "A", 1, 1001)
	d.read(1000)
	d.idle("nothing to say")
	d.in("AF", 1001, 1, win(257))
	d.idle("the user may close")
	if took := d.toTimer(); took != 40*time.Millisecond {
		t.Errorf("after %v", took)
	}
	d.want("the FIN's ACK", "A", 1, 1002)
	d.close()
	d.want("FIN", "AF", 1, 1002)
}

func TestLinuxAcknowledgesALoneFinAtOnce(t *testing.T) {
	d := linuxServer(t)
	d.in("AF", 1, 1, win(257))
	d.want("ACK", "A", 1, 2)
}

// After the user has answered, ACKs wait for its next answer.
func TestLinuxPingPongDelaysAcks(t *testing.T) {
	d := linuxServer(t)
	d.in("AP", 1, 1, octets(100), win(257))
	d.want("quick", "A", 1, 101)
	d.read(100)
	d.write(50)
	d.want("the answer", "AP", 1, 101, octets(50))
	d.in("AP", 101, 51, octets(100), win(257))
	d.idle("another answer may come")
	if d.c.QuickAck() {
		t.Error("quick")
	}
	d.toTimer()
	d.want("none did", "A", 51, 201)
}

// A small segment that the user has read is acknowledged then, if it does not answer.
func TestLinuxAcknowledgesWhenASmallSegmentIsRead(t *testing.T) {
	d := linuxServer(t)
	for at := 1; at < 1+20*1000; at += 1000 { // until ACKs are no longer quick
		d.in("A", at, 1, octets(1000), win(257))
		d.drain()
		d.read(1000)
		d.drain()
		d.now = d.now.Add(30 * time.Millisecond)
	}
	if d.c.quick > 0 {
		t.Fatalf("%d quick ACKs are left", d.c.quick)
	}
	d.in("A", 20001, 1, octets(10), win(257))
	d.idle("delayed")
	d.read(10)
	d.want("read", "A", 1, 20011)
}

func TestLinuxPushesWhereAWriteEnds(t *testing.T) {
	d := linuxServer(t)
	d.set.TLP = false // the timeout is to send the first again
	d.c.SetNoDelay(true)
	d.write(1000)
	d.want("one write", "AP", 1, 1, octets(1000))
	d.write(1000)
	d.want("another", "AP", 1001, 1, octets(1000))
	d.toTimer()
	d.want("the first again, as it was", "AP", 1, 1, octets(1000))
	d.in("A", 1, 2001, win(257))
	d.c.WriteMore(d.now, make([]byte, 1500))
	d.want("more to come", "A", 2001, 1, octets(1000))
	d.in("A", 1, 3001, win(257))
	d.want("an ACK has it go all the same", "A", 3001, 1, octets(500))
	d.in("A", 1, 3501, win(257))
	d.c.WriteMore(d.now, make([]byte, 80))
	d.idle("more to come")
	d.c.SetNoDelay(true)
	d.want("pushed by TCP_NODELAY", "A", 3501, 1, octets(80))
}

func TestLinuxCorkedTextLeavesAfterATimeout(t *testing.T) {
	d := linuxServer(t)
	d.c.SetNoDelay(true)
	d.c.WriteMore(d.now, make([]byte, 40))
	d.idle("more to come")
	if took := d.toTimer(); took < 200*time.Millisecond || took > 250*time.Millisecond {
		t.Errorf("after %v", took)
	}
	d.want("with PSH", "AP", 1, 1, octets(40))
}

// A packet of several segments has PSH, and is no more than half the congestion window.
func TestLinuxSendsPacketsOfSeveralSegments(t *testing.T) {
	d := linuxServer(t, func(d *dialogue) { d.set.MinBurst = 10 })
	d.write(26000)
	if s := d.want("half the window", "AP", 1, 1, octets(5000)); s.SegmentSize != 1000 {
		t.Errorf("pieces of %d", s.SegmentSize)
	}
	d.want("the other half", "AP", 5001, 1, octets(5000))
	d.idle("the congestion window is full")
}

// Text for a user that is gone is answered as if there were no connection.
func TestLinuxResetsTextAfterClose(t *testing.T) {
	d := linuxServer(t)
	d.close()
	d.want("FIN", "AF", 1, 1)
	d.in("AP", 1, 1, octets(10), win(257))
	d.want("reset", "R", 1, 0, win(0))
	d.state(StateClosed)
}

// A reset of its own carries the timestamp.
func TestResetOfOurOwnCarriesTheTimestamp(t *testing.T) {
	d := newDialogue(t, asLinux, withTimestamps)
	d.accept(mss(1000), ts(100, 0))
	d.want("SYN,ACK", "SA", 0, 1)
	d.in("A", 1, 1, ts(200, 77))
	d.in("A", 1, 1, octets(10), ts(201, 77))
	d.drain()
	d.close()
	if s := d.want("reset", "AR", 1, 11); !s.Options.HasTimestamps || s.Options.TSEcr != 201 {
		t.Errorf("%+v", s.Options)
	}
}

// A segment whose ACK is not good does not leave its timestamp behind.
func TestTimestampOfABadAckIsNotRemembered(t *testing.T) {
	d := newDialogue(t, asLinux, withTimestamps)
	d.accept(mss(1000), ts(100, 0))
	d.want("SYN,ACK", "SA", 0, 1)
	d.in("A", 1, 1, ts(200, 77))
	d.in("AF", 1, 9999, ts(200000, 77))
	d.idle("dropped without a word")
	d.in("A", 1, 1, octets(1000), ts(201, 77))
	if s := d.want("ACK", "A", 1, 1001); s.Options.TSEcr != 201 {
		t.Errorf("echoes %d", s.Options.TSEcr)
	}
}

func TestLinuxTakesASegmentWithoutTimestamp(t *testing.T) {
	d := newDialogue(t, asLinux, withTimestamps)
	d.accept(mss(1000), ts(100, 0))
	d.want("SYN,ACK", "SA", 0, 1)
	d.in("A", 1, 1)
	d.state(StateEstablished)
	d.in("A", 1, 1, octets(1000))
	d.want("ACK", "A", 1, 1001)
}

// A reset with the number of the peer's FIN, or at the end of what SACK has reported, is believed.
func TestLinuxBelievesResetsThatWereSentTooSoon(t *testing.T) {
	d := linuxServer(t)
	d.in("AF", 1, 1, win(257))
	d.drain()
	d.in("R", 1, 0)
	d.state(StateClosed)

	d = linuxServer(t)
	d.in("A", 1001, 1, octets(1000), win(257))
	d.drain()
	d.in("R", 2001, 0)
	d.state(StateClosed)
}

// RFC 2883 §4: the first SACK block reports what came twice.
func TestDuplicateTextIsReportedFirst(t *testing.T) {
	d := linuxServer(t)
	block := func(s *Segment, i int) [2]int {
		b := s.Options.SACK[i]
		return [2]int{int(b.Left - uint32(d.irs)), int(b.Right - uint32(d.irs))}
	}
	d.in("A", 1, 1, octets(1000), win(257))
	d.drain()
	d.in("A", 1, 1, octets(1000), win(257))
	if s := d.want("all twice", "A", 1, 1001); s.Options.NumSACK != 1 || block(s, 0) != [2]int{1, 1001} {
		t.Errorf("%d blocks, %v", s.Options.NumSACK, block(s, 0))
	}
	d.in("A", 2001, 1, octets(1000), win(257))
	if s := d.want("a hole", "A", 1, 1001); s.Options.NumSACK != 1 {
		t.Errorf("%d blocks", s.Options.NumSACK)
	}
	d.in("A", 2001, 1, octets(500), win(257))
	s := d.want("part of that twice", "A", 1, 1001)
	if s.Options.NumSACK != 2 || block(s, 0) != [2]int{2001, 2501} || block(s, 1) != [2]int{2001, 3001} {
		t.Errorf("%d blocks, %v %v", s.Options.NumSACK, block(s, 0), block(s, 1))
	}
	d.in("A", 1001, 1, octets(1000), win(257))
	if s := d.want("reported once", "A", 1, 3001); s.Options.NumSACK != 0 {
		t.Errorf("%d blocks", s.Options.NumSACK)
	}
}

func TestLinuxListenDropsSynFin(t *testing.T) {
	set := LinuxSettings()
	var reply Segment
	if v := set.Listen(&Segment{Flags: wire.FlagSYN | wire.FlagFIN}, &reply); v != ListenIgnore {
		t.Errorf("%v", v)
	}
	if v := set.Listen(&Segment{Flags: wire.FlagSYN}, &reply); v != ListenAccept {
		t.Errorf("%v", v)
	}
}

// MSG_EOR: what ends a record is not put together with what follows, and does not wait for it.
func TestLinuxKeepsRecordsApart(t *testing.T) {
	d := linuxServer(t, func(d *dialogue) { d.set.MinBurst = 100 })
	d.in("A", 1, 1, win(500))
	d.write(10400)
	for range 3 {
		if n := d.c.WriteRecord(d.now, make([]byte, 400)); n != 400 {
			t.Fatal(n)
		}
	}
	d.write(300)
	d.want("half the window", "AP", 1, 1, octets(5000))
	d.want("the other half", "AP", 5001, 1, octets(5000))
	d.idle("the window is full")
	d.in("A", 1, 10001, win(500))
	d.want("the rest, and the first record", "AP", 10001, 1, octets(800))
	d.want("the second", "AP", 10801, 1, octets(400))
	d.want("the third", "AP", 11201, 1, octets(400))
	d.idle("Nagle's algorithm keeps the last")
	d.in("A", 1, 11601, win(500))
	d.want("the last", "AP", 11601, 1, octets(300))
	if n := len(d.c.like.packets.list); n != 0 {
		t.Errorf("%d packets are remembered", n)
	}
}

// RFC 2883 §4: text in order that covers text held out of order.
func TestDuplicateOfHeldTextIsReported(t *testing.T) {
	d := linuxServer(t)
	for _, at := range []int{1001, 2001, 4001, 7001} {
		d.in("AP", at, 1, octets(1000), win(257))
		d.want("a hole", "A", 1, 1)
	}
	d.in("AP", 1, 1, octets(6000), win(257))
	s := d.want("most of it", "A", 1, 6001)
	var got []int
	for _, b := range s.Options.SACK[:s.Options.NumSACK] {
		got = append(got, int(b.Left-uint32(d.irs)), int(b.Right-uint32(d.irs)))
	}
	if !slices.Equal(got, []int{1001, 3001, 7001, 8001}) {
		t.Errorf("%v", got)
	}
}

// After shutdown(SHUT_RD) text can still be read; after SHUT_RDWR it is answered with a reset.
func TestLinuxReadsOnAfterCloseRead(t *testing.T) {
	d := linuxServer(t)
	d.c.CloseRead(d.now)
	d.in("AP", 1, 1, octets(10), win(257))
	d.want("ACK", "A", 1, 11)
	if got := d.read(20); len(got) != 10 {
		t.Errorf("read %d", len(got))
	}
	d.closeWrite()
	d.want("FIN", "AF", 1, 11)
	d.in("AP", 11, 1, octets(10), win(257))
	d.want("reset", "R", 1, 0, win(0))
	d.state(StateClosed)
}

// A SYN,ACK that echoes a timestamp that was never sent is refused.
func TestLinuxRefusesAFalseEcho(t *testing.T) {
	d := newDialogue(t, asLinux, withTimestamps)
	d.connect()
	s := d.want("SYN", "S", 0, 0)
	d.in("SA", 0, 1, mss(1000), ts(3001, s.Options.TSVal+1000))
	d.want("reset", "R", 1, 0, win(0))
	d.state(StateSynSent)
	d.in("SA", 0, 1, mss(1000), ts(3001, s.Options.TSVal))
	d.state(StateEstablished)
}

// Text beyond the window is taken whole where nothing waits to be read, and else dropped whole.
func TestLinuxDoesNotTrimText(t *testing.T) {
	d := newDialogue(t, asLinux, func(d *dialogue) { d.cfg.RecvBuffer, d.cfg.RecvBufferFixed = 40000, true })
	d.accept(mss(1000), wscale(7), win(32792))
	d.want("SYN,ACK", "SA", 0, 1, win(18980))
	d.in("A", 1, 1, win(257))
	d.in("AP", 1, 1, octets(60000), win(257))
	d.toTimer()
	d.want("all of it", "A", 1, 60001, win(0))
	if n := d.c.Info().OctetsReceived; n != 60000 {
		t.Errorf("%d octets taken", n)
	}
	d.in("AP", 60001, 1, octets(10), win(257))
	d.want("nothing of it", "A", 1, 60001, win(0))
	d.in("AF", 60001, 1, win(257))
	d.want("a FIN is", "A", 1, 60002, win(0))
	d.state(StateCloseWait)
}

func TestLinuxTakesAResetInTheWindowOfAHalfOpenConnection(t *testing.T) {
	d := newDialogue(t, asLinux)
	d.accept(mss(1000))
	d.want("SYN,ACK", "SA", 0, 1)
	d.in("R", 100, 0)
	d.state(StateClosed)
}

// RFC 7323 §5.3, and what Linux pardons: one tick, and a bare ACK that was overtaken.
func TestLinuxPardonsAnOldTimestamp(t *testing.T) {
	d := newDialogue(t, asLinux, withTimestamps)
	d.accept(mss(1000), ts(1000, 0), win(5000))
	d.want("SYN,ACK", "SA", 0, 1)
	d.in("A", 1, 1, ts(2000, 77), win(5000))
	d.in("A", 1, 1, octets(10), ts(1999, 77), win(5000))
	if d.c.Readable() != 10 {
		t.Error("a tick is not pardoned")
	}
	d.drain()
	d.in("A", 11, 1, ts(1990, 77), win(5000))
	d.idle("a bare ACK is pardoned")
	d.in("A", 11, 1, octets(10), ts(1990, 77), win(5000))
	d.want("text is not", "A", 1, 11)
	if n := d.ctr.PAWS.Load(); n != 1 {
		t.Errorf("%d counted", n)
	}
}

// RFC 2883 leaves open whether the ACK of a FIN reports what came twice with it: Linux does not.
func TestFinEndsSACK(t *testing.T) {
	for _, ends := range []bool{true, false} {
		d := linuxServer(t, func(d *dialogue) { d.set.FinEndsSACK = ends })
		d.in("A", 1, 1, octets(500), win(257))
		d.want("ACK", "A", 1, 501)
		d.in("AF", 1, 1, octets(500), win(257))
		s := d.want("the FIN is new", "A", 1, 502)
		if got := s.Options.NumSACK == 0; got != ends {
			t.Errorf("FinEndsSACK %v: %d blocks", ends, s.Options.NumSACK)
		}
	}
}

// Text that goes on beyond the window is taken where nothing waits to be read. The window is then
// closed, and where it was the first text the ACK that says so waits; a reset may follow at RCV.NXT.
func TestTextBeyondTheWindowIsAcknowledgedLater(t *testing.T) {
	d := linuxServer(t, func(d *dialogue) { d.cfg.RecvBuffer, d.cfg.RecvBufferFixed = 8000, true })
	n := int(d.c.rcv.window()) + 1000
	d.in("AP", 1, 1, octets(n), win(257))
	d.idle("later")
	if d.c.Readable() != n {
		t.Fatalf("%d octets taken of %d", d.c.Readable(), n)
	}
	d.in("AR", 1+n, 1, win(257))
	d.state(StateClosed)
}
