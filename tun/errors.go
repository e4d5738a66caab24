package tun

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Error is what this package returns when something that a person asked for failed. Its
// text is one line: what was tried, on what, why it failed, what to do.
type Error struct {
	Op   string // what was tried: "open", "set the MTU of", …
	On   string // on what: a device, a namespace, an address
	Why  string // why it failed; Err's text where it is empty
	Hint string // what to do about it; may be empty
	Err  error  // what it wraps, for errors.Is: mostly a syscall.Errno
}

// Error returns the line.
func (e *Error) Error() string {
	s := "tun: " + e.Op
	if e.On != "" {
		s += " " + e.On
	}
	why := e.Why
	if why == "" && e.Err != nil {
		why = e.Err.Error()
	}
	s += ": " + why
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Unwrap returns what the error wraps.
func (e *Error) Unwrap() error { return e.Err }

// errGone is wrapped by the error of a device that was deleted underneath: no such device
// any more, and for a reading loop the same end as a Close.
var errGone = errors.Join(unix.ENODEV, os.ErrClosed)

const needNetAdmin = "run as root, give the program CAP_NET_ADMIN, or run it in a user and network namespace of its own (unshare -rn)"

// openError explains a failure to open the clone device at path.
func openError(name, path string, err error) error {
	e := &Error{Op: "open", On: name, Err: err, Why: path + ": " + err.Error()}
	switch {
	case errors.Is(err, unix.ENOENT):
		e.Why = "there is no " + path
		e.Hint = "load the kernel's driver (modprobe tun), or in a container pass the device in (--device " + path + ")"
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		e.Why = path + " has no driver behind it"
		e.Hint = "load the kernel's driver (modprobe tun)"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		e.Why = "no permission to open " + path
		e.Hint = "run as root, or let the user read and write it"
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		e.Hint = "raise the limit on open files (ulimit -n)"
	}
	return e
}

// attachError explains a failure of TUNSETIFF.
func attachError(name string, err error) error {
	e := &Error{Op: "open", On: name, Err: err}
	switch {
	case errors.Is(err, unix.EPERM):
		e.Why = "no permission to make or attach to a network device"
		e.Hint = needNetAdmin
	case errors.Is(err, unix.EBUSY):
		e.Why = "the device is in use by another program"
		e.Hint = "stop that program or choose another name"
	case errors.Is(err, unix.EINVAL):
		e.Why = "the kernel refuses the name, or a device of another kind has it"
		e.Hint = "choose another name"
	case errors.Is(err, unix.E2BIG):
		e.Why = "more queues than the kernel takes"
		e.Hint = "ask for fewer queues"
	}
	return e
}

// hostError explains a netlink request that failed.
func hostError(op, on string, err error) error {
	e := &Error{Op: op, On: on, Err: err}
	switch {
	case errors.Is(err, unix.EPERM):
		e.Why = "no permission to change a network device"
		e.Hint = needNetAdmin
	case errors.Is(err, unix.ENODEV):
		e.Why = "the device is gone"
		e.Hint = "open it again"
		e.Err = errGone
	}
	return e
}
