package socket_test

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weirnet/weir/stack/socket"
)

// randomPorts is how many ports a program binds by number, and randomSlots how many sockets it has.
const (
	randomPorts = 4
	randomSlots = 6
)

// sockets is the calls that random programs are made of; System and kernel.Calls have them.
type sockets interface {
	Socket(domain, typ, protocol int) (int, error)
	Bind(fd int, sa *socket.Sockaddr) error
	Listen(fd, backlog int) error
	Accept4(fd, flags int) (int, *socket.Sockaddr, error)
	Connect(fd int, sa *socket.Sockaddr) error
	RecvMsg(fd int, m *socket.Msghdr, flags int) (int, error)
	SendMsg(fd int, m *socket.Msghdr, flags int) (int, error)
	Shutdown(fd, how int) error
	CloseFD(fd int) error
	Getsockname(fd int) (*socket.Sockaddr, error)
	Getpeername(fd int) (*socket.Sockaddr, error)
	Fcntl(fd, cmd, arg int) (int, error)
	Ioctl(fd, req int) (int, error)
	Setsockopt(fd, level, name int, value []byte) error
	Getsockopt(fd, level, name int, value []byte) (int, error)
	Poll(fds []socket.PollFD, timeout time.Duration) (int, error)
	EpollCreate(flags int) (int, error)
	EpollCtl(epfd, op, fd int, ev *socket.EpollEvent) error
	EpollWait(epfd int, events []socket.EpollEvent, timeout time.Duration) (int, error)
	GetTCPInfo(fd int) (socket.TCPInfo, error)
}

// call is one call of a program: on a slot, with numbers that each kind reads as it likes.
type call struct {
	kind          string
	slot, other   int
	a, b, c, salt int
}

func (c call) String() string {
	return fmt.Sprintf("%s slot=%d other=%d a=%#x b=%#x c=%#x", c.kind, c.slot, c.other, c.a, c.b, c.c)
}

// generator makes calls.
type generator struct{ *rand.Rand }

func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

// The kinds of calls, by how often they come.
var kinds = strings.Fields(strings.Join([]string{
	strings.Repeat("socket ", 6), strings.Repeat("bind ", 4), strings.Repeat("listen ", 4), strings.Repeat("connect ", 7),
	strings.Repeat("accept ", 6), strings.Repeat("send ", 8), strings.Repeat("recv ", 8), strings.Repeat("sendto ", 4),
	strings.Repeat("shutdown ", 3), strings.Repeat("close ", 3), "dup", strings.Repeat("setint ", 5), "getint", "reset", "soerror",
	"disconnect", strings.Repeat("epollctl ", 4), strings.Repeat("epollwait ", 4),
}, " "))

func (g *generator) call(step int) call {
	c := call{kind: pick(g, kinds...), slot: g.IntN(randomSlots), other: g.IntN(randomSlots), salt: step}
	if step < 3 {
		c.kind = "socket"
		c.slot = step
	}
	switch c.kind {
	case "socket":
		c.a = pick(g, socket.AF_INET, socket.AF_INET6, socket.AF_INET6)
		c.b = pick(g, socket.SOCK_STREAM, socket.SOCK_STREAM, socket.SOCK_DGRAM)
	case "bind", "connect", "sendto":
		c.a, c.b = g.IntN(5), g.IntN(randomPorts+1)
		if c.kind != "bind" && g.IntN(3) > 0 {
			c.b = -1 // that of the other slot
		}
		if c.kind == "connect" && c.b == 0 { // who is connected to port 0 is hardly connected
			c.b = 1
		}
		c.c = g.IntN(1200)
	case "listen":
		c.a = g.IntN(4)
	case "send":
		c.a = pick(g, 0, 1, 10, 100, 1000, g.IntN(3000))
		c.b = pick(g, 0, 0, 0, socket.MSG_MORE, socket.MSG_OOB)
	case "recv":
		c.a = pick(g, 0, 1, 10, 100, 5000, 5000, g.IntN(3000))
		c.b = pick(g, 0, 0, 0, socket.MSG_PEEK, socket.MSG_TRUNC, socket.MSG_PEEK|socket.MSG_TRUNC, socket.MSG_OOB, socket.MSG_WAITALL, socket.MSG_ERRQUEUE)
		c.c = pick(g, 0, 0, 8, 16, 20, 40, 200)
	case "shutdown":
		c.a = g.IntN(3)
	case "setint", "getint":
		o := pick(g, randomOptions...)
		c.a, c.b = o[0], o[1]
		c.c = pick(g, 0, 1, 1, 1, 2, -1)
	case "epollctl":
		c.a = pick(g, socket.EPOLL_CTL_ADD, socket.EPOLL_CTL_ADD, socket.EPOLL_CTL_MOD, socket.EPOLL_CTL_DEL)
		c.b = pick(g, 0, socket.EPOLLIN, socket.EPOLLOUT, socket.EPOLLIN|socket.EPOLLOUT|socket.EPOLLRDHUP|socket.EPOLLPRI) |
			pick(g, 0, 0, socket.EPOLLET, socket.EPOLLONESHOT)
		if c.b&socket.EPOLLET != 0 {
			c.b &^= socket.EPOLLOUT // Linux tells of room each time that something was sent
		}
	case "epollwait":
		c.a = randomSlots + 1 // in which order they come is nobody's promise
	}
	return c
}

// randomOptions are options that are set to small numbers.
var randomOptions = [][2]int{
	{socket.SOL_SOCKET, socket.SO_REUSEADDR}, {socket.SOL_SOCKET, socket.SO_REUSEADDR}, {socket.SOL_SOCKET, socket.SO_REUSEPORT},
	{socket.SOL_SOCKET, socket.SO_OOBINLINE}, {socket.SOL_SOCKET, socket.SO_BROADCAST}, {socket.SOL_SOCKET, socket.SO_KEEPALIVE},
	{socket.SOL_TCP, socket.TCP_CORK}, {socket.SOL_TCP, socket.TCP_INQ},
	{socket.SOL_IP, socket.IP_PKTINFO}, {socket.SOL_IP, socket.IP_RECVTTL}, {socket.SOL_IP, socket.IP_RECVTOS}, {socket.SOL_IP, socket.IP_TOS},
	{socket.SOL_IP, socket.IP_TTL}, {socket.SOL_IP, socket.IP_MULTICAST_TTL}, {socket.SOL_IP, socket.IP_BIND_ADDRESS_NO_PORT},
	{socket.SOL_IPV6, socket.IPV6_V6ONLY}, {socket.SOL_IPV6, socket.IPV6_V6ONLY}, {socket.SOL_IPV6, socket.IPV6_RECVPKTINFO},
	{socket.SOL_IPV6, socket.IPV6_RECVHOPLIMIT}, {socket.SOL_IPV6, socket.IPV6_RECVTCLASS}, {socket.SOL_IPV6, socket.IPV6_TCLASS},
	{socket.SOL_UDP, socket.UDP_CORK}, {socket.SOL_IP, socket.IP_RECVERR}, {socket.SOL_IPV6, socket.IPV6_RECVERR},
}

// world is a program under way on one of the two.
type world struct {
	sockets
	base   int
	fds    [randomSlots]int
	ep     int
	ports  map[int]int     // that were chosen, by how they are told
	shut   map[uint64]bool // by the socket's cookie
	mapped map[uint64]bool
	corked map[uint64]bool
	result string
}

func newWorld(s sockets, base int) *world {
	w := &world{sockets: s, base: base, ports: map[int]int{}, shut: map[uint64]bool{}, mapped: map[uint64]bool{}, corked: map[uint64]bool{}}
	for i := range w.fds {
		w.fds[i] = -1
	}
	w.ep, _ = s.EpollCreate(0)
	return w
}

func (w *world) close() {
	for i := range w.fds {
		w.closeSlot(i)
	}
	w.CloseFD(w.ep)
}

func (w *world) closeSlot(i int) error {
	err := w.CloseFD(w.fds[i])
	w.fds[i] = -1
	return err
}

// take puts a new descriptor into a slot, if that is free.
func (w *world) take(slot, fd int, err error) string {
	if err != nil {
		return errnoName(err)
	}
	if w.fds[slot] >= 0 {
		w.closeSlot(slot)
	}
	w.fds[slot] = fd
	return "fd"
}

func errnoName(err error) string {
	if e, ok := err.(syscall.Errno); ok {
		return unix.ErrnoName(e)
	}
	if err != nil {
		return err.Error()
	}
	return "ok"
}

// port tells a port: those that are bound by number from 0 to 3, those chosen in the order in which
// they are seen.
func (w *world) port(p int) string {
	switch {
	case p == 0:
		return "0"
	case p >= w.base && p < w.base+randomPorts:
		return fmt.Sprintf("p%d", p-w.base)
	}
	if _, seen := w.ports[p]; !seen {
		w.ports[p] = len(w.ports)
	}
	return fmt.Sprintf("e%d", w.ports[p])
}

func (w *world) name(sa *socket.Sockaddr) string {
	if sa == nil {
		return "nil"
	}
	return fmt.Sprintf("%d/%v:%s", sa.Family, sa.Addr, w.port(sa.Port))
}

// sockaddr is the address that a call names.
func (w *world) sockaddr(c call) *socket.Sockaddr {
	domain, err := w.getint(w.fds[c.slot], socket.SOL_SOCKET, socket.SO_DOMAIN)
	if err != nil {
		domain = socket.AF_INET
	}
	a := [][]string{
		{"127.0.0.1", "127.0.0.1", "0.0.0.0", "127.0.0.2", "192.0.2.9"},
		{"::1", "::ffff:127.0.0.1", "::", "::1", "2001:db8::9"},
	}[b2i(domain == socket.AF_INET6)][c.a]
	port := 0
	switch {
	case c.b < 0:
		if sa, err := w.Getsockname(w.fds[c.other]); err == nil {
			port = sa.Port
		}
		if port == 0 {
			port = w.base + c.other%randomPorts
		}
	case c.b > 0:
		port = w.base + c.b - 1
	}
	return &socket.Sockaddr{Family: domain, Addr: netip.MustParseAddr(a), Port: port}
}

// strange reports whether an AF_INET6 UDP socket with an address of one family would send to the
// other's: then Linux sends from 127.0.0.6, which nobody wants.
func (w *world) strange(fd int, to *socket.Sockaddr) bool {
	typ, _ := w.getint(fd, socket.SOL_SOCKET, socket.SO_TYPE)
	sa, err := w.Getsockname(fd)
	if err != nil || typ != socket.SOCK_DGRAM || sa.Family != socket.AF_INET6 || sa.Addr.IsUnspecified() || to.Addr.IsUnspecified() {
		return false
	}
	return sa.Addr.Is4In6() != to.Addr.Is4In6()
}

// toItself reports whether a socket would connect to a port that was chosen for it: it may or may not
// get the same again; or to its own at all after shutdown(2), which nobody has thought of.
func (w *world) toItself(fd int, to *socket.Sockaddr) bool {
	sa, err := w.Getsockname(fd)
	return err == nil && sa.Port == to.Port && (sa.Port < w.base || sa.Port >= w.base+randomPorts || w.shut[w.cookie(fd)])
}

// worn reports whether a TCP socket that was connected to a mapped address would be connected
// to an IPv6 one: Linux's never gets its SYN,ACK then.
func (w *world) worn(fd int, to *socket.Sockaddr) bool {
	k := w.cookie(fd)
	if to.Addr.Is4In6() {
		w.mapped[k] = true
	}
	return w.mapped[k] && to.Family == socket.AF_INET6 && !to.Addr.Is4In6()
}

// leaves reports whether a connected socket would be connected to what cannot be reached: what
// a UDP socket of Linux has of its old peer then depends.
func (w *world) leaves(fd, a int) bool {
	_, err := w.Getpeername(fd)
	return a == 4 && err == nil
}

// cookie tells sockets apart.
func (w *world) cookie(fd int) uint64 {
	var b [8]byte
	w.Getsockopt(fd, socket.SOL_SOCKET, socket.SO_COOKIE, b[:])
	return binary.NativeEndian.Uint64(b[:])
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (w *world) getint(fd, level, name int) (int, error) {
	var b [4]byte
	n, err := w.Getsockopt(fd, level, name, b[:])
	if err != nil || n < 4 {
		return 0, err
	}
	return int(int32(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)), nil
}

func (w *world) setint(fd, level, name int, v ...int) error {
	var b []byte
	for _, v := range v {
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return w.Setsockopt(fd, level, name, b)
}

// text is n octets that tell where they were sent.
func text(n, salt int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(salt*37 + i)
	}
	return b
}

func counted(n int, err error) string {
	if err != nil {
		return errnoName(err)
	}
	return fmt.Sprint(n)
}

// do makes a call and tells what came of it.
func (w *world) do(c call) string {
	fd := w.fds[c.slot]
	switch c.kind {
	case "socket":
		if fd >= 0 {
			return "taken"
		}
		got, err := w.Socket(c.a, c.b|socket.SOCK_NONBLOCK, 0)
		w.setint(got, socket.SOL_TCP, socket.TCP_NODELAY, 1) // when an ACK comes is not compared
		return w.take(c.slot, got, err)
	case "bind":
		return errnoName(w.Bind(fd, w.sockaddr(c)))
	case "listen":
		if w.shut[w.cookie(fd)] { // whose connections Linux would shut down too
			return "not done"
		}
		return errnoName(w.Listen(fd, c.a))
	case "connect":
		to := w.sockaddr(c)
		if w.strange(fd, to) || w.toItself(fd, to) || w.worn(fd, to) || w.corked[w.cookie(fd)] || w.leaves(fd, c.a) {
			return "not done"
		}
		return errnoName(w.Connect(fd, to))
	case "disconnect":
		typ, _ := w.getint(fd, socket.SOL_SOCKET, socket.SO_TYPE)
		if domain, _ := w.getint(fd, socket.SOL_SOCKET, socket.SO_DOMAIN); domain == socket.AF_INET6 && typ == socket.SOCK_DGRAM {
			return "not done" // Linux's goes on to hear the old peer only
		}
		return errnoName(w.Connect(fd, &socket.Sockaddr{Family: socket.AF_UNSPEC}))
	case "accept":
		got, sa, err := w.Accept4(fd, socket.SOCK_NONBLOCK)
		if err != nil {
			return errnoName(err)
		}
		if c.other == c.slot {
			w.CloseFD(got)
			return w.name(sa)
		}
		return w.take(c.other, got, err) + " " + w.name(sa)
	case "send":
		if typ, _ := w.getint(fd, socket.SOL_SOCKET, socket.SO_TYPE); typ == socket.SOCK_STREAM {
			c.b &^= socket.MSG_MORE // Linux sends it with the next ACK
		}
		if c.b == socket.MSG_MORE { // whereto the rest goes after another connect(2) Linux does not know itself
			w.corked[w.cookie(fd)] = true
		}
		return counted(w.SendMsg(fd, &socket.Msghdr{Iov: [][]byte{text(c.a, c.salt)}}, c.b|socket.MSG_NOSIGNAL))
	case "sendto":
		to := w.sockaddr(c)
		if w.strange(fd, to) {
			return "not done"
		}
		return counted(w.SendMsg(fd, &socket.Msghdr{Name: to, Iov: [][]byte{text(c.c, c.salt)}}, socket.MSG_NOSIGNAL))
	case "recv":
		return w.receive(fd, c)
	case "shutdown":
		w.shut[w.cookie(fd)] = true
		return errnoName(w.Shutdown(fd, c.a))
	case "close":
		return errnoName(w.closeSlot(c.slot))
	case "reset":
		w.setint(fd, socket.SOL_SOCKET, socket.SO_LINGER, 1, 0)
		return errnoName(w.closeSlot(c.slot))
	case "dup":
		if c.slot == c.other {
			return ""
		}
		got, err := w.Fcntl(fd, socket.F_DUPFD, 0)
		return w.take(c.other, got, err)
	case "setint":
		if c.a == socket.SOL_UDP {
			w.corked[w.cookie(fd)] = true
		}
		if n, _ := w.Ioctl(fd, socket.FIONREAD); n > 0 && (c.b == socket.IP_PKTINFO || c.b == socket.IPV6_RECVPKTINFO) {
			return "not done" // of what has come before, Linux does not know the interface
		}
		return errnoName(w.setint(fd, c.a, c.b, c.c))
	case "getint":
		return counted(w.getint(fd, c.a, c.b))
	case "soerror":
		v, err := w.getint(fd, socket.SOL_SOCKET, socket.SO_ERROR)
		return errnoName(err) + " " + errnoName(syscall.Errno(v))
	case "epollctl":
		return errnoName(w.EpollCtl(w.ep, c.a, fd, &socket.EpollEvent{Events: uint32(c.b), Data: uint64(c.slot)}))
	case "epollwait":
		return w.epollwait(c)
	}
	return "?"
}

func (w *world) receive(fd int, c call) string {
	p := make([]byte, c.a)
	m := &socket.Msghdr{Iov: [][]byte{p[:c.a/3], p[c.a/3:]}, Control: make([]byte, c.c)}
	n, err := w.RecvMsg(fd, m, c.b)
	if err != nil {
		return errnoName(err)
	}
	return fmt.Sprintf("%d %08x %s %#x %x", n, crc32.ChecksumIEEE(p), w.name(m.Name), m.Flags, m.Control)
}

func (w *world) epollwait(c call) string {
	ev := make([]socket.EpollEvent, c.a)
	n, err := w.EpollWait(w.ep, ev, 0)
	if err != nil {
		return errnoName(err)
	}
	slices.SortFunc(ev[:n], func(a, b socket.EpollEvent) int { return int(a.Data) - int(b.Data) })
	return fmt.Sprintf("%v", ev[:n])
}

// state tells what can be seen of all sockets.
func (w *world) state() string {
	var b strings.Builder
	b.WriteString(w.result)
	for i, fd := range w.fds {
		if fd < 0 {
			continue
		}
		p := []socket.PollFD{{FD: fd, Events: socket.POLLIN | socket.POLLPRI | socket.POLLOUT | socket.POLLRDHUP | socket.POLLRDNORM | socket.POLLWRNORM | socket.POLLRDBAND | socket.POLLWRBAND}}
		w.Poll(p, 0)
		fmt.Fprintf(&b, "\n  %d: %#x", i, p[0].Revents)
		sa, err := w.Getsockname(fd)
		fmt.Fprintf(&b, " %s %s", errnoName(err), w.name(sa))
		sa, err = w.Getpeername(fd)
		fmt.Fprintf(&b, " %s %s", errnoName(err), w.name(sa))
		fmt.Fprintf(&b, " inq %s", counted(w.Ioctl(fd, socket.FIONREAD)))
		if info, err := w.GetTCPInfo(fd); err == nil {
			if info.State == socket.TCP_FIN_WAIT2 { // that the FIN is acknowledged may come later
				info.State = socket.TCP_FIN_WAIT1
			}
			fmt.Fprintf(&b, " state %d mark %s", info.State, counted(w.Ioctl(fd, socket.SIOCATMARK)))
		}
	}
	return b.String()
}
