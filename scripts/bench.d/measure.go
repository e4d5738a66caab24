package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// sample is one result: figures by their metrics' keys.
type sample map[string]float64

// bench is a run of the whole.
type bench struct {
	ctx context.Context
	*options
	report *report
	built  map[string]string // by package
}

// measure runs one test against a contender and adds its samples to the report.
func (b *bench) measure(cl *client, p *process, c *contender, t test, round int) error {
	k := t.kind
	if k.special != nil {
		s, err := k.special(b, p, c, t.conns)
		if err == nil {
			b.report.add(c, t, s)
		}
		return err
	}
	parts := 1
	if t.conns == 1 { // where the scheduler puts two threads that wake each other decides everything: let it choose anew
		parts = max(k.parts, 1)
	}
	for range parts {
		s, err := measurePart(cl, p, t, b.duration()/time.Duration(parts))
		if err != nil {
			return err
		}
		b.report.add(c, t, s)
	}
	if round > 0 {
		return nil
	}
	return b.explain(cl, p, c, t)
}

// explain adds what tells where the time goes. It is not part of what is timed, and once is enough.
func (b *bench) explain(cl *client, p *process, c *contender, t test) error {
	s, err := b.callsOf(cl, p, t)
	if err != nil {
		return err
	}
	b.report.add(c, t, s)
	if b.profile {
		if s, err = b.profileOf(cl, p, t); err != nil {
			return err
		}
		b.report.add(c, t, s)
	}
	return nil
}

// measurePart makes one sample.
func measurePart(cl *client, p *process, t test, d time.Duration) (sample, error) {
	before, err := p.usage()
	if err != nil {
		return nil, err
	}
	o, err := t.kind.run(cl, t.conns, d)
	if err != nil {
		return nil, err
	}
	if o.count == 0 {
		return nil, fmt.Errorf("nothing got through in %v", o.took)
	}
	after, err := p.usage()
	if err != nil {
		return nil, err
	}
	used := usage{cpu: after.cpu - before.cpu, allocations: after.allocations - before.allocations}
	s := sample{}
	for _, m := range t.kind.metrics {
		if m.key != callsKey {
			s[m.key] = m.derive(o, used)
		}
	}
	return s, nil
}

// usage returns what the contender has used since it started.
func (p *process) usage() (u usage, err error) {
	var err1, err2 error
	u.allocations, err1 = p.ask(askAllocations)
	u.cpu, err2 = p.cpu()
	return u, errors.Join(err1, err2)
}
