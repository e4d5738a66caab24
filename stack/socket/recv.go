package socket

import (
	"syscall"

	"github.com/weirnet/weir/stack/shard"
	"github.com/weirnet/weir/stack/tcp"
)

// receiving is one call to receive from a stream, which may take several rounds.
type receiving struct {
	s      *stream
	iov    [][]byte
	flags  int
	want   int // octets asked for
	target int // octets to return with
	copied int
	stop   bool // the urgent mark was met
	seen   *attachment
}

// recv is tcp_recvmsg.
func (s *stream) recv(f *file, m *Msghdr, flags int) (int, error) {
	if flags&MSG_ERRQUEUE != 0 {
		return -1, syscall.EAGAIN // what is reported of streams is not queued, as in Linux
	}
	if s.listening() != nil {
		return -1, syscall.ENOTCONN
	}
	if flags&MSG_OOB != 0 {
		return s.recvUrgent(m, flags)
	}
	r := &receiving{s: s, iov: m.Iov, flags: flags, want: total(m.Iov)}
	s.mu.Lock()
	r.target = max(1, min(s.opt.lowWater, r.want))
	s.mu.Unlock()
	if flags&MSG_WAITALL != 0 {
		r.target = max(1, r.want)
	}
	n, err := s.sys.retry(f, f.nonblocking() || flags&MSG_DONTWAIT != 0, s.receiveTimeout(), r.attempt, r.ready)
	if err != nil && r.copied > 0 {
		n, err = r.copied, nil // the error, if it was one, is for the next call
	}
	if err == nil && s.wantsInq() {
		left, _ := s.inq()
		if left == 0 && r.seen != nil && r.seen.fin.Load() {
			left = 1 // so that the user reads on, to the end
		}
		m.put(SOL_TCP, TCP_CM_INQ, appendInt(nil, left))
	}
	return n, err
}

// wantsInq is TCP_INQ: whether to be told how much is left to be read.
func (s *stream) wantsInq() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opt.inq
}

// attempt takes what is there, and answers EAGAIN where that is not enough.
func (r *receiving) attempt() (int, error) {
	s := r.s
	a := s.current()
	state := TCP_CLOSE
	if a != nil {
		r.seen = a
		a.c.Lock()
		r.take(a.c)
		state = stateNumber(a.c.Conn().State())
		a.c.Unlock()
	}
	ended := s.isShut(shutRead) || finHasCome(state) || state == TCP_CLOSE && a != nil
	switch {
	case r.copied >= r.target, r.stop, r.want == 0 && a != nil && r.readable(a):
		return r.copied, nil
	case r.copied > 0:
		if ended || s.failed.Load() != 0 {
			return r.copied, nil
		}
	case a != nil && a.fin.Load():
		return 0, nil
	case s.failed.Load() != 0:
		return -1, s.takeError()
	case ended:
		return 0, nil
	case state == TCP_CLOSE:
		return -1, syscall.ENOTCONN
	}
	return -1, syscall.EAGAIN
}

// readable reports whether anything is there, be it urgent.
func (r *receiving) readable(a *attachment) bool {
	a.c.Lock()
	defer a.c.Unlock()
	_, st := a.c.Conn().PeekUrgent()
	return a.c.Conn().Readable() > 0 || st == tcp.UrgentReady
}

// take moves what is readable to the caller's buffers. c is locked.
func (r *receiving) take(c *shard.TCP) {
	if r.flags&MSG_PEEK != 0 {
		r.copied = r.peek(c.Conn())
		return
	}
	before := r.copied
	for r.copied < r.want && !r.stop {
		p := r.next()
		n := c.Conn().Read(c.Host().Now(), p)
		r.copied += n
		if n < len(p) {
			r.stop = c.Conn().Readable() > 0 && r.copied > 0
			break
		}
	}
	if r.copied > before {
		c.Push()
	}
}

// next returns where the next octets go: with MSG_TRUNC, nowhere.
func (r *receiving) next() []byte {
	if r.flags&MSG_TRUNC != 0 {
		return make([]byte, min(r.want-r.copied, 64<<10))
	}
	skip := r.copied
	for _, p := range r.iov {
		if skip < len(p) {
			return p[skip:]
		}
		skip -= len(p)
	}
	return nil
}

// peek fills the buffers with what is readable and leaves it there.
func (r *receiving) peek(c *tcp.Conn) int {
	if r.flags&MSG_TRUNC != 0 {
		return min(c.Readable(), r.want)
	}
	if len(r.iov) == 1 {
		return c.Peek(r.iov[0])
	}
	p := make([]byte, min(r.want, c.Readable()))
	n := c.Peek(p)
	scatter(r.iov, p[:n])
	return n
}

// scatter copies p to the buffers and returns how much of it there was room for.
func scatter(iov [][]byte, p []byte) (n int) {
	for _, to := range iov {
		n += copy(to, p[n:])
	}
	return n
}

// ready reports whether another attempt can get further.
func (r *receiving) ready() bool {
	s := r.s
	a := s.current()
	if a == nil || a != r.seen || s.failed.Load() != 0 || s.isShut(shutRead) {
		return true
	}
	a.c.Lock()
	defer a.c.Unlock()
	had := 0
	if r.flags&MSG_PEEK != 0 {
		had = r.copied
	}
	st := stateNumber(a.c.Conn().State())
	return a.c.Conn().Readable() > had || finHasCome(st) || st == TCP_CLOSE
}

// recvUrgent is tcp_recv_urg: it never waits.
func (s *stream) recvUrgent(m *Msghdr, flags int) (int, error) {
	a := s.current()
	s.mu.Lock()
	inline := s.opt.oobInline
	s.mu.Unlock()
	if a == nil || inline {
		return -1, syscall.EINVAL
	}
	a.c.Lock()
	defer a.c.Unlock()
	c := a.c.Conn()
	b, st := c.PeekUrgent()
	state := stateNumber(c.State())
	switch {
	case st == tcp.UrgentNone:
		return -1, syscall.EINVAL
	case state == TCP_CLOSE && !a.fin.Load():
		return -1, syscall.ENOTCONN
	case st == tcp.UrgentReady:
		return takeUrgent(c, m, flags, b), nil
	case state == TCP_CLOSE || finHasCome(state) || s.isShut(shutRead):
		return 0, nil
	}
	return -1, syscall.EAGAIN
}

func takeUrgent(c *tcp.Conn, m *Msghdr, flags int, b byte) int {
	if flags&MSG_PEEK == 0 {
		c.ReadUrgent()
	}
	m.Flags |= MSG_OOB
	if total(m.Iov) == 0 {
		m.Flags |= MSG_TRUNC
		return 0
	}
	if flags&MSG_TRUNC == 0 {
		scatter(m.Iov, []byte{b})
	}
	return 1
}

// inq is SIOCINQ: the octets to read, before the urgent mark where there is one.
func (s *stream) inq() (int, error) {
	s.mu.Lock()
	l, a, inline := s.listener, s.live, s.opt.oobInline
	s.mu.Unlock()
	if l != nil {
		return -1, syscall.EINVAL
	}
	if a == nil {
		return 0, nil
	}
	a.c.Lock()
	defer a.c.Unlock()
	st := a.c.Conn().State()
	if st == tcp.StateSynSent || st == tcp.StateSynReceived {
		return 0, nil
	}
	switch c := a.c.Conn(); {
	case inline:
		return c.Queue(), nil
	case c.AtMark():
		return 0, nil
	default:
		return c.Readable(), nil
	}
}

// outq is SIOCOUTQ: the octets that are not acknowledged yet, our FIN not counted; or
// SIOCOUTQNSD: those not sent yet.
func (s *stream) outq(unsentOnly bool) (int, error) {
	s.mu.Lock()
	l, a := s.listener, s.live
	s.mu.Unlock()
	if l != nil {
		return -1, syscall.EINVAL
	}
	if a == nil {
		return 0, nil
	}
	a.c.Lock()
	defer a.c.Unlock()
	unacked, unsent := a.c.Conn().Queued()
	if unsentOnly {
		return unsent, nil
	}
	return unacked + unsent, nil
}
