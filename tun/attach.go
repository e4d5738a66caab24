package tun

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// cloneDevice is the node whose opening makes a queue. Tests point it elsewhere.
var cloneDevice = "/dev/net/tun"

// vnetLen is the length of the virtio-net header before each frame.
const vnetLen = 10

// The sets of offloads (TUNSETOFFLOAD) that are asked for.
const (
	offloadNone = 0
	offloadTCP  = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6
	// USO4 is accepted only together with USO6.
	offloadUDP = unix.TUN_F_USO4 | unix.TUN_F_USO6
)

// errNoVnet says that the kernel has no virtio-net header, or none of the offloads, for
// this device; it is the one failure after which OffloadAuto tries the plain way.
var errNoVnet = errors.New("no vnet_hdr")

// attach opens a queue: a descriptor that is bound to the interface, non-blocking and
// close-on-exec. It returns the descriptor and the interface's name.
func attach(name string, flags uint16) (int, string, error) {
	fd, err := openClone(name)
	if err != nil {
		return -1, "", err
	}
	actual, err := setIff(fd, name, flags)
	if err != nil {
		unix.Close(fd)
		return -1, "", attachError(name, err)
	}
	return fd, actual, nil
}

// openClone opens the clone device; the descriptor belongs to the thread's network
// namespace from then on.
func openClone(name string) (int, error) {
	for {
		fd, err := unix.Open(cloneDevice, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err == nil {
			return fd, nil
		}
		if err != unix.EINTR {
			return -1, openError(name, cloneDevice, err)
		}
	}
}

// setIff binds the descriptor to the interface (TUNSETIFF).
func setIff(fd int, name string, flags uint16) (string, error) {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return "", err
	}
	ifr.SetUint16(flags)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
		return "", err
	}
	return ifr.Name(), nil
}

// getIff returns the flags that the queue really has (TUNGETIFF).
func getIff(fd int) (uint16, error) {
	ifr, err := unix.NewIfreq("")
	if err != nil {
		return 0, err
	}
	if err := unix.IoctlIfreq(fd, unix.TUNGETIFF, ifr); err != nil {
		return 0, err
	}
	return ifr.Uint16(), nil
}

// verify asks the kernel whether the queue is what was asked for. IFF_NO_PI is not among
// what it can say (see the package's documentation).
func verify(name string, fd int, want uint16) error {
	const telling = unix.IFF_TUN | unix.IFF_VNET_HDR | unix.IFF_MULTI_QUEUE
	got, err := getIff(fd)
	if err != nil {
		return &Error{Op: "ask for the flags of", On: name, Err: err}
	}
	if got&telling == want&telling {
		return nil
	}
	e := &Error{Op: "open", On: name, Err: unix.EINVAL,
		Why:  fmt.Sprintf("the queue has flags %#x where %#x was asked for, because another program has the device open", got&telling, want&telling),
		Hint: "stop that program or choose another name"}
	if want&unix.IFF_VNET_HDR != 0 && got&unix.IFF_VNET_HDR == 0 {
		e.Err = errors.Join(unix.EINVAL, errNoVnet)
	}
	return e
}

// kernelHas reports whether the driver knows all of the attach flags.
func kernelHas(flags uint16) bool {
	fd, err := openClone("")
	if err != nil {
		return true // the real opening will say what is wrong
	}
	defer unix.Close(fd)
	got, err := unix.IoctlGetUint32(fd, unix.TUNGETFEATURES)
	return err != nil || uint16(got)&flags == flags
}

// setOffloads switches on what was asked for, on a queue that is known to have vnet_hdr,
// and reports whether UDP is among it.
func setOffloads(name string, fd int, uso bool) (bool, error) {
	if err := unix.IoctlSetPointerInt(fd, unix.TUNSETVNETHDRSZ, vnetLen); err != nil {
		return false, noOffload(name, err)
	}
	if uso && unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offloadTCP|offloadUDP) == nil {
		return true, nil
	}
	if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offloadTCP); err != nil {
		return false, noOffload(name, err)
	}
	return false, nil
}

func noOffload(name string, err error) error {
	return &Error{Op: "open", On: name, Err: errors.Join(err, errNoVnet),
		Why: "the kernel has no offloads for TUN devices (" + err.Error() + ")", Hint: "use it without offloads"}
}

// descriptor closes a descriptor.
type descriptor int

func (fd descriptor) Close() error { return unix.Close(int(fd)) }
