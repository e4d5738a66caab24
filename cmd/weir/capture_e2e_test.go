package main_test

import (
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Parts of a filter for tshark.
const (
	outbound = "frame.packet_flags_direction == 2"
	anError  = "(icmp.type in {3, 11, 12} || icmpv6.type in {1, 2, 3, 4})"
)

// faulty selects the packets that must not be in a capture: malformed ones, and among those that
// weir sent ones with a wrong checksum. What the kernel sent is not weir's: its checksum in
// software may be 0xffff where tshark computes 0. An ICMP error may quote the beginning of a TCP
// segment, and tshark then misses the rest in the sum.
const faulty = "_ws.malformed || (" + outbound + " && (" +
	"ip.checksum.status == 0 || icmp.checksum.status == 0 || icmpv6.checksum.status == 0 || udp.checksum.status == 0" +
	" || (!" + anError + " && (tcp.checksum.status == 0 || _ws.expert.severity == error))))"

// faultyOfRouter is faulty without what a router passes on as it came: the kernel's own checksums, and
// its quotes of packets whose checksum was left to a device.
const faultyOfRouter = "(" + faulty + ") && !(tcp.checksum == 0xffff) && !(" + anError +
	" && !(ip.src in {192.0.2.2, 198.51.100.2} || ipv6.src in {2001:db8:77::2, 2001:db8:88::2}))"

// tshark reads a capture and returns what it prints. A warning fails the test.
func tshark(t testing.TB, file string, args ...string) string {
	t.Helper()
	args = append([]string{"-n", "-r", file,
		"-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
		// What octets might mean to an application is not the question: a port chosen at random may
		// be one of a protocol whose messages these are not.
		"-d", "tcp.port==1-65535,data", "-d", "udp.port==1-65535,data"}, args...)
	cmd := exec.Command(program(t, "tshark"), args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("tshark -r %s: %v\n%s", file, err, &errs)
	}
	for line := range strings.Lines(errs.String()) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "Running as user") {
			t.Errorf("tshark -r %s warns: %s", file, line)
		}
	}
	return out.String()
}

// checkCapture holds that tshark reads the capture and finds nothing in it that bad selects, and
// that it holds packets that every filter selects.
func checkCapture(t testing.TB, file, bad string, filters ...string) {
	t.Helper()
	if found := tshark(t, file, "-Y", bad); found != "" {
		t.Errorf("tshark finds fault with:\n%s", firstLines(found, 20))
	}
	if len(filters) == 0 {
		return
	}
	// One reading counts for all: a table of frames and octets, a pair for each filter.
	table := tshark(t, file, "-q", "-z", "io,stat,0,"+strings.Join(filters, ","))
	cells := statRow.FindStringSubmatch(table)
	if cells == nil {
		t.Fatalf("tshark -z io,stat prints another table:\n%s", table)
	}
	counts := strings.Split(cells[1], "|")
	for i, f := range filters {
		if n, err := strconv.Atoi(strings.TrimSpace(counts[2*i])); n == 0 || err != nil {
			t.Errorf("no packet in the capture is %s (%v)", f, err)
		}
	}
}

// statRow is the one row of the table: "| 0.0 <> 7.6 | frames | octets | frames | octets …".
var statRow = regexp.MustCompile(`(?m)^\| *[0-9.]+ <> *[0-9.]+ *\|(.*)\|$`)

func firstLines(s string, n int) string {
	lines := strings.SplitAfterN(s, "\n", n+1)
	if len(lines) > n {
		lines[n] = "… and " + strconv.Itoa(strings.Count(lines[n], "\n")) + " more\n"
	}
	return strings.Join(lines, "")
}
