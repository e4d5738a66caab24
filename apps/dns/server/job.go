package server

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// job is a message that a handler answers, in a goroutine of the pool.
type job struct {
	asked
	in       []byte // the message
	to       netip.AddrPort
	received time.Time
	udp      udpSender // where it came as a datagram
	stream   *stream   // else
	m        *meter    // of whom answers it
	counted  bool      // the receive path has counted its cookie
	wrote    bool      // an answer was sent, or held back
	sent     bool      // one was, to a stream
	limit    int       // octets of the answer, without the server's own options
}

// udpSender sends an answer from the address that was asked.
type udpSender interface {
	send(p []byte, from netip.Addr, to netip.AddrPort) error
}

// jobKeep is how large a buffer is kept for the next job.
const jobKeep = 4096

// newJob returns a job with a copy of the message.
func (s *Server) newJob(p []byte, a asked, to netip.AddrPort) *job {
	j := s.jobs.Get().(*job)
	in := append(j.in[:0], p...)
	*j = job{asked: a, in: in, to: to, received: time.Now()}
	j.counted = a.plain
	if j.at == 0 {
		j.at = s.now()
	}
	j.state, j.cookie, j.fresh = noCookie, nil, false // it is lent
	return j
}

func (s *Server) freeJob(j *job) {
	if cap(j.in) > jobKeep {
		j.in = nil
	}
	*j = job{in: j.in[:0]}
	s.jobs.Put(j)
}

// later gives a job to the pool. Where that is full a client over a stream is told so; one over UDP may be.
func (s *Server) later(j *job) {
	if s.pool.give(j) {
		return
	}
	m := s.meter()
	m.drop(dropBusy)
	if j.stream != nil || s.cfg.BusyServfail {
		j.m = m
		d := s.desk()
		end := questionEnd(j.in)
		if answer := s.done(d, j.in, end, &j.asked, appendShort(d.out[:0], j.in, end, uint16(msg.RcodeServerFailure), false, false, 0)); answer != nil {
			j.send(s, answer)
		}
		s.desks.Put(d)
	}
	s.end(j)
}

// end is the last that is done with a job.
func (s *Server) end(j *job) {
	if j.stream != nil {
		j.stream.answered()
	}
	s.freeJob(j)
}

// serve answers a job. It is what the pool's goroutines do.
func (s *Server) serve(j *job) {
	defer s.end(j)
	d := s.desk()
	j.m = d.m
	s.desks.Put(d)
	r := &Request{Msg: new(msg.Message), Wire: j.in, Local: j.to, Remote: j.from, Transport: j.transport, Received: j.received}
	if err := r.Msg.Unpack(j.in); err != nil {
		j.short(s, msg.RcodeFormatError, false)
		return
	}
	if e := r.Msg.EDNS; e != nil {
		j.edns, j.do, j.extended = true, e.DO, true
	}
	if m := r.Msg; !j.plain && m.Opcode == msg.OpcodeQuery && len(m.Question) == 1 {
		j.m.query(j.from.Addr(), j.transport, m.Question[0].Type)
		j.plain = true
	}
	if !s.admit(j, r) {
		return
	}
	r.Limit, r.Proven = j.limit, j.proven()
	s.call(j, r)
	if !j.wrote {
		j.m.drop(dropUnanswered)
	}
}

// admit looks at what a handler need not, and reports whether the request is for one.
func (s *Server) admit(j *job, r *Request) bool {
	m := r.Msg
	e := m.EDNS
	if e != nil && e.Version != 0 {
		j.short(s, msg.RcodeBadVers, false)
		return false
	}
	if c, ok := e.Option(msg.OptionCookie); ok && s.jar != nil {
		m := j.m
		if j.counted {
			m = nil
		}
		s.readCookie(c, &j.asked, m)
	}
	if j.transport.Stream() {
		_, j.keepalive = e.Option(msg.OptionKeepalive)
		_, j.padding = e.Option(msg.OptionPadding)
		j.padding = j.padding && j.transport == TLS
	}
	j.nsid = nil
	if _, ok := e.Option(msg.OptionNSID); ok {
		j.nsid = s.live.Load().nsid
	}
	says, most := minUDP, s.cfg.MaxUDP
	if e != nil {
		says = int(e.Size)
	}
	if j.transport.Stream() {
		most = maxMessage
	}
	j.limit = s.limit(&j.asked, len(j.in), says, most)
	switch {
	case j.state == malformedCookie:
		j.short(s, msg.RcodeFormatError, false)
	case len(m.Question) == 0 && m.Opcode == msg.OpcodeQuery && j.cookie != nil: // RFC 7873 §5.4: for a cookie only
		j.short(s, msg.RcodeSuccess, false)
	case len(m.Question) != 1:
		j.short(s, msg.RcodeFormatError, false)
	case s.cfg.Cookies.Require && s.jar != nil && !j.proven():
		if j.cookie == nil {
			j.short(s, msg.RcodeSuccess, true)
		} else {
			j.short(s, msg.RcodeBadCookie, false)
		}
	default:
		return true
	}
	return false
}

// call has the handler answer. One that panics has not answered; the server goes on.
func (s *Server) call(j *job, r *Request) {
	ctx := s.ctx
	if j.stream != nil {
		ctx = j.stream.ctx
	}
	defer func() {
		if p := recover(); p != nil {
			s.cfg.Logger.Error("dns: a handler panicked", "question", fmt.Sprint(r.Msg.Question), "panic", p, "stack", string(debug.Stack()))
			if !j.wrote {
				j.short(s, msg.RcodeServerFailure, false)
			}
		}
	}()
	w := &writer{s: s, j: j, asked: r.Msg}
	defer w.close()
	s.handler.ServeDNS(ctx, w, r)
}

// short answers without records.
func (j *job) short(s *Server, rcode msg.Rcode, truncated bool) {
	if !j.plain && opcodeOf(j.in) == 0 {
		j.m.opcodes[0].Add(1)
	}
	d := s.desk()
	defer s.desks.Put(d)
	end := questionEnd(j.in)
	j.finish(s, d, end, appendShort(d.out[:0], j.in, end, uint16(rcode), truncated, j.edns, s.cfg.MaxUDP))
}

// finish sends an answer, with what the server adds, unless it is held back.
func (j *job) finish(s *Server, d *desk, end int, answer []byte) error {
	j.wrote = true
	j.took = max(1, s.now()-j.at)
	j.m.took(j.took, 1)
	if answer = s.done(d, j.in, end, &j.asked, answer); answer == nil {
		return nil
	}
	return j.send(s, answer)
}

func (j *job) send(s *Server, answer []byte) error {
	if j.stream != nil {
		more := j.sent
		j.sent = true
		return j.stream.send(answer, more)
	}
	err := j.udp.send(answer, j.to.Addr(), j.from)
	if err != nil {
		j.m.drop(dropSend)
	}
	return err
}

// writer is the Writer of a job.
type writer struct {
	s     *Server
	j     *job
	asked *msg.Message
	over  bool
}

var (
	errOver  = errors.New("dns: an answer is written after ServeDNS has returned")
	errLarge = errors.New("dns: the answer is longer than its request's limit")
	errShort = errors.New("dns: an answer has no header")
	errTwice = errors.New("dns: a second answer to one query, over UDP")
)

func (w *writer) close() { w.over = true }

// Write implements Writer.
func (w *writer) Write(m *msg.Message) error {
	switch {
	case w.over:
		return errOver
	case w.j.wrote && w.j.stream == nil:
		return errTwice
	}
	if w.asked.EDNS == nil {
		m.EDNS = nil // RFC 6891 §6.1.1
	} else {
		if m.EDNS == nil {
			m.EDNS = new(msg.EDNS)
		}
		m.EDNS.Size, m.EDNS.DO = uint16(w.s.cfg.MaxUDP), w.asked.EDNS.DO
	}
	d := w.s.desk()
	defer w.s.desks.Put(d)
	answer, err := m.Append(d.out[:0], w.j.limit)
	if err != nil {
		w.j.m.drop(dropLarge)
		return fmt.Errorf("dns: pack an answer to %v: %w", w.asked.Question, err)
	}
	return w.j.finish(w.s, d, questionEnd(w.j.in), answer)
}

// WriteWire implements Writer.
func (w *writer) WriteWire(p []byte) error {
	switch {
	case w.over:
		return errOver
	case len(p) < headerLen:
		return errShort
	case len(p) > maxMessage, w.j.stream == nil && len(p) > w.j.limit:
		w.j.m.drop(dropLarge)
		return errLarge
	case w.j.wrote && w.j.stream == nil:
		return errTwice
	case w.j.wrote: // more of a transfer: counted and logged once
		return w.j.send(w.s, p)
	}
	d := w.s.desk()
	defer w.s.desks.Put(d)
	// What is packed may be signed: nothing is added to it.
	j := w.j
	cookie, nsid, keepalive, pad := j.cookie, j.nsid, j.keepalive, j.padding
	j.cookie, j.nsid, j.keepalive, j.padding = nil, nil, false, false
	defer func() { j.cookie, j.nsid, j.keepalive, j.padding = cookie, nsid, keepalive, pad }()
	return j.finish(w.s, d, questionEnd(j.in), append(d.out[:0], p...))
}

func (s *Server) desk() *desk { return s.desks.Get().(*desk) }
