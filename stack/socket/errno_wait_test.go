package socket

import (
	"fmt"
	"time"
)

// epolled is what epoll reports of a descriptor when asked for everything.
func (x *box) epolled(fd int) string {
	x.settle()
	ep, err := x.EpollCreate(0)
	x.must("epoll_create", err)
	x.must("epoll_ctl", x.EpollCtl(ep, EPOLL_CTL_ADD, fd, &EpollEvent{Events: EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLRDNORM | EPOLLWRNORM | EPOLLRDBAND | EPOLLWRBAND, Data: 77}))
	s := x.epoll(ep)
	x.must("close", x.CloseFD(ep))
	return s
}

// epoll is what a set reports.
func (x *box) epoll(ep int) string {
	x.settle()
	list := make([]EpollEvent, 5)
	n, err := x.EpollWait(ep, list, 0)
	if err != nil {
		return number(n, err)
	}
	s := ""
	for _, e := range list[:n] {
		s += fmt.Sprintf("%d:%s ", e.Data, eventNames(e.Events))
	}
	if s == "" {
		return "- "
	}
	return s
}

// both ways of asking, which have to agree.
func (x *box) asked(fd int) string {
	p, e := x.polled(fd), x.epolled(fd)
	if e == "- " && p == "-" || e == "77:"+p+" " {
		return p
	}
	return p + ", but epoll: " + e
}

// set of one descriptor, with events.
func (x *box) watching(fd int, events uint32) int {
	ep, err := x.EpollCreate(0)
	x.must("epoll_create", err)
	x.must("epoll_ctl", x.EpollCtl(ep, EPOLL_CTL_ADD, fd, &EpollEvent{Events: events, Data: 1}))
	return ep
}

// stateRows is what poll and epoll report in every state of a TCP socket.
var stateRows = []row{
	{"ready: CLOSED", all, func(x *box) string { return x.asked(x.tcp()) }, "OUT|HUP|wrnorm"},
	{"ready: CLOSED, bound", all, func(x *box) string { fd, _ := x.bound(x.tcp()); return x.asked(fd) }, "OUT|HUP|wrnorm"},
	{"ready: LISTEN", all, func(x *box) string { l, _ := x.listener(1); return x.asked(l) }, "-"},
	{"ready: LISTEN, one waits", all, func(x *box) string {
		l, sa := x.listener(1)
		x.must("connect", x.Connect(x.tcp(), sa))
		return x.asked(l)
	}, "IN|rdnorm"},
	{"ready: LISTEN, shut down", all, func(x *box) string { l, _ := x.listener(1); x.Shutdown(l, SHUT_RD); return x.asked(l) }, "OUT|HUP|wrnorm"},
	{"ready: SYN-SENT", all, func(x *box) string { fd := x.nonblock(); x.Connect(fd, x.out(9)); return x.asked(fd) }, "-"},
	{"ready: SYN-SENT, shut down", all, func(x *box) string {
		fd := x.nonblock()
		x.Connect(fd, x.out(9))
		x.Shutdown(fd, SHUT_RDWR)
		return x.asked(fd)
	}, "OUT|ERR|HUP|wrnorm"},
	{"ready: connection refused", all, func(x *box) string { fd := x.nonblock(); x.Connect(fd, x.lo(x.fresh())); return x.asked(fd) }, "IN|OUT|ERR|HUP|rdnorm|wrnorm|RDHUP"},
	{"ready: connection refused, and told", all, func(x *box) string {
		fd := x.nonblock()
		x.Connect(fd, x.lo(x.fresh()))
		x.settle()
		x.get(fd, SOL_SOCKET, SO_ERROR)
		return x.asked(fd)
	}, "IN|OUT|HUP|rdnorm|wrnorm|RDHUP"},
	{"ready: ESTABLISHED", all, func(x *box) string { a, b := x.pair(); return x.asked(a) + " " + x.asked(b) }, "OUT|wrnorm OUT|wrnorm"},
	{"ready: ESTABLISHED, octets to read", all, func(x *box) string { a, b := x.pair(); x.write(a, "abc"); return x.asked(b) }, "IN|OUT|rdnorm|wrnorm"},
	{"ready: ESTABLISHED, less than SO_RCVLOWAT", all, func(x *box) string {
		a, b := x.pair()
		x.must("setsockopt", x.set(b, SOL_SOCKET, SO_RCVLOWAT, 4))
		x.write(a, "abc")
		s := x.asked(b)
		x.write(a, "d")
		return s + " " + x.asked(b)
	}, "OUT|wrnorm IN|OUT|rdnorm|wrnorm"},
	{"ready: ESTABLISHED, urgent", all, func(x *box) string {
		a, b := x.pair()
		x.SendTo(a, []byte("x"), MSG_OOB, nil)
		s := x.asked(b)
		x.recv(b, 1, MSG_OOB)
		return s + " " + x.asked(b)
	}, "PRI|OUT|wrnorm OUT|wrnorm"},
	{"ready: ESTABLISHED, urgent in line", all, func(x *box) string {
		a, b := x.pair()
		x.must("setsockopt", x.set(b, SOL_SOCKET, SO_OOBINLINE, 1))
		x.SendTo(a, []byte("x"), MSG_OOB, nil)
		return x.asked(b)
	}, "IN|PRI|OUT|rdnorm|wrnorm"},
	{"ready: ESTABLISHED, SHUT_RD", all, func(x *box) string { a, _ := x.pair(); x.Shutdown(a, SHUT_RD); return x.asked(a) }, "IN|OUT|rdnorm|wrnorm|RDHUP"},
	{"ready: ESTABLISHED, nobody reads", all, func(x *box) string {
		a, b := x.pair()
		x.must("setsockopt", x.set(a, SOL_SOCKET, SO_SNDBUF, 4096))
		x.must("setsockopt", x.set(b, SOL_SOCKET, SO_RCVBUF, 4096))
		for {
			if _, err := x.Write(a, make([]byte, 100000)); err != nil {
				return said(err) + " " + x.asked(a)
			}
			x.settle()
		}
	}, "EAGAIN -"},
	{"ready: FIN-WAIT, our FIN", all, func(x *box) string { a, b := x.pair(); x.Shutdown(a, SHUT_WR); return x.asked(a) + " " + x.asked(b) }, "OUT|wrnorm IN|OUT|rdnorm|wrnorm|RDHUP"},
	{"ready: FIN-WAIT, octets to read", all, func(x *box) string { a, b := x.pair(); x.Shutdown(a, SHUT_WR); x.write(b, "abc"); return x.asked(a) }, "IN|OUT|rdnorm|wrnorm"},
	{"ready: CLOSE-WAIT, octets to read", all, func(x *box) string { a, b := x.pair(); x.write(a, "abc"); x.Shutdown(a, SHUT_WR); return x.asked(b) }, "IN|OUT|rdnorm|wrnorm|RDHUP"},
	{"ready: CLOSE-WAIT, all read", all, func(x *box) string {
		a, b := x.pair()
		x.write(a, "abc")
		x.Shutdown(a, SHUT_WR)
		x.settle()
		x.Read(b, make([]byte, 9))
		x.Read(b, make([]byte, 9))
		return x.asked(b)
	}, "IN|OUT|rdnorm|wrnorm|RDHUP"},
	{"ready: CLOSE-WAIT, the peer is gone", all, func(x *box) string { a, b := x.pair(); x.must("close", x.CloseFD(a)); return x.asked(b) }, "IN|OUT|rdnorm|wrnorm|RDHUP"},
	{"ready: CLOSE-WAIT, reset", all, func(x *box) string {
		a, b := x.pair()
		x.must("close", x.CloseFD(a))
		x.settle()
		x.Write(b, []byte("x"))
		return x.asked(b)
	}, "IN|OUT|ERR|HUP|rdnorm|wrnorm|RDHUP"},
	{"ready: both FINs", all, func(x *box) string {
		a, b := x.pair()
		x.Shutdown(a, SHUT_WR)
		x.settle()
		x.Shutdown(b, SHUT_WR)
		return x.asked(a) + " " + x.asked(b)
	}, "IN|OUT|HUP|rdnorm|wrnorm|RDHUP IN|OUT|HUP|rdnorm|wrnorm|RDHUP"},
	{"ready: SHUT_RDWR", all, func(x *box) string { a, b := x.pair(); x.Shutdown(a, SHUT_RDWR); return x.asked(a) + " " + x.asked(b) }, "IN|OUT|HUP|rdnorm|wrnorm|RDHUP IN|OUT|rdnorm|wrnorm|RDHUP"},
	{"ready: reset", all, func(x *box) string { a, b := x.pair(); x.abort(b); return x.asked(a) }, "IN|OUT|ERR|HUP|rdnorm|wrnorm|RDHUP"},
	{"ready: reset, and told", all, func(x *box) string { a, b := x.pair(); x.abort(b); x.Read(a, make([]byte, 1)); return x.asked(a) }, "IN|OUT|HUP|rdnorm|wrnorm|RDHUP"},
	{"ready: reset, octets to read", all, func(x *box) string { a, b := x.pair(); x.write(b, "abc"); x.abort(b); return x.asked(a) }, "IN|OUT|ERR|HUP|rdnorm|wrnorm|RDHUP"},
	{"ready: UDP", all, func(x *box) string { return x.asked(x.udp()) }, "OUT|wrnorm|wrband"},
	{"ready: UDP, a datagram", all, func(x *box) string { a, b := x.udpPair(); x.write(a, "x"); return x.asked(b) }, "IN|OUT|rdnorm|wrnorm|wrband"},
	{"ready: UDP, refused", all, func(x *box) string { return x.asked(x.refused()) }, "OUT|ERR|wrnorm|wrband"},
	{"ready: UDP, shut down", all, func(x *box) string { a, _ := x.udpPair(); x.Shutdown(a, SHUT_RDWR); return x.asked(a) }, "IN|OUT|HUP|rdnorm|wrnorm|wrband|RDHUP"},
}

var waitRows = append(stateRows, []row{
	{"epoll: a datagram is no edge for who waits to send", all, func(x *box) string {
		a, b := x.udpPair()
		ep := x.watching(a, EPOLLOUT|EPOLLET)
		s := number(x.EpollWait(ep, make([]EpollEvent, 2), 0))
		x.write(b, "hello")
		return s + " " + number(x.EpollWait(ep, make([]EpollEvent, 2), 0))
	}, "1 0"},
	{"epoll: EPOLLONESHOT alone waits for hang-ups, once", all, func(x *box) string {
		ep := x.watching(x.tcp(), EPOLLONESHOT)
		ev := make([]EpollEvent, 2)
		s := number(x.EpollWait(ep, ev, 0)) + " " + eventNames(ev[0].Events)
		return s + " " + number(x.EpollWait(ep, ev, 0))
	}, "1 HUP 0"},
	{"poll: nothing", only4, func(x *box) string { return number(x.Poll(nil, 0)) }, "0"},
	{"poll: nothing, for a while", only4, func(x *box) string { return number(x.Poll(nil, 5*time.Millisecond)) }, "0"},
	{"poll: bad descriptors", only4, func(x *box) string {
		p := []PollFD{{FD: 999, Events: POLLIN}, {FD: -1, Events: POLLIN, Revents: 7}, {FD: x.tcp()}}
		n, err := x.Poll(p, 0)
		return number(n, err) + fmt.Sprint(" ", p[0].Revents, p[1].Revents, p[2].Revents)
	}, "2 32 0 16"},
	{"poll: what was not asked for", all, func(x *box) string {
		a, b := x.pair()
		x.write(a, "x")
		p := []PollFD{{FD: b, Events: POLLPRI}}
		n, err := x.Poll(p, 0)
		return number(n, err) + eventNames(uint32(p[0].Revents))
	}, "0-"},
	{"poll: one twice", all, func(x *box) string {
		a, b := x.pair()
		x.write(a, "x")
		p := []PollFD{{FD: b, Events: POLLIN}, {FD: b, Events: POLLOUT}}
		n, err := x.Poll(p, 0)
		return number(n, err) + eventNames(uint32(p[0].Revents)) + eventNames(uint32(p[1].Revents))
	}, "2INOUT"},
	{"poll: waits", all, func(x *box) string {
		_, b := x.pair()
		p := []PollFD{{FD: b, Events: POLLIN, Revents: 99}}
		n, err := x.Poll(p, 5*time.Millisecond)
		return number(n, err) + fmt.Sprint(p[0].Revents)
	}, "00"},
	{"select: less than none", only4, func(x *box) string { return number(x.Select(-1, nil, nil, nil, 0)) }, "EINVAL"},
	{"select: nothing", only4, func(x *box) string { return number(x.Select(0, nil, nil, nil, 0)) }, "0"},
	{"select: a bad descriptor", only4, func(x *box) string {
		var r FDSet
		r.Set(63)
		return number(x.Select(64, &r, nil, nil, 0)) + fmt.Sprint(r.IsSet(63))
	}, "EBADFtrue"},
	{"select: a bad descriptor beyond the number", only4, func(x *box) string {
		var r FDSet
		r.Set(63)
		return number(x.Select(63, &r, nil, nil, 0)) + fmt.Sprint(r.IsSet(63))
	}, "0false"},
	{"select: a fresh socket", all, func(x *box) string { return x.selected(x.tcp()) }, "21 1 0 "},
	{"select: an epoll set", only4, func(x *box) string { ep, _ := x.EpollCreate(0); return x.selected(ep) }, "00 0 0 "},
	{"select: a connection", all, func(x *box) string {
		a, b := x.pair()
		s := x.selected(b)
		x.write(a, "x")
		return s + x.selected(b)
	}, "10 1 0 21 1 0 "},
	{"select: urgent", all, func(x *box) string {
		a, b := x.pair()
		x.SendTo(a, []byte("x"), MSG_OOB, nil)
		x.settle()
		return x.selected(b)
	}, "20 1 1 "},
	{"select: reset", all, func(x *box) string { a, b := x.pair(); x.abort(b); return x.selected(a) }, "21 1 0 "},
	{"select: the peer's FIN", all, func(x *box) string { a, b := x.pair(); x.Shutdown(b, SHUT_WR); x.settle(); return x.selected(a) }, "21 1 0 "},
	{"select: waits", all, func(x *box) string {
		_, b := x.pair()
		var r FDSet
		r.Set(b)
		return number(x.Select(b+1, &r, nil, nil, 5*time.Millisecond)) + fmt.Sprint(r.IsSet(b))
	}, "0false"},

	{"epoll_create: flags", only4, func(x *box) string { return some(x.EpollCreate(1)) + some(x.EpollCreate(EPOLL_CLOEXEC)) }, "EINVALfd"},
	{"epoll_ctl: bad set", only4, func(x *box) string { return said(x.EpollCtl(999, EPOLL_CTL_ADD, x.tcp(), &EpollEvent{})) }, "EBADF"},
	{"epoll_ctl: no set", only4, func(x *box) string { return said(x.EpollCtl(x.tcp(), EPOLL_CTL_ADD, x.tcp(), &EpollEvent{})) }, "EINVAL"},
	{"epoll_ctl: bad descriptor", only4, func(x *box) string {
		ep, _ := x.EpollCreate(0)
		return said(x.EpollCtl(ep, EPOLL_CTL_ADD, 999, &EpollEvent{}))
	}, "EBADF"},
	{"epoll_ctl: itself", only4, func(x *box) string {
		ep, _ := x.EpollCreate(0)
		return said(x.EpollCtl(ep, EPOLL_CTL_ADD, ep, &EpollEvent{}))
	}, "EINVAL"},
	{"epoll_ctl: unknown operation", only4, func(x *box) string { ep, _ := x.EpollCreate(0); return said(x.EpollCtl(ep, 9, x.tcp(), &EpollEvent{})) }, "EINVAL"},
	{"epoll_ctl: no event", only4, func(x *box) string {
		ep, _ := x.EpollCreate(0)
		return said(x.EpollCtl(ep, EPOLL_CTL_ADD, x.tcp(), nil))
	}, "EFAULT"},
	{"epoll_ctl: twice", only4, func(x *box) string {
		fd := x.tcp()
		return said(x.EpollCtl(x.watching(fd, EPOLLIN), EPOLL_CTL_ADD, fd, &EpollEvent{}))
	}, "EEXIST"},
	{"epoll_ctl: change what is not there", only4, func(x *box) string {
		ep, _ := x.EpollCreate(0)
		return said(x.EpollCtl(ep, EPOLL_CTL_MOD, x.tcp(), &EpollEvent{}))
	}, "ENOENT"},
	{"epoll_ctl: remove what is not there", only4, func(x *box) string {
		ep, _ := x.EpollCreate(0)
		return said(x.EpollCtl(ep, EPOLL_CTL_DEL, x.tcp(), nil))
	}, "ENOENT"},
	{"epoll_ctl: remove", only4, func(x *box) string {
		fd := x.tcp()
		ep := x.watching(fd, EPOLLOUT)
		s := x.epoll(ep) + said(x.EpollCtl(ep, EPOLL_CTL_DEL, fd, nil)) + x.epoll(ep)
		return s + said(x.EpollCtl(ep, EPOLL_CTL_ADD, fd, &EpollEvent{Events: EPOLLOUT}))
	}, "1:OUT|HUP ok- ok"},
	{"epoll_ctl: EPOLLEXCLUSIVE", only4, func(x *box) string {
		ep, _ := x.EpollCreate(0)
		in, _ := x.EpollCreate(0)
		a, b := x.tcp(), x.tcp()
		s := said(x.EpollCtl(ep, EPOLL_CTL_ADD, a, &EpollEvent{Events: EPOLLEXCLUSIVE | EPOLLIN})) + " "
		s += said(x.EpollCtl(ep, EPOLL_CTL_ADD, b, &EpollEvent{Events: EPOLLEXCLUSIVE | EPOLLIN | EPOLLPRI})) + " "
		s += said(x.EpollCtl(ep, EPOLL_CTL_MOD, a, &EpollEvent{Events: EPOLLIN})) + " "
		s += said(x.EpollCtl(ep, EPOLL_CTL_MOD, a, &EpollEvent{Events: EPOLLIN | EPOLLEXCLUSIVE})) + " "
		return s + said(x.EpollCtl(ep, EPOLL_CTL_ADD, in, &EpollEvent{Events: EPOLLEXCLUSIVE | EPOLLIN}))
	}, "ok EINVAL EINVAL EINVAL EINVAL"},
	{"epoll_ctl: sets in each other", only4, func(x *box) string {
		a, _ := x.EpollCreate(0)
		b, _ := x.EpollCreate(0)
		return said(x.EpollCtl(a, EPOLL_CTL_ADD, b, &EpollEvent{Events: EPOLLIN})) + " " + said(x.EpollCtl(b, EPOLL_CTL_ADD, a, &EpollEvent{Events: EPOLLIN}))
	}, "ok ELOOP"},
	{"epoll_ctl: sets in sets, too deep", only4, func(x *box) string {
		a, _ := x.EpollCreate(0)
		for i := range 10 {
			b, _ := x.EpollCreate(0)
			if err := x.EpollCtl(b, EPOLL_CTL_ADD, a, &EpollEvent{Events: EPOLLIN}); err != nil {
				return fmt.Sprint(i, said(err))
			}
			a = b
		}
		return "any depth"
	}, "4ELOOP"},
	{"epoll_wait: bad descriptor", only4, func(x *box) string { return number(x.EpollWait(999, make([]EpollEvent, 1), 0)) }, "EBADF"},
	{"epoll_wait: no set", only4, func(x *box) string { return number(x.EpollWait(x.tcp(), make([]EpollEvent, 1), 0)) }, "EINVAL"},
	{"epoll_wait: no room", only4, func(x *box) string { ep, _ := x.EpollCreate(0); return number(x.EpollWait(ep, nil, 0)) }, "EINVAL"},
	{"epoll_wait: nothing", only4, func(x *box) string {
		ep, _ := x.EpollCreate(0)
		return number(x.EpollWait(ep, make([]EpollEvent, 1), 5*time.Millisecond))
	}, "0"},
	{"epoll: level", all, func(x *box) string {
		a, b := x.pair()
		ep := x.watching(b, EPOLLIN)
		s := x.epoll(ep)
		x.write(a, "xy")
		s += x.epoll(ep) + x.epoll(ep)
		x.Read(b, make([]byte, 1))
		s += x.epoll(ep)
		x.Read(b, make([]byte, 1))
		return s + x.epoll(ep)
	}, "- 1:IN 1:IN 1:IN - "},
	{"epoll: edge", all, func(x *box) string {
		a, b := x.pair()
		ep := x.watching(b, EPOLLIN|EPOLLET)
		s := x.epoll(ep)
		x.write(a, "x")
		s += x.epoll(ep) + x.epoll(ep)
		x.write(a, "y")
		s += x.epoll(ep) + x.epoll(ep)
		x.Read(b, make([]byte, 1))
		s += x.epoll(ep)
		x.must("epoll_ctl", x.EpollCtl(ep, EPOLL_CTL_MOD, b, &EpollEvent{Events: EPOLLIN | EPOLLET, Data: 2}))
		return s + x.epoll(ep) + x.epoll(ep)
	}, "- 1:IN - 1:IN - - 2:IN - "},
	{"epoll: edge, in and out", all, func(x *box) string {
		a, b := x.pair()
		ep := x.watching(b, EPOLLIN|EPOLLOUT|EPOLLRDHUP|EPOLLET)
		s := x.epoll(ep) + x.epoll(ep)
		x.write(a, "x")
		s += x.epoll(ep) + x.epoll(ep)
		x.Shutdown(a, SHUT_WR)
		return s + x.epoll(ep) + x.epoll(ep)
	}, "1:OUT - 1:IN|OUT - 1:IN|OUT|RDHUP - "},
	{"epoll: edge, connect", all, func(x *box) string {
		_, sa := x.listener(1)
		fd := x.nonblock()
		ep := x.watching(fd, EPOLLIN|EPOLLOUT|EPOLLET)
		s := x.epoll(ep) + x.epoll(ep)
		x.Connect(fd, sa)
		return s + x.epoll(ep) + x.epoll(ep)
	}, "1:OUT|HUP - 1:OUT - "},
	{"epoll: edge, accept", all, func(x *box) string {
		l, sa := x.listener(5)
		ep := x.watching(l, EPOLLIN|EPOLLET)
		s := x.epoll(ep)
		x.Connect(x.nonblock(), sa)
		s += x.epoll(ep) + x.epoll(ep)
		x.Connect(x.nonblock(), sa)
		return s + x.epoll(ep) + x.epoll(ep)
	}, "- 1:IN - 1:IN - "},
	{"epoll: one shot", all, func(x *box) string {
		a, b := x.pair()
		ep := x.watching(b, EPOLLIN|EPOLLONESHOT)
		x.write(a, "x")
		s := x.epoll(ep) + x.epoll(ep)
		x.write(a, "y")
		s += x.epoll(ep)
		x.must("epoll_ctl", x.EpollCtl(ep, EPOLL_CTL_MOD, b, &EpollEvent{Events: EPOLLIN | EPOLLONESHOT, Data: 2}))
		s += x.epoll(ep) + x.epoll(ep)
		x.abort(a)
		return s + x.epoll(ep)
	}, "1:IN - - 2:IN - - "},
	{"epoll: no events but errors", all, func(x *box) string {
		a, b := x.pair()
		ep := x.watching(b, 0)
		x.write(a, "x")
		s := x.epoll(ep)
		x.abort(a)
		return s + x.epoll(ep)
	}, "- 1:ERR|HUP "},
	{"epoll: a closed descriptor leaves", all, func(x *box) string {
		a, b := x.pair()
		ep := x.watching(b, EPOLLIN)
		x.write(a, "x")
		s := x.epoll(ep)
		x.must("close", x.CloseFD(b))
		return s + x.epoll(ep)
	}, "1:IN - "},
	{"epoll: a closed descriptor stays while another is open", all, func(x *box) string {
		a, b := x.pair()
		ep := x.watching(b, EPOLLIN)
		_, err := x.Fcntl(b, F_DUPFD, 0)
		x.must("dup", err)
		x.write(a, "x")
		x.must("close", x.CloseFD(b))
		return x.epoll(ep)
	}, "1:IN "},
	{"epoll: both of a pair of duplicates", all, func(x *box) string {
		a, b := x.pair()
		ep := x.watching(b, EPOLLIN)
		c, err := x.Fcntl(b, F_DUPFD, 0)
		x.must("dup", err)
		x.must("epoll_ctl", x.EpollCtl(ep, EPOLL_CTL_ADD, c, &EpollEvent{Events: EPOLLIN, Data: 2}))
		x.write(a, "x")
		return fmt.Sprint(len(x.epoll(ep)))
	}, "10"},
	{"epoll: fewer than are ready, in turn", only4, func(x *box) string {
		ep, err := x.EpollCreate(0)
		x.must("epoll_create", err)
		for i := range 3 {
			x.must("epoll_ctl", x.EpollCtl(ep, EPOLL_CTL_ADD, x.udp(), &EpollEvent{Events: EPOLLOUT, Data: uint64(i)}))
		}
		s := ""
		for range 5 {
			var e [2]EpollEvent
			n, err := x.EpollWait(ep, e[:], 0)
			s += number(n, err) + fmt.Sprint(":", e[0].Data, e[1].Data, " ")
		}
		return s
	}, "2:0 1 2:2 0 2:1 2 2:0 1 2:2 0 "},
	{"epoll: a set in a set", all, func(x *box) string {
		a, b := x.pair()
		in := x.watching(b, EPOLLIN)
		ep := x.watching(in, EPOLLIN)
		s := x.epoll(ep) + x.polled(in)
		x.write(a, "x")
		s += " " + x.epoll(ep) + x.epoll(ep) + x.polled(in)
		x.Read(b, make([]byte, 1))
		return s + " " + x.epoll(ep) + x.polled(ep)
	}, "- - 1:IN 1:IN IN|rdnorm - -"},
	{"epoll: UDP, edge", all, func(x *box) string {
		a, b := x.udpPair()
		ep := x.watching(b, EPOLLIN|EPOLLOUT|EPOLLET)
		s := x.epoll(ep) + x.epoll(ep)
		x.write(a, "x")
		s += x.epoll(ep) + x.epoll(ep)
		x.write(a, "y")
		return s + x.epoll(ep) + x.epoll(ep)
	}, "1:OUT - 1:IN|OUT - 1:IN|OUT - "},
}...)

// selected is what select reports of a descriptor.
func (x *box) selected(fd int) string {
	var r, w, e FDSet
	r.Set(fd)
	w.Set(fd)
	e.Set(fd)
	n, err := x.Select(fd+1, &r, &w, &e, 0)
	return number(n, err) + fmt.Sprint(boolInt(r.IsSet(fd)), boolInt(w.IsSet(fd)), boolInt(e.IsSet(fd)), " ")
}

var descriptorRows = []row{
	{"close: bad descriptor", only4, func(x *box) string { return said(x.CloseFD(999)) + said(x.CloseFD(-1)) }, "EBADFEBADF"},
	{"close: twice", only4, func(x *box) string { fd := x.tcp(); return said(x.CloseFD(fd)) + said(x.CloseFD(fd)) }, "okEBADF"},
	{"close: gives the number back", only4, func(x *box) string {
		fd := x.tcp()
		x.must("close", x.CloseFD(fd))
		return fmt.Sprint(x.udp() == fd)
	}, "true"},
	{"accept: one in vain leaves no hole", only4, func(x *box) string {
		l, _ := x.listener(1)
		a := x.udp()
		x.must("close", x.CloseFD(a))
		s := accepted(x.Accept4(l, 0))
		return fmt.Sprint(s, x.udp() == a)
	}, "EAGAINtrue"},
	{"dup: one closed, one open", all, func(x *box) string {
		a, b := x.pair()
		c, err := x.Fcntl(a, F_DUPFD, 100)
		x.must("dup", err)
		x.must("close", x.CloseFD(a))
		x.write(c, "x")
		return fmt.Sprint(c >= 100) + number(x.Read(b, make([]byte, 9)))
	}, "true1"},
	{"dup: O_NONBLOCK is shared", all, func(x *box) string {
		fd := x.tcp()
		c, err := x.Fcntl(fd, F_DUPFD_CLOEXEC, 0)
		x.must("dup", err)
		x.quiet(c)
		n, _ := x.Fcntl(fd, F_GETFL, 0)
		m, _ := x.Fcntl(c, F_GETFD, 0)
		return fmt.Sprint(n&O_NONBLOCK, m)
	}, "2048 1"},
	{"fcntl: bad descriptor", only4, func(x *box) string { return number(x.Fcntl(999, F_GETFL, 0)) }, "EBADF"},
	{"fcntl: unknown", only4, func(x *box) string { return number(x.Fcntl(x.tcp(), 9999, 0)) }, "EINVAL"},
	{"fcntl: F_DUPFD, less than none", only4, func(x *box) string { return number(x.Fcntl(x.tcp(), F_DUPFD, -1)) }, "EINVAL"},
	{"fcntl: F_SETFD", only4, func(x *box) string {
		fd := x.tcp()
		s := number(x.Fcntl(fd, F_GETFD, 0)) + number(x.Fcntl(fd, F_SETFD, FD_CLOEXEC)) + number(x.Fcntl(fd, F_GETFD, 0))
		return s + said(x.IoctlSet(fd, FIONCLEX, 0)) + number(x.Fcntl(fd, F_GETFD, 0)) + said(x.IoctlSet(fd, FIOCLEX, 0)) + number(x.Fcntl(fd, F_GETFD, 0))
	}, "001ok0ok1"},
	{"fcntl: F_SETFL", only4, func(x *box) string {
		fd := x.tcp()
		s := number(x.Fcntl(fd, F_SETFL, O_NONBLOCK|O_APPEND|O_WRONLY))
		n, err := x.Fcntl(fd, F_GETFL, 0)
		return s + number(n&^0x8000, err)
	}, "03074"},
	{"SO_LINGER: a timeout of none resets", all, func(x *box) string {
		a, b := x.pair()
		x.write(a, "abc")
		x.abort(a)
		return number(x.Read(b, make([]byte, 9))) + number(x.Read(b, make([]byte, 9)))
	}, "3ECONNRESET"},
	{"SO_LINGER: close waits no longer than it takes", all, func(x *box) string {
		a, b := x.pair()
		x.must("setsockopt", x.Setsockopt(a, SOL_SOCKET, SO_LINGER, appendInt(appendInt(nil, 1), 30)))
		x.write(a, "abc")
		s := said(x.CloseFD(a))
		return s + number(x.Read(b, make([]byte, 9))) + number(x.Read(b, make([]byte, 9)))
	}, "ok30"},
}
