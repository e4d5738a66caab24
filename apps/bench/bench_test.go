package bench_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/apps/bench"
	"github.com/weirnet/weir/apps/serve"
	"github.com/weirnet/weir/stack"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/impair"
	"github.com/weirnet/weir/stack/link/pipe"
	"github.com/weirnet/weir/stack/wire"
)

// host is the machine's own sockets.
type host struct{ net.Dialer }

func (host) Listen(network, address string) (net.Listener, error) {
	return net.Listen(network, address)
}
func (host) ListenPacket(network, address string) (net.PacketConn, error) {
	return net.ListenPacket(network, address)
}

// newStacks joins two stacks by a cable, the client's end of it wrapped.
func newStacks(t testing.TB, wrap func(stack.Device) stack.Device) (server, client *stack.Stack) {
	t.Helper()
	a, b := pipe.New(pipe.Options{MTU: 1500})
	return newStack(t, a, "192.0.2.2/24"), newStack(t, wrap(b), "192.0.2.1/24")
}

func newStack(t testing.TB, d stack.Device, addr string) *stack.Stack {
	t.Helper()
	st, err := stack.New(stack.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if _, err := st.AddInterface(d, stack.InterfaceConfig{Addresses: []netip.Prefix{netip.MustParsePrefix(addr)}}); err != nil {
		t.Fatal(err)
	}
	return st
}

// start runs a server and returns a client for it.
func start(t testing.TB, nw serve.Network, d bench.Dialer, addr string) *bench.Client {
	t.Helper()
	s, err := bench.Listen(nw, netip.MustParseAddr(addr), 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &bench.Client{Dialer: d, Address: net.JoinHostPort(addr, strconv.Itoa(int(s.Port())))}
}

// quick is a test that takes little time.
func quick(test bench.Test, change func(*bench.Params)) bench.Params {
	p := bench.Defaults(test)
	p.Warmup, p.Duration, p.Interval = 20*time.Millisecond, 400*time.Millisecond, 100*time.Millisecond
	if change != nil {
		change(&p)
	}
	return p
}

var quickTests = map[string]bench.Params{
	"bulk to":        quick(bench.Bulk, func(p *bench.Params) { p.Streams = 3 }),
	"bulk from":      quick(bench.Bulk, func(p *bench.Params) { p.Direction = bench.From }),
	"bulk both":      quick(bench.Bulk, func(p *bench.Params) { p.Direction, p.Streams = bench.Both, 2 }),
	"requests":       quick(bench.Requests, func(p *bench.Params) { p.Streams, p.Size, p.Reply = 4, 100, 3000 }),
	"requests UDP":   quick(bench.Requests, func(p *bench.Params) { p.Streams, p.UDP, p.Size, p.Reply = 4, true, 64, 64 }),
	"connections":    quick(bench.Connections, func(p *bench.Params) { p.Streams = 2 }),
	"datagrams to":   quick(bench.Datagrams, nil),
	"datagrams both": quick(bench.Datagrams, func(p *bench.Params) { p.Direction, p.Streams = bench.Both, 3 }),
}

func TestEveryTestMeasuresSomethingOnEveryNetwork(t *testing.T) {
	server, client := newStacks(t, func(d stack.Device) stack.Device { return d })
	for name, c := range map[string]*bench.Client{
		"weir": start(t, server, client, "192.0.2.2"),
		"host": start(t, host{}, &net.Dialer{}, "127.0.0.1"),
	} {
		for test, p := range quickTests {
			t.Run(name+" "+test, func(t *testing.T) {
				intervals := 0
				c.Progress = func(bench.Interval) { intervals++ }
				r, err := c.Run(t.Context(), p)
				for err == nil && !measured(r) && p.Duration < 20*time.Second { // the machine had no time for it
					intervals, p.Duration = 0, 8*p.Duration
					r, err = c.Run(t.Context(), p)
				}
				if err != nil {
					t.Fatal(err)
				}
				if intervals == 0 || intervals != len(r.Intervals) {
					t.Errorf("%d intervals were told, %d reported", intervals, len(r.Intervals))
				}
				check(t, p, r)
			})
		}
	}
}

// measured reports whether there was anything to measure.
func measured(r *bench.Report) bool {
	for _, to := range []*bench.Throughput{r.To, r.From} {
		if to != nil && (to.Octets == 0 || to.Datagrams != nil && to.Datagrams.Received == 0) {
			return false
		}
	}
	return r.Rate == nil || r.Rate.Count > 0
}

// check holds a report of a clean path to what must be so on any machine.
func check(t *testing.T, p bench.Params, r *bench.Report) {
	t.Helper()
	if r.Seconds < p.Duration.Seconds()*0.9 || r.Interrupted {
		t.Errorf("measured for %v s (interrupted: %v), want %v", r.Seconds, r.Interrupted, p.Duration)
	}
	if p.Test == bench.Requests || p.Test == bench.Connections {
		l := r.Rate.Latency
		if r.Rate.Count == 0 || r.Rate.Errors != 0 || !(l.Min > 0 && l.Min <= l.P50 && l.P50 <= l.P99 && l.P99 <= l.Max) {
			t.Errorf("rate: %+v", *r.Rate)
		}
		if p.Test == bench.Connections && (r.Rate.Connect.Count != l.Count || r.Rate.Connect.Min >= l.Max) {
			t.Errorf("connecting: %+v of %+v", r.Rate.Connect, l)
		}
		return
	}
	for d, got := range map[bench.Direction]*bench.Throughput{bench.To: r.To, bench.From: r.From} {
		if want := p.Direction == d || p.Direction == bench.Both; want != (got != nil) {
			t.Errorf("direction %s: reported %v, asked for %v", d, got != nil, want)
			continue
		}
		if got == nil {
			continue
		}
		if got.Octets == 0 || got.BitsPerSecond <= 0 {
			t.Errorf("%s: %+v", d, *got)
		}
		if f := got.Datagrams; p.Test == bench.Datagrams && (f == nil || f.Received == 0 || f.Received > f.Sent || f.Duplicates != 0) {
			t.Errorf("%s: datagrams %+v", d, f)
		}
	}
}

// badForDatagrams is a link of which only UDP has to suffer: not the control connection.
type badForDatagrams struct {
	*impair.Device
	good stack.Device
}

func (d badForDatagrams) WriteFrames(queue int, frames [][]byte) (int, error) {
	for i, f := range frames {
		write := d.good.WriteFrames
		if f[link.VnetLen+9] == wire.ProtoUDP {
			write = d.Device.WriteFrames
		}
		if n, err := write(queue, [][]byte{f}); n != 1 {
			return i, err
		}
	}
	return len(frames), nil
}

// What a link does to datagrams is found, in number. In virtual time nothing else happens to them.
func TestLossReorderingAndDuplicatesAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := newStacks(t, func(d stack.Device) stack.Device {
			bad := impair.Config{Loss: .2, Duplicate: .1, Delay: 5 * time.Millisecond, Reorder: .1, Seed: 1}
			return badForDatagrams{impair.WrapEach(d, bad, impair.Config{}), d}
		})
		c := start(t, server, client, "192.0.2.2")
		p := quick(bench.Datagrams, func(p *bench.Params) { p.Rate, p.Size, p.Duration = 4e6, 100, 2*time.Second })
		r, err := c.Run(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		f := r.To.Datagrams
		if r.To.LostPercent < 15 || r.To.LostPercent > 25 || r.To.Lost != f.Sent-f.Received {
			t.Errorf("%d of %d lost (%.1f %%) by a link that loses 20 %%", r.To.Lost, f.Sent, r.To.LostPercent)
		}
		if part := float64(f.Duplicates) / float64(f.Received); part < .05 || part > .15 {
			t.Errorf("%d duplicates of %d by a link that doubles 10 %%", f.Duplicates, f.Received)
		}
		if f.Reordered == 0 || f.Jitter <= 0 {
			t.Errorf("reordered %d, jitter %v by a link that delays 10 %%", f.Reordered, f.Jitter)
		}
	})
}

// In virtual time neither the machine nor the link is ever too busy for a rate.
func TestARateIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := newStacks(t, func(d stack.Device) stack.Device { return d })
		c := start(t, server, client, "192.0.2.2")
		p := quick(bench.Datagrams, func(p *bench.Params) { p.Rate, p.Streams, p.Direction = 8e6, 4, bench.Both })
		r, err := c.Run(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for d, got := range map[bench.Direction]*bench.Throughput{bench.To: r.To, bench.From: r.From} {
			f := got.Datagrams
			rate := float64(f.Sent) * float64(p.Size) * 8 / r.Seconds
			if rate < .97*p.Rate || rate > 1.03*p.Rate || f.Unsent != 0 || f.Received != f.Sent {
				t.Errorf("%s: %.4g bit/s, asked for %.4g; %+v", d, rate, p.Rate, *f)
			}
		}
	})
}

func TestAnInterruptReportsWhatWasMeasured(t *testing.T) {
	c := start(t, host{}, &net.Dialer{}, "127.0.0.1")
	ctx, stop := context.WithCancel(t.Context())
	c.Progress = func(i bench.Interval) {
		if i.Rate > 0 {
			stop()
		}
	}
	p := quick(bench.Requests, func(p *bench.Params) { p.Duration = time.Hour })
	r, err := c.Run(ctx, p)
	if err != nil || !r.Interrupted || r.Rate.Count == 0 || r.Seconds > 300 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := c.Run(ctx, p); !errors.Is(err, context.Canceled) {
		t.Errorf("begun after the interrupt: %v", err)
	}
}

func TestRefusalsSayWhy(t *testing.T) {
	c := start(t, host{}, &net.Dialer{}, "127.0.0.1")
	for want, p := range map[string]bench.Params{
		"there is no test":  quick("dance", nil),
		"streams":           quick(bench.Bulk, func(p *bench.Params) { p.Streams = bench.MaxStreams + 1 }),
		"all together":      quick(bench.Bulk, func(p *bench.Params) { p.Streams, p.Size = 1000, 1<<20 }),
		"direction":         quick(bench.Bulk, func(p *bench.Params) { p.Direction = "up" }),
		"a size of 35":      quick(bench.Datagrams, func(p *bench.Params) { p.Size = 35 }),
		"a reply of 0":      quick(bench.Requests, func(p *bench.Params) { p.Reply = 0 }),
		"a rate":            quick(bench.Datagrams, func(p *bench.Params) { p.Rate = -1 }),
		"an interval":       quick(bench.Bulk, func(p *bench.Params) { p.Interval = 0 }),
		"more than nothing": quick(bench.Bulk, func(p *bench.Params) { p.Duration = 0 }),
	} {
		if _, err := c.Run(t.Context(), p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want it to say %q", err, want)
		}
	}
}

// A server that goes away ends the test with an error, not with figures.
func TestAServerThatEndsIsAnError(t *testing.T) {
	s, err := bench.Listen(host{}, netip.MustParseAddr("127.0.0.1"), 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	c := &bench.Client{Dialer: &net.Dialer{}, Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(int(s.Port())))}
	c.Progress = func(bench.Interval) { stop() }
	for _, test := range []bench.Test{bench.Bulk, bench.Requests} {
		if _, err := c.Run(t.Context(), quick(test, func(p *bench.Params) { p.Duration = time.Hour })); err == nil {
			t.Errorf("%s: no error", test)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
