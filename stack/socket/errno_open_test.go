package socket

import "fmt"

// try makes a socket.
func try(domain, typ, protocol int) func(*box) string {
	return func(x *box) string { return some(x.Socket(domain, typ, protocol)) }
}

var socketRows = []row{
	{"socket: AF_UNSPEC", only4, try(AF_UNSPEC, SOCK_STREAM, 0), "EAFNOSUPPORT"},
	{"socket: family -1", only4, try(-1, SOCK_STREAM, 0), "EAFNOSUPPORT"},
	{"socket: family 46", only4, try(46, SOCK_STREAM, 0), "EAFNOSUPPORT"},
	{"socket: family 46 and type 12", only4, try(46, 12, 0), "EAFNOSUPPORT"},
	{"socket: type 0", only4, try(AF_INET, 0, 0), "ESOCKTNOSUPPORT"},
	{"socket: type 0 over IPv6", only4, try(AF_INET6, 0, 0), "ESOCKTNOSUPPORT"},
	{"socket: type 11", only4, try(AF_INET, 11, 0), "EINVAL"},
	{"socket: type 15", only4, try(AF_INET6, 15, 0), "EINVAL"},
	{"socket: unknown flags", only4, try(AF_INET, SOCK_STREAM|0x1000, 0), "EINVAL"},
	{"socket: SOCK_RDM", only4, try(AF_INET, SOCK_RDM, 0), "ESOCKTNOSUPPORT"},
	{"socket: SOCK_SEQPACKET", only4, try(AF_INET, SOCK_SEQPACKET, IPPROTO_UDP), "ESOCKTNOSUPPORT"},
	{"socket: stream of UDP", only4, try(AF_INET, SOCK_STREAM, IPPROTO_UDP), "EPROTONOSUPPORT"},
	{"socket: stream of UDP over IPv6", only4, try(AF_INET6, SOCK_STREAM, IPPROTO_UDP), "EPROTONOSUPPORT"},
	{"socket: stream of TCP", only4, try(AF_INET, SOCK_STREAM, IPPROTO_TCP), "fd"},
	{"socket: stream of nothing", only4, try(AF_INET6, SOCK_STREAM, 0), "fd"},
	{"socket: stream of protocol -1", only4, try(AF_INET, SOCK_STREAM, -1), "EINVAL"},
	{"socket: stream of protocol 263", only4, try(AF_INET, SOCK_STREAM, 263), "EINVAL"},
	{"socket: stream of protocol 255", only4, try(AF_INET, SOCK_STREAM, 255), "EPROTONOSUPPORT"},
	{"socket: datagram of TCP", only4, try(AF_INET, SOCK_DGRAM, IPPROTO_TCP), "EPROTONOSUPPORT"},
	{"socket: datagram of UDP", only4, try(AF_INET6, SOCK_DGRAM, IPPROTO_UDP), "fd"},
	{"socket: datagram of ICMP", only4, try(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), "EACCES"},
	{"socket: datagram of ICMPv6", only4, try(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6), "EACCES"},
	{"socket: datagram of the other family's ICMP", only4, try(AF_INET, SOCK_DGRAM, IPPROTO_ICMPV6), "EPROTONOSUPPORT"},
	{"socket: raw of nothing", only4, try(AF_INET, SOCK_RAW, 0), "EPROTONOSUPPORT"},
	{"socket: raw of nothing over IPv6", only4, try(AF_INET6, SOCK_RAW, 0), "EPROTONOSUPPORT"},
	{"socket: raw of ICMP", only4, try(AF_INET, SOCK_RAW, IPPROTO_ICMP), "fd"},
	{"socket: raw of 253", only4, try(AF_INET6, SOCK_RAW, 253), "fd"},
	{"socket: raw of IPPROTO_RAW", only4, try(AF_INET, SOCK_RAW, IPPROTO_RAW), "fd"},
	{"socket: non-blocking, close on exec", only4, func(x *box) string {
		fd, err := x.Socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0)
		x.must("socket", err)
		a, _ := x.Fcntl(fd, F_GETFL, 0)
		b, _ := x.Fcntl(fd, F_GETFD, 0)
		return fmt.Sprint(a&^0x8000, b)
	}, "2050 1"},
}

// withLen is an address with a wrong length.
func withLen(sa *Sockaddr, n int) *Sockaddr {
	sa.Len = n
	return sa
}

func withFamily(sa *Sockaddr, family int) *Sockaddr {
	sa.Len = sa.length()
	sa.Family = family
	return sa
}

var addressRows = []row{
	{"bind: TCP twice", all, func(x *box) string { fd, _ := x.bound(x.tcp()); return said(x.Bind(fd, x.lo(0))) }, "EINVAL"},
	{"bind: UDP twice", all, func(x *box) string { fd, _ := x.bound(x.udp()); return said(x.Bind(fd, x.lo(0))) }, "EINVAL"},
	{"bind: no address", all, func(x *box) string { return said(x.Bind(x.tcp(), nil)) }, "EFAULT"},
	{"bind: bad descriptor", only4, func(x *box) string { return said(x.Bind(999, x.lo(0))) }, "EBADF"},
	{"bind: bad descriptor and no address", only4, func(x *box) string { return said(x.Bind(999, nil)) }, "EBADF"},
	{"bind: no socket", only4, func(x *box) string { ep, _ := x.EpollCreate(0); return said(x.Bind(ep, x.lo(0))) }, "ENOTSOCK"},
	{"bind: TCP, too short", both, func(x *box) string { return said(x.Bind(x.tcp(), withLen(x.lo(0), 15))) }, "EINVAL"},
	{"bind: UDP, too short", both, func(x *box) string { return said(x.Bind(x.udp(), withLen(x.lo(0), 8))) }, "EINVAL"},
	{"bind: too long", both, func(x *box) string { return said(x.Bind(x.tcp(), withLen(x.lo(0), 129))) }, "EINVAL"},
	{"bind: as long as can be", both, func(x *box) string { return said(x.Bind(x.tcp(), withLen(x.lo(0), 128))) }, "ok"},
	{"bind: negative length", both, func(x *box) string { return said(x.Bind(x.tcp(), withLen(x.lo(0), -1))) }, "EINVAL"},
	{"bind: without a scope's room", only6, func(x *box) string { return said(x.Bind(x.tcp(), withLen(x.lo(0), 24))) }, "ok"},
	{"bind: the other family", only4, func(x *box) string { return said(x.Bind(x.tcp(), x.at("::1", 0))) }, "EAFNOSUPPORT"},
	{"bind: the other family, UDP", only4, func(x *box) string { return said(x.Bind(x.udp(), x.at("::1", 0))) }, "EAFNOSUPPORT"},
	{"bind: AF_INET on AF_INET6", only6, func(x *box) string { return said(x.Bind(x.tcp(), withLen(x.at("127.0.0.1", 0), 28))) }, "EAFNOSUPPORT"},
	{"bind: AF_INET on AF_INET6, short", only6, func(x *box) string { return said(x.Bind(x.tcp(), x.at("127.0.0.1", 0))) }, "EINVAL"},
	{"bind: AF_UNSPEC and any", only4, func(x *box) string { return said(x.Bind(x.tcp(), withFamily(x.any(0), AF_UNSPEC))) }, "ok"},
	{"bind: AF_UNSPEC and an address", only4, func(x *box) string { return said(x.Bind(x.tcp(), withFamily(x.lo(0), AF_UNSPEC))) }, "EAFNOSUPPORT"},
	{"bind: AF_UNSPEC over IPv6", only6, func(x *box) string { return said(x.Bind(x.tcp(), withFamily(x.any(0), AF_UNSPEC))) }, "EAFNOSUPPORT"},
	{"bind: TCP, another's address", all, func(x *box) string { return said(x.Bind(x.tcp(), x.out(0))) }, "EADDRNOTAVAIL"},
	{"bind: UDP, another's address", all, func(x *box) string { return said(x.Bind(x.udp(), x.out(0))) }, "EADDRNOTAVAIL"},
	{"bind: all of 127.0.0.0/8", only4, func(x *box) string { return said(x.Bind(x.tcp(), x.at("127.1.2.3", 0))) }, "ok"},
	{"bind: own address", only4, func(x *box) string { return said(x.Bind(x.tcp(), x.at("192.0.2.1", 0))) }, "ok"},
	{"bind: own IPv6 address", only6, func(x *box) string { return said(x.Bind(x.tcp(), x.at("2001:db8::1", 0))) }, "ok"},
	{"bind: TCP, a broadcast address", only4, func(x *box) string { return said(x.Bind(x.tcp(), x.at("192.0.2.255", 0))) }, "ok"},
	{"bind: UDP, a broadcast address", only4, func(x *box) string { return said(x.Bind(x.udp(), x.at("255.255.255.255", 0))) }, "ok"},
	{"bind: TCP, a group", only4, func(x *box) string { return said(x.Bind(x.tcp(), x.at("224.0.0.9", 0))) }, "ok"},
	{"bind: TCP, an IPv6 group", only6, func(x *box) string { return said(x.Bind(x.tcp(), x.at("ff02::9", 0))) }, "EINVAL"},
	{"bind: UDP, a group", only4, func(x *box) string { return said(x.Bind(x.udp(), x.at("224.0.0.9", 0))) }, "ok"},
	{"bind: UDP, an IPv6 group", only6, func(x *box) string { return said(x.Bind(x.udp(), x.at("ff05::9", 0))) }, "ok"},
	{"bind: UDP, an IPv6 group of the link without a scope", only6, func(x *box) string { return said(x.Bind(x.udp(), x.at("ff02::9", 0))) }, "EINVAL"},
	{"bind: link-local without a scope", only6, func(x *box) string { return said(x.Bind(x.tcp(), x.at("fe80::1", 0))) }, "EINVAL"},
	{"bind: link-local with a scope that is not there", only6, func(x *box) string {
		sa := x.at("fe80::1", 0)
		sa.ScopeID = 99
		return said(x.Bind(x.tcp(), sa))
	}, "ENODEV"},
	{"bind: mapped with IPV6_V6ONLY", onlyM, func(x *box) string {
		fd := x.tcp()
		x.must("setsockopt", x.set(fd, SOL_IPV6, IPV6_V6ONLY, 1))
		return said(x.Bind(fd, x.lo(0)))
	}, "EINVAL"},
	{"bind: TCP port in use", all, func(x *box) string { _, sa := x.bound(x.tcp()); return said(x.Bind(x.tcp(), sa)) }, "EADDRINUSE"},
	{"bind: UDP port in use", all, func(x *box) string { _, sa := x.bound(x.udp()); return said(x.Bind(x.udp(), sa)) }, "EADDRINUSE"},
	{"bind: TCP port in use by any", all, func(x *box) string {
		p := x.fresh()
		x.must("bind", x.Bind(x.tcp(), x.any(p)))
		return said(x.Bind(x.tcp(), x.lo(p)))
	}, "EADDRINUSE"},
	{"bind: UDP, any where one is in use", all, func(x *box) string {
		p := x.fresh()
		x.must("bind", x.Bind(x.udp(), x.lo(p)))
		return said(x.Bind(x.udp(), x.any(p)))
	}, "EADDRINUSE"},
	{"bind: both protocols on a port", all, func(x *box) string {
		p := x.fresh()
		x.must("bind", x.Bind(x.tcp(), x.lo(p)))
		return said(x.Bind(x.udp(), x.lo(p)))
	}, "ok"},
	{"bind: other address, same port", only4, func(x *box) string {
		p := x.fresh()
		x.must("bind", x.Bind(x.tcp(), x.at("127.0.0.2", p)))
		return said(x.Bind(x.tcp(), x.lo(p)))
	}, "ok"},
	{"bind: IPv6's any takes IPv4's too", only6, func(x *box) string {
		p := x.fresh()
		x.must("bind", x.Bind(x.tcp(), x.any(p)))
		fd, _ := x.Socket(AF_INET, SOCK_STREAM, 0)
		return said(x.Bind(fd, x.at("127.0.0.1", p)))
	}, "EADDRINUSE"},
	{"bind: IPv6's any leaves IPv4's with IPV6_V6ONLY", only6, func(x *box) string {
		p, fd := x.fresh(), x.tcp()
		x.must("setsockopt", x.set(fd, SOL_IPV6, IPV6_V6ONLY, 1))
		x.must("bind", x.Bind(fd, x.any(p)))
		fd, _ = x.Socket(AF_INET, SOCK_STREAM, 0)
		return said(x.Bind(fd, x.at("127.0.0.1", p)))
	}, "ok"},
	{"bind: TCP, one with SO_REUSEADDR", all, func(x *box) string {
		p, a, b := x.fresh(), x.tcp(), x.tcp()
		x.must("setsockopt", x.set(a, SOL_SOCKET, SO_REUSEADDR, 1))
		x.must("bind", x.Bind(a, x.lo(p)))
		return said(x.Bind(b, x.lo(p)))
	}, "EADDRINUSE"},
	{"bind: TCP, two with SO_REUSEADDR", all, func(x *box) string { return x.reused(SOCK_STREAM, SO_REUSEADDR, false) }, "ok"},
	{"bind: TCP, two with SO_REUSEADDR of which one listens", all, func(x *box) string { return x.reused(SOCK_STREAM, SO_REUSEADDR, true) }, "EADDRINUSE"},
	{"bind: TCP, two with SO_REUSEPORT", all, func(x *box) string { return x.reused(SOCK_STREAM, SO_REUSEPORT, false) }, "ok"},
	{"bind: TCP, two with SO_REUSEPORT of which one listens", all, func(x *box) string { return x.reused(SOCK_STREAM, SO_REUSEPORT, true) }, "ok"},
	{"bind: UDP, two with SO_REUSEADDR", all, func(x *box) string { return x.reused(SOCK_DGRAM, SO_REUSEADDR, false) }, "ok"},
	{"bind: UDP, two with SO_REUSEPORT", all, func(x *box) string { return x.reused(SOCK_DGRAM, SO_REUSEPORT, false) }, "ok"},
	{"bind: a connected socket", all, func(x *box) string { a, _ := x.pair(); return said(x.Bind(a, x.lo(0))) }, "EINVAL"},
	{"bind: a listener", all, func(x *box) string { l, _ := x.listener(1); return said(x.Bind(l, x.lo(0))) }, "EINVAL"},
	{"bind: a UDP socket that has sent", all, func(x *box) string {
		fd := x.udp()
		x.SendTo(fd, []byte("x"), 0, x.lo(x.fresh()))
		return said(x.Bind(fd, x.lo(0)))
	}, "EINVAL"},
	{"getsockname: fresh", all, func(x *box) string { return x.local(x.tcp()) }, "any:0"},
	{"getsockname: fresh UDP", all, func(x *box) string { return x.local(x.udp()) }, "any:0"},
	{"getsockname: bound to any", all, func(x *box) string {
		fd := x.tcp()
		x.must("bind", x.Bind(fd, x.any(0)))
		return x.local(fd)
	}, "any:port"},
	{"getsockname: bound", all, func(x *box) string { fd, _ := x.bound(x.udp()); return x.local(fd) }, "lo:port"},
	{"getsockname: connected", all, func(x *box) string { a, b := x.pair(); return x.local(a) + " " + x.local(b) }, "lo:port lo:port"},
	{"getsockname: UDP bound to any and connected", all, func(x *box) string {
		fd := x.udp()
		x.must("bind", x.Bind(fd, x.any(0)))
		x.must("connect", x.Connect(fd, x.lo(x.fresh())))
		s := x.local(fd)
		x.must("disconnect", x.Connect(fd, &Sockaddr{}))
		return s + " " + x.local(fd)
	}, "lo:port any:0"},
	{"getsockname: UDP bound and connected", all, func(x *box) string {
		fd, _ := x.bound(x.udp())
		x.must("connect", x.Connect(fd, x.lo(x.fresh())))
		x.must("disconnect", x.Connect(fd, &Sockaddr{}))
		s := x.local(fd)
		_, err := x.SendTo(fd, []byte("x"), 0, x.lo(x.fresh()))
		x.must("sendto", err)
		return s + " " + x.local(fd) + " " + said(x.Bind(fd, x.lo(0)))
	}, "lo:0 lo:port EINVAL"},
	{"getsockname: UDP bound again once disconnected", all, func(x *box) string {
		fd, _ := x.bound(x.udp())
		x.must("connect", x.Connect(fd, x.lo(x.fresh())))
		x.must("disconnect", x.Connect(fd, &Sockaddr{}))
		return said(x.Bind(fd, x.any(x.fresh()))) + " " + x.local(fd)
	}, "ok any:port"},
	{"getsockname: UDP connected and disconnected", all, func(x *box) string {
		fd := x.udp()
		x.must("connect", x.Connect(fd, x.lo(x.fresh())))
		x.must("disconnect", x.Connect(fd, &Sockaddr{}))
		return x.local(fd)
	}, "any:0"},
	{"getsockname: no socket", only4, func(x *box) string { ep, _ := x.EpollCreate(0); return x.local(ep) }, "ENOTSOCK"},
	{"getsockname: bad descriptor", only4, func(x *box) string { return x.local(-1) }, "EBADF"},
	{"getpeername: fresh TCP", all, func(x *box) string { return x.remote(x.tcp()) }, "ENOTCONN"},
	{"getpeername: fresh UDP", all, func(x *box) string { return x.remote(x.udp()) }, "ENOTCONN"},
	{"getpeername: listener", all, func(x *box) string { l, _ := x.listener(1); return x.remote(l) }, "ENOTCONN"},
	{"getpeername: connected", all, func(x *box) string { a, b := x.pair(); return x.remote(a) + " " + x.remote(b) }, "lo:port lo:port"},
	{"getpeername: in SYN-SENT", all, func(x *box) string { fd := x.nonblock(); x.Connect(fd, x.out(9)); return x.remote(fd) }, "ENOTCONN"},
	{"getpeername: after a reset", all, func(x *box) string {
		a, b := x.pair()
		x.abort(b)
		return x.remote(a)
	}, "ENOTCONN"},
	{"getpeername: after the peer has closed", all, func(x *box) string {
		a, b := x.pair()
		x.must("close", x.CloseFD(b))
		x.settle()
		return x.remote(a)
	}, "lo:port"},
	{"getpeername: after both have", all, func(x *box) string {
		a, b := x.pair()
		x.must("shutdown", x.Shutdown(b, SHUT_WR))
		x.must("shutdown", x.Shutdown(a, SHUT_WR))
		x.settle()
		return x.remote(a) + " " + x.remote(b)
	}, "ENOTCONN ENOTCONN"},
	{"getpeername: UDP, connected", all, func(x *box) string { a, _ := x.udpPair(); return x.remote(a) }, "lo:port"},
	{"getpeername: UDP, disconnected", all, func(x *box) string {
		a, _ := x.udpPair()
		x.must("connect", x.Connect(a, &Sockaddr{}))
		return x.remote(a)
	}, "ENOTCONN"},
}

// reused binds two sockets with an option to one port.
func (x *box) reused(typ, option int, listen bool) string {
	p, a, b := x.fresh(), x.socket(typ), x.socket(typ)
	x.must("setsockopt", x.set(a, SOL_SOCKET, option, 1))
	x.must("setsockopt", x.set(b, SOL_SOCKET, option, 1))
	x.must("bind", x.Bind(a, x.lo(p)))
	if listen {
		x.must("listen", x.Listen(a, 1))
	}
	return said(x.Bind(b, x.lo(p)))
}

// end names an address; what the port is, as far as it is chosen, is no matter.
func end(sa *Sockaddr, err error) string {
	if err != nil {
		return said(err)
	}
	port := "port"
	if sa.Port == 0 {
		port = "0"
	}
	host := map[string]string{"127.0.0.1": "lo", "::1": "lo", "::ffff:127.0.0.1": "lo", "0.0.0.0": "any", "::": "any"}[sa.Addr.String()]
	if host == "" {
		host = sa.Addr.String()
	}
	return host + ":" + port
}

func (x *box) local(fd int) string  { return end(x.Getsockname(fd)) }
func (x *box) remote(fd int) string { return end(x.Getpeername(fd)) }

// abort closes with a reset.
func (x *box) abort(fd int) {
	x.must("setsockopt", x.Setsockopt(fd, SOL_SOCKET, SO_LINGER, appendInt(appendInt(nil, 1), 0)))
	x.must("close", x.CloseFD(fd))
	x.settle()
}

var connectRows = []row{
	{"connect: no address", only4, func(x *box) string { return said(x.Connect(x.tcp(), nil)) }, "EFAULT"},
	{"connect: bad descriptor", only4, func(x *box) string { return said(x.Connect(77, x.lo(1))) }, "EBADF"},
	{"connect: no socket", only4, func(x *box) string { ep, _ := x.EpollCreate(0); return said(x.Connect(ep, x.lo(1))) }, "ENOTSOCK"},
	{"connect: too short", both, func(x *box) string { return said(x.Connect(x.tcp(), withLen(x.lo(1), 8))) }, "EINVAL"},
	{"connect: UDP, too short", both, func(x *box) string { return said(x.Connect(x.udp(), withLen(x.lo(1), 8))) }, "EINVAL"},
	{"connect: one octet", both, func(x *box) string { return said(x.Connect(x.tcp(), withLen(x.lo(1), 1))) }, "EINVAL"},
	{"connect: too long", both, func(x *box) string { return said(x.Connect(x.tcp(), withLen(x.lo(1), 200))) }, "EINVAL"},
	{"connect: the other family", only4, func(x *box) string { return said(x.Connect(x.tcp(), x.at("::1", 1))) }, "EAFNOSUPPORT"},
	{"connect: UDP, the other family", only4, func(x *box) string { return said(x.Connect(x.udp(), x.at("::1", 1))) }, "EAFNOSUPPORT"},
	{"connect: AF_INET on AF_INET6", only6, func(x *box) string { return said(x.Connect(x.tcp(), withLen(x.at("127.0.0.1", 1), 28))) }, "EAFNOSUPPORT"},
	{"connect: UDP, AF_INET on AF_INET6", only6, func(x *box) string { return said(x.Connect(x.udp(), x.at("127.0.0.1", 1))) }, "ok"},
	{"connect: an unknown family", both, func(x *box) string { return said(x.Connect(x.tcp(), withFamily(x.lo(1), 77))) }, "EAFNOSUPPORT"},
	{"connect: refused", all, func(x *box) string { return said(x.Connect(x.tcp(), x.lo(x.fresh()))) }, "ECONNREFUSED"},
	{"connect: refused, and again", all, func(x *box) string {
		fd, p := x.tcp(), x.fresh()
		x.Connect(fd, x.lo(p))
		return said(x.Connect(fd, x.lo(p)))
	}, "ECONNREFUSED"},
	{"connect: refused, then accepted", all, func(x *box) string {
		fd := x.tcp()
		x.Connect(fd, x.lo(x.fresh()))
		_, sa := x.listener(1)
		return said(x.Connect(fd, sa))
	}, "ok"},
	{"connect: refused, not waited for", all, func(x *box) string {
		fd, p := x.nonblock(), x.fresh()
		a := said(x.Connect(fd, x.lo(p)))
		x.settle()
		return a + " " + x.polled(fd) + " " + x.get(fd, SOL_SOCKET, SO_ERROR) + " " + x.get(fd, SOL_SOCKET, SO_ERROR) + " " + said(x.Connect(fd, x.lo(p)))
	}, "EINPROGRESS IN|OUT|ERR|HUP|rdnorm|wrnorm|RDHUP 111 0 ECONNABORTED"},
	{"connect: refused, asked again", all, func(x *box) string {
		fd, p := x.nonblock(), x.fresh()
		x.Connect(fd, x.lo(p))
		x.settle()
		return said(x.Connect(fd, x.lo(p))) + " " + said(x.Connect(fd, x.lo(p)))
	}, "ECONNREFUSED EINPROGRESS"},
	{"connect: done, asked again", all, func(x *box) string {
		_, sa := x.listener(1)
		fd := x.nonblock()
		a := said(x.Connect(fd, sa))
		x.settle()
		return a + " " + said(x.Connect(fd, sa)) + " " + said(x.Connect(fd, sa))
	}, "EINPROGRESS ok EISCONN"},
	{"connect: under way", all, func(x *box) string {
		fd := x.nonblock()
		return said(x.Connect(fd, x.out(9))) + " " + said(x.Connect(fd, x.out(9)))
	}, "EINPROGRESS EALREADY"},
	{"connect: under way, given up", all, func(x *box) string {
		fd := x.nonblock()
		x.Connect(fd, x.out(9))
		a := said(x.Connect(fd, &Sockaddr{}))
		return a + " " + x.polled(fd) + " " + x.get(fd, SOL_SOCKET, SO_ERROR) + " " + x.local(fd)
	}, "ok OUT|ERR|HUP|wrnorm 104 any:port"},
	{"connect: waits no longer than SO_SNDTIMEO", all, func(x *box) string {
		fd := x.tcp()
		x.must("setsockopt", x.Setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, appendTimeval(nil, Timeval{0, 20000})))
		return said(x.Connect(fd, x.out(9))) + " " + said(x.Connect(fd, x.out(9)))
	}, "EINPROGRESS EALREADY"},
	{"connect: a connected socket", all, func(x *box) string { a, _ := x.pair(); return said(x.Connect(a, x.lo(1))) }, "EISCONN"},
	{"connect: an accepted socket", all, func(x *box) string { _, b := x.pair(); return said(x.Connect(b, x.lo(1))) }, "EISCONN"},
	{"connect: a listener", all, func(x *box) string { l, _ := x.listener(1); return said(x.Connect(l, x.lo(1))) }, "EISCONN"},
	{"connect: after a reset", all, func(x *box) string {
		a, b := x.pair()
		x.abort(b)
		return said(x.Connect(a, x.lo(x.fresh())))
	}, "EISCONN"},
	{"connect: after AF_UNSPEC", all, func(x *box) string {
		a, b := x.pair()
		x.must("disconnect", x.Connect(a, &Sockaddr{}))
		x.settle()
		_, sa := x.listener(1)
		return x.polled(b) + " " + x.get(a, SOL_SOCKET, SO_ERROR) + " " + said(x.Connect(a, sa)) + " " + x.local(a)
	}, "IN|OUT|ERR|HUP|rdnorm|wrnorm|RDHUP 104 EINPROGRESS lo:port"},
	{"connect: AF_UNSPEC on a fresh socket", all, func(x *box) string { return said(x.Connect(x.tcp(), &Sockaddr{})) }, "ok"},
	{"connect: AF_UNSPEC on a fresh UDP socket", all, func(x *box) string { return said(x.Connect(x.udp(), &Sockaddr{})) }, "ok"},
	{"connect: AF_UNSPEC on a listener", all, func(x *box) string {
		l, sa := x.listener(1)
		a := said(x.Connect(l, &Sockaddr{}))
		return a + " " + said(x.Connect(x.tcp(), sa)) + " " + said(x.Listen(l, 1))
	}, "ok ECONNREFUSED ok"},
	{"connect: no route", all, func(x *box) string { return said(x.Connect(x.tcp(), x.gone(1))) }, "ENETUNREACH"},
	{"connect: UDP, no route", all, func(x *box) string { return said(x.Connect(x.udp(), x.gone(1))) }, "ENETUNREACH"},
	{"connect: TCP to a group", only4, func(x *box) string { return said(x.Connect(x.tcp(), x.at("224.0.0.9", 1))) }, "ENETUNREACH"},
	{"connect: TCP to an IPv6 group", only6, func(x *box) string { return said(x.Connect(x.tcp(), x.at("ff05::9", 1))) }, "ENETUNREACH"},
	{"connect: TCP to a broadcast address", only4, func(x *box) string { return said(x.Connect(x.tcp(), x.at("192.0.2.255", 1))) }, "ENETUNREACH"},
	{"connect: UDP to a broadcast address", only4, func(x *box) string { return said(x.Connect(x.udp(), x.at("192.0.2.255", 1))) }, "EACCES"},
	{"connect: UDP to a broadcast address with SO_BROADCAST", only4, func(x *box) string {
		fd := x.udp()
		x.must("setsockopt", x.set(fd, SOL_SOCKET, SO_BROADCAST, 1))
		return said(x.Connect(fd, x.at("192.0.2.255", 1)))
	}, "ok"},
	{"connect: link-local without a scope", only6, func(x *box) string { return said(x.Connect(x.tcp(), x.at("fe80::9", 1))) }, "EINVAL"},
	{"connect: mapped with IPV6_V6ONLY", onlyM, func(x *box) string {
		fd := x.tcp()
		x.must("setsockopt", x.set(fd, SOL_IPV6, IPV6_V6ONLY, 1))
		return said(x.Connect(fd, x.lo(1)))
	}, "ENETUNREACH"},
	{"connect: UDP, mapped with IPV6_V6ONLY", onlyM, func(x *box) string {
		fd := x.udp()
		x.must("setsockopt", x.set(fd, SOL_IPV6, IPV6_V6ONLY, 1))
		return said(x.Connect(fd, x.lo(1)))
	}, "ENETUNREACH"},
	{"connect: any is this host", both, func(x *box) string {
		_, sa := x.listener(1)
		fd := x.tcp()
		return said(x.Connect(fd, x.any(sa.Port))) + " " + x.remote(fd)
	}, "ok lo:port"},
	{"connect: UDP, any is this host", both, func(x *box) string {
		fd := x.udp()
		return said(x.Connect(fd, x.any(9))) + " " + x.remote(fd)
	}, "ok lo:port"},
	{"connect: port 0", all, func(x *box) string { return said(x.Connect(x.tcp(), x.lo(0))) }, "ECONNREFUSED"},
	{"connect: UDP, port 0", all, func(x *box) string { fd := x.udp(); return said(x.Connect(fd, x.lo(0))) + " " + x.remote(fd) }, "ok ENOTCONN"},
	{"connect: from a bound port", all, func(x *box) string {
		_, to := x.listener(1)
		fd, from := x.bound(x.tcp())
		x.must("connect", x.Connect(fd, to))
		sa, err := x.Getsockname(fd)
		return fmt.Sprint(err == nil && *sa == *from)
	}, "true"},
	{"connect: twice from one port to one end", all, func(x *box) string {
		_, to := x.listener(2)
		p, a, b := x.fresh(), x.tcp(), x.tcp()
		x.must("setsockopt", x.set(a, SOL_SOCKET, SO_REUSEADDR, 1))
		x.must("setsockopt", x.set(b, SOL_SOCKET, SO_REUSEADDR, 1))
		x.must("bind", x.Bind(a, x.lo(p)))
		x.must("bind", x.Bind(b, x.lo(p)))
		x.must("connect", x.Connect(a, to))
		return said(x.Connect(b, to))
	}, "EADDRNOTAVAIL"},
	{"connect: after shutdown in SYN-SENT", all, func(x *box) string {
		fd := x.nonblock()
		x.Connect(fd, x.out(9))
		a := said(x.Shutdown(fd, SHUT_WR))
		return a + " " + x.polled(fd) + " " + x.get(fd, SOL_SOCKET, SO_ERROR) + " " + said(x.Connect(fd, x.lo(x.fresh())))
	}, "ok OUT|ERR|HUP|wrnorm 104 EINPROGRESS"},
}
