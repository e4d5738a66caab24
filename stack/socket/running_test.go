package socket

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirnet/weir/stack/link/pipe"
	"github.com/weirnet/weir/stack/shard"
)

// inBubble runs f with two hosts that run and are joined by a pipe, in the fake time of a bubble:
// 192.0.2.1 and 192.0.2.2. Afterwards nothing may be held.
func inBubble(t *testing.T, hc shard.Config, f func(a, b *box)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := pipe.New(pipe.Options{QueueFrames: 64})
		var hosts []*shard.Host
		var boxes []*box
		for i, end := range []*pipe.End{near, far} {
			h := shard.New(hc)
			at := netip.MustParsePrefix("192.0.2.0/24")
			for range i + 1 {
				at = netip.PrefixFrom(at.Addr().Next(), 24)
			}
			if _, err := h.AddInterface("e0", end, []netip.Prefix{at}); err != nil {
				t.Fatal(err)
			}
			h.Start()
			hosts = append(hosts, h)
			boxes = append(boxes, &box{calls: New(h, Config{}), family: 4, rest: synctest.Wait})
		}
		guard := time.AfterFunc(24*time.Hour, func() { panic("somebody waits for what does not come") })
		f(boxes[0], boxes[1])
		guard.Stop()
		for i, h := range hosts {
			boxes[i].calls.(*System).Close()
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			h.EachCounter(func(name string, v uint64) {
				if strings.HasPrefix(name, "held.") && v != 0 {
					t.Errorf("%s is %d, want nothing held", name, v)
				}
			})
		}
	})
}

// bg does a call in the background.
func bg(call func() (int, error)) <-chan string {
	c := make(chan string, 1)
	go func() { c <- number(call()) }()
	return c
}

// waits is the calls that wait, each on a fresh descriptor for which there is nothing.
var waits = map[string]func(a, b *box) (fd int, call func() (int, error)){
	"read": func(a, b *box) (int, func() (int, error)) {
		c, _ := a.apart(b)
		return c, func() (int, error) { return a.Read(c, make([]byte, 1)) }
	},
	"recv MSG_WAITALL": func(a, b *box) (int, func() (int, error)) {
		c, _ := a.apart(b)
		return c, func() (int, error) { return a.recv(c, 9, MSG_WAITALL) }
	},
	"write": func(a, b *box) (int, func() (int, error)) {
		c, _ := a.apart(b)
		return c, func() (int, error) {
			n, err := a.Write(c, make([]byte, 64<<20))
			if n > 0 { // what the buffers took
				n = 1
			}
			return n, err
		}
	},
	"connect": func(a, b *box) (int, func() (int, error)) {
		fd := a.tcp()
		return fd, func() (int, error) {
			if err := a.Connect(fd, a.at("192.0.2.77", 9)); err != nil {
				return -1, err
			}
			return 0, nil
		}
	},
	"accept": func(a, b *box) (int, func() (int, error)) {
		fd := a.tcp()
		a.must("listen", a.Listen(fd, 1))
		return fd, func() (int, error) { n, _, err := a.Accept4(fd, 0); return n, err }
	},
	"recvfrom": func(a, b *box) (int, func() (int, error)) {
		fd := a.socket(SOCK_DGRAM)
		a.must("bind", a.Bind(fd, a.any(7)))
		return fd, func() (int, error) { return a.recv(fd, 1, 0) }
	},
	"epoll_wait": func(a, b *box) (int, func() (int, error)) {
		ep, err := a.EpollCreate(0)
		a.must("epoll_create", err)
		return ep, func() (int, error) { return a.EpollWait(ep, make([]EpollEvent, 1), -1) }
	},
}

// apart is a connection between two hosts: a's end and b's.
func (x *box) apart(y *box) (mine, theirs int) {
	l := y.tcp()
	x.port++
	y.must("bind", y.Bind(l, y.any(1000+x.port)))
	y.must("listen", y.Listen(l, 1))
	mine = x.tcp()
	x.must("connect", x.Connect(mine, x.at("192.0.2.2", 1000+x.port)))
	theirs, _, err := y.Accept4(l, 0)
	y.must("accept", err)
	y.must("close", y.CloseFD(l))
	return mine, theirs
}

func TestCloseWakesWhoWaits(t *testing.T) {
	for name, prep := range waits {
		t.Run(name, func(t *testing.T) {
			inBubble(t, shard.Config{SendBuffer: 64 << 10, ReceiveBuffer: 64 << 10}, func(a, b *box) {
				fd, call := prep(a, b)
				var all []<-chan string
				for range 3 {
					all = append(all, bg(call))
				}
				synctest.Wait()
				a.must("close", a.CloseFD(fd))
				for _, c := range all {
					// A write that sent something says so; of connects, the first began it.
					if got := <-c; got != "EBADF" && !(name == "write" && got == "1") && !(name == "connect" && got == "EALREADY") {
						t.Errorf("%s: %s", name, got)
					}
				}
			})
		})
	}
}

func TestClosingTheHostWakesWhoWaits(t *testing.T) {
	for name, prep := range waits {
		if name == "epoll_wait" {
			continue // nothing of the host's is in it
		}
		t.Run(name, func(t *testing.T) {
			inBubble(t, shard.Config{SendBuffer: 64 << 10, ReceiveBuffer: 64 << 10}, func(a, b *box) {
				_, call := prep(a, b)
				c := bg(call)
				synctest.Wait()
				a.calls.(*System).Host().Close()
				<-c
			})
		})
	}
}

func TestWaitersAreWokenByWhatTheyWaitFor(t *testing.T) {
	inBubble(t, shard.Config{}, func(a, b *box) {
		mine, theirs := a.apart(b)
		ep := a.watching(mine, EPOLLIN|EPOLLET)
		outer := a.watching(a.watching(mine, EPOLLIN), EPOLLIN)
		var r FDSet
		r.Set(mine)
		all := map[string]<-chan string{
			"poll":   bg(func() (int, error) { return a.Poll([]PollFD{{FD: mine, Events: POLLIN}}, -1) }),
			"select": bg(func() (int, error) { return a.Select(mine+1, &r, nil, nil, -1) }),
			"epoll":  bg(func() (int, error) { return a.EpollWait(ep, make([]EpollEvent, 3), -1) }),
			"nested": bg(func() (int, error) { return a.EpollWait(outer, make([]EpollEvent, 1), -1) }),
			"peek":   bg(func() (int, error) { return a.recv(mine, 1, MSG_PEEK) }),
		}
		synctest.Wait()
		b.write(theirs, "hello")
		for what, c := range all {
			if got := <-c; got != "1" {
				t.Errorf("%s: %s", what, got)
			}
		}
		read := bg(func() (int, error) { return a.recv(mine, 7, MSG_WAITALL) })
		synctest.Wait()
		b.write(theirs, "wo")
		if got := <-read; got != "7" {
			t.Errorf("read: %s", got)
		}
	})
}

func TestReceiveTimeoutPassesInRealTime(t *testing.T) {
	inBubble(t, shard.Config{}, func(a, b *box) {
		mine, theirs := a.apart(b)
		a.must("setsockopt", a.Setsockopt(mine, SOL_SOCKET, SO_RCVTIMEO, appendTimeval(nil, Timeval{3, 0})))
		begun := time.Now()
		if got := number(a.Read(mine, make([]byte, 1))); got != "EAGAIN" || time.Since(begun) != 3*time.Second {
			t.Errorf("%s after %v", got, time.Since(begun))
		}
		begun = time.Now()
		if n, err := a.Poll([]PollFD{{FD: mine, Events: POLLIN}}, time.Minute); n != 0 || err != nil || time.Since(begun) != time.Minute {
			t.Errorf("poll: %d %v after %v", n, err, time.Since(begun))
		}
		// A close with SO_LINGER waits for the acknowledgement of the FIN, in real time.
		b.must("setsockopt", b.Setsockopt(theirs, SOL_SOCKET, SO_LINGER, appendInt(appendInt(nil, 1), 30)))
		begun = time.Now()
		b.must("close", b.CloseFD(theirs))
		if took := time.Since(begun); took > time.Second {
			t.Errorf("lingered for %v", took)
		}
	})
}

// A large transfer with small buffers, from blocking calls on both ends.
func TestBlockingTransferArrivesWhole(t *testing.T) {
	inBubble(t, shard.Config{}, func(a, b *box) {
		mine, theirs := a.apart(b)
		a.must("setsockopt", a.set(mine, SOL_SOCKET, SO_SNDBUF, 8192))
		b.must("setsockopt", b.set(theirs, SOL_SOCKET, SO_RCVBUF, 8192))
		const size = 1 << 20
		sent := bg(func() (int, error) {
			p := make([]byte, size)
			for i := range p {
				p[i] = byte(i * 7)
			}
			n, err := a.Write(mine, p)
			a.Shutdown(mine, SHUT_WR)
			return n, err
		})
		at, p := 0, make([]byte, 5000)
		for {
			n, err := b.Read(theirs, p)
			if err != nil || n == 0 {
				break
			}
			for _, c := range p[:n] {
				if c != byte(at*7) {
					t.Fatalf("octet %d is %d", at, c)
				}
				at++
			}
		}
		if got := <-sent; got != number(size, nil) || at != size {
			t.Errorf("sent %s, received %d", got, at)
		}
	})
}

func TestConnectFailsWhenAnotherDisconnects(t *testing.T) {
	inBubble(t, shard.Config{}, func(a, b *box) {
		fd := a.tcp()
		c := bg(func() (int, error) { return 0, a.Connect(fd, a.at("192.0.2.77", 9)) })
		synctest.Wait()
		a.must("connect", a.Connect(fd, &Sockaddr{}))
		if got := <-c; got != said(syscall.EPIPE)+", but 0" {
			t.Error(got)
		}
	})
}
