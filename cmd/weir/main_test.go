package main

import (
	"errors"
	"strings"
	"testing"
)

// weir runs a command line and returns what it prints and its exit status.
func weir(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs strings.Builder
	status = run(t.Context(), args, &out, &errs)
	return out.String(), errs.String(), status
}

func TestFailureIsOneLineOnStderrAndStatusOne(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	tests := []struct{ line, want string }{
		{"dance", "no weir dance"},
		{"up extra", "takes flags only"},
		{"up --colour", "unknown flag: --colour (see weir up --help)"},
		{"up --mtu 5", "at least 68"},
		{"up --mtu 1279", "at least 1280"},
		{"up --serve gopher", `no service "gopher"`},
		{"up --tun a --tun b", "--tun a has no --addr"},
		{"up --addr 10.0.0.1", "10.0.0.1/24"},
		{"up --route 10.0.0.0/8,dev=weir9", "no --tun weir9"},
		{"up --offload maybe", "auto, on or off"},
		{"ss", "no running weir found"},
		{"stats --control /nonexistent/socket", "no such socket"},
		{"ss --kill", "--kill needs"},
		{"ss --state estab", "--state estab: must be one of listen,"},
		{"ping", "needs one HOST"},
		{"ping a..b", "no such host; give an address"},
		{"ping -6 192.0.2.1", "not an IPv6 address"},
		{"ping -4 -6 192.0.2.1", "contradict"},
		{"ping 224.0.0.1", "no single host's"},
		{"ping -s 70000 192.0.2.1", "-s 70000"},
		{"ping -t 0 192.0.2.1", "-t 0"},
		{"ping -c -1 192.0.2.1", "-c -1"},
		{"ping -i soon 192.0.2.1", "not a number of seconds"},
		{"nc", "needs HOST and PORT"},
		{"nc 7", "needs HOST and PORT"},
		{"nc 192.0.2.1 7 8", "needs HOST and PORT"},
		{"nc a..b 7", "looked up as a name"},
		{"bench bulk", "needs one HOST"},
		{"bench rr a..b", "no such host"},
		{"bench bulk -n 0 192.0.2.1", "0 streams"},
		{"bench bulk -d up 192.0.2.1", "to, from or both"},
		{"bench udp -s 8 192.0.2.1", "a size of 8 octets"},
		{"bench udp -b fast 192.0.2.1", "not a rate"},
		{"bench connect --kernel --mtu 9000 192.0.2.1", "--kernel uses none"},
		{"bench rr --kernel -p 1 127.0.0.1", "is weir bench server running there"},
		{"bench rr --kernel -4 -p 1 localhost", "127.0.0.1:1: connect: connection refused"},
		{"bench rr --kernel -t 5 127.0.0.1", "a unit is missing, as in 5s"},
		{"ping -c many 192.0.2.1", "not a whole number"},
		{"up --metrics 9100", "as in 127.0.0.1:9100"},
		{"bench server --host 0.0.0.0", "no single host's"},
		{"demo --size 0", "--size 0"},
		{"demo --size 5XB", "--size 5XB"},
		{"demo --timeout -1s", "--timeout"},
	}
	for _, tt := range tests {
		stdout, stderr, status := weir(t, strings.Fields(tt.line)...)
		if status != 1 {
			t.Errorf("weir %s: status %d, want 1", tt.line, status)
		}
		if !strings.Contains(stderr, tt.want) || !strings.HasPrefix(stderr, "weir: ") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("weir %s: stderr %q, want one line with %q", tt.line, stderr, tt.want)
		}
		if stdout != "" {
			t.Errorf("weir %s: stdout %q, want none", tt.line, stdout)
		}
	}
}

func TestErrorsOfSeveralLinesBecomeOne(t *testing.T) {
	err := errors.Join(errors.New("first"), errors.New("second\r\n  third\n"))
	if got, want := oneLine(err), "first; second; third"; got != want {
		t.Errorf("oneLine = %q, want %q", got, want)
	}
}

func TestUpHelpShowsAnExampleOfEveryFlag(t *testing.T) {
	help, _, status := weir(t, "up", "--help")
	if status != 0 {
		t.Fatalf("status %d", status)
	}
	_, rest, _ := strings.Cut(help, "Examples:")
	examples, flags, _ := strings.Cut(rest, "\nFlags:")
	for line := range strings.Lines(flags) {
		_, flag, ok := strings.Cut(line, "--")
		name, _, _ := strings.Cut(flag, " ")
		if ok && strings.HasPrefix(strings.TrimSpace(line), "--") && !strings.Contains(examples, "--"+name) {
			t.Errorf("no example of --%s", name)
		}
	}
	for _, name := range []string{"tun", "addr", "host-addr", "route", "mtu", "forward", "offload", "queues", "netns", "serve", "pcap", "metrics"} {
		if !strings.Contains(flags, "--"+name+" ") {
			t.Errorf("weir up has no --%s", name)
		}
	}
}

func TestDefaultsAreThoseThatTheHelpNames(t *testing.T) {
	cmd := newUp()
	if err := cmd.ParseFlags(nil); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"tun": "weir0", "addr": "192.0.2.2/24, 2001:db8:77::2/64", "host-addr": "192.0.2.1/24, 2001:db8:77::1/64",
		"mtu": "1500", "offload": "auto", "serve": "echo,discard,daytime,chargen", "queues": "1", "forward": "false",
	} {
		if got := cmd.Flag(name).DefValue; got != want {
			t.Errorf("--%s defaults to %s, want %s", name, got, want)
		}
	}
}

func TestVersionIsPrinted(t *testing.T) {
	stdout, _, status := weir(t, "version")
	if status != 0 || !strings.HasPrefix(stdout, "weir ") {
		t.Errorf("weir version: %q, status %d", stdout, status)
	}
}

func TestServicesAreFoundByName(t *testing.T) {
	for list, want := range map[string]string{
		"none": "", "": "", "echo": "echo", "daytime, echo,daytime": "daytime echo", "echo,dns": "echo dns", defaultServices: "echo discard daytime chargen",
	} {
		found, dns, err := parseServices(list)
		var names []string
		for _, s := range found {
			names = append(names, s.Name)
		}
		if dns {
			names = append(names, "dns")
		}
		if got := strings.Join(names, " "); got != want || err != nil {
			t.Errorf("--serve %q is %q (%v), want %q", list, got, err, want)
		}
	}
}
