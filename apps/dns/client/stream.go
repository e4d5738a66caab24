package client

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// connKey says what a connection may be shared for.
type connKey struct {
	to   netip.AddrPort
	t    Transport
	name string
}

// stream is a connection to a server. Questions are written by whoever asks; one goroutine reads the answers.
type stream struct {
	c   *Client
	key connKey

	begun time.Time
	ready chan struct{} // closed when conn or err is set
	conn  net.Conn
	stop  context.CancelFunc // of its dialling

	write sync.Mutex

	users    int    // exchanges that it was given to; guarded by Client.mu
	released uint64 // when the last one was done with it, in Client.releases; likewise

	mu      sync.Mutex
	err     error // why it is of no use any more
	waiting map[uint16]chan []byte
}

// maxWaiting bounds the questions under way on a connection: what is beyond gets one of its own.
const maxWaiting = 1000

// stream asks over a connection, and once more over a new one if a kept one fails: the server may have closed
// it just now (RFC 7766 §6.2.4).
func (x *exchange) stream(ctx context.Context) (*msg.Message, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, or(x.c.StreamTimeout, 5*time.Second), ErrTimeout)
	defer cancel()
	for {
		s, kept, err := x.c.connection(ctx, connKey{x.to, x.Transport, x.o.ServerName})
		if err != nil {
			return nil, x.because(ctx, err)
		}
		reply, err := x.ask(ctx, s)
		x.c.release(s)
		if err == nil || !kept || ctx.Err() != nil || errors.Is(err, ErrAnswer) {
			return reply, err
		}
	}
}

func (x *exchange) ask(ctx context.Context, s *stream) (*msg.Message, error) {
	x.Sent++
	x.c.counters[countTCP+int(x.Transport-TCP)].Add(1)
	x.OctetsOut = len(x.query)
	begun := time.Now()
	id, got, err := s.send(ctx, x.query)
	if err != nil {
		return nil, x.because(ctx, err)
	}
	defer s.done(id)
	select {
	case p, ok := <-got:
		if !ok {
			return nil, x.because(ctx, s.cause())
		}
		reply, reason := x.answer(p)
		if reply == nil {
			x.c.counters[reason].Add(1)
			return nil, ErrAnswer
		}
		x.RTT, x.OctetsIn = time.Since(begun), len(p)
		return reply, nil
	case <-ctx.Done():
		return nil, x.because(ctx, or(context.Cause(ctx), ErrTimeout))
	}
}

// connection returns a connection for the key: one that is kept, or a new one. The caller releases it where there is no error.
func (c *Client) connection(ctx context.Context, key connKey) (s *stream, kept bool, err error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, false, net.ErrClosed
	}
	s, kept = c.conns[key]
	if kept && !s.usable() {
		kept = false
	}
	var victim *stream
	var why error
	if !kept {
		var ok bool
		if victim, why, ok = c.room(); !ok {
			c.counters[countRefused].Add(1)
			c.mu.Unlock()
			return nil, false, ErrConnections
		}
		s = c.begin(ctx, key)
	}
	s.users++
	c.mu.Unlock()
	if victim != nil {
		victim.fail(why)
	}
	select {
	case <-s.ready:
		err = s.cause()
	case <-ctx.Done():
		err = or(context.Cause(ctx), ErrTimeout)
	}
	if err != nil {
		c.release(s)
		return nil, kept, err
	}
	return s, kept, nil
}

// begin makes a stream and has it dialled. c.mu is held.
func (c *Client) begin(ctx context.Context, key connKey) *stream {
	s := &stream{c: c, key: key, begun: time.Now(), ready: make(chan struct{}), waiting: map[uint16]chan []byte{}}
	if c.conns == nil {
		c.conns, c.open = map[connKey]*stream{}, map[*stream]struct{}{}
	}
	c.conns[key] = s
	c.open[s] = struct{}{}
	c.counters[countDialled].Add(1)
	// In a goroutine: others wait for it too, and must not fail because the first one gave up.
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	c.streams.Go(func() { s.dial(ctx) })
	return s
}

// patience is how long a server has to answer a call while others want the place: as long as the first retransmission of a SYN takes
// (RFC 6298 §2.1). Else servers that are silent would have all the places for the whole StreamTimeout.
const patience = time.Second

// room reports whether one more connection may be opened, and which one must be closed for it, and why: what is idle for the longest time or,
// where all are in use, the oldest call that has had its time and no answer. Those who wait for that, or are at it should it be opened
// just now, are told that the server has not answered. c.mu is held.
func (c *Client) room() (victim *stream, why error, ok bool) {
	if len(c.open) < or(c.MaxConnections, 256) {
		return nil, nil, true
	}
	var idle, silent *stream
	for s := range c.open {
		switch opened := s.opened(); {
		case opened && s.users == 0 && (idle == nil || s.released < idle.released):
			idle = s
		case !opened && time.Since(s.begun) >= patience && (silent == nil || s.begun.Before(silent.begun)):
			silent = s
		}
	}
	switch {
	case idle != nil:
		victim, why = idle, errEvicted
	case silent != nil:
		victim, why = silent, ErrTimeout
	default:
		return nil, nil, false
	}
	delete(c.open, victim) // at once, so that nobody else takes it for room, nor asks over it
	if c.conns[victim.key] == victim {
		delete(c.conns, victim.key)
	}
	c.counters[countEvicted].Add(1)
	return victim, why, true
}

// release says that an exchange is done with a connection.
func (c *Client) release(s *stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.users--
	c.releases++
	s.released = c.releases
}

// opened reports whether the connection is not being opened still.
func (s *stream) opened() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}

// dial opens the connection and then reads from it until it ends.
func (s *stream) dial(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, or(s.c.StreamTimeout, 5*time.Second))
	defer cancel()
	conn, err := s.c.Network.DialContext(ctx, "tcp", s.key.to.String())
	if err == nil && s.key.t == TLS {
		cfg := &tls.Config{}
		if s.c.TLS != nil {
			cfg = s.c.TLS.Clone()
		}
		if cfg.ServerName = s.key.name; s.key.name == "" {
			cfg.InsecureSkipVerify = true
		}
		t := tls.Client(conn, cfg)
		if err = t.HandshakeContext(ctx); err != nil {
			conn.Close()
		}
		conn = t
	}
	if err != nil {
		s.fail(err)
		close(s.ready)
		return
	}
	s.mu.Lock()
	s.conn = conn
	failed := s.err != nil // the client was closed
	s.mu.Unlock()
	close(s.ready)
	if failed {
		conn.Close()
		return
	}
	s.fail(s.read())
}

// read hands answers to those who wait for them.
func (s *stream) read() error {
	var size [2]byte
	s.use()
	for {
		if _, err := io.ReadFull(s.conn, size[:]); err != nil {
			return err
		}
		p := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(s.conn, p); err != nil {
			return err
		}
		if len(p) < headerLen {
			return ErrAnswer
		}
		s.mu.Lock()
		ch := s.waiting[binary.BigEndian.Uint16(p)]
		delete(s.waiting, binary.BigEndian.Uint16(p))
		s.mu.Unlock()
		if ch == nil { // its asker has gone, or it is not an answer to anything
			s.c.counters[countBadID].Add(1)
			continue
		}
		s.use()
		ch <- p
	}
}

// use keeps the connection for another while: for a question, or its answer. What nobody asked for does not count, or a server
// could have us keep connections without end.
func (s *stream) use() { s.conn.SetReadDeadline(time.Now().Add(or(s.c.Idle, 10*time.Second))) }

// usable reports whether another question may go over the connection.
func (s *stream) usable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err == nil && len(s.waiting) < maxWaiting
}

func (s *stream) cause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// send writes a query, with another id where its own is under way already. The answer comes over the channel, which is
// closed when the connection fails.
func (s *stream) send(ctx context.Context, query []byte) (uint16, chan []byte, error) {
	ch := make(chan []byte, 1)
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return 0, nil, s.err
	}
	id := binary.BigEndian.Uint16(query)
	for s.waiting[id] != nil {
		id = randomID()
	}
	binary.BigEndian.PutUint16(query, id)
	s.waiting[id] = ch
	s.mu.Unlock()
	s.write.Lock()
	defer s.write.Unlock()
	if d, ok := ctx.Deadline(); ok {
		s.conn.SetWriteDeadline(d)
	}
	s.use()
	p := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(query)), uint16(len(query)))
	if _, err := s.conn.Write(append(p, query...)); err != nil {
		s.done(id)
		s.fail(err) // part of a message may have gone out
		return 0, nil, err
	}
	return id, ch, nil
}

func (s *stream) done(id uint16) {
	s.mu.Lock()
	delete(s.waiting, id)
	s.mu.Unlock()
}

// fail makes the connection unusable, for the first reason given, and tells those who wait.
func (s *stream) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	for id, ch := range s.waiting {
		close(ch)
		delete(s.waiting, id)
	}
	conn := s.conn
	s.mu.Unlock()
	s.stop()
	if conn != nil {
		conn.Close()
	}
	s.c.mu.Lock()
	if s.c.conns[s.key] == s {
		delete(s.c.conns, s.key)
	}
	delete(s.c.open, s)
	s.c.mu.Unlock()
}
