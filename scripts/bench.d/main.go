package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		exit(runChild(os.Args[2:]))
	}
	if len(os.Args) == 5 && os.Args[1] == holderArg {
		exit(runHolder(os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == "dns" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		exit(runDNS(ctx, os.Args[2:]))
	}
	o, err := parseOptions(os.Args[1:])
	if err != nil {
		exit(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r := run(ctx, o)
	r.print(os.Stdout, o.markdown)
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

// run measures everything in rounds.
func run(ctx context.Context, o *options) *report {
	b := &bench{ctx: ctx, options: o, report: newReport(o)}
	for round := range o.rounds {
		for i := range o.contenders {
			c := o.contenders[(i+round)%len(o.contenders)]
			if ctx.Err() != nil {
				return b.report
			}
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, o.rounds, c.name)
			b.round(c, round)
		}
	}
	return b.report
}

// round takes a contender through the tests. One that fails in a test goes on afresh with the next.
func (b *bench) round(c *contender, round int) {
	var todo []test
	for _, t := range b.tests {
		if (round == 0 || !t.kind.once) && (t.kind.only == nil || t.kind.only(c)) {
			todo = append(todo, t)
		}
	}
	for len(todo) > 0 && b.ctx.Err() == nil {
		done, err := b.startAndMeasure(c, round, todo)
		if b.ctx.Err() != nil {
			b.report.Errors = append(b.report.Errors, "interrupted")
		} else if err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", c.name, err)
			b.report.Errors = append(b.report.Errors, fmt.Sprintf("round %d: %s: %v", round+1, c.name, err))
		}
		todo = todo[done:]
	}
}

// startAndMeasure starts a contender, takes it through tests until one fails, and ends it. It returns
// how many it has tried.
func (b *bench) startAndMeasure(c *contender, round int, tests []test) (done int, err error) {
	p, err := startProcess(b.ctx, b.options, c, round)
	if err != nil {
		return len(tests), err
	}
	defer p.stop()
	cl := &client{ctx: b.ctx, ns: p.clientSide, congestion: b.congestion}
	for _, t := range tests {
		done++
		if err := b.measure(cl, p, c, t, round); err != nil {
			return done, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return done, p.stop()
}
