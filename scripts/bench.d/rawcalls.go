package main

import (
	"fmt"
	"io"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func rawTransfer(trap uintptr, fd int, p []byte) error {
	for {
		n, _, errno := unix.RawSyscall(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch {
		case errno == unix.EINTR:
		case errno == unix.EAGAIN:
			return fmt.Errorf("nothing came for %v: %w", spare, os.ErrDeadlineExceeded)
		case errno != 0:
			return os.NewSyscallError("read or write", errno)
		case n == 0:
			return io.ErrUnexpectedEOF
		case int(n) != len(p):
			return io.ErrShortWrite
		default:
			return nil
		}
	}
}

// rawEpollWait waits for the first event, at most for late.
func rawEpollWait(ep int, events []unix.EpollEvent, late time.Duration) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(ep), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), uintptr(late.Milliseconds()), 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return 0, os.NewSyscallError("epoll_pwait", errno)
		case n == 0:
			return 0, fmt.Errorf("nothing came for %v: %w", late, os.ErrDeadlineExceeded)
		default:
			return int(n), nil
		}
	}
}
