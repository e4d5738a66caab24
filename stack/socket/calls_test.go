package socket

import (
	"syscall"
	"time"
)

// calls is the methods of System that the tables below use. The kernel's own sockets have them
// too: see kernel.
type calls interface {
	Socket(domain, typ, protocol int) (int, error)
	Bind(fd int, sa *Sockaddr) error
	Listen(fd, backlog int) error
	Accept4(fd, flags int) (int, *Sockaddr, error)
	Connect(fd int, sa *Sockaddr) error
	Read(fd int, p []byte) (int, error)
	Readv(fd int, iov [][]byte) (int, error)
	Write(fd int, p []byte) (int, error)
	Writev(fd int, iov [][]byte) (int, error)
	RecvFrom(fd int, p []byte, flags int) (int, *Sockaddr, error)
	RecvMsg(fd int, m *Msghdr, flags int) (int, error)
	SendTo(fd int, p []byte, flags int, to *Sockaddr) (int, error)
	SendMsg(fd int, m *Msghdr, flags int) (int, error)
	Shutdown(fd, how int) error
	CloseFD(fd int) error
	Getsockname(fd int) (*Sockaddr, error)
	Getpeername(fd int) (*Sockaddr, error)
	Fcntl(fd, cmd, arg int) (int, error)
	Ioctl(fd, req int) (int, error)
	IoctlSet(fd, req, arg int) error
	Setsockopt(fd, level, name int, value []byte) error
	Getsockopt(fd, level, name int, value []byte) (int, error)
	Poll(fds []PollFD, timeout time.Duration) (int, error)
	Select(nfds int, r, w, e *FDSet, timeout time.Duration) (int, error)
	EpollCreate(flags int) (int, error)
	EpollCtl(epfd, op, fd int, ev *EpollEvent) error
	EpollWait(epfd int, events []EpollEvent, timeout time.Duration) (int, error)
}

var (
	_ calls = (*System)(nil)
	_ calls = (*kernel)(nil)
)

var errnoNames = map[error]string{
	syscall.EPERM: "EPERM", syscall.ENOENT: "ENOENT", syscall.EBADF: "EBADF", syscall.EAGAIN: "EAGAIN", syscall.EACCES: "EACCES", syscall.EFAULT: "EFAULT",
	syscall.EEXIST: "EEXIST", syscall.ENODEV: "ENODEV", syscall.EINVAL: "EINVAL", syscall.EMFILE: "EMFILE", syscall.ENOTTY: "ENOTTY", syscall.EPIPE: "EPIPE",
	syscall.EDOM: "EDOM", syscall.ELOOP: "ELOOP", syscall.ENOTSOCK: "ENOTSOCK", syscall.EDESTADDRREQ: "EDESTADDRREQ", syscall.EMSGSIZE: "EMSGSIZE",
	syscall.ENOPROTOOPT: "ENOPROTOOPT", syscall.EPROTONOSUPPORT: "EPROTONOSUPPORT", syscall.ESOCKTNOSUPPORT: "ESOCKTNOSUPPORT", syscall.EOPNOTSUPP: "EOPNOTSUPP",
	syscall.EAFNOSUPPORT: "EAFNOSUPPORT", syscall.EADDRINUSE: "EADDRINUSE", syscall.EADDRNOTAVAIL: "EADDRNOTAVAIL", syscall.ENETUNREACH: "ENETUNREACH",
	syscall.ECONNABORTED: "ECONNABORTED", syscall.ECONNRESET: "ECONNRESET", syscall.ENOBUFS: "ENOBUFS", syscall.EISCONN: "EISCONN", syscall.ENOTCONN: "ENOTCONN",
	syscall.ETIMEDOUT: "ETIMEDOUT", syscall.ECONNREFUSED: "ECONNREFUSED", syscall.EHOSTUNREACH: "EHOSTUNREACH", syscall.EALREADY: "EALREADY",
	syscall.EINPROGRESS: "EINPROGRESS", syscall.EPROTO: "EPROTO", syscall.ENXIO: "ENXIO", syscall.EPFNOSUPPORT: "EPFNOSUPPORT", syscall.EINTR: "EINTR",
	syscall.ENOMEM: "ENOMEM", syscall.ENETDOWN: "ENETDOWN", syscall.ERANGE: "ERANGE",
}
