package tun

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Attach opens the queues of a persistent device that somebody else has made and set up, and
// does nothing else: the host's side, its addresses, routes and state, stays with whoever has
// it. It needs no netlink socket, no capability where the caller is the device's owner, and
// a program that calls Attach and not Open links nothing of package netlink.
//
//	ip tuntap add dev weir0 mode tun user alice
//	ip addr add 192.0.2.1/24 dev weir0 && ip link set weir0 up
//
// Of cfg it takes Name, Queues, Offload and NoUSO. MTU is that of the device when Attach was called. The
// methods that change the host's side fail with EOPNOTSUPP. Close leaves no offload on, but
// the device's attach flags are those of the last user. The error wraps, beside Open's,
// ENODEV where there is no such device.
func Attach(cfg Config) (*Device, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	no := func(err error, why, hint string) error {
		return &Error{Op: "attach to", On: cfg.Name, Why: why, Hint: hint, Err: err}
	}
	if cfg.MTU != 0 || cfg.RingLen != 0 || cfg.Namespace != "" {
		return nil, no(unix.EINVAL, "only its name, queues and offloads can be chosen", "use Open, or do it with ip")
	}
	d := newDevice(cfg.Name)
	if err := d.ask(); errors.Is(err, unix.ENODEV) {
		return nil, no(err, "there is no such device", "make it with ip tuntap add, or use Open")
	} else if err != nil {
		return nil, no(err, "", "")
	}
	var err error
	if d.bell, err = newBell(); err != nil {
		return nil, bellError("attach to", cfg.Name, err)
	}
	if err := d.attachQueues(&cfg); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// ask asks the kernel for the device's index and MTU.
func (d *Device) ask() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq(d.name)
	if err == nil {
		err = unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr)
	}
	if err != nil {
		return err
	}
	d.index = int(ifr.Uint32())
	err = unix.IoctlIfreq(fd, unix.SIOCGIFMTU, ifr)
	d.mtu.Store(int64(ifr.Uint32()))
	return err
}

// attachQueues opens the queues, with offloads where that is asked for and goes.
func (d *Device) attachQueues(cfg *Config) error {
	if cfg.Offload != OffloadOff {
		err := d.openVnet(cfg)
		if err == nil || cfg.Offload == OffloadOn || !errors.Is(err, errNoVnet) {
			return err
		}
		d.closeQueues()
	}
	return d.openPlain(cfg)
}
