package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/weirnet/weir/apps/serve"
)

// streamListener is a listener whose connections speak DNS.
type streamListener struct {
	net.Listener
	transport Transport
}

// maxQueued is how many octets of answers may wait for a client before no more of its queries are read, and before
// who sends it more than one message for a query waits.
const maxQueued = 256 << 10

// stream is a connection: messages behind their lengths, RFC 1035 §4.2.2, RFC 7766.
//
// One goroutine reads. What can be answered at once it answers itself; other queries it gives to the pool, whose
// answers come in any order. Whoever has an answer puts it in line, and one of them writes what is there in one
// call, the others go on.
type stream struct {
	s         *Server
	c         net.Conn
	transport Transport
	from, to  netip.AddrPort
	network   netip.Prefix
	ctx       context.Context
	cancel    context.CancelFunc

	mu       sync.Mutex
	changed  sync.Cond // with mu: less is queued or in flight, or it is closed
	out      []byte    // answers in line
	queued   int       // octets of answers in line or being written
	over     int64     // those of them above maxQueued, which the server counts too
	spare    []byte
	writing  bool
	closed   bool
	flying   int       // queries that the pool has
	idleFrom time.Time // when it had nothing to do; for whom to close first
}

// accept takes connections until the listener is closed.
func (s *Server) accept(l streamListener) error {
	for failures := 0; ; {
		c, err := l.Accept()
		if err != nil {
			if s.ended(err) {
				return nil
			}
			if failures += 10; failures > 1000 || !s.pause(failures) {
				return err
			}
			continue
		}
		failures = 0
		m := s.meter()
		m.accepted.Add(1)
		st := s.newStream(c, l.transport)
		if why, ok := s.conns.add(st); !ok {
			m.drop(why)
			st.close()
		}
	}
}

func (s *Server) newStream(c net.Conn, t Transport) *stream {
	st := &stream{s: s, c: c, transport: t, from: addrPort(c.RemoteAddr()), to: addrPort(c.LocalAddr()), idleFrom: time.Now()}
	bits := s.cfg.RateLimit.Prefix4
	if st.from.Addr().Is6() {
		bits = s.cfg.RateLimit.Prefix6
	}
	st.network, _ = st.from.Addr().Prefix(bits)
	st.changed.L = &st.mu
	st.ctx, st.cancel = context.WithCancel(s.ctx)
	return st
}

// run serves the connection until it ends.
func (st *stream) run() {
	defer st.close()
	if st.transport == TLS {
		c := tls.Server(st.c, st.s.cfg.TLS)
		c.SetDeadline(time.Now().Add(st.s.cfg.Streams.Idle))
		if err := c.HandshakeContext(st.ctx); err != nil {
			st.s.meter().drop(dropConnFormat)
			return
		}
		c.SetDeadline(time.Time{})
		st.mu.Lock()
		st.c = c
		st.mu.Unlock()
	}
	st.read()
	st.finish()
}

// read answers queries until there are no more.
func (st *stream) read() {
	s := st.s
	in := bufio.NewReaderSize(st.c, 4096)
	d := &desk{m: s.meter(), out: make([]byte, 0, 2048), opts: make([]byte, 0, fullCookie)}
	var answers, buf []byte
	for {
		if ready(in) == 0 || len(answers) > 1<<14 {
			if answers = st.flush(answers); !st.room() {
				return
			}
		}
		p, err := st.message(in, &buf)
		if err != nil {
			st.flush(answers)
			st.ended(d.m, err)
			return
		}
		a := asked{from: st.from, transport: st.transport, at: s.now()}
		switch {
		case len(p) < headerLen:
			d.m.drop(dropShort)
			continue
		case p[2]&0x80 != 0:
			d.m.drop(dropResponse)
			continue
		}
		answer, later := s.immediate(d, p, &a, maxMessage)
		if answer != nil {
			answers = appendMessage(answers, answer)
			d.m.took(s.now()-a.at, 1)
		}
		if later {
			answers = st.flush(answers)
			st.later(p, a)
		}
	}
}

// ready returns the octets of the next message if it can be read without waiting, else 0.
func ready(in *bufio.Reader) int {
	if in.Buffered() < 2 {
		return 0
	}
	p, _ := in.Peek(2)
	n := 2 + int(binary.BigEndian.Uint16(p))
	if in.Buffered() < n {
		return 0
	}
	return n
}

// message reads the next one. It is lent until the next call. A connection whose queries are all answered
// has the idle timeout for it; the clock does not start again while it arrives.
func (st *stream) message(in *bufio.Reader, buf *[]byte) ([]byte, error) {
	for ready(in) == 0 {
		st.c.SetReadDeadline(time.Now().Add(st.s.cfg.Streams.Idle))
		p, err := in.Peek(2)
		if err == nil {
			n := int(binary.BigEndian.Uint16(p))
			if 2+n > in.Size() {
				break
			}
			_, err = in.Peek(2 + n)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) && in.Buffered() == 0 && st.busy() {
			continue
		}
		if err != nil {
			if err == io.EOF && in.Buffered() > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	var head [2]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(head[:]))
	if cap(*buf) < n {
		*buf = make([]byte, n)
	}
	_, err := io.ReadFull(in, (*buf)[:n])
	return (*buf)[:n], err
}

// ended counts why a connection ends, where that says something.
func (st *stream) ended(m *meter, err error) {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		m.drop(dropConnIdle)
	case errors.Is(err, io.ErrUnexpectedEOF):
		m.drop(dropConnFormat)
	}
}

// later has the pool answer, when not too much is at work and the client takes what it gets.
func (st *stream) later(p []byte, a asked) {
	st.mu.Lock()
	for (st.flying >= st.s.cfg.Streams.Pipeline || st.queued > maxQueued) && !st.closed {
		st.changed.Wait()
	}
	st.flying++
	st.mu.Unlock()
	j := st.s.newJob(p, a, st.to)
	j.stream = st
	st.s.later(j)
}

// answered says that the pool is done with a query.
func (st *stream) answered() {
	st.mu.Lock()
	st.flying--
	st.idleFrom = time.Now()
	st.mu.Unlock()
	st.changed.Broadcast()
}

func (st *stream) busy() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return (st.flying > 0 || st.writing) && !st.closed
}

// room waits until there is room for more answers, and reports false where the connection is closed.
func (st *stream) room() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	for st.queued > maxQueued && !st.closed {
		st.changed.Wait()
	}
	return !st.closed
}

// finish waits until every query is answered and every answer written.
func (st *stream) finish() {
	st.mu.Lock()
	for (st.flying > 0 || st.writing) && !st.closed {
		st.changed.Wait()
	}
	closed, c := st.closed, st.c
	st.mu.Unlock()
	if !closed {
		serve.CloseWrite(c)
	}
}

func appendMessage(dst, p []byte) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(p))), p...)
}

// send puts an answer in line. Where it is more of one, as a transfer has it, it waits until there is room. The
// first message does not: clients that take nothing would hold a goroutine of the pool for each of their queries.
func (st *stream) send(p []byte, more bool) error {
	st.mu.Lock()
	for more && st.queued > maxQueued && !st.closed {
		st.changed.Wait()
	}
	if st.hold(2 + len(p)) {
		st.out = appendMessage(st.out, p)
	}
	return st.write()
}

// hold counts octets that are put in line, or taken out. Where all clients together leave too much lying this one has
// to go, and it reports false, as of a connection that is closed. It is called with mu held.
func (st *stream) hold(n int) bool {
	if st.closed {
		return false
	}
	st.queued += n
	more := max(0, int64(st.queued-maxQueued)) - st.over
	st.over += more
	if total := st.s.untaken.Add(more); more > 0 && total > st.s.cfg.Streams.MaxUntaken {
		st.s.meter().drop(dropConnSlow)
		st.closeLocked()
		return false
	}
	return true
}

// flush puts answers in line that have their lengths, and returns the buffer for more.
func (st *stream) flush(answers []byte) []byte {
	if len(answers) > 0 {
		st.mu.Lock()
		if st.hold(len(answers)) {
			st.out = append(st.out, answers...)
		}
		st.write()
	}
	return answers[:0]
}

// write writes what is in line, unless somebody does already. It is called with mu held, which it releases.
func (st *stream) write() error {
	defer st.mu.Unlock()
	if st.closed {
		return net.ErrClosed
	}
	if st.writing {
		return nil
	}
	st.writing = true
	w := serve.NewPatientWriter(st.c, st.s.cfg.Streams.Stall)
	for len(st.out) > 0 && !st.closed {
		p := st.out
		st.out = st.spare[:0]
		st.mu.Unlock()
		_, err := w.Write(p)
		st.mu.Lock()
		st.hold(-len(p))
		st.changed.Broadcast()
		if st.spare = p; cap(p) > maxQueued {
			st.spare = nil
		}
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) && !st.closed {
				st.s.meter().drop(dropConnSlow)
			}
			st.writing = false
			st.closeLocked()
			return err
		}
	}
	st.writing = false
	st.idleFrom = time.Now()
	st.changed.Broadcast()
	return nil
}

// close ends the connection. Who waits for it goes on.
func (st *stream) close() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.closeLocked()
}

func (st *stream) closeLocked() {
	if !st.closed {
		st.closed = true
		st.s.untaken.Add(-st.over)
		st.out, st.queued, st.over = nil, 0, 0
		st.cancel()
		st.c.Close()
		st.changed.Broadcast()
	}
}
