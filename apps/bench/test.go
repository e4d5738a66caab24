package bench

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirnet/weir/apps/bench/hist"
)

// test is a test on the client's side.
type test struct {
	client *Client
	params Params
	token  token
	began  time.Time
	phase  phase

	failed  chan struct{} // closed with the first failure
	ended   chan struct{}
	once    sync.Once
	mu      sync.Mutex
	err     error
	conns   []net.Conn // of the streams, in their order
	running sync.WaitGroup

	received, sent atomic.Uint64
	flows          []flow
	senders        []*sender

	// Of requests and connections, in the measured time.
	latency, connect hist.Histogram
	interval         atomic.Pointer[hist.Histogram] // latency since the last progress
	lost, errors     atomic.Uint64
	firstError       atomic.Pointer[error]
}

func newTest(c *Client, p Params, tok token) *test {
	t := &test{client: c, params: p, token: tok, began: time.Now(), failed: make(chan struct{}), ended: make(chan struct{})}
	t.interval.Store(new(hist.Histogram))
	if p.Test == Datagrams {
		t.flows = make([]flow, p.Streams)
	}
	return t
}

func (t *test) now() time.Duration { return time.Since(t.began) }

// open makes the connections that a test has from its start, several at a time.
func (t *test) open(ctx context.Context) error {
	if !t.params.connections() && !t.params.datagrams() {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t.conns = make([]net.Conn, t.params.Streams)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(t.params.Streams, 16) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(t.conns)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				c, err := t.openOne(ctx, uint16(i))
				if err != nil {
					cancel(err)
					return
				}
				t.conns[i] = c
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

func (t *test) openOne(ctx context.Context, stream uint16) (net.Conn, error) {
	if t.params.datagrams() {
		return t.openFlow(ctx, stream)
	}
	c, err := t.client.dial(ctx, "tcp")
	if err != nil {
		return nil, err
	}
	if _, err := c.Write(preamble{role: roleData, stream: stream, token: t.token}.bytes()); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// start starts the streams.
func (t *test) start() {
	p := &t.params
	if p.Test == Connections {
		for range p.Streams {
			t.running.Go(t.connections)
		}
		return
	}
	for i, c := range t.conns {
		switch {
		case p.Test == Bulk:
			t.bulk(c)
		case p.Test == Datagrams:
			t.datagrams(uint16(i), c)
		case p.UDP:
			t.running.Go(func() { t.datagramRequests(uint16(i), c) })
		default:
			t.running.Go(func() { t.requests(c) })
		}
	}
}

// fail ends the test with an error, the first one. What comes once the end was ordered is the end's.
func (t *test) fail(err error) {
	if err == nil || t.phase.ending() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
		close(t.failed)
	}
}

func (t *test) failure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// wait lets the test run. It returns early where the test fails or ctx is done.
func (t *test) wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-t.failed:
		return t.failure()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// stop ends the sending.
func (t *test) stop() {
	t.phase.v.Store(phaseStopped)
	t.once.Do(func() { close(t.ended) })
}

// close ends the streams.
func (t *test) close() {
	t.stop()
	for _, c := range t.conns {
		if c != nil {
			c.Close()
		}
	}
	t.running.Wait()
}

func (t *test) sample() Sample {
	s := Sample{At: t.now(), CPU: cpuTime(), Received: t.received.Load(), Sent: t.sent.Load(), Flow: sum(t.flows)}
	for _, f := range t.senders {
		s.Sent += f.octets.Load()
		s.Flow.Sent += f.sent.Load()
		s.Flow.Unsent += f.unsent.Load()
	}
	return s
}
