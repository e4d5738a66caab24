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
