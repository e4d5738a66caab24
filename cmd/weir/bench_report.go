package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/weirnet/weir/apps/bench"
	"github.com/weirnet/weir/apps/bench/hist"
	"github.com/weirnet/weir/cmd/weir/internal/table"
)

// rateText is bits per second for people.
func rateText(bits float64) string {
	for _, u := range []struct {
		from float64
		unit string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "K"}} {
		if bits >= u.from {
			return fmt.Sprintf("%.3g%s", bits/u.from, u.unit)
		}
	}
	return fmt.Sprintf("%.3g", bits)
}

// latencyText is a duration with three digits.
func latencyText(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Nanosecond).String()
}

// progressLine is what is said of an interval.
func progressLine(p *bench.Params, i bench.Interval) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%6.1f s ", i.End)
	if p.Direction == "" {
		fmt.Fprintf(&b, " %.0f/s  p50 %s  p99 %s", i.Rate, latencyText(i.P50), latencyText(i.P99))
		return b.String()
	}
	if p.Direction != bench.From {
		fmt.Fprintf(&b, " to %sbit/s", rateText(i.To))
	}
	if p.Direction != bench.To {
		fmt.Fprintf(&b, " from %sbit/s", rateText(i.From))
	}
	return b.String()
}

// printReport prints the result of a test.
func printReport(w io.Writer, r *bench.Report) error {
	p := &r.Params
	head := fmt.Sprintf("%s: %d at a time, %.2f s", p.Test, p.Streams, r.Seconds)
	if r.Interrupted {
		head += " (interrupted)"
	}
	if _, err := fmt.Fprintln(w, head); err != nil {
		return err
	}
	var t table.Table
	switch {
	case r.Rate != nil:
		rateTable(&t, r.Rate)
	case p.Test == bench.Bulk:
		bulkTable(&t, r)
	default:
		datagramTable(&t, r)
	}
	if _, err := t.WriteTo(w); err != nil {
		return err
	}
	if r.Rate != nil {
		if err := printFailures(w, r.Rate); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "processor time: client %.2f s, server %.2f s\n", r.ClientCPU, r.ServerCPU)
	return err
}

func rateTable(t *table.Table, r *bench.Rate) {
	t.Column("", table.Left)
	for _, head := range []string{"count", "per s", "min", "mean", "p50", "p90", "p99", "p99.9", "max"} {
		t.Column(head, table.Right)
	}
	row := func(name string, rate string, s hist.Summary) {
		cells := []string{name, fmt.Sprint(s.Count), rate}
		for _, d := range []time.Duration{s.Min, s.Mean, s.P50, s.P90, s.P99, s.P999, s.Max} {
			cells = append(cells, latencyText(d))
		}
		t.Row(cells...)
	}
	row("all", fmt.Sprintf("%.0f", r.PerSecond), r.Latency)
	if r.Connect.Count > 0 {
		row("connect", "", r.Connect)
	}
}

func printFailures(w io.Writer, r *bench.Rate) (err error) {
	if r.Lost > 0 {
		_, err = fmt.Fprintf(w, "%d requests were not answered\n", r.Lost)
	}
	if r.Errors > 0 && err == nil {
		_, err = fmt.Fprintf(w, "%d connections failed, the first so: %s\n", r.Errors, r.Error)
	}
	return err
}

// directions calls f for each way that was measured.
func directions(r *bench.Report, f func(name string, t *bench.Throughput)) {
	if r.To != nil {
		f("to the server", r.To)
	}
	if r.From != nil {
		f("from the server", r.From)
	}
}

func bulkTable(t *table.Table, r *bench.Report) {
	t.Column("", table.Left)
	t.Column("octets", table.Right)
	t.Column("bit/s", table.Right)
	directions(r, func(name string, d *bench.Throughput) {
		t.Row(name, fmt.Sprint(d.Octets), rateText(d.BitsPerSecond))
	})
}

func datagramTable(t *table.Table, r *bench.Report) {
	t.Column("", table.Left)
	for _, head := range []string{"sent", "received", "bit/s", "lost", "", "late", "twice", "jitter"} {
		t.Column(head, table.Right)
	}
	directions(r, func(name string, d *bench.Throughput) {
		c := d.Datagrams
		t.Row(name, fmt.Sprint(c.Sent), fmt.Sprint(c.Received), rateText(d.BitsPerSecond),
			fmt.Sprint(d.Lost), fmt.Sprintf("%.2f %%", d.LostPercent), fmt.Sprint(c.Reordered), fmt.Sprint(c.Duplicates), latencyText(c.Jitter))
	})
}
