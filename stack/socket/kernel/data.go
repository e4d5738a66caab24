package kernel

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/weirnet/weir/stack/socket"
)

// Read is read(2).
func (c *Calls) Read(fd int, p []byte) (int, error) {
	n, err := c.call(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	return n, err
}

// Write is write(2).
func (c *Calls) Write(fd int, p []byte) (int, error) {
	n, err := c.call(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	return n, err
}

// vectors is buffers as struct iovec.
func vectors(bufs [][]byte) []unix.Iovec {
	iov := make([]unix.Iovec, len(bufs))
	for i, b := range bufs {
		iov[i].Base = unsafe.SliceData(b)
		iov[i].SetLen(len(b))
	}
	return iov
}

func (c *Calls) vectored(trap uintptr, fd int, bufs [][]byte) (int, error) {
	iov := vectors(bufs)
	n, err := c.call(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(iov))), uintptr(len(iov)), 0, 0, 0)
	runtime.KeepAlive(bufs)
	return n, err
}

// Readv is readv(2).
func (c *Calls) Readv(fd int, bufs [][]byte) (int, error) {
	return c.vectored(unix.SYS_READV, fd, bufs)
}

// Writev is writev(2).
func (c *Calls) Writev(fd int, bufs [][]byte) (int, error) {
	return c.vectored(unix.SYS_WRITEV, fd, bufs)
}

// Recv is recv(2).
func (c *Calls) Recv(fd int, p []byte, flags int) (int, error) {
	n, err := c.call(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), uintptr(flags), 0, 0)
	return n, err
}

// RecvFrom is recvfrom(2); the address is nil where the kernel gives none.
func (c *Calls) RecvFrom(fd int, p []byte, flags int) (int, *socket.Sockaddr, error) {
	s := nameSpace{n: 128}
	n, err := c.call(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), uintptr(flags),
		uintptr(unsafe.Pointer(&s.b)), uintptr(unsafe.Pointer(&s.n)))
	if err != nil {
		return -1, nil, err
	}
	return n, s.addr(), nil
}

// Send is send(2).
func (c *Calls) Send(fd int, p []byte, flags int) (int, error) { return c.SendTo(fd, p, flags, nil) }

// SendTo is sendto(2).
func (c *Calls) SendTo(fd int, p []byte, flags int, to *socket.Sockaddr) (int, error) {
	b, size := encode(to)
	n, err := c.call(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), uintptr(flags), uintptr(unsafe.Pointer(unsafe.SliceData(b))), size)
	return n, err
}

// SendMsg is sendmsg(2).
func (c *Calls) SendMsg(fd int, m *socket.Msghdr, flags int) (int, error) {
	name, size := encode(m.Name)
	return c.message(unix.SYS_SENDMSG, fd, m, name, uint32(size), flags, nil)
}

// RecvMsg is recvmsg(2).
func (c *Calls) RecvMsg(fd int, m *socket.Msghdr, flags int) (int, error) {
	name := make([]byte, 128)
	return c.message(unix.SYS_RECVMSG, fd, m, name, uint32(len(name)), flags, func(h *unix.Msghdr) {
		s := nameSpace{n: h.Namelen}
		copy(s.b[:], name)
		m.Name, m.Control, m.Flags = s.addr(), m.Control[:h.Controllen], int(h.Flags)
	})
}

func (c *Calls) message(trap uintptr, fd int, m *socket.Msghdr, name []byte, size uint32, flags int, after func(*unix.Msghdr)) (int, error) {
	iov := vectors(m.Iov)
	var h unix.Msghdr
	h.Name, h.Namelen = unsafe.SliceData(name), size
	h.Iov, h.Control = unsafe.SliceData(iov), unsafe.SliceData(m.Control)
	h.SetIovlen(len(iov))
	h.SetControllen(len(m.Control))
	if len(m.Control) == 0 {
		h.Control = nil
	}
	n, err := c.call(trap, uintptr(fd), uintptr(unsafe.Pointer(&h)), uintptr(flags), 0, 0, 0)
	runtime.KeepAlive(m)
	runtime.KeepAlive(name)
	if err == nil && after != nil {
		after(&h)
	}
	return n, err
}
