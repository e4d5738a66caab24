package metrics

import (
	"bufio"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/stack"
)

func testSnapshot() Snapshot {
	return Snapshot{
		Version: `v0 "quoted"`,
		Uptime:  1500 * time.Millisecond,
		Counters: stack.Stats{
			{Name: "held.timers", Value: 5},
			{Name: "ip.drop.header_checksum", Value: 2},
			{Name: "ip.drop.version", Value: 1},
			{Name: "tcp.retransmit.timeout", Value: 3},
			{Name: "tcp.segments.in", Value: 1 << 60},
			{Name: "app.echo.udp.drop.service", Value: 4},
			{Name: "app.chargen.udp.drop.service", Value: 6},
			{Name: "link.weir0.frames_in", Value: 7},
			{Name: "link.a.b.drop.down", Value: 8},
		},
		Connections: []stack.ConnInfo{
			{Protocol: "tcp", State: "ESTABLISHED"},
			{Protocol: "tcp", State: "LISTEN"},
			{Protocol: "tcp", State: "ESTABLISHED"},
		},
	}
}

const wantText = `# HELP weir_build_info The running version; always 1.
# TYPE weir_build_info gauge
weir_build_info{version="v0 \"quoted\""} 1
# HELP weir_uptime_seconds How long the stack has run.
# TYPE weir_uptime_seconds gauge
weir_uptime_seconds 1.500
# HELP weir_connections Sockets, by protocol and state.
# TYPE weir_connections gauge
weir_connections{protocol="tcp",state="ESTABLISHED"} 2
weir_connections{protocol="tcp",state="LISTEN"} 1
# HELP weir_app_udp_drop_total Dropped by app udp, by reason.
# TYPE weir_app_udp_drop_total counter
weir_app_udp_drop_total{service="chargen",reason="service"} 6
weir_app_udp_drop_total{service="echo",reason="service"} 4
# HELP weir_held_timers Held at the moment: timers.
# TYPE weir_held_timers gauge
weir_held_timers 5
# HELP weir_ip_drop_total Dropped by ip, by reason.
# TYPE weir_ip_drop_total counter
weir_ip_drop_total{reason="header_checksum"} 2
weir_ip_drop_total{reason="version"} 1
# HELP weir_link_drop_total Dropped by link, by reason.
# TYPE weir_link_drop_total counter
weir_link_drop_total{interface="a.b",reason="down"} 8
# HELP weir_link_frames_in_total Counted since the start: link frames in.
# TYPE weir_link_frames_in_total counter
weir_link_frames_in_total{interface="weir0"} 7
# HELP weir_tcp_retransmit_timeout_total Counted since the start: tcp retransmit timeout.
# TYPE weir_tcp_retransmit_timeout_total counter
weir_tcp_retransmit_timeout_total 3
# HELP weir_tcp_segments_in_total Counted since the start: tcp segments in.
# TYPE weir_tcp_segments_in_total counter
weir_tcp_segments_in_total 1152921504606846976
`

func TestTextFormat(t *testing.T) {
	var b strings.Builder
	if err := Write(&b, testSnapshot()); err != nil {
		t.Fatal(err)
	}
	if b.String() != wantText {
		t.Errorf("got\n%swant\n%s", b.String(), wantText)
	}
}

// The grammar of a line, from Prometheus' description of its exposition formats.
var (
	sampleLine = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\\\|\\"|\\n)*",?)*\})? [0-9.]+$`)
	metaLine   = regexp.MustCompile(`^# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .+$`)
)

func TestEveryLineIsOfTheGrammarAndEveryFamilyIsOneBlock(t *testing.T) {
	var b strings.Builder
	if err := Write(&b, testSnapshot()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for lines := bufio.NewScanner(strings.NewReader(b.String())); lines.Scan(); {
		line := lines.Text()
		if !sampleLine.MatchString(line) && !metaLine.MatchString(line) {
			t.Errorf("line %q is not of the format", line)
		}
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, _, _ = strings.Cut(name, " ")
			if seen[name] {
				t.Errorf("family %s has two blocks", name)
			}
			seen[name] = true
		}
	}
}

func TestServedOverHTTPUntilClosed(t *testing.T) {
	s, err := Listen("127.0.0.1:0", testSnapshot)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: time.Minute}
	resp, err := client.Get("http://" + s.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || string(body) != wantText || resp.Header.Get("Content-Type") != contentType {
		t.Errorf("GET /metrics = %q (%s), %v", body, resp.Header.Get("Content-Type"), err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	client.CloseIdleConnections()
	if resp, err := client.Get("http://" + s.Addr().String() + "/metrics"); err == nil {
		resp.Body.Close()
		t.Error("the server still answers after Close")
	}
}

func TestAddressInUseIsOneLine(t *testing.T) {
	s, err := Listen("127.0.0.1:0", testSnapshot)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = Listen(s.Addr().String(), testSnapshot)
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "--metrics ") {
		t.Errorf("Listen on an address in use = %v", err)
	}
}
