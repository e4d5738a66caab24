package server_test

import (
	"bytes"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
)

// page is a writer that may be read meanwhile.
type page struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

func TestQueriesAreLogged(t *testing.T) {
	var text, records page
	l := newLab(t, server.Config{QueryLog: server.QueryLog{Writer: &text, Logger: slog.New(slog.NewTextHandler(&records, nil))}})
	c := l.dial("udp", serverAddr)
	ask(t, c, withEDNS(query("direct.example.", msg.TypeA), 1232))
	ask(t, c, query("big.example.", msg.TypeTXT))
	l.stop()
	want := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 192\.0\.2\.1#\d+ udp direct\.example\. IN A \+E NOERROR 59 -
\S+ 192\.0\.2\.1#\d+ udp big\.example\. IN TXT \+T NOERROR \d+ \S+s
$`)
	if !want.MatchString(text.String()) {
		t.Errorf("the log is\n%s", text.String())
	}
	if got := records.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "name=direct.example. class=IN type=A flags=+E rcode=NOERROR") {
		t.Errorf("the records are\n%s", got)
	}
}

func TestQueryLogIsSampled(t *testing.T) {
	var text page
	l := newLab(t, server.Config{QueryLog: server.QueryLog{Writer: &text, Sample: 10}})
	c := l.dial("udp", serverAddr)
	for range 100 {
		ask(t, c, query("direct.example.", msg.TypeA))
	}
	l.stop()
	if n := strings.Count(text.String(), "\n"); n != 10 {
		t.Errorf("%d lines for 100 queries", n)
	}
}

// stuck is a disk that is full.
type stuck chan struct{}

func (s stuck) Write(p []byte) (int, error) {
	<-s
	return len(p), nil
}

func TestLogThatIsStuckHoldsNobodyUp(t *testing.T) {
	disk := make(stuck)
	l := newLab(t, server.Config{QueryLog: server.QueryLog{Writer: disk}})
	c := l.dial("udp", serverAddr)
	for range 6000 {
		ask(t, c, query("direct.example.", msg.TypeA))
	}
	if s := l.srv.Snapshot(); s.Dropped["log"] == 0 || s.Answered() != 6000 {
		t.Errorf("counted: %+v", s)
	}
	close(disk)
}

// In a bubble no answer takes any time.
func TestMetricsAreOfPrometheusFormat(t *testing.T) { synctest.Test(t, metricsAreOfPrometheusFormat) }

func metricsAreOfPrometheusFormat(t *testing.T) {
	l := newLab(t, server.Config{Cache: func() (uint64, uint64) { return 3, 1 }})
	c := l.dial("udp", "[2001:db8::2]:53")
	ask(t, c, query("other.example.", msg.TypeMX))
	ask(t, c, query("direct.example.", msg.TypeA))
	l.stop() // neither of two is timed in the receive path
	s := l.srv.Snapshot()
	var b strings.Builder
	if err := s.WritePrometheus(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`weir_dns_queries_total{type="MX",transport="udp",family="ipv6"} 1`, `weir_dns_messages_total{opcode="query"} 2`,
		`weir_dns_answers_total{rcode="nxdomain"} 1`, `weir_dns_answers_direct_total 1`, `weir_dns_cache_hit_ratio 0.750000`,
		`weir_dns_latency_seconds_bucket{le="+Inf"} 1`, `weir_dns_latency_seconds_count 1`, `weir_dns_latency_seconds_bucket{le="0.0005"} `,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %s in\n%s", want, b.String())
		}
	}
	line := regexp.MustCompile(`^([a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+|# (HELP|TYPE) [a-z_]+ .+)$`)
	for _, l := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		if !line.MatchString(l) {
			t.Errorf("line %q is not of the format", l)
		}
	}
	last := ""
	s.Each(func(name string, _ uint64) {
		if name <= last {
			t.Errorf("%s comes after %s", name, last)
		}
		last = name
	})
	if q := s.Latency.Quantile(0.5); q <= 0 || q > time.Millisecond {
		t.Errorf("the median is %v", q)
	}
}
