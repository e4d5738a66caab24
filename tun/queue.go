package tun

import (
	"encoding/binary"
	"io"
	"strconv"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// queue is one descriptor of a device.
type queue struct {
	dev    *Device
	closer io.Closer    // what closes the descriptor
	using  sync.RWMutex // held for reading by who uses it, so that it is still the same
	fd     int          // -1 once it is closed

	polled [2]unix.PollFd // the reader's: there is one at a time

	writers sync.Pool // of *writer
}

// addQueue puts a descriptor in use.
func (d *Device) addQueue(name string, fd int, closer io.Closer) {
	q := &queue{dev: d, fd: fd, closer: closer}
	q.writers.New = func() any { return &writer{q: q} }
	d.queues = append(d.queues, q)
	if d.name != name {
		d.setName(name)
	}
}

// control runs fn with the descriptor, which stays open meanwhile.
func (q *queue) control(fn func(fd int)) error {
	q.using.RLock()
	defer q.using.RUnlock()
	if q.fd < 0 {
		return q.dev.errClosed
	}
	fn(q.fd)
	return nil
}

// close closes the descriptor when nobody uses it any more. Who waits for it must have been told.
func (q *queue) close() {
	q.using.Lock()
	defer q.using.Unlock()
	q.fd = -1
	q.closer.Close()
}

// skip is how much of the virtio-net header the descriptor does not carry.
func (q *queue) skip() int {
	if q.dev.vnet {
		return 0
	}
	return vnetLen
}

// readFrames reads what is there, and where that is nothing waits for it or, without wait,
// returns 0.
func (q *queue) readFrames(bufs [][]byte, sizes []int, wait bool) (int, error) {
	switch {
	case len(bufs) == 0:
		return 0, nil
	case len(bufs[0]) < vnetLen:
		return 0, q.readError(unix.EINVAL)
	}
	q.using.RLock()
	n, err := q.read(bufs, sizes, wait)
	q.using.RUnlock()
	switch {
	case q.dev.closed.Load():
		return 0, q.dev.errClosed
	case err != nil && n == 0: // after frames, it comes again at the next call
		return 0, q.readError(err)
	}
	return n, nil
}

// read is readFrames with the descriptor in use.
func (q *queue) read(bufs [][]byte, sizes []int, wait bool) (n int, err error) {
	for {
		if wait {
			err = q.dev.await(q.fd, unix.POLLIN, &q.polled)
		}
		if err == nil {
			n, err = q.readSome(bufs, sizes)
		}
		if n > 0 || err != nil || !wait {
			return n, err
		}
	}
}

// readSome reads until there is nothing more or no buffer. The system call is one that the
// scheduler is not told of: it takes no longer than that would.
func (q *queue) readSome(bufs [][]byte, sizes []int) (n int, err error) {
	skip := q.skip()
	for n < len(bufs) {
		buf := bufs[n]
		if len(buf) < vnetLen {
			return n, unix.EINVAL
		}
		got, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(q.fd), uintptr(unsafe.Pointer(&buf[skip])), uintptr(len(buf)-skip))
		switch errno {
		case 0:
			if q.take(buf, int(got)+skip) {
				sizes[n] = int(got) + skip
				n++
			}
		case unix.EINTR:
		case unix.EAGAIN:
			return n, nil
		default:
			return n, errno
		}
	}
	return n, nil
}

// take reports whether the frame of n octets that was read is one to keep, and counts why not.
func (q *queue) take(buf []byte, n int) bool {
	if n <= vnetLen {
		q.dev.counters.readEmpty.Add(1)
		return false
	}
	if n == len(buf) && truncated(buf[vnetLen:n]) {
		q.dev.counters.readTruncated.Add(1)
		return false
	}
	if !q.dev.vnet {
		clear(buf[:vnetLen])
	}
	return true
}

// truncated reports whether the packet says that it is longer than it is: the kernel fills
// a buffer that is too small and does not say so.
func truncated(p []byte) bool {
	switch {
	case p[0]>>4 == 4 && len(p) >= 20:
		return int(binary.BigEndian.Uint16(p[2:])) > len(p)
	case p[0]>>4 == 6 && len(p) >= 40:
		return int(binary.BigEndian.Uint16(p[4:]))+40 > len(p)
	}
	return true
}

// readError explains a read that failed: the descriptor was closed, or the interface is
// gone, which the poller reports before a read can ("not pollable").
func (q *queue) readError(err error) error {
	switch {
	case err == unix.EBADFD || q.gone():
		return q.dev.errGone
	case err == unix.EINVAL:
		return &Error{Op: "read from", On: q.dev.name, Why: "a buffer is shorter than a virtio-net header", Err: err}
	}
	return &Error{Op: "read from", On: q.dev.name, Err: err}
}

// gone reports whether the interface was deleted underneath: the descriptor is then bound
// to nothing.
func (q *queue) gone() bool {
	var err error
	if q.control(func(fd int) { _, err = getIff(fd) }) != nil {
		return false
	}
	return err == unix.EBADFD
}

func itoa(n int) string { return strconv.Itoa(n) }
