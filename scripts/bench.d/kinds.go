package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// test is one measurement.
type test struct {
	name  string // as on the command line
	conns int    // or whatever its number says
	kind  *kind
}

// kind is what tests have in common that differ in the number of connections.
type kind struct {
	prefix, title string
	maximum       int // of the number; 0: it has none
	// parts is into how many samples a round's time is divided where there is one connection only.
	parts int
	// once says that the first round is enough, for what does not differ from round to round.
	once    bool
	metrics []metric
	// One of the two measures. run is a client that is timed. special does all on its own.
	run     func(c *client, conns int, d time.Duration) (outcome, error)
	special func(b *bench, p *process, c *contender, conns int) (sample, error)
	// only says who takes part; nil is everybody.
	only func(c *contender) bool
}

// metric is one figure of a test: a row of the table.
type metric struct {
	key, title, unit string
	lower            bool // is better
	process          bool // it is known of the contender's own process only, not of a kernel
	derive           func(o outcome, u usage) float64
}

// usage is what a contender used meanwhile.
type usage struct {
	cpu         time.Duration // user and system
	allocations uint64
	calls       uint64 // of the system; see callsOf
}

// callsKey is the key of the metrics that are counted apart from what is timed.
const callsKey = "calls"

var (
	throughput = metric{key: "value", unit: "Gbit/s", derive: func(o outcome, _ usage) float64 { return float64(o.count) * 8 / 1e9 / o.took.Seconds() }}
	cpuPerGB   = metric{key: "cpu", title: "processor time", unit: "s/GB", lower: true, process: true, derive: func(o outcome, u usage) float64 { return u.cpu.Seconds() / float64(o.count) * 1e9 }}
	callsPerGB = metric{key: callsKey, title: "system calls", unit: "per GB", lower: true, derive: func(o outcome, u usage) float64 { return float64(u.calls) / float64(o.count) * 1e9 }}
	perSecond  = metric{key: "value", unit: "per s", derive: func(o outcome, _ usage) float64 { return float64(o.count) / o.took.Seconds() }}
	cpuEach    = metric{key: "cpu", title: "processor time", unit: "µs each", lower: true, process: true, derive: func(o outcome, u usage) float64 { return u.cpu.Seconds() * 1e6 / float64(o.count) }}
	allocsEach = metric{key: "allocs", title: "allocations", unit: "each", lower: true, process: true, derive: func(o outcome, u usage) float64 { return float64(u.allocations) / float64(o.count) }}
	callsEach  = metric{key: callsKey, title: "system calls", unit: "each", lower: true, derive: func(o outcome, u usage) float64 { return float64(u.calls) / float64(o.count) }}
	lost       = metric{key: "lost", title: "without an answer", unit: "%", lower: true, derive: func(o outcome, _ usage) float64 { return 100 * (1 - float64(o.count)/float64(o.sent)) }}
)

var (
	bulkMetrics    = []metric{throughput, cpuPerGB, callsPerGB}
	requestMetrics = []metric{perSecond, cpuEach, allocsEach, callsEach}
)

// kinds is made in init, for what a kind runs names others.
var kinds []*kind

func init() {
	kinds = []*kind{
		{prefix: "to", title: "bulk to the stack, %d stream%s", maximum: 1000, metrics: bulkMetrics, run: (*client).bulkTo},
		{prefix: "from", title: "bulk from the stack, %d stream%s", maximum: 1000, metrics: bulkMetrics, run: (*client).bulkFrom},
		{prefix: "rr", title: "1-byte requests, %d connection%s", maximum: 1000, metrics: requestMetrics, parts: 10, run: (*client).requests},
		{prefix: "crr", title: "connect, 1-byte request, close; %d at a time", maximum: 1000, metrics: requestMetrics, run: (*client).churn},
		{prefix: "udpflood", title: "UDP requests of 64 bytes, flood", metrics: []metric{perSecond, lost, cpuEach, allocsEach, callsEach}, run: (*client).flood},
		{prefix: "udp", title: "UDP requests of 64 bytes, %d in flight", maximum: 1000, metrics: requestMetrics, run: (*client).inFlight},
		{prefix: "mem", title: "memory for each of %d idle connections", maximum: 1_000_000, once: true, special: (*bench).idleMemory, only: func(c *contender) bool { return c.idle != 0 },
			metrics: []metric{{key: "value", unit: "octets", lower: true}, {key: "peak", title: "before its garbage is collected", unit: "octets", lower: true}}},
		{prefix: "size", title: "smallest TCP and UDP echo program, stripped", once: true, special: (*bench).sizes, only: func(c *contender) bool { return c.program != "" },
			metrics: []metric{{key: "value", unit: "MB", lower: true}}},
		{prefix: "start", title: "from the start of weir up until it is ready", special: (*bench).starts, only: func(c *contender) bool { return c.name == "weir" },
			metrics: []metric{{key: "value", unit: "ms", lower: true}}},
	}
}

// parseTest reads a kind and maybe a number, such as to8.
func parseTest(s string) (test, error) {
	for _, k := range kinds {
		number, ok := strings.CutPrefix(s, k.prefix)
		switch n, err := strconv.Atoi(number); {
		case !ok:
		case number == "" && k.maximum == 0:
			return test{s, 0, k}, nil
		case err == nil && n > 0 && n <= k.maximum:
			return test{s, n, k}, nil
		}
	}
	return test{}, fmt.Errorf("--tests: there is no %q: say some of %s", s, allTests)
}

// title says what the test is.
func (t *test) title() string {
	switch strings.Count(t.kind.title, "%") {
	case 0:
		return t.kind.title
	case 1:
		return fmt.Sprintf(t.kind.title, t.conns)
	}
	plural := "s"
	if t.conns == 1 {
		plural = ""
	}
	return fmt.Sprintf(t.kind.title, t.conns, plural)
}

// metric returns the kind's metric of a key.
func (k *kind) metric(key string) metric {
	i := slices.IndexFunc(k.metrics, func(m metric) bool { return m.key == key })
	return k.metrics[i]
}

// metrics are those that are shown: the shares of a profile on request.
func (t *test) metrics(o *options) []metric {
	if !o.profile || t.kind.run == nil {
		return t.kind.metrics
	}
	return slices.Concat(t.kind.metrics, profileMetrics)
}
