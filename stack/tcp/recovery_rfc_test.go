package tcp

import (
	"testing"
)

// withBlocks is a connection with SACK, and nothing newer but what is asked for.
func withBlocks(t *testing.T, with ...func(*dialogue)) *dialogue {
	t.Helper()
	d := newDialogue(t, append([]func(*dialogue){withSACK}, with...)...)
	d.accept(mss(1000), sackPermitted())
	d.want("SYN,ACK", "SA", 0, 1)
	d.pass(100 * ms)
	d.in("A", 1, 1)
	return d
}

// RFC 8985 §6.2 step 2: an ACK whose "Timestamp Echo Reply field ... indicates the ACK was not
// acknowledging the last retransmission of the segment" says nothing of when that was sent. After a delay,
// and a timeout because of it, the ACKs of the first sendings have nothing sent again.
func TestRACKIsNotMisledByTheAckOfTheFirstSending(t *testing.T) {
	d := newDialogue(t, withSACK, withTimestamps, func(d *dialogue) {
		d.cfg.PathMSS = 1012
		d.set.RACK, d.set.FRTO, d.set.PRR = true, true, true
	})
	d.accept(mss(1012), sackPermitted(), ts(1000, 0))
	d.want("SYN,ACK", "SA", 0, 1)
	d.pass(100 * ms)
	d.in("A", 1, 1, ts(1001, d.got.Options.TSVal))
	d.bulk(10000, 1, 10001)
	first := d.tsNow()
	d.toTimer()
	d.run(1, 1001)
	d.pass(150 * ms) // the ACK of the first sending is more than a round trip late
	d.in("A", 1, 1001, ts(1002, first))
	d.idle("the timeout was for nothing")
	if f := d.c.loss.out; f.lost.segments != 0 || d.c.loss.state == caRecovery || d.ctr.Undone.Load() != 1 {
		t.Errorf("%d lost, %v, %d undone", f.lost.segments, d.c.loss.state, d.ctr.Undone.Load())
	}
}

// RFC 8985 §6.2 steps 1 and 2 go through what an ACK is for "in order of xmit_ts": RACK.rtt is the
// round trip of what was sent last, wherever it lies.
func TestRACKTakesTheRoundTripOfWhatWasSentLast(t *testing.T) {
	d := likeLinux(t, 100*ms)
	d.bulk(10000, 1, 10001)
	d.pass(100 * ms)
	for i := range 3 {
		d.in("A", 1, 1, sack(1001, 2001+1000*i))
	}
	d.run(1, 1001)
	d.pass(110 * ms)
	d.in("A", 1, 5001) // the retransmission, and one that was sent long before
	if got := d.c.loss.out.rack.rtt; got != 110*ms {
		t.Errorf("RACK.rtt is %v, want that of the retransmission, %v", got, 110*ms)
	}
}

// RFC 9937 §6: RecoverFS is what was outstanding, and not the window, where the sender had less to
// send than that allowed; else the reduction would be steeper than the one that was decided on.
func TestPRRReducesFromWhatWasOutstanding(t *testing.T) {
	d := withBlocks(t, func(d *dialogue) { d.set.PRR, d.set.InitialWindow = true, 40 })
	d.bulk(20000, 1, 20001) // half of the window
	for i := range 10 {
		d.in("A", 1, 1, sack(1001, 2001+1000*i))
		d.drain()
		if i == 2 {
			d.write(20000)
		}
	}
	r := d.c.loss.rec
	if d.c.loss.state != caRecovery || r.prior != 18000 { // two were reported when recovery began
		t.Fatalf("%v, RecoverFS %d", d.c.loss.state, r.prior)
	}
	if got, want := r.sent, (r.delivered*d.c.cc.SSThresh()+r.prior-1)/r.prior; got > want+1000 || got < want-1000 {
		t.Errorf("%d sent for %d delivered, want %d", got, r.delivered, want)
	}
}

// What was reported by SACK and then taken back has no time of sending, and is no measurement.
func TestWhatWasTakenBackIsNotTimed(t *testing.T) {
	d := withBlocks(t)
	sent := d.now
	d.bulk(4000, 1, 4001)
	d.in("A", 1, 1, sack(2001, 3001))
	d.drain()
	for range 2 { // the second timeout takes the report back
		d.toTimer()
		d.drain()
	}
	d.in("A", 1, 1001)
	f := d.c.loss.out
	var n news
	n.now = d.now
	d.c.snd.una = d.c.snd.una.Add(2000)
	d.c.clean(&n)
	if most := d.now.Sub(sent); n.rtt != most || n.latest > most || n.took > most || f.rack.rtt > most {
		t.Errorf("rtt %v, latest %v, took %v, RACK's %v", n.rtt, n.latest, n.took, f.rack.rtt)
	}
}
