package socket

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/shard"
)

func newBox(t *testing.T, hc shard.Config, cfg Config, family int) (*stepped, *box) {
	w := newStepped(t, hc, cfg)
	return w, &box{calls: w.System, family: family, port: 2000, rest: w.settle}
}

// info is TCP_INFO.
func (x *box) info(fd int) TCPInfo {
	i, err := x.calls.(*System).GetTCPInfo(fd)
	x.must("TCP_INFO", err)
	return i
}

func (w *stepped) counter(name string) (v uint64) {
	w.h.EachCounter(func(n string, x uint64) {
		if n == name {
			v = x
		}
	})
	return v
}

func TestReusePortSpreads(t *testing.T) {
	_, x := newBox(t, shard.Config{}, Config{}, 4)
	var ls []int
	for range 3 {
		l := x.nonblock()
		x.must("setsockopt", x.set(l, SOL_SOCKET, SO_REUSEPORT, 1))
		x.must("bind", x.Bind(l, x.lo(80)))
		x.must("listen", x.Listen(l, 100))
		ls = append(ls, l)
	}
	for range 60 {
		x.must("connect", x.Connect(x.tcp(), x.lo(80)))
	}
	x.settle()
	for _, l := range ls {
		n := 0
		for _, _, err := x.Accept4(l, 0); err == nil; _, _, err = x.Accept4(l, 0) {
			n++
		}
		if n < 8 || n > 35 {
			t.Errorf("a listener of three got %d of 60 connections", n)
		}
	}
}

func TestBuffersBoundTheWindow(t *testing.T) {
	_, x := newBox(t, shard.Config{}, Config{}, 6)
	l, sa := x.bound(x.nonblock())
	x.must("setsockopt", x.set(l, SOL_SOCKET, SO_RCVBUF, 10000))
	x.must("listen", x.Listen(l, 1))
	c := x.nonblock()
	x.must("setsockopt", x.set(c, SOL_SOCKET, SO_SNDBUF, 20000))
	x.Connect(c, sa)
	x.settle()
	n, err := x.Write(c, make([]byte, 1<<20))
	x.must("write", err)
	x.settle()
	if w := x.info(c).SndWnd; n > 20000 || w > 10000 {
		t.Errorf("%d octets were taken, the window is %d", n, w)
	}
	s, _, err := x.Accept4(l, 0)
	x.must("accept", err)
	if got, _ := x.Ioctl(s, FIONREAD); got != 10000 {
		t.Errorf("%d octets can be read, want all that the buffer holds", got)
	}
	unsent, _ := x.Ioctl(c, SIOCOUTQNSD)
	if out, _ := x.Ioctl(c, SIOCOUTQ); out != n-10000 || unsent != n-10000 {
		t.Errorf("%d unacknowledged, %d unsent of %d", out, unsent, n)
	}
}

func TestNotSentLowWaterMakesUnwritable(t *testing.T) {
	_, x := newBox(t, shard.Config{}, Config{}, 4)
	a, b := x.pair()
	x.must("setsockopt", x.set(a, SOL_TCP, TCP_NOTSENT_LOWAT, 1000))
	x.must("setsockopt", x.set(b, SOL_SOCKET, SO_RCVBUF, 4096))
	for {
		if _, err := x.Write(a, make([]byte, 5000)); err != nil {
			break
		}
		x.settle()
	}
	unsent, _ := x.Ioctl(a, SIOCOUTQNSD)
	if got := x.polled(a); got != "-" || unsent < 1000 || unsent > 7000 {
		t.Errorf("%s with %d octets unsent", got, unsent)
	}
	for n := 1; n > 0; n, _ = x.Read(b, make([]byte, 1<<20)) {
		x.settle()
	}
	if got := x.polled(a); got != "OUT|wrnorm" {
		t.Errorf("%s once all is sent", got)
	}
}

func TestMaxSegmentBoundsBothEnds(t *testing.T) {
	_, x := newBox(t, shard.Config{}, Config{}, 4)
	_, sa := x.listener(1)
	c := x.tcp()
	x.must("setsockopt", x.set(c, SOL_TCP, TCP_MAXSEG, 700))
	x.must("connect", x.Connect(c, sa))
	if i := x.info(c); i.SndMSS > 700 || i.Advmss != 700 || x.get(c, SOL_TCP, TCP_MAXSEG) != fmt.Sprint(i.SndMSS) {
		t.Errorf("mss %d, advertised %d, TCP_MAXSEG %s", i.SndMSS, i.Advmss, x.get(c, SOL_TCP, TCP_MAXSEG))
	}
}

func TestV6OnlyListenerHearsNoIPv4(t *testing.T) {
	for _, c := range []struct {
		only int
		want string
	}{{0, "ok fd from ::ffff:127.0.0.1"}, {1, "ECONNREFUSED EAGAIN"}} {
		_, x := newBox(t, shard.Config{}, Config{}, 6)
		l := x.nonblock()
		x.must("setsockopt", x.set(l, SOL_IPV6, IPV6_V6ONLY, c.only))
		x.must("bind", x.Bind(l, x.any(80)))
		x.must("listen", x.Listen(l, 1))
		fd, _ := x.Socket(AF_INET, SOCK_STREAM, 0)
		got := said(x.Connect(fd, x.at("127.0.0.1", 80)))
		x.settle()
		n, from, err := x.Accept4(l, 0)
		if err != nil {
			got += " " + number(n, err)
		} else {
			got += " fd from " + from.Addr.String()
		}
		if got != c.want {
			t.Errorf("IPV6_V6ONLY %d: %s, want %s", c.only, got, c.want)
		}
	}
}

func TestDeferredAcceptWaitsForOctets(t *testing.T) {
	_, x := newBox(t, shard.Config{}, Config{}, 4)
	l, sa := x.bound(x.nonblock())
	x.must("setsockopt", x.set(l, SOL_TCP, TCP_DEFER_ACCEPT, 10))
	x.must("listen", x.Listen(l, 1))
	c := x.tcp()
	x.must("connect", x.Connect(c, sa))
	if got := x.polled(l); got != "-" {
		t.Errorf("%s before anything was sent", got)
	}
	x.write(c, "hello")
	fd, _, err := x.Accept4(l, SOCK_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	if got := number(x.Read(fd, make([]byte, 9))); got != "5" {
		t.Errorf("read: %s", got)
	}
}

func TestWhatOverflowsTheBacklogIsIgnoredOrRefused(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string
	}{{Config{}, "- 0"}, {Config{RefuseOverflow: true}, "IN|OUT|ERR|HUP|rdnorm|wrnorm|RDHUP 111"}} {
		w, x := newBox(t, shard.Config{}, c.cfg, 4)
		l, sa := x.listener(1)
		var last int
		for range 3 { // two fit: the queue may hold one more than the backlog
			last = x.nonblock()
			x.Connect(last, sa)
			x.settle()
		}
		if got := x.polled(last) + " " + x.get(last, SOL_SOCKET, SO_ERROR); got != c.want {
			t.Errorf("%+v: %s, want %s", c.cfg, got, c.want)
		}
		if n := w.counter("tcp.drop.listen_overflow"); n != 1 {
			t.Errorf("%d overflows were counted", n)
		}
		if i := x.info(l); i.Unacked != 2 || i.Sacked != 1 {
			t.Errorf("%d of %d", i.Unacked, i.Sacked)
		}
	}
}

func TestUserTimeoutEndsAConnection(t *testing.T) {
	w, x := newBox(t, shard.Config{}, Config{}, 4)
	a, _ := x.pair()
	x.must("setsockopt", x.set(a, SOL_TCP, TCP_USER_TIMEOUT, 5000))
	w.lost = true
	x.write(a, "x")
	w.pass(4 * time.Second)
	if got := x.polled(a); got != "OUT|wrnorm" {
		t.Errorf("%s after 4 s", got)
	}
	w.pass(5 * time.Second)
	if got := number(x.Read(a, make([]byte, 1))); got != "ETIMEDOUT" {
		t.Errorf("%s after 9 s", got)
	}
}

func TestInfoTellsWhatWentOn(t *testing.T) {
	w, x := newBox(t, shard.Config{}, Config{}, 4)
	a, b := x.pair()
	x.write(a, strings.Repeat("x", 5000))
	w.pass(time.Second)
	i, j := x.info(a), x.info(b)
	if i.State != TCP_ESTABLISHED || i.BytesAcked < 5000 || i.BytesAcked > 5001 || i.BytesSent != 5000 || i.NotsentBytes != 0 || i.SndCwnd < 2 ||
		i.PMTU != 65535 && i.PMTU != 65536 || i.SndSsthresh != infiniteSsthresh || i.LastDataSent < 900 || i.LastDataSent > 1000 || i.RTO < 200000 && i.RTO == 0 {
		t.Errorf("%+v", i)
	}
	if j.BytesReceived != 5000 || j.DataSegsIn == 0 || j.RcvMSS == 0 {
		t.Errorf("%+v", j)
	}
	if o := uint8(TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE); i.Options&o != o {
		t.Errorf("options %#x", i.Options)
	}
	n := 0
	i.Each(func(name string, v uint64) { n++ })
	if n < 60 {
		t.Errorf("%d members", n)
	}
}

func TestNumberOfConstantsByName(t *testing.T) {
	for name, want := range map[string]int{"SO_REUSEADDR": 2, "TCP_NODELAY": 1, "MSG_DONTWAIT": 0x40, "EPOLLET": 1 << 31, "IPV6_V6ONLY": 26} {
		if got, ok := Constant(name); !ok || got != want {
			t.Errorf("%s is %d, %v", name, got, ok)
		}
	}
	if _, ok := Constant("SO_NONSENSE"); ok {
		t.Error("SO_NONSENSE is known")
	}
}

func TestGetaddrinfo(t *testing.T) {
	_, x := newBox(t, shard.Config{}, Config{Hostname: "box"}, 4)
	s := x.calls.(*System)
	for _, c := range []struct {
		node, service string
		hints         AddrInfo
		want          string
	}{
		{"192.0.2.1", "80", AddrInfo{SockType: SOCK_STREAM}, "1/6 192.0.2.1:80"},
		{"192.0.2.1", "80", AddrInfo{}, "1/6 192.0.2.1:80 2/17 192.0.2.1:80 3/0 192.0.2.1:80"},
		{"2001:db8::1", "http", AddrInfo{Protocol: IPPROTO_UDP, SockType: SOCK_DGRAM}, "2/17 [2001:db8::1]:80"},
		{"localhost", "", AddrInfo{SockType: SOCK_STREAM}, "1/6 [::1]:0 1/6 127.0.0.1:0"},
		{"box", "", AddrInfo{SockType: SOCK_STREAM, Family: AF_INET}, "1/6 127.0.0.1:0"},
		{"", "22", AddrInfo{SockType: SOCK_STREAM, Flags: AI_PASSIVE}, "1/6 0.0.0.0:22 1/6 [::]:22"},
		{"", "22", AddrInfo{SockType: SOCK_STREAM, Family: AF_INET6}, "1/6 [::1]:22"},
		{"192.0.2.1", "", AddrInfo{SockType: SOCK_STREAM, Family: AF_INET6, Flags: AI_V4MAPPED}, "1/6 [::ffff:192.0.2.1]:0"},
		{"192.0.2.1", "", AddrInfo{Family: AF_INET6}, "name or service not known"},
		{"nowhere.example", "", AddrInfo{}, "name or service not known"},
		{"localhost", "", AddrInfo{Flags: AI_NUMERICHOST}, "name or service not known"},
		{"localhost", "no-such", AddrInfo{}, "service not supported for ai_socktype"},
		{"localhost", "http", AddrInfo{Flags: AI_NUMERICSERV}, "name or service not known"},
		{"", "", AddrInfo{}, "name or service not known"},
		{"localhost", "", AddrInfo{Family: 77}, "ai_family not supported"},
		{"localhost", "", AddrInfo{SockType: 77}, "ai_socktype not supported"},
		{"localhost", "", AddrInfo{Flags: 1 << 20}, "bad value for ai_flags"},
		{"", "80", AddrInfo{Flags: AI_CANONNAME}, "bad value for ai_flags"},
	} {
		list, err := s.Getaddrinfo(c.node, c.service, &c.hints)
		var got []string
		for _, a := range list {
			got = append(got, fmt.Sprintf("%d/%d %v", a.SockType, a.Protocol, a.Addr.AddrPort()))
		}
		if err != nil {
			got = append(got, err.Error())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q %q %+v: %s, want %s", c.node, c.service, c.hints, got, c.want)
		}
	}
	b := make([]byte, 4)
	if n, err := s.Gethostname(b); n != 3 || err != nil || !slices.Equal(b, []byte("box\x00")) {
		t.Errorf("%d %v %q", n, err, b)
	}
	if n, err := s.Gethostname(b[:3]); n != -1 || said(err) == "ok" {
		t.Errorf("%d %v", n, err)
	}
}

func TestDescriptorsAreBounded(t *testing.T) {
	_, x := newBox(t, shard.Config{}, Config{MaxDescriptors: 6}, 4)
	l, sa := x.listener(1)
	c := x.tcp()
	x.must("connect", x.Connect(c, sa))
	x.settle()
	last := x.udp()
	if got := some(x.Socket(AF_INET, SOCK_STREAM, 0)); got != "EMFILE" {
		t.Errorf("socket: %s", got)
	}
	if got := accepted(x.Accept4(l, 0)); got != "EMFILE" {
		t.Errorf("accept: %s", got)
	}
	x.must("close", x.CloseFD(last))
	if got := accepted(x.Accept4(l, 0)); got != "fd from lo:port" {
		t.Errorf("accept, with a descriptor free again: %s", got)
	}
}

// A call that has found the descriptor before another closed it comes too late: it begins
// nothing that nobody would ever end.
func TestNothingBeginsOnAClosedSocket(t *testing.T) {
	w, x := newBox(t, shard.Config{}, Config{}, 4)
	for name, late := range map[string]func(e endpoint, f *file) error{
		"bind":    func(e endpoint, _ *file) error { return e.bind(x.lo(0)) },
		"listen":  func(e endpoint, _ *file) error { return e.listen(1) },
		"connect": func(e endpoint, f *file) error { return e.connect(f, x.out(9)) },
	} {
		fd := x.nonblock()
		e, f, err := w.sock(fd)
		x.must("sock", err)
		x.must("close", x.CloseFD(fd))
		if err := late(e, f); said(err) != "EBADF" {
			t.Errorf("%s: %s", name, said(err))
		}
	}
	if list := w.h.Connections(); len(list) > 0 {
		t.Errorf("there is %+v", list)
	}
	if n := w.counter("held.ports"); n != 0 {
		t.Errorf("%d ports are held", n)
	}
}

// FreeBSD's options of the handshake: none of TCP's in it, and no longer than so many seconds.
func TestOptionsOfTheHandshake(t *testing.T) {
	w, x := newBox(t, shard.Config{}, Config{}, 4)
	fd := x.tcp()
	if s := x.get(fd, SOL_TCP, TCP_KEEPINIT) + " " + x.get(fd, SOL_TCP, TCP_NOOPT); s != "0 0" {
		t.Errorf("at first %s", s)
	}
	x.must("setsockopt", x.set(fd, SOL_TCP, TCP_KEEPINIT, 5))
	x.must("setsockopt", x.set(fd, SOL_TCP, TCP_NOOPT, 1))
	from := w.clock.Now()
	if err := x.Connect(fd, x.out(9)); said(err) != "ETIMEDOUT" || w.clock.Now().Sub(from) != 5*time.Second {
		t.Errorf("%v after %v", err, w.clock.Now().Sub(from))
	}
	l, at := x.listener(1)
	fd = x.quiet(x.tcp())
	x.must("setsockopt", x.set(fd, SOL_TCP, TCP_NOOPT, 1))
	x.Connect(fd, at)
	x.settle()
	if _, _, err := x.Accept4(l, 0); err != nil || x.info(fd).Options != 0 {
		t.Errorf("%v, options %#x", err, x.info(fd).Options)
	}
	if err := x.set(fd, SOL_TCP, TCP_KEEPINIT, 0); said(err) != "EINVAL" {
		t.Errorf("TCP_KEEPINIT of 0: %v", err)
	}
}
