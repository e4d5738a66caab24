package tcp

import (
	"testing"
	"time"
)

// likeLinux is a connection as Linux opens it, with SACK and without timestamps, whose
// handshake took rtt.
func likeLinux(t *testing.T, rtt time.Duration, with ...func(*dialogue)) *dialogue {
	t.Helper()
	d := newDialogue(t, append([]func(*dialogue){withSACK, func(d *dialogue) {
		recoverAsLinux(&d.set)
		d.cfg.SendBuffer = 1 << 20
	}}, with...)...)
	d.accept(mss(1000), sackPermitted())
	d.want("SYN,ACK", "SA", 0, 1)
	d.pass(rtt)
	d.in("A", 1, 1)
	return d
}

// pass moves time on; no timer may pass meanwhile that has something sent.
func (d *dialogue) pass(by time.Duration) {
	d.t.Helper()
	for end := d.now.Add(by); ; {
		d.idle("nothing to send while time passes")
		if d.advance(end.Sub(d.now)); d.now == end {
			return
		}
	}
}

// bulk writes n octets and wants them sent in segments of 1000 from at on, as far as the window
// goes to end.
func (d *dialogue) bulk(n, at, end int) {
	d.t.Helper()
	d.write(n)
	d.run(at, end)
}

// run wants segments of 1000 octets from at to end, and nothing after them.
func (d *dialogue) run(at, end int) {
	d.t.Helper()
	for ; at < end; at += 1000 {
		var s Segment
		if !d.c.Output(d.now, &s, d.buf) {
			d.t.Fatalf("%d was not sent", at)
		}
		d.check("Output")
		if got := s.Seq.Sub(d.iss); got != at || len(s.Payload) != min(1000, end-at) {
			d.t.Fatalf("want %d, got %d with %d octets", at, got, len(s.Payload))
		}
	}
	d.idle("no more")
}

// figures compares what Linux's tcp_info would say.
func (d *dialogue) figures(ca caState, cwnd, lost, reordering int) {
	d.t.Helper()
	f := d.c.loss.out
	if f == nil {
		f = &flight{}
	}
	if d.c.loss.state != ca || d.awake().cwnd() != cwnd*1000 || f.lost.segments != lost || d.awake().reordering() != reordering {
		d.t.Fatalf("%v, cwnd %d, %d lost, reordering %d; want %v, %d, %d, %d", d.c.loss.state, d.awake().cwnd()/1000,
			f.lost.segments, d.awake().reordering(), ca, cwnd, lost, reordering)
	}
}

const ms = time.Millisecond

// RFC 9937 §6: one segment for each delivered, while as much is under way as ssthresh.
func TestPRRKeepsPaceWithDelivery(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.bulk(10000, 1, 10001)
	d.pass(110 * ms)
	d.in("A", 1, 1, sack(1001, 2001))
	d.idle("disorder")
	d.pass(10 * ms)
	d.in("A", 1, 1, sack(1001, 3001))
	d.idle("disorder")
	d.pass(10 * ms)
	d.in("A", 1, 1, sack(1001, 4001))
	d.run(1, 1001)
	d.figures(caRecovery, 7, 1, 3)
	d.write(7000)
	d.idle("the window is full")
	for i := range 6 {
		d.pass(10 * ms)
		d.in("A", 1, 1, sack(1001, 5001+1000*i))
		d.run(10001+1000*i, 11001+1000*i)
	}
	d.pass(20 * ms)
	d.in("A", 1, 10001)
	d.run(16001, 17001)
	d.figures(caOpen, 7, 0, 3)
}

// RFC 9937 §6: below ssthresh, as much as was delivered and one more where an ACK makes progress
// without telling of a further loss; RFC 8985 finds in one retransmission's ACK that others are lost.
func TestPRRBelowSSThresh(t *testing.T) {
	d := likeLinux(t, 10*ms)
	d.write(20000)
	d.run(1, 10001)
	d.pass(10 * ms)
	d.in("A", 1, 1, sack(4001, 5001))
	d.run(10001, 11001)
	for i, at := range []int{11001, 1, 1001, 2001, 3001, 12001, 13001} {
		d.pass(2 * ms)
		d.in("A", 1, 1, sack(4001, 6001+1000*i))
		d.run(at, at+1000)
	}
	d.pass(10 * ms)
	d.in("A", 1, 1001, sack(4001, 12001))
	d.run(14001, 16001)
	d.pass(2 * ms)
	d.in("A", 1, 1001, sack(2001, 12001))
	d.want("lost again", "A", 1001, 1, octets(1000))
	d.run(16001, 17001)
	d.pass(2 * ms)
	d.in("A", 1, 1001, sack(2001, 13001))
	d.run(17001, 18001)
	d.pass(2 * ms)
	d.in("A", 1, 1001, sack(2001, 14001))
	d.run(18001, 19001)
}

// When recovery is over the window is ssthresh, whatever is under way.
func TestWindowAfterRecoveryIsSSThresh(t *testing.T) {
	d := likeLinux(t, 10*ms)
	d.bulk(10000, 1, 10001)
	d.pass(10 * ms)
	d.in("A", 1, 1, sack(4001, 5001))
	d.idle("disorder")
	d.pass(2 * ms)
	d.in("A", 1, 1, sack(4001, 6001))
	for i := range 4 {
		d.in("A", 1, 1, sack(4001, 7001+1000*i))
		d.run(1+1000*i, 1001+1000*i)
	}
	d.pass(10 * ms)
	for i := range 3 {
		d.in("A", 1, 1001+1000*i, sack(4001, 10001))
		d.idle("nothing to send")
	}
	d.in("A", 1, 10001)
	d.pass(10 * ms)
	d.bulk(10000, 10001, 17001)
}

// RFC 6675 §5: SACK blocks of an ACK for less than the last are news all the same.
func TestSACKOfAnOldACKCounts(t *testing.T) {
	d := likeLinux(t, 10*ms)
	d.bulk(10000, 1, 10001)
	d.pass(10 * ms)
	d.in("A", 1, 1, sack(1001, 2001))
	d.in("A", 1, 1, sack(1001, 3001))
	d.in("A", 1, 1, sack(1001, 3001, 8001, 9001))
	d.run(1, 1001)
	d.pass(12 * ms)
	d.in("A", 1, 4001, sack(8001, 9001)) // and 9001 was sent 22 ms ago, more than a round trip of 12 and a quarter
	d.run(4001, 6001)
	d.write(10000)
	d.idle("the window is full")
	d.pass(2 * ms)
	d.in("A", 1, 3001, sack(5001, 7001))
	d.want("the hole", "A", 7001, 1, octets(1000))
	d.idle("only one of the two that have arrived was under way")
}

// RFC 8985 §6.2: one SACK far ahead is not proof yet; the reordering timer is.
func TestReorderingTimer(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.bulk(4000, 1, 4001)
	d.pass(100 * ms)
	d.in("A", 1, 1, sack(3001, 4001))
	d.idle("a quarter of the round trip is waited for")
	if took := d.toTimer(); took != 27*ms {
		t.Errorf("after %v", took)
	}
	d.want("lost", "A", 1, 1, octets(1000))
	d.figures(caRecovery, 1, 3, 3)
}

// Part of a segment reported says nothing about the segment: the tail loss probe and then the
// timeout repair it (RFC 8985 §7.2, RFC 6298 §5).
func TestSACKOfALastOctet(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.bulk(4000, 1, 4001)
	d.pass(100 * ms)
	d.in("A", 1, 1, sack(4000, 4001))
	d.idle("not a segment")
	if took := d.toTimer(); took != 102*ms {
		t.Errorf("the probe after %v", took)
	}
	d.want("probe", "PA", 3001, 1, octets(1000))
	if took := d.toTimer(); took != 300*ms {
		t.Errorf("the timeout after %v", took)
	}
	d.run(1, 1001)
	d.pass(500 * ms)
	d.in("A", 1, 1001, sack(4000, 4001))
	d.run(1001, 3001)
	d.pass(100 * ms)
	d.in("A", 1, 3001, sack(4000, 4001))
	d.run(3001, 4001)
	d.pass(100 * ms)
	d.in("A", 1, 4001)
	d.idle("done")
}

// The sequence of losses that RACK finds as SACKs come in from everywhere.
func TestRACKWithScatteredSACKs(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.bulk(10000, 1, 10001)
	d.pass(100 * ms)
	d.in("A", 1, 1, sack(7001, 8001))
	d.idle("waits")
	d.toTimer()
	d.run(1, 1001)
	d.figures(caRecovery, 3, 7, 3)
	d.pass(2 * ms)
	d.in("A", 1, 1, sack(3001, 4001, 7001, 8001))
	d.run(1001, 2001)
	d.figures(caRecovery, 4, 6, 5)
	d.pass(2 * ms)
	d.in("A", 1, 1, sack(3001, 5001, 7001, 8001))
	d.run(2001, 3001)
	d.figures(caRecovery, 5, 5, 5)
	d.pass(2 * ms)
	d.in("A", 1, 1, sack(3001, 5001, 7001, 9001))
	d.run(5001, 6001)
	d.pass(2 * ms)
	d.in("A", 1, 1, sack(3001, 5001, 7001, 10001))
	d.run(6001, 7001)
	d.pass(100 * ms)
	d.in("A", 1, 10001)
	d.idle("done")
	if d.c.loss.state != caOpen || d.c.loss.out != nil {
		t.Errorf("%v", d.c.loss.state)
	}
}

// RFC 3042, limited transmit: new text for each of the first two duplicates. With progress it
// turns out to have been reordering.
func TestLimitedTransmit(t *testing.T) {
	for _, sacks := range []bool{true, false} {
		d := likeLinux(t, 100*ms, func(d *dialogue) { d.set.SACK = sacks })
		d.write(15000)
		d.run(1, 10001)
		report := func(to int) []part {
			if sacks {
				return []part{sack(1001, to)}
			}
			return nil
		}
		d.pass(110 * ms)
		d.in("A", 1, 1, report(2001)...)
		d.run(10001, 11001)
		d.pass(10 * ms)
		d.in("A", 1, 1, report(3001)...)
		d.run(11001, 12001)
		d.pass(10 * ms)
		d.in("A", 1, 3001)
		d.run(12001, 14001)
		d.pass(20 * ms)
		d.in("A", 1, 5001)
		d.run(14001, 15001)
		d.figures(caOpen, 13, 0, d.awake().reordering())
	}
}

// Without SACK the third duplicate has the first segment sent again (RFC 5681 §3.2).
func TestFastRetransmitWithoutSACKAsLinux(t *testing.T) {
	d := likeLinux(t, 100*ms, func(d *dialogue) { d.set.SACK = false })
	d.bulk(4000, 1, 4001)
	d.pass(100 * ms)
	d.in("A", 1, 1)
	d.in("A", 1, 1)
	d.idle("two")
	d.in("A", 1, 1)
	d.run(1, 1001)
	d.pass(100 * ms)
	d.in("A", 1, 4001)
	d.idle("all there")
}

// A probe and then a timeout for a lone segment; the window begins anew, and ssthresh is β of it.
func TestProbeThenTimeoutThenSlowStart(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.bulk(1000, 1, 1001)
	d.pass(100 * ms)
	d.in("A", 1, 1001)
	d.bulk(1000, 1001, 2001)
	if took := d.toTimer(); took != 300*ms {
		t.Errorf("the probe after %v", took)
	}
	d.run(1001, 2001)
	if took := d.toTimer(); took != 300*ms {
		t.Errorf("the timeout after %v", took)
	}
	d.run(1001, 2001)
	d.pass(100 * ms)
	d.in("A", 1, 2001)
	d.idle("nothing")
	d.figures(caOpen, 2, 0, 3)
	if d.awake().cc.SSThresh() != 7000 {
		t.Errorf("ssthresh %d", d.awake().cc.SSThresh())
	}
	d.write(200000)
	d.run(2001, 4001)
	d.pass(100 * ms)
	for i := range 5 {
		d.in("A", 1, 3001+1000*i)
		d.run(4001+2000*i, 6001+2000*i)
		d.figures(caOpen, 3+i, 0, 3)
	}
	d.in("A", 1, 8001)
	d.run(14001, 15001)
}

// RFC 8985 §6.2 step 4 and the figures about reordering: two arrivals out of order are seen, and
// the reordering timer, not DupThresh, decides afterwards.
func TestReorderingIsRemembered(t *testing.T) {
	d := likeLinux(t, 20*ms)
	d.bulk(10000, 1, 10001)
	d.pass(20 * ms)
	d.in("A", 1, 1, sack(9001, 10001))
	d.in("A", 1, 1, sack(3001, 4001, 9001, 10001))
	if n := d.c.loss.out.sacked.segments; n != 2 {
		t.Errorf("%d SACKed", n)
	}
	d.in("A", 1, 10001)
	if r := d.awake().loss.rec; r.reordering != 10 || r.reorderings != 2 {
		t.Errorf("reordering %d, seen %d times", r.reordering, r.reorderings)
	}
	d.pass(20 * ms)
	d.figures(caOpen, 19, 0, 10)
	d.pass(5 * ms)
	d.bulk(2000, 10001, 12001)
	d.pass(20 * ms)
	d.in("A", 1, 10001, sack(11001, 12001))
	d.idle("waits")
	d.figures(caDisorder, 19, 0, 10)
	d.toTimer()
	if d.c.loss.state != caRecovery || d.awake().cwnd() != 1000 || d.c.loss.out.lost.segments != 1 || d.c.loss.out.resent.segments != 0 {
		t.Errorf("%v, cwnd %d", d.c.loss.state, d.awake().cwnd())
	}
	d.in("A", 1, 10001, sack(11001, 12001), text("x"))
	if d.awake().cwnd() != 1000 {
		t.Errorf("cwnd %d", d.awake().cwnd())
	}
	d.drain()
}

// RFC 3708 §3: the report that the retransmission was for nothing may come with the ACK of everything,
// or on one that is older than the last, when nothing is outstanding any more.
func TestLateDSACKUndoes(t *testing.T) {
	for _, late := range []bool{false, true} {
		d := likeLinux(t, 100*ms)
		d.bulk(10000, 1, 10001)
		d.pass(100 * ms)
		for _, end := range []int{2001, 3001, 4001} {
			d.in("A", 1, 1, sack(1001, end))
		}
		d.run(1, 1001)
		d.figures(caRecovery, 7, 1, 3) // as much is under way as ssthresh
		if late {
			d.in("A", 1, 10001)
			d.bulk(1000, 10001, 11001)
			d.pass(100 * ms)
			d.in("A", 1, 11001)
			d.in("A", 1, 10001, sack(1, 1001))
			d.figures(caOpen, 10, 0, 3)
			continue
		}
		d.pass(100 * ms)
		d.in("A", 1, 10001, sack(1, 1001))
		d.figures(caOpen, 18, 0, 3) // slow start goes on, by what was delivered: seven, and the copy
	}
}

// Without SACK the state lasts until something beyond RecoveryPoint is acknowledged. What has
// been forgotten of the retransmission meanwhile does not make it spurious, and a timeout then reduces the
// window that the recovery has left.
func TestRecoveryHeldWithoutSACK(t *testing.T) {
	d := likeLinux(t, 100*ms, func(d *dialogue) { d.set.SACK = false })
	d.bulk(30000, 1, 10001)
	d.pass(100 * ms)
	for range 3 {
		d.in("A", 1, 1)
	}
	d.drain()
	end := d.c.snd.nxt.Sub(d.iss)
	d.pass(100 * ms)
	high := d.awake().loss.rec.high.Sub(d.iss)
	d.in("A", 1, high)
	d.drain()
	d.in("A", 1, high)
	if d.drain(); d.c.loss.state != caRecovery || d.awake().cc.SSThresh() != 7000 || d.ctr.Undone.Load() != 0 {
		t.Fatalf("%v, ssthresh %d, %d undone", d.c.loss.state, d.awake().cc.SSThresh(), d.ctr.Undone.Load())
	}
	cwnd := d.awake().cwnd() / 1000
	for d.c.loss.state != caLoss {
		d.toTimer()
		d.drain()
	}
	if got, want := d.awake().cc.SSThresh()/1000, cwnd*7/10; got != want || end < high {
		t.Errorf("ssthresh %d, want %d of %d", got, want, cwnd)
	}
}

// A FIN takes no room in the window: it goes with the text that it was sent with.
func TestFINIsSentAgainWithItsText(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.c.Write(d.now, make([]byte, 1000))
	d.closeWrite()
	d.want("with FIN", "APF", 1, 1, octets(1000))
	for range 3 {
		d.toTimer()
		d.want("again", "APF", 1, 1, octets(1000))
	}
}
