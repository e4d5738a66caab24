package netconn

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// opError wraps err as package net does, naming the operation and both ends.
// nil and io.EOF stay as they are.
func opError(op, network string, local, remote net.Addr, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: network, Source: local, Addr: remote, Err: inner(op, err)}
}

// inner gives an errno the name of the call that the kernel would have failed.
func inner(op string, err error) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	switch op {
	case "dial":
		op = "connect"
	case "listen":
		op = "bind"
	}
	return os.NewSyscallError(op, errno)
}

// dialError is the error of a dial that ended with its context.
type dialError struct{ cause error }

func (e dialError) Error() string {
	if e.Timeout() {
		return "i/o timeout"
	}
	return "operation was canceled"
}

// Timeout reports whether the context's deadline passed.
func (e dialError) Timeout() bool { return errors.Is(e.cause, context.DeadlineExceeded) }

// Temporary is true for a timeout, as in package net.
func (e dialError) Temporary() bool { return e.Timeout() }

// Is makes the error equal to the context's and, for a timeout, to os.ErrDeadlineExceeded.
func (e dialError) Is(target error) bool {
	return target == e.cause || e.Timeout() && target == os.ErrDeadlineExceeded
}
