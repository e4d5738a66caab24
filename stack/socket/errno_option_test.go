package socket

import "fmt"

// defaults is what an option is at first.
func defaults(typ, level int, names ...int) func(*box) string {
	return func(x *box) string {
		s := ""
		for _, n := range names {
			s += x.get(x.socket(typ), level, n) + " "
		}
		return s
	}
}

// setting is what comes of setting an option to values in turn, and what it is then.
func setting(typ, level, name int, values ...int) func(*box) string {
	return func(x *box) string {
		s, fd := "", x.socket(typ)
		for _, v := range values {
			s += said(x.set(fd, level, name, v)) + "=" + x.get(fd, level, name) + " "
		}
		return s
	}
}

// octets is what comes of setting an option to so many octets of ones, and of getting so many.
func octets(typ, level, name int, lengths ...int) func(*box) string {
	return func(x *box) string {
		s, fd := "", x.socket(typ)
		for _, n := range lengths {
			b := make([]byte, n)
			for i := 0; i < n; i += 4 {
				b[i] = 1
			}
			s += said(x.Setsockopt(fd, level, name, b)) + ","
			s += number(x.Getsockopt(fd, level, name, b)) + " "
		}
		return s
	}
}

// group is a struct ip_mreqn or ipv6_mreq for the row's family.
func (x *box) group(a string, ifc int) []byte {
	sa := x.at(a, 0)
	if sa.Family == AF_INET6 {
		g := sa.Addr.As16()
		return appendInt(g[:], ifc)
	}
	g := sa.Addr.As4()
	return appendInt(append(g[:], 0, 0, 0, 0), ifc)
}

func unknownLevel(x *box) string {
	fd := x.tcp()
	return said(x.set(fd, 99, 1, 1)) + " " + x.get(fd, 99, 1)
}

func tcpOnUDP(x *box) string {
	fd := x.udp()
	return said(x.set(fd, SOL_TCP, TCP_NODELAY, 1)) + " " + x.get(fd, SOL_TCP, TCP_NODELAY) + " " + number(x.Getsockopt(fd, SOL_TCP, TCP_INFO, make([]byte, 9)))
}

var optionRows = []row{
	{"setsockopt: bad descriptor", only4, func(x *box) string { return said(x.set(1234, SOL_SOCKET, SO_KEEPALIVE, 1)) }, "EBADF"},
	{"getsockopt: bad descriptor", only4, func(x *box) string { return x.get(-1, SOL_SOCKET, SO_KEEPALIVE) }, "EBADF"},
	{"setsockopt: no socket", only4, func(x *box) string {
		ep, _ := x.EpollCreate(0)
		return said(x.set(ep, SOL_SOCKET, SO_KEEPALIVE, 1)) + x.get(ep, SOL_SOCKET, SO_TYPE)
	}, "ENOTSOCKENOTSOCK"},
	{"setsockopt: unknown options", all, func(x *box) string {
		s := ""
		for _, l := range []int{SOL_SOCKET, SOL_TCP, SOL_IP} {
			fd := x.tcp()
			s += said(x.set(fd, l, 999, 1)) + x.get(fd, l, 999) + " "
		}
		return s
	}, "ENOPROTOOPTENOPROTOOPT ENOPROTOOPTENOPROTOOPT ENOPROTOOPTENOPROTOOPT "},
	{"setsockopt: unknown options of UDP", all, func(x *box) string {
		s := ""
		for _, l := range []int{SOL_SOCKET, SOL_UDP, SOL_IP} {
			fd := x.udp()
			s += said(x.set(fd, l, 999, 1)) + x.get(fd, l, 999) + " "
		}
		return s
	}, "ENOPROTOOPTENOPROTOOPT ENOPROTOOPTENOPROTOOPT ENOPROTOOPTENOPROTOOPT "},
	{"setsockopt: unknown options over IPv6", only6, func(x *box) string {
		fd := x.tcp()
		return said(x.set(fd, SOL_IPV6, 999, 1)) + x.get(fd, SOL_IPV6, 999)
	}, "ENOPROTOOPTENOPROTOOPT"},
	{"setsockopt: unknown level", only4, unknownLevel, "ENOPROTOOPT EOPNOTSUPP"},
	{"setsockopt: unknown level over IPv6", []int{6, 46}, unknownLevel, "ENOPROTOOPT ENOPROTOOPT"},
	{"setsockopt: TCP's on UDP", only4, tcpOnUDP, "ENOPROTOOPT EOPNOTSUPP EOPNOTSUPP"},
	{"setsockopt: TCP's on UDP over IPv6", []int{6, 46}, tcpOnUDP, "ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT"},
	{"setsockopt: UDP's on TCP", all, func(x *box) string { return said(x.set(x.tcp(), SOL_UDP, UDP_CORK, 1)) }, "ENOPROTOOPT"},
	{"setsockopt: IPv6's on IPv4", only4, func(x *box) string {
		fd := x.tcp()
		return said(x.set(fd, SOL_IPV6, IPV6_V6ONLY, 1)) + x.get(fd, SOL_IPV6, IPV6_V6ONLY)
	}, "ENOPROTOOPTEOPNOTSUPP"},
	{"setsockopt: IPv4's on IPv6", only6, func(x *box) string {
		fd := x.tcp()
		return said(x.set(fd, SOL_IP, IP_TTL, 5)) + x.get(fd, SOL_IP, IP_TTL)
	}, "ok5"},
	{"setsockopt: what can only be asked", all, func(x *box) string {
		s, fd := "", x.tcp()
		for _, o := range []int{SO_TYPE, SO_ERROR, SO_ACCEPTCONN, SO_DOMAIN, SO_PROTOCOL, SO_SNDLOWAT} {
			s += said(x.set(fd, SOL_SOCKET, o, 1)) + " "
		}
		return s
	}, "ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT "},
	{"setsockopt: too short", all, func(x *box) string {
		s, fd := "", x.tcp()
		for _, o := range []int{SO_REUSEADDR, SO_KEEPALIVE, SO_RCVBUF, SO_LINGER, SO_RCVTIMEO, 999} {
			s += said(x.Setsockopt(fd, SOL_SOCKET, o, []byte{1, 0, 0})) + " "
		}
		for _, o := range []int{TCP_NODELAY, TCP_KEEPIDLE, TCP_MAXSEG, TCP_USER_TIMEOUT, 999} {
			s += said(x.Setsockopt(fd, SOL_TCP, o, []byte{1, 0, 0})) + " "
		}
		return s
	}, "EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL "},
	{"getsockopt: less room than an int", all, func(x *box) string {
		fd := x.tcp()
		x.must("setsockopt", x.set(fd, SOL_SOCKET, SO_KEEPALIVE, 1))
		b := make([]byte, 2)
		n, err := x.Getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, b)
		return number(n, err) + fmt.Sprint(b) + number(x.Getsockopt(fd, SOL_TCP, TCP_NODELAY, b)) + number(x.Getsockopt(fd, SOL_SOCKET, SO_LINGER, b)) + number(x.Getsockopt(fd, SOL_SOCKET, SO_TYPE, nil))
	}, "2[1 0]220"},
	{"getsockopt: IP_TTL in one octet", only4, func(x *box) string {
		b := make([]byte, 3)
		n, err := x.Getsockopt(x.tcp(), SOL_IP, IP_TTL, b)
		return number(n, err) + fmt.Sprint(b)
	}, "1[64 0 0]"},

	{"SOL_SOCKET at first, TCP", all, defaults(SOCK_STREAM, SOL_SOCKET, SO_DEBUG, SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_DONTROUTE, SO_BROADCAST, SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE,
		SO_OOBINLINE, SO_NO_CHECK, SO_PRIORITY, SO_BSDCOMPAT, SO_REUSEPORT, SO_RCVLOWAT, SO_SNDLOWAT, SO_ACCEPTCONN, SO_MARK, SO_PROTOCOL, SO_RXQ_OVFL, SO_BINDTOIFINDEX), "0 0 1 0 0 0 16384 131072 0 0 0 0 0 0 1 1 0 0 6 0 0 "},
	{"SOL_SOCKET at first, UDP", all, defaults(SOCK_DGRAM, SOL_SOCKET, SO_DEBUG, SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_DONTROUTE, SO_BROADCAST, SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE,
		SO_OOBINLINE, SO_NO_CHECK, SO_PRIORITY, SO_BSDCOMPAT, SO_REUSEPORT, SO_RCVLOWAT, SO_SNDLOWAT, SO_ACCEPTCONN, SO_MARK, SO_PROTOCOL, SO_RXQ_OVFL, SO_BINDTOIFINDEX), "0 0 2 0 0 0 212992 212992 0 0 0 0 0 0 1 1 0 0 17 0 0 "},
	{"SO_DOMAIN", only4, defaults(SOCK_STREAM, SOL_SOCKET, SO_DOMAIN), "2 "},
	{"SO_DOMAIN over IPv6", only6, defaults(SOCK_DGRAM, SOL_SOCKET, SO_DOMAIN), "10 "},
	{"SO_RCVBUF", all, setting(SOCK_STREAM, SOL_SOCKET, SO_RCVBUF, 0, 1, 10000, 100000), "ok=2304 ok=2304 ok=20000 ok=200000 "},
	{"SO_SNDBUF", all, setting(SOCK_STREAM, SOL_SOCKET, SO_SNDBUF, 0, 1, 10000, 100000), "ok=4608 ok=4608 ok=20000 ok=200000 "},
	{"SO_RCVBUF: more than there may be", all, func(x *box) string {
		a, b := x.tcp(), x.tcp()
		x.must("setsockopt", x.set(a, SOL_SOCKET, SO_RCVBUF, 1<<30))
		x.must("setsockopt", x.set(b, SOL_SOCKET, SO_RCVBUF, -1))
		return fmt.Sprint(x.get(a, SOL_SOCKET, SO_RCVBUF) == x.get(b, SOL_SOCKET, SO_RCVBUF))
	}, "true"},
	{"SO_RCVBUF: UDP", all, setting(SOCK_DGRAM, SOL_SOCKET, SO_RCVBUF, 0, 10000), "ok=2304 ok=20000 "},
	{"SO_RCVBUFFORCE", all, func(x *box) string {
		fd := x.tcp()
		return said(x.set(fd, SOL_SOCKET, SO_RCVBUFFORCE, 9000000)) + x.get(fd, SOL_SOCKET, SO_RCVBUF) + said(x.set(fd, SOL_SOCKET, SO_SNDBUFFORCE, 9000000)) + x.get(fd, SOL_SOCKET, SO_SNDBUF) + x.get(fd, SOL_SOCKET, SO_RCVBUFFORCE)
	}, "ok18000000ok18000000ENOPROTOOPT"},
	{"SO_RCVLOWAT", all, setting(SOCK_STREAM, SOL_SOCKET, SO_RCVLOWAT, 5, 0), "ok=5 ok=1 "},
	{"SO_KEEPALIVE", all, setting(SOCK_STREAM, SOL_SOCKET, SO_KEEPALIVE, 1, 7, 0, -1), "ok=1 ok=1 ok=0 ok=1 "},
	{"SO_REUSEADDR", all, setting(SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR, 1, 7, 0), "ok=1 ok=1 ok=0 "},
	{"SO_REUSEPORT", all, setting(SOCK_DGRAM, SOL_SOCKET, SO_REUSEPORT, 1, 7, 0), "ok=1 ok=1 ok=0 "},
	{"SO_LINGER", all, func(x *box) string {
		s, fd := "", x.tcp()
		for _, v := range [][2]int{{1, 5}, {0, 9}, {7, 0}} {
			b := make([]byte, 8)
			s += said(x.Setsockopt(fd, SOL_SOCKET, SO_LINGER, appendInt(appendInt(nil, v[0]), v[1])))
			n, err := x.Getsockopt(fd, SOL_SOCKET, SO_LINGER, b)
			s += number(n, err) + fmt.Sprint(intOf(b), intOf(b[4:]), " ")
		}
		return s
	}, "ok81 5 ok80 5 ok81 0 "},
	{"SO_RCVTIMEO", all, func(x *box) string {
		s, fd := "", x.tcp()
		for _, v := range []Timeval{{5, 0}, {0, 500000}, {1, 1000000}, {1, -1}, {-1, 0}, {0, 0}} {
			b := make([]byte, 16)
			s += said(x.Setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, appendTimeval(nil, v)))
			n, err := x.Getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, b)
			s += number(n, err) + fmt.Sprint(timevalOf(b), " ")
		}
		return s
	}, "ok16{5 0} ok16{0 500000} EDOM16{0 500000} EDOM16{0 500000} ok16{0 0} ok16{0 0} "},
	{"SO_SNDTIMEO", all, func(x *box) string {
		fd, b := x.udp(), make([]byte, 16)
		x.must("setsockopt", x.Setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, appendTimeval(nil, Timeval{1, 500000})))
		n, err := x.Getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, b)
		return number(n, err) + fmt.Sprint(timevalOf(b))
	}, "16{1 500000}"},
	{"SO_BINDTODEVICE", all, func(x *box) string {
		s, fd, b := "", x.tcp(), make([]byte, 16)
		s += number(x.Getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, b)) + " "
		for _, v := range []string{"lo", "nosuch", "e0\x00", "", "a-name-much-too-long-for-a-device"} {
			s += said(x.Setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, []byte(v)))
			n, err := x.Getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, b)
			s += number(n, err) + cString(b[:max(n, 0)]) + " "
		}
		return s
	}, "0 ok3lo ENODEV3lo ok3e0 ok0 ENODEV0 "},
	{"SO_BINDTODEVICE: no room to tell", all, func(x *box) string {
		fd := x.tcp()
		x.must("setsockopt", x.Setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, []byte("lo")))
		return number(x.Getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, make([]byte, 8)))
	}, "EINVAL"},
	{"SO_BINDTODEVICE: connect by another", all, func(x *box) string {
		_, sa := x.listener(1)
		fd := x.tcp()
		x.must("setsockopt", x.Setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, []byte("lo")))
		return said(x.Connect(fd, sa))
	}, "ok"},
	{"SO_BINDTOIFINDEX", all, func(x *box) string {
		fd := x.tcp()
		return said(x.set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, -1)) + said(x.set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, 99)) + said(x.set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, 1))
	}, "EINVALokok"},
	{"SO_COOKIE: no room", all, func(x *box) string { return number(x.Getsockopt(x.tcp(), SOL_SOCKET, SO_COOKIE, make([]byte, 4))) }, "EINVAL"},

	{"SOL_TCP at first", all, defaults(SOCK_STREAM, SOL_TCP, TCP_NODELAY, TCP_MAXSEG, TCP_CORK, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_LINGER2, TCP_DEFER_ACCEPT, TCP_WINDOW_CLAMP,
		TCP_QUICKACK, TCP_USER_TIMEOUT, TCP_NOTSENT_LOWAT, TCP_INQ), "0 536 0 7200 75 9 60 0 0 1 0 0 0 "},
	{"TCP_NODELAY", all, setting(SOCK_STREAM, SOL_TCP, TCP_NODELAY, 1, 0, 9), "ok=1 ok=0 ok=1 "},
	{"TCP_CORK", all, setting(SOCK_STREAM, SOL_TCP, TCP_CORK, 1, 0, 9), "ok=1 ok=0 ok=1 "},
	{"TCP_MAXSEG", all, setting(SOCK_STREAM, SOL_TCP, TCP_MAXSEG, 87, 88, 1000, 32767, 32768, 0, -1), "EINVAL=536 ok=88 ok=1000 ok=32767 EINVAL=32767 ok=536 EINVAL=536 "},
	{"TCP_KEEPIDLE", all, setting(SOCK_STREAM, SOL_TCP, TCP_KEEPIDLE, 0, 1, 32767, 32768, -1), "EINVAL=7200 ok=1 ok=32767 EINVAL=32767 EINVAL=32767 "},
	{"TCP_KEEPINTVL", all, setting(SOCK_STREAM, SOL_TCP, TCP_KEEPINTVL, 0, 1, 32767, 32768, -1), "EINVAL=75 ok=1 ok=32767 EINVAL=32767 EINVAL=32767 "},
	{"TCP_KEEPCNT", all, setting(SOCK_STREAM, SOL_TCP, TCP_KEEPCNT, 0, 1, 127, 128, -1), "EINVAL=9 ok=1 ok=127 EINVAL=127 EINVAL=127 "},
	{"TCP_SYNCNT", all, setting(SOCK_STREAM, SOL_TCP, TCP_SYNCNT, 1, 127, 128, 0, -1), "ok=1 ok=127 EINVAL=127 EINVAL=127 EINVAL=127 "},
	{"TCP_LINGER2", all, setting(SOCK_STREAM, SOL_TCP, TCP_LINGER2, 5, 120, 121, -1, 0), "ok=5 ok=120 ok=120 ok=-1 ok=60 "},
	{"TCP_DEFER_ACCEPT, long", all, setting(SOCK_STREAM, SOL_TCP, TCP_DEFER_ACCEPT, 300, 100000), "ok=367 ok=29887 "},
	{"TCP_QUICKACK, even", all, setting(SOCK_STREAM, SOL_TCP, TCP_QUICKACK, 0, 2), "ok=0 ok=1 "},
	{"IPV6_DONTFRAG in few octets", only6, octets(SOCK_DGRAM, SOL_IPV6, IPV6_DONTFRAG, 0, 3), "ok,0 ok,3 "},
	{"SO_REUSEADDR of a raw socket", both, func(x *box) string { return x.get(x.raw(253), SOL_SOCKET, SO_REUSEADDR) }, "1"},
	{"TCP_DEFER_ACCEPT", all, setting(SOCK_STREAM, SOL_TCP, TCP_DEFER_ACCEPT, 1, 2, 3, 4, 10, 100, 0, -1), "ok=1 ok=3 ok=3 ok=7 ok=15 ok=127 ok=0 ok=0 "},
	{"TCP_WINDOW_CLAMP", all, setting(SOCK_STREAM, SOL_TCP, TCP_WINDOW_CLAMP, 1, 5000, 0), "ok=1152 ok=5000 ok=0 "},
	{"TCP_WINDOW_CLAMP: none on a connection", all, func(x *box) string { a, _ := x.pair(); return said(x.set(a, SOL_TCP, TCP_WINDOW_CLAMP, 0)) }, "EINVAL"},
	{"TCP_QUICKACK", all, setting(SOCK_STREAM, SOL_TCP, TCP_QUICKACK, 0, 1), "ok=0 ok=1 "},
	{"TCP_USER_TIMEOUT", all, setting(SOCK_STREAM, SOL_TCP, TCP_USER_TIMEOUT, 1, 0, 100000, -1), "ok=1 ok=0 ok=100000 EINVAL=100000 "},
	{"TCP_NOTSENT_LOWAT", all, setting(SOCK_STREAM, SOL_TCP, TCP_NOTSENT_LOWAT, 1, 0, -1), "ok=1 ok=0 ok=-1 "},
	{"TCP_INQ", all, setting(SOCK_STREAM, SOL_TCP, TCP_INQ, 1, 0, 2), "ok=1 ok=0 EINVAL=0 "},
	{"TCP_CONGESTION", all, func(x *box) string {
		s, fd := "", x.tcp()
		for _, v := range []string{"reno", "no-such", "", "reno\x00"} {
			b := make([]byte, 16)
			s += said(x.Setsockopt(fd, SOL_TCP, TCP_CONGESTION, []byte(v)))
			n, err := x.Getsockopt(fd, SOL_TCP, TCP_CONGESTION, b)
			if v != "no-such" {
				s += number(n, err) + cString(b)
			}
			s += " "
		}
		return s
	}, "ok16reno ENOENT EINVAL16reno ok16reno "},
	{"TCP_CONGESTION: little room", all, func(x *box) string {
		fd, b := x.tcp(), make([]byte, 3)
		x.must("setsockopt", x.Setsockopt(fd, SOL_TCP, TCP_CONGESTION, []byte("reno")))
		n, err := x.Getsockopt(fd, SOL_TCP, TCP_CONGESTION, b)
		return number(n, err) + string(b)
	}, "3ren"},
	{"TCP_INFO: little room", all, func(x *box) string {
		b := make([]byte, 9)
		n, err := x.Getsockopt(x.tcp(), SOL_TCP, TCP_INFO, b)
		return number(n, err) + fmt.Sprint(b[0])
	}, "97"},
	{"TCP_INFO: states", all, func(x *box) string {
		st := func(fd int) string {
			b := make([]byte, 8)
			_, err := x.Getsockopt(fd, SOL_TCP, TCP_INFO, b)
			x.must("TCP_INFO", err)
			return fmt.Sprint(b[0], " ")
		}
		l, _ := x.listener(1)
		n := x.nonblock()
		x.Connect(n, x.out(9))
		s := st(l) + st(n)
		a, b := x.pair()
		s += st(a) + st(b)
		x.must("shutdown", x.Shutdown(a, SHUT_WR))
		x.settle()
		s += st(b) // the other is in FIN-WAIT-1 or FIN-WAIT-2, as soon as the FIN is acknowledged
		x.must("shutdown", x.Shutdown(b, SHUT_WR))
		x.settle()
		return s + st(a) + st(b)
	}, "10 2 1 1 8 7 7 "},

	{"SOL_IP at first, TCP", only4, defaults(SOCK_STREAM, SOL_IP, IP_TOS, IP_TTL, IP_MTU_DISCOVER, IP_RECVERR, IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_MTU, IP_MULTICAST_TTL, IP_MULTICAST_LOOP,
		IP_MULTICAST_ALL, IP_HDRINCL, IP_RECVORIGDSTADDR, IP_BIND_ADDRESS_NO_PORT), "0 64 1 0 0 0 0 ENOTCONN 1 1 1 0 0 0 "},
	{"SOL_IP at first, TCP over IPv6", []int{6, 46}, defaults(SOCK_STREAM, SOL_IP, IP_TOS, IP_TTL, IP_MTU_DISCOVER, IP_RECVERR, IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_MTU, IP_MULTICAST_TTL, IP_MULTICAST_LOOP,
		IP_MULTICAST_ALL, IP_HDRINCL, IP_RECVORIGDSTADDR, IP_BIND_ADDRESS_NO_PORT), "0 64 1 0 0 0 0 ENOTCONN 1 1 0 0 0 0 "},
	{"SOL_IP at first, UDP", only4, defaults(SOCK_DGRAM, SOL_IP, IP_TOS, IP_TTL, IP_MTU_DISCOVER, IP_RECVERR, IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_MTU, IP_MULTICAST_TTL, IP_MULTICAST_LOOP,
		IP_MULTICAST_ALL, IP_HDRINCL, IP_RECVORIGDSTADDR), "0 64 1 0 0 0 0 ENOTCONN 1 1 1 0 0 "},
	{"SOL_IP at first, UDP over IPv6", []int{6, 46}, defaults(SOCK_DGRAM, SOL_IP, IP_TOS, IP_TTL, IP_MTU_DISCOVER, IP_RECVERR, IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_MTU, IP_MULTICAST_TTL, IP_MULTICAST_LOOP,
		IP_MULTICAST_ALL, IP_HDRINCL, IP_RECVORIGDSTADDR), "0 64 1 0 0 0 0 ENOTCONN 1 1 0 0 0 "},
	{"IP_TTL", all, setting(SOCK_DGRAM, SOL_IP, IP_TTL, 0, 1, 255, 256, -1, -2), "EINVAL=64 ok=1 ok=255 EINVAL=255 ok=64 EINVAL=64 "},
	{"IP_TTL: by length", only4, octets(SOCK_DGRAM, SOL_IP, IP_TTL, 0, 1, 2, 4, 8), "EINVAL,0 ok,1 ok,1 ok,4 ok,4 "},
	{"IP_TOS: UDP", all, setting(SOCK_DGRAM, SOL_IP, IP_TOS, 0x10, 0x13, 256, -1), "ok=16 ok=19 ok=0 ok=255 "},
	{"IP_TOS: TCP", all, setting(SOCK_STREAM, SOL_IP, IP_TOS, 0x10, 0x13, 256, -1), "ok=16 ok=16 ok=0 ok=252 "},
	{"IP_TOS: by length", only4, octets(SOCK_DGRAM, SOL_IP, IP_TOS, 0, 1, 4), "ok,0 ok,1 ok,4 "},
	{"IP_MTU_DISCOVER", all, setting(SOCK_DGRAM, SOL_IP, IP_MTU_DISCOVER, 0, 1, 2, 3, 4, 5, 6, -1), "ok=0 ok=1 ok=2 ok=3 ok=4 ok=5 EINVAL=5 EINVAL=5 "},
	{"IP_MTU: connected", only4, func(x *box) string {
		fd := x.udp()
		x.must("connect", x.Connect(fd, x.out(9)))
		a, _ := x.pair()
		return x.get(fd, SOL_IP, IP_MTU) + " " + x.get(a, SOL_IP, IP_MTU)
	}, "1500 65535"},
	{"IPV6_MTU: connected", only6, func(x *box) string {
		fd := x.udp()
		x.must("connect", x.Connect(fd, x.out(9)))
		return x.get(fd, SOL_IPV6, IPV6_MTU)
	}, "1500"},
	{"IP_RECVERR", all, setting(SOCK_DGRAM, SOL_IP, IP_RECVERR, 1, 7, 0), "ok=1 ok=1 ok=0 "},
	{"IP_PKTINFO", all, setting(SOCK_DGRAM, SOL_IP, IP_PKTINFO, 1, 7, 0), "ok=1 ok=1 ok=0 "},
	{"IP_RECVTTL: by length", only4, octets(SOCK_DGRAM, SOL_IP, IP_RECVTTL, 0, 1, 4), "ok,0 ok,1 ok,4 "},
	{"IP_MULTICAST_TTL", all, setting(SOCK_DGRAM, SOL_IP, IP_MULTICAST_TTL, 0, 255, 256, -1, -2), "ok=0 ok=255 EINVAL=255 ok=1 EINVAL=1 "},
	{"IP_MULTICAST_TTL: TCP", all, setting(SOCK_STREAM, SOL_IP, IP_MULTICAST_TTL, 5), "EINVAL=1 "},
	{"IP_MULTICAST_LOOP", all, setting(SOCK_DGRAM, SOL_IP, IP_MULTICAST_LOOP, 0, 1, 2), "ok=0 ok=1 ok=1 "},
	{"IP_MULTICAST_ALL", all, setting(SOCK_DGRAM, SOL_IP, IP_MULTICAST_ALL, 0, 1, 2), "ok=0 ok=1 EINVAL=1 "},
	{"IP_HDRINCL: UDP", all, setting(SOCK_DGRAM, SOL_IP, IP_HDRINCL, 1), "ENOPROTOOPT=0 "},
	{"IP_MULTICAST_IF", only4, func(x *box) string {
		s, fd, b := "", x.udp(), make([]byte, 4)
		for _, v := range [][]byte{{192, 0, 2, 1}, {192, 0, 2, 9}, {0, 0, 0, 0}, {1, 2}, {0, 0, 0, 0, 192, 0, 2, 1}, {0, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0}} {
			s += said(x.Setsockopt(fd, SOL_IP, IP_MULTICAST_IF, v))
			_, err := x.Getsockopt(fd, SOL_IP, IP_MULTICAST_IF, b)
			s += said(err) + fmt.Sprint(b, " ")
		}
		return s
	}, "okok[192 0 2 1] EADDRNOTAVAILok[192 0 2 1] okok[0 0 0 0] EINVALok[0 0 0 0] okok[192 0 2 1] EADDRNOTAVAILok[192 0 2 1] "},
	{"IP_MULTICAST_IF: TCP", only4, func(x *box) string { return said(x.Setsockopt(x.tcp(), SOL_IP, IP_MULTICAST_IF, make([]byte, 4))) }, "EINVAL"},
	{"IP_ADD_MEMBERSHIP", only4, func(x *box) string {
		s, fd := "", x.udp()
		for _, g := range []string{"224.1.2.3", "224.1.2.3", "10.0.0.1", "224.1.2.4"} {
			s += said(x.Setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, x.group(g, 1))) + " "
		}
		s += said(x.Setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, x.group("224.1.2.3", 99))) + " "
		s += said(x.Setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, make([]byte, 7))) + " "
		for _, g := range []string{"224.1.2.3", "224.1.2.3", "224.9.9.9"} {
			s += said(x.Setsockopt(fd, SOL_IP, IP_DROP_MEMBERSHIP, x.group(g, 1))) + " "
		}
		return s
	}, "ok EADDRINUSE EINVAL ok ENODEV EINVAL ok EADDRNOTAVAIL EADDRNOTAVAIL "},
	{"IP_ADD_MEMBERSHIP: TCP", only4, func(x *box) string {
		return said(x.Setsockopt(x.tcp(), SOL_IP, IP_ADD_MEMBERSHIP, x.group("224.1.2.3", 1)))
	}, "EPROTO"},
	{"IP_ADD_MEMBERSHIP: too many", only4, func(x *box) string {
		fd := x.udp()
		for i := range 30 {
			if err := x.Setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, x.group(fmt.Sprintf("224.1.3.%d", i), 1)); err != nil {
				return fmt.Sprint(i, said(err))
			}
		}
		return "all"
	}, "20ENOBUFS"},
	{"IP_ADD_SOURCE_MEMBERSHIP", only4, func(x *box) string {
		s, fd := "", x.udp()
		req := func(last byte) []byte { return []byte{224, 1, 2, 3, 192, 0, 2, 1, 192, 0, 2, last} }
		for _, o := range []struct {
			name int
			last byte
		}{{IP_ADD_SOURCE_MEMBERSHIP, 7}, {IP_ADD_SOURCE_MEMBERSHIP, 7}, {IP_ADD_SOURCE_MEMBERSHIP, 8}, {IP_BLOCK_SOURCE, 9}, {IP_DROP_SOURCE_MEMBERSHIP, 9}, {IP_DROP_SOURCE_MEMBERSHIP, 7}, {IP_DROP_SOURCE_MEMBERSHIP, 8}, {IP_DROP_SOURCE_MEMBERSHIP, 8}} {
			s += said(x.Setsockopt(fd, SOL_IP, o.name, req(o.last))) + " "
		}
		return s + said(x.Setsockopt(fd, SOL_IP, IP_ADD_SOURCE_MEMBERSHIP, make([]byte, 8)))
	}, "ok EADDRNOTAVAIL ok EINVAL EADDRNOTAVAIL ok ok EINVAL EINVAL"},
	{"IP_BLOCK_SOURCE", only4, func(x *box) string {
		s, fd := "", x.udp()
		req := []byte{224, 1, 2, 3, 192, 0, 2, 1, 192, 0, 2, 7}
		s += said(x.Setsockopt(fd, SOL_IP, IP_BLOCK_SOURCE, req)) + " "
		s += said(x.Setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, req[:8])) + " "
		for _, o := range []int{IP_BLOCK_SOURCE, IP_BLOCK_SOURCE, IP_ADD_SOURCE_MEMBERSHIP, IP_UNBLOCK_SOURCE, IP_UNBLOCK_SOURCE} {
			s += said(x.Setsockopt(fd, SOL_IP, o, req)) + " "
		}
		return s
	}, "EINVAL ok ok EADDRNOTAVAIL EINVAL ok EADDRNOTAVAIL "},
	{"a group that nobody joined", only4, func(x *box) string {
		fd, p := x.udp(), x.fresh()
		x.must("bind", x.Bind(fd, x.any(p)))
		a := x.udp()
		x.must("setsockopt", x.Setsockopt(a, SOL_IP, IP_MULTICAST_IF, []byte{192, 0, 2, 1}))
		s := number(x.SendTo(a, []byte("x"), 0, x.at("224.1.2.3", p)))
		x.settle()
		return s + number(x.recv(fd, 1, 0))
	}, "1EAGAIN"},
	{"a group that was joined", only4, func(x *box) string {
		fd, p := x.udp(), x.fresh()
		x.must("bind", x.Bind(fd, x.any(p)))
		x.must("setsockopt", x.Setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, []byte{224, 1, 2, 3, 192, 0, 2, 1}))
		a := x.udp()
		x.must("setsockopt", x.Setsockopt(a, SOL_IP, IP_MULTICAST_IF, []byte{192, 0, 2, 1}))
		s := number(x.SendTo(a, []byte("x"), 0, x.at("224.1.2.3", p)))
		x.settle()
		s += number(x.recv(fd, 1, 0))
		x.must("setsockopt", x.set(a, SOL_IP, IP_MULTICAST_LOOP, 0))
		s += number(x.SendTo(a, []byte("x"), 0, x.at("224.1.2.3", p)))
		x.settle()
		return s + number(x.recv(fd, 1, 0))
	}, "111EAGAIN"},

	{"SOL_IPV6 at first, TCP", only6, defaults(SOCK_STREAM, SOL_IPV6, IPV6_V6ONLY, IPV6_UNICAST_HOPS, IPV6_MULTICAST_HOPS, IPV6_MULTICAST_LOOP, IPV6_MULTICAST_IF, IPV6_MTU_DISCOVER, IPV6_MTU, IPV6_RECVERR,
		IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS, IPV6_TCLASS, IPV6_DONTFRAG, IPV6_MULTICAST_ALL), "0 64 1 1 0 1 ENOTCONN 0 0 0 0 0 0 1 "},
	{"SOL_IPV6 at first, UDP", only6, defaults(SOCK_DGRAM, SOL_IPV6, IPV6_V6ONLY, IPV6_UNICAST_HOPS, IPV6_MULTICAST_HOPS, IPV6_MULTICAST_LOOP, IPV6_MULTICAST_IF, IPV6_MTU_DISCOVER, IPV6_MTU, IPV6_RECVERR,
		IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS, IPV6_TCLASS, IPV6_DONTFRAG, IPV6_MULTICAST_ALL), "0 64 1 1 0 1 ENOTCONN 0 0 0 0 0 0 1 "},
	{"IP_LOCAL_PORT_RANGE", both, setting(SOCK_STREAM, SOL_IP, IP_LOCAL_PORT_RANGE, 0, 40000, 40001<<16|40000, 3<<16|4, -1), "ok=0 ok=40000 ok=-1673421760 EINVAL=-1673421760 ok=-1 "},
	{"IP_LOCAL_PORT_RANGE: by length", only4, octets(SOCK_DGRAM, SOL_IP, IP_LOCAL_PORT_RANGE, 0, 1, 4), "EINVAL,0 EINVAL,1 ok,4 "},
	{"IP_LOCAL_PORT_RANGE: what is chosen", all, func(x *box) string {
		s := ""
		for _, kind := range []int{SOCK_STREAM, SOCK_DGRAM} {
			for range 3 {
				fd := x.socket(kind)
				x.must("setsockopt", x.set(fd, SOL_IP, IP_LOCAL_PORT_RANGE, 40001<<16|40000))
				s += said(x.Bind(fd, x.lo(0)))
				sa, _ := x.Getsockname(fd)
				s += fmt.Sprint(sa.Port/2) + " "
			}
		}
		return s
	}, "ok20000 ok20000 EADDRINUSE0 ok20000 ok20000 EADDRINUSE0 "},
	{"IP_LOCAL_PORT_RANGE: connect", all, func(x *box) string {
		l, at := x.nonblock(), x.lo(x.fresh()) // none of the two ports
		x.must("bind", x.Bind(l, at))
		x.must("listen", x.Listen(l, 5))
		s := ""
		for range 3 {
			fd := x.tcp()
			x.must("setsockopt", x.set(fd, SOL_IP, IP_LOCAL_PORT_RANGE, 40001<<16|40000))
			s += said(x.Connect(fd, at)) + " "
		}
		return s
	}, "ok ok EADDRNOTAVAIL "},
	{"IPV6_V6ONLY", only6, setting(SOCK_STREAM, SOL_IPV6, IPV6_V6ONLY, 1, 0, 7), "ok=1 ok=0 ok=1 "},
	{"IPV6_V6ONLY: bound", only6, func(x *box) string { fd, _ := x.bound(x.tcp()); return said(x.set(fd, SOL_IPV6, IPV6_V6ONLY, 1)) }, "EINVAL"},
	{"IPV6_V6ONLY: too short", only6, func(x *box) string { return said(x.Setsockopt(x.tcp(), SOL_IPV6, IPV6_V6ONLY, []byte{1})) }, "EINVAL"},
	{"IPV6_UNICAST_HOPS", only6, setting(SOCK_STREAM, SOL_IPV6, IPV6_UNICAST_HOPS, 0, 1, 255, 256, -1, -2), "ok=0 ok=1 ok=255 EINVAL=255 ok=64 EINVAL=64 "},
	{"IPV6_MULTICAST_HOPS", only6, setting(SOCK_DGRAM, SOL_IPV6, IPV6_MULTICAST_HOPS, 0, 255, 256, -1, -2), "ok=0 ok=255 EINVAL=255 ok=1 EINVAL=1 "},
	{"IPV6_MULTICAST_HOPS: TCP", only6, setting(SOCK_STREAM, SOL_IPV6, IPV6_MULTICAST_HOPS, 5), "ENOPROTOOPT=1 "},
	{"IPV6_MULTICAST_LOOP", only6, setting(SOCK_DGRAM, SOL_IPV6, IPV6_MULTICAST_LOOP, 0, 1, 2), "ok=0 ok=1 EINVAL=1 "},
	{"IPV6_MULTICAST_ALL", only6, setting(SOCK_DGRAM, SOL_IPV6, IPV6_MULTICAST_ALL, 0, 1, 2), "ok=0 ok=1 ok=1 "},
	{"IPV6_MULTICAST_IF", only6, setting(SOCK_DGRAM, SOL_IPV6, IPV6_MULTICAST_IF, 1, 99, 0, -1), "ok=1 ENODEV=1 ok=0 ENODEV=0 "},
	{"IPV6_MULTICAST_IF: TCP", only6, setting(SOCK_STREAM, SOL_IPV6, IPV6_MULTICAST_IF, 1), "ENOPROTOOPT=0 "},
	{"IPV6_MTU_DISCOVER", only6, setting(SOCK_DGRAM, SOL_IPV6, IPV6_MTU_DISCOVER, 0, 1, 2, 3, 4, 5, 6, -1), "ok=0 ok=1 ok=2 ok=3 ok=4 ok=5 EINVAL=5 EINVAL=5 "},
	{"IPV6_TCLASS", only6, setting(SOCK_DGRAM, SOL_IPV6, IPV6_TCLASS, 0x13, 255, 256, -1, -2), "ok=19 ok=255 EINVAL=255 ok=0 EINVAL=0 "},
	{"IPV6_TCLASS: TCP", only6, setting(SOCK_STREAM, SOL_IPV6, IPV6_TCLASS, 0x13, 255, -1), "ok=16 ok=252 ok=0 "},
	{"IPV6_RECVERR", only6, setting(SOCK_DGRAM, SOL_IPV6, IPV6_RECVERR, 1, 7, 0), "ok=1 ok=1 ok=0 "},
	{"IPV6_RECVPKTINFO", only6, setting(SOCK_DGRAM, SOL_IPV6, IPV6_RECVPKTINFO, 1, 7, 0), "ok=1 ok=1 ok=0 "},
	{"IPV6_RECVHOPLIMIT: by length", only6, octets(SOCK_DGRAM, SOL_IPV6, IPV6_RECVHOPLIMIT, 0, 1, 4), "EINVAL,0 EINVAL,1 ok,4 "},
	{"IPV6_DONTFRAG", only6, setting(SOCK_DGRAM, SOL_IPV6, IPV6_DONTFRAG, 1, 7, 0), "ok=1 ok=1 ok=0 "},
	{"IPV6_JOIN_GROUP", only6, func(x *box) string {
		s, fd := "", x.udp()
		for _, g := range []string{"ff02::9", "ff02::9", "2001:db8::1", "ff02::8"} {
			s += said(x.Setsockopt(fd, SOL_IPV6, IPV6_JOIN_GROUP, x.group(g, 1))) + " "
		}
		s += said(x.Setsockopt(fd, SOL_IPV6, IPV6_JOIN_GROUP, x.group("ff02::9", 99))) + " "
		s += said(x.Setsockopt(fd, SOL_IPV6, IPV6_JOIN_GROUP, make([]byte, 19))) + " "
		for _, g := range []string{"ff02::9", "ff02::9", "ff02::77"} {
			s += said(x.Setsockopt(fd, SOL_IPV6, IPV6_LEAVE_GROUP, x.group(g, 1))) + " "
		}
		return s
	}, "ok EADDRINUSE EINVAL ok ENODEV EINVAL ok EADDRNOTAVAIL EADDRNOTAVAIL "},
	{"IPV6_JOIN_GROUP: TCP", only6, func(x *box) string {
		return said(x.Setsockopt(x.tcp(), SOL_IPV6, IPV6_JOIN_GROUP, x.group("ff02::9", 1)))
	}, "EPROTO"},
	{"MCAST_JOIN_GROUP", both, func(x *box) string {
		level, a := SOL_IP, "224.5.5.5"
		if x.family == 6 {
			level, a = SOL_IPV6, "ff02::55"
		}
		req := appendInt(appendInt(nil, 1), 0)
		req = append(x.at(a, 0).Append(req), make([]byte, 136)...)[:136]
		fd := x.udp()
		s := said(x.Setsockopt(fd, level, MCAST_JOIN_GROUP, req)) + " " + said(x.Setsockopt(fd, level, MCAST_JOIN_GROUP, req)) + " "
		s += said(x.Setsockopt(fd, level, MCAST_JOIN_GROUP, req[:100])) + " "
		return s + said(x.Setsockopt(fd, level, MCAST_LEAVE_GROUP, req)) + " " + said(x.Setsockopt(fd, level, MCAST_LEAVE_GROUP, req))
	}, "ok EADDRINUSE EINVAL ok EADDRNOTAVAIL"},
}
