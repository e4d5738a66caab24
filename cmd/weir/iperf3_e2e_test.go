package main_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// iperf3Result is what is read of iperf3's JSON.
type iperf3Result struct {
	Error string `json:"error"`
	End   struct {
		SumReceived struct {
			Bytes         float64 `json:"bytes"`
			BitsPerSecond float64 `json:"bits_per_second"`
		} `json:"sum_received"`
		Sum struct { // of UDP
			Packets     int     `json:"packets"`
			LostPercent float64 `json:"lost_percent"`
		} `json:"sum"`
	} `json:"end"`
}

// TestIperf3RunsThroughARouterThatIsWeir runs iperf3 from one kernel to another by way of weir: it uses
// kernel sockets at both ends, so this is how it measures weir.
func TestIperf3RunsThroughARouterThatIsWeir(t *testing.T) {
	path := program(t, "iperf3")
	for _, k := range links[:2] {
		t.Run("offload "+k.left+" to offload "+k.right, func(t *testing.T) {
			r := newRouted(t, k.left, k.right, k.mtu)
			for _, f := range far {
				t.Run(f.name, func(t *testing.T) {
					beyond := r.beyond.in(t)
					server := command(path, "-s", "-B", f.host, "--forceflush")
					out, w, err := os.Pipe()
					must(t, err)
					beyond.open.keep(out)
					server.Stdout = w
					beyond.start(server)
					w.Close()
					lines := bufio.NewScanner(out)
					for _, args := range [][]string{{}, {"-R"}, {"-P", "4", "--bidir"}, {"-u", "-b", "1M", "-l", "500", "-k", "120"}} {
						// It listens anew after each test: who connects before that is reset.
						must(t, out.SetReadDeadline(time.Now().Add(patience)))
						for lines.Scan() && !strings.Contains(lines.Text(), "listening") {
						}
						must(t, lines.Err())
						iperf3(r.lab.in(t), f.host, args...)
					}
				})
			}
			r.idle(t)
			r.stopRouter()
		})
	}
}

// iperf3 runs a client until it has sent an amount, and holds that octets came through. An amount, for a time may
// be over before a process that was not given a processor has done anything.
func iperf3(l *lab, host string, args ...string) {
	l.t.Helper()
	all := append([]string{"-c", host, "-J", "--connect-timeout", "20000"}, args...)
	udp := len(args) > 0 && args[0] == "-u"
	if !udp {
		all = append(all, "-n", "32M")
	}
	res := l.run("", "iperf3", all...)
	var got iperf3Result
	err := json.Unmarshal([]byte(res.stdout), &got)
	switch {
	case err != nil || res.status != 0 || got.Error != "":
		l.t.Errorf("iperf3 %s: %v %q\n%v", strings.Join(all, " "), err, got.Error, res)
	case udp: // so few that the default buffer of the receiver's socket holds them all
		if got.End.Sum.Packets < 100 || got.End.Sum.LostPercent > 5 {
			l.t.Errorf("iperf3 %s: %d datagrams, %.1f %% lost", strings.Join(all, " "), got.End.Sum.Packets, got.End.Sum.LostPercent)
		}
	case got.End.SumReceived.Bytes < 1<<20:
		l.t.Errorf("iperf3 %s: %.0f octets came through", strings.Join(all, " "), got.End.SumReceived.Bytes)
	default:
		l.t.Logf("iperf3 %s: %.2f Gbit/s", strings.Join(all, " "), got.End.SumReceived.BitsPerSecond/1e9)
	}
}
