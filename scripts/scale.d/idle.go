package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/weirnet/weir/apps/bench/hist"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/event"
	"github.com/weirnet/weir/stack/link/pipe"
)

// perPair is how many connections there are between two addresses: fewer than ports, so that one
// that is free is found soon.
const perPair = 20_000

// stalled is how long nothing may move.
const stalled = time.Minute

// idlers are two stacks with connections between them.
type idlers struct {
	server, client *stack.Stack
	addrs          []netip.Addr // of the server
	conns          []*event.Conn

	opened, failed atomic.Int64
	slots          chan struct{}  // dials under way
	latency, own   hist.Histogram // of requests since they were due, and since they were sent
	answered       atomic.Int64
	firstError     atomic.Pointer[error]
}

func runIdle(ctx context.Context, o *options, say func(string, ...any)) (*result, error) {
	d, err := newIdlers(o.connections)
	if err != nil {
		return nil, err
	}
	defer d.close()
	r := &result{}
	before, err := resident()
	if err != nil {
		return nil, err
	}
	began, cpu := time.Now(), cpuTime()
	if err := d.open(ctx, o.connections, say); err != nil {
		return nil, err
	}
	n := float64(o.connections)
	took := time.Since(began)
	r.add("connections", n, "")
	r.add("opened per second", n/took.Seconds(), "/s")
	r.add("processor time to open one", (cpuTime()-cpu).Seconds()/n*1e6, "µs")
	after, err := resident()
	if err != nil {
		return nil, err
	}
	r.add("resident per connection, both ends", (float64(after)-float64(before))/n, "octets")
	r.add("resident per end", (float64(after)-float64(before))/n/2, "octets")
	gc := watchCollections(began)
	if err := d.idle(ctx, o.idle, r, say); err != nil {
		return nil, err
	}
	enough := collectEvery(o.collect)
	err = d.hold(ctx, o.hold, r, say)
	if enough(); err != nil {
		return nil, err
	}
	if after, err = resident(); err != nil {
		return nil, err
	}
	r.add("resident per end after that", (float64(after)-float64(before))/n/2, "octets")
	gc.stop(r)
	r.add("connections lost", float64(d.failed.Load()), "")
	if d.failed.Load() > 0 {
		return r, fmt.Errorf("%d connections were lost, the first so: %w", d.failed.Load(), *d.firstError.Load())
	}
	return r, nil
}

// newIdlers makes the stacks, with addresses for n connections.
func newIdlers(n int) (d *idlers, err error) {
	d = &idlers{slots: make(chan struct{}, 256), conns: make([]*event.Conn, 0, n)}
	a, b := pipe.New(pipe.Options{MTU: 1500, Offload: true, QueueFrames: 4096, QueueBytes: 16 << 20})
	var prefixes []netip.Prefix
	addr := netip.MustParseAddr("10.77.0.1")
	for range (n + perPair - 1) / perPair {
		addr = addr.Next()
		d.addrs = append(d.addrs, addr)
		prefixes = append(prefixes, netip.PrefixFrom(addr, 16))
	}
	if d.server, err = newStack(a, prefixes...); err != nil {
		return nil, err
	}
	if d.client, err = newStack(b, netip.MustParsePrefix("10.77.0.1/16")); err != nil {
		d.server.Close()
		return nil, err
	}
	_, err = d.server.ListenEvents("tcp4", ":7", &event.Funcs{Data: (*event.Conn).Write}, event.Options{})
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func newStack(dev stack.Device, prefixes ...netip.Prefix) (*stack.Stack, error) {
	st, err := stack.New(stack.Config{})
	if err != nil {
		return nil, err
	}
	if _, err := st.AddInterface(dev, stack.InterfaceConfig{Addresses: prefixes}); err != nil {
		st.Close()
		return nil, err
	}
	return st, nil
}

func (d *idlers) close() {
	d.client.Close()
	d.server.Close()
}

// open dials, some at a time.
func (d *idlers) open(ctx context.Context, n int, say func(string, ...any)) error {
	handler := &event.Funcs{Open: d.onOpen, Data: d.onData, Close: d.onClose}
	late := time.NewTimer(stalled)
	defer late.Stop()
	for i := range n {
		late.Reset(stalled)
		select {
		case d.slots <- struct{}{}:
		case <-late.C:
			return fmt.Errorf("no connection came to stand for %v, after %d of %d", stalled, d.opened.Load(), n)
		case <-ctx.Done():
			return ctx.Err()
		}
		c, err := d.client.DialEvents(context.Background(), "tcp4", netip.AddrPortFrom(d.addrs[i%len(d.addrs)], 7).String(), handler, event.DialOptions{})
		if err != nil {
			return fmt.Errorf("connection %d: %w", i+1, err)
		}
		d.conns = append(d.conns, c)
		if i%100_000 == 99_999 {
			say("%d connections", i+1)
		}
	}
	if err := until(ctx, func() bool { return d.opened.Load()+d.failed.Load() == int64(n) }, d.opened.Load); err != nil {
		return err
	}
	if e := d.firstError.Load(); e != nil {
		return fmt.Errorf("%d of %d connections failed, the first so: %w", d.failed.Load(), n, *e)
	}
	return nil
}

// until waits for ok, while what progress counts goes on.
func until(ctx context.Context, ok func() bool, progress func() int64) error {
	last, at := progress(), time.Now()
	for !ok() {
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return err
		}
		if now := progress(); now != last {
			last, at = now, time.Now()
		} else if time.Since(at) > stalled {
			return fmt.Errorf("nothing moves for %v", stalled)
		}
	}
	return nil
}

func (d *idlers) onOpen(*event.Conn) {
	d.opened.Add(1)
	<-d.slots
}

func (d *idlers) onClose(_ *event.Conn, err error) {
	if err == nil {
		err = errors.New("the peer closed")
	}
	d.firstError.CompareAndSwap(nil, &err)
	d.failed.Add(1)
	select {
	case <-d.slots:
	default:
	}
}

// request is the one under way on a connection: when it was due, and when it was sent.
type request struct{ due, sent time.Time }

// onData takes the reply, one octet.
func (d *idlers) onData(c *event.Conn, p []byte) int {
	if q, ok := c.Value().(*request); ok {
		now := time.Now()
		d.latency.Record(now.Sub(q.due))
		d.own.Record(now.Sub(q.sent))
		c.SetValue(nil) // an idle connection keeps nothing
		d.answered.Add(1)
	}
	return len(p)
}

// hold keeps the connections, one in a hundred active each second: in an order that is shuffled
// once, each sends an octet in its turn and gets it back.
func (d *idlers) hold(ctx context.Context, dur time.Duration, r *result, say func(string, ...any)) error {
	order := rand.New(rand.NewPCG(1, uint64(len(d.conns)))).Perm(len(d.conns))
	perSecond := max(float64(len(d.conns))/100, 1)
	began, cpu, told := time.Now(), cpuTime(), time.Duration(0)
	sent := int64(0)
	tick, err := newTicker(time.Millisecond)
	if err != nil {
		return err
	}
	defer tick.close()
	for now := time.Duration(0); now < dur; now = time.Since(began) {
		for ; float64(sent) < now.Seconds()*perSecond; sent++ {
			q := &request{began.Add(time.Duration(float64(sent) / perSecond * float64(time.Second))), time.Now()}
			d.conns[order[int(sent)%len(order)]].Post(func(c *event.Conn) {
				c.SetValue(q)
				c.Write([]byte{1})
			})
		}
		if err := tick.wait(); err != nil || ctx.Err() != nil {
			return cmp.Or(ctx.Err(), err)
		}
		if now-told > 30*time.Second {
			told = now
			say("held for %v, %d requests answered, p99 %v", now.Round(time.Second), d.answered.Load(), d.latency.Summary().P99)
		}
	}
	used := (cpuTime() - cpu).Seconds() / time.Since(began).Seconds()
	if err := until(ctx, func() bool { return d.answered.Load() == sent || d.failed.Load() > 0 }, d.answered.Load); err != nil {
		return fmt.Errorf("%d of %d requests were answered: %w", d.answered.Load(), sent, err)
	}
	r.add("held", dur.Seconds(), "s")
	r.add("requests", float64(sent), "")
	r.addLatency("latency of the active ones", d.latency.Summary())
	r.addLatency("the same since it was sent", d.own.Summary())
	r.add("processor, with 1 % active", 100*used, "% of a core")
	return nil
}

// idle does nothing and sees what that costs.
func (d *idlers) idle(ctx context.Context, dur time.Duration, r *result, say func(string, ...any)) error {
	say("idle for %v", dur)
	began, cpu := time.Now(), cpuTime()
	if err := sleep(ctx, dur); err != nil {
		return err
	}
	r.add("processor while idle", 100*(cpuTime()-cpu).Seconds()/time.Since(began).Seconds(), "% of a core")
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
