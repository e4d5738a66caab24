package tcp

import (
	"testing"
	"time"
)

// bulk sends n octets one way and returns the channel when they have arrived.
func bulk(t *testing.T, seed uint64, n int, set func(*channel)) *channel {
	t.Helper()
	ch := newChannel(seed)
	ch.delay, ch.cut = 10*time.Millisecond, true
	for _, e := range ch.ends {
		e.cfg.MaxSegment = 44 * 1448
		e.cfg.RecvBuffer, e.cfg.SendBuffer = 4<<20, 4<<20
	}
	set(ch)
	ch.ends[0].toSend = fillRandom(ch.rng, n)
	if err := ch.open(false); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if err := ch.finish(time.Hour); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return ch
}

// TestBulkRecoversWithoutTimeouts: with SACK the losses of a bulk transfer over an impaired
// path are repaired by fast recovery, hardly ever by the timer (RFC 6675 §1).
func TestBulkRecoversWithoutTimeouts(t *testing.T) {
	for _, tc := range []struct {
		name     string
		sack     bool
		timeouts uint64
	}{{"sack", true, 30}, {"newreno", false, 60}} {
		t.Run(tc.name, func(t *testing.T) {
			ch := bulk(t, 1, 8<<20, func(ch *channel) {
				ch.loss, ch.reorder, ch.duplicate = 0.02, 0.02, 0.01
				for _, e := range ch.ends {
					e.set.SACK = tc.sack
				}
			})
			rto, fast := ch.ctr.RetransmitTimeouts.Load(), ch.ctr.FastRetransmits.Load()
			t.Logf("%v of virtual time, %d timeouts, %d fast retransmits, %d octets again, %d lost again",
				time.Duration(ch.now), rto, fast, ch.ctr.RetransmittedOctets.Load(), ch.ctr.LostRetransmits.Load())
			if rto > tc.timeouts {
				t.Errorf("%d timeouts, at most %d expected", rto, tc.timeouts)
			}
		})
	}
}

// TestBulkFillsThePath: without loss the window opens until it is the peer's that limits:
// 32 MB through 4 MB windows and a round trip of 20 ms take little more than eight round
// trips after slow start, and nothing is sent twice.
func TestBulkFillsThePath(t *testing.T) {
	ch := bulk(t, 2, 32<<20, func(*channel) {})
	took := time.Duration(ch.now) - 2*ch.ends[0].set.MSL
	if took > 600*time.Millisecond || ch.ctr.RetransmittedSegments.Load() > 0 {
		t.Errorf("%v, %d retransmissions", took, ch.ctr.RetransmittedSegments.Load())
	}
	if n := ch.ctr.SegmentsOut.Load(); n > 6000 {
		t.Errorf("%d segments for 23,000 of the wire's: they are too small", n)
	}
	t.Logf("%v, %d segments", took, ch.ctr.SegmentsOut.Load())
}
