package socket

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/shard"
)

// Many goroutines make all calls on the same few descriptors of a running host. Nothing may
// deadlock, race, panic or stay behind. The seed says which calls; their order is the scheduler's.
func TestAllCallsAtOnce(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	h := shard.New(shard.Config{SendBuffer: 32 << 10, ReceiveBuffer: 32 << 10})
	h.Start()
	sys := New(h, Config{MaxDescriptors: 64})
	rounds := 3000
	if testing.Short() {
		rounds = 500
	}
	first, done := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var all sync.WaitGroup
	for worker := range uint64(8) {
		all.Go(func() {
			m := &monkey{System: sys, Rand: rand.New(rand.NewPCG(seed, worker))}
			for range rounds {
				m.act()
			}
			once.Do(func() { close(first) })
		})
	}
	go func() { all.Wait(); close(done) }()
	<-first
	for ended, begun := false, time.Now(); !ended; {
		select {
		case <-done:
			ended = true
		case <-time.After(100 * time.Millisecond):
			sys.Close() // a call may wait for what nobody is left to do
		}
		if time.Since(begun) > 5*time.Minute {
			t.Fatalf("seed %d: the calls do not end", seed)
		}
	}
	sys.Close()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	h.EachCounter(func(name string, v uint64) {
		if v != 0 && strings.HasPrefix(name, "held.") {
			t.Errorf("seed %d: %s is %d, want nothing held", seed, name, v)
		}
	})
}

// monkey makes calls at random.
type monkey struct {
	*System
	*rand.Rand
}

func (m *monkey) fd() int { return 3 + m.IntN(30) }

func (m *monkey) addr() *Sockaddr {
	a := []string{"127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"}[m.IntN(5)]
	return NewSockaddr(netip.AddrPortFrom(netip.MustParseAddr(a), uint16(5000+m.IntN(4))))
}

func (m *monkey) act() {
	fd, b := m.fd(), make([]byte, m.IntN(5000))
	const short = 2 * time.Millisecond
	switch m.IntN(24) {
	case 0, 1, 2:
		m.Socket([]int{AF_INET, AF_INET6}[m.IntN(2)], []int{SOCK_STREAM, SOCK_DGRAM, SOCK_RAW}[min(m.IntN(7)/3, 2)]|SOCK_NONBLOCK, []int{0, 0, 253}[m.IntN(3)])
	case 3:
		m.Bind(fd, m.addr())
	case 4:
		m.SetsockoptInt(fd, SOL_SOCKET, []int{SO_REUSEADDR, SO_REUSEPORT}[m.IntN(2)], 1)
		m.Listen(fd, m.IntN(5))
	case 5, 6:
		m.Connect(fd, m.addr())
	case 7:
		m.Accept4(fd, SOCK_NONBLOCK)
	case 8, 9:
		m.Send(fd, b, []int{0, MSG_MORE, MSG_OOB, MSG_DONTWAIT}[m.IntN(4)])
	case 10, 11:
		m.Recv(fd, b, []int{0, MSG_PEEK, MSG_TRUNC, MSG_OOB, MSG_WAITALL, MSG_ERRQUEUE}[m.IntN(6)])
	case 12:
		m.SendTo(fd, b, 0, m.addr())
	case 13:
		m.Shutdown(fd, m.IntN(3))
	case 14:
		m.CloseFD(fd)
	case 15:
		m.SetsockoptLinger(fd, SOL_SOCKET, SO_LINGER, &Linger{1, 0})
		m.CloseFD(fd)
	case 16:
		m.Poll([]PollFD{{FD: fd, Events: POLLIN}, {FD: m.fd(), Events: POLLOUT}}, short)
	case 17:
		m.EpollCreate(0)
	case 18, 19:
		m.EpollCtl(fd, 1+m.IntN(3), m.fd(), &EpollEvent{Events: []uint32{EPOLLIN, EPOLLIN | EPOLLOUT | EPOLLET, EPOLLOUT | EPOLLONESHOT}[m.IntN(3)]})
	case 20:
		m.EpollWait(fd, make([]EpollEvent, 4), short)
	case 21:
		m.Fcntl(fd, F_DUPFD, 0)
	case 22:
		m.SetsockoptTimeval(fd, SOL_SOCKET, SO_RCVTIMEO, &Timeval{0, 2000})
		m.SetsockoptTimeval(fd, SOL_SOCKET, SO_SNDTIMEO, &Timeval{0, 2000})
		m.Fcntl(fd, F_SETFL, 0)
		m.Recv(fd, b, 0)
		m.Fcntl(fd, F_SETFL, O_NONBLOCK)
	default:
		m.options(fd)
	}
}

func (m *monkey) options(fd int) {
	m.Getsockname(fd)
	m.Getpeername(fd)
	m.GetTCPInfo(fd)
	m.Ioctl(fd, []int{FIONREAD, SIOCOUTQ, SIOCATMARK}[m.IntN(3)])
	level := []int{SOL_SOCKET, SOL_TCP, SOL_IP, SOL_IPV6, SOL_UDP, SOL_RAW}[m.IntN(6)]
	v := make([]byte, m.IntN(20))
	for i := range v {
		v[i] = byte(m.IntN(3))
	}
	if name := m.IntN(75); level != SOL_SOCKET || name != SO_LINGER {
		m.Setsockopt(fd, level, name, v)
		m.Getsockopt(fd, level, name, v)
	}
}
