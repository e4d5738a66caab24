package tun

import (
	"encoding/hex"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// writer is one call of WriteFrames. Calls may come from several goroutines at once, so
// each has its own.
type writer struct {
	q      *queue
	frames [][]byte
	n      int // frames that were taken
	err    error
	polled [2]unix.PollFd
}

func (q *queue) writeFrames(frames [][]byte) (int, error) {
	w := q.writers.Get().(*writer)
	w.frames, w.n, w.err = frames, 0, nil
	q.using.RLock()
	w.try(q.fd)
	q.using.RUnlock()
	n, err := w.n, w.err
	w.frames = nil
	q.writers.Put(w)
	switch {
	case err != nil && q.dev.closed.Load():
		return n, q.dev.errClosed
	case err != nil:
		return n, q.writeError(frames, n, err)
	}
	return n, nil
}

// try writes until all is written or the kernel refuses. Where it is full, it waits.
func (w *writer) try(fd int) {
	skip := w.q.skip()
	for w.n < len(w.frames) {
		frame := w.frames[w.n]
		if len(frame) <= vnetLen || skip > 0 && frame[0]&needsCsum|frame[1] != 0 {
			w.err = unix.EINVAL
			return
		}
		err := writeOne(fd, frame[skip:])
		switch err {
		case 0:
			w.n++
		case unix.EINTR:
		case unix.EAGAIN:
			if w.err = w.q.dev.await(fd, unix.POLLOUT, &w.polled); w.err != nil {
				return
			}
		default:
			w.err = err
			return
		}
	}
}

// quick is how many octets a frame has at most whose writing the scheduler is not told of: it takes no
// longer than that would be worth, while the kernel is busy with a super-segment for some time.
const quick = 2048

func writeOne(fd int, p []byte) (errno unix.Errno) {
	if len(p) > quick {
		_, _, errno = unix.Syscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	} else {
		_, _, errno = unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	}
	return errno
}

// needsCsum is VIRTIO_NET_HDR_F_NEEDS_CSUM, in the header's first octet.
const needsCsum = 1

// writeError explains why frames[n] was not sent, and counts it.
func (q *queue) writeError(frames [][]byte, n int, err error) error {
	d := q.dev
	switch err {
	case unix.EIO:
		d.counters.writeDown.Add(1)
		return d.errDown
	case unix.EBADFD:
		return d.errGone
	}
	d.counters.writeRefused.Add(1)
	frame := frames[n]
	return &Error{Op: "write to", On: d.name, Err: err,
		Why: fmt.Sprintf("frame %d of the batch, %d octets (%s), was refused (%v)", n, len(frame), describe(frame), err)}
}

// describe shows the header of a frame and the beginning of its packet.
func describe(frame []byte) string {
	if len(frame) <= vnetLen {
		return "no packet behind the virtio-net header"
	}
	p := frame[vnetLen:]
	return "virtio-net header " + hex.EncodeToString(frame[:vnetLen]) + ", packet " + hex.EncodeToString(p[:min(len(p), 20)])
}
