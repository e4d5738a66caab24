package main

import (
	"fmt"
	"time"

	"github.com/weirnet/weir/apps/bench/hist"
)

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
