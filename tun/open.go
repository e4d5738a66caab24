package tun

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Open makes a device, or attaches to a persistent one that exists, as cfg says. The
// interface is not set up and has no addresses: see Up and AddHostAddress.
//
// Making one needs CAP_NET_ADMIN in the network namespace; attaching to one whose owner the
// caller is does not. The error is an *Error and wraps, among others: EPERM and EACCES (no
// permission), ENOENT (no /dev/net/tun, no such namespace), EBUSY (the name is in use by a
// program), EEXIST (by a device of another kind), EINVAL (the configuration cannot be).
func Open(cfg Config) (*Device, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Namespace == "" {
		return open(&cfg)
	}
	ns, err := OpenNamespace(cfg.Namespace)
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	var d *Device
	err = ns.Do(func() error {
		d, err = open(&cfg)
		return err
	})
	if err != nil && d != nil {
		d.Close()
		return nil, err
	}
	return d, err
}

// OpenWater is Open with one queue and without offloads: the plain way in over
// github.com/songgao/water.
func OpenWater(cfg Config) (*Device, error) {
	cfg.Offload, cfg.Queues = OffloadOff, 1
	return Open(cfg)
}

// open is Open in the thread's namespace. What it did when it fails is undone by Close,
// which takes a device at any stage.
func open(cfg *Config) (d *Device, err error) {
	d = newDevice(cfg.Name)
	defer func() {
		if err != nil {
			d.Close()
			d = nil
		}
	}()
	h, err := newHost()
	if err != nil {
		return d, err
	}
	d.undo = h
	if err = d.look(h, cfg); err != nil {
		return d, err
	}
	if err = d.openQueues(cfg); err != nil {
		return d, err
	}
	if err = h.settle(d, cfg); err != nil {
		return d, err
	}
	d.watch, err = startWatch(d, h)
	return d, err
}

// look finds the operator's device of the name, if there is one that can be attached to.
func (d *Device) look(h *host, cfg *Config) (err error) {
	if h.found, err = h.find(cfg); err != nil || h.found == nil {
		d.created = err == nil
		return err
	}
	d.multiQueue = h.found.multiQueue()
	// A second descriptor, not bound to anything yet, puts the attach flags back at the
	// end: it is of the right namespace wherever Close is called.
	if h.found.spare, err = openClone(cfg.Name); err != nil {
		return err
	}
	return nil
}

// openQueues opens the queues in the best way that cfg and the kernel allow.
func (d *Device) openQueues(cfg *Config) error {
	if cfg.Offload != OffloadOff {
		err := d.openVnet(cfg)
		if err == nil || cfg.Offload == OffloadOn || !errors.Is(err, errNoVnet) {
			return err
		}
		d.closeQueues()
	}
	if cfg.Queues == 1 {
		return d.openWater(cfg)
	}
	return d.openPlain(cfg)
}

// flags returns the attach flags without vnet_hdr.
func (d *Device) flags(cfg *Config) uint16 {
	flags := uint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if cfg.Queues > 1 || d.multiQueue {
		flags |= unix.IFF_MULTI_QUEUE
	}
	return flags
}

// openVnet opens queues of our own with offloads.
func (d *Device) openVnet(cfg *Config) error {
	flags := d.flags(cfg) | unix.IFF_VNET_HDR
	if !kernelHas(flags) {
		return noOffload(cfg.Name, unix.EOPNOTSUPP)
	}
	if err := d.attachAll(cfg, flags); err != nil {
		return err
	}
	d.vnet = true
	var uso bool
	var setErr error
	err := d.queues[0].control(func(fd int) {
		if !d.created {
			d.noteHeader(fd)
		}
		uso, setErr = setOffloads(d.name, fd, !cfg.NoUSO)
	})
	if err != nil || setErr != nil {
		d.vnet = false
		return errors.Join(err, setErr)
	}
	d.features = vnetFeatures
	if uso {
		d.features |= usoFeatures
	}
	return nil
}

// openPlain opens queues of our own without a header.
func (d *Device) openPlain(cfg *Config) error {
	if err := d.attachAll(cfg, d.flags(cfg)); err != nil {
		return err
	}
	return d.clearOffloads()
}

// attachAll opens cfg.Queues queues and asks of each what it is.
func (d *Device) attachAll(cfg *Config, flags uint16) error {
	name, excl := cfg.Name, uint16(0)
	if d.created {
		// Whoever makes a device of the name between our look and now keeps it.
		excl = unix.IFF_TUN_EXCL
	}
	for range cfg.Queues {
		fd, actual, err := attach(name, flags|excl)
		if d.undo == nil && errors.Is(err, unix.EINVAL) && flags&unix.IFF_MULTI_QUEUE == 0 {
			flags |= unix.IFF_MULTI_QUEUE // a device for several queues takes one only so
			fd, actual, err = attach(name, flags)
		}
		if err != nil {
			return err
		}
		if err := verify(actual, fd, flags); err != nil {
			unix.Close(fd)
			return err
		}
		file := asFile(fd)
		if err := d.addQueue(actual, file, file); err != nil {
			return err
		}
		name, excl = actual, 0
	}
	return nil
}

// clearOffloads makes sure that a device without vnet_hdr delivers no super-segment: who
// had a persistent device before may have left them on.
func (d *Device) clearOffloads() error {
	var off error
	err := d.queues[0].control(func(fd int) {
		off = unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offloadNone)
	})
	if err = errors.Join(err, off); err != nil {
		return &Error{Op: "switch off the offloads of", On: d.name, Why: fmt.Sprint(err), Err: err}
	}
	return nil
}
