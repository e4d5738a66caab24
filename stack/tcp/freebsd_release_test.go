package tcp

import (
	"testing"
	"time"
)

func asFreeBSD12(d *dialogue) {
	asFreeBSD(d)
	d.set = FreeBSD12Settings()
}

func TestReleasesAreProfiles(t *testing.T) {
	for _, name := range ProfileNames() {
		for _, release := range ProfileReleases(name) {
			if s, ok := ProfileSettings(release); !ok || s.Profile.String() != name {
				t.Errorf("%s: %v %v", release, s.Profile, ok)
			}
		}
	}
	if len(ProfileReleases("freebsd")) != 2 || ProfileReleases("linux") != nil {
		t.Error("releases")
	}
}

// FreeBSD 12 waits three seconds for a SYN,ACK, and five times as long, but for the slop.
func TestFreeBSD12SynTimeouts(t *testing.T) {
	d := newDialogue(t, asFreeBSD12)
	d.connect()
	d.want("SYN", "S", 0, 0)
	for i, after := range []time.Duration{3000, 3200, 3200, 3200, 3200, 6200, 12200} {
		if took := d.toTimer(); took != after*time.Millisecond {
			t.Errorf("timer %d after %v", i, took)
		}
		d.want("again", "S", 0, 0)
	}
}

// It offers scaling and timestamps to a peer whose SYN crossed ours without them, and says
// less of its window than it could.
func TestFreeBSD12CrossedSyn(t *testing.T) {
	d := newDialogue(t, asFreeBSD12)
	d.connect()
	d.want("SYN", "S", 0, 0)
	d.in("S", 0, 0, mss(1460))
	s := d.want("SYN,ACK", "SA", 0, 1, win(65535))
	if o := s.Options; !o.HasWindowScale || o.WindowScale != 6 || !o.HasTimestamps || o.SACKPermitted {
		t.Errorf("%+v", o)
	}
	d.in("A", 1, 1)
	d.state(StateEstablished)
	d.closeWrite()
	d.want("FIN without timestamps", "AF", 1, 1, win(65535))
	if d.got.Options.HasTimestamps {
		t.Error("timestamps were not agreed")
	}
}

func TestFreeBSD12RoundsTheWindowDown(t *testing.T) {
	d := newDialogue(t, asFreeBSD12)
	d.connect()
	s := d.want("SYN", "S", 0, 0, win(65535))
	d.in("SA", 0, 1, mss(1460), wscale(6), sackPermitted(), ts(100, s.Options.TSVal))
	d.want("65700 octets", "A", 1, 1, win(1026))
}

// In TIME-WAIT it offers what is left of the last window, and gives way to a SYN,ACK.
func TestFreeBSD12TimeWait(t *testing.T) {
	d := newDialogue(t, asFreeBSD12)
	d.connect()
	d.want("SYN", "S", 0, 0, win(65535))
	d.in("SA", 0, 1, mss(1460), sackPermitted())
	d.want("ACK", "A", 1, 1, win(65535))
	d.closeWrite()
	d.want("FIN", "AF", 1, 1)
	d.in("AF", 1, 2)
	d.want("ACK", "A", 2, 2, win(65534))
	d.state(StateTimeWait)
	for _, tc := range []struct {
		flags string
		seq   int
		want  TimeWaitVerdict
	}{{"SA", 3, TimeWaitReuse}, {"SA", 2, TimeWaitReply}, {"S", 3, TimeWaitReuse}, {"S", 2, TimeWaitIgnore}, {"SF", 3, TimeWaitReuse}} {
		tw, reply := d.c.TimeWait(), Segment{}
		if got := tw.Input(d.now, d.segment(tc.flags, tc.seq, 0, nil), &reply); got != tc.want {
			t.Errorf("%s %d: %v", tc.flags, tc.seq, got)
		}
	}
}

// A present-day kernel does not, and with drop_synfin a SYN with a FIN is nothing.
func TestFreeBSDTimeWaitAndSyns(t *testing.T) {
	d := freeBSDClient(t)
	d.closeWrite()
	d.want("FIN", "AF", 1, 1)
	d.in("AF", 1, 2, win(32767))
	d.want("ACK", "A", 2, 2, win(65535))
	for _, tc := range []struct {
		flags string
		drop  bool
		want  TimeWaitVerdict
	}{{"SA", false, TimeWaitReply}, {"S", false, TimeWaitReuse}, {"SF", false, TimeWaitReuse}, {"SF", true, TimeWaitIgnore}, {"S", true, TimeWaitReuse}} {
		d.set.DropSynFin = tc.drop
		tw, reply := d.c.TimeWait(), Segment{}
		if got := tw.Input(d.now, d.segment(tc.flags, 3, 0, nil), &reply); got != tc.want {
			t.Errorf("%+v: %v", tc, got)
		}
	}
}

// Without options from the first segment on, also of the peer's SYN.
func TestNoOptionsInTimeForThePeersSYN(t *testing.T) {
	d := newDialogue(t, asFreeBSD, func(d *dialogue) { d.cfg.NoOptions = true })
	d.accept(mss(1000), wscale(6), sackPermitted(), ts(1, 0))
	if s := d.want("SYN,ACK", "SA", 0, 1, win(65535)); s.Options.Len() != 0 {
		t.Errorf("%+v", s.Options)
	}
}
