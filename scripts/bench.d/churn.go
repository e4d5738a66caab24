package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// churn opens connections, exchanges one octet on each and closes it, our end first, n at a
// time for d, and returns how many went through. It is one thread with epoll. The closes are
// orderly, so each leaves a TIME-WAIT here: the connections come from many addresses in turn,
// that the ports do not run out.
func (c *client) churn(n int, d time.Duration) (r outcome, err error) {
	if err := c.addSources(); err != nil {
		return r, err
	}
	err = c.ns.Do(func() error {
		ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
		if err != nil {
			return err
		}
		w := &churner{client: c, epoll: ep, open: map[int]bool{}}
		defer w.close()
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		begin := time.Now()
		for range n {
			if err := w.connect(); err != nil {
				return err
			}
		}
		err = w.run(begin.Add(d))
		r.count, r.took = w.count, time.Since(begin)
		return err
	})
	return r, err
}

// churner is the state of churn. open says of each socket whether its octet has been sent.
type churner struct {
	*client
	epoll int
	next  int
	count uint64
	open  map[int]bool
}

func (w *churner) close() {
	for fd := range w.open {
		unix.Close(fd)
	}
	unix.Close(w.epoll)
}

func (w *churner) run(end time.Time) error {
	events := make([]unix.EpollEvent, 64)
	for time.Now().Before(end) {
		n, err := rawEpollWait(w.epoll, events, spare)
		if err != nil {
			return err
		}
		for _, e := range events[:n] {
			if err := w.step(int(e.Fd), e.Events); err != nil {
				return err
			}
		}
	}
	return nil
}

// connect begins a connection from the next source.
func (w *churner) connect() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	w.open[fd] = false
	w.next = (w.next + 1) % sources
	if err := connectFrom(fd, w.next, echoPort); err != unix.EINPROGRESS && err != nil {
		return err
	}
	return unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLET&0xffffffff, Fd: int32(fd)})
}

// step goes on with a connection on which something happened.
func (w *churner) step(fd int, events uint32) error {
	var b [1]byte
	if events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		code, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		return os.NewSyscallError("connect", unix.Errno(code))
	}
	if !w.open[fd] {
		if events&unix.EPOLLOUT == 0 {
			return nil
		}
		w.open[fd] = true
		return rawWrite(fd, b[:])
	}
	if events&unix.EPOLLIN == 0 {
		return nil
	}
	if err := rawRead(fd, b[:]); err != nil {
		return err
	}
	w.count++
	delete(w.open, fd)
	unix.Close(fd)
	return w.connect()
}

// connectFrom connects a socket to a port from the source of that number.
func connectFrom(fd, source, port int) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: sourceAddress(source).As4()}); err != nil {
		return fmt.Errorf("bind to %v: %w", sourceAddress(source), err)
	}
	return connectTo(fd, port)
}
