package tun

import (
	"io"
	"os"
	"syscall"

	"github.com/songgao/water"
	"golang.org/x/sys/unix"
)

// openWater opens the one queue of a plain device by water, and makes up for what water
// does otherwise than this package promises:
//
//   - It sets no O_CLOEXEC. The flag is set here while no other goroutine may fork.
//   - It sets or clears the persist flag of whatever it opens. An operator's persistent device
//     is opened with Persist on, which changes nothing there.
//   - It has no IFF_TUN_EXCL, so that a device that somebody makes between our look and its
//     opening would be taken over. And when TUNSETIFF fails it loses its descriptor. So reserve
//     goes first, with a descriptor of our own, and water finds a device that it can open.
func (d *Device) openWater(cfg *Config) error {
	flags := d.flags(cfg)
	name, err := d.reserve(cfg.Name, flags)
	if err != nil {
		return err
	}
	ifce, file, err := newWater(water.Config{
		DeviceType: water.TUN,
		PlatformSpecificParams: water.PlatformSpecificParams{
			Name: name,
			// A reserved device loses its persist flag here and is then gone with the
			// descriptor.
			Persist:    !d.created,
			MultiQueue: flags&unix.IFF_MULTI_QUEUE != 0,
		},
	})
	if err != nil {
		if d.created {
			unreserve(name, flags)
		}
		return attachError(name, err)
	}
	if err := d.addQueue(name, file, ifce); err != nil {
		return err
	}
	var bad error
	if err := d.queues[0].control(func(fd int) { bad = verify(name, fd, flags) }); err != nil || bad != nil {
		return bad
	}
	return d.clearOffloads()
}

// reserve makes the device for water to attach to, persistent for that moment, or holds
// that an operator's device can be attached to. It returns the name.
func (d *Device) reserve(name string, flags uint16) (string, error) {
	if d.created {
		flags |= unix.IFF_TUN_EXCL
	}
	fd, name, err := attach(name, flags)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	if !d.created {
		return name, nil
	}
	if err := unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1); err != nil {
		return "", attachError(name, err)
	}
	return name, nil
}

// unreserve takes back what reserve made.
func unreserve(name string, flags uint16) {
	fd, _, err := attach(name, flags)
	if err != nil {
		return
	}
	unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 0)
	unix.Close(fd)
}

// newWater opens a water interface whose descriptor is close-on-exec, and the file in it.
func newWater(cfg water.Config) (io.Closer, *os.File, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	ifce, err := water.New(cfg)
	if err != nil {
		return nil, nil, err
	}
	file, ok := ifce.ReadWriteCloser.(*os.File)
	if !ok {
		ifce.Close()
		return nil, nil, unix.EOPNOTSUPP
	}
	raw, err := file.SyscallConn()
	if err == nil {
		// Not file.Fd(), which is for those who want a blocking descriptor.
		err = raw.Control(func(fd uintptr) { unix.CloseOnExec(int(fd)) })
	}
	if err != nil {
		ifce.Close()
		return nil, nil, err
	}
	return ifce, file, nil
}
