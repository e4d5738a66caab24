package socket

import "fmt"

var datagramRows = []row{
	{"sendto: UDP, no address", all, func(x *box) string { return number(x.SendTo(x.udp(), []byte("x"), 0, nil)) }, "EDESTADDRREQ"},
	{"sendto: UDP, port 0", all, func(x *box) string { return number(x.SendTo(x.udp(), []byte("x"), 0, x.lo(0))) }, "EINVAL"},
	{"sendto: UDP, too short an address", both, func(x *box) string { return number(x.SendTo(x.udp(), []byte("x"), 0, withLen(x.lo(9), 4))) }, "EINVAL"},
	{"sendto: UDP, no room for a scope", only6, func(x *box) string { return number(x.SendTo(x.udp(), []byte("x"), 0, withLen(x.lo(9), 24))) }, "1"},
	{"sendto: UDP, the other family", only4, func(x *box) string { return number(x.SendTo(x.udp(), []byte("x"), 0, x.at("::1", 9))) }, "EAFNOSUPPORT"},
	{"sendto: UDP, AF_INET on AF_INET6", only6, func(x *box) string { return number(x.SendTo(x.udp(), []byte("x"), 0, x.at("127.0.0.1", 9))) }, "1"},
	{"sendto: UDP, AF_INET on AF_INET6 with IPV6_V6ONLY", only6, func(x *box) string {
		fd := x.udp()
		x.must("setsockopt", x.set(fd, SOL_IPV6, IPV6_V6ONLY, 1))
		return number(x.SendTo(fd, []byte("x"), 0, x.at("127.0.0.1", 9)))
	}, "ENETUNREACH"},
	{"sendto: UDP, mapped with IPV6_V6ONLY", onlyM, func(x *box) string {
		fd := x.udp()
		x.must("setsockopt", x.set(fd, SOL_IPV6, IPV6_V6ONLY, 1))
		return number(x.SendTo(fd, []byte("x"), 0, x.lo(9)))
	}, "ENETUNREACH"},
	{"sendto: UDP, AF_UNSPEC", only4, func(x *box) string { return number(x.SendTo(x.udp(), []byte("x"), 0, withFamily(x.lo(9), AF_UNSPEC))) }, "1"},
	{"sendto: UDP, AF_UNSPEC over IPv6", only6, func(x *box) string { return number(x.SendTo(x.udp(), []byte("x"), 0, withFamily(x.lo(9), AF_UNSPEC))) }, "EDESTADDRREQ"},
	{"sendto: UDP, an unknown family", only4, func(x *box) string { return number(x.SendTo(x.udp(), []byte("x"), 0, withFamily(x.lo(9), 77))) }, "EAFNOSUPPORT"},
	{"sendto: UDP, an unknown family over IPv6", only6, func(x *box) string { return number(x.SendTo(x.udp(), []byte("x"), 0, withFamily(x.lo(9), 77))) }, "EINVAL"},
	{"sendto: UDP, no route", all, func(x *box) string { return number(x.SendTo(x.udp(), []byte("x"), 0, x.gone(9))) }, "ENETUNREACH"},
	{"sendto: UDP, broadcast", only4, func(x *box) string { return number(x.SendTo(x.udp(), []byte("x"), 0, x.at("192.0.2.255", 9))) }, "EACCES"},
	{"sendto: UDP, broadcast with SO_BROADCAST", only4, func(x *box) string {
		fd := x.udp()
		x.must("setsockopt", x.set(fd, SOL_SOCKET, SO_BROADCAST, 1))
		return number(x.SendTo(fd, []byte("x"), 0, x.at("192.0.2.255", 9)))
	}, "1"},
	{"sendto: UDP, another than the peer", all, func(x *box) string { a, _ := x.udpPair(); return number(x.SendTo(a, []byte("x"), 0, x.lo(9))) }, "1"},
	{"sendto: UDP, MSG_OOB", []int{4, 46}, func(x *box) string { return number(x.SendTo(x.udp(), []byte("x"), MSG_OOB, x.lo(9))) }, "EOPNOTSUPP"},
	{"sendto: UDP, MSG_OOB over IPv6", only6, func(x *box) string { return number(x.SendTo(x.udp(), []byte("x"), MSG_OOB, x.lo(9))) }, "1"},
	{"sendto: UDP, as much as fits", only4, func(x *box) string { return number(x.SendTo(x.udp(), make([]byte, 65507), 0, x.lo(9))) }, "65507"},
	{"sendto: UDP, more than fits", all, func(x *box) string { return number(x.SendTo(x.udp(), make([]byte, 65508+20), 0, x.lo(9))) }, "EMSGSIZE"},
	{"sendto: UDP, far more than fits", all, func(x *box) string { return number(x.SendTo(x.udp(), make([]byte, 70000), 0, x.lo(9))) }, "EMSGSIZE"},
	{"sendto: UDP, IP_PMTUDISC_DO and too long", only4, func(x *box) string {
		fd := x.udp()
		x.must("setsockopt", x.set(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO))
		return number(x.SendTo(fd, make([]byte, 1473), 0, x.out(9)))
	}, "EMSGSIZE"},
	{"sendto: UDP, IP_PMTUDISC_DO and just fits", only4, func(x *box) string {
		fd := x.udp()
		x.must("setsockopt", x.set(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO))
		return number(x.SendTo(fd, make([]byte, 1472), 0, x.out(9)))
	}, "1472"},
	{"sendto: UDP, IPV6_PMTUDISC_DO and too long", only6, func(x *box) string {
		fd := x.udp()
		x.must("setsockopt", x.set(fd, SOL_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO))
		return number(x.SendTo(fd, make([]byte, 1453), 0, x.out(9)))
	}, "EMSGSIZE"},
	{"sendto: UDP, IPV6_DONTFRAG and too long", only6, func(x *box) string {
		fd := x.udp()
		x.must("setsockopt", x.set(fd, SOL_IPV6, IPV6_DONTFRAG, 1))
		return number(x.SendTo(fd, make([]byte, 1453), 0, x.out(9)))
	}, "EMSGSIZE"},
	{"sendto: UDP, fragmented", both, func(x *box) string { return number(x.SendTo(x.udp(), make([]byte, 5000), 0, x.out(9))) }, "5000"},
	{"write: UDP, nothing, not connected", all, func(x *box) string { return number(x.Write(x.udp(), nil)) }, "EDESTADDRREQ"},
	{"write: UDP, an empty datagram", all, func(x *box) string {
		a, b := x.udpPair()
		s := number(x.Write(a, nil))
		x.settle()
		return s + number(x.recv(b, 9, 0)) + number(x.recv(b, 9, 0))
	}, "00EAGAIN"},
	{"read: UDP, nothing there", all, func(x *box) string { fd, _ := x.bound(x.udp()); return number(x.Read(fd, make([]byte, 1))) }, "EAGAIN"},
	{"read: UDP, unbound", all, func(x *box) string { return number(x.Read(x.udp(), make([]byte, 1))) }, "EAGAIN"},
	{"read: UDP, a datagram cut", all, func(x *box) string {
		a, b := x.udpPair()
		x.write(a, "abcdef")
		return number(x.Read(b, make([]byte, 3))) + number(x.Read(b, make([]byte, 3)))
	}, "3EAGAIN"},
	{"recv: UDP, MSG_TRUNC and MSG_PEEK", all, func(x *box) string {
		a, b := x.udpPair()
		x.write(a, "abcdef")
		return number(x.recv(b, 3, MSG_TRUNC|MSG_PEEK)) + number(x.recv(b, 3, MSG_PEEK)) + number(x.recv(b, 3, MSG_TRUNC)) + number(x.recv(b, 3, 0))
	}, "636EAGAIN"},
	{"recv: UDP, MSG_WAITALL is one datagram", all, func(x *box) string { a, b := x.udpPair(); x.write(a, "ab"); return number(x.recv(b, 9, MSG_WAITALL)) }, "2"},
	{"recv: UDP, MSG_OOB", all, func(x *box) string { a, b := x.udpPair(); x.write(a, "ab"); return number(x.recv(b, 9, MSG_OOB)) }, "2"},
	{"recvmsg: UDP, flags and address", all, func(x *box) string {
		a, b := x.udpPair()
		x.write(a, "abcdef")
		m := Msghdr{Iov: [][]byte{make([]byte, 2), make([]byte, 2)}}
		n, err := x.RecvMsg(b, &m, 0)
		return number(n, err) + fmt.Sprint(" ", m.Flags, " ") + end(m.Name, nil)
	}, "4 32 lo:port"},
	{"recvmsg: UDP, control messages over IPv4", only4, func(x *box) string {
		a, b := x.udpPair()
		for _, o := range []int{IP_PKTINFO, IP_RECVTTL, IP_RECVTOS} {
			x.must("setsockopt", x.set(b, SOL_IP, o, 1))
		}
		x.must("setsockopt", x.set(a, SOL_IP, IP_TTL, 9))
		x.must("setsockopt", x.set(a, SOL_IP, IP_TOS, 0x28))
		x.write(a, "x")
		m := Msghdr{Iov: [][]byte{make([]byte, 2)}, Control: make([]byte, 200)}
		_, err := x.RecvMsg(b, &m, 0)
		x.must("recvmsg", err)
		return x.controls(&m)
	}, "0 ok 0/8:010000007f0000017f000001 0/2:9 0/1:40"},
	{"recvmsg: UDP, control messages over IPv6", only6, func(x *box) string {
		a, b := x.udpPair()
		for _, o := range []int{IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS} {
			x.must("setsockopt", x.set(b, SOL_IPV6, o, 1))
		}
		x.must("setsockopt", x.set(a, SOL_IPV6, IPV6_UNICAST_HOPS, 9))
		x.must("setsockopt", x.set(a, SOL_IPV6, IPV6_TCLASS, 0x28))
		x.write(a, "x")
		m := Msghdr{Iov: [][]byte{make([]byte, 2)}, Control: make([]byte, 200)}
		_, err := x.RecvMsg(b, &m, 0)
		x.must("recvmsg", err)
		return x.controls(&m)
	}, "0 ok 41/50:0000000000000000000000000000000101000000 41/52:9 41/67:40"},
	{"recvmsg: UDP, control messages over mapped addresses", onlyM, func(x *box) string {
		a, b := x.udpPair()
		x.must("setsockopt", x.set(b, SOL_IPV6, IPV6_RECVPKTINFO, 1))
		x.must("setsockopt", x.set(b, SOL_IPV6, IPV6_RECVHOPLIMIT, 1))
		x.must("setsockopt", x.set(b, SOL_IP, IP_RECVTTL, 1))
		x.write(a, "x")
		m := Msghdr{Iov: [][]byte{make([]byte, 2)}, Control: make([]byte, 200)}
		_, err := x.RecvMsg(b, &m, 0)
		x.must("recvmsg", err)
		return x.controls(&m)
	}, "0 ok 41/50:00000000000000000000ffff7f00000101000000 0/2:64"},
	{"recvmsg: UDP, room for half a control message", only4, func(x *box) string {
		a, b := x.udpPair()
		x.must("setsockopt", x.set(b, SOL_IP, IP_PKTINFO, 1))
		x.must("setsockopt", x.set(b, SOL_IP, IP_RECVTTL, 1))
		x.write(a, "x")
		m := Msghdr{Iov: [][]byte{make([]byte, 2)}, Control: make([]byte, 22)}
		_, err := x.RecvMsg(b, &m, 0)
		x.must("recvmsg", err)
		return fmt.Sprint(len(m.Control), m.Flags)
	}, "22 8"},
	{"recvmsg: UDP, room for no control message", only4, func(x *box) string {
		a, b := x.udpPair()
		x.must("setsockopt", x.set(b, SOL_IP, IP_RECVTTL, 1))
		x.write(a, "x")
		m := Msghdr{Iov: [][]byte{make([]byte, 2)}}
		_, err := x.RecvMsg(b, &m, 0)
		x.must("recvmsg", err)
		return fmt.Sprint(len(m.Control), m.Flags)
	}, "0 8"},
	{"sendmsg: UDP, IP_TTL and IP_TOS for one datagram", only4, func(x *box) string {
		a, b := x.udpPair()
		x.must("setsockopt", x.set(b, SOL_IP, IP_RECVTTL, 1))
		x.must("setsockopt", x.set(b, SOL_IP, IP_RECVTOS, 1))
		c := AppendCmsg(nil, Cmsg{SOL_IP, IP_TTL, appendInt(nil, 5)})
		c = AppendCmsg(c, Cmsg{SOL_IP, IP_TOS, appendInt(nil, 0x10)})
		_, err := x.SendMsg(a, &Msghdr{Iov: [][]byte{[]byte("x")}, Control: c}, 0)
		x.must("sendmsg", err)
		x.settle()
		m := Msghdr{Iov: [][]byte{make([]byte, 2)}, Control: make([]byte, 200)}
		_, err = x.RecvMsg(b, &m, 0)
		x.must("recvmsg", err)
		return x.controls(&m)
	}, "0 ok 0/2:5 0/1:16"},
	{"sendmsg: UDP, IP_PKTINFO chooses the source", only4, func(x *box) string {
		a, at := x.bound(x.udp())
		c := AppendCmsg(nil, Cmsg{SOL_IP, IP_PKTINFO, []byte{0, 0, 0, 0, 127, 0, 0, 7, 0, 0, 0, 0}})
		fd := x.udp()
		_, err := x.SendMsg(fd, &Msghdr{Name: at, Iov: [][]byte{[]byte("x")}, Control: c}, 0)
		x.must("sendmsg", err)
		x.settle()
		_, from, err := x.RecvFrom(a, make([]byte, 1), 0)
		return end(from, err)
	}, "127.0.0.7:port"},
	{"sendmsg: UDP, IPv4's control message over IPv6", only6, func(x *box) string { return x.control(SOL_IP, IP_TTL, []byte{1}) }, "1"},
	{"sendmsg: UDP, a control message too short", []int{4, 46}, func(x *box) string { return x.control(SOL_IP, IP_TTL, []byte{1}) }, "EINVAL"},
	{"sendmsg: UDP, a TTL of 0", only4, func(x *box) string { return x.control(SOL_IP, IP_TTL, appendInt(nil, 0)) }, "EINVAL"},
	{"sendmsg: UDP, a TTL of 256", only4, func(x *box) string { return x.control(SOL_IP, IP_TTL, appendInt(nil, 256)) }, "EINVAL"},
	{"sendmsg: UDP, a TOS of 256", only4, func(x *box) string { return x.control(SOL_IP, IP_TOS, appendInt(nil, 256)) }, "EINVAL"},
	{"sendmsg: UDP, a TOS of one octet", only4, func(x *box) string { return x.control(SOL_IP, IP_TOS, []byte{1}) }, "1"},
	{"sendmsg: UDP, IP_PKTINFO too short", only4, func(x *box) string { return x.control(SOL_IP, IP_PKTINFO, make([]byte, 8)) }, "EINVAL"},
	{"sendmsg: UDP, an unknown message of SOL_IP", only4, func(x *box) string { return x.control(SOL_IP, 99, make([]byte, 8)) }, "EINVAL"},
	{"sendmsg: UDP, an unknown message of SOL_SOCKET", all, func(x *box) string { return x.control(SOL_SOCKET, 99, make([]byte, 8)) }, "EINVAL"},
	{"sendmsg: UDP, an unknown level", all, func(x *box) string { return x.control(77, 99, make([]byte, 8)) }, "1"},
	{"sendmsg: UDP, IPv6's control message over IPv4", []int{4, 46}, func(x *box) string { return x.control(SOL_IPV6, IPV6_HOPLIMIT, appendInt(nil, 700)) }, "1"},
	{"sendmsg: UDP, an unknown message of SOL_IPV6", only6, func(x *box) string { return x.control(SOL_IPV6, 99, make([]byte, 8)) }, "EINVAL"},
	{"sendmsg: UDP, a hop limit of 256", only6, func(x *box) string { return x.control(SOL_IPV6, IPV6_HOPLIMIT, appendInt(nil, 256)) }, "EINVAL"},
	{"sendmsg: UDP, a traffic class of 256", only6, func(x *box) string { return x.control(SOL_IPV6, IPV6_TCLASS, appendInt(nil, 256)) }, "EINVAL"},
	{"sendmsg: UDP, IPV6_DONTFRAG of 2", only6, func(x *box) string { return x.control(SOL_IPV6, IPV6_DONTFRAG, appendInt(nil, 2)) }, "EINVAL"},
	{"sendmsg: UDP, IPV6_PKTINFO too short", only6, func(x *box) string { return x.control(SOL_IPV6, IPV6_PKTINFO, make([]byte, 16)) }, "EINVAL"},
	{"sendmsg: UDP, IPV6_PKTINFO of an interface that is not there", only6, func(x *box) string {
		return x.control(SOL_IPV6, IPV6_PKTINFO, appendInt(make([]byte, 16), 77))
	}, "ENODEV"},
	{"sendmsg: a control message beyond the end", all, func(x *box) string {
		c := AppendCmsg(nil, Cmsg{SOL_IP, IP_TTL, appendInt(nil, 5)})
		return number(x.SendMsg(x.udp(), &Msghdr{Name: x.lo(9), Iov: [][]byte{[]byte("x")}, Control: c[:18]}, 0))
	}, "EINVAL"},
	{"UDP: refused", all, func(x *box) string {
		fd := x.refused()
		return x.polled(fd) + " " + number(x.Read(fd, make([]byte, 1))) + " " + number(x.Read(fd, make([]byte, 1)))
	}, "OUT|ERR|wrnorm|wrband ECONNREFUSED EAGAIN"},
	{"UDP: refused, told by the next write", all, func(x *box) string {
		fd := x.refused()
		return number(x.Write(fd, []byte("x")))
	}, "ECONNREFUSED"},
	{"UDP: refused, told by SO_ERROR", all, func(x *box) string {
		fd := x.refused()
		return x.get(fd, SOL_SOCKET, SO_ERROR) + " " + x.get(fd, SOL_SOCKET, SO_ERROR)
	}, "111 0"},
	{"UDP: refused, and not connected", all, func(x *box) string {
		fd := x.udp()
		x.SendTo(fd, []byte("x"), 0, x.lo(x.fresh()))
		x.settle()
		return x.polled(fd) + " " + x.get(fd, SOL_SOCKET, SO_ERROR)
	}, "OUT|wrnorm|wrband 0"},
	{"MSG_ERRQUEUE: UDP, nothing", all, func(x *box) string { return number(x.recv(x.udp(), 1, MSG_ERRQUEUE)) }, "EAGAIN"},
	{"IP_RECVERR: refused", only4, func(x *box) string { return x.recvErr(SOL_IP, IP_RECVERR) }, "OUT|ERR|wrnorm|wrband 5 8192 lo:port 0/11: ECONNREFUSED from 2 type 3 code 3 info 0 by lo:0 OUT|wrnorm|wrband 0 EAGAIN"},
	{"IPV6_RECVERR: refused", only6, func(x *box) string { return x.recvErr(SOL_IPV6, IPV6_RECVERR) }, "OUT|ERR|wrnorm|wrband 5 8192 lo:port 41/25: ECONNREFUSED from 3 type 1 code 4 info 0 by lo:0 OUT|wrnorm|wrband 0 EAGAIN"},
	{"IP_RECVERR: too long", only4, func(x *box) string {
		fd := x.udp()
		x.must("setsockopt", x.set(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO))
		x.must("setsockopt", x.set(fd, SOL_IP, IP_RECVERR, 1))
		s := number(x.SendTo(fd, make([]byte, 1473), 0, x.out(9)))
		return s + " " + x.errorQueue(fd)
	}, "EMSGSIZE 0 8192 192.0.2.9:0 0/11: EMSGSIZE from 1 type 0 code 0 info 1500"},
	{"shutdown: UDP, unconnected", all, func(x *box) string {
		fd := x.udp()
		s := said(x.Shutdown(fd, SHUT_RDWR))
		return s + " " + x.polled(fd) + " " + number(x.Read(fd, make([]byte, 1))) + " " + number(x.SendTo(fd, []byte("x"), 0, x.lo(9)))
	}, "ENOTCONN IN|OUT|HUP|rdnorm|wrnorm|wrband|RDHUP EAGAIN EPIPE"},
	{"shutdown: UDP, SHUT_RD", all, func(x *box) string {
		a, b := x.udpPair()
		s := said(x.Shutdown(b, SHUT_RD)) + " " + x.polled(b)
		x.write(a, "x")
		return s + " " + number(x.Read(b, make([]byte, 1))) + " " + number(x.Read(b, make([]byte, 1)))
	}, "ok IN|OUT|rdnorm|wrnorm|wrband|RDHUP 1 EAGAIN"},
	{"shutdown: UDP, SHUT_RD, waiting", all, func(x *box) string {
		_, b := x.udpPair()
		x.must("shutdown", x.Shutdown(b, SHUT_RD))
		x.Fcntl(b, F_SETFL, 0)
		return number(x.Read(b, make([]byte, 1)))
	}, "0"},
	{"shutdown: UDP, SHUT_WR", all, func(x *box) string {
		a, _ := x.udpPair()
		s := said(x.Shutdown(a, SHUT_WR)) + " " + x.polled(a)
		return s + " " + number(x.Write(a, []byte("x"))) + " " + said(x.Shutdown(a, SHUT_RD)) + " " + x.polled(a)
	}, "ok OUT|wrnorm|wrband EPIPE ok IN|OUT|HUP|rdnorm|wrnorm|wrband|RDHUP"},
	{"FIONREAD: UDP", all, func(x *box) string {
		a, b := x.udpPair()
		s := number(x.Ioctl(b, FIONREAD))
		x.write(a, "abc")
		x.write(a, "defgh")
		return s + number(x.Ioctl(b, FIONREAD))
	}, "03"},
	{"SIOCOUTQ: UDP", all, func(x *box) string { return number(x.Ioctl(x.udp(), SIOCOUTQ)) }, "0"},
	{"SIOCOUTQNSD: UDP", all, func(x *box) string { return number(x.Ioctl(x.udp(), SIOCOUTQNSD)) }, "ENOTTY"},
	{"SIOCATMARK: UDP", all, func(x *box) string { return number(x.Ioctl(x.udp(), SIOCATMARK)) }, "ENOTTY"},
	{"send: UDP, MSG_MORE makes one datagram", all, func(x *box) string {
		a, b := x.udpPair()
		s := number(x.SendTo(a, []byte("abc"), MSG_MORE, nil))
		x.settle()
		s += number(x.recv(b, 9, 0)) + number(x.Write(a, []byte("de")))
		x.settle()
		return s + number(x.recv(b, 9, 0))
	}, "3EAGAIN25"},
	{"UDP_CORK", all, func(x *box) string {
		a, b := x.udpPair()
		x.must("setsockopt", x.set(a, SOL_UDP, UDP_CORK, 1))
		s := number(x.Write(a, []byte("abc"))) + number(x.Write(a, []byte("de")))
		x.settle()
		s += number(x.recv(b, 9, 0))
		x.must("setsockopt", x.set(a, SOL_UDP, UDP_CORK, 0))
		x.settle()
		return s + number(x.recv(b, 9, 0))
	}, "32EAGAIN5"},
	{"UDP_SEGMENT, too many or too large", all, func(x *box) string {
		a, _ := x.udpPair()
		s := ""
		for _, v := range [][2]int{{1, 129}, {1, 128}, {65530, 65531}} {
			x.must("setsockopt", x.set(a, SOL_UDP, UDP_SEGMENT, v[0]))
			s += number(x.Write(a, make([]byte, v[1]))) + " "
		}
		return s
	}, "EINVAL 128 EMSGSIZE "},
	{"UDP_SEGMENT of one call", all, func(x *box) string {
		a, b := x.udpPair()
		s := ""
		for _, c := range [][]byte{{3, 0}, {3, 0, 0, 0}} {
			m := &Msghdr{Iov: [][]byte{[]byte("hello")}, Control: AppendCmsg(nil, Cmsg{SOL_UDP, UDP_SEGMENT, c})}
			s += number(x.SendMsg(a, m, 0)) + " "
		}
		x.settle()
		return s + number(x.recv(b, 9, 0)) + " " + number(x.recv(b, 9, 0)) + " " + number(x.recv(b, 9, 0))
	}, "5 EINVAL 3 2 EAGAIN"},
	{"UDP_SEGMENT", all, func(x *box) string {
		a, b := x.udpPair()
		x.must("setsockopt", x.set(a, SOL_UDP, UDP_SEGMENT, 3))
		s := number(x.Write(a, []byte("abcdefgh")))
		x.settle()
		return s + number(x.recv(b, 9, 0)) + number(x.recv(b, 9, 0)) + number(x.recv(b, 9, 0)) + number(x.recv(b, 9, 0))
	}, "8332EAGAIN"},
	{"UDP: a peer's datagrams only", all, func(x *box) string {
		a, _ := x.udpPair()
		at, err := x.Getsockname(a)
		x.must("getsockname", err)
		_, err = x.SendTo(x.udp(), []byte("x"), 0, at)
		x.must("sendto", err)
		x.settle()
		return number(x.recv(a, 1, 0))
	}, "EAGAIN"},
}

// controls names the control messages.
func (x *box) controls(m *Msghdr) string {
	list, err := ParseCmsgs(m.Control)
	s := fmt.Sprint(m.Flags, " ", said(err))
	for _, c := range list {
		s += fmt.Sprintf(" %d/%d:", c.Level, c.Type)
		switch len(c.Data) {
		case 1:
			s += fmt.Sprint(c.Data[0])
		case 4:
			s += fmt.Sprint(intOf(c.Data))
		default:
			s += fmt.Sprintf("%x", c.Data)
		}
	}
	return s
}

// control sends a datagram with a control message.
func (x *box) control(level, typ int, data []byte) string {
	c := AppendCmsg(nil, Cmsg{level, typ, data})
	return number(x.SendMsg(x.udp(), &Msghdr{Name: x.lo(9), Iov: [][]byte{[]byte("x")}, Control: c}, 0))
}

// recvErr has an unconnected socket be refused and reads the error queue.
func (x *box) recvErr(level, option int) string {
	fd := x.udp()
	x.must("setsockopt", x.set(fd, level, option, 1))
	_, err := x.SendTo(fd, []byte("hello"), 0, x.lo(x.fresh()))
	x.must("sendto", err)
	x.settle()
	s := x.polled(fd) + " " + x.errorQueue(fd)
	return s + " " + x.polled(fd) + " " + x.get(fd, SOL_SOCKET, SO_ERROR) + " " + number(x.recv(fd, 1, MSG_ERRQUEUE))
}

func (x *box) errorQueue(fd int) string {
	m := Msghdr{Iov: [][]byte{make([]byte, 9)}, Control: make([]byte, 200)}
	n, err := x.RecvMsg(fd, &m, MSG_ERRQUEUE)
	if err != nil {
		return number(n, err)
	}
	s := number(n, nil) + fmt.Sprint(" ", m.Flags&^MSG_NOSIGNAL, " ") + end(m.Name, nil)
	list, err := ParseCmsgs(m.Control)
	x.must("control", err)
	for _, c := range list {
		if c.Type != IP_RECVERR && c.Type != IPV6_RECVERR {
			s += fmt.Sprintf(" %d/%d", c.Level, c.Type)
			continue
		}
		e, err := ParseSockExtErr(c.Data)
		x.must("sock_extended_err", err)
		s += fmt.Sprintf(" %d/%d: %s from %d type %d code %d info %d", c.Level, c.Type, said(e.Errno), e.Origin, e.Type, e.Code, e.Info)
		if e.Offender != nil {
			s += " by " + end(e.Offender, nil)
		}
	}
	return s
}

var rawRows = []row{
	{"bind: raw, another's address", both, func(x *box) string { return said(x.Bind(x.raw(253), x.out(0))) }, "EADDRNOTAVAIL"},
	{"bind: raw, twice", both, func(x *box) string { fd := x.raw(253); return said(x.Bind(fd, x.lo(0))) + said(x.Bind(fd, x.lo(0))) }, "okok"},
	{"bind: raw, too short", both, func(x *box) string { return said(x.Bind(x.raw(253), withLen(x.lo(0), 12))) }, "EINVAL"},
	{"sendto: raw, mapped", only6, func(x *box) string {
		return number(x.SendTo(x.raw(253), []byte("x"), 0, x.at("::ffff:127.0.0.1", 0)))
	}, "ENETUNREACH"},
	{"sendto: raw, shut down", both, func(x *box) string {
		fd := x.raw(253)
		return said(x.Shutdown(fd, SHUT_WR)) + " " + number(x.SendTo(fd, []byte("x"), 0, x.lo(0)))
	}, "ENOTCONN 1"},
	{"bind: raw, mapped", only6, func(x *box) string { return said(x.Bind(x.raw(253), x.at("::ffff:127.0.0.1", 0))) }, "EADDRNOTAVAIL"},
	{"bind: raw, the other family", only6, func(x *box) string { return said(x.Bind(x.raw(253), withLen(x.at("127.0.0.1", 0), 28))) }, "EINVAL"},
	{"getsockname: raw", both, func(x *box) string { return x.local(x.raw(253)) }, "any:port"},
	{"getsockname: raw, bound", both, func(x *box) string { fd := x.raw(253); x.Bind(fd, x.lo(7)); return x.local(fd) }, "lo:port"},
	{"getpeername: raw", both, func(x *box) string { return x.remote(x.raw(253)) }, "ENOTCONN"},
	{"getpeername: raw, connected", both, func(x *box) string {
		fd := x.raw(253)
		x.must("connect", x.Connect(fd, x.lo(0)))
		s := x.remote(fd)
		x.must("connect", x.Connect(fd, x.lo(7)))
		return s + " " + x.remote(fd)
	}, "ENOTCONN lo:port"},
	{"connect: raw, no route", both, func(x *box) string { return said(x.Connect(x.raw(253), x.gone(0))) }, "ENETUNREACH"},
	{"listen: raw", both, func(x *box) string { return said(x.Listen(x.raw(253), 1)) }, "EOPNOTSUPP"},
	{"accept: raw", both, func(x *box) string { return accepted(x.Accept4(x.raw(253), 0)) }, "EOPNOTSUPP"},
	{"sendto: raw, no address", both, func(x *box) string { return number(x.SendTo(x.raw(253), []byte("x"), 0, nil)) }, "EDESTADDRREQ"},
	{"sendto: raw, too short an address", both, func(x *box) string { return number(x.SendTo(x.raw(253), []byte("x"), 0, withLen(x.lo(0), 6))) }, "EINVAL"},
	{"sendto: raw, the other family", only4, func(x *box) string { return number(x.SendTo(x.raw(253), []byte("x"), 0, x.at("::1", 0))) }, "EAFNOSUPPORT"},
	{"sendto: raw, AF_INET over IPv6", only6, func(x *box) string {
		return number(x.SendTo(x.raw(253), []byte("x"), 0, withLen(x.at("127.0.0.1", 0), 28)))
	}, "EAFNOSUPPORT"},
	{"sendto: raw, another protocol as the port", only6, func(x *box) string { return number(x.SendTo(x.raw(253), []byte("x"), 0, x.lo(17))) }, "EINVAL"},
	{"sendto: raw, the protocol as the port", only6, func(x *box) string { return number(x.SendTo(x.raw(253), []byte("x"), 0, x.lo(253))) }, "1"},
	{"sendto: raw, MSG_OOB", both, func(x *box) string { return number(x.SendTo(x.raw(253), []byte("x"), MSG_OOB, x.lo(0))) }, "EOPNOTSUPP"},
	{"sendto: raw, too long", both, func(x *box) string { return number(x.SendTo(x.raw(253), make([]byte, 66000), 0, x.lo(0))) }, "EMSGSIZE"},
	{"sendto: raw, no route", both, func(x *box) string { return number(x.SendTo(x.raw(253), []byte("x"), 0, x.gone(0))) }, "ENETUNREACH"},
	{"sendto: raw, broadcast", only4, func(x *box) string { return number(x.SendTo(x.raw(253), []byte("x"), 0, x.at("192.0.2.255", 0))) }, "EACCES"},
	{"sendto: IPPROTO_RAW, less than a header", only4, func(x *box) string { return number(x.SendTo(x.raw(IPPROTO_RAW), []byte("x"), 0, x.lo(0))) }, "EINVAL"},
	{"read: raw, nothing there", both, func(x *box) string { return number(x.Read(x.raw(253), make([]byte, 1))) }, "EAGAIN"},
	{"recv: raw, MSG_OOB", both, func(x *box) string { return number(x.recv(x.raw(253), 1, MSG_OOB)) }, "EOPNOTSUPP"},
	{"raw: what one sends another gets", both, func(x *box) string {
		a, b := x.raw(253), x.raw(253)
		x.must("connect", x.Connect(a, x.lo(0)))
		x.write(a, "hello")
		p := make([]byte, 100)
		n, from, err := x.RecvFrom(b, p, 0)
		x.must("recv", err)
		if x.family == 4 {
			n -= 20 // the IP header, which is told over IPv4 only
			p = p[20:]
		}
		return fmt.Sprint(n, " ", end(from, nil), " ", string(p[:n]))
	}, "5 lo:0 hello"},
	{"poll: raw", both, func(x *box) string { return x.polled(x.raw(253)) }, "OUT|wrnorm|wrband"},
	{"shutdown: raw", both, func(x *box) string { return said(x.Shutdown(x.raw(253), SHUT_RD)) }, "ENOTCONN"},
	{"FIONREAD: raw", both, func(x *box) string { return number(x.Ioctl(x.raw(253), FIONREAD)) }, "0"},
	{"ICMP_FILTER: not ICMP", only4, func(x *box) string { return said(x.set(x.raw(253), SOL_RAW, ICMP_FILTER, 1)) }, "EOPNOTSUPP"},
	{"ICMP_FILTER", only4, func(x *box) string {
		fd := x.raw(IPPROTO_ICMP)
		return said(x.set(fd, SOL_RAW, ICMP_FILTER, 77)) + x.get(fd, SOL_RAW, ICMP_FILTER)
	}, "ok77"},
	{"SOL_RAW: unknown", both, func(x *box) string {
		return said(x.set(x.raw(IPPROTO_ICMP), SOL_RAW, 99, 1)) + x.get(x.raw(IPPROTO_ICMP), SOL_RAW, 99)
	}, "ENOPROTOOPTENOPROTOOPT"},
	{"SOL_RAW: on UDP", both, func(x *box) string { return said(x.set(x.udp(), SOL_RAW, ICMP_FILTER, 1)) }, "ENOPROTOOPT"},
	{"ICMPV6_FILTER: not ICMPv6", only6, func(x *box) string { return said(x.set(x.raw(253), SOL_ICMPV6, ICMPV6_FILTER, 1)) }, "EOPNOTSUPP"},
	{"ICMPV6_FILTER", only6, func(x *box) string {
		return said(x.Setsockopt(x.raw(IPPROTO_ICMPV6), SOL_ICMPV6, ICMPV6_FILTER, make([]byte, 32)))
	}, "ok"},
	{"IPV6_CHECKSUM: odd", only6, func(x *box) string { return said(x.set(x.raw(253), SOL_IPV6, IPV6_CHECKSUM, 3)) }, "EINVAL"},
	{"IPV6_CHECKSUM", only6, func(x *box) string {
		fd := x.raw(253)
		return x.get(fd, SOL_IPV6, IPV6_CHECKSUM) + said(x.set(fd, SOL_IPV6, IPV6_CHECKSUM, 4)) + x.get(fd, SOL_IPV6, IPV6_CHECKSUM)
	}, "-1ok4"},
	{"IPV6_CHECKSUM: of ICMPv6", only6, func(x *box) string { return said(x.set(x.raw(IPPROTO_ICMPV6), SOL_IPV6, IPV6_CHECKSUM, 4)) }, "EINVAL"},
	{"IPV6_CHECKSUM: on UDP", only6, func(x *box) string { return said(x.set(x.udp(), SOL_IPV6, IPV6_CHECKSUM, 4)) }, "ENOPROTOOPT"},
	{"IP_HDRINCL: raw", only4, func(x *box) string {
		fd := x.raw(253)
		return x.get(fd, SOL_IP, IP_HDRINCL) + said(x.set(fd, SOL_IP, IP_HDRINCL, 1)) + x.get(fd, SOL_IP, IP_HDRINCL) + x.get(x.raw(IPPROTO_RAW), SOL_IP, IP_HDRINCL)
	}, "0ok11"},
	{"SOL_IP: on raw over IPv6", only6, func(x *box) string { return said(x.set(x.raw(253), SOL_IP, IP_TTL, 1)) }, "ENOPROTOOPT"},
	{"SO_PROTOCOL: raw", both, func(x *box) string {
		return x.get(x.raw(253), SOL_SOCKET, SO_PROTOCOL) + x.get(x.raw(253), SOL_SOCKET, SO_TYPE)
	}, "2533"},
}

func (x *box) raw(protocol int) int { return x.socketOf(SOCK_RAW|SOCK_NONBLOCK, protocol) }
