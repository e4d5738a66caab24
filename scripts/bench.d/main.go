package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options are what the command line says.
type options struct {
	seconds    float64
	rounds     int
	mtu        int
	contenders []*contender
	tests      []test
	congestion string
	jsonFile   string
	cpuProfile string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		exit(runChild(os.Args[2:]))
	}
	o, err := parseOptions(os.Args[1:])
	if err != nil {
		exit(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r := run(ctx, o)
	r.print(os.Stdout)
	if o.jsonFile != "" {
		if err := r.writeJSON(o.jsonFile); err != nil {
			exit(err)
		}
	}
	if len(r.Errors) > 0 {
		os.Exit(1)
	}
}

// exit ends the process, with one line for an error.
func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// What is measured unless the command line says otherwise: all, or with the word "quick" before
// the flags, in under two minutes, what shows whether a change helped.
const (
	allContenders   = "weir,weir-plain,gvisor,gvisor-best,kernel,kernel-plain,ceiling"
	quickContenders = "weir,gvisor-best,kernel,ceiling"
	allTests        = "to1,to8,from1,from8,rr1,rr64"
)

func parseOptions(args []string) (*options, error) {
	rounds, seconds, contenders := 5, 2.0, allContenders
	if len(args) > 0 && args[0] == "quick" {
		args, rounds, seconds, contenders = args[1:], 3, 1, quickContenders
	}
	o := &options{}
	f := flag.NewFlagSet("bench", flag.ExitOnError)
	f.Float64Var(&o.seconds, "seconds", seconds, "how long each measurement lasts")
	f.IntVar(&o.rounds, "rounds", rounds, "how often all is repeated; the table has the median")
	f.IntVar(&o.mtu, "mtu", 1500, "MTU of the link")
	who := f.String("contenders", contenders, "who is measured, in the order of the columns")
	what := f.String("tests", allTests, "what is measured: bulk to and from the stack, requests; with the number of connections")
	f.StringVar(&o.congestion, "congestion", "cubic", "congestion control of the client and of the kernel as a contender")
	f.StringVar(&o.jsonFile, "json", "", "`file` for every sample as JSON")
	f.StringVar(&o.cpuProfile, "cpuprofile", "", "`prefix` of files for the contenders' CPU profiles: PREFIX.NAME.ROUND")
	f.Parse(args) // ExitOnError
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	if o.rounds < 1 || o.seconds <= 0 || o.seconds > 600 {
		return nil, fmt.Errorf("at least one round, and more than 0 and at most 600 seconds, are needed")
	}
	for _, name := range strings.Split(*who, ",") {
		c := contenderByName(name)
		if c == nil {
			return nil, fmt.Errorf("--contenders: there is no %q", name)
		}
		o.contenders = append(o.contenders, c)
	}
	for _, name := range strings.Split(*what, ",") {
		t, err := parseTest(name)
		if err != nil {
			return nil, err
		}
		o.tests = append(o.tests, t)
	}
	return o, nil
}

func (o *options) duration() time.Duration { return time.Duration(o.seconds * float64(time.Second)) }

// run measures everything in rounds.
func run(ctx context.Context, o *options) *report {
	r := newReport(o)
	for round := range o.rounds {
		for i := range o.contenders {
			c := o.contenders[(i+round)%len(o.contenders)]
			if ctx.Err() != nil {
				return r
			}
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, o.rounds, c.name)
			if err := measureOne(ctx, o, c, round, r); ctx.Err() != nil {
				r.Errors = append(r.Errors, "interrupted")
			} else if err != nil {
				fmt.Fprintf(os.Stderr, "bench: %s: %v\n", c.name, err)
				r.Errors = append(r.Errors, fmt.Sprintf("round %d: %s: %v", round+1, c.name, err))
			}
		}
	}
	return r
}

// measureOne starts a contender, takes it through the tests and ends it.
func measureOne(ctx context.Context, o *options, c *contender, round int, r *report) error {
	p, err := startProcess(ctx, o, c, round)
	if err != nil {
		return err
	}
	defer p.stop()
	cl := &client{ctx: ctx, ns: p.clientSide, congestion: o.congestion}
	for _, t := range o.tests {
		s, err := measure(cl, p, t, o.duration())
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		r.add(c, t, s)
	}
	return p.stop()
}

// writeJSON writes the report to a file.
func (r *report) writeJSON(file string) error {
	b, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}
