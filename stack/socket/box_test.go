package socket

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/route"
	"github.com/weirnet/weir/stack/shard"
)

// stepped is a host in virtual time whose calls that block let it go on: it takes what its
// loopback holds, and where that is nothing the clock goes on to the next timer.
type stepped struct {
	testing.TB
	*System
	h     *shard.Host
	clock *clock.Manual
	in    link.Frame
	lost  bool // what the loopback carries is lost
}

// sink is a device on which nobody answers.
type sink struct{}

func (sink) Name() string                                 { return "e0" }
func (sink) MTU() int                                     { return 1500 }
func (sink) Features() uint64                             { return 0 }
func (sink) Queues() int                                  { return 1 }
func (sink) Close() error                                 { return nil }
func (sink) ReadFrames(int, [][]byte, []int) (int, error) { return 0, os.ErrClosed }
func (sink) WriteFrames(_ int, f [][]byte) (int, error)   { return len(f), nil }

func newStepped(t testing.TB, hc shard.Config, cfg Config) *stepped {
	t.Helper()
	w := &stepped{TB: t, clock: new(clock.Manual)}
	w.clock.Set(clock.Time(time.Hour))
	hc.Clock, hc.Secret = w.clock, [32]byte{1}
	w.h = shard.New(hc)
	w.in.Buf = make([]byte, link.FrameSize)
	e0, err := w.h.AddInterface("e0", sink{}, []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8::1/64")})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.h.AddRoute(route.Route{Dst: netip.MustParsePrefix("ff00::/8"), Interface: e0.Index()}); err != nil {
		t.Fatal(err)
	}
	cfg.Block = w.block
	w.System = New(w.h, cfg)
	t.Cleanup(func() { w.h.Close() })
	return w
}

// settle lets everything happen that happens now.
func (w *stepped) settle() {
	lo := w.h.InterfaceByName("lo")
	dev := lo.Device().(interface{ InUse() int })
	for range 100000 {
		if dev.InUse() > 0 {
			var size [1]int
			if n, _ := lo.Device().ReadFrames(0, [][]byte{w.in.ReadBuf()}, size[:]); n == 1 && w.in.SetRead(size[0]) == nil && !w.lost {
				w.h.Deliver(lo, &w.in)
			}
			continue
		}
		if w.h.Deadline() > w.clock.Now() {
			return
		}
		w.h.Expire()
	}
	w.Fatal("the host is never at rest")
}

func (w *stepped) block(deadline clock.Time, ready func() bool) bool {
	for range 1000000 {
		w.settle()
		if ready() {
			return true
		}
		at := min(w.h.Deadline(), deadline)
		if at == clock.Never {
			w.Fatal("somebody waits for what does not come")
		}
		if w.clock.Now() >= deadline {
			return false
		}
		w.clock.Set(at)
	}
	w.Fatal("somebody waits too long")
	return false
}

// pass lets time go by.
func (w *stepped) pass(d time.Duration) {
	w.block(w.clock.Now().Add(d), func() bool { return false })
}

// box is one row's calls, with shorthands. A call of preparation that fails ends the row with
// what failed.
type box struct {
	calls
	on     string // "weir" or "linux"
	family int    // 4, 6, or 46 for mapped addresses
	port   int
	rest   func() // lets what is on its way arrive
}

// settle lets what was sent arrive.
func (x *box) settle() {
	if x.rest != nil {
		x.rest()
	}
}

type failed string

// run does a row and returns what came of it.
func (x *box) run(do func(*box) string) (got string) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failed:
			got = string(r)
		default:
			panic(r)
		}
	}()
	return do(x)
}

func (x *box) must(what string, err error) {
	if err != nil {
		panic(failed("preparation: " + what + ": " + said(err)))
	}
}

// said names an error.
func said(err error) string {
	if err == nil {
		return "ok"
	}
	if s, ok := errnoNames[err]; ok {
		return s
	}
	return err.Error()
}

// number is what a call returned that returns a number.
func number(n int, err error) string {
	if err != nil {
		if n != -1 {
			return fmt.Sprintf("%s, but %d", said(err), n)
		}
		return said(err)
	}
	return strconv.Itoa(n)
}

// some is number for descriptors.
func some(n int, err error) string {
	if err != nil {
		return number(n, err)
	}
	return "fd"
}

func (x *box) domain() int {
	if x.family == 4 {
		return AF_INET
	}
	return AF_INET6
}

// lo is an end on this host, in the row's family.
func (x *box) lo(port int) *Sockaddr {
	return x.at(map[int]string{4: "127.0.0.1", 6: "::1", 46: "::ffff:127.0.0.1"}[x.family], port)
}

// any is the unspecified address.
func (x *box) any(port int) *Sockaddr {
	return x.at(map[int]string{4: "0.0.0.0", 6: "::", 46: "::"}[x.family], port)
}

// out is an end that is not on this host, out there on e0.
func (x *box) out(port int) *Sockaddr {
	return x.at(map[int]string{4: "192.0.2.9", 6: "2001:db8::9", 46: "::ffff:192.0.2.9"}[x.family], port)
}

// gone is an end to which there is no route.
func (x *box) gone(port int) *Sockaddr {
	return x.at(map[int]string{4: "203.0.113.1", 6: "2001:db8:9::1", 46: "::ffff:203.0.113.1"}[x.family], port)
}

func (x *box) at(a string, port int) *Sockaddr {
	return NewSockaddr(netip.AddrPortFrom(netip.MustParseAddr(a), uint16(port)))
}

// fresh is a port that no other row uses.
func (x *box) fresh() int {
	x.port++
	return x.port
}

func (x *box) socket(typ int) int { return x.socketOf(typ, 0) }

func (x *box) socketOf(typ, protocol int) int {
	fd, err := x.Socket(x.domain(), typ, protocol)
	x.must("socket", err)
	return fd
}

func (x *box) tcp() int      { return x.socket(SOCK_STREAM) }
func (x *box) nonblock() int { return x.socket(SOCK_STREAM | SOCK_NONBLOCK) }
func (x *box) udp() int      { return x.socket(SOCK_DGRAM | SOCK_NONBLOCK) }

func (x *box) bound(fd int) (int, *Sockaddr) {
	x.must("bind", x.Bind(fd, x.lo(0)))
	sa, err := x.Getsockname(fd)
	x.must("getsockname", err)
	return fd, sa
}

func (x *box) listener(backlog int) (int, *Sockaddr) {
	fd, sa := x.bound(x.nonblock())
	x.must("listen", x.Listen(fd, backlog))
	return fd, sa
}

// pair is a connection: its two ends.
func (x *box) pair() (client, server int) {
	l, sa := x.listener(5)
	client = x.tcp()
	x.must("connect", x.Connect(client, sa))
	x.settle()
	server, _, err := x.Accept4(l, SOCK_NONBLOCK)
	x.must("accept", err)
	x.must("close", x.CloseFD(l))
	return x.quiet(client), server
}

// quiet makes a socket non-blocking.
func (x *box) quiet(fd int) int {
	_, err := x.Fcntl(fd, F_SETFL, O_NONBLOCK)
	x.must("fcntl", err)
	return fd
}

// udpPair is two UDP sockets connected to each other.
func (x *box) udpPair() (a, b int) {
	a, at := x.bound(x.udp())
	b, bt := x.bound(x.udp())
	x.must("connect", x.Connect(a, bt))
	x.must("connect", x.Connect(b, at))
	return a, b
}

// refused is a UDP socket whose peer is not there, and that knows it.
func (x *box) refused() int {
	gone, at := x.bound(x.udp())
	fd := x.udp()
	x.must("connect", x.Connect(fd, at))
	x.must("close", x.CloseFD(gone))
	_, err := x.Write(fd, []byte("x"))
	x.must("write", err)
	x.settle()
	return fd
}

func (x *box) write(fd int, s string) {
	n, err := x.Write(fd, []byte(s))
	x.must("write", err)
	if n != len(s) {
		panic(failed("preparation: short write"))
	}
	x.settle()
}

func (x *box) set(fd, level, name, v int) error {
	return x.Setsockopt(fd, level, name, appendInt(nil, v))
}

func (x *box) get(fd, level, name int) string {
	var b [4]byte
	n, err := x.Getsockopt(fd, level, name, b[:])
	if err != nil {
		return number(n, err)
	}
	if n != 4 {
		return fmt.Sprintf("%d octets", n)
	}
	return strconv.Itoa(intOf(b[:]))
}

// polled is what poll reports of a descriptor when asked for everything.
func (x *box) polled(fd int) string {
	x.settle()
	p := []PollFD{{FD: fd, Events: POLLIN | POLLPRI | POLLOUT | POLLRDHUP | POLLRDNORM | POLLWRNORM | POLLRDBAND | POLLWRBAND}}
	if _, err := x.Poll(p, 0); err != nil {
		return said(err)
	}
	return eventNames(uint32(p[0].Revents))
}

func eventNames(v uint32) string {
	var list []string
	for _, e := range []struct {
		bit  uint32
		name string
	}{{EPOLLIN, "IN"}, {EPOLLPRI, "PRI"}, {EPOLLOUT, "OUT"}, {EPOLLERR, "ERR"}, {EPOLLHUP, "HUP"}, {POLLNVAL, "NVAL"}, {EPOLLRDNORM, "rdnorm"},
		{EPOLLRDBAND, "rdband"}, {EPOLLWRNORM, "wrnorm"}, {EPOLLWRBAND, "wrband"}, {EPOLLRDHUP, "RDHUP"}} {
		if v&e.bit != 0 {
			list = append(list, e.name)
			v &^= e.bit
		}
	}
	if v != 0 {
		list = append(list, fmt.Sprintf("%#x", v))
	}
	if len(list) == 0 {
		return "-"
	}
	return strings.Join(list, "|")
}
