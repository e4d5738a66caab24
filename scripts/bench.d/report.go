package main

import (
	"encoding/json"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// report is the outcome: every sample, and what one must know to read them.
type report struct {
	Time       time.Time `json:"time"`
	Command    string    `json:"command"`
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
	Syscalls   string    `json:"syscalls,omitempty"` // what of them is not counted, and why
	Goals      []verdict `json:"goals"`
	Errors     []string  `json:"errors,omitempty"`

	options *options
}

// result is the samples of one contender in one test.
type result struct {
	Contender string            `json:"contender"`
	Test      string            `json:"test"`
	Units     map[string]string `json:"units"`
	Samples   []sample          `json:"samples"`

	metrics []metric
}

func newReport(o *options) *report {
	r := &report{
		Time: time.Now().UTC().Truncate(time.Second), Command: o.command,
		Kernel: firstLine("/proc/sys/kernel/osrelease"), CPU: cpuModel(),
		CPUs: runtime.NumCPU(), Go: runtime.Version(), GVisor: moduleVersion("gvisor.dev/gvisor"),
		MTU: o.mtu, Congestion: o.congestion, Seconds: o.seconds, Rounds: o.rounds, options: o,
	}
	for _, t := range o.tests {
		for _, c := range o.contenders {
			x := &result{Contender: c.name, Test: t.name, Units: map[string]string{}}
			for _, m := range t.metrics(o) {
				if !m.process || !c.veth {
					x.metrics = append(x.metrics, m)
					x.Units[m.key] = m.unit
				}
			}
			r.Results = append(r.Results, x)
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

// metric looks one up that is known of the contender.
func (x *result) metric(key string) (metric, bool) {
	for _, m := range x.metrics {
		if m.key == key {
			return m, true
		}
	}
	return metric{}, false
}

// spread returns the median, the least and the most of a metric, and whether there is any.
func (x *result) spread(key string) (median, least, most float64, ok bool) {
	if _, ok := x.metric(key); !ok || len(x.Samples) == 0 {
		return 0, 0, 0, false
	}
	var v []float64
	for _, s := range x.Samples {
		if value, ok := s[key]; ok {
			v = append(v, value)
		}
	}
	slices.Sort(v)
	n := len(v)
	if n == 0 {
		return 0, 0, 0, false
	}
	return (v[(n-1)/2] + v[n/2]) / 2, v[0], v[n-1], true
}

func (r *report) median(contender, test, key string) (float64, bool) {
	m, _, _, ok := r.find(contender, test).spread(key)
	return m, ok
}

// writeJSON writes the report to a file.
func (r *report) writeJSON(file string) error {
	r.Goals = r.verdicts()
	b, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}
