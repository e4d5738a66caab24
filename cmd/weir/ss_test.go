package main

import (
	"encoding/json"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/cmd/weir/internal/control"
	"github.com/weirnet/weir/stack"
)

var testConns = []stack.ConnInfo{
	{
		Protocol: "tcp", State: "ESTABLISHED", RecvQ: 3, SendQ: 70000,
		Local: netip.MustParseAddrPort("192.0.2.2:7"), Remote: netip.MustParseAddrPort("192.0.2.1:40000"),
		Cwnd: 14480, SSThresh: 1 << 30, MSS: 1448, SRTT: 41234 * time.Nanosecond, RTO: 200041 * time.Microsecond, Retransmits: 2,
	},
	{Protocol: "tcp", State: "LISTEN", SendQ: 4096, Local: netip.MustParseAddrPort("[2001:db8:77::2]:7")},
	{Protocol: "udp", State: "UNCONNECTED", Local: netip.MustParseAddrPort("192.0.2.2:7")},
}

func TestConnectionsAsATable(t *testing.T) {
	var b strings.Builder
	if _, err := connTable(testConns).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	want := `PROTO  STATE        RECV-Q  SEND-Q  LOCAL               PEER              CWND  SSTHRESH    SRTT    RTO  RETRANS
tcp    ESTABLISHED       3   70000  192.0.2.2:7         192.0.2.1:40000  14480         -  41.2µs  200ms        2
tcp    LISTEN            0    4096  [2001:db8:77::2]:7  *
udp    UNCONNECTED       0       0  192.0.2.2:7         *
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// listen answers as a running weir does, where weir ss finds it.
func listen(t *testing.T) (path string) {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	path, err := control.DefaultPath("weir0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := control.Listen(path, control.Handlers{
		"connections": func(json.RawMessage) (any, error) { return testConns, nil },
		"stats": func(json.RawMessage) (any, error) {
			return map[string]uint64{"tcp.drop.checksum": 0, "tcp.segments.in": 1 << 60, "udp.in": 12}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return path
}

func TestRunningWeirIsAsked(t *testing.T) {
	path := listen(t)
	tests := []struct{ line, want string }{
		{"stats", "COUNTER                          VALUE\ntcp.drop.checksum                    0\ntcp.segments.in    1152921504606846976\nudp.in                              12\n"},
		{"stats --nonzero udp", "COUNTER  VALUE\nudp.in      12\n"},
		{"stats --json tcp.", "{\n  \"tcp.drop.checksum\": 0,\n  \"tcp.segments.in\": 1152921504606846976\n}\n"},
		{"stats --json --control " + path + " udp", "{\n  \"udp.in\": 12\n}\n"},
	}
	for _, tt := range tests {
		stdout, stderr, status := weir(t, strings.Fields(tt.line)...)
		if stdout != tt.want || status != 0 {
			t.Errorf("weir %s printed\n%s(%s, status %d), want\n%s", tt.line, stdout, stderr, status, tt.want)
		}
	}
	stdout, _, _ := weir(t, "ss")
	if !strings.Contains(stdout, "192.0.2.1:40000") {
		t.Errorf("weir ss printed\n%s", stdout)
	}
	stdout, _, _ = weir(t, "ss", "--json")
	if !strings.Contains(stdout, `"retransmits": 2`) {
		t.Errorf("weir ss --json printed\n%s", stdout)
	}
	if filepath.Base(filepath.Dir(path)) != "weir" {
		t.Errorf("the socket is at %s", path)
	}
}

func TestTimesAreBrief(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "-", 1: "1ns", 41234: "41.2µs", 999999: "1ms", 200041 * time.Microsecond: "200ms",
		1234567 * time.Microsecond: "1.23s", 75 * time.Second: "1m15s",
	} {
		if got := brief(d); got != want {
			t.Errorf("brief(%d) = %s, want %s", d, got, want)
		}
	}
}

func TestConnectionsAreChosenByStateAndEnds(t *testing.T) {
	for _, tt := range []struct {
		f    ssFlags
		want []int // of testConns
	}{
		{ssFlags{}, []int{0, 1, 2}},
		{ssFlags{states: []string{"established", "LISTEN"}}, []int{0, 1}},
		{ssFlags{local: ":7"}, []int{0, 1, 2}},
		{ssFlags{local: "192.0.2.2"}, []int{0, 2}},
		{ssFlags{local: "[2001:db8:77::2]:7"}, []int{1}},
		{ssFlags{remote: ":0"}, nil},
		{ssFlags{remote: "192.0.2.1:40000", states: []string{"listen"}}, nil},
	} {
		got, err := tt.f.choose(testConns)
		if err != nil {
			t.Errorf("%+v: %v", tt.f, err)
		}
		ok := len(got) == len(tt.want)
		for i := range got {
			ok = ok && got[i] == testConns[tt.want[i]]
		}
		if !ok {
			t.Errorf("%+v chooses %v", tt.f, got)
		}
	}
}

func TestKillSaysWhichConnections(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	var asked string
	s, err := control.Listen(path, control.Handlers{
		"connections": func(json.RawMessage) (any, error) { return testConns, nil },
		"abort":       func(arg json.RawMessage) (any, error) { asked = string(arg); return 1, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stdout, stderr, status := weir(t, "ss", "--control", path, "--kill", "--local", "192.0.2.2")
	want := `[{"local":"192.0.2.2:7","remote":"192.0.2.1:40000"}]`
	if status != 0 || stdout != "1 aborted\n" || asked != want {
		t.Errorf("status %d, stdout %q, stderr %q, asked %s, want %s", status, stdout, stderr, asked, want)
	}
}
