package tcp

import (
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
)

func withNoDelay(d *dialogue) { d.c.SetNoDelay(true) }

// wide has super-segments of up to ten segments.
func wide(d *dialogue) { d.cfg.MaxSegment = 10000 }

// RFC 9293 §3.9.1.2: PSH is set on the segment that empties the queue, and only there.
func TestPushIsSetWhenTheQueueIsEmptied(t *testing.T) {
	d := established(t)
	d.write(2500)
	d.want("first", "A", 1, 1, octets(1000))
	d.want("second", "A", 1001, 1, octets(1000))
	d.want("last", "PA", 2001, 1, octets(500))
	d.idle("all sent")
}

// Output makes segments larger than the path takes, for the link to cut.
func TestSuperSegmentsAreSent(t *testing.T) {
	d := established(t, wide)
	d.write(9500)
	if s := d.want("all at once", "PA", 1, 1, octets(9500)); s.SegmentSize != 1000 {
		t.Errorf("to be cut at %d", s.SegmentSize)
	}
	d.in("A", 1, 9501)
	d.write(800)
	if s := d.want("one segment", "PA", 9501, 1, octets(800)); s.SegmentSize != 0 {
		t.Errorf("to be cut at %d", s.SegmentSize)
	}
}

// Where a window ends the super-segment it ends with a whole segment.
func TestSuperSegmentEndsWithAWholeSegmentInsideTheQueue(t *testing.T) {
	d := established(t, wide)
	d.in("A", 1, 1, win(3500))
	d.write(9500)
	d.want("what the window takes", "A", 1, 1, octets(3000))
	d.idle("less than a segment is left")
}

// The buffer that Output is given bounds the segment.
func TestOutputKeepsToItsBuffer(t *testing.T) {
	d := established(t, wide)
	d.buf = make([]byte, 2500)
	d.write(5200)
	d.want("two segments fit", "A", 1, 1, octets(2000))
	d.want("two segments fit", "A", 2001, 1, octets(2000))
	d.want("the rest", "PA", 4001, 1, octets(1200))
}

// RFC 6928: the initial window is ten segments; and slow start counts octets.
func TestInitialWindowAndSlowStart(t *testing.T) {
	d := established(t)
	d.write(40000)
	if n, _ := d.drain(); n != 10 {
		t.Fatalf("%d segments", n)
	}
	d.now = d.now.Add(50 * time.Millisecond)
	d.in("A", 1, 2001)
	if n, _ := d.drain(); n != 4 {
		t.Errorf("%d segments for an ACK of two", n)
	}
}

// RFC 9293 §3.7.4, Nagle's algorithm as Minshall amended it.
func TestNagleHoldsASecondSmallSegment(t *testing.T) {
	d := established(t)
	d.write(10)
	d.want("nothing outstanding", "PA", 1, 1, octets(10))
	d.write(10)
	d.idle("a small segment is outstanding")
	d.write(990)
	d.want("a whole segment never waits", "PA", 11, 1, octets(1000))
}

func TestNagleLetsTheEndOfABulkWriteGo(t *testing.T) {
	d := established(t)
	d.write(1500)
	d.want("whole", "A", 1, 1, octets(1000))
	d.want("only whole segments are outstanding", "PA", 1001, 1, octets(500))
	d.write(10)
	d.idle("now a small one is")
	d.in("A", 1, 1501)
	d.want("acknowledged", "PA", 1501, 1, octets(10))
}

// RFC 9293 §3.7.4 (MUST-17): it can be turned off.
func TestNoDelaySendsAtOnce(t *testing.T) {
	d := established(t, withNoDelay)
	for i := range 3 {
		d.write(10)
		d.want("no Nagle", "PA", 1+10*i, 1, octets(10))
	}
}

// A FIN takes the rest with it.
func TestFinPushesWhatNagleHolds(t *testing.T) {
	d := established(t)
	d.write(10)
	d.want("nothing outstanding", "PA", 1, 1, octets(10))
	d.write(10)
	d.idle("held")
	d.closeWrite()
	d.want("the last of it", "FPA", 11, 1, octets(10))
}

// TCP_CORK: what does not fill a segment waits for the cork or the timer.
func TestCorkHoldsUntilDrawn(t *testing.T) {
	d := established(t, withNoDelay)
	d.c.SetCork(true)
	d.write(1300)
	d.want("a whole segment", "A", 1, 1, octets(1000))
	d.idle("corked")
	d.c.SetCork(false)
	d.want("uncorked", "PA", 1001, 1, octets(300))
	d.in("A", 1, 1301)
	d.c.SetCork(true)
	d.write(10)
	d.idle("corked")
	d.toTimer()
	d.want("long enough", "PA", 1301, 1, octets(10))
}

// RFC 9293 §3.8.6.2.1: a sender does not use a small part of a large window.
func TestSenderAvoidsSillyWindows(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, win(4000))
	d.write(9000)
	d.drain()
	d.in("A", 1, 4001, win(900))
	d.idle("less than a segment, less than half of the largest window")
	d.toTimer()
	d.want("the override timeout (4)", "A", 4001, 1, octets(900))
}

// RFC 9293 §3.8.6.1 (MUST-36): a zero window is probed with the next octet, after the
// retransmission timeout first and then at growing intervals (SHLD-29, SHLD-30).
func TestZeroWindowIsProbed(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, win(0))
	d.write(100)
	d.idle("closed")
	var last time.Duration
	for range 20 {
		took := d.toTimer()
		if took < last || took > d.set.PersistMax {
			t.Fatalf("probe after %v, the one before after %v", took, last)
		}
		last = took
		d.want("probe", "A", 1, 1, octets(1))
		d.idle("one probe")
		d.in("A", 1, 1, win(0))
		d.idle("still closed")
	}
	if last != d.set.PersistMax {
		t.Errorf("the interval grew to %v only", last)
	}
	d.state(StateEstablished) // MUST-37: it answers, so it may go on for ever
	d.in("A", 1, 1, win(5000))
	d.want("open", "PA", 1, 1, octets(100))
}

// The octet of a probe may be taken.
func TestProbeOctetMayBeTaken(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, win(0))
	d.write(100)
	d.idle("closed")
	d.toTimer()
	d.want("probe", "A", 1, 1, octets(1))
	d.in("A", 1, 2, win(0))
	d.idle("taken, and closed again")
	d.toTimer()
	d.want("probe", "A", 2, 1, octets(1))
	d.in("A", 1, 3, win(5000))
	d.want("open", "PA", 3, 1, octets(98))
}

// The other way to probe, as Linux has it.
func TestZeroWindowIsProbedFromBehind(t *testing.T) {
	d := established(t, func(d *dialogue) { d.set.ProbeBehindWindow = true })
	d.in("A", 1, 1, win(0))
	d.write(100)
	d.idle("closed")
	d.toTimer()
	d.want("probe", "A", 0, 1)
	d.in("A", 1, 1, win(1000))
	d.want("open", "PA", 1, 1, octets(100))
}

// A peer that no longer answers probes is given up after R2 of them.
func TestProbesWithoutAnswerGiveUp(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, win(0))
	d.write(100)
	d.idle("closed")
	for range d.set.Retries {
		d.toTimer()
		d.want("probe", "A", 1, 1, octets(1))
	}
	d.toTimer()
	d.state(StateClosed)
	d.err(syscall.ETIMEDOUT)
}

// A user that is gone does not keep a closed window probed for ever.
func TestProbesOfAnOrphanEnd(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, win(0))
	d.write(100)
	d.close()
	d.idle("closed")
	n := 0
	for ; d.c.State() != StateClosed; n++ {
		d.toTimer()
		d.drain()
		d.in("A", 1, 1, win(0))
		if n > 100 {
			t.Fatal("goes on for ever")
		}
	}
	d.err(syscall.ETIMEDOUT)
}

// A FIN waits for the window like text.
func TestFinIsProbedIntoAZeroWindow(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, win(0))
	d.closeWrite()
	d.idle("closed")
	d.toTimer()
	d.want("probe", "FA", 1, 1)
	d.in("A", 1, 1, win(0))
	d.idle("refused")
	d.in("A", 1, 1, win(10))
	d.want("open", "FA", 1, 1)
	d.in("A", 1, 2)
	d.state(StateFinWait2)
}

// RFC 9293 §3.8.6: what is outstanding is retransmitted even if the window was shrunk, and
// a peer that answers is not given up.
func TestShrunkWindowDoesNotEndTheConnection(t *testing.T) {
	d := established(t)
	d.write(1000)
	d.want("text", "PA", 1, 1, octets(1000))
	for range 30 {
		d.in("A", 1, 1, win(0))
		d.toTimer()
		d.want("retransmission", "PA", 1, 1, octets(1000))
	}
	d.state(StateEstablished)
	d.in("A", 1, 1001)
	d.idle("done")
}

// An ACK must be acceptable to a peer that has shrunk its window, and to one that has
// refused the octet of a probe: its number is not beyond the window.
func TestAckIsWithinAShrunkWindow(t *testing.T) {
	d := established(t)
	d.write(3000)
	d.drain()
	d.in("A", 1, 1, win(500))
	d.in("A", 1, 1, octets(10), segments(5), win(500))
	d.want("ACK of text", "A", 501, 11)

	d = established(t)
	d.in("A", 1, 1, win(0))
	d.write(10)
	d.idle("closed")
	d.toTimer()
	d.want("probe", "A", 1, 1, octets(1))
	d.in("A", 1, -10, octets(10), segments(5), win(0))
	d.want("ACK of text", "A", 1, 11)
}

// RFC 9293 §3.8.6.1 (MUST-37): the user timeout does not pass while the peer answers probes.
func TestUserTimeoutWaitsForAPeerThatAnswersProbes(t *testing.T) {
	d := established(t)
	d.c.SetUserTimeout(d.now, 5*time.Second)
	d.in("A", 1, 1, win(0))
	d.write(10)
	d.idle("closed")
	for start := d.now; d.now.Sub(start) < 20*time.Second; {
		d.toTimer()
		if n, _ := d.drain(); n > 0 {
			d.in("A", 1, 1, win(0))
		}
		if d.c.State() != StateEstablished {
			break
		}
	}
	if at := d.now; at < clock.Time(4*time.Second) {
		t.Fatalf("ended at %v", at)
	}
	heard := d.c.heardAt
	for d.c.State() == StateEstablished {
		d.toTimer()
		d.drain()
	}
	if took := d.now.Sub(heard); took != 5*time.Second {
		t.Errorf("ended %v after the last answer", took)
	}
}

// RFC 6298 §5: the first timeout, the doublings, and R2 (RFC 9293 §3.8.3).
func TestRetransmissionTimeoutDoublesUntilR2(t *testing.T) {
	d := established(t)
	d.write(10)
	d.want("text", "PA", 1, 1, octets(10))
	last := time.Duration(0)
	for i := range d.set.Retries {
		took := d.toTimer()
		if i > 0 && took != min(2*last, d.set.RTO.Max) {
			t.Errorf("timeout %d after %v, the one before after %v", i, took, last)
		}
		last = took
		d.want("retransmission", "PA", 1, 1, octets(10))
		d.idle("once")
	}
	d.toTimer()
	d.state(StateClosed)
	d.events(EventError | EventClosed)
	d.err(syscall.ETIMEDOUT)
}

// RFC 9293 §3.8.3 (MUST-23): a SYN is retransmitted for at least three minutes.
func TestSynIsRetransmittedForThreeMinutes(t *testing.T) {
	d := newDialogue(t)
	d.connect()
	start := d.now
	d.want("SYN", "S", 0, 0)
	for d.toTimer(); d.c.State() == StateSynSent; d.toTimer() {
		d.want("SYN again", "S", 0, 0)
	}
	d.err(syscall.ETIMEDOUT)
	if took := d.now.Sub(start); took < 3*time.Minute {
		t.Errorf("given up after %v", took)
	}
}

// RFC 6298 §5.7, RFC 5681 §3.1: after a lost SYN one segment, and three seconds.
func TestLostSynMakesACautiousStart(t *testing.T) {
	d := newDialogue(t)
	d.connect()
	d.want("SYN", "S", 0, 0)
	d.toTimer()
	d.want("SYN again", "S", 0, 0)
	d.in("SA", 0, 1, mss(1000))
	d.write(5000)
	d.want("an initial window of one", "A", 1, 1, octets(1000))
	d.idle("one segment")
	if took := d.toTimer(); took != 3*time.Second {
		t.Errorf("RTO %v, want 3 s", took)
	}
}

// RFC 6298 §3, Karn's algorithm: no measurement of what was sent twice.
func TestRetransmittedSegmentIsNotMeasured(t *testing.T) {
	d := connected(t)
	srtt := d.c.Info().SRTT
	d.write(10)
	d.want("text", "PA", 1, 1, octets(10))
	d.toTimer()
	d.want("again", "PA", 1, 1, octets(10))
	d.now = d.now.Add(700 * time.Millisecond)
	d.in("A", 1, 11)
	if got := d.c.Info().SRTT; got != srtt {
		t.Errorf("srtt went from %v to %v", srtt, got)
	}
	d.write(10)
	d.want("text", "PA", 11, 1, octets(10))
	d.now = d.now.Add(700 * time.Millisecond)
	d.in("A", 1, 21)
	if got := d.c.Info().SRTT; got == srtt {
		t.Error("a segment sent once was not measured")
	}
}

// RFC 7323 §4.1: the echoed timestamp measures even that.
func TestEchoedTimestampMeasuresARetransmission(t *testing.T) {
	d := stamped(t)
	d.write(10)
	d.want("text", "PA", 1, 1, octets(10))
	d.toTimer()
	s := d.want("again", "PA", 1, 1, octets(10))
	d.now = d.now.Add(80 * time.Millisecond)
	d.in("A", 1, 11, ts(1001, s.Options.TSVal))
	// The handshake took no time: srtt is now 7/8 of 0 and 1/8 of 80 ms.
	if got := d.c.Info().SRTT; got < 9*time.Millisecond || got > 11*time.Millisecond {
		t.Errorf("srtt %v", got)
	}
}

// An echo from before the retransmission measures nothing: the ACK of the first sending may
// have been lost.
func TestEchoFromBeforeTheRetransmissionIsNotMeasured(t *testing.T) {
	d := stamped(t)
	d.write(10)
	first := *d.want("text", "PA", 1, 1, octets(10))
	d.toTimer()
	d.want("again", "PA", 1, 1, octets(10))
	srtt := d.c.Info().SRTT
	d.in("A", 1, 11, ts(1001, first.Options.TSVal))
	if got := d.c.Info().SRTT; got != srtt {
		t.Errorf("srtt went from %v to %v", srtt, got)
	}
}

// Karn's algorithm keeps the doubled timeout until something is sent that was not sent
// before; two acknowledged retransmissions in a row that the path had time for end that.
func TestDoubledTimeoutEndsWhenRetransmissionsArrive(t *testing.T) {
	for _, tc := range []struct {
		after time.Duration
		want  bool
	}{{100 * time.Millisecond, true}, {time.Millisecond, false}} {
		d := newDialogue(t)
		d.connect()
		d.want("SYN", "S", 0, 0)
		d.now = d.now.Add(100 * time.Millisecond)
		d.in("SA", 0, 1, mss(1000))
		rto := d.c.Info().RTO
		d.write(9000)
		d.drain()
		d.toTimer()
		d.toTimer()
		for i := range 2 {
			d.drain()
			d.now = d.now.Add(tc.after)
			d.in("A", 1, 1001+1000*i)
		}
		if got := d.c.Info().RTO == rto; got != tc.want {
			t.Errorf("after %v: RTO %v, it was %v at first", tc.after, d.c.Info().RTO, rto)
		}
	}
}

// RFC 5681 §3.2: the third duplicate ACK makes a retransmission, the first two a new
// segment each (RFC 3042).
func TestFastRetransmitAfterThreeDuplicateAcks(t *testing.T) {
	d := established(t)
	d.write(20000)
	d.drain()
	d.in("A", 1, 1)
	d.want("limited transmit", "A", 10001, 1, octets(1000))
	d.idle("one")
	d.in("A", 1, 1)
	d.want("limited transmit", "A", 11001, 1, octets(1000))
	d.idle("one")
	d.in("A", 1, 1)
	d.want("fast retransmit", "A", 1, 1, octets(1000))
	d.idle("one segment")
	if i := d.c.Info(); i.Recovery != "fast" || i.SSThresh != 6000 {
		t.Errorf("%+v", i)
	}
}

// RFC 5681 §2: what is not a duplicate ACK: text, another window, nothing outstanding.
func TestOnlyDuplicateAcksCount(t *testing.T) {
	d := established(t)
	for range 3 {
		d.in("A", 1, 1)
	}
	d.write(20000)
	d.drain()
	for i := range 3 {
		d.in("A", 1, 1, win(60000+i))
		d.in("A", 1+i, 1, text("x"), win(60002))
	}
	d.drain()
	if n := d.ctr.DupAcks.Load(); n != 0 {
		t.Errorf("%d duplicate ACKs", n)
	}
}

// RFC 6582 §3.2 step 3: a partial ACK has the next hole retransmitted at once; a full one
// ends recovery.
func TestPartialAckRetransmitsTheNextHole(t *testing.T) {
	d := established(t)
	d.write(30000)
	d.drain()
	for range 3 {
		d.in("A", 1, 1)
		if d.c.Info().Recovery == "" {
			d.drain()
		}
	}
	d.want("first hole", "A", 1, 1, octets(1000))
	d.drain()
	d.in("A", 1, 4001)
	d.want("second hole", "A", 4001, 1, octets(1000))
	d.drain()
	d.in("A", 1, int(d.c.snd.nxt.Sub(d.iss)))
	if i := d.c.Info(); i.Recovery != "" {
		t.Errorf("still in recovery: %+v", i)
	}
	if rto := d.ctr.RetransmitTimeouts.Load(); rto != 0 {
		t.Errorf("%d timeouts", rto)
	}
}

// RFC 6675 §4, §5: with SACK only the holes are sent again.
func TestSackRetransmitsOnlyHoles(t *testing.T) {
	d := newDialogue(t, withSACK)
	d.accept(mss(1000), sackPermitted())
	d.want("SYN,ACK", "SA", 0, 1)
	d.in("A", 1, 1)
	d.write(10000)
	d.drain()
	d.in("A", 1, 1, sack(1001, 2001))
	d.in("A", 1, 1, sack(4001, 6001, 1001, 2001))
	d.in("A", 1, 1, sack(4001, 8001, 1001, 2001))
	d.want("first hole", "A", 1, 1, octets(1000))
	d.want("second hole", "A", 2001, 1, octets(1000))
	d.want("second hole", "A", 3001, 1, octets(1000))
	d.idle("5000 under way, half of the 10000 before: 3000 sent again, 2000 not reported")
	d.in("A", 1, 4001, sack(4001+1000, 8001))
	d.in("A", 1, 8001)
	d.in("A", 1, 10001)
	d.idle("all there")
	if n := d.ctr.RetransmittedOctets.Load(); n > 3000 {
		t.Errorf("%d octets were sent again", n)
	}
}

// SACK blocks that cannot be are ignored.
func TestNonsenseSackIsIgnored(t *testing.T) {
	d := newDialogue(t, withSACK)
	d.accept(mss(1000), sackPermitted())
	d.want("SYN,ACK", "SA", 0, 1)
	d.in("A", 1, 1)
	d.write(5000)
	d.drain()
	for _, b := range [][2]int{{1, 1001}, {2001, 2001}, {3001, 2001}, {4001, 5002}, {-5000, 9000}, {5001, 6001}, {-10, -5}} {
		d.in("A", 1, 1, sack(b[0], b[1]))
		if n := d.c.Info().Sacked; n != 0 {
			t.Errorf("block %v counts for %d octets", b, n)
		}
	}
}

// RFC 1191 §6.5: a smaller path MTU has what is outstanding cut anew and sent again.
func TestSmallerPathCutsAndSendsAgain(t *testing.T) {
	d := established(t)
	d.write(3000)
	d.drain()
	cwnd := d.c.Info().Cwnd
	d.c.SetPathMSS(d.now, 600)
	d.want("cut anew", "A", 1, 1, octets(600))
	n, length := d.drain()
	if n != 4 || length != 2400 {
		t.Errorf("%d segments with %d octets", n, length)
	}
	if got := d.c.Info().Cwnd; got != cwnd {
		t.Errorf("cwnd went from %d to %d", cwnd, got)
	}
	d.in("A", 1, 3001)
	d.idle("done")
}

// RFC 5681 §4.1: after an idle time the window is the initial one again.
func TestIdleConnectionRestartsSlowly(t *testing.T) {
	d := established(t)
	at := 1
	for range 5 {
		d.write(30000)
		for {
			_, n := d.drain()
			if n == 0 {
				break
			}
			at += n
			d.now = d.now.Add(10 * time.Millisecond)
			d.in("A", 1, at)
		}
	}
	if d.c.Info().Cwnd <= 10000 {
		t.Fatal("the window did not grow")
	}
	d.now = d.now.Add(time.Minute)
	d.write(30000)
	if _, n := d.drain(); n != 10000 {
		t.Errorf("%d octets after a pause", n)
	}
}

// RFC 9293 §3.8.4: keep-alives are off by default, and probe an idle connection when on.
func TestKeepAlive(t *testing.T) {
	d := established(t)
	if d.c.Deadline() != clock.Never {
		t.Error("a timer runs by default")
	}
	d.c.SetKeepAlive(d.now, true, time.Minute, 10*time.Second, 3)
	if took := d.toTimer(); took != time.Minute {
		t.Errorf("after %v", took)
	}
	d.want("keep-alive probe", "A", 0, 1)
	d.in("A", 1, 1)
	if took := d.toTimer(); took != time.Minute {
		t.Errorf("after an answer %v", took)
	}
	d.want("keep-alive probe", "A", 0, 1)
	for range 2 {
		if took := d.toTimer(); took != 10*time.Second {
			t.Errorf("next after %v", took)
		}
		d.want("keep-alive probe", "A", 0, 1)
	}
	d.toTimer()
	d.state(StateClosed)
	d.err(syscall.ETIMEDOUT)
	d.want("reset", "RA", 1, 1, win(0))
}

// RFC 9293 §3.8.4 (MUST-26): not while data is outstanding.
func TestKeepAliveWaitsForOutstandingData(t *testing.T) {
	d := established(t)
	d.c.SetKeepAlive(d.now, true, 50*time.Millisecond, 0, 0)
	d.write(10)
	d.want("text", "PA", 1, 1, octets(10))
	d.toTimer()
	d.want("retransmission", "PA", 1, 1, octets(10))
}

// RFC 9293 §3.9.1.1, RFC 5482: the user timeout.
func TestUserTimeout(t *testing.T) {
	d := established(t)
	d.c.SetUserTimeout(d.now, 5*time.Second)
	d.advance(time.Hour)
	d.state(StateEstablished)
	start := d.now
	d.write(10)
	d.want("text", "PA", 1, 1, octets(10))
	for d.c.State() == StateEstablished {
		d.toTimer()
		d.drain()
	}
	if took := d.now.Sub(start); took != 5*time.Second {
		t.Errorf("after %v", took)
	}
	d.err(syscall.ETIMEDOUT)
}

// RFC 9293 §3.9.2.2, RFC 5927 §5.2: a hard ICMP error ends SYN-SENT; otherwise it is only
// the reason if the connection times out.
func TestICMPErrors(t *testing.T) {
	d := statesOf()[0].reach(t)
	d.c.OnICMP(d.now, false, syscall.EHOSTUNREACH)
	d.state(StateSynSent)
	if ev := d.c.OnICMP(d.now, true, syscall.ECONNREFUSED); ev != EventError|EventClosed {
		t.Errorf("events %v", ev)
	}
	d.err(syscall.ECONNREFUSED)

	d = established(t)
	d.write(10)
	d.drain()
	if d.c.InFlight(d.iss) || !d.c.InFlight(d.iss.Add(1)) || !d.c.InFlight(d.iss.Add(10)) || d.c.InFlight(d.iss.Add(11)) {
		t.Error("what is in flight is not 1 to 10")
	}
	d.c.OnICMP(d.now, true, syscall.ECONNREFUSED)
	d.state(StateEstablished)
	for d.c.State() == StateEstablished {
		d.toTimer()
		d.drain()
	}
	d.err(syscall.ECONNREFUSED)
}

// The send buffer bounds Write, and room is told when a good part is free.
func TestSendBufferBoundsWrite(t *testing.T) {
	d := established(t, func(d *dialogue) { d.cfg.SendBuffer = 3000 })
	if n := d.c.Write(d.now, make([]byte, 5000)); n != 3000 || d.c.Writable() != 0 {
		t.Errorf("Write took %d", n)
	}
	d.drain()
	if unacked, unsent := d.c.Queued(); unacked != 3000 || unsent != 0 {
		t.Errorf("queued %d, %d", unacked, unsent)
	}
	d.in("A", 1, 501)
	if d.ev&EventWritable != 0 {
		t.Error("500 of 3000 free is not worth a wake-up")
	}
	d.in("A", 1, 2001)
	if d.ev&EventWritable == 0 || d.c.Writable() != 2000 {
		t.Errorf("events %v, %d free", d.ev, d.c.Writable())
	}
}
