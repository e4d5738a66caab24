package serve

import (
	"context"
	"net"
	"sync"
	"time"
)

// KeepAlivePeriod is how long an accepted connection is silent before its peer is
// asked whether it is still there.
const KeepAlivePeriod = time.Minute

// Stream accepts connections from ln and gives each to handle in a goroutine of
// its own; the connection is closed when handle returns. It runs until ctx is
// done, ln is closed or ln fails for good. Before it returns it closes ln and
// every connection, and waits for every handle to return. It returns nil unless
// ln failed for good.
func Stream(ctx context.Context, ln net.Listener, handle func(net.Conn)) error {
	return stream(ctx, ln, handle, new(Counters))
}

func stream(ctx context.Context, ln net.Listener, handle func(net.Conn), n *Counters) error {
	var open connections
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	err := accept(ctx, ln, func(c net.Conn) {
		n.Accepted.Add(1)
		open.serve(c, handle)
	})
	ln.Close()
	open.closeAndWait()
	return err
}

// accept calls take for each connection until ln is closed or fails for good.
func accept(ctx context.Context, ln net.Listener, take func(net.Conn)) error {
	var wait backoff
	for {
		c, err := ln.Accept()
		if err == nil {
			wait.reset()
			keepAlive(c)
			take(c)
			continue
		}
		if ended(ctx, err) {
			return nil
		}
		if !passing(err) {
			return err
		}
		wait.sleep(ctx)
	}
}

// keepAlive asks for keep-alive probes where the connection can send them, so
// that a peer that vanished without a word does not hold a goroutine for ever.
func keepAlive(c net.Conn) {
	k, ok := c.(interface {
		SetKeepAlive(bool) error
		SetKeepAlivePeriod(time.Duration) error
	})
	if ok && k.SetKeepAlive(true) == nil {
		_ = k.SetKeepAlivePeriod(KeepAlivePeriod) // the default period does too
	}
}

// connections are the open connections of one Stream and their goroutines.
type connections struct {
	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
	wg     sync.WaitGroup
}

// serve runs handle for c in a goroutine, and closes c after it.
func (s *connections) serve(c net.Conn, handle func(net.Conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return
	}
	if s.open == nil {
		s.open = make(map[net.Conn]struct{})
	}
	s.open[c] = struct{}{}
	s.wg.Go(func() {
		defer s.remove(c)
		handle(c)
	})
}

func (s *connections) remove(c net.Conn) {
	c.Close()
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
}

func (s *connections) closeAndWait() {
	s.mu.Lock()
	s.closed = true
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}
