package socket

import (
	"fmt"
	"iter"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/shard"
)

// troupe runs several programs as coroutines on one stepped host: one at a time, in virtual
// time, as the script runner does.
type troupe struct {
	*stepped
	yield func(want) bool // of the one that runs
	log   []string
}

// want is what a coroutine waits for.
type want struct {
	deadline clock.Time
	ready    func() bool
}

func newTroupe(t *testing.T, hc shard.Config) *troupe {
	tr := &troupe{stepped: newStepped(t, hc, Config{})}
	tr.System = New(tr.h, Config{Block: func(deadline clock.Time, ready func() bool) bool {
		tr.yield(want{deadline, ready})
		return ready()
	}})
	return tr
}

// say notes what happened and when.
func (tr *troupe) say(format string, args ...any) {
	tr.log = append(tr.log, fmt.Sprintf("%v ", tr.clock.Now().Sub(clock.Time(time.Hour)).Round(time.Millisecond))+fmt.Sprintf(format, args...))
}

// sleep lets time pass for one coroutine.
func (tr *troupe) sleep(d time.Duration) { tr.Poll(nil, d) }

// play runs the programs until all have ended.
func (tr *troupe) play(programs ...func()) {
	tr.Helper()
	type player struct {
		next func() (want, bool)
		w    want
	}
	var players []*player
	for _, f := range programs {
		var seq iter.Seq[want] = func(yield func(want) bool) {
			tr.yield = yield
			f()
		}
		next, stop := iter.Pull(seq)
		defer stop()
		p := &player{w: want{ready: func() bool { return true }}}
		p.next = func() (want, bool) { return next() }
		players = append(players, p)
	}
	yields := make(map[*player]func(want) bool)
	for range 1000000 {
		if len(players) == 0 {
			return
		}
		tr.settle()
		at, moved := tr.h.Deadline(), false
		for i := 0; i < len(players); i++ {
			p := players[i]
			if !p.w.ready() && !p.w.deadline.Reached(tr.clock.Now()) {
				at = min(at, p.w.deadline)
				continue
			}
			tr.yield = yields[p]
			w, more := p.next()
			yields[p], moved = tr.yield, true
			if !more {
				players = append(players[:i], players[i+1:]...)
				i--
				continue
			}
			p.w = w
		}
		if moved {
			continue
		}
		if at == clock.Never {
			tr.Fatalf("all wait for ever:\n%s", strings.Join(tr.log, "\n"))
		}
		tr.clock.Set(at)
	}
	tr.Fatalf("it never ends:\n%s", strings.Join(tr.log, "\n"))
}

func (tr *troupe) check(log ...string) {
	tr.Helper()
	if got, want := strings.Join(tr.log, "\n"), strings.Join(log, "\n"); got != want {
		tr.Errorf("it went:\n%s\nwant:\n%s", got, want)
	}
}

// Every call that blocks does so in virtual time, through Config.Block.
func TestCallsBlockInVirtualTime(t *testing.T) {
	tr := newTroupe(t, shard.Config{})
	x := &box{calls: tr.System, family: 4}
	server := func() {
		l := x.tcp()
		x.must("bind", x.Bind(l, x.lo(80)))
		x.must("listen", x.Listen(l, 1))
		fd, _, err := tr.Accept(l)
		tr.say("accept: fd %v, %v", fd, err)
		b := make([]byte, 10)
		n, err := tr.Recv(fd, b, MSG_WAITALL)
		tr.say("recv: %d %v %q", n, err, b[:n])
		n, err = tr.Read(fd, b)
		tr.say("read: %d %v", n, err)
		tr.sleep(time.Second)
		tr.say("close: %v", tr.CloseFD(fd))
	}
	client := func() {
		tr.sleep(time.Second)
		fd := x.tcp()
		tr.say("connect: fd %v, %v", fd, tr.Connect(fd, x.lo(80)))
		tr.sleep(time.Second)
		tr.Write(fd, []byte("hello"))
		tr.sleep(time.Second)
		tr.Write(fd, []byte("world"))
		tr.sleep(time.Second)
		tr.Shutdown(fd, SHUT_WR)
		p := []PollFD{{FD: fd, Events: POLLRDHUP}}
		n, err := tr.Poll(p, -1)
		tr.say("poll: %d %v %s", n, err, eventNames(uint32(p[0].Revents)))
	}
	tr.play(server, client)
	tr.check("1s accept: fd 4, <nil>", "1s connect: fd 5, <nil>", `3s recv: 10 <nil> "helloworld"`, "4s read: 0 <nil>", "5s close: <nil>",
		"5s poll: 1 <nil> HUP|RDHUP")
}

func TestTimeoutsOfCallsPassInVirtualTime(t *testing.T) {
	tr := newTroupe(t, shard.Config{})
	x := &box{calls: tr.System, family: 6}
	tr.play(func() {
		a, at := x.bound(x.socket(SOCK_DGRAM))
		x.must("setsockopt", tr.SetsockoptTimeval(a, SOL_SOCKET, SO_RCVTIMEO, &Timeval{Sec: 2, Usec: 500000}))
		_, err := tr.Read(a, make([]byte, 1))
		tr.say("read: %s", said(err))
		n, err := tr.Poll([]PollFD{{FD: a, Events: POLLIN}}, time.Second)
		tr.say("poll: %d %v", n, err)
		var r FDSet
		r.Set(a)
		n, err = tr.Select(a+1, &r, nil, nil, time.Second)
		tr.say("select: %d %v %v", n, err, r.IsSet(a))
		ep := x.watching(a, EPOLLIN)
		n, err = tr.EpollWait(ep, make([]EpollEvent, 1), time.Second)
		tr.say("epoll: %d %v", n, err)
		tr.SendTo(a, []byte("x"), 0, at)
		n, err = tr.EpollWait(ep, make([]EpollEvent, 1), time.Second)
		tr.say("epoll: %d %v", n, err)
	})
	tr.check("2.5s read: EAGAIN", "3.5s poll: 0 <nil>", "4.5s select: 0 <nil> false", "5.5s epoll: 0 <nil>", "5.5s epoll: 1 <nil>")
}

// SO_LINGER with a time has close wait until all has been acknowledged, and no longer than that time.
func TestCloseLingersNoLongerThanItMay(t *testing.T) {
	tr := newTroupe(t, shard.Config{})
	x := &box{calls: tr.System, family: 4}
	tr.play(func() {
		fd := x.nonblock()
		tr.Connect(fd, x.out(9)) // SYN-SENT: nothing to wait for
		tr.SetsockoptLinger(fd, SOL_SOCKET, SO_LINGER, &Linger{1, 7})
		tr.CloseFD(fd)
		tr.say("SYN-SENT")
		a, b := x.pair()
		tr.SetsockoptLinger(a, SOL_SOCKET, SO_LINGER, &Linger{1, 7})
		tr.SetsockoptInt(b, SOL_SOCKET, SO_RCVBUF, 4096)
		tr.quietly(a)
		tr.CloseFD(a) // the peer's window is closed: the FIN cannot leave
		tr.say("window closed")
	})
	tr.check("0s SYN-SENT", "7s window closed")
}

// quietly writes until nothing more is taken.
func (tr *troupe) quietly(fd int) {
	for {
		if _, err := tr.Write(fd, make([]byte, 1<<20)); err != nil {
			return
		}
		tr.settle()
	}
}

// A connection to which nobody answers fails when the SYN has been sent often enough, or when
// TCP_USER_TIMEOUT passes.
func TestConnectTimesOut(t *testing.T) {
	tr := newTroupe(t, shard.Config{})
	x := &box{calls: tr.System, family: 4}
	tr.play(func() {
		fd := x.tcp()
		tr.SetsockoptInt(fd, SOL_TCP, TCP_SYNCNT, 1)
		err := tr.Connect(fd, x.out(9))
		tr.say("%s", said(err))
		if err := tr.Connect(fd, x.out(9)); err != syscall.ETIMEDOUT {
			tr.Errorf("again: %v", err)
		}
	})
	tr.check("3s ETIMEDOUT")
}

func TestKeepAliveEndsAConnectionWhosePeerIsGone(t *testing.T) {
	tr := newTroupe(t, shard.Config{})
	x := &box{calls: tr.System, family: 4}
	tr.play(func() {
		a, _ := x.pair()
		for _, o := range [][2]int{{TCP_KEEPIDLE, 10}, {TCP_KEEPINTVL, 5}, {TCP_KEEPCNT, 3}} {
			x.must("setsockopt", tr.SetsockoptInt(a, SOL_TCP, o[0], o[1]))
		}
		x.must("setsockopt", tr.SetsockoptInt(a, SOL_SOCKET, SO_KEEPALIVE, 1))
		tr.deaf()
		p := []PollFD{{FD: a, Events: POLLIN}}
		tr.Poll(p, -1)
		tr.say("%s", eventNames(uint32(p[0].Revents)))
		_, err := tr.Read(a, make([]byte, 1))
		tr.say("%s", said(err))
	})
	tr.check("25s IN|ERR|HUP", "25s ETIMEDOUT")
}

// deaf has nothing arrive any more.
func (tr *troupe) deaf() { tr.lost = true }
