package tcp

import (
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
)

// RFC 5961 §3.2: a reset in the window but not at RCV.NXT is challenged, outside ignored.
func TestResetOnlyAtTheExpectedNumber(t *testing.T) {
	d := established(t)
	d.in("R", 2, 0)
	d.state(StateEstablished)
	d.want("challenge ACK", "A", 1, 1)
	d.now = d.now.Add(time.Second)
	for _, at := range []int{0, -100, 10001, 20000} {
		d.in("R", at, 0)
		d.state(StateEstablished)
		d.idle("outside the window")
	}
	d.in("R", 1, 0)
	d.state(StateClosed)
	d.err(syscall.ECONNRESET)
}

// RFC 5961 §4.2: a SYN is challenged, "irrespective of the sequence number".
func TestSynInASynchronizedStateIsChallenged(t *testing.T) {
	for _, tc := range statesOf()[2:] {
		for _, at := range []int{0, tc.nxt, tc.nxt + 5, -1000, 50000} {
			d := tc.reach(t)
			d.in("S", at, 0, mss(1000))
			if tc.state == StateTimeWait && at > tc.nxt {
				d.idle("a new connection is for the driver to make")
				continue
			}
			d.state(tc.state)
			d.want("challenge ACK", "A", tc.una+boolInt(d.c.finQueued && !d.c.finAcked), tc.nxt)
			d.idle("once")
		}
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// RFC 5961 §5.2: the range of acceptable ACKs.
func TestAckOutsideOfWhatWasSentIsChallenged(t *testing.T) {
	for _, tc := range []struct {
		ack  int
		good bool
	}{{1, true}, {-65534, true}, {-65535, false}, {2, false}, {1 << 30, false}} {
		d := established(t)
		d.in("A", 1, tc.ack, text("data"))
		if tc.good != (d.c.Readable() == 4) {
			t.Errorf("ACK %d: accepted %v", tc.ack, !tc.good)
		}
		if !tc.good {
			d.want("challenge ACK", "A", 1, 1)
		}
	}
}

// RFC 5961 §7: challenge ACKs are limited, for a connection and for the whole stack.
func TestChallengeAcksAreLimited(t *testing.T) {
	d := established(t)
	sent := 0
	for range 1000 {
		d.in("R", 2, 0)
		n, _ := d.drain()
		sent += n
		d.now = d.now.Add(time.Millisecond)
	}
	if sent != 2 {
		t.Errorf("%d challenge ACKs in a second", sent)
	}
	var l limiter
	n := 0
	for range 10000 {
		if l.allow(clock.Time(3*time.Second), 1000) {
			n++
		}
	}
	if n < 500 || n > 1000 {
		t.Errorf("the stack allowed %d in a second", n)
	}
	if !l.allow(clock.Time(5*time.Second), 1000) {
		t.Error("none in another second")
	}
	if l.allow(0, 0) || !l.allow(0, -1) {
		t.Error("0 sends none, -1 has no bound")
	}
}

// Two ends that disagree do not answer each other for ever.
func TestAcksOutsideTheWindowDoNotLoop(t *testing.T) {
	d := established(t)
	sent := 0
	for range 100 {
		d.in("A", -500, 1)
		n, _ := d.drain()
		sent += n
	}
	if sent != 1 {
		t.Errorf("%d ACKs", sent)
	}
}

// RFC 9293 §3.10.7.4 first: old text is always answered, it may be that our ACK was lost.
func TestOldTextIsAlwaysAcknowledged(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, octets(10), segments(5))
	d.want("ACK", "A", 1, 11)
	for range 5 {
		d.in("A", 1, 1, octets(10))
		d.want("the ACK was lost", "A", 1, 11)
	}
}

// RFC 9293 §3.10.7.4 fifth: "if the ACK bit is off, drop the segment".
func TestSegmentWithoutAckIsDropped(t *testing.T) {
	for _, tc := range statesOf()[1:] {
		d := tc.reach(t)
		d.in("P", tc.nxt, 0, text("x"))
		d.state(tc.state)
		if d.c.Readable() > 0 {
			t.Errorf("%v took the text", tc.state)
		}
	}
}

// RFC 6691 §2 and common sense: an announcement of nothing is not believed.
func TestTinyMSSIsNotBelieved(t *testing.T) {
	for _, n := range []int{1, 2, 8, 47} {
		d := newDialogue(t)
		d.accept(mss(n))
		d.want("SYN,ACK", "SA", 0, 1)
		d.in("A", 1, 1)
		d.write(1000)
		if s := d.want("an initial window of 10 segments", "A", 1, 1, octets(480)); s.SegmentSize != 48 {
			t.Errorf("segments of %d octets, want 48", s.SegmentSize)
		}
	}
}

// RFC 9293 §3.7.1 (MUST-15): without an announcement 536 octets are assumed.
func TestMissingMSSIsTheDefault(t *testing.T) {
	d := newDialogue(t)
	d.accept()
	d.want("SYN,ACK", "SA", 0, 1)
	d.in("A", 1, 1)
	d.write(1000)
	d.want("a segment", "A", 1, 1, octets(536))
}

// RFC 7323 §5.3: a segment whose timestamp is older than TS.Recent is answered and dropped.
func TestPAWSDropsOldTimestamps(t *testing.T) {
	d := stamped(t)
	d.in("A", 1, 1, text("old"), ts(999, 0))
	if d.c.Readable() != 0 {
		t.Error("accepted")
	}
	d.want("PAWS", "A", 1, 1)
	d.in("R", 1, 0, ts(999, 0))
	d.state(StateClosed) // R1: "and if the RST bit is not set"
}

// RFC 7323 §5.5: after 24 days TS.Recent no longer counts.
func TestPAWSForgetsAfterAnIdleTimeOf24Days(t *testing.T) {
	d := stamped(t)
	d.now = d.now.Add(24*24*time.Hour + time.Second)
	d.in("A", 1, 1, text("new"), ts(900, 0))
	if d.c.Readable() != 3 {
		t.Error("dropped")
	}
	d.drain()
	d.in("A", 4, 1, text("next"), ts(901, 0))
	if d.c.Readable() != 7 {
		t.Error("TS.Recent was not set anew")
	}
}

// RFC 7323 §3.2: "SHOULD silently drop" a segment without the option.
func TestMissingTimestampIsDropped(t *testing.T) {
	d := stamped(t)
	d.in("A", 1, 1, text("bare"))
	if d.c.Readable() != 0 {
		t.Error("accepted")
	}
	d.idle("silently")
	d.in("R", 1, 0)
	d.state(StateClosed)
}

// RFC 7323 §4.3, §5.3 R3: TS.Recent is that of the segment that the next ACK is for.
func TestEchoedTimestampIsTheEarliestUnacknowledged(t *testing.T) {
	d := stamped(t)
	d.in("A", 1, 1, octets(10), ts(1001, 0))
	d.in("A", 11, 1, octets(10), ts(1002, 0))
	if s := d.want("two segments", "A", 1, 21); s.Options.TSEcr != 1001 {
		t.Errorf("echoes %d, want 1001", s.Options.TSEcr)
	}
	d.in("A", 31, 1, octets(10), ts(1004, 0)) // after a gap
	if s := d.want("out of order", "A", 1, 21); s.Options.TSEcr != 1001 {
		t.Errorf("echoes %d, want 1001: a segment out of order does not count", s.Options.TSEcr)
	}
	d.in("A", 21, 1, octets(10), ts(1005, 0))
	if s := d.want("filled", "A", 1, 41); s.Options.TSEcr != 1005 {
		t.Errorf("echoes %d, want 1005", s.Options.TSEcr)
	}
}

// stamped is established with timestamps; the peer's are at 1000.
func stamped(t *testing.T) *dialogue {
	d := newDialogue(t, withTimestamps)
	d.accept(mss(1000), ts(1000, 0))
	s := d.want("SYN,ACK", "SA", 0, 1)
	if !s.Options.HasTimestamps || s.Options.TSVal != 1000+77 || s.Options.TSEcr != 1000 {
		t.Errorf("options %+v", s.Options)
	}
	d.in("A", 1, 1, ts(1000, s.Options.TSVal))
	d.state(StateEstablished)
	return d
}

// RFC 9293 §3.5.3, SHLD-2: a reset may include data, which is no part of its place in the
// window: the number that is expected next resets although the window is closed, and one outside
// of the window is dropped although its text reaches into it.
func TestTextOfAResetDoesNotCount(t *testing.T) {
	d := established(t)
	d.in("A", 1, 1, octets(10000))
	d.drain()
	d.in("R", 9999, 0, octets(10))
	d.idle("a reset outside of the window is not answered")
	d.in("R", 10001, 0, text("go away"))
	d.state(StateClosed)
	d.err(syscall.ECONNRESET)
}

// A stack that counts in several places has one limit on challenge ACKs (RFC 5961 §7).
func TestLimitIsOneForAllCounters(t *testing.T) {
	var all [3]Counters
	allowed := 0
	for n := range all {
		if n > 0 {
			all[n].LimitWith(&all[0])
		}
	}
	for n := range 300 {
		if all[n%3].challengeLimit().allow(5<<30, 10) {
			allowed++
		}
	}
	if allowed < 5 || allowed > 10 {
		t.Errorf("%d of 300 were allowed in a second, 10 may be", allowed)
	}
}
