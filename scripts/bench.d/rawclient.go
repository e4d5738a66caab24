package main

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// requests sends one octet and waits for it to come back, again and again for d on n
// connections, and returns how often it did. It is one thread with blocking system calls, and
// epoll for more than one connection: the runtime's poller and scheduler would cost the
// client more than what is measured.
func (c *client) requests(n int, d time.Duration) (r outcome, err error) {
	fds, err := c.rawConnect(n, echoPort)
	if err != nil {
		return r, err
	}
	defer closeAll(fds)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begin := time.Now()
	if n == 1 {
		r.count, err = pingOne(fds[0], begin.Add(d))
	} else {
		r.count, err = pingMany(fds, begin.Add(d))
	}
	r.took = time.Since(begin)
	return r, err
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// rawConnect opens n blocking connections whose reads fail after the spare time.
func (c *client) rawConnect(n, port int) (fds []int, err error) {
	err = c.ns.Do(func() error {
		for range n {
			fd, err := c.rawSocket(unix.SOCK_STREAM)
			if err != nil {
				return err
			}
			fds = append(fds, fd)
			if err := connectTo(fd, port); err != nil {
				return fmt.Errorf("connect to port %d: %w", port, err)
			}
		}
		return nil
	})
	if err != nil {
		closeAll(fds)
	}
	return fds, err
}

// connectTo is connect(2), begun again where a signal of the runtime's has interrupted it.
func connectTo(fd, port int) error {
	at := &unix.SockaddrInet4{Port: port, Addr: stackPrefix.Addr().As4()}
	for {
		switch err := unix.Connect(fd, at); err {
		case unix.EINTR:
		case unix.EISCONN:
			return nil
		default:
			return err
		}
	}
}

// rawSocket makes an IPv4 socket in the thread's namespace.
func (c *client) rawSocket(kind int) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	late := unix.NsecToTimeval(int64(spare))
	err = errors.Join(
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &late),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &late))
	if err == nil && kind == unix.SOCK_STREAM {
		err = errors.Join(
			unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
			unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, c.congestion))
	}
	if err != nil {
		unix.Close(fd)
	}
	return fd, err
}

// pingOne exchanges octets on one connection.
func pingOne(fd int, end time.Time) (count uint64, err error) {
	var b [1]byte
	for count&15 != 0 || time.Now().Before(end) {
		if err := exchange(fd, b[:]); err != nil {
			return count, err
		}
		count++
	}
	return count, nil
}

// exchange sends p and reads as much.
func exchange(fd int, p []byte) error {
	if err := rawWrite(fd, p); err != nil {
		return err
	}
	return rawRead(fd, p)
}

// rawWrite and rawRead send and receive p with one call. They do not tell the scheduler, which would
// take the thread's processor away and give it back for each: the time until they
// return is what is measured, and bounded by the socket's timeouts.
func rawWrite(fd int, p []byte) error { return rawTransfer(unix.SYS_WRITE, fd, p) }
func rawRead(fd int, p []byte) error  { return rawTransfer(unix.SYS_READ, fd, p) }

// pingMany exchanges octets on all connections, each on its own.
func pingMany(fds []int, end time.Time) (count uint64, err error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return 0, err
	}
	defer unix.Close(ep)
	var b [1]byte
	for _, fd := range fds {
		if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
			return 0, err
		}
		if err := rawWrite(fd, b[:]); err != nil {
			return 0, err
		}
	}
	events := make([]unix.EpollEvent, len(fds))
	for time.Now().Before(end) {
		n, err := rawEpollWait(ep, events, spare)
		if err != nil {
			return count, err
		}
		for _, e := range events[:n] {
			if err := rawRead(int(e.Fd), b[:]); err != nil {
				return count, err
			}
			if err := rawWrite(int(e.Fd), b[:]); err != nil {
				return count, err
			}
		}
		count += uint64(n)
	}
	return count, nil
}
