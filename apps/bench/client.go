package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// Dialer is what a client runs on: a *net.Dialer, a *stack.Stack.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Client is the near side of tests, which chooses them and reports.
type Client struct {
	Dialer  Dialer
	Address string // of the server, an IP address and a port
	// Progress, where it is set, is called after each interval of the measured time.
	Progress func(Interval)
}

const (
	// dialPatience bounds the making of each connection of a test.
	dialPatience = 15 * time.Second
	// grace is what datagrams under way have to arrive after the last was sent.
	grace = 500 * time.Millisecond
)

// Run runs a test to its end, or until ctx is done: then the report is about the time until then, or
// the error is ctx's where nothing was measured yet.
func (c *Client) Run(ctx context.Context, p Params) (*Report, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	ctl, err := c.control(ctx, p)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx) // which is what broke the connection
	}
	if err != nil {
		return nil, err
	}
	defer ctl.conn.Close()
	t := newTest(c, p, ctl.token)
	defer t.close()
	report, err := c.run(ctx, ctl, t)
	if failed := t.failure(); failed != nil { // it says more
		return nil, failed
	}
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return report, err
}

func (c *Client) run(ctx context.Context, ctl *control, t *test) (*Report, error) {
	if err := t.open(ctx); err != nil {
		return nil, err
	}
	if _, err := ctl.order(orderStart); err != nil {
		return nil, err
	}
	t.start()
	if err := t.wait(ctx, t.params.Warmup); err != nil {
		return nil, err
	}
	w := window{test: t, control: ctl, progress: c.Progress}
	if err := w.begin(); err != nil {
		return nil, err
	}
	interrupted, err := w.measure(ctx)
	if err != nil {
		return nil, err
	}
	if err := w.end(); err != nil {
		return nil, err
	}
	t.close() // who recorded is done
	r := w.report()
	r.Interrupted = interrupted
	return r, nil
}

// control is the control connection of a test.
type control struct {
	conn  net.Conn
	token token
}

// control begins the test at the server.
func (c *Client) control(ctx context.Context, p Params) (*control, error) {
	conn, err := c.dial(ctx, "tcp")
	if err != nil {
		return nil, err
	}
	// An interrupt ends what comes before the test, not the exchange of results.
	undo := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer undo()
	_ = conn.SetDeadline(time.Now().Add(dialPatience))
	ctl := &control{conn: conn}
	_, err = conn.Write(preamble{role: roleControl}.bytes())
	var r response
	if err == nil {
		r, err = ctl.exchange(request{Order: orderBegin, Params: &p})
	}
	if err == nil && len(r.Token) != len(ctl.token) {
		err = fmt.Errorf("%s: %w", c.Address, errPreamble)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	copy(ctl.token[:], r.Token)
	return ctl, nil
}

func (c *Client) dial(ctx context.Context, network string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	return c.Dialer.DialContext(ctx, network, c.Address)
}

func (ctl *control) order(o order) (Sample, error) {
	_ = ctl.conn.SetDeadline(time.Now().Add(maxSilence))
	r, err := ctl.exchange(request{Order: o})
	return r.Sample, err
}

func (ctl *control) exchange(q request) (r response, err error) {
	if err = writeMessage(ctl.conn, q); err == nil {
		err = readMessage(ctl.conn, &r)
	}
	switch {
	case err != nil:
		return r, fmt.Errorf("the control connection to %v broke: %w", ctl.conn.RemoteAddr(), err)
	case r.Error != "":
		return r, errors.New(r.Error)
	case r.Version != Version:
		return r, fmt.Errorf("%v speaks version %d of weir bench's protocol, this is version %d", ctl.conn.RemoteAddr(), r.Version, Version)
	}
	return r, nil
}
