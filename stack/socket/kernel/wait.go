package kernel

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/weirnet/weir/stack/socket"
)

// Poll is poll(2); a timeout of less than 0 is none.
func (c *Calls) Poll(fds []socket.PollFD, timeout time.Duration) (int, error) {
	raw := make([]unix.PollFd, len(fds))
	for i, f := range fds {
		raw[i] = unix.PollFd{Fd: int32(f.FD), Events: int16(f.Events)}
	}
	n, err := c.call(unix.SYS_POLL, uintptr(unsafe.Pointer(unsafe.SliceData(raw))), uintptr(len(raw)), millis(timeout), 0, 0, 0)
	for i := range raw {
		fds[i].Revents = int(uint16(raw[i].Revents))
	}
	return n, err
}

// Select is select(2); a timeout of less than 0 is none.
func (c *Calls) Select(nfds int, r, w, e *socket.FDSet, timeout time.Duration) (int, error) {
	var tv *unix.Timeval
	if timeout >= 0 {
		v := unix.NsecToTimeval(int64(timeout))
		tv = &v
	}
	n, err := c.call(unix.SYS_SELECT, uintptr(nfds), uintptr(unsafe.Pointer(r)), uintptr(unsafe.Pointer(w)),
		uintptr(unsafe.Pointer(e)), uintptr(unsafe.Pointer(tv)), 0)
	return n, err
}

// EpollCreate is epoll_create1(2).
func (c *Calls) EpollCreate(flags int) (int, error) {
	return c.call(unix.SYS_EPOLL_CREATE1, uintptr(flags), 0, 0, 0, 0, 0)
}

// EpollCtl is epoll_ctl(2).
func (c *Calls) EpollCtl(epfd, op, fd int, ev *socket.EpollEvent) error {
	var raw *unix.EpollEvent
	if ev != nil {
		raw = &unix.EpollEvent{Events: ev.Events, Fd: int32(ev.Data), Pad: int32(ev.Data >> 32)}
	}
	err := failed(c.call(unix.SYS_EPOLL_CTL, uintptr(epfd), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(raw)), 0, 0))
	return err
}

// EpollWait is epoll_wait(2); a timeout of less than 0 is none.
func (c *Calls) EpollWait(epfd int, events []socket.EpollEvent, timeout time.Duration) (int, error) {
	raw := make([]unix.EpollEvent, len(events))
	n, err := c.call(unix.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(unsafe.SliceData(raw))), uintptr(len(raw)), millis(timeout), 0, 0)
	for i := range max(n, 0) {
		events[i] = socket.EpollEvent{Events: raw[i].Events, Data: uint64(uint32(raw[i].Fd)) | uint64(uint32(raw[i].Pad))<<32}
	}
	return n, err
}
