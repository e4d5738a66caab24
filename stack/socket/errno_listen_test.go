package socket

import "fmt"

var listenRows = []row{
	{"listen: unbound", all, func(x *box) string { fd := x.tcp(); return said(x.Listen(fd, 1)) + " " + x.local(fd) }, "ok any:port"},
	{"listen: twice", all, func(x *box) string { l, _ := x.listener(1); return said(x.Listen(l, 7)) }, "ok"},
	{"listen: negative backlog", all, func(x *box) string { return said(x.Listen(x.tcp(), -1)) }, "ok"},
	{"listen: UDP", all, func(x *box) string { return said(x.Listen(x.udp(), 1)) }, "EOPNOTSUPP"},
	{"listen: connected", all, func(x *box) string { a, _ := x.pair(); return said(x.Listen(a, 1)) }, "EINVAL"},
	{"listen: in SYN-SENT", all, func(x *box) string { fd := x.nonblock(); x.Connect(fd, x.out(9)); return said(x.Listen(fd, 1)) }, "EINVAL"},
	{"listen: bad descriptor", only4, func(x *box) string { return said(x.Listen(1000, 1)) }, "EBADF"},
	{"listen: no socket", only4, func(x *box) string { ep, _ := x.EpollCreate(0); return said(x.Listen(ep, 1)) }, "ENOTSOCK"},
	{"listen: two with SO_REUSEADDR on a port", all, func(x *box) string {
		p, a, b := x.fresh(), x.tcp(), x.tcp()
		x.must("setsockopt", x.set(a, SOL_SOCKET, SO_REUSEADDR, 1))
		x.must("setsockopt", x.set(b, SOL_SOCKET, SO_REUSEADDR, 1))
		x.must("bind", x.Bind(a, x.lo(p)))
		x.must("bind", x.Bind(b, x.lo(p)))
		return said(x.Listen(a, 1)) + " " + said(x.Listen(b, 1))
	}, "ok EADDRINUSE"},
	{"listen: two with SO_REUSEPORT on a port", all, func(x *box) string {
		p, a, b := x.fresh(), x.tcp(), x.tcp()
		x.must("setsockopt", x.set(a, SOL_SOCKET, SO_REUSEPORT, 1))
		x.must("setsockopt", x.set(b, SOL_SOCKET, SO_REUSEPORT, 1))
		x.must("bind", x.Bind(a, x.lo(p)))
		x.must("bind", x.Bind(b, x.lo(p)))
		return said(x.Listen(a, 1)) + " " + said(x.Listen(b, 1))
	}, "ok ok"},
	{"accept: nobody", all, func(x *box) string { l, _ := x.listener(1); return accepted(x.Accept4(l, 0)) }, "EAGAIN"},
	{"accept: not listening", all, func(x *box) string { return accepted(x.Accept4(x.tcp(), 0)) }, "EINVAL"},
	{"accept: connected", all, func(x *box) string { a, _ := x.pair(); return accepted(x.Accept4(a, 0)) }, "EINVAL"},
	{"accept: UDP", all, func(x *box) string { return accepted(x.Accept4(x.udp(), 0)) }, "EOPNOTSUPP"},
	{"accept: unknown flags", all, func(x *box) string { l, _ := x.listener(1); return accepted(x.Accept4(l, 1)) }, "EINVAL"},
	{"accept: UDP and unknown flags", all, func(x *box) string { return accepted(x.Accept4(x.udp(), 1)) }, "EINVAL"},
	{"accept: no socket", only4, func(x *box) string { ep, _ := x.EpollCreate(0); return accepted(x.Accept4(ep, 0)) }, "ENOTSOCK"},
	{"accept: no socket and unknown flags", only4, func(x *box) string { ep, _ := x.EpollCreate(0); return accepted(x.Accept4(ep, 1)) }, "EINVAL"},
	{"accept: bad descriptor", only4, func(x *box) string { return accepted(x.Accept4(-1, 1)) }, "EBADF"},
	{"accept: waits no longer than SO_RCVTIMEO", all, func(x *box) string {
		fd, _ := x.bound(x.tcp())
		x.must("listen", x.Listen(fd, 1))
		x.must("setsockopt", x.Setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, appendTimeval(nil, Timeval{0, 20000})))
		return accepted(x.Accept4(fd, 0))
	}, "EAGAIN"},
	{"accept: one", all, func(x *box) string {
		l, sa := x.listener(1)
		x.must("connect", x.Connect(x.tcp(), sa))
		x.settle()
		return accepted(x.Accept4(l, 0)) + " " + accepted(x.Accept4(l, 0))
	}, "fd from lo:port EAGAIN"},
	{"accept: flags are not inherited", all, func(x *box) string {
		l, sa := x.listener(1)
		x.must("connect", x.Connect(x.tcp(), sa))
		x.settle()
		fd, _, err := x.Accept4(l, SOCK_CLOEXEC)
		x.must("accept", err)
		a, _ := x.Fcntl(fd, F_GETFL, 0)
		b, _ := x.Fcntl(fd, F_GETFD, 0)
		return fmt.Sprint(a&O_NONBLOCK, b)
	}, "0 1"},
	{"accept: options are inherited", all, func(x *box) string {
		l, sa := x.listener(1)
		x.must("setsockopt", x.set(l, SOL_TCP, TCP_NODELAY, 1))
		x.must("setsockopt", x.set(l, SOL_SOCKET, SO_KEEPALIVE, 1))
		x.must("setsockopt", x.set(l, SOL_TCP, TCP_KEEPIDLE, 77))
		x.must("connect", x.Connect(x.tcp(), sa))
		x.settle()
		fd, _, err := x.Accept4(l, 0)
		x.must("accept", err)
		return x.get(fd, SOL_TCP, TCP_NODELAY) + x.get(fd, SOL_SOCKET, SO_KEEPALIVE) + x.get(fd, SOL_TCP, TCP_KEEPIDLE) + x.get(fd, SOL_SOCKET, SO_ACCEPTCONN)
	}, "11770"},
	{"accept: what was reset while it waited", all, func(x *box) string {
		l, sa := x.listener(1)
		c := x.tcp()
		x.must("connect", x.Connect(c, sa))
		x.settle()
		x.abort(c)
		fd, _, err := x.Accept4(l, SOCK_NONBLOCK)
		if err != nil {
			return said(err)
		}
		return x.polled(fd) + " " + number(x.Read(fd, make([]byte, 1))) + " " + number(x.Read(fd, make([]byte, 1)))
	}, "IN|OUT|ERR|HUP|rdnorm|wrnorm|RDHUP ECONNRESET 0"},
	{"accept: a listener that was shut down", all, func(x *box) string {
		l, _ := x.listener(1)
		a := said(x.Shutdown(l, SHUT_RD))
		return a + " " + accepted(x.Accept4(l, 0))
	}, "ok EINVAL"},
	{"accept: how many fit", both, func(x *box) string {
		l, sa := x.listener(2)
		n, fds := 0, []int(nil)
		for range 5 {
			fd := x.nonblock()
			x.Connect(fd, sa)
			x.settle()
			fds = append(fds, fd)
		}
		for _, fd := range fds { // who found no room would come again in a second
			x.must("close", x.CloseFD(fd))
		}
		for {
			if _, _, err := x.Accept4(l, 0); err != nil {
				return fmt.Sprint(n, said(err))
			}
			n++
		}
	}, "3EAGAIN"},
	{"SO_ACCEPTCONN", all, func(x *box) string {
		l, _ := x.listener(1)
		return x.get(l, SOL_SOCKET, SO_ACCEPTCONN) + x.get(x.tcp(), SOL_SOCKET, SO_ACCEPTCONN) + x.get(x.udp(), SOL_SOCKET, SO_ACCEPTCONN)
	}, "100"},
}

// accepted names what accept returned.
func accepted(fd int, from *Sockaddr, err error) string {
	if err != nil {
		return number(fd, err)
	}
	return "fd from " + end(from, nil)
}

var transferRows = []row{
	{"read: fresh", all, func(x *box) string { return number(x.Read(x.tcp(), make([]byte, 1))) }, "ENOTCONN"},
	{"read: listener", all, func(x *box) string { l, _ := x.listener(1); return number(x.Read(l, make([]byte, 1))) }, "ENOTCONN"},
	{"read: in SYN-SENT", all, func(x *box) string {
		fd := x.nonblock()
		x.Connect(fd, x.out(9))
		return number(x.Read(fd, make([]byte, 1)))
	}, "EAGAIN"},
	{"read: nothing there", all, func(x *box) string { a, _ := x.pair(); return number(x.Read(a, make([]byte, 1))) }, "EAGAIN"},
	{"read: no octets", all, func(x *box) string { a, _ := x.pair(); return number(x.Read(a, nil)) }, "0"},
	{"recv: no octets", all, func(x *box) string { a, _ := x.pair(); return number(x.recv(a, 0, 0)) }, "EAGAIN"},
	{"recv: no octets of some", all, func(x *box) string { a, b := x.pair(); x.write(a, "abc"); return number(x.recv(b, 0, 0)) }, "0"},
	{"read: bad descriptor", only4, func(x *box) string { return number(x.Read(500, make([]byte, 1))) }, "EBADF"},
	{"read: an epoll set", only4, func(x *box) string { ep, _ := x.EpollCreate(0); return number(x.Read(ep, make([]byte, 1))) }, "EINVAL"},
	{"recv: an epoll set", only4, func(x *box) string { ep, _ := x.EpollCreate(0); return number(x.recv(ep, 1, 0)) }, "ENOTSOCK"},
	{"readv: too many", all, func(x *box) string { a, _ := x.pair(); return number(x.Readv(a, make([][]byte, 1025))) }, "EINVAL"},
	{"recvmsg: too many", all, func(x *box) string {
		a, _ := x.pair()
		return number(x.RecvMsg(a, &Msghdr{Iov: make([][]byte, 1025)}, 0))
	}, "EMSGSIZE"},
	{"recvmsg: no header", all, func(x *box) string { a, _ := x.pair(); return number(x.RecvMsg(a, nil, 0)) }, "EFAULT"},
	{"recv: MSG_DONTWAIT", all, func(x *box) string {
		a, _ := x.pair()
		x.Fcntl(a, F_SETFL, 0)
		return number(x.recv(a, 1, MSG_DONTWAIT))
	}, "EAGAIN"},
	{"recv: waits no longer than SO_RCVTIMEO", all, func(x *box) string {
		a, _ := x.pair()
		x.Fcntl(a, F_SETFL, 0)
		x.must("setsockopt", x.Setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, appendTimeval(nil, Timeval{0, 20000})))
		return number(x.recv(a, 1, 0))
	}, "EAGAIN"},
	{"recv: MSG_WAITALL until SO_RCVTIMEO", all, func(x *box) string {
		a, b := x.pair()
		x.Fcntl(a, F_SETFL, 0)
		x.must("setsockopt", x.Setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, appendTimeval(nil, Timeval{0, 20000})))
		x.write(b, "abc")
		return number(x.recv(a, 10, MSG_WAITALL))
	}, "3"},
	{"recv: MSG_WAITALL does not wait where it must not", all, func(x *box) string {
		a, b := x.pair()
		x.write(b, "abc")
		return number(x.recv(a, 10, MSG_WAITALL))
	}, "3"},
	{"recv: MSG_PEEK", all, func(x *box) string {
		a, b := x.pair()
		x.write(b, "abcdef")
		return number(x.recv(a, 4, MSG_PEEK)) + number(x.recv(a, 10, MSG_PEEK)) + number(x.recv(a, 10, 0))
	}, "466"},
	{"recv: MSG_TRUNC throws away", all, func(x *box) string {
		a, b := x.pair()
		x.write(b, "abcdef")
		p := []byte("....")
		n, _, err := x.RecvFrom(a, p, MSG_TRUNC)
		q := make([]byte, 9)
		m, _, _ := x.RecvFrom(a, q, 0)
		return number(n, err) + string(p) + string(q[:m])
	}, "4....ef"},
	{"recv: MSG_OOB, nothing", all, func(x *box) string { a, _ := x.pair(); return number(x.recv(a, 1, MSG_OOB)) }, "EINVAL"},
	{"recv: MSG_OOB, fresh", all, func(x *box) string { return number(x.recv(x.tcp(), 1, MSG_OOB)) }, "EINVAL"},
	{"recv: MSG_OOB", all, func(x *box) string {
		a, b := x.pair()
		number(x.SendTo(a, []byte("abc"), MSG_OOB, nil))
		x.settle()
		s := x.polled(b)
		p := make([]byte, 5)
		n, _, err := x.RecvFrom(b, p, MSG_OOB)
		s += " " + number(n, err) + string(p[:max(n, 0)])
		s += " " + number(x.recv(b, 1, MSG_OOB)) + " " + number(x.Read(b, make([]byte, 9))) + " " + number(x.Read(b, make([]byte, 9)))
		return s + " " + x.polled(b)
	}, "IN|PRI|OUT|rdnorm|wrnorm 1c EINVAL 2 EAGAIN OUT|wrnorm"},
	{"recv: MSG_OOB in line", all, func(x *box) string {
		a, b := x.pair()
		x.must("setsockopt", x.set(b, SOL_SOCKET, SO_OOBINLINE, 1))
		number(x.SendTo(a, []byte("abc"), MSG_OOB, nil))
		x.settle()
		s := number(x.recv(b, 1, MSG_OOB)) + " " + number(x.Read(b, make([]byte, 9)))
		n, err := x.Ioctl(b, SIOCATMARK)
		return s + " " + number(n, err) + " " + number(x.Read(b, make([]byte, 9)))
	}, "EINVAL 2 1 1"},
	{"recv: MSG_ERRQUEUE on TCP", all, func(x *box) string { a, _ := x.pair(); return number(x.recv(a, 1, MSG_ERRQUEUE)) }, "EAGAIN"},
	{"recv: MSG_ERRQUEUE on a fresh socket", all, func(x *box) string { return number(x.recv(x.tcp(), 1, MSG_ERRQUEUE)) }, "EAGAIN"},
	{"recvfrom: TCP tells no address", all, func(x *box) string {
		a, b := x.pair()
		x.write(b, "x")
		n, sa, err := x.RecvFrom(a, make([]byte, 1), 0)
		return number(n, err) + fmt.Sprint(sa)
	}, "1<nil>"},
	{"read: after the peer's FIN", all, func(x *box) string {
		a, b := x.pair()
		x.write(b, "x")
		x.must("close", x.CloseFD(b))
		x.settle()
		return number(x.Read(a, make([]byte, 9))) + number(x.Read(a, make([]byte, 9))) + number(x.Read(a, make([]byte, 9)))
	}, "100"},
	{"read: after a reset", all, func(x *box) string {
		a, b := x.pair()
		x.write(b, "abc")
		x.abort(b)
		return number(x.Read(a, make([]byte, 9))) + number(x.Read(a, make([]byte, 9))) + number(x.Read(a, make([]byte, 9)))
	}, "3ECONNRESET0"},
	{"write: after a reset", all, func(x *box) string {
		a, b := x.pair()
		x.abort(b)
		return number(x.Write(a, []byte("x"))) + " " + number(x.Write(a, []byte("x"))) + " " + number(x.Read(a, make([]byte, 1)))
	}, "ECONNRESET EPIPE 0"},
	{"SO_ERROR: after a reset", all, func(x *box) string {
		a, b := x.pair()
		x.abort(b)
		return x.get(a, SOL_SOCKET, SO_ERROR) + " " + x.get(a, SOL_SOCKET, SO_ERROR) + " " + number(x.Read(a, make([]byte, 1))) + " " + number(x.Write(a, make([]byte, 1)))
	}, "104 0 0 EPIPE"},
	{"reset after the FIN", all, func(x *box) string {
		a, b := x.pair()
		x.must("close", x.CloseFD(b))
		x.settle()
		s := number(x.Write(a, []byte("x")))
		x.settle()
		return s + " " + x.polled(a) + " " + number(x.Read(a, make([]byte, 1))) + " " + number(x.Write(a, []byte("x"))) + " " + number(x.Write(a, []byte("x"))) + " " + x.get(a, SOL_SOCKET, SO_ERROR)
	}, "1 IN|OUT|ERR|HUP|rdnorm|wrnorm|RDHUP 0 EPIPE EPIPE 0"},
	{"close with octets unread resets", all, func(x *box) string {
		a, b := x.pair()
		x.write(a, "x")
		x.must("close", x.CloseFD(b))
		x.settle()
		return x.polled(a) + " " + number(x.Read(a, make([]byte, 1)))
	}, "IN|OUT|ERR|HUP|rdnorm|wrnorm|RDHUP ECONNRESET"},
	{"write: fresh", all, func(x *box) string { return number(x.Write(x.tcp(), []byte("x"))) }, "EPIPE"},
	{"write: nothing, fresh", all, func(x *box) string { return number(x.Write(x.tcp(), nil)) }, "EPIPE"},
	{"write: listener", all, func(x *box) string { l, _ := x.listener(1); return number(x.Write(l, []byte("x"))) }, "EPIPE"},
	{"write: in SYN-SENT", all, func(x *box) string {
		fd := x.nonblock()
		x.Connect(fd, x.out(9))
		return number(x.Write(fd, []byte("x")))
	}, "EAGAIN"},
	{"write: nothing", all, func(x *box) string { a, _ := x.pair(); return number(x.Write(a, nil)) }, "0"},
	{"write: after shutdown", all, func(x *box) string {
		a, _ := x.pair()
		x.must("shutdown", x.Shutdown(a, SHUT_WR))
		return number(x.Write(a, []byte("x"))) + " " + number(x.Write(a, nil))
	}, "EPIPE EPIPE"},
	{"write: bad descriptor", only4, func(x *box) string { return number(x.Write(500, make([]byte, 1))) }, "EBADF"},
	{"write: an epoll set", only4, func(x *box) string { ep, _ := x.EpollCreate(0); return number(x.Write(ep, make([]byte, 1))) }, "EINVAL"},
	{"send: an epoll set", only4, func(x *box) string { ep, _ := x.EpollCreate(0); return number(x.SendTo(ep, make([]byte, 1), 0, nil)) }, "ENOTSOCK"},
	{"writev: too many", all, func(x *box) string { a, _ := x.pair(); return number(x.Writev(a, make([][]byte, 1025))) }, "EINVAL"},
	{"sendmsg: too many", all, func(x *box) string {
		a, _ := x.pair()
		return number(x.SendMsg(a, &Msghdr{Iov: make([][]byte, 1025)}, 0))
	}, "EMSGSIZE"},
	{"sendmsg: no header", all, func(x *box) string { a, _ := x.pair(); return number(x.SendMsg(a, nil, 0)) }, "EFAULT"},
	{"sendto: an address on a connection", all, func(x *box) string { a, _ := x.pair(); return number(x.SendTo(a, []byte("x"), 0, x.lo(9))) }, "1"},
	{"sendto: an address on a fresh TCP socket", all, func(x *box) string { return number(x.SendTo(x.tcp(), []byte("x"), 0, x.lo(9))) }, "EPIPE"},
	{"sendto: too long an address", all, func(x *box) string {
		a, _ := x.pair()
		return number(x.SendTo(a, []byte("x"), 0, withLen(x.lo(9), 200)))
	}, "EINVAL"},
	{"writev and readv", all, func(x *box) string {
		a, b := x.pair()
		s := number(x.Writev(a, [][]byte{[]byte("ab"), nil, []byte("cde")}))
		x.settle()
		p, q := make([]byte, 3), make([]byte, 9)
		return s + number(x.Readv(b, [][]byte{p, q})) + string(p) + string(q[:2])
	}, "55abcde"},
	{"send: MSG_MORE is kept back, but not for long", all, func(x *box) string {
		a, b := x.pair()
		s := number(x.SendTo(a, []byte("abc"), MSG_MORE, nil))
		x.settle()
		s += number(x.Read(b, make([]byte, 9)))
		s += number(x.Write(a, []byte("de")))
		x.settle()
		return s + number(x.Read(b, make([]byte, 9)))
	}, "3EAGAIN25"},
	{"write: TCP_CORK keeps back", all, func(x *box) string {
		a, b := x.pair()
		x.must("setsockopt", x.set(a, SOL_TCP, TCP_CORK, 1))
		s := number(x.Write(a, []byte("abc")))
		x.settle()
		s += number(x.Read(b, make([]byte, 9)))
		x.must("setsockopt", x.set(a, SOL_TCP, TCP_CORK, 0))
		x.settle()
		return s + number(x.Read(b, make([]byte, 9)))
	}, "3EAGAIN3"},
	{"shutdown: how", all, func(x *box) string { a, _ := x.pair(); return said(x.Shutdown(a, 3)) + said(x.Shutdown(a, -1)) }, "EINVALEINVAL"},
	{"shutdown: fresh", all, func(x *box) string { fd := x.tcp(); return said(x.Shutdown(fd, SHUT_RDWR)) + " " + x.polled(fd) }, "ENOTCONN IN|OUT|HUP|rdnorm|wrnorm|RDHUP"},
	{"shutdown: fresh, how", all, func(x *box) string { return said(x.Shutdown(x.tcp(), 9)) }, "EINVAL"},
	{"shutdown: bad descriptor", only4, func(x *box) string { return said(x.Shutdown(-5, 9)) }, "EBADF"},
	{"shutdown: no socket", only4, func(x *box) string { ep, _ := x.EpollCreate(0); return said(x.Shutdown(ep, 0)) }, "ENOTSOCK"},
	{"shutdown: listener, SHUT_WR", all, func(x *box) string {
		l, sa := x.listener(1)
		return said(x.Shutdown(l, SHUT_WR)) + " " + said(x.Connect(x.tcp(), sa))
	}, "ok ok"},
	{"shutdown: listener, SHUT_RD", all, func(x *box) string {
		l, sa := x.listener(1)
		s := said(x.Shutdown(l, SHUT_RD)) + " " + said(x.Connect(x.tcp(), sa))
		x.must("bind", x.Bind(x.tcp(), sa)) // the port is given up, and this one's, so that it is not chosen again
		return s + " " + said(x.Listen(l, 1)) + " " + said(x.Connect(x.tcp(), sa))
	}, "ok ECONNREFUSED ok ECONNREFUSED"},
	{"shutdown: SHUT_RD, and what comes after", all, func(x *box) string {
		a, b := x.pair()
		x.must("shutdown", x.Shutdown(a, SHUT_RD))
		s := number(x.Read(a, make([]byte, 1)))
		x.write(b, "abc")
		return s + number(x.Read(a, make([]byte, 9))) + number(x.Read(a, make([]byte, 9))) + " " + x.polled(a)
	}, "030 IN|OUT|rdnorm|wrnorm|RDHUP"},
	{"shutdown: twice", all, func(x *box) string {
		a, _ := x.pair()
		return said(x.Shutdown(a, SHUT_WR)) + said(x.Shutdown(a, SHUT_WR)) + said(x.Shutdown(a, SHUT_RDWR))
	}, "okokok"},
	{"shutdown: after both directions have ended", all, func(x *box) string {
		a, b := x.pair()
		x.must("shutdown", x.Shutdown(a, SHUT_WR))
		x.must("shutdown", x.Shutdown(b, SHUT_WR))
		x.settle()
		return said(x.Shutdown(a, SHUT_RDWR)) + " " + said(x.Shutdown(b, SHUT_RDWR))
	}, "ENOTCONN ENOTCONN"},
	{"shutdown: after a reset", all, func(x *box) string {
		a, b := x.pair()
		x.abort(b)
		return said(x.Shutdown(a, SHUT_RDWR))
	}, "ENOTCONN"},
	{"FIONREAD", all, func(x *box) string { a, b := x.pair(); x.write(b, "abc"); return number(x.Ioctl(a, FIONREAD)) }, "3"},
	{"FIONREAD: after the FIN", all, func(x *box) string {
		a, b := x.pair()
		x.write(b, "abc")
		x.must("shutdown", x.Shutdown(b, SHUT_WR))
		x.settle()
		return number(x.Ioctl(a, FIONREAD))
	}, "3"},
	{"FIONREAD: fresh", all, func(x *box) string { return number(x.Ioctl(x.tcp(), FIONREAD)) }, "0"},
	{"FIONREAD: listener", all, func(x *box) string { l, _ := x.listener(1); return number(x.Ioctl(l, FIONREAD)) }, "EINVAL"},
	{"SIOCOUTQ: all acknowledged", all, func(x *box) string { a, _ := x.pair(); x.write(a, "abc"); return number(x.Ioctl(a, SIOCOUTQ)) }, "0"},
	{"SIOCOUTQ: corked", all, func(x *box) string {
		a, _ := x.pair()
		x.must("setsockopt", x.set(a, SOL_TCP, TCP_CORK, 1))
		x.write(a, "abc")
		return number(x.Ioctl(a, SIOCOUTQ)) + number(x.Ioctl(a, SIOCOUTQNSD))
	}, "33"},
	{"SIOCOUTQ: fresh", all, func(x *box) string { return number(x.Ioctl(x.tcp(), SIOCOUTQ)) + number(x.Ioctl(x.tcp(), SIOCOUTQNSD)) }, "00"},
	{"SIOCOUTQ: listener", all, func(x *box) string {
		l, _ := x.listener(1)
		return number(x.Ioctl(l, SIOCOUTQ)) + number(x.Ioctl(l, SIOCOUTQNSD))
	}, "EINVALEINVAL"},
	{"SIOCOUTQ: in SYN-SENT", all, func(x *box) string {
		fd := x.nonblock()
		x.Connect(fd, x.out(9))
		return number(x.Ioctl(fd, SIOCOUTQ)) + number(x.Ioctl(fd, FIONREAD)) + number(x.Ioctl(fd, SIOCOUTQNSD))
	}, "000"},
	{"SIOCATMARK: fresh", all, func(x *box) string { return number(x.Ioctl(x.tcp(), SIOCATMARK)) }, "0"},
	{"ioctl: unknown", all, func(x *box) string { return number(x.Ioctl(x.tcp(), 0x1234)) }, "ENOTTY"},
	{"ioctl: bad descriptor", only4, func(x *box) string { return number(x.Ioctl(-1, FIONREAD)) }, "EBADF"},
	{"ioctl: an epoll set", only4, func(x *box) string { ep, _ := x.EpollCreate(0); return number(x.Ioctl(ep, FIONREAD)) }, "EINVAL"},
	{"FIONBIO", all, func(x *box) string {
		fd := x.tcp()
		s := said(x.IoctlSet(fd, FIONBIO, 1))
		n, _ := x.Fcntl(fd, F_GETFL, 0)
		return fmt.Sprint(s, n&O_NONBLOCK)
	}, "ok2048"},
}

func (x *box) recv(fd, n, flags int) (int, error) {
	got, _, err := x.RecvFrom(fd, make([]byte, n), flags)
	return got, err
}
