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
	uso  bool // it cuts UDP super-segments, too
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

// openRawTUN makes the device in the thread's namespace, with the client's address on it. uso asks for UDP
// super-segments, too, which whoever asks must know how to take apart.
func openRawTUN(mtu int, uso bool) (*rawTUN, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	uso, err = setUpRawTUN(fd, mtu, uso)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	t := &rawTUN{file: os.NewFile(uintptr(fd), rawTUNName), fd: fd, uso: uso}
	if t.raw, err = t.file.SyscallConn(); err != nil {
		t.file.Close()
		return nil, err
	}
	return t, nil
}

func setUpRawTUN(fd, mtu int, wanted bool) (uso bool, err error) {
	req, err := unix.NewIfreq(rawTUNName)
	if err != nil {
		return false, err
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		return false, fmt.Errorf("make a TUN device: %w", err)
	}
	const offload = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6
	uso = wanted && unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offload|unix.TUN_F_USO4|unix.TUN_F_USO6) == nil // Linux 6.2
	if !uso {
		if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offload); err != nil {
			return false, fmt.Errorf("turn on the offloads of the TUN device: %w", err)
		}
	}
	return uso, setUpLink(rawTUNName, clientPrefix, mtu)
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
