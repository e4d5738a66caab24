package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// test is one measurement.
type test struct {
	name  string // as on the command line
	conns int
	kind  *kind
}

// kind is what tests have in common that differ in the number of connections.
type kind struct {
	prefix, title, unit, costUnit string
	run                           func(c *client, conns int, d time.Duration) (uint64, time.Duration, error)
	value                         func(count uint64, d time.Duration) float64
	cost                          func(count uint64, cpu time.Duration) float64
}

func gigabits(octets uint64, d time.Duration) float64 { return float64(octets) * 8 / 1e9 / d.Seconds() }

func secondsPerGigabyte(octets uint64, cpu time.Duration) float64 {
	return cpu.Seconds() / (float64(octets) / 1e9)
}

func perSecond(n uint64, d time.Duration) float64 { return float64(n) / d.Seconds() }

func microsecondsEach(n uint64, cpu time.Duration) float64 { return cpu.Seconds() * 1e6 / float64(n) }

var kinds = []*kind{
	{"to", "bulk to the stack", "Gbit/s", "s/GB", (*client).bulkTo, gigabits, secondsPerGigabyte},
	{"from", "bulk from the stack", "Gbit/s", "s/GB", (*client).bulkFrom, gigabits, secondsPerGigabyte},
	{"rr", "1-byte requests", "per s", "µs each", (*client).requests, perSecond, microsecondsEach},
}

// parseTest reads a kind and a number of connections, such as to8.
func parseTest(s string) (test, error) {
	for _, k := range kinds {
		number, ok := strings.CutPrefix(s, k.prefix)
		if n, err := strconv.Atoi(number); ok && err == nil && n > 0 && n <= 1000 {
			return test{s, n, k}, nil
		}
	}
	return test{}, fmt.Errorf("--tests: there is no %q: say to, from or rr and a number of connections", s)
}

// title says what the test is.
func (t *test) title() string {
	plural := "s"
	if t.conns == 1 {
		plural = ""
	}
	return fmt.Sprintf("%s, %d connection%s", t.kind.title, t.conns, plural)
}

// sample is one result.
type sample struct {
	Value float64 `json:"value"` // in the kind's unit
	Cost  float64 `json:"cost"`  // processor time, in the kind's unit of cost
}

// measure runs one test against a contender.
func measure(c *client, p *process, t test, d time.Duration) (sample, error) {
	before, err := p.cpu()
	if err != nil {
		return sample{}, err
	}
	count, took, err := t.kind.run(c, t.conns, d)
	if err != nil {
		return sample{}, err
	}
	if count == 0 {
		return sample{}, fmt.Errorf("nothing got through in %v", took)
	}
	after, err := p.cpu()
	return sample{t.kind.value(count, took), t.kind.cost(count, after-before)}, err
}
