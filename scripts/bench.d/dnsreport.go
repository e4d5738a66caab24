package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
)

// dnsRows are the figures of the tests, in the order of the table.
var dnsRows = []struct{ test, key, title, unit string }{
	{"window", "value", "answers, 128 queries on their way", "per s"},
	{"window", "cpu", "– processor time", "µs each"},
	{"flood", "value", "answers, flood", "per s"},
	{"flood", "lost", "– without an answer", "%"},
	{"pace", "p50", "latency at 50,000 queries per s, median", "µs"},
	{"pace", "p99", "– p99", "µs"},
	{"pace", "lost", "– without an answer", "%"},
	{"dnsperf", "value", "dnsperf, 128 on their way", "per s"},
	{"dnsperf", "mean", "– mean latency", "µs"},
	{"resperf", "value", "resperf, most", "per s"},
	{"zonemem", "value", "memory with a zone of %d names", "MB"},
	{"zonemem", "each", "– for each name", "octets"},
	{"cachemem", "value", "memory with a cache of %d entries", "MB"},
	{"cachemem", "each", "– for each entry", "octets"},
	{"cachemem", "held", "– of them in it", "%"},
}

// print writes the table, and what weir is beside the others.
func (b *dnsBench) print() {
	fmt.Printf("\n`%s`, %s, %d × %s, Linux %s, %s; a zone of %d hosts, %d of them asked for;\nmedian of %d rounds of %g s (least–most):\n\n",
		b.command, time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), cpuModel(), firstLine("/proc/sys/kernel/osrelease"), runtime.Version(), b.hosts, b.asked, b.rounds, b.seconds)
	table := rows{{"", "unit"}}
	for _, w := range b.who {
		table[0] = append(table[0], dnsTitles[w])
	}
	for _, row := range dnsRows {
		if !slices.Contains(b.what, row.test) {
			continue
		}
		title := row.title
		if row.key == "value" && (row.test == "zonemem" || row.test == "cachemem") {
			title = fmt.Sprintf(title, b.names)
		}
		line := []string{title, row.unit}
		for _, w := range b.who {
			line = append(line, b.cell(w, row.test, row.key))
		}
		table = append(table, line)
	}
	write := rows.align
	if b.markdown {
		write = rows.markdown
	}
	write(table, os.Stdout)
	fmt.Println()
	for _, test := range []string{"window", "flood", "dnsperf", "resperf"} {
		b.ratio(test, "weir", "echo", 0.8)
		b.ratio(test, "weir", "nsd", 1)
		b.ratio(test, "cache", "unbound", 1)
	}
	for _, e := range b.errors {
		fmt.Println("failed:", e)
	}
}

// ratio prints one goal.
func (b *dnsBench) ratio(test, who, of string, least float64) {
	x, ok1 := b.median(who, test, "value")
	y, ok2 := b.median(of, test, "value")
	if ok1 && ok2 {
		fmt.Printf("%s: %s ÷ %s: %.2f (at least %g: %v)\n", test, dnsTitles[who], dnsTitles[of], x/y, least, x/y >= least)
	}
}

func (b *dnsBench) values(who, test, key string) (v []float64) {
	for _, s := range b.results[test][who] {
		if f, ok := s[key]; ok {
			v = append(v, f)
		}
	}
	slices.Sort(v)
	return v
}

func (b *dnsBench) median(who, test, key string) (float64, bool) {
	v := b.values(who, test, key)
	n := len(v)
	if n == 0 {
		return 0, false
	}
	return (v[(n-1)/2] + v[n/2]) / 2, true
}

func (b *dnsBench) cell(who, test, key string) string {
	v := b.values(who, test, key)
	m, ok := b.median(who, test, key)
	switch {
	case !ok:
		return "–"
	case key != "value" || v[0] == v[len(v)-1]:
		return number(m)
	}
	return fmt.Sprintf("%s (%s–%s)", number(m), number(v[0]), number(v[len(v)-1]))
}
