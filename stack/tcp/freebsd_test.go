package tcp

import (
	"syscall"
	"testing"
	"time"
)

// asFreeBSD has the FreeBSD profile, with a link of 1500 octets.
func asFreeBSD(d *dialogue) {
	d.set = FreeBSDSettings()
	d.cfg.MSS, d.cfg.PathMSS, d.cfg.MaxSegment, d.cfg.RecvBuffer, d.cfg.SendBuffer = 1460, 1460, 1460, 65536, 32768
}

// freeBSDClient is an established connection of that profile, whose peer agrees to no option but
// SACK.
func freeBSDClient(t *testing.T, with ...func(*dialogue)) *dialogue {
	t.Helper()
	d := newDialogue(t, append([]func(*dialogue){asFreeBSD}, with...)...)
	d.connect()
	d.want("SYN", "S", 0, 0, win(65535))
	d.in("SA", 0, 1, mss(1460), sackPermitted(), win(32767))
	d.want("ACK", "A", 1, 1, win(65535))
	return d
}

func TestFreeBSDSynCarriesItsOptions(t *testing.T) {
	d := newDialogue(t, asFreeBSD)
	d.connect()
	s := d.want("SYN", "S", 0, 0, win(65535))
	if o := s.Options; !o.BSD || o.MSS != 1460 || o.WindowScale != 6 || !o.SACKPermitted || !o.HasTimestamps {
		t.Errorf("%+v", o)
	}
	d.in("SA", 0, 1, mss(1460), wscale(6), sackPermitted(), ts(100, s.Options.TSVal))
	d.want("the window rounded up", "A", 1, 1, win(1027))
	if recv, send := d.c.Buffers(); recv != 65700 || send != 33580 {
		t.Errorf("buffers of %d and %d", recv, send)
	}
}

func TestFreeBSDSynTimeouts(t *testing.T) {
	d := newDialogue(t, asFreeBSD)
	d.c.SetSynTimeout(5 * time.Second)
	d.set.SynPlainAfter = 2
	d.connect()
	d.want("SYN", "S", 0, 0)
	for i, after := range []time.Duration{1000, 2200, 1800} {
		if took := d.toTimer(); took != after*time.Millisecond {
			t.Errorf("timer %d after %v", i, took)
		}
		if i == 2 {
			break
		}
		if s := d.want("again", "S", 0, 0); s.Options.HasTimestamps != (i == 0) || s.Options.MSS != 1460 {
			t.Errorf("retransmission %d: %+v", i, s.Options)
		}
	}
	d.state(StateClosed)
	d.err(syscall.ETIMEDOUT)
}

// What is accepted is what the buffer holds, though the field cannot say so.
func TestFreeBSDAcceptsWhatTheBufferHolds(t *testing.T) {
	for _, tc := range []struct {
		seq   int
		reply bool
	}{{65700, true}, {65701, false}, {0, false}} {
		d := freeBSDClient(t)
		d.in("R", tc.seq, 0)
		d.state(StateEstablished)
		if tc.reply {
			d.want("challenge", "A", 1, 1, win(65535))
		}
		d.idle("no more")
	}
	d := freeBSDClient(t, func(d *dialogue) { d.set.InsecureReset = true })
	d.in("R", 65700, 0)
	d.err(syscall.ECONNRESET)
	d = freeBSDClient(t, func(d *dialogue) { d.set.InsecureSyn = true })
	d.in("S", 65700, 0)
	d.want("reset", "AR", 1, 1, win(0))
	d.err(syscall.ECONNRESET)
}

func TestFreeBSDChallengesFiveTimesASecond(t *testing.T) {
	d := freeBSDClient(t)
	sent := 0
	for range 20 {
		d.in("S", 500, 0)
		n, _ := d.drain()
		sent += n
	}
	if sent != 5 {
		t.Errorf("%d challenges", sent)
	}
	d.now = d.now.Add(2 * time.Second)
	d.in("S", 500, 0)
	d.want("another second", "A", 1, 1)
}

func TestFreeBSDSendsItsFinWithEachAck(t *testing.T) {
	d := freeBSDClient(t)
	d.closeWrite()
	d.want("FIN", "AF", 1, 1)
	d.in("S", 1, 0)
	d.want("a challenge is just that", "A", 2, 1)
	d.in("AF", 1, 1, win(32767))
	d.want("FIN and ACK", "AF", 1, 2)
	d.state(StateClosing)
	d.in("A", 2, 2, win(32767))
	d.state(StateTimeWait)
}

func TestFreeBSDTimeWaitAnswersAllButTheLastAck(t *testing.T) {
	for _, tc := range []struct {
		flags    string
		seq, ack int
		reply    bool
	}{
		{"A", 2, 2, false}, {"A", 1, 2, true}, {"A", 65702, 2, true}, {"AF", 2, 2, true},
		{"AF", 1, 2, true}, {"F", 3, 2, false}, {"S", 1, 0, false}, {"S", 2, 0, false}, {"SA", 1, 2, true}, {"R", 2, 0, false},
	} {
		d := freeBSDClient(t)
		d.closeWrite()
		d.want("FIN", "AF", 1, 1)
		d.in("AF", 1, 2, win(32767))
		d.want("ACK", "A", 2, 2)
		d.state(StateTimeWait)
		d.in(tc.flags, tc.seq, tc.ack, win(32767))
		if tc.reply {
			d.want(tc.flags, "A", 2, 2, win(65535))
		}
		d.idle(tc.flags)
		d.state(StateTimeWait)
	}
}

// Resets tell the user in every state.
func TestFreeBSDReportsResetsInLastAck(t *testing.T) {
	d := freeBSDClient(t)
	d.in("AF", 1, 1, win(32767))
	d.want("ACK", "A", 1, 2)
	d.closeWrite()
	d.want("FIN", "AF", 1, 2)
	d.in("R", 2, 0)
	d.err(syscall.ECONNRESET)
}

// Text of a SYN that crossed ours is kept, though the SYN,ACK does not say so.
func TestFreeBSDKeepsTheTextOfACrossedSyn(t *testing.T) {
	d := newDialogue(t, asFreeBSD)
	d.connect()
	d.want("SYN", "S", 0, 0)
	d.in("S", 0, 0, text("abc"), mss(1460), sackPermitted(), win(32767))
	d.want("SYN,ACK", "SA", 0, 1, win(65535))
	if got := d.read(10); got != "" {
		t.Errorf("read %q before the handshake was done", got)
	}
	d.in("A", 4, 1)
	d.state(StateEstablished)
	if got := d.read(10); got != "abc" {
		t.Errorf("read %q", got)
	}
	d.close()
	d.want("FIN", "AF", 1, 4)
}

func TestFreeBSDClosesOverUnreadText(t *testing.T) {
	d := freeBSDClient(t)
	d.in("A", 1, 1, octets(10))
	d.drain()
	d.close()
	d.want("FIN", "AF", 1, 11)
}

func TestNoOptionsAreSentOrHeeded(t *testing.T) {
	d := newDialogue(t, asFreeBSD)
	d.c.SetNoOptions(true)
	d.accept(mss(1000), wscale(6), sackPermitted(), ts(1, 0))
	if s := d.want("SYN,ACK", "SA", 0, 1, win(65535)); s.Options.Len() != 0 {
		t.Errorf("%+v", s.Options)
	}
	d.in("A", 1, 1)
	d.write(600)
	if s := d.want("the default segment size", "AP", 1, 1, octets(600)); s.SegmentSize != 536 {
		t.Errorf("pieces of %d", s.SegmentSize)
	}
}

// Keep-alives are on without being asked for, and Nagle's algorithm waits for any ACK.
func TestFreeBSDDefaults(t *testing.T) {
	d := freeBSDClient(t)
	d.write(2000)
	d.want("full", "A", 1, 1, octets(1460))
	d.idle("the rest waits for the ACK")
	d.in("A", 1, 1461, win(32767))
	d.want("rest", "AP", 1461, 1, octets(540))
	d.in("A", 1, 2001, win(32767))
	if took := d.toTimer(); took != 2*time.Hour {
		t.Errorf("a timer after %v", took)
	}
	d.want("keep-alive", "A", 2000, 1)
}

// A FIN without text on such a SYN is acknowledged at once.
func TestFreeBSDTakesTheFinOfACrossedSyn(t *testing.T) {
	d := newDialogue(t, asFreeBSD)
	d.connect()
	d.want("SYN", "S", 0, 0)
	d.in("SF", 0, 0, mss(1460), sackPermitted(), win(32767))
	d.want("SYN,ACK", "SA", 0, 2, win(65535))
	if got := d.c.Info().State; got != StateCloseWait {
		t.Errorf("reported as %v", got)
	}
	d.in("A", 2, 1)
	d.state(StateCloseWait)
	d.idle("it was acknowledged")
	d.close()
	d.want("FIN", "AF", 1, 2)
	d.in("A", 2, 2)
	d.state(StateClosed)
}
