package socket

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// kernel is the kernel's own calls with the methods of System.
type kernel struct{ fds []int }

// inNamespace runs f on a thread that is alone in a network namespace, with lo up and v0 on
// 192.0.2.1/24 and 2001:db8::1/64, whose other end nobody listens at. Without root it skips,
// but not in CI.
func inNamespace(t *testing.T, f func()) {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("the kernel's half of the table needs root, for a namespace of its own")
		}
		t.Log("not compared with the kernel: that needs root, for a namespace of its own")
		return
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine, and its namespace
		for _, step := range []func() error{stayUndisturbed, func() error { return unix.Unshare(unix.CLONE_NEWNET) }, setUpNamespace, waitForRoutes} {
			if err := step(); err != nil {
				done <- err
				return
			}
		}
		defer close(done)
		f()
	}()
	if err := <-done; err != nil {
		t.Fatalf("make a network namespace: %v", err)
	}
}

func setUpNamespace() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return err
	}
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "e0"}, PeerName: "e0peer"}
	if err := netlink.LinkAdd(veth); err != nil {
		return err
	}
	for _, a := range []string{"192.0.2.1/24", "2001:db8::1/64"} {
		addr, err := netlink.ParseAddr(a)
		if err != nil {
			return err
		}
		if addr.IP.To4() == nil {
			addr.Flags = unix.IFA_F_NODAD
		} else {
			addr.Broadcast = net.IPv4(192, 0, 2, 255)
		}
		if err := netlink.AddrAdd(veth, addr); err != nil {
			return err
		}
	}
	peer, err := netlink.LinkByName("e0peer")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(peer); err != nil {
		return err
	}
	if err := netlink.LinkSetUp(veth); err != nil {
		return err
	}
	return takeTime(lo, veth)
}

// takeTime makes rows come out alike however long they take. Who does not answer has a link-layer address, so that
// the kernel does not find after three seconds that he cannot be reached; and on loopback the least timeout of
// retransmission is a minute rather than 200 ms, after which the kernel sends what a cork holds back.
func takeTime(lo, e0 netlink.Link) error {
	for _, a := range []string{"192.0.2.9", "2001:db8::9"} {
		n := &netlink.Neigh{LinkIndex: e0.Attrs().Index, State: netlink.NUD_PERMANENT, IP: net.ParseIP(a), HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 9}}
		if err := netlink.NeighSet(n); err != nil {
			return fmt.Errorf("give %s a link-layer address: %w", a, err)
		}
	}
	for _, a := range []string{"127.0.0.1/32", "::1/128"} {
		dst, err := netlink.ParseIPNet(a)
		if err != nil {
			return err
		}
		r := &netlink.Route{LinkIndex: lo.Attrs().Index, Dst: dst, Table: unix.RT_TABLE_LOCAL, Type: unix.RTN_LOCAL, Scope: netlink.SCOPE_HOST, RtoMin: 60_000, RtoMinLock: true}
		if dst.IP.To4() == nil { // the kernel's own goes before any other
			if err := netlink.RouteDel(&netlink.Route{LinkIndex: r.LinkIndex, Dst: dst, Table: r.Table, Type: r.Type}); err != nil {
				return fmt.Errorf("take away the route to %s: %w", a, err)
			}
		}
		if err := netlink.RouteReplace(r); err != nil {
			return fmt.Errorf("set the timeout of retransmission to %s: %w", a, err)
		}
	}
	return nil
}

// waitForRoutes waits until e0 is up for IPv6 too, which the kernel sees to in a worker of its own.
func waitForRoutes() error {
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		e0, err := netlink.LinkByName("e0")
		if err != nil {
			return err
		}
		_, err = netlink.RouteGet(net.ParseIP("2001:db8::9"))
		if err == nil && e0.Attrs().OperState == netlink.OperUp {
			return nil
		}
		if time.Since(begun) > time.Minute {
			return fmt.Errorf("e0 does not come up: it is %v, and a route: %v", e0.Attrs().OperState, err)
		}
	}
}

// stayUndisturbed keeps the runtime's signals from the thread, for good: one that arrives while a call waits ends it, and
// a connect(2) that is made again answers otherwise than one that was not interrupted. And it keeps the thread on
// one processor, as barrier needs it.
func stayUndisturbed() error {
	signals := unix.Sigset_t{}
	signals.Val[0] = 1 << (unix.SIGURG - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &signals, nil); err != nil {
		return err
	}
	var may, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &may); err != nil {
		return err
	}
	for cpu := range 8 * int(unsafe.Sizeof(may)) {
		if may.IsSet(cpu) {
			one.Set(cpu)
			break
		}
	}
	return unix.SchedSetaffinity(0, &one)
}

// barrier returns a function that returns once all has arrived that was on its way over loopback: what a thread
// sends is queued at its processor and mostly delivered before the call returns, but where the kernel has much else to do
// it leaves that to a thread of its own. The queue is first in, first out, so that a datagram arrives after what was
// sent before; and what answers an answer comes in one of the next rounds.
func barrier(k *kernel) (func(), error) {
	fd, err := k.Socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	at := NewSockaddr(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), firstPort-1))
	if err := k.Bind(fd, at); err != nil {
		return nil, err
	}
	if err := k.Connect(fd, at); err != nil {
		return nil, err
	}
	return func() {
		var b [1]byte
		for range 8 {
			if _, err := k.Write(fd, b[:]); err != nil {
				panic(failed("barrier: " + said(err)))
			}
			if _, err := k.Read(fd, b[:]); err != nil {
				panic(failed("barrier: " + said(err)))
			}
		}
	}, nil
}

// sys makes a system call. What its arguments point to is moved to the heap: a stack that grows on the way to the call
// moves, and the kernel would write to where it was.
//
//go:uintptrescapes
func sys(nr uintptr, a ...uintptr) (int, error) {
	var b [6]uintptr
	copy(b[:], a)
	for {
		r, _, e := syscall.Syscall6(nr, b[0], b[1], b[2], b[3], b[4], b[5])
		if e == syscall.EINTR { // the runtime's own signals
			continue
		}
		if e != 0 {
			return -1, e
		}
		return int(r), nil
	}
}

// first is where p begins, and not nil where it is empty.
func first(p []byte) *byte {
	if len(p) == 0 {
		return &nothing[0]
	}
	return &p[0]
}

var nothing [1]byte

// made notes a descriptor, so that it is closed in the end.
func (k *kernel) made(fd int, err error) (int, error) {
	if err == nil {
		k.fds = append(k.fds, fd)
	}
	return fd, err
}

func (k *kernel) closeAll() {
	for _, fd := range k.fds {
		sys(unix.SYS_CLOSE, uintptr(fd))
	}
	k.fds = nil
}

func (k *kernel) Socket(domain, typ, protocol int) (int, error) {
	return k.made(sys(unix.SYS_SOCKET, uintptr(domain), uintptr(typ), uintptr(protocol)))
}

// raw returns the octets and the length that the kernel is told.
func rawSockaddr(sa *Sockaddr) ([]byte, int) {
	if sa == nil {
		return nil, 0
	}
	b := sa.Append(make([]byte, 0, 256))
	return b[:cap(b)], sa.length()
}

func (k *kernel) Bind(fd int, sa *Sockaddr) error {
	b, n := rawSockaddr(sa)
	var p *byte
	if sa != nil {
		p = first(b)
	} else {
		n = 16
	}
	_, err := sys(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(p)), uintptr(n))
	return err
}

func (k *kernel) Connect(fd int, sa *Sockaddr) error {
	b, n := rawSockaddr(sa)
	var p *byte
	if sa != nil {
		p = first(b)
	} else {
		n = 16
	}
	_, err := sys(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(p)), uintptr(n))
	return err
}

func (k *kernel) Listen(fd, backlog int) error {
	_, err := sys(unix.SYS_LISTEN, uintptr(fd), uintptr(backlog))
	return err
}

func (k *kernel) Accept4(fd, flags int) (int, *Sockaddr, error) {
	b, n := make([]byte, 128), uint32(128)
	got, err := k.made(sys(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(first(b))), uintptr(unsafe.Pointer(&n)), uintptr(flags)))
	if err != nil {
		return -1, nil, err
	}
	sa, _ := ParseSockaddr(b[:n])
	return got, sa, nil
}

func (k *kernel) Read(fd int, p []byte) (int, error) {
	return sys(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(first(p))), uintptr(len(p)))
}

func (k *kernel) Write(fd int, p []byte) (int, error) {
	return sys(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(first(p))), uintptr(len(p)))
}

func iovecs(iov [][]byte) []unix.Iovec {
	list := make([]unix.Iovec, len(iov)+1)
	for i, p := range iov {
		if len(p) > 0 {
			list[i].Base = &p[0]
		}
		list[i].SetLen(len(p))
	}
	return list
}

func (k *kernel) Readv(fd int, iov [][]byte) (int, error) {
	v := iovecs(iov)
	return sys(unix.SYS_READV, uintptr(fd), uintptr(unsafe.Pointer(&v[0])), uintptr(len(iov)))
}

func (k *kernel) Writev(fd int, iov [][]byte) (int, error) {
	v := iovecs(iov)
	return sys(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&v[0])), uintptr(len(iov)))
}

func (k *kernel) RecvFrom(fd int, p []byte, flags int) (int, *Sockaddr, error) {
	b, l := make([]byte, 128), uint32(128)
	n, err := sys(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(first(p))), uintptr(len(p)), uintptr(flags), uintptr(unsafe.Pointer(first(b))), uintptr(unsafe.Pointer(&l)))
	if err != nil || l == 0 {
		return n, nil, err
	}
	sa, _ := ParseSockaddr(b[:l])
	return n, sa, nil
}

func (k *kernel) SendTo(fd int, p []byte, flags int, to *Sockaddr) (int, error) {
	b, l := rawSockaddr(to)
	var a *byte
	if to != nil {
		a = first(b)
	}
	n, err := sys(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(first(p))), uintptr(len(p)), uintptr(flags|MSG_NOSIGNAL), uintptr(unsafe.Pointer(a)), uintptr(l))
	return n, err
}

func (k *kernel) RecvMsg(fd int, m *Msghdr, flags int) (int, error) {
	if m == nil {
		return sys(unix.SYS_RECVMSG, uintptr(fd), 0, uintptr(flags))
	}
	v, b := iovecs(m.Iov), make([]byte, 128)
	h := unix.Msghdr{Iov: &v[0], Name: &b[0], Namelen: 128}
	h.SetIovlen(len(m.Iov))
	if len(m.Control) > 0 {
		h.Control = &m.Control[0]
		h.SetControllen(len(m.Control))
	}
	n, err := sys(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&h)), uintptr(flags))
	m.Flags, m.Control = int(h.Flags), m.Control[:h.Controllen]
	if err == nil && h.Namelen > 0 {
		m.Name, _ = ParseSockaddr(b[:h.Namelen])
	}
	return n, err
}

func (k *kernel) SendMsg(fd int, m *Msghdr, flags int) (int, error) {
	if m == nil {
		return sys(unix.SYS_SENDMSG, uintptr(fd), 0, uintptr(flags))
	}
	v := iovecs(m.Iov)
	h := unix.Msghdr{Iov: &v[0]}
	h.SetIovlen(len(m.Iov))
	b, l := rawSockaddr(m.Name)
	if m.Name != nil {
		h.Name, h.Namelen = &b[0], uint32(l)
	}
	if len(m.Control) > 0 {
		h.Control = &m.Control[0]
		h.SetControllen(len(m.Control))
	}
	n, err := sys(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&h)), uintptr(flags|MSG_NOSIGNAL))
	return n, err
}

func (k *kernel) Shutdown(fd, how int) error {
	_, err := sys(unix.SYS_SHUTDOWN, uintptr(fd), uintptr(how))
	return err
}

func (k *kernel) CloseFD(fd int) error {
	for i, f := range k.fds {
		if f == fd {
			k.fds = append(k.fds[:i], k.fds[i+1:]...)
			break
		}
	}
	_, err := sys(unix.SYS_CLOSE, uintptr(fd))
	return err
}

func name(nr uintptr, fd int) (*Sockaddr, error) {
	b, n := make([]byte, 128), uint32(128)
	if _, err := sys(nr, uintptr(fd), uintptr(unsafe.Pointer(first(b))), uintptr(unsafe.Pointer(&n))); err != nil {
		return nil, err
	}
	return ParseSockaddr(b[:n])
}

func (k *kernel) Getsockname(fd int) (*Sockaddr, error) { return name(unix.SYS_GETSOCKNAME, fd) }
func (k *kernel) Getpeername(fd int) (*Sockaddr, error) { return name(unix.SYS_GETPEERNAME, fd) }

func (k *kernel) Fcntl(fd, cmd, arg int) (int, error) {
	n, err := sys(unix.SYS_FCNTL, uintptr(fd), uintptr(cmd), uintptr(arg))
	if cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC {
		return k.made(n, err)
	}
	return n, err
}

func (k *kernel) Ioctl(fd, req int) (int, error) {
	var v int32
	if _, err := sys(unix.SYS_IOCTL, uintptr(fd), uintptr(req), uintptr(unsafe.Pointer(&v))); err != nil {
		return -1, err
	}
	return int(v), nil
}

func (k *kernel) IoctlSet(fd, req, arg int) error {
	v := int32(arg)
	_, err := sys(unix.SYS_IOCTL, uintptr(fd), uintptr(req), uintptr(unsafe.Pointer(&v)))
	return err
}

func (k *kernel) Setsockopt(fd, level, name int, value []byte) error {
	_, err := sys(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name), uintptr(unsafe.Pointer(first(value))), uintptr(len(value)))
	return err
}

func (k *kernel) Getsockopt(fd, level, name int, value []byte) (int, error) {
	n := uint32(len(value))
	if _, err := sys(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name), uintptr(unsafe.Pointer(first(value))), uintptr(unsafe.Pointer(&n))); err != nil {
		return -1, err
	}
	return int(n), nil
}

func milliseconds(d time.Duration) uintptr {
	if d < 0 {
		return ^uintptr(0)
	}
	return uintptr((d + time.Millisecond - 1) / time.Millisecond)
}

func (k *kernel) Poll(fds []PollFD, timeout time.Duration) (int, error) {
	b := make([]unix.PollFd, len(fds)+1)
	for i, p := range fds {
		b[i] = unix.PollFd{Fd: int32(p.FD), Events: int16(p.Events)}
	}
	var ts *unix.Timespec
	if timeout >= 0 {
		t := unix.NsecToTimespec(int64(timeout))
		ts = &t
	}
	n, err := sys(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&b[0])), uintptr(len(fds)), uintptr(unsafe.Pointer(ts)), 0, 0)
	for i := range fds {
		fds[i].Revents = int(b[i].Revents)
	}
	return n, err
}

func (k *kernel) Select(nfds int, r, w, e *FDSet, timeout time.Duration) (int, error) {
	var ts *unix.Timespec
	if timeout >= 0 {
		t := unix.NsecToTimespec(int64(timeout))
		ts = &t
	}
	return sys(unix.SYS_PSELECT6, uintptr(nfds), uintptr(unsafe.Pointer(r)), uintptr(unsafe.Pointer(w)), uintptr(unsafe.Pointer(e)), uintptr(unsafe.Pointer(ts)), 0)
}

func (k *kernel) EpollCreate(flags int) (int, error) {
	return k.made(sys(unix.SYS_EPOLL_CREATE1, uintptr(flags)))
}

func (k *kernel) EpollCtl(epfd, op, fd int, ev *EpollEvent) error {
	var e unix.EpollEvent
	var p *unix.EpollEvent
	if ev != nil {
		e.Events = ev.Events
		binary.NativeEndian.PutUint64((*[8]byte)(unsafe.Pointer(&e.Fd))[:], ev.Data)
		p = &e
	}
	_, err := sys(unix.SYS_EPOLL_CTL, uintptr(epfd), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(p)))
	return err
}

func (k *kernel) EpollWait(epfd int, events []EpollEvent, timeout time.Duration) (int, error) {
	b := make([]unix.EpollEvent, len(events)+1)
	n, err := sys(unix.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(events)), milliseconds(timeout), 0, 0)
	for i := range max(n, 0) {
		events[i] = EpollEvent{Events: b[i].Events, Data: binary.NativeEndian.Uint64((*[8]byte)(unsafe.Pointer(&b[i].Fd))[:])}
	}
	return n, err
}
