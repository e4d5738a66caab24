package script

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestCommandsAreSplitAsAShellWould(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // words parted by bars, commands by semicolons
		bad  bool
	}{
		{text: "a b  c", want: "a|b|c"},
		{text: "a;b && c\nd", want: "a;b;c;d"},
		{text: "a \\\n b", want: "a|b"},
		{text: `a "b c" 'd e'f`, want: "a|b c|d ef"},
		{text: "a # b\nc", want: "a;c"},
		{text: "a#b", want: "a#b"},
		{text: "a > /dev/null 2>&1", want: "a"},
		{text: "a>/dev/null;b", want: "a;b"},
		{text: "echo 7 > /proc/sys/net/x", want: "echo|7|>|/proc/sys/net/x"},
		{text: `x="1 $((2*3+4)) 5"`, want: "x=1 10 5"},
		{text: "$((2*3))", want: "6"},
		{text: "a | b", bad: true},
		{text: "$(a)", bad: true},
		{text: `"$x"`, bad: true},
		{text: `'a`, bad: true},
		{text: "", want: ""},
	} {
		list, ok := simpleCommands(c.text)
		if ok == c.bad {
			t.Errorf("%q: %v", c.text, ok)
			continue
		}
		var s []string
		for _, words := range list {
			s = append(s, strings.Join(words, "|"))
		}
		if got := strings.Join(s, ";"); !c.bad && got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestWhatCommandsComeTo(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"sysctl -q net.ipv4.tcp_sack=0", "net.ipv4.tcp_sack=0"},
		{"sysctl -w net/ipv4/tcp_rmem=\"4096 8192 16384\" > /dev/null", "net.ipv4.tcp_rmem=4096 8192 16384"},
		{"sysctl -q net.ipv4.a=1 net.ipv4.b=2", "net.ipv4.a=1; net.ipv4.b=2"},
		{"sysctl net.ipv4.tcp_sack", ""},
		{"sysctl kern.timecounter.alloweddeviation=0", "kern.timecounter.alloweddeviation=0"},
		{"../common/set_sysctls.py /proc/sys/net/ipv4/tcp_timestamps=0 /proc/sys/net/ipv4/tcp_sack=1", "net.ipv4.tcp_timestamps=0; net.ipv4.tcp_sack=1"},
		{"echo 1 > /proc/sys/net/ipv4/tcp_sack", "net.ipv4.tcp_sack=1"},
		{"/tmp/sysctl_restore_${PPID}.sh", ""},
		{"ip tcp_metrics flush all > /dev/null 2>&1", ""},
		{"ip route change 192.0.2.0/24 dev tun0 initcwnd 3 quickack 1", "route.initcwnd=3; route.quickack=1"},
		{"ip ro replace 192.0.2.1 dev tun0 mtu lock 1200", "route.mtu.lock=1200"},
		{"tc qdisc replace dev tun0 root pfifo", ""},
		{"sleep 1.5", "sleep 1.5s"},
		{"kldload -n tcp_rack; true", ""},
		{"tcpdrop 192.168.0.1 8080 192.0.2.1 5", "drop 192.168.0.1:8080 192.0.2.1:5"},
		{"tcpdrop -s TIME_WAIT", "drop TIME-WAIT"},
		{"tcpdrop -a", "drop *"},
		{"nstat -n", "reset"},
		{"nstat | grep -q TcpExtX", "counter TcpExtX above"},
		{"nstat -s | grep TcpExtX | grep -q \" 3 \"", "counter TcpExtX 3"},
		{"sockstat -4 -P tcp -s -p 80 | grep packetdril | grep -c SYN_RCVD | grep 1", "sockets SYN-RECEIVED 4 80 1"},
		{"rm -f /tmp/x && sync", ""},
		{"tc qdisc add dev tun0 root pfifo limit 0", "! needs a queueing discipline that drops all"},
		{"tc qdisc add dev tun0 root fq", "! needs the queueing discipline fq"},
		{"iptables -A INPUT", "! needs the command iptables"},
		{"ip link set tun0 mtu 1400", "! needs the command ip link"},
		{"sockstat | grep -v x", "! needs the shell: sockstat"},
		{"sleep forever", "! needs the command sleep forever"},
		{"tcpdrop x", "! needs the command tcpdrop x"},
	} {
		list, err := commandActions(c.text)
		var s []string
		for _, a := range list {
			s = append(s, actionText(a))
		}
		got := strings.Join(s, "; ")
		if err != nil {
			got = "! " + err.Error()
		}
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func actionText(a action) string {
	switch {
	case a.name != "":
		return a.name + "=" + a.value
	case a.sleep > 0:
		return fmt.Sprintf("sleep %v", a.sleep)
	case a.dropState != "":
		return "drop " + a.dropState
	case a.drop[0].IsValid():
		return fmt.Sprintf("drop %v %v", a.drop[0], a.drop[1])
	case a.check == nil:
		return "nothing"
	case a.check.reset:
		return "reset"
	case a.check.above:
		return "counter " + a.check.counter + " above"
	case a.check.counter != "":
		return fmt.Sprintf("counter %s %d", a.check.counter, a.check.want)
	}
	return fmt.Sprintf("sockets %s %d %d %d", a.check.state, a.check.family, a.check.port, a.check.want)
}

func TestDefaultsShIsKnownInFull(t *testing.T) {
	w, err := NewWeir(Network{Profile: "linux"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range defaultsSh {
		if err := w.Sysctl(s.name, s.value, true); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}

func TestTryingASettingChangesNothing(t *testing.T) {
	b, err := NewWeir(Network{Profile: "linux"})
	if err != nil {
		t.Fatal(err)
	}
	w := b.(*weir)
	before := w.settings
	for _, s := range []setting{{"net.ipv4.tcp_sack", "0"}, {"net.core.somaxconn", "3"}, {"route.initcwnd", "3"}} {
		if err := w.Sysctl(s.name, s.value, true); err != nil || !reflect.DeepEqual(w.settings.tcp, before.tcp) || !reflect.DeepEqual(w.settings.shard, before.shard) {
			t.Errorf("%s: %v", s.name, err)
		}
		if err := w.Sysctl(s.name, s.value, false); err != nil || reflect.DeepEqual(w.settings.tcp, before.tcp) && reflect.DeepEqual(w.settings.shard, before.shard) {
			t.Errorf("%s changed nothing: %v", s.name, err)
		}
		before = w.settings
	}
}

func TestASettingTakesEffect(t *testing.T) {
	src := "0 `sysctl -q net.ipv4.tcp_sack=%s net.ipv4.tcp_timestamps=0`\n+" + strings.TrimSpace(handshake)
	src = strings.Replace(src, "<...>", "%s", 1)
	mustPass(t, fmt.Sprintf(src, "1", "<mss 1460,nop,nop,sackOK,nop,wscale 7>"), Options{})
	mustPass(t, fmt.Sprintf(src, "0", "<mss 1460,nop,wscale 7>"), Options{})
}

func TestSleepPasses(t *testing.T) {
	r := mustPass(t, "0 `sleep 2`\n+1 `true`\n", Options{})
	if r.Virtual != 3*time.Second {
		t.Errorf("%v", r.Virtual)
	}
}

// nstat shows how much was counted since it was called last.
func TestCounters(t *testing.T) {
	src := handshake + "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n+0 `nstat -n`\n+0~+1 > P. 1:101(100) ack 1\n"
	good := src + "+0 `nstat | grep TcpRetransSegs | grep -q ' 1 '`\n+0~+1 > P. 1:101(100) ack 1\n+0 `nstat | grep -q TcpRetransSegs`\n"
	mustPass(t, good, Options{})
	r := run(t, src+"+0 `nstat | grep TcpRetransSegs | grep -q ' 2 '`\n", Options{})
	if r.Outcome != Fail || r.Reason != "the counter TcpRetransSegs is 1, not 2" {
		t.Errorf("%v", r)
	}
	if r := run(t, src+"+0 `nstat | grep TcpExtTCPTimeouts`\n+0 `nstat | grep TcpExtTCPTimeouts`\n", Options{}); r.Outcome != Fail || r.Reason != "the counter TcpExtTCPTimeouts is 0; it was to have moved" {
		t.Errorf("%v", r)
	}
	mustSkip(t, src+"+0 `nstat | grep TcpExtFantasy`\n", "needs the counter TcpExtFantasy")
}

func TestEveryCounterOfTheTableExists(t *testing.T) {
	b, err := NewWeir(Network{Profile: "weir", Local: netip.MustParsePrefix("192.168.0.1/16"), MTU: 1500})
	if err != nil {
		t.Fatal(err)
	}
	w := b.(*weir)
	w.must()
	have := map[string]bool{}
	w.host.EachCounter(func(name string, _ uint64) { have[name] = true })
	for name, own := range linuxCounters {
		for _, o := range own {
			if !have[o] {
				t.Errorf("%s: weir counts no %s", name, o)
			}
		}
	}
}

func TestSocketsAreCounted(t *testing.T) {
	src := handshake + "+0 `sockstat -4 -P tcp -s | grep packetdril | grep -c ESTABLISHED | grep %d`\n"
	mustPass(t, fmt.Sprintf(src, 1), Options{})
	if r := run(t, fmt.Sprintf(src, 2), Options{Profile: "weir"}); r.Outcome != Fail || r.Reason != "1 connections are in ESTABLISHED, not 2" {
		t.Errorf("%v", r)
	}
	drop := handshake + "+0 `tcpdrop -s ESTABLISHED`\n+0 > R. 1:1(0) ack 1\n"
	mustPass(t, drop, Options{Profile: "weir"})
}

// What a command does beyond what is understood of it is not passed over.
func TestHalfUnderstoodCommandsAreNotTaken(t *testing.T) {
	for command, reason := range map[string]string{
		"sysctl -p /etc/sysctl.d/test.conf":              "needs the settings in a file",
		"ip route add blackhole 192.0.2.0/24":            "needs the command ip route with blackhole",
		"ip route change 192.0.2.0/24 dev tun0 realms 3": "needs the command ip route with realms",
		"ulimit -n 4":                                      "needs the command ulimit",
		"echo 1 > /sys/kernel/mm/transparent":              "needs what is written to transparent",
		"cat settings > /proc/sys/net/ipv4/tcp_sack":       "needs what is written to tcp_sack",
		"nstat | grep -v TcpExtTCPTimeouts":                "needs the shell: nstat",
		"nstat -j | grep TcpExtTCPTimeouts":                "needs the shell: nstat",
		"sockstat -l | grep -c LISTEN | grep 0":            "needs the shell: sockstat",
		"sysctl -q net.ipv4.tcp_sack=1; echo 1 >/proc/net": "needs what is written to net",
	} {
		mustSkip(t, "0 `"+command+"`\n", reason)
	}
	mustPass(t, "0 `echo 0 > /proc/sys/net/ipv4/tcp_sack; echo done > /tmp/done`\n+0 `sysctl -w net.ipv4.tcp_sack=1 2>/dev/null`\n", Options{})
	mustPass(t, "0 `echo 3 > /sys/module/tcp_cubic/parameters/hystart_detect`\n", Options{})
	mustSkip(t, "0 `echo 2 > /sys/module/tcp_cubic/parameters/hystart_detect`\n", "needs the setting tcp_cubic.hystart_detect=2")
	mustPass(t, "0 `ip route change 192.0.2.0/24 via 192.168.0.2 dev tun0 initcwnd 4`\n", Options{})
}

// nstat counts since it was called last, with -a since the beginning; with -s the call does not count.
func TestNstatOptions(t *testing.T) {
	src := handshake + "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n+.3~+.4 > P. 1:11(10) ack 1\n"
	again := "+.2~+.8 > P. 1:11(10) ack 1\n"
	for tail, want := range map[string]Outcome{
		"+0 `nstat -s | grep TcpRetransSegs | grep ' 1 '`\n+0 `nstat | grep TcpRetransSegs | grep ' 1 '`\n":                 Pass,
		"+0 `nstat | grep TcpRetransSegs | grep ' 1 '`\n" + again + "+0 `nstat | grep TcpRetransSegs | grep ' 1 '`\n":       Pass,
		"+0 `nstat | grep TcpRetransSegs | grep ' 1 '`\n" + again + "+0 `nstat -az | grep TcpRetransSegs | grep ' 2 '`\n":   Pass,
		"+0 `nstat | grep TcpRetransSegs | grep ' 1 '`\n" + again + "+0 `nstat -az | grep TcpRetransSegs | grep ' 1 '`\n":   Fail,
		"+0 `nstat -s | grep TcpRetransSegs | grep ' 1 '`\n" + again + "+0 `nstat -s | grep TcpRetransSegs | grep ' 1 '`\n": Fail,
	} {
		if r := run(t, src+tail, Options{}); r.Outcome != want {
			t.Errorf("%s want %v\n%v", tail, want, r)
		}
	}
}

func TestInitScriptsAreCommands(t *testing.T) {
	r := mustPass(t, "--init_scripts=\"../common/defaults.sh\"\n"+handshake+"+0 getsockopt(4, SOL_TCP, TCP_CONGESTION, \"cubic\"..., [16]) = ...\n", Options{})
	if r.Profile != "linux" {
		t.Errorf("ran as %s", r.Profile)
	}
	wide := "--init_scripts=\"./defaults.sh\"\n" + handshake + "+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0\n"
	mustPass(t, wide, Options{})
	mustSkip(t, "--init_scripts=\"./my_setup.sh\"\n"+handshake, "needs the command my_setup.sh")
	mustSkip(t, "--is_anyip\n"+handshake, "needs every address to be the stack's own")
}

// What Python could not work out ends a script as a failure; it is not left unjudged.
func TestBlocksThatCannotBeWorkedOut(t *testing.T) {
	for block, want := range map[string]string{
		"assert 1 / 0":              "the block cannot be worked out: division by zero",
		"assert tcpi_unacked < 'a'": "the block cannot be worked out: < does not compare an integer and a string",
	} {
		if r := run(t, handshake+"+0 %{ "+block+" }%\n", Options{}); r.Outcome != Fail || r.Reason != want {
			t.Errorf("%s: %v", block, r)
		}
	}
}

func TestTheErrorQueueOfTCPIsNotThere(t *testing.T) {
	mustSkip(t, handshake+"+0 setsockopt(4, SOL_IP, IP_RECVERR, [1], 4) = 0\n", "needs the error queue of a TCP socket")
	mustPass(t, handshake+"+0 setsockopt(4, SOL_IP, IP_RECVERR, [0], 4) = 0\n", Options{})
	mustPass(t, "0 socket(..., SOCK_DGRAM, 0) = 3\n+0 setsockopt(3, SOL_IP, IP_RECVERR, [1], 4) = 0\n", Options{})
}
