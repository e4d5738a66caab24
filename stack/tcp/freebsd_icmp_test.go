package tcp

import (
	"syscall"
	"testing"
	"time"
)

// freeBSDOpening has sent its SYN.
func freeBSDOpening(t *testing.T, with ...func(*dialogue)) *dialogue {
	t.Helper()
	d := newDialogue(t, append([]func(*dialogue){asFreeBSD}, with...)...)
	d.connect()
	d.want("SYN", "S", 0, 0)
	return d
}

// A hard error ends SYN-SENT, unless icmp_may_rst is off; then it is the reason of the timeout.
func TestFreeBSDHardICMPErrors(t *testing.T) {
	d := freeBSDOpening(t)
	d.c.OnICMP(d.now, true, syscall.ECONNREFUSED)
	d.state(StateClosed)
	d.err(syscall.ECONNREFUSED)

	d = freeBSDOpening(t, func(d *dialogue) { d.set.ICMPMayReset = false })
	d.c.OnICMP(d.now, true, syscall.ECONNREFUSED)
	d.state(StateSynSent)
	for d.c.State() == StateSynSent {
		d.toTimer()
		d.drain()
	}
	d.err(syscall.ECONNREFUSED)
}

// One error about the network waits for the timeout; after four timeouts the second gives up.
func TestFreeBSDSoftICMPErrorsGiveUpALateHandshake(t *testing.T) {
	d := freeBSDOpening(t)
	for range 4 {
		d.c.OnICMP(d.now, false, syscall.EHOSTUNREACH)
		d.state(StateSynSent)
		d.toTimer()
		d.drain()
	}
	if ev := d.c.OnICMP(d.now, false, syscall.EHOSTUNREACH); ev != EventError|EventClosed {
		t.Errorf("events %v", ev)
	}
	d.err(syscall.EHOSTUNREACH)
}

// What a router says of the way to a connection that works is not even remembered.
func TestFreeBSDPassesOverICMPErrorsOnceConnected(t *testing.T) {
	d := freeBSDClient(t)
	d.write(10)
	d.drain()
	d.c.OnICMP(d.now, false, syscall.EHOSTUNREACH)
	d.c.OnICMP(d.now, true, syscall.ECONNREFUSED)
	d.state(StateEstablished)
	for d.c.State() == StateEstablished {
		d.toTimer()
		d.drain()
	}
	d.err(syscall.ETIMEDOUT)
}

// A SYN is short: a report that it was too long is doubtful. The MSS announced follows one that is not.
func TestFreeBSDPathMTUWhileOpening(t *testing.T) {
	d := freeBSDOpening(t)
	for _, tc := range []struct {
		is4   bool
		mtu   int
		heeds bool
	}{{true, 1234, false}, {true, 576, false}, {true, 575, true}, {true, 0, true}, {false, 1300, true}} {
		if got := d.c.HeedsPathMTU(tc.is4, tc.mtu); got != tc.heeds {
			t.Errorf("%+v: %v", tc, got)
		}
	}
	d.c.SetPathMSS(d.now, 1240)
	d.toTimer()
	if s := d.want("again", "S", 0, 0); s.Options.MSS != 1240 {
		t.Errorf("MSS %d", s.Options.MSS)
	}
	d.in("SA", 0, 1, mss(1460))
	d.want("ACK", "A", 1, 1)
	d.c.SetPathMSS(d.now, 1100) // what was announced stays
	if got := d.c.rcv.mss; got != 1240 {
		t.Errorf("announced %d", got)
	}
	if !d.c.HeedsPathMTU(true, 1234) {
		t.Error("a report about a connection is of use")
	}
}

// Closed ports may be silent: to SYNs, to all, and to this host's own.
func TestSilentPorts(t *testing.T) {
	for _, tc := range []struct {
		level        int
		flags        string
		local, reply bool
	}{
		{0, "S", false, true}, {1, "S", false, false}, {1, "A", false, true}, {2, "A", false, false},
		{2, "S", true, true}, {3, "S", true, false}, {3, "A", false, false}, {0, "R", false, false},
	} {
		set, s, out := Settings{Blackhole: tc.level}, Segment{Flags: parseFlags(tc.flags)}, Segment{}
		if got := set.Refuse(&s, &out, tc.local); got != tc.reply {
			t.Errorf("%+v: %v", tc, got)
		}
	}
}

// The probes of a closed window are five seconds apart at least.
func TestFreeBSDPersistTimer(t *testing.T) {
	d := freeBSDClient(t)
	d.in("A", 1, 1, win(0))
	d.write(10)
	d.drain()
	for range 4 {
		if took := d.toTimer(); took != 5*time.Second {
			t.Errorf("a probe after %v", took)
		}
		d.want("probe", "A", 1, 1, octets(1))
		d.in("A", 1, 1, win(0))
	}
}
