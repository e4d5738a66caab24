package main

import (
	"errors"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	datagramSize  = 64
	datagramBatch = 128      // in one system call
	floodBatch    = 32       // the same, for the flood
	clientBuffer  = 16 << 20 // of the receiving socket, that the client loses little
)

// mmsghdr is struct mmsghdr of sendmmsg(2).
type mmsghdr struct {
	header unix.Msghdr
	n      uint32
	_      [4]byte
}

// batch is what sendmmsg and recvmmsg are given.
type batch struct {
	headers [datagramBatch]mmsghdr
	vectors [datagramBatch]unix.Iovec
	buffers [datagramBatch][2048]byte
}

func newBatch(size int) *batch {
	b := &batch{}
	for i := range b.headers {
		b.vectors[i] = unix.Iovec{Base: &b.buffers[i][0], Len: uint64(size)}
		b.headers[i].header.Iov, b.headers[i].header.Iovlen = &b.vectors[i], 1
	}
	return b
}

// transfer sends or receives up to n datagrams and returns how many; none is a timeout.
func (b *batch) transfer(trap uintptr, fd, n int, flags uintptr) (int, error) {
	for {
		k, _, errno := unix.Syscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(&b.headers)), uintptr(n), flags, 0, 0)
		switch errno {
		case 0:
			return int(k), nil
		case unix.EINTR:
		case unix.EAGAIN, unix.ENOBUFS:
			return 0, nil
		default:
			return 0, os.NewSyscallError("sendmmsg or recvmmsg", errno)
		}
	}
}

func (b *batch) send(fd, n int) (int, error) { return b.transfer(unix.SYS_SENDMMSG, fd, n, 0) }
func (b *batch) receive(fd, n int) (int, error) {
	return b.transfer(unix.SYS_RECVMMSG, fd, n, unix.MSG_WAITFORONE)
}

// udpConnect makes a connected UDP socket whose calls wait no longer than for patience.
func (c *client) udpConnect(patience time.Duration) (fd int, err error) {
	err = c.ns.Do(func() error {
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return os.NewSyscallError("socket", err)
		}
		late := unix.NsecToTimeval(int64(patience))
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, clientBuffer) != nil {
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, clientBuffer)
		}
		return errors.Join(
			unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &late),
			connectTo(fd, echoPort))
	})
	return fd, err
}

// udpPatience is how long an answer may take before it counts as lost.
const udpPatience = 100 * time.Millisecond

// flood sends datagrams as fast as one thread can, while another counts the answers.
func (c *client) flood(_ int, d time.Duration) (r outcome, err error) {
	fd, err := c.udpConnect(udpPatience)
	if err != nil {
		return r, err
	}
	defer unix.Close(fd)
	var sendErr error
	done := make(chan struct{})
	begin := time.Now()
	go func() {
		defer close(done)
		out := newBatch(datagramSize)
		for time.Since(begin) < d && sendErr == nil {
			n, err := out.send(fd, floodBatch)
			r.sent += uint64(n)
			sendErr = err
		}
		r.took = time.Since(begin)
	}()
	in := newBatch(2048)
	var count uint64
	for {
		n, err := in.receive(fd, datagramBatch)
		if err != nil {
			<-done
			return r, err
		}
		count += uint64(n)
		if n == 0 {
			select {
			case <-done:
				r.count = count
				return r, sendErr
			default:
			}
		}
	}
}

// inFlight keeps n datagrams on their way.
func (c *client) inFlight(n int, d time.Duration) (r outcome, err error) {
	fd, err := c.udpConnect(udpPatience)
	if err != nil {
		return r, err
	}
	defer unix.Close(fd)
	out, in := newBatch(datagramSize), newBatch(2048)
	begin := time.Now()
	flying := 0
	for time.Since(begin) < d {
		for flying < n {
			k, err := out.send(fd, min(n-flying, datagramBatch))
			if err != nil {
				return r, err
			}
			flying += k
			r.sent += uint64(k)
		}
		k, err := in.receive(fd, datagramBatch)
		if err != nil {
			return r, err
		}
		r.count += uint64(k)
		if flying -= k; k == 0 {
			flying = 0 // they are lost
		}
	}
	r.took = time.Since(begin)
	r.sent -= uint64(flying)
	return r, nil
}
