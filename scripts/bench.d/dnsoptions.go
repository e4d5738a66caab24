package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"
)

const dnsHelp = `Measures weir's DNS over a TUN device beside NSD and unbound over veth, in namespaces of its own.

  scripts/bench dns

Contenders: echo (weir's plain UDP echo, asked with the same queries), weir and nsd, authorities for the same zone;
cache and unbound, weir's resolver and unbound, which have every answer in their caches.

Tests: window (128 queries on their way, from one thread), flood (as fast as one thread sends them, another counts the
answers), pace (50,000 queries a second, for the latency), dnsperf, resperf; zonemem and cachemem are the memory for a
zone or a cache of --names names.

Flags:
`

// dnsOptions are what the command line says after the word dns.
type dnsOptions struct {
	command       string
	seconds       float64
	rounds, names int
	hosts, asked  int
	who, what     []string
	markdown      bool
	cpuProfile    string
}

const (
	dnsContenders = "echo,weir,nsd,cache,unbound"
	dnsTests      = "window,flood,pace,dnsperf,resperf"
	dnsRate       = 50_000 // of pace
	dnsWindow     = 128
	dnsMost       = 400_000 // of resperf
	upstreamPort  = 5300
)

var dnsTitles = map[string]string{"echo": "weir, echo", "weir": "weir", "nsd": "NSD, veth", "cache": "weir, cache", "unbound": "unbound, veth"}

func parseDNSOptions(args []string) (*dnsOptions, error) {
	o := &dnsOptions{command: strings.Join(append([]string{"scripts/bench dns"}, args...), " ")}
	f := flag.NewFlagSet("bench dns", flag.ExitOnError)
	f.Usage = func() {
		fmt.Fprint(f.Output(), dnsHelp)
		f.PrintDefaults()
	}
	f.Float64Var(&o.seconds, "seconds", 1.5, "how long each measurement lasts")
	f.IntVar(&o.rounds, "rounds", 3, "how often all is repeated, everybody started afresh; the table has the median")
	f.IntVar(&o.hosts, "hosts", 100_000, "hosts of the zone")
	f.IntVar(&o.asked, "asked", 20_000, "different names that are asked for")
	f.IntVar(&o.names, "names", 1_000_000, "names of zonemem and cachemem")
	who := f.String("contenders", dnsContenders, "who is measured, in the order of the columns")
	what := f.String("tests", dnsTests, "what is measured")
	f.BoolVar(&o.markdown, "markdown", false, "print Markdown")
	f.StringVar(&o.cpuProfile, "cpuprofile", "", "`prefix` of files for weir's CPU profiles: PREFIX.NAME.ROUND")
	f.Parse(args) // ExitOnError
	o.who, o.what = strings.Split(*who, ","), strings.Split(*what, ",")
	for _, w := range o.who {
		if dnsTitles[w] == "" {
			return nil, fmt.Errorf("--contenders: there is no %q: say some of %s", w, dnsContenders)
		}
	}
	for _, w := range o.what {
		if !slices.Contains(strings.Split(dnsTests+",zonemem,cachemem", ","), w) {
			return nil, fmt.Errorf("--tests: there is no %q: say some of %s,zonemem,cachemem", w, dnsTests)
		}
	}
	return o, nil
}
