package kernel

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/weirnet/weir/stack/socket"
)

// Calls are the kernel's calls. The zero value is ready. An error is nil or a
// syscall.Errno, and the number is then -1.
type Calls struct {
	// In runs a function in the network namespace in which sockets are to be made; nil is the
	// caller's.
	In func(func() error) error
	// Stopped, where it is set and reports true, lets a call that a signal interrupts end
	// with EINTR rather than go on.
	Stopped func() bool
}

// call makes a system call until it is not interrupted. What its arguments point to is moved to the heap, since
// a stack that grows on the way to the call moves, and the kernel would go on to write where it was; that holds
// for conversions of pointers that stand in the list of arguments itself, and nowhere else.
//
//go:uintptrescapes
func (c *Calls) call(trap, a1, a2, a3, a4, a5, a6 uintptr) (int, error) {
	for {
		r, _, errno := syscall.Syscall6(trap, a1, a2, a3, a4, a5, a6)
		switch errno {
		case 0:
			return int(r), nil
		case syscall.EINTR:
			if c.Stopped == nil || !c.Stopped() {
				continue
			}
		}
		return -1, errno
	}
}

func failed(_ int, err error) error { return err }

// Socket is socket(2).
func (c *Calls) Socket(domain, typ, protocol int) (fd int, err error) {
	open := func() error {
		fd, err = c.call(unix.SYS_SOCKET, uintptr(domain), uintptr(typ), uintptr(protocol), 0, 0, 0)
		return nil
	}
	if c.In == nil {
		open()
		return fd, err
	}
	if e := c.In(open); e != nil {
		return -1, syscall.EIO
	}
	return fd, err
}

// encode is an address in C's layout, of the length that the call is to be told.
func encode(sa *socket.Sockaddr) ([]byte, uintptr) {
	if sa == nil {
		return nil, 0
	}
	b := sa.Append(nil)
	n := len(b)
	if sa.Len != 0 {
		n = sa.Len
	}
	return append(b, make([]byte, max(0, n-len(b)))...), uintptr(n)
}

func (c *Calls) withAddr(trap uintptr, fd int, sa *socket.Sockaddr) error {
	b, n := encode(sa)
	_, err := c.call(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), n, 0, 0, 0)
	return err
}

// Bind is bind(2), and Connect connect(2).
func (c *Calls) Bind(fd int, sa *socket.Sockaddr) error { return c.withAddr(unix.SYS_BIND, fd, sa) }

// Connect is connect(2).
func (c *Calls) Connect(fd int, sa *socket.Sockaddr) error {
	return c.withAddr(unix.SYS_CONNECT, fd, sa)
}

// Listen is listen(2).
func (c *Calls) Listen(fd, backlog int) error {
	return failed(c.call(unix.SYS_LISTEN, uintptr(fd), uintptr(backlog), 0, 0, 0, 0))
}

// Shutdown is shutdown(2).
func (c *Calls) Shutdown(fd, how int) error {
	return failed(c.call(unix.SYS_SHUTDOWN, uintptr(fd), uintptr(how), 0, 0, 0, 0))
}

// CloseFD is close(2). It is made once: an interrupted close has closed the descriptor.
func (c *Calls) CloseFD(fd int) error {
	if err := syscall.Close(fd); err != nil && err != syscall.EINTR {
		return err
	}
	return nil
}

// nameSpace is room for any address.
type nameSpace struct {
	b [128]byte
	n uint32
}

func (s *nameSpace) addr() *socket.Sockaddr {
	if s.n == 0 || int(s.n) > len(s.b) {
		return nil
	}
	sa, err := socket.ParseSockaddr(s.b[:s.n])
	if err != nil {
		return nil
	}
	return sa
}

func (c *Calls) fetchName(trap uintptr, fd, flags int) (int, *socket.Sockaddr, error) {
	s := nameSpace{n: 128}
	n, err := c.call(trap, uintptr(fd), uintptr(unsafe.Pointer(&s.b)), uintptr(unsafe.Pointer(&s.n)), uintptr(flags), 0, 0)
	if err != nil {
		return -1, nil, err
	}
	return n, s.addr(), nil
}

// Accept is accept(2).
func (c *Calls) Accept(fd int) (int, *socket.Sockaddr, error) {
	return c.fetchName(unix.SYS_ACCEPT4, fd, 0)
}

// Accept4 is accept4(2).
func (c *Calls) Accept4(fd, flags int) (int, *socket.Sockaddr, error) {
	return c.fetchName(unix.SYS_ACCEPT4, fd, flags)
}

// Getsockname is getsockname(2).
func (c *Calls) Getsockname(fd int) (*socket.Sockaddr, error) {
	_, sa, err := c.fetchName(unix.SYS_GETSOCKNAME, fd, 0)
	return sa, err
}

// Getpeername is getpeername(2).
func (c *Calls) Getpeername(fd int) (*socket.Sockaddr, error) {
	_, sa, err := c.fetchName(unix.SYS_GETPEERNAME, fd, 0)
	return sa, err
}

// Fcntl is fcntl(2).
func (c *Calls) Fcntl(fd, cmd, arg int) (int, error) {
	return c.call(unix.SYS_FCNTL, uintptr(fd), uintptr(cmd), uintptr(arg), 0, 0, 0)
}

// Ioctl is ioctl(2) for requests that answer with an int.
func (c *Calls) Ioctl(fd, req int) (int, error) {
	var v int32
	if _, err := c.call(unix.SYS_IOCTL, uintptr(fd), uintptr(req), uintptr(unsafe.Pointer(&v)), 0, 0, 0); err != nil {
		return -1, err
	}
	return int(v), nil
}

// IoctlSet is ioctl(2) for requests that read an int.
func (c *Calls) IoctlSet(fd, req, arg int) error {
	v := int32(arg)
	return failed(c.call(unix.SYS_IOCTL, uintptr(fd), uintptr(req), uintptr(unsafe.Pointer(&v)), 0, 0, 0))
}

// Setsockopt is setsockopt(2).
func (c *Calls) Setsockopt(fd, level, name int, value []byte) error {
	err := failed(c.call(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name), uintptr(unsafe.Pointer(unsafe.SliceData(value))), uintptr(len(value)), 0))
	return err
}

// Getsockopt is getsockopt(2); it fills value and returns how much of it.
func (c *Calls) Getsockopt(fd, level, name int, value []byte) (int, error) {
	n := uint32(len(value))
	_, err := c.call(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name), uintptr(unsafe.Pointer(unsafe.SliceData(value))), uintptr(unsafe.Pointer(&n)), 0)
	if err != nil {
		return -1, err
	}
	return int(n), nil
}

// GetTCPInfo is getsockopt(2) of TCP_INFO.
func (c *Calls) GetTCPInfo(fd int) (socket.TCPInfo, error) {
	b := make([]byte, 512)
	n, err := c.Getsockopt(fd, socket.SOL_TCP, socket.TCP_INFO, b)
	if err != nil {
		return socket.TCPInfo{}, err
	}
	return parseTCPInfo(b[:n]), nil
}

// millis is a timeout as poll(2) and epoll_wait(2) take it, rounded up; less than 0 is none.
func millis(d time.Duration) uintptr {
	if d < 0 {
		return ^uintptr(0)
	}
	return uintptr((d + time.Millisecond - 1) / time.Millisecond)
}
