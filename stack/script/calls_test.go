package script

import (
	"strings"
	"testing"
)

const udpServer = `
    0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3
   +0 bind(3, ..., ...) = 0
`

const client = `
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
   +0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
   +0 > S 0:0(0) <...>
  +.1 < S. 0:0(0) ack 1 win 5792 <mss 1460>
   +0 > . 1:1(0) ack 1
`

// Each call is made by a script that must pass; with one thing said otherwise it must fail with the
// message that is given.
func TestCalls(t *testing.T) {
	for _, c := range []struct{ name, before, src, old, new, want string }{
		{"writev", handshake, "+0 writev(4, [{..., 10}, {..., 20}], 2) = 30\n+0 > P. 1:31(30) ack 1", "= 30", "= 31", "writev() returned 30, not 31"},
		{"readv", handshake, "+0 < P. 1:31(30) ack 1 win 257\n+0 readv(4, [{..., 10}, {..., 20}], 2) = 30", "{..., 20}", "{..., 10}", "readv() returned 20, not 30"},
		{"send", handshake, "+0 send(4, ..., 10, MSG_DONTWAIT) = 10", "= 10", "= -1 EPIPE", "send() returned 10, not -1 EPIPE"},
		{"send a string", handshake, "+0 < P. 1:3(2) ack 1 win 257\n+0 read(4, \"\\x00\\x00\", 2) = 2", `"\x00\x00"`, `"\x00a"`, "read() read something else"},
		{"recv", handshake, "+0 < P. 1:31(30) ack 1 win 257\n+0 recv(4, ..., 100, MSG_PEEK) = 30\n+0 recv(4, ..., 100, 0) = 30", "MSG_PEEK", "0", "recv() blocks; it was to return at once"},
		{"recv discards", handshake, "+0 < P. 1:31(30) ack 1 win 257\n+0 recv(4, 0, 20, MSG_TRUNC) = 20\n+0 read(4, ..., 100) = 10", "20) = 20", "30) = 20", ""},
		{"shutdown", handshake, "+0 shutdown(4, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 1", "SHUT_WR", "SHUT_RD", "nothing was sent by 0.104000, nor in the 2m0s after"},
		{"linger", handshake, "+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0\n+0 close(4) = 0\n+0 > R. 1:1(0) ack 1", "onoff=1", "onoff=0", "flags F., not R."},
		{"getsockopt linger", handshake, "+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=7}, 8) = 0\n+0 getsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=7}, [8]) = 0", "linger=7}, [8]", "linger=8}, [8]", "getsockopt() wrote another value"},
		{"receive timeout", handshake, "+0 setsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=1, tv_usec=500000}, 16) = 0\n+0...1.5 read(4, ..., 10) = -1 EAGAIN (Try again)", "0...1.5", "0...1", "read() has not returned; it was to at 1.100000"},
		{"congestion", handshake, `+0 setsockopt(4, SOL_TCP, TCP_CONGESTION, "reno", 4) = 0` + "\n" + `+0 getsockopt(4, SOL_TCP, TCP_CONGESTION, "reno", [16]) = 0`, `"reno", [16]`, `"xeno", [16]`, "getsockopt() wrote another string"},
		{"option length", handshake, "+0 getsockopt(4, SOL_SOCKET, SO_TYPE, [1], [4]) = 0", "[4]", "[8]", "getsockopt() wrote 4 octets, not 8"},
		{"tcp_info", handshake, "+0 getsockopt(4, SOL_TCP, TCP_INFO, {tcpi_state=TCP_ESTABLISHED, tcpi_snd_mss=1000, tcpi_rtt=...}, ...) = 0", "=1000", "=999", "tcpi_snd_mss is 1000, not 999"},
		{"ioctl", handshake, "+0 < P. 1:31(30) ack 1 win 257\n+0 ioctl(4, SIOCINQ, [30]) = 0", "[30]", "[29]", "ioctl() wrote 30, not 29"},
		{"ioctl that sets", handshake, "+0 ioctl(4, FIONBIO, [1]) = 0\n+0 read(4, ..., 10) = -1 EAGAIN (Try again)", "[1]", "[0]", "read() blocks; it was to return at once"},
		{"getsockname", handshake, `+0 getsockname(4, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("192.168.0.1")}, ...) = 0`, "8080", "8081", "getsockname() wrote another address"},
		{"getpeername", handshake, `+0 getpeername(4, {sa_family=AF_INET, sin_port=..., sin_addr=inet_addr("192.0.2.1")}, ...) = 0`, "192.0.2.1", "192.0.2.2", "getpeername() wrote another address"},
		{"bad descriptor", handshake, "+0 read(9, ..., 10) = -1 EBADF (Bad file descriptor)", "EBADF", "EINVAL", "read() returned -1 EBADF (bad file descriptor), not -1 EINVAL"},
		{"use after close", handshake, "+0 close(4) = 0\n+0 read(4, ..., 10) = -1 EBADF (Bad file descriptor)", "EBADF", "EINVAL", "read() returned -1 EBADF (bad file descriptor), not -1 EINVAL"},
		{"accept4", strings.Replace(handshake, "accept(3, ..., ...)", "accept4(3, ..., ..., SOCK_NONBLOCK)", 1), "+0 fcntl(4, F_GETFL) = 0x802 (flags O_RDWR|O_NONBLOCK)", "0x802", "0x2", "fcntl() returned 2050, not 0x2"},
		{"poll", handshake, "+0...0.5 poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 2000) = 1\n+.5 < P. 1:3(2) ack 1 win 257", "2000) = 1", "100) = 1", "poll() returned 0 at 0.200000, not at 0.600000 (±0.062500)"},
		{"epoll", handshake, "+0 epoll_create(1) = 5\n+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4}) = 0\n+0...0.5 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 2000) = 1\n+.5 < P. 1:3(2) ack 1 win 257", "{events=EPOLLIN, fd=4}, 1", "{events=EPOLLOUT, fd=4}, 1", "event 0 is {events=0x1, data=4}, not {events=0x4, data=4}"},
		{"epoll without event", handshake, "+0 epoll_create1(0) = 5\n+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, u64=7}) = 0\n+0 epoll_wait(5, {events=0, u64=7}, 1, 0) = 0", "events=0", "events=EPOLLIN", "event 0 is {events=0x0, data=7}, not {events=0x1, data=7}"},
		{"several events", handshake, "+0 epoll_create1(0) = 5\n+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLOUT, ptr=9}) = 0\n+0 epoll_wait(5, [{events=EPOLLOUT, ptr=9}], 8, 0) = 1", "ptr=9}]", "ptr=8}]", "event 0 is {events=0x4, data=9}, not {events=0x4, data=8}"},
		{"disconnect", client, "+0 connect(3, AF_UNSPEC, ...) = 0\n+0 > R. 1:1(0) ack 1", "AF_UNSPEC, ...) = 0", "..., ...) = 0", ""},
		{"sendmsg", handshake, "+0 sendmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 10}, {..., 5}], msg_flags=0}, 0) = 15\n+0 > P. 1:16(15) ack 1", "= 15", "= 14", "sendmsg() returned 15, not 14"},
		{"udp in first", udpServer, "+0 < udp (100)\n+0 read(3, ..., 1000) = 100", "= 100", "= 99", "read() returned 100, not 99"},
		{"sendto", udpServer, "+0 sendto(3, ..., 100, 0, ..., ...) = 100\n+0 > udp (100)", "> udp (100)", "> udp (10)", "UDP length 108, not 18; payload length 100, not 10"},
		{"recvfrom", udpServer, "+0 < udp (100)\n" + `+0 recvfrom(3, ..., 1000, 0, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("192.0.2.1")}, ...) = 100`, "8080", "80", "recvfrom() wrote another address"},
		{"recvmsg cuts", udpServer, "+0 < udp (100)\n+0 recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 50}], msg_flags=MSG_TRUNC}, 0) = 50", "=MSG_TRUNC", "=0", "recvmsg() set msg_flags 0x20, not 0x0"},
		{"control message", udpServer, "+0 setsockopt(3, SOL_IP, IP_RECVTTL, [1], 4) = 0\n+0 < [ttl 77] udp (100)\n+0 recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 500}], msg_flags=0, msg_control=[{cmsg_level=SOL_IP, cmsg_type=IP_TTL, cmsg_data=77}]}, 0) = 100", "data=77", "data=78", "control message 0 differs"},
		{"no control message", udpServer, "+0 < udp (100)\n+0 recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 500}], msg_flags=0, msg_control=[]}, 0) = 100", "[]", "[{cmsg_level=SOL_IP, cmsg_type=IP_TTL, cmsg_data=77}]", "recvmsg() wrote 0 control messages, not 1"},
		{"error queue", "0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n+0 setsockopt(3, SOL_IP, IP_RECVERR, [1], 4) = 0\n+0 connect(3, ..., ...) = 0\n+0 write(3, ..., 10) = 10\n+0 > udp (10)\n+0 < icmp unreachable port_unreachable [udp (10)]\n",
			"+0 recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 500}], msg_flags=MSG_ERRQUEUE, msg_control=[{cmsg_level=SOL_IP, cmsg_type=IP_RECVERR, cmsg_data={ee_errno=ECONNREFUSED, ee_origin=SO_EE_ORIGIN_ICMP, ee_type=3, ee_code=3, ee_info=0, ee_data=0}}]}, MSG_ERRQUEUE) = 0", "ee_code=3", "ee_code=1", "control message 0 differs"},
		{"port unreachable", "\n", "0 < udp (100)\n+0 > icmp unreachable port_unreachable", "port_unreachable", "host_unreachable", "ICMP code 3, not 1"},
		{"freebsd buffers", "0 `kldload x`\n+" + strings.TrimSpace(strings.Replace(handshake, "listen(3, 1)", "setsockopt(3, SOL_SOCKET, SO_RCVBUF, [10500], 4) = 0\n+0 getsockopt(3, SOL_SOCKET, SO_RCVBUF, [10500], [4]) = 0\n+0 listen(3, 1)", 1)), "\n+0 getsockopt(4, SOL_SOCKET, SO_SNDBUF, [33000], [4]) = 0", "[33000]", "[32768]", "getsockopt() wrote 33000, not 32768"},
		{"freebsd implementation", "0 `kldload x`\n+" + strings.TrimSpace(handshake), "\n+0 setsockopt(4, IPPROTO_TCP, TCP_FUNCTION_BLK, {function_set_name=\"freebsd\", pcbcnt=0}, 36) = 0\n+0 %{ assert tcpi_state == TCPI_ESTABLISHED }%\n+0 getsockopt(4, IPPROTO_TCP, TCP_INFO, {tcpi_state=TCPS_ESTABLISHED, tcpi_snd_cwnd=10000}, ...) = 0", "{tcpi_state=TCPS_ESTABLISHED", "{tcpi_state=TCPS_CLOSED", "tcpi_state is 4, not 0"},
		{"flow label", "--ip_version=ipv6\n" + handshake, "+0 write(4, ..., 10) = 10\n+0 > [flowlabel 0x5] P. 1:11(10) ack 1\n* > [flowlabel 0x5] P. 1:11(10) ack 1", "* > [flowlabel 0x5]", "* > [flowlabel 0x6]", "flow label the same, not another than before"},
		{"arithmetic", handshake, "+0 write(4, ..., (2+3)*4-10/2%3|1<<3) = 26\n", "26", "27", "write() returned 26, not 27"},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := c.before + c.src + "\n"
			if r := run(t, src, Options{}); r.Outcome != Pass {
				t.Errorf("%v", r)
			}
			at := strings.LastIndex(src, c.old)
			if at < 0 || c.want == "" {
				return
			}
			if r := run(t, src[:at]+c.new+src[at+len(c.old):], Options{}); r.Outcome != Fail || r.Reason != c.want {
				t.Errorf("with %s want: %s\n%v", c.new, c.want, r)
			}
		})
	}
}
