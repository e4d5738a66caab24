package socket

import (
	"syscall"

	"github.com/weirnet/weir/stack/shard"
)

// sending is one call to send on a stream.
type sending struct {
	s     *stream
	iov   [][]byte
	flags int
	sent  int
	want  int
}

// send is tcp_sendmsg. An address is not looked at, as in Linux.
func (s *stream) send(f *file, m *Msghdr, flags int) (int, error) {
	if flags&MSG_FASTOPEN != 0 {
		return -1, syscall.EOPNOTSUPP
	}
	if _, err := ParseCmsgs(m.Control); err != nil {
		return -1, err
	}
	w := &sending{s: s, iov: m.Iov, flags: flags, want: total(m.Iov)}
	ready := func() bool { return s.events()&(EPOLLOUT|EPOLLERR|EPOLLHUP) != 0 }
	n, err := s.sys.retry(f, f.nonblocking() || flags&MSG_DONTWAIT != 0, s.sendTimeout(), w.attempt, ready)
	if err != nil && w.sent > 0 {
		return w.sent, nil
	}
	return n, err
}

// attempt sends as much as there is room for, and answers EAGAIN where that is not all.
func (w *sending) attempt() (int, error) {
	s := w.s
	a := s.current()
	state := TCP_CLOSE
	if a != nil {
		a.c.Lock()
		defer a.c.Unlock()
		state = stateNumber(a.c.Conn().State())
	}
	if s.failed.Load() != 0 {
		if w.sent > 0 {
			return w.sent, nil
		}
		return -1, s.takeError()
	}
	switch {
	case state == TCP_SYN_SENT || state == TCP_SYN_RECV:
		return -1, syscall.EAGAIN
	case a == nil || s.isShut(shutWrite) || !a.c.Conn().MayWrite():
		if w.sent > 0 {
			return w.sent, nil
		}
		return -1, syscall.EPIPE
	}
	w.write(a.c)
	if w.sent < w.want {
		return -1, syscall.EAGAIN
	}
	return w.sent, nil
}

// write fills the send buffer and sends. c is locked.
func (w *sending) write(c *shard.TCP) {
	skip, before := w.sent, w.sent
	for i, p := range w.iov {
		if skip >= len(p) {
			skip -= len(p)
			continue
		}
		p = p[skip:]
		skip = 0
		n := w.append(c, p, i < len(w.iov)-1)
		w.sent += n
		if n < len(p) {
			break
		}
	}
	if w.sent > before {
		c.Push()
	}
}

// append queues p; more says that the same call goes on behind it.
func (w *sending) append(c *shard.TCP, p []byte, more bool) int {
	now := c.Host().Now()
	switch {
	case w.flags&MSG_OOB != 0 && !more:
		return c.Conn().WriteUrgent(now, p)
	case w.flags&MSG_MORE != 0:
		return c.Conn().WriteMore(now, p)
	case w.flags&MSG_EOR != 0 && !more:
		return c.Conn().WriteRecord(now, p)
	}
	return c.Conn().Write(now, p)
}
