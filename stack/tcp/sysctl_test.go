package tcp

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/tcp/cc"
)

// What a sysctl sets is read back as it was written, and each changes something.
func TestEachSysctlIsSetAndReadBack(t *testing.T) {
	for _, k := range slices.Concat(linuxKnobs, freeBSDKnobs, recoveryKnobs) {
		name := k.name
		s := LinuxSettings()
		s.TimestampOffsets = false
		value := "1"
		switch {
		case len(strings.Fields(k.get(&s))) == 3:
			value = "1\t2\t3"
		case strings.Contains(name, "congestion") || strings.Contains(name, "algorithm"):
			continue
		case strings.HasSuffix(name, "syncookies_only"):
			s.SynCookies = 1
		case strings.HasSuffix(name, "min_snd_mss"), strings.HasSuffix(name, "mssdflt"):
			value = "77"
		case strings.HasSuffix(name, "early_retrans"):
			value = "0"
		case strings.HasSuffix(name, "rto_max_ms"):
			value = "2000"
		case strings.HasSuffix(name, "drop_options"):
		case k.get(&s) == "1":
			probe := s
			if value = "0"; k.set(&probe, []string{value}) != nil {
				value = "2"
			}
		}
		before := s
		if err := s.SetSysctl(name, value); err != nil {
			t.Errorf("%s=%s: %v", name, value, err)
			continue
		}
		if got, ok := s.Sysctl(name); got != value || !ok {
			t.Errorf("%s=%s is read back as %s", name, value, got)
		}
		if s == before {
			t.Errorf("%s=%s changes nothing", name, value)
		}
		for _, bad := range []string{"", "x", "1 2", "99999999999999", "-99999999999"} {
			was := s
			if err := s.SetSysctl(name, bad); err == nil {
				t.Errorf("%s=%q is taken", name, bad)
			} else if was != s {
				t.Errorf("%s=%q has changed something", name, bad)
			}
		}
	}
}

func TestSysctlsOfTheScripts(t *testing.T) {
	var s Settings
	set := func(name, value string) {
		t.Helper()
		if err := s.SetSysctl(name, value); err != nil {
			t.Error(err)
		}
	}
	set("net.ipv4.tcp_rmem", "4096 540000 15728640")
	set("/proc/sys/net/ipv4/tcp_timestamps", "2")
	set("tcp_keepalive_time", "10")
	set("net/ipv4/tcp_challenge_ack_limit", "0x7fffffff")
	set("net.ipv4.tcp_notsent_lowat", "4294967295")
	set("net.ipv4.tcp_orphan_retries", "0")
	set("net.inet.tcp.rfc1323", "2")
	set("net.inet.tcp.rexmit_slop", "200")
	set("net.inet.tcp.cc.algorithm", "newreno")
	set("net.ipv4.tcp_recovery", "1")
	set("net.ipv4.tcp_early_retrans", "4")
	set("net.ipv4.tcp_ecn", "3")
	set("net.inet.tcp.hostcache.purgenow", "1")
	set("net.ipv4.tcp_limit_output_bytes", "1000000")
	if s.ReceiveSizes != [3]int{4096, 540000, 15728640} || s.KeepIdle != 10*time.Second ||
		s.ChallengeAckPerSecond != -1 || s.NotSentLowat != 0 || s.OrphanRetries != 8 || s.Timestamps ||
		!s.WindowScale || s.RTO.Slop != 200*time.Millisecond || s.CC != cc.Reno ||
		!s.RACK || !s.TLP || s.ECN != ECNOn {
		t.Errorf("%+v", s)
	}
	if err := s.SetSysctl("net.ipv4.tcp_nonsense", "1"); !errors.Is(err, ErrUnknownSysctl) {
		t.Errorf("%v", err)
	}
	if err := s.SetSysctl("net.ipv4.tcp_sack", "many"); err == nil || errors.Is(err, ErrUnknownSysctl) {
		t.Errorf("%v", err)
	}
	if _, ok := s.Sysctl("net.ipv4.tcp_limit_output_bytes"); ok {
		t.Error("what means nothing has a value")
	}
}

func TestNoSysctlIsBothKnownAndIgnored(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range slices.Concat(linuxKnobs, freeBSDKnobs, recoveryKnobs) {
		name := k.name
		if seen[name] {
			t.Errorf("%s is there twice", name)
		}
		seen[name] = true
		if ignored(name) {
			t.Errorf("%s is both", name)
		}
	}
}

func TestProfilesHaveNames(t *testing.T) {
	for i, name := range ProfileNames() {
		s, ok := ProfileSettings(name)
		if !ok || s.Profile != Profile(i) || s.Profile.String() != name {
			t.Errorf("%s: %v", name, s.Profile)
		}
	}
	if _, ok := ProfileSettings("plan9"); ok {
		t.Error("plan9")
	}
	if s, ok := ProfileSettings(""); !ok || s.Profile != ProfileWeir {
		t.Error("no name is weir's")
	}
}

func TestTimeWaitGivesItsPlaceToANewConnection(t *testing.T) {
	d := newDialogue(t, asLinux, withTimestamps)
	d.set.TimeWaitReuse = 1
	d.connect()
	syn := d.want("SYN", "S", 0, 0)
	d.in("SA", 0, 1, mss(1000), ts(3001, syn.Options.TSVal))
	d.drain()
	d.close()
	d.drain()
	d.in("AF", 1, 2, ts(3002, 2))
	d.drain()
	d.state(StateTimeWait)
	w := d.c.TimeWait()
	if _, ok := w.MayConnect(d.now.Add(999*time.Millisecond), false, false); ok {
		t.Error("too soon")
	}
	recent, ok := w.MayConnect(d.now.Add(time.Second), false, false)
	if !ok || recent != 3002 {
		t.Errorf("%d, %v", recent, ok)
	}
	d.set.TimeWaitReuse = 2
	if _, ok := w.MayConnect(d.now.Add(time.Second), false, false); ok {
		t.Error("only on this host")
	}
	if recent, ok := w.MayConnect(d.now, false, true); !ok || recent != 3002 {
		t.Errorf("a port that the user has bound: %d, %v", recent, ok)
	}
	var c Conn
	d.cfg.TSRecent = recent
	c.Connect(d.now, &d.cfg)
	var s Segment
	c.Output(d.now, &s, nil)
	if s.Options.TSEcr != 3002 {
		t.Errorf("the SYN echoes %d", s.Options.TSEcr)
	}
	c.Release()
}
