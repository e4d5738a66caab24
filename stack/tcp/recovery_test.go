package tcp

import (
	"testing"
	"time"

	"github.com/weirnet/weir/stack/tcp/cc"
	"github.com/weirnet/weir/stack/wire"
)

func ecn(codepoint uint8) part { return func(_ *dialogue, s *Segment) { s.ECN = codepoint } }

// peerSACK has blocks of the peer's sequence numbers, as our ACKs carry them.
func (d *dialogue) wantSACK(why string, ack int, edges ...int) {
	d.t.Helper()
	s := d.want(why, "A", 1, ack)
	var got []int
	for _, b := range s.Options.SACK[:s.Options.NumSACK] {
		got = append(got, int(b.Left-uint32(d.irs)), int(b.Right-uint32(d.irs)))
	}
	if len(got) != len(edges) {
		d.t.Fatalf("%s: SACK %v, want %v", why, got, edges)
	}
	for i := range got {
		if got[i] != edges[i] {
			d.t.Fatalf("%s: SACK %v, want %v", why, got, edges)
		}
	}
}

// RFC 2883 §4: what came twice is reported once, in the first block, whether it lies below the
// ACK or is held out of order.
func TestDSACKReportsDuplicates(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.in("PA", 1001, 1, octets(1000))
	d.wantSACK("out of order", 1, 1001, 2001)
	d.in("PA", 2001, 1, octets(1000))
	d.wantSACK("more of it", 1, 1001, 3001)
	d.in("PA", 4001, 1, octets(1000))
	d.wantSACK("two ranges", 1, 4001, 5001, 1001, 3001)
	d.in("PA", 7001, 1, octets(1000))
	d.wantSACK("three", 1, 7001, 8001, 4001, 5001, 1001, 3001)
	d.in("PA", 4001, 1, octets(1000))
	d.wantSACK("held already", 1, 4001, 5001, 4001, 5001, 7001, 8001, 1001, 3001)
	d.in("PA", 1, 1, octets(6000), segments(1000))
	d.wantSACK("the first hole, and what is beyond it again", 6001, 1001, 3001, 7001, 8001)
	d.in("PA", 6001, 1, octets(2000), segments(1000))
	d.wantSACK("and the second", 8001, 7001, 8001)
}

// RFC 2883 §4.1.1: "a duplicate segment received with a sequence number below the cumulative ACK".
func TestDSACKOfWhatWasAcknowledged(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.in("PA", 1, 1, octets(2000), segments(1000))
	d.wantSACK("two segments", 2001)
	d.in("PA", 1, 1, octets(1000))
	d.wantSACK("the first again", 2001, 1, 1001)
	d.in("PA", 1001, 1, octets(2000), segments(1000))
	d.wantSACK("half of it again", 3001, 1001, 2001)
	d.in("PA", 3001, 1, octets(2000), segments(1000))
	d.wantSACK("reported once", 5001)
}

// The setting is heeded.
func TestNoDSACKWhereItIsOff(t *testing.T) {
	d := likeLinux(t, 100*ms, func(d *dialogue) { d.set.DSACK = false })
	d.in("PA", 1, 1, octets(2000), segments(1000))
	d.wantSACK("two segments", 2001)
	d.in("PA", 1, 1, octets(1000))
	d.wantSACK("again", 2001)
}

// lossOf has a window of ten, of which the first segment is late: recovery has begun and sent
// it again.
func lossOf(t *testing.T, with ...func(*dialogue)) *dialogue {
	t.Helper()
	d := likeLinux(t, 100*ms, with...)
	d.bulk(10000, 1, 10001)
	d.pass(100 * ms)
	for i := range 3 {
		d.in("A", 1, 1, sack(1001, 2001+1000*i))
	}
	d.run(1, 1001)
	d.figures(caRecovery, 7, 1, 3)
	return d
}

// RFC 3708 §3: when every retransmission was reported a duplicate, the reduction is taken back.
func TestDSACKUndoesARecovery(t *testing.T) {
	d := lossOf(t)
	d.pass(10 * ms)
	d.in("A", 1, 4001)
	d.figures(caRecovery, 7, 0, 3) // which of the two has arrived nobody knows
	d.pass(90 * ms)
	d.in("A", 1, 4001, sack(1, 1001))
	d.figures(caOpen, 10, 0, 3)
	if n := d.ctr.Undone.Load(); n != 1 {
		t.Errorf("%d undone", n)
	}
}

// More duplicates than were ever sent again are not believed.
func TestDSACKsMadeUpUndoNothing(t *testing.T) {
	d := lossOf(t)
	d.in("A", 1, 4001, sack(-5000, 1001))
	d.in("A", 1, 4001, sack(-2000, 1))
	d.figures(caRecovery, d.awake().cwnd()/1000, 0, 3)
}

// RFC 3522 §3.2, Eifel: an ACK that echoes a timestamp from before the retransmission is for
// the first sending.
func TestTimestampsUndoARecovery(t *testing.T) {
	for _, spurious := range []bool{true, false} {
		d := newDialogue(t, withSACK, withTimestamps, func(d *dialogue) {
			recoverAsLinux(&d.set)
			d.cfg.PathMSS = 1012
		})
		d.accept(mss(1012), sackPermitted(), ts(1000, 0))
		d.want("SYN,ACK", "SA", 0, 1)
		d.pass(100 * ms)
		d.in("A", 1, 1, ts(1001, d.got.Options.TSVal))
		d.bulk(10000, 1, 10001)
		first := d.tsNow()
		d.pass(100 * ms)
		for i := range 3 {
			d.in("A", 1, 1, sack(1001, 2001+1000*i), ts(1002, first))
		}
		d.run(1, 1001)
		echo := first
		if !spurious {
			echo = d.tsNow()
		}
		d.pass(100 * ms)
		d.in("A", 1, 10001, ts(1003, echo))
		if undone := d.awake().cwnd() >= 10000; undone != spurious || d.c.loss.state != caOpen {
			t.Errorf("spurious %v: window %d, %v", spurious, d.awake().cwnd(), d.c.loss.state)
		}
	}
}

// tsNow is the timestamp of what is sent now.
func (d *dialogue) tsNow() uint32 { return d.c.ts.val(d.now) }

// RFC 5682 §3.1: after a timeout the first ACK that makes progress has new text sent; what was
// not sent again arrives, so the timeout was spurious, and all is as before.
func TestFRTOFindsASpuriousTimeout(t *testing.T) {
	d := likeLinux(t, 100*ms, func(d *dialogue) { d.set.TLP = false })
	d.write(20000)
	d.run(1, 10001)
	d.toTimer()
	d.run(1, 1001)
	d.figures(caLoss, 1, 10, 3)
	d.pass(100 * ms)
	d.in("A", 1, 1001)
	d.run(10001, 12001)
	d.pass(10 * ms)
	d.in("A", 1, 2001)
	d.figures(caOpen, d.awake().cwnd()/1000, 0, 3)
	if n := d.ctr.SpuriousTimeouts.Load(); n != 1 || d.awake().cwnd() < 10000 {
		t.Errorf("%d spurious, window %d", n, d.awake().cwnd())
	}
}

// RFC 5682 §3.1 step 3a: duplicates after the new text, and the loss was real.
func TestFRTOFindsARealTimeout(t *testing.T) {
	d := likeLinux(t, 100*ms, func(d *dialogue) { d.set.TLP = false })
	d.write(20000)
	d.run(1, 10001)
	d.toTimer()
	d.run(1, 1001)
	d.pass(100 * ms)
	d.in("A", 1, 1001)
	d.run(10001, 12001)
	d.pass(100 * ms)
	d.in("A", 1, 1001, sack(10001, 11001))
	d.run(1001, 2001)
	if d.c.loss.state != caLoss {
		t.Errorf("%v", d.c.loss.state)
	}
}

// RFC 6298 §5.4 to §5.6 and RFC 2018: a timeout deems lost what was not SACKed; the window is
// one segment and grows again as in slow start.
func TestTimeoutKeepsWhatWasSACKed(t *testing.T) {
	d := likeLinux(t, 100*ms, func(d *dialogue) { d.set.TLP, d.set.FRTO, d.set.RACK = false, false, false })
	d.bulk(10000, 1, 10001)
	d.pass(100 * ms)
	d.in("A", 1, 1, sack(4001, 6001))
	d.idle("not enough")
	d.toTimer()
	d.run(1, 1001)
	d.figures(caLoss, 1, 8, 3)
	d.toTimer()
	d.run(1, 1001)
	d.pass(100 * ms)
	d.in("A", 1, 1001)
	d.run(1001, 3001)
	if !d.c.loss.out.everResent() {
		t.Error("nothing is under way")
	}
}

// RFC 8985 §7.3 and §7.4: new text for a probe where there is some, and a loss that the probe has
// repaired is congestion.
func TestTailLossProbe(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.in("A", 1, 1, win(4000))
	d.write(5000)
	d.run(1, 4001)
	d.in("A", 1, 1, win(10000))
	d.run(4001, 5001)
	if took := d.toTimer(); took != 202*ms {
		t.Errorf("after %v", took)
	}
	d.run(4001, 5001)
	d.pass(100 * ms)
	d.in("A", 1, 5001)
	d.figures(caOpen, 10, 0, 3) // at the probe's end: who knows
	d.bulk(1000, 5001, 6001)
	d.pass(100 * ms)
	d.in("A", 1, 6001)
	if n := d.ctr.TailProbeRepairs.Load(); n != 1 || d.awake().cwnd() != 7000 {
		t.Errorf("%d repaired, window %d", n, d.awake().cwnd())
	}
}

// RFC 8985 §7.4: both have arrived, a DSACK says.
func TestTailLossProbeForNothing(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.bulk(2000, 1, 2001)
	d.toTimer()
	d.run(1001, 2001)
	d.in("A", 1, 2001)
	d.in("A", 1, 2001, sack(1001, 2001))
	d.bulk(1000, 2001, 3001)
	d.pass(100 * ms)
	d.in("A", 1, 3001)
	if n := d.ctr.TailProbeRepairs.Load(); n != 0 || d.awake().cwnd() < 10000 {
		t.Errorf("%d repaired, window %d", n, d.awake().cwnd())
	}
}

// likeLinuxECN has agreed on ECN as the settings say.
func likeLinuxECN(t *testing.T, set ECN) *dialogue {
	t.Helper()
	d := newDialogue(t, withSACK, func(d *dialogue) { recoverAsLinux(&d.set); d.set.ECN = set })
	d.accept(mss(1000), sackPermitted(), func(_ *dialogue, s *Segment) { s.Flags |= wire.FlagECE | wire.FlagCWR })
	return d
}

// RFC 3168 §6.1.1: who agrees, and who asks.
func TestECNNegotiation(t *testing.T) {
	likeLinuxECN(t, ECNOn).want("agreed", "SAE", 0, 1)
	likeLinuxECN(t, ECNAccept).want("agreed", "SAE", 0, 1)
	likeLinuxECN(t, ECNOff).want("not agreed", "SA", 0, 1)
	for set, want := range map[ECN]string{ECNOff: "S", ECNOn: "SEW", ECNAccept: "S"} {
		d := newDialogue(t, func(d *dialogue) { d.set.ECN = set })
		d.connect()
		d.want("SYN", want, 0, 0)
		d.toTimer()
		d.want("a SYN again asks no more (§6.1.1.1)", "S", 0, 0)
	}
	for flags, want := range map[string]uint8{"SAE": ECT0, "SA": NotECT, "SAEW": NotECT} {
		d := newDialogue(t, func(d *dialogue) { d.set.ECN = ECNOn })
		d.connect()
		d.want("SYN", "SEW", 0, 0)
		d.in(flags, 0, 1, mss(1000))
		d.want("ACK", "A", 1, 1)
		d.write(1000)
		d.want("text", "PA", 1, 1, octets(1000), ecn(want))
	}
}

// RFC 3168 §6.1.2: ECN-Echo halves the window once in a round trip, CWR goes with the next new
// text, and what is sent again is not marked (§6.1.5).
func TestECNEchoReducesOnce(t *testing.T) {
	d := likeLinuxECN(t, ECNAccept)
	d.want("agreed", "SAE", 0, 1)
	d.pass(100 * ms)
	d.in("A", 1, 1, ecn(ECT1))
	d.write(4000)
	for i := range 4 {
		d.want("marked", map[bool]string{true: "PA", false: "A"}[i == 3], 1+1000*i, 1, octets(1000), ecn(ECT0))
	}
	d.pass(100 * ms)
	d.in("AE", 1, 1001)
	d.figures(caCWR, 5, 0, 3)
	d.in("AE", 1, 2001)
	if d.awake().cc.SSThresh() != 7000 || d.c.loss.state != caCWR {
		t.Errorf("ssthresh %d, %v", d.awake().cc.SSThresh(), d.c.loss.state)
	}
	d.write(2000)
	d.want("CWR on the first", "AW", 4001, 1, octets(1000), ecn(ECT0))
	d.want("and only there", "PA", 5001, 1, octets(1000), ecn(ECT0))
	d.in("A", 1, 6001)
	d.figures(caOpen, 7, 0, 3)
	if d.c.deliveredCE != 2 {
		t.Errorf("%d delivered with CE", d.c.deliveredCE)
	}
}

// A super-segment is cut by the link, so that CWR goes in a segment of its own.
func TestCWRIsOnOneSegmentOnTheWire(t *testing.T) {
	d := newDialogue(t, withSACK, wide, func(d *dialogue) { recoverAsLinux(&d.set) })
	d.accept(mss(1000), sackPermitted(), func(_ *dialogue, s *Segment) { s.Flags |= wire.FlagECE | wire.FlagCWR })
	d.want("agreed", "SAE", 0, 1)
	d.in("A", 1, 1)
	d.write(4000)
	d.want("all", "PA", 1, 1, octets(4000), ecn(ECT0))
	d.in("AE", 1, 4001)
	d.write(4000)
	d.want("one", "AW", 4001, 1, octets(1000), ecn(ECT0))
	d.want("the rest", "PA", 5001, 1, octets(3000), ecn(ECT0))
}

// RFC 3168 §6.1.3: ECN-Echo from CE on until CWR.
func TestCEIsEchoedUntilCWR(t *testing.T) {
	d := likeLinuxECN(t, ECNAccept)
	d.want("agreed", "SAE", 0, 1)
	d.in("A", 1, 1)
	d.in("A", 1, 1, ecn(CE))
	d.in("PA", 1, 1, octets(1000), ecn(CE))
	d.toTimer()
	d.want("delayed as any", "AE", 1, 1001)
	d.in("PA", 1001, 1, octets(1000), ecn(ECT0))
	d.toTimer()
	d.want("still", "AE", 1, 2001)
	d.in("PAW", 2001, 1, octets(1000), ecn(ECT0))
	d.want("heard", "A", 1, 3001)
}

// RFC 5681 §3.1: ssthresh is reckoned from what was outstanding when congestion was noticed, with
// what the ACK that tells of it acknowledges.
func TestECNEchoOfTheLastACKHalvesTheFlight(t *testing.T) {
	d := newDialogue(t, withSACK, func(d *dialogue) { recoverAsFreeBSD(&d.set) })
	d.accept(mss(1000), sackPermitted(), func(_ *dialogue, s *Segment) { s.Flags |= wire.FlagECE | wire.FlagCWR })
	d.want("agreed", "SAE", 0, 1)
	d.in("A", 1, 1)
	d.write(10000)
	d.drain()
	d.in("AE", 1, 10001)
	if got := d.awake().cc.SSThresh(); got != 7000 {
		t.Errorf("ssthresh %d", got)
	}
}

// The delivery rate (draft-cheng-iccrg-delivery-rate-estimation §3.3): ten segments in a round trip.
func TestDeliveryRate(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.bulk(10000, 1, 10001)
	d.pass(100 * ms)
	d.in("A", 1, 10001)
	if rate, limited := d.c.DeliveryRate(); rate != 100000 {
		t.Errorf("%d octets a second, limited %v", rate, limited)
	}
	d.idle("nothing more to send")
	d.bulk(1000, 10001, 11001)
	d.pass(100 * ms)
	d.in("A", 1, 11001)
	d.idle("nothing more to send")
	d.bulk(1000, 11001, 12001)
	d.pass(100 * ms)
	d.in("A", 1, 12001)
	if rate, limited := d.c.DeliveryRate(); rate != 100000 {
		t.Errorf("a user that sends little does not make the path slow: %d, limited %v", rate, limited)
	}
	if d.c.delivered != 13 { // with the SYN
		t.Errorf("%d delivered", d.c.delivered)
	}
}

// RFC 7661 §4.2, as Linux has it: in slow start a window of which half was used may double.
func TestWindowGrowsToTwiceWhatWasUsed(t *testing.T) {
	for _, tc := range []struct{ write, want int }{{10000, 20}, {9000, 18}, {4000, 10}} {
		d := likeLinux(t, 100*ms)
		d.bulk(tc.write, 1, tc.write+1)
		d.pass(105 * ms)
		for at := 2001; ; at += 2000 {
			d.in("A", 1, min(at, tc.write+1))
			if at > tc.write {
				break
			}
			d.pass(5 * ms)
		}
		d.figures(caOpen, tc.want, 0, 3)
	}
}

// RFC 5681 §4.1 and RFC 2861: after a pause the window has halved for each timeout, and the
// setting turns that off.
func TestWindowAfterAPause(t *testing.T) {
	for _, restart := range []bool{true, false} {
		d := likeLinux(t, 100*ms, func(d *dialogue) { d.set.SlowStartAfterIdle = restart })
		d.write(26000)
		d.run(1, 10001)
		d.pass(100 * ms)
		d.in("A", 1, 10001)
		d.run(10001, 26001)
		d.pass(100 * ms)
		d.in("A", 1, 26001)
		d.figures(caOpen, 36, 0, 3)
		d.pass(2 * time.Second)
		want := 10
		if !restart {
			want = 20
		}
		d.bulk(20000, 26001, 26001+want*1000)
	}
}

// The other profile: RFC 6675 with PRR, and no timers of RFC 8985.
func TestRecoveryAsFreeBSD(t *testing.T) {
	d := newDialogue(t, withSACK, func(d *dialogue) { recoverAsFreeBSD(&d.set) })
	d.accept(mss(1000), sackPermitted())
	d.want("SYN,ACK", "SA", 0, 1)
	d.pass(100 * ms)
	d.in("A", 1, 1)
	d.bulk(10000, 1, 10001)
	d.pass(100 * ms)
	d.in("A", 1, 1, sack(9001, 10001))
	d.idle("one is not DupThresh, and no timer waits")
	d.in("A", 1, 1, sack(8001, 10001))
	d.idle("nor are two")
	d.in("A", 1, 1, sack(7001, 10001))
	d.want("three are", "A", 1, 1, octets(1000))
	if d.c.loss.state != caRecovery || d.awake().cc.SSThresh() != 7000 || d.awake().cc.Name() != cc.CUBIC.String() {
		t.Errorf("%v, ssthresh %d, %s", d.c.loss.state, d.awake().cc.SSThresh(), d.awake().cc.Name())
	}
}

// RFC 5681 §4.1: what is written into a closed window is no use of it, and the pause goes on.
func TestPauseGoesOnWhileTheWindowIsClosed(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.write(26000)
	d.run(1, 10001)
	d.pass(100 * ms)
	d.in("A", 1, 10001)
	d.run(10001, 26001)
	d.pass(100 * ms)
	d.in("A", 1, 26001, win(0))
	d.write(20000)
	d.idle("closed")
	for d.now < 3e9 {
		d.toTimer()
		d.drain()
	}
	d.in("A", 1, 26001)
	d.run(26001, 36001)
}

// RFC 3168 §6.1.2 and FreeBSD's first reading of it: CWR with what is sent again, and once.
func TestCWRWithARetransmission(t *testing.T) {
	d := newDialogue(t, withSACK, func(d *dialogue) { recoverAsFreeBSD(&d.set); d.set.CWRAnywhere = true })
	d.accept(mss(1000), sackPermitted(), func(_ *dialogue, s *Segment) { s.Flags |= wire.FlagECE | wire.FlagCWR })
	d.want("agreed", "SAE", 0, 1)
	d.in("A", 1, 1)
	d.write(20000)
	d.drain()
	for i := range 3 {
		d.in("A", 1, 1, sack(7001-1000*i, 10001))
	}
	d.want("lost", "AW", 1, 1, octets(1000))
	for i := range 3 {
		d.in("A", 1, 1, sack(4001-1000*i, 10001))
	}
	if d.drain(); d.got.has(wire.FlagCWR) || len(d.got.Payload) == 0 {
		t.Errorf("%v with %d octets", d.got.Flags, len(d.got.Payload))
	}
}

// Nothing of all this is kept by a connection that has nothing outstanding and has met with
// nothing out of the ordinary.
func TestIdleConnectionHoldsNoFlight(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.bulk(10000, 1, 10001)
	d.pass(100 * ms)
	d.in("A", 1, 10001)
	if d.c.loss.out != nil || d.awake().loss.rec != nil {
		t.Errorf("%+v", d.c.loss)
	}
}
