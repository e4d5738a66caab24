package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/weirnet/weir/apps/bench/hist"
	"github.com/weirnet/weir/tun"
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

// measure makes one sample.
func (b *dnsBench) measure(r *dnsRun, test string) (sample, error) {
	d := time.Duration(b.seconds * float64(time.Second))
	switch test {
	case "dnsperf":
		return dnsperf(b.ctx, r, b.file, dnsWindow, d)
	case "resperf":
		return resperf(b.ctx, r, b.file, dnsMost, 2*d)
	}
	k, err := (&client{ns: r.client}).dnsClient(r.port, b.queries, r.echo, r.cached)
	if err != nil {
		return nil, err
	}
	defer k.close()
	var o outcome
	before := r.cpu()
	switch test {
	case "window":
		o, err = k.flight(dnsWindow, d)
	case "flood":
		o, err = k.flood(0, d)
	case "pace":
		k.hist = new(hist.Histogram)
		o, err = k.flood(dnsRate, d)
	}
	if err != nil {
		return nil, err
	}
	if o.count == 0 {
		return nil, fmt.Errorf("nothing came back in %v", o.took)
	}
	s := sample{"value": float64(o.count) / o.took.Seconds(), "lost": 100 * max(0, 1-float64(o.count)/float64(o.sent)), "cpu": (r.cpu() - before).Seconds() * 1e6 / float64(o.count)}
	if k.hist != nil {
		sum := k.hist.Summary()
		s["p50"], s["p99"] = float64(sum.P50)/1e3, float64(sum.P99)/1e3
	}
	return s, nil
}

// fill has every answer come into a resolver's cache.
func (b *dnsBench) fill(r *dnsRun, queries [][]byte) error {
	k, err := (&client{ns: r.client}).dnsClient(r.port, queries, true, true)
	if err != nil {
		return err
	}
	defer k.close()
	out, in := newBatch(datagramSize), newBatch(2048)
	for range 2 { // what is lost the first time is asked for again
		k.next = 0
		for done, flying := 0, 0; done < len(queries) && b.ctx.Err() == nil; {
			if n := min(64-flying, len(queries)-done); n > 0 {
				s, err := k.send(out, n)
				if err != nil {
					return err
				}
				done, flying = done+s, flying+s
			}
			n, err := k.receive(in)
			if err != nil {
				return err
			}
			if flying -= n; n == 0 {
				flying = 0
			}
		}
	}
	return b.ctx.Err()
}

// memory measures what a zone or a cache takes: what the process has with it, less what it had before.
func (b *dnsBench) memory(who, test string) error {
	zone := test == "zonemem"
	if zone != (who == "weir" || who == "nsd") || who == "echo" {
		return nil
	}
	file := b.path("large")
	if !zone {
		file = b.path("zone")
	}
	r, err := b.start(who, file, 1<<30, 0)
	if err != nil {
		return err
	}
	defer r.stop()
	before := uint64(0)
	if !zone {
		if before, err = r.resident(); err != nil {
			return err
		}
		if err := b.fill(r, dnsQueries(b.names, b.names)); err != nil {
			return err
		}
	}
	after, err := r.resident()
	if err != nil {
		return err
	}
	s := sample{"value": float64(after) / 1e6, "each": float64(after-before) / float64(b.names)}
	if !zone {
		if s["held"], err = b.held(r); err != nil {
			return err
		}
	}
	b.add(who, test, s)
	return nil
}

// held returns which part of the names a cache has, in percent, by what it answers when there is nobody to ask any more.
func (b *dnsBench) held(r *dnsRun) (float64, error) {
	r.upstream.stop()
	r.upstream = nil
	const sampled = 5000
	k, err := (&client{ns: r.client}).dnsClient(r.port, dnsQueries(b.names, sampled), false, true)
	if err != nil {
		return 0, err
	}
	defer k.close()
	out, in := newBatch(datagramSize), newBatch(2048)
	var answers, sent int
	for sent < sampled {
		n, err := k.send(out, min(16, sampled-sent))
		if err != nil {
			return 0, err
		}
		sent += n
		for got := 0; got < n; {
			a, err := k.receive(in)
			if err != nil {
				return 0, err
			}
			if a == 0 {
				break // the rest waits for who is gone
			}
			got, answers = got+a, answers+a
		}
	}
	return 100 * float64(answers-int(k.bad)) / sampled, nil
}

// dnsRun is a contender that runs.
type dnsRun struct {
	client   *tun.Namespace
	port     int
	echo     bool // what comes back is the query
	cached   bool // it is a resolver
	upstream *dnsProgram
	stop     func()
	cpu      func() time.Duration
	resident func() (uint64, error)
}

// start starts a contender and waits until it answers.
func (b *dnsBench) start(who, zone string, cacheOctets int64, round int) (r *dnsRun, err error) {
	r = &dnsRun{port: 53, echo: who == "echo", cached: who == "cache" || who == "unbound", stop: func() {}}
	if r.echo {
		r.port = echoPort
	}
	if who == "nsd" || who == "unbound" {
		err = b.startOther(r, who, zone, cacheOctets)
	} else {
		err = b.startWeir(r, who, zone, round)
	}
	if err == nil {
		err = b.await(r)
	}
	if err != nil {
		r.stop()
	}
	return r, err
}

// startWeir starts weir's process, and the root's server for a resolver.
func (b *dnsBench) startWeir(r *dnsRun, who, zone string, round int) error {
	os.Unsetenv(dnsZoneEnv)
	os.Unsetenv(dnsUpstreamEnv)
	if r.cached {
		os.Setenv(dnsUpstreamEnv, fmt.Sprint(upstreamPort))
	} else {
		os.Setenv(dnsZoneEnv, zone)
	}
	o := &options{mtu: 1500, congestion: "cubic", cpuProfile: b.cpuProfile}
	c := *contenderByName("weir-dns")
	if b.cpuProfile != "" {
		o.cpuProfile += "." + who
	}
	p, err := startProcess(b.ctx, o, &c, round)
	if err != nil {
		return err
	}
	r.client = p.clientSide
	r.upstream, err = b.startUpstream(r)
	r.stop = func() {
		r.upstream.stop()
		p.stop()
	}
	r.cpu = func() time.Duration { d, _ := p.cpu(); return d }
	r.resident = func() (uint64, error) {
		if _, err := p.ask(askCollect); err != nil {
			return 0, err
		}
		return p.resident()
	}
	return err
}

// startUpstream starts the root's server where there is a resolver to ask it.
func (b *dnsBench) startUpstream(r *dnsRun) (*dnsProgram, error) {
	if !r.cached {
		return nil, nil
	}
	dir, err := os.MkdirTemp(b.dir, "upstream-")
	if err != nil {
		return nil, err
	}
	return startNSD(r.client, dir, clientPrefix.Addr().String(), upstreamPort, ".", b.path("root"))
}

func (b *dnsBench) startOther(r *dnsRun, who, zone string, cacheOctets int64) error {
	near, err := tun.NewNamespace()
	if err != nil {
		return err
	}
	far, err := tun.NewNamespace()
	if err != nil {
		near.Close()
		return err
	}
	var p *dnsProgram
	r.client = near
	r.stop = func() {
		r.upstream.stop()
		p.stop()
		near.Close()
		far.Close()
	}
	if err := joinByVeth(near, far, 1500, false); err != nil {
		return err
	}
	if r.upstream, err = b.startUpstream(r); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(b.dir, who+"-")
	if err != nil {
		return err
	}
	if who == "nsd" {
		p, err = startNSD(far, dir, stackPrefix.Addr().String(), 53, dnsZone, zone)
	} else {
		p, err = startUnbound(far, dir, stackPrefix.Addr().String(), upstreamPort, cacheOctets)
	}
	if err != nil {
		return err
	}
	r.cpu, r.resident = p.cpu, p.resident
	return nil
}

// await returns when the contender answers with records.
func (b *dnsBench) await(r *dnsRun) error {
	k, err := (&client{ns: r.client}).dnsClient(r.port, b.queries[:1], r.echo, r.cached)
	if err != nil {
		return err
	}
	defer k.close()
	out, in := newBatch(datagramSize), newBatch(2048)
	for end := time.Now().Add(3 * patience); time.Now().Before(end) && b.ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		if _, err := k.send(out, 1); err != nil {
			continue // nobody listens yet
		}
		k.bad = 0
		if n, err := k.receive(in); err == nil && n > 0 && k.bad == 0 {
			return nil
		}
	}
	return fmt.Errorf("it does not answer")
}
