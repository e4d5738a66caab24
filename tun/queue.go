package tun

import (
	"encoding/binary"
	"io"
	"os"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// queue is one descriptor of a device.
type queue struct {
	dev    *Device
	file   *os.File
	closer io.Closer // file, or what wraps it
	raw    syscall.RawConn

	// One reader at a time: what it is doing, where readSome finds it. readFn is readSome,
	// made once, for a method value made at the call would be allocated.
	readFn func(fd uintptr) bool
	bufs   [][]byte
	sizes  []int
	n      int
	slept  bool
	err    error

	writers sync.Pool // of *writer
}

// addQueue puts a descriptor in use.
func (d *Device) addQueue(name string, file *os.File, closer io.Closer) error {
	raw, err := file.SyscallConn()
	if err != nil {
		closer.Close()
		return attachError(name, err)
	}
	q := &queue{dev: d, file: file, closer: closer, raw: raw}
	q.readFn = q.readSome
	q.writers.New = func() any { return newWriter(q) }
	d.queues = append(d.queues, q)
	if d.name != name {
		d.setName(name)
	}
	return nil
}

// control runs fn with the descriptor, which stays open meanwhile.
func (q *queue) control(fn func(fd int)) error {
	return q.raw.Control(func(fd uintptr) { fn(int(fd)) })
}

// skip is how much of the virtio-net header the descriptor does not carry.
func (q *queue) skip() int {
	if q.dev.vnet {
		return 0
	}
	return vnetLen
}

func (q *queue) readFrames(bufs [][]byte, sizes []int) (int, error) {
	if len(bufs) == 0 {
		return 0, nil
	}
	q.bufs, q.sizes, q.n, q.slept, q.err = bufs, sizes, 0, false, nil
	err := q.raw.Read(q.readFn)
	q.bufs, q.sizes = nil, nil // they are the caller's again
	if q.dev.closed.Load() {
		return 0, q.dev.errClosed
	}
	if err == nil {
		err = q.err
	}
	if err != nil && q.n == 0 { // after frames, it comes again at the next call
		return 0, q.readError(err)
	}
	return q.n, nil
}

// readSome reads what is there. It returns false to be called again when there is more. See
// the package's documentation on why it takes one packet after a sleep.
func (q *queue) readSome(fd uintptr) bool {
	skip := q.skip()
	for q.n < len(q.bufs) {
		buf := q.bufs[q.n]
		if len(buf) < vnetLen {
			q.err = unix.EINVAL
			return true
		}
		n, err := unix.Read(int(fd), buf[skip:])
		switch err {
		case nil:
			if q.take(buf, n+skip) && q.slept {
				return true
			}
		case unix.EINTR:
		case unix.EAGAIN:
			if q.n == 0 {
				q.slept = true
				return false
			}
			return true
		default:
			q.err = err
			return true
		}
	}
	return true
}

// take keeps the frame of n octets that was read, or counts why not.
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
	q.sizes[q.n] = n
	q.n++
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
