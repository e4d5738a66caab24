package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// dnsBench is a run of the whole.
type dnsBench struct {
	*dnsOptions
	ctx     context.Context
	dir     string
	queries [][]byte
	file    string // the same for tools
	results map[string]map[string][]sample
	errors  []string
}

func runDNS(ctx context.Context, args []string) error {
	o, err := parseDNSOptions(args)
	if err != nil {
		return err
	}
	b := &dnsBench{dnsOptions: o, ctx: ctx, results: map[string]map[string][]sample{}, queries: dnsQueries(o.hosts, o.asked)}
	if b.dir, err = os.MkdirTemp("", "bench-dns-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	b.file = filepath.Join(b.dir, "queries")
	if err := writeQueries(b.file, b.queries); err != nil {
		return err
	}
	if err := b.writeZones(); err != nil {
		return err
	}
	for round := range o.rounds {
		for i := range o.who {
			if ctx.Err() == nil {
				b.round(o.who[(i+round)%len(o.who)], round)
			}
		}
	}
	b.print()
	if len(b.errors) > 0 {
		return fmt.Errorf("%d measurements failed", len(b.errors))
	}
	return nil
}

func (b *dnsBench) writeZones() error {
	if err := writeDNSZone(b.path("zone"), b.hosts); err != nil {
		return err
	}
	if slices.Contains(b.what, "zonemem") {
		if err := writeDNSZone(b.path("large"), b.names); err != nil {
			return err
		}
	}
	return writeDNSRoot(b.path("root"))
}

func (b *dnsBench) path(name string) string { return filepath.Join(b.dir, name) }

// round takes a contender through the tests.
func (b *dnsBench) round(who string, round int) {
	fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, b.rounds, who)
	var rates []string
	for _, t := range b.what {
		switch t {
		case "zonemem", "cachemem":
			if round == 0 {
				b.note(who, t, b.memory(who, t))
			}
		default:
			rates = append(rates, t)
		}
	}
	if len(rates) == 0 {
		return
	}
	r, err := b.start(who, b.path("zone"), 256<<20, round)
	if err != nil {
		b.note(who, "start", err)
		return
	}
	defer r.stop()
	if r.cached {
		if err := b.fill(r, b.queries); err != nil {
			b.note(who, "fill the cache", err)
			return
		}
	}
	for _, t := range rates {
		s, err := b.measure(r, t)
		if b.note(who, t, err); err == nil {
			b.add(who, t, s)
		}
	}
}

func (b *dnsBench) note(who, test string, err error) {
	if err != nil {
		b.errors = append(b.errors, fmt.Sprintf("%s: %s: %v", who, test, err))
		fmt.Fprintf(os.Stderr, "bench: %s: %s: %v\n", who, test, err)
	}
}

func (b *dnsBench) add(who, test string, s sample) {
	if b.results[test] == nil {
		b.results[test] = map[string][]sample{}
	}
	b.results[test][who] = append(b.results[test][who], s)
}
