package tun

import (
	"encoding/binary"
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// watch listens for changes of the interface that somebody else makes, so that MTU stays
// true. It is one goroutine on a netlink socket in the poller.
type watch struct {
	file *os.File
	done chan struct{}
}

// startWatch opens the socket in the thread's network namespace.
func startWatch(d *Device, h *host) (*watch, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err == nil {
		if err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK}); err != nil {
			unix.Close(fd)
		}
	}
	if err != nil {
		return nil, &Error{Op: "watch", On: d.name, Err: err}
	}
	w := &watch{file: os.NewFile(uintptr(fd), "netlink"), done: make(chan struct{})}
	h.refreshMTU(d) // what changed before the socket was there
	go w.run(d, h)
	return w, nil
}

// stop ends the goroutine and waits for it.
func (w *watch) stop() {
	w.file.Close()
	<-w.done
}

func (w *watch) run(d *Device, h *host) {
	defer close(w.done)
	buf := make([]byte, 32<<10) // the kernel sends no longer notification
	for {
		n, err := w.file.Read(buf)
		switch {
		case errors.Is(err, unix.ENOBUFS):
			h.refreshMTU(d) // messages were lost
		case err != nil:
			return
		default:
			d.notice(buf[:n])
		}
	}
}

// refreshMTU asks the kernel.
func (h *host) refreshMTU(d *Device) {
	if l, err := h.nl.LinkByIndex(d.index); err == nil {
		d.mtu.Store(int64(l.Attrs().MTU))
	}
}

// notice takes the MTU from the notifications that are about the interface.
func (d *Device) notice(b []byte) {
	msgs, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return
	}
	for i := range msgs {
		m := &msgs[i]
		if m.Header.Type != unix.RTM_NEWLINK || len(m.Data) < unix.SizeofIfInfomsg ||
			int(binary.NativeEndian.Uint32(m.Data[4:])) != d.index {
			continue
		}
		attrs, err := syscall.ParseNetlinkRouteAttr(m)
		if err != nil {
			continue
		}
		for _, a := range attrs {
			if a.Attr.Type == unix.IFLA_MTU && len(a.Value) >= 4 {
				d.mtu.Store(int64(binary.NativeEndian.Uint32(a.Value)))
			}
		}
	}
}
