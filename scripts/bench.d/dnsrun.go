package main

import (
	"fmt"
	"os"
	"time"

	"github.com/weirnet/weir/tun"
)

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
