package socket

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack/shard"
)

// Many connections at once, each end of which is served by edge-triggered events only, by two goroutines that share
// an epoll set: an edge that gets lost stops a transfer for good. One end sends and then reads what the other, with
// little room, sends back.
func TestEdgeTriggeredTransfersEnd(t *testing.T) {
	const conns, size = 12, 300 << 10
	inBubble(t, shard.Config{SendBuffer: 16 << 10, ReceiveBuffer: 16 << 10}, func(a, b *box) {
		near, far := newServer(t, a), newServer(t, b)
		for range conns {
			mine, theirs := a.apart(b)
			far.add(theirs, &echo{})
			near.add(mine, &echo{left: size, want: size})
		}
		for range 2 {
			go near.serve()
			go far.serve()
		}
		begun := time.Now()
		for range conns {
			select {
			case <-near.ended:
			case <-time.After(time.Hour):
				t.Error("a transfer has stopped")
				return
			}
		}
		t.Logf("took %v", time.Since(begun))
		a.must("close", a.CloseFD(near.ep))
		b.must("close", b.CloseFD(far.ep))
		synctest.Wait()
	})
}

// server is an epoll set with an echo for each descriptor.
type server struct {
	*box
	testing.TB
	ep    int
	all   map[int]*echo
	ended chan int
}

// echo is one end: left is what it has to send, beside what it sends back; want is what it is to receive.
type echo struct {
	turn       chan struct{} // held by who serves it
	left, want int
	got, sent  int
	back       []byte
	closed     bool
}

func newServer(t testing.TB, x *box) *server {
	ep, err := x.EpollCreate(0)
	x.must("epoll_create", err)
	return &server{box: x, TB: t, ep: ep, all: map[int]*echo{}, ended: make(chan int, 100)}
}

func (s *server) add(fd int, e *echo) {
	e.turn = make(chan struct{}, 1)
	s.all[fd] = e
	s.quiet(fd)
	s.must("epoll_ctl", s.EpollCtl(s.ep, EPOLL_CTL_ADD, fd, &EpollEvent{Events: EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, Data: uint64(fd)}))
}

// serve goes on until the set is closed.
func (s *server) serve() {
	ev := make([]EpollEvent, 3)
	for {
		n, err := s.EpollWait(s.ep, ev, -1)
		if err != nil {
			return
		}
		for _, e := range ev[:n] {
			x := s.all[int(e.Data)]
			x.turn <- struct{}{}
			for s.read(int(e.Data), x) || s.write(int(e.Data), x) {
			}
			<-x.turn
		}
	}
}

// read takes what is there, unless there is too much to send back, and reports whether it got anything.
func (s *server) read(fd int, e *echo) bool {
	p := make([]byte, 3000)
	if e.closed || len(e.back) > 20000 {
		return false
	}
	n, err := s.Read(fd, p)
	if err != nil {
		return false
	}
	if e.closed = n == 0; e.closed {
		if e.want == 0 {
			s.CloseFD(fd)
		}
		return false
	}
	for i, c := range p[:n] {
		if c != byte((e.got+i)*7) {
			s.Errorf("octet %d is %d", e.got+i, c)
		}
	}
	e.got += n
	switch {
	case e.want == 0:
		e.back = append(e.back, p[:n]...)
	case e.got == e.want:
		s.CloseFD(fd)
		e.closed = true
		s.ended <- fd
	}
	return true
}

// write sends as much as there is room for, and reports whether that was anything.
func (s *server) write(fd int, e *echo) bool {
	p := e.back
	if e.left > 0 {
		p = make([]byte, min(e.left, 5000))
		for i := range p {
			p[i] = byte((e.sent + i) * 7)
		}
	}
	if len(p) == 0 || e.closed {
		return false
	}
	n, err := s.Write(fd, p)
	if err != nil {
		return false
	}
	e.sent += n
	if e.left > 0 {
		e.left -= n
	} else {
		e.back = e.back[n:]
	}
	return true
}
