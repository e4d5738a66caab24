package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/weirnet/weir/apps/bench/hist"
)

// options are the flags.
type options struct {
	connections int
	hold, idle  time.Duration
	collect     time.Duration
	kernel      int
	perProcess  int
	sizeGB      float64
	streams     int
	queues      int
	json        string
}

// result is what a scenario has found: lines of a table.
type result struct {
	Scenario string `json:"scenario"`
	Rows     []row  `json:"rows"`
}

type row struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

func (r *result) add(what string, value float64, unit string) {
	r.Rows = append(r.Rows, row{what, value, unit})
}

func (r *result) addLatency(of string, s hist.Summary) {
	r.add(of+", p50", float64(s.P50)/1e3, "µs")
	r.add("p99", float64(s.P99)/1e3, "µs")
	r.add("p99.9", float64(s.P999)/1e3, "µs")
	r.add("max", float64(s.Max)/1e3, "µs")
}

func (r *result) print() {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range r.Rows {
		fmt.Fprintf(w, "%s\t%.6g\t%s\t\n", row.What, row.Value, row.Unit)
	}
	w.Flush()
}

// scenario is what can be run.
type scenario struct {
	name string
	run  func(ctx context.Context, o *options, say func(format string, args ...any)) (*result, error)
}

var scenarios = []scenario{{"idle", runIdle}, {"kernel", runKernel}, {"echo", runEcho}}

func main() {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		if err := runChild(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "scale: client:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		if ctx.Err() != nil { // whatever it was that this has ended first
			err = errors.New("interrupted: connections, clients and namespaces are gone")
		}
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

const usage = `Runs weir at a large scale, in network namespaces of its own.

  scripts/scale           all three: about half an hour, 3 GB of memory
  scripts/scale idle      a million connections, weir to weir, in memory, held
  scripts/scale kernel    100,000 connections by kernel clients over a TUN device
  scripts/scale echo      100 GB through an echo, every octet checked

Less of each, in seconds rather than minutes:
  scripts/scale idle --connections 20000 --hold 5s --idle 2s
  scripts/scale kernel --clients 2000 --idle 2s
  scripts/scale echo --size 1

Flags, before or after the names, and what they are of:
`

func run(ctx context.Context, args []string) error {
	o := &options{}
	fs := flag.NewFlagSet("scale", flag.ExitOnError)
	fs.Usage = func() {
		fmt.Fprint(fs.Output(), usage)
		fs.PrintDefaults()
	}
	fs.IntVar(&o.connections, "connections", 1_000_000, "idle: connections from weir to weir")
	fs.DurationVar(&o.hold, "hold", 10*time.Minute, "idle: how long they are held with one in a hundred active")
	fs.DurationVar(&o.idle, "idle", 30*time.Second, "idle, kernel: how long they are held with none active")
	fs.DurationVar(&o.collect, "collect", 0, "idle: have the collector run this often while one in a hundred is active, for many of its pauses in a short time")
	fs.IntVar(&o.kernel, "clients", 100_000, "kernel: connections by kernel clients")
	fs.IntVar(&o.perProcess, "per-process", 18_000, "kernel: connections of each client process")
	fs.Float64Var(&o.sizeGB, "size", 100, "echo: gigabytes, all streams together")
	fs.IntVar(&o.streams, "streams", 8, "echo: streams")
	fs.IntVar(&o.queues, "queues", 2, "kernel, echo: queues of the device")
	fs.StringVar(&o.json, "json", "", "write the results to this `file` too")
	var names []string
	for len(args) > 0 { // flags before and after the names
		if err := fs.Parse(args); err != nil {
			return err
		}
		if args = fs.Args(); len(args) > 0 {
			names, args = append(names, args[0]), args[1:]
		}
	}
	return runAll(ctx, o, names)
}

func runAll(ctx context.Context, o *options, names []string) error {
	for _, n := range names {
		if !slices.ContainsFunc(scenarios, func(s scenario) bool { return s.name == n }) {
			return fmt.Errorf("there is no scenario %q: there are idle, kernel and echo", n)
		}
	}
	var results []*result
	for _, s := range scenarios {
		if len(names) > 0 && !slices.Contains(names, s.name) {
			continue
		}
		say := func(format string, args ...any) {
			fmt.Fprintf(os.Stderr, s.name+": "+format+"\n", args...)
		}
		r, err := s.run(ctx, o, say)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.Scenario = s.name
		fmt.Printf("\n%s\n", s.name)
		r.print()
		results = append(results, r)
	}
	if o.json == "" {
		return nil
	}
	b, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(b, '\n'), 0o644)
}

// tell calls f every five seconds until what it returns is called.
func tell(f func()) (stop func()) {
	tick, done := time.NewTicker(5*time.Second), make(chan struct{})
	go func() {
		for {
			select {
			case <-tick.C:
				f()
			case <-done:
				return
			}
		}
	}()
	return sync.OnceFunc(func() { tick.Stop(); close(done) })
}
