package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

// rows is a table: the first is its head.
type rows [][]string

// opponents are whom the ratios are to.
var opponents = []string{"gvisor-best", "kernel", "ceiling"}

// print writes the report for a terminal, or as Markdown.
func (r *report) print(w io.Writer, markdown bool) {
	table := rows.align
	if markdown {
		table = rows.markdown
	}
	fmt.Fprintf(w, "\n`%s`, %s, %d × %s, Linux %s, %s, gVisor %s, MTU %d; client: the kernel's TCP, %s;\n", r.Command, r.Time.Format(time.DateOnly), r.CPUs, r.CPU, r.Kernel, r.Go, r.GVisor, r.MTU, r.Congestion)
	fmt.Fprintf(w, "median of %d rounds of %g s (least–most):\n\n", r.Rounds, r.Seconds)
	table(r.figures(), w)
	if r.Syscalls != "" {
		fmt.Fprintln(w, "\nSystem calls are", r.Syscalls)
	}
	if goals := r.goalRows(); len(goals) > 1 {
		fmt.Fprint(w, "\nThe goals:\n\n")
		table(goals, w)
	}
	if _, err := os.Stat(filepath.Join(r.options.source, "scripts/scale")); err == nil {
		fmt.Fprint(w, "\nA million idle connections, with their memory, pauses of the collector and processor time: scripts/scale.\n")
	}
	for _, e := range r.Errors {
		fmt.Fprintln(w, "failed:", e)
	}
}

// figures has a row for each metric of each test.
func (r *report) figures() rows {
	head := []string{"", "unit"}
	for _, c := range r.options.contenders {
		head = append(head, c.title)
	}
	faces := r.faces()
	for _, f := range faces {
		head = append(head, f.title+" ÷ gVisor best, Linux, ceiling")
	}
	table := rows{head}
	for _, t := range r.options.tests {
		for i, m := range t.metrics(r.options) {
			title := t.title()
			if i > 0 {
				title = "– " + m.title
			}
			row := []string{title, m.unit}
			for _, c := range r.options.contenders {
				row = append(row, r.cell(c.name, t.name, m.key, i == 0))
			}
			for _, f := range faces {
				row = append(row, r.ratios(f.name, t.name, m.key))
			}
			table = append(table, row)
		}
	}
	return table
}

// faces are those of weir that the goals are about.
func (r *report) faces() (list []*contender) {
	for _, c := range r.options.contenders {
		if c.name == "weir" || c.name == "weir-events" {
			list = append(list, c)
		}
	}
	return list
}

func (r *report) cell(contender, test, key string, spread bool) string {
	median, least, most, ok := r.find(contender, test).spread(key)
	if !ok {
		return "–"
	}
	if !spread || least == most {
		return number(median)
	}
	return fmt.Sprintf("%s (%s–%s)", number(median), number(least), number(most))
}

func (r *report) ratios(contender, test, key string) string {
	if key == allocsEach.key || key == lost.key || isShare(key) {
		return "" // next to nothing, by next to nothing; or shares of different wholes
	}
	var list []string
	any := false
	for _, o := range opponents {
		mine, ok1 := r.median(contender, test, key)
		other, ok2 := r.median(o, test, key)
		if !ok1 || !ok2 || other == 0 {
			list = append(list, "–")
			continue
		}
		any = true
		list = append(list, fmt.Sprintf("%.2f", mine/other))
	}
	if !any {
		return ""
	}
	return strings.Join(list, ", ")
}

// goalRows has a row for each goal that could be judged.
func (r *report) goalRows() rows {
	table := rows{{"", "", "at least", "aim", "reached", "met"}}
	for _, v := range r.verdicts() {
		t, err := parseTest(v.Test)
		m, ok := r.find(v.Contender, v.Test).metric(v.Metric)
		if err != nil || !ok {
			continue
		}
		title := t.title()
		if m.title != "" {
			title += ": " + m.title
		}
		least := v.AtLeast
		if m.lower {
			least = "no more than " + least
		}
		met := "no"
		switch {
		case v.Met && v.AimMet:
			met = "yes, and the aim"
		case v.Met:
			met = "yes"
		}
		table = append(table, []string{title, contenderByName(v.Contender).title, least, v.Aim, v.Reached, met})
	}
	return table
}

// align writes columns for a terminal.
func (t rows) align(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range t {
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	tw.Flush()
}

func (t rows) markdown(w io.Writer) {
	for i, row := range t {
		fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", len(row)))
		}
	}
}

// number writes three digits, or all before the point.
func number(v float64) string {
	switch {
	case v >= 10000:
		s := fmt.Sprintf("%.0f", v)
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
		return s
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v == 0:
		return "0"
	}
	return fmt.Sprintf("%.2f", v)
}
