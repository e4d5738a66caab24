package script

import (
	"strings"
	"testing"
)

func TestFamilies(t *testing.T) {
	src := handshake + "+0 write(4, ..., 1000) = 1000\n+0 > P. 1:1001(1000) ack 1\n"
	for _, family := range []string{FamilyIPv4, FamilyIPv6, FamilyMapped} {
		if r := mustPass(t, src, Options{Family: family}); r.Family != family {
			t.Errorf("%s ran as %s", family, r.Family)
		}
		mustPass(t, "--ip_version="+family+"\n"+src, Options{})
	}
	r := run(t, "--ip_version=ipv4\n"+src, Options{Family: FamilyIPv6})
	if r.Outcome != Skip || r.Reason != "is written for ipv4" {
		t.Errorf("%v", r)
	}
	for _, only4 := range []string{
		"+0 setsockopt(4, SOL_IP, IP_TOS, [16], 4) = 0", "+0 < icmp unreachable frag_needed mtu 1300 [1:1(0)]",
		"+0 socket(AF_INET, SOCK_STREAM, 0) = 7", `+0 bind(3, {sa_family=2, sin_port=htons(5), sin_addr=inet_addr("192.0.2.1")}, ...) = 0`,
	} {
		if r := run(t, handshake+only4+"\n", Options{Family: FamilyIPv6}); r.Outcome != Skip || r.Reason != "is written for the other family" {
			t.Errorf("%s: %v", only4, r)
		}
	}
	mss := strings.Replace(handshake, "<...>", "<mss 1460,nop,nop,sackOK,nop,wscale 7>", 1)
	mustPass(t, mss, Options{Family: FamilyIPv6})
	mustPass(t, "--ip_version=ipv6\n--mtu=1520\n"+mss, Options{})
}

func TestProfiles(t *testing.T) {
	for _, c := range []struct{ src, option, want string }{
		{"0 `true`\n", "", "weir"},
		{"0 `./defaults.sh`\n", "", "linux"},
		{"0 `sysctl -q net.ipv4.tcp_sack=1`\n", "", "linux"},
		{"0 `ip tcp_metrics flush all > /dev/null 2>&1`\n", "", "linux"},
		{"0 `tc qdisc add dev tun0 root pfifo`\n", "", "linux"},
		{"0 `kldload -n tcp_rack`\n", "", "freebsd"},
		{"0 `sysctl kern.timecounter.alloweddeviation=0`\n", "", "freebsd"},
		{"0 `sysctl -w net.inet.tcp.hostcache.purgenow=1`\n", "", "freebsd"},
		{"0 `true`\n+0 < S 0:0(0) win 1 <mss 1000>\n+0 > S. 0:0(0) ack 1 <mss 1460,nop,wscale 6,sackOK,eol,eol>\n", "", "freebsd"},
		{"--profile=linux\n0 `kldload -n tcp_rack`\n", "", "linux"},
		{"--profile=linux\n0 `true`\n", "freebsd", "freebsd"},
		{"0 `./defaults.sh`\n", "weir", "weir"},
	} {
		r := run(t, c.src, Options{Profile: c.option})
		if r.Profile != c.want {
			t.Errorf("%q with %q ran as %q, want %q: %v", c.src, c.option, r.Profile, c.want, r)
		}
	}
	if r := run(t, "0 `true`\n", Options{Profile: "plan9"}); r.Outcome != Invalid {
		t.Errorf("%v", r)
	}
}

func TestTheSystemOfAnIfdef(t *testing.T) {
	src := "#ifdef freebsd\n0 `sysctl kern.timecounter.alloweddeviation=0`\n#endif\n#ifdef linux\n0 `./defaults.sh`\n#endif\n"
	if r := run(t, src, Options{Profile: "linux"}); r.Outcome != Pass {
		t.Errorf("%v", r)
	}
	for profile, want := range map[string]Outcome{"weir": Pass, "freebsd": Skip, "linux": Pass} {
		src := "0 `true`\n#ifdef STANDARD\n+0 `true`\n#endif\n#ifdef FreeBSD\n+0 `iptables`\n#endif\n"
		if r := run(t, src, Options{Profile: profile}); r.Outcome != want {
			t.Errorf("%s: %v", profile, r)
		}
	}
}

func TestWhatWeirLacksIsSkipped(t *testing.T) {
	for _, c := range []struct{ src, reason string }{
		{"+0 send(4, ..., 100, MSG_ZEROCOPY) = 100", "needs zero-copy sending"},
		{"+0 setsockopt(4, SOL_TCP, TCP_FASTOPEN, [1], 4) = 0", "needs TCP Fast Open"},
		{"+0 < S 0:0(0) win 100 <mss 1000,FO 0123456789abcdef,nop,nop>", "needs TCP Fast Open"},
		{"+0 < . 1:1(0) ack 1 win 100 <md5 000102030405060708090a0b0c0d0e0f,nop,nop>", "needs TCP MD5 signatures (RFC 2385)"},
		{"+0 socket(..., SOCK_STREAM, IPPROTO_MPTCP) = 5", "needs Multipath TCP"},
		{"+0 splice(4, 0, 5, 0, 100, 0) = 100", "needs the system call splice()"},
		{"+0 setsockopt(4, SOL_SOCKET, SO_FANTASY, [1], 4) = 0", "uses the constant SO_FANTASY, which weir does not have"},
		{"+0 `iptables -L`", "needs the command iptables"},
		{"+0 `sysctl -q net.ipv4.tcp_fantasy=1`", "needs the setting net.ipv4.tcp_fantasy=1"},
		{"+0 `tc qdisc add dev tun0 root netem delay 100ms`", "needs the queueing discipline netem"},
		{"+0 `cat /proc/net/tcp | wc -l`", "needs the shell: cat"},
		{"+0 %{ import os }%", "has a code block that is beyond the evaluator: "},
		{"+0 %{ assert SK_MEMINFO_RMEM_ALLOC == 0 }%", "needs a kernel's own buffer accounting (SO_MEMINFO)"},
		{"+0 %{ assert bbr_bw > 0 }%", "needs BBR"},
		{`+0 setsockopt(4, SOL_TCP, TCP_CONGESTION, "bbr", 4) = 0`, "needs the congestion control bbr"},
		{"+0 < SA. 0:0(0) ack 1 win 100", "needs Accurate ECN (RFC 9768)"},
		{"+0 > ipv4 1.1.1.1 > 2.2.2.2: . 1:1(0) ack 1", "needs encapsulated packets (IP in IP)"},
	} {
		// A mistake before it must not make the script fail: what it needs is looked at first.
		r := run(t, handshake+"+0 listen(99, 1) = 0\n"+c.src+"\n", Options{})
		if r.Outcome != Skip || !strings.HasPrefix(r.Reason, c.reason) {
			t.Errorf("%s: want a skip because it %s\n%v", c.src, c.reason, r)
		}
	}
}

func TestScriptsThatContradictThemselves(t *testing.T) {
	for _, c := range []struct{ src, reason string }{
		{".5 `true`\n", "line 1: the first event is to be at time 0"},
		{"--fantasy=1\n0 `true`\n", "line 1: there is no option --fantasy"},
		{"--mtu=7\n0 `true`\n", "line 1: bad --mtu=7"},
		{"--bind_port=0\n0 `true`\n", "line 1: bad --bind_port=0"},
		{"--ip_version=ipx\n0 `true`\n", "there is no --ip_version=ipx; take ipv4, ipv6 or ipv4-mapped-ipv6"},
		{"--ip_version=ipv4\n--local_ip=::1\n0 `true`\n", "the address ::1 is not of the family ipv4"},
		{"0 > . 1:1(0) ack 1\n", "line 1: no socket of the script is one for this packet"},
		{"0 listen(3) = 0\n", "line 1: listen() takes 2 arguments, not 1"},
		{"0 < icmp fantasy\n", `ICMPv4 has no type "fantasy"`},
		{"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n", "line 2: the descriptor 3 is open already"},
	} {
		if r := run(t, c.src, Options{}); r.Outcome != Invalid || r.Reason != c.reason {
			t.Errorf("%q: want %s\n%v", c.src, c.reason, r)
		}
	}
}

// Copies of Google's suite are about whose defaults.sh is a comment.
func TestDefaultsInAComment(t *testing.T) {
	plain := strings.Replace(handshake, "<...>", "<mss 1460,nop,nop,sackOK,nop,wscale 8>", 1)
	if r := mustPass(t, "// `../common/defaults.sh`\n"+plain, Options{}); r.Profile != "linux" {
		t.Errorf("%v", r)
	}
	if r := run(t, plain, Options{}); r.Outcome != Fail {
		t.Errorf("%v", r)
	}
}

func TestNamesOfHeaders(t *testing.T) {
	for name, want := range map[string]int64{
		"IPTOS_DSCP_CS1": 0x20, "IPTOS_DSCP_AF11": 0x28, "IPTOS_DSCP_AF43": 0x98, "IPTOS_DSCP_EF": 0xb8, "IPTOS_LOWDELAY": 0x10,
		"ECONNREFUSED": 111, "SOCK_STREAM": 1, "TCPS_TIME_WAIT": 10, "NULL": 0,
	} {
		if v, err := constant(name); err != nil || v != want {
			t.Errorf("%s is %d (%v), want %d", name, v, err, want)
		}
	}
	for _, name := range []string{"IPTOS_DSCP_CS8", "IPTOS_DSCP_AF54", "IPTOS_DSCP_", "TCP_FANTASY"} {
		if v, err := constant(name); err == nil {
			t.Errorf("%s is %d", name, v)
		}
	}
}

func TestSettingsThatTurnOnWhatIsLacking(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"net.ipv4.tcp_congestion_control", "bbr", "the congestion control bbr"},
		{"net.ipv4.tcp_congestion_control", "reno", ""},
		{"net.ipv4.tcp_mtu_probing", "2", "path MTU discovery by probing (RFC 4821)"},
		{"net.ipv4.tcp_mtu_probing", "0", ""},
		{"net.ipv4.tcp_fastopen", "0x602", "TCP Fast Open"},
		{"net.ipv4.tcp_fastopen", "0x70403", ""},
		{"net.ipv4.tcp_shrink_window", "1", "windows that shrink (net.ipv4.tcp_shrink_window)"},
		{"net.inet.tcp.functions_default", "rack", "FreeBSD's RACK or BBR implementation of TCP"},
		{"net.inet.tcp.functions_default", "freebsd", ""},
		{"net.mptcp.enabled", "1", "multipath TCP"},
		{"route.initcwnd", "4", ""},
		{"route.hoplimit", "4", "the metric hoplimit of a route"},
		{"net.ipv4.tcp_sack", "maybe", "the setting net.ipv4.tcp_sack=maybe"},
		{"net.ipv4.nonsense", "1", "the setting net.ipv4.nonsense=1"},
		{"kern.timecounter.alloweddeviation", "0", ""},
	} {
		b, err := NewWeir(Network{Profile: "linux"})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := b.Sysctl(c.name, c.value, true); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s=%s: %q, want %q", c.name, c.value, got, c.want)
		}
	}
}
