package main

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// rawTUN is a TUN device with vnet_hdr and segmentation offloads, and nothing around it: for
// the contenders that are not weir. It waits in the runtime's poller, which gives almost
// twice the request rate of a blocking poll(2).
type rawTUN struct {
	file *os.File
	raw  syscall.RawConn
	fd   int
}

const rawTUNName = "tun0"

// vnetLen is the length of the virtio-net header (Virtual I/O Device 1.2 §5.1.6).
const vnetLen = 10

// What stands in a virtio-net header.
const (
	vnetNeedsCsum = 1
	vnetGSOTCPv4  = 1
	vnetGSOTCPv6  = 4
)

// openRawTUN makes the device in the thread's namespace, with the client's address on it.
func openRawTUN(mtu int) (*rawTUN, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	if err := setUpRawTUN(fd, mtu); err != nil {
		unix.Close(fd)
		return nil, err
	}
	t := &rawTUN{file: os.NewFile(uintptr(fd), rawTUNName), fd: fd}
	if t.raw, err = t.file.SyscallConn(); err != nil {
		t.file.Close()
		return nil, err
	}
	return t, nil
}

func setUpRawTUN(fd, mtu int) error {
	req, err := unix.NewIfreq(rawTUNName)
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		return fmt.Errorf("make a TUN device: %w", err)
	}
	const offload = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6
	if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offload); err != nil {
		return fmt.Errorf("turn on the offloads of the TUN device: %w", err)
	}
	return setUpLink(rawTUNName, clientPrefix, mtu)
}

// read makes one read(2); n is negative when there is nothing to read.
func (t *rawTUN) read(p []byte) (n int, err error) {
	for {
		n, err := unix.Read(t.fd, p)
		switch err {
		case nil:
			return n, nil
		case unix.EINTR:
		case unix.EAGAIN:
			return -1, nil
		default:
			return 0, err
		}
	}
}
