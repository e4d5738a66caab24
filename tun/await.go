package tun

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// bell ends the waiting of all who wait for a device's descriptors when the device is closed: an
// eventfd that is written once and never read.
type bell struct{ fd int }

func newBell() (*bell, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	return &bell{fd}, nil
}

// bellError says that newBell has failed.
func bellError(op, on string, err error) error {
	return &Error{Op: op, On: on, Why: "no descriptor to end its reads with: " + err.Error(), Err: err}
}

// ring makes every await return, now and from now on.
func (b *bell) ring() {
	if b == nil {
		return
	}
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	unix.Write(b.fd, one[:])
}

// close lets go of the descriptor, when nobody waits any more.
func (b *bell) close() {
	if b != nil {
		unix.Close(b.fd)
	}
}

// await waits in the kernel until the descriptor is ready for events or in error, or the device
// is closed: then it returns the error that says so. p is the caller's, so that nothing is allocated.
func (d *Device) await(fd int, events int16, p *[2]unix.PollFd) error {
	for !d.closed.Load() {
		p[0] = unix.PollFd{Fd: int32(fd), Events: events}
		p[1] = unix.PollFd{Fd: int32(d.bell.fd), Events: unix.POLLIN}
		if _, err := unix.Poll(p[:], -1); err != unix.EINTR {
			return err
		}
	}
	return d.errClosed
}
