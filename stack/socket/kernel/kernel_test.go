package kernel

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/socket"
)

// The calls reach the kernel: a connection over loopback, and what TCP_INFO says of it.
func TestAConnectionOverLoopback(t *testing.T) {
	var c Calls
	listener := must(t)(c.Socket(socket.AF_INET, socket.SOCK_STREAM, 0))
	defer c.CloseFD(listener)
	check(t, c.Bind(listener, socket.NewSockaddr(netip.MustParseAddrPort("127.0.0.1:0"))))
	check(t, c.Listen(listener, 1))
	sa, err := c.Getsockname(listener)
	check(t, err)
	client := must(t)(c.Socket(socket.AF_INET, socket.SOCK_STREAM, 0))
	defer c.CloseFD(client)
	check(t, c.Connect(client, sa))
	server, from, err := c.Accept(listener)
	check(t, err)
	defer c.CloseFD(server)
	if mine, _ := c.Getsockname(client); mine == nil || from == nil || *mine != *from {
		t.Errorf("accept says %v, getsockname of the client %v", from, mine)
	}
	if n := must(t)(c.Writev(client, [][]byte{[]byte("he"), []byte("llo")})); n != 5 {
		t.Errorf("writev: %d", n)
	}
	fds := []socket.PollFD{{FD: server, Events: socket.POLLIN}}
	if n := must(t)(c.Poll(fds, time.Second)); n != 1 || fds[0].Revents != socket.POLLIN {
		t.Errorf("poll: %d, %+v", n, fds)
	}
	b := make([]byte, 3)
	m := &socket.Msghdr{Iov: [][]byte{b[:1], b[1:]}}
	if n := must(t)(c.RecvMsg(server, m, socket.MSG_PEEK)); n != 3 || string(b) != "hel" {
		t.Errorf("recvmsg: %d, %q", n, b)
	}
	info, err := c.GetTCPInfo(client)
	check(t, err)
	if info.State != 1 || info.SndMSS < 500 || info.SndWscale == 0 || info.BytesSent != 5 || info.SndCwnd < 10 || info.DataSegsOut != 1 {
		t.Errorf("tcp_info: %+v", info)
	}
}

func TestErrorsAreTheKernels(t *testing.T) {
	var c Calls
	if n, err := c.Socket(99, 1, 0); n != -1 || err != syscall.EAFNOSUPPORT {
		t.Errorf("socket(99): %d, %v", n, err)
	}
	if err := c.Listen(-1, 0); err != syscall.EBADF {
		t.Errorf("listen(-1): %v", err)
	}
	udp := must(t)(c.Socket(socket.AF_INET6, socket.SOCK_DGRAM, 0))
	defer c.CloseFD(udp)
	if err := c.Bind(udp, &socket.Sockaddr{Family: socket.AF_INET6, Len: 4}); err != syscall.EINVAL {
		t.Errorf("a bind of 4 octets: %v", err)
	}
	if _, err := c.SendTo(udp, nil, 0, nil); err != syscall.EDESTADDRREQ {
		t.Errorf("sendto nobody: %v", err)
	}
}

func TestEpollTellsItsData(t *testing.T) {
	var c Calls
	udp := must(t)(c.Socket(socket.AF_INET, socket.SOCK_DGRAM, 0))
	defer c.CloseFD(udp)
	ep := must(t)(c.EpollCreate(0))
	defer c.CloseFD(ep)
	const data = 0x1234567890abcdef
	check(t, c.EpollCtl(ep, socket.EPOLL_CTL_ADD, udp, &socket.EpollEvent{Events: socket.EPOLLOUT, Data: data}))
	ev := make([]socket.EpollEvent, 3)
	if n := must(t)(c.EpollWait(ep, ev, -1)); n != 1 || ev[0].Data != data || ev[0].Events != socket.EPOLLOUT {
		t.Errorf("epoll_wait: %d, %+v", n, ev)
	}
	var w socket.FDSet
	w.Set(udp)
	if n := must(t)(c.Select(udp+1, nil, &w, nil, -1)); n != 1 || !w.IsSet(udp) {
		t.Errorf("select: %d", n)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T) func(n int, err error) int {
	t.Helper()
	return func(n int, err error) int {
		t.Helper()
		check(t, err)
		return n
	}
}
