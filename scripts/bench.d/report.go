package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is the outcome: every sample, and what one must know to read them.
type report struct {
	Time       time.Time `json:"time"`
	Kernel     string    `json:"kernel"`
	CPU        string    `json:"cpu"`
	CPUs       int       `json:"cpus"`
	Go         string    `json:"go"`
	GVisor     string    `json:"gvisor"`
	MTU        int       `json:"mtu"`
	Congestion string    `json:"congestion"`
	Seconds    float64   `json:"seconds"`
	Rounds     int       `json:"rounds"`
	Results    []*result `json:"results"`
	Errors     []string  `json:"errors,omitempty"`

	options *options
}

// result is the samples of one contender in one test.
type result struct {
	Contender string   `json:"contender"`
	Test      string   `json:"test"`
	Unit      string   `json:"unit"`
	CostUnit  string   `json:"costUnit"`
	Samples   []sample `json:"samples"`
}

func newReport(o *options) *report {
	r := &report{
		Time: time.Now().UTC().Truncate(time.Second), Kernel: firstLine("/proc/sys/kernel/osrelease"), CPU: cpuModel(),
		CPUs: runtime.NumCPU(), Go: runtime.Version(), GVisor: moduleVersion("gvisor.dev/gvisor"),
		MTU: o.mtu, Congestion: o.congestion, Seconds: o.seconds, Rounds: o.rounds, options: o,
	}
	for _, t := range o.tests {
		for _, c := range o.contenders {
			r.Results = append(r.Results, &result{Contender: c.name, Test: t.name, Unit: t.kind.unit, CostUnit: t.kind.costUnit})
		}
	}
	return r
}

func firstLine(file string) string {
	b, _ := os.ReadFile(file)
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

func cpuModel() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return ""
}

func (r *report) find(contender, test string) *result {
	for _, x := range r.Results {
		if x.Contender == contender && x.Test == test {
			return x
		}
	}
	return &result{}
}

func (r *report) add(c *contender, t test, s sample) {
	x := r.find(c.name, t.name)
	x.Samples = append(x.Samples, s)
}

// spread returns the median, the least and the most of what f takes from the samples.
func (x *result) spread(f func(sample) float64) (median, least, most float64) {
	var v []float64
	for _, s := range x.Samples {
		v = append(v, f(s))
	}
	if len(v) == 0 {
		return 0, 0, 0
	}
	slices.Sort(v)
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2, v[0], v[n-1]
}

func value(s sample) float64 { return s.Value }
func cost(s sample) float64  { return s.Cost }

// print writes the table.
func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %d × %s, Linux %s, %s, MTU %d; client: the kernel's TCP, %s\n", r.Time.Format(time.DateOnly), r.CPUs, r.CPU, r.Kernel, r.Go, r.MTU, r.Congestion)
	fmt.Fprintf(w, "gVisor %s\n", r.GVisor)
	fmt.Fprintf(w, "median of %d rounds of %g s (least–most), and the contender's processor time\n\n", r.Rounds, r.Seconds)
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprint(tw, "\tunit")
	for _, c := range r.options.contenders {
		fmt.Fprintf(tw, "\t%s", c.title)
	}
	for _, o := range r.opponents() {
		fmt.Fprintf(tw, "\tweir/%s", o.name)
	}
	fmt.Fprintln(tw)
	for _, t := range r.options.tests {
		r.printTest(tw, &t)
	}
	tw.Flush()
	for _, e := range r.Errors {
		fmt.Fprintln(w, "failed:", e)
	}
}

// opponents are whom weir's ratio is printed to.
func (r *report) opponents() (list []*contender) {
	for _, c := range r.options.contenders {
		if c.name == "gvisor-best" || c.name == "kernel" || c.name == "ceiling" {
			list = append(list, c)
		}
	}
	return list
}

// printTest writes the two lines of a test.
func (r *report) printTest(w io.Writer, t *test) {
	fmt.Fprintf(w, "%s\t%s", t.title(), t.kind.unit)
	for _, c := range r.options.contenders {
		median, least, most := r.find(c.name, t.name).spread(value)
		if median == 0 {
			fmt.Fprint(w, "\t–")
			continue
		}
		fmt.Fprintf(w, "\t%s (%s–%s)", number(median), number(least), number(most))
	}
	weir, _, _ := r.find("weir", t.name).spread(value)
	for _, o := range r.opponents() {
		if other, _, _ := r.find(o.name, t.name).spread(value); other > 0 && weir > 0 {
			fmt.Fprintf(w, "\t%.2f", weir/other)
		} else {
			fmt.Fprint(w, "\t")
		}
	}
	fmt.Fprintf(w, "\n\t%s", t.kind.costUnit)
	for _, c := range r.options.contenders {
		if median, _, _ := r.find(c.name, t.name).spread(cost); c.veth || median == 0 {
			fmt.Fprint(w, "\t–")
		} else {
			fmt.Fprintf(w, "\t%s", number(median))
		}
	}
	fmt.Fprint(w, "\t\n")
}

// number writes three digits, or all before the point.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
