package netflag

import (
	"fmt"
	"net/netip"
	"strings"
)

// Device is one device as the flags describe it, with every default filled in.
type Device struct {
	Name      string         // may hold %d, for the kernel to number
	Addrs     []netip.Prefix // weir's addresses
	HostAddrs []netip.Prefix // the host's addresses on the same device
	HostNone  bool           // leave the host's side alone
	MTU       int            // octets; 0 where no flag says: a new device's default, an old one's own
	Offload   Offload
	Queues    int
}

// Offload is the value of --offload.
type Offload string

// The values of --offload.
const (
	OffloadAuto Offload = "auto" // what the kernel accepts
	OffloadOn   Offload = "on"   // vnet_hdr or an error
	OffloadOff  Offload = "off"  // plain packets
)

// Defaults are what holds where the flags say nothing.
type Defaults struct {
	Name      string
	Addrs     []netip.Prefix
	HostAddrs []netip.Prefix
	MTU       int // of a new device; it is shown, and for the device to apply
	Offload   Offload
	Queues    int
}

// spec is a device as it is being described.
type spec struct {
	Device
	mtuSet, offloadSet, queuesSet bool
}

// Resolve returns the devices that the parsed flags describe.
func (d *Devices) Resolve() ([]Device, error) {
	specs, err := d.specs()
	if err != nil {
		return nil, err
	}
	devices := make([]Device, 0, len(specs))
	names := map[string]bool{}
	for _, s := range specs {
		if names[s.Name] && !strings.Contains(s.Name, "%d") {
			return nil, fmt.Errorf("--tun %s is given twice", s.Name)
		}
		names[s.Name] = true
		d.inherit(s)
		if err := d.addresses(s, len(specs) == 1); err != nil {
			return nil, err
		}
		if err := s.check(); err != nil {
			return nil, err
		}
		devices = append(devices, s.Device)
	}
	return devices, nil
}

// ResolveWith is Resolve with other default addresses.
func (d *Devices) ResolveWith(addrs, hostAddrs []netip.Prefix) ([]Device, error) {
	other := *d
	other.defaults.Addrs, other.defaults.HostAddrs = addrs, hostAddrs
	return other.Resolve()
}

// specs returns the devices named, or the default one.
func (d *Devices) specs() ([]*spec, error) {
	c := &d.common
	switch len(d.named) {
	case 0:
		one := *c
		one.Name = d.defaults.Name
		return []*spec{&one}, nil
	case 1: // the order does not matter
		one := *d.named[0]
		one.Addrs = append(c.Addrs[:len(c.Addrs):len(c.Addrs)], one.Addrs...)
		one.HostAddrs = append(c.HostAddrs[:len(c.HostAddrs):len(c.HostAddrs)], one.HostAddrs...)
		one.HostNone = one.HostNone || c.HostNone
		return []*spec{&one}, nil
	}
	switch {
	case len(c.Addrs) > 0:
		return nil, fmt.Errorf("--addr %s comes before the first of several --tun: write it after the device it belongs to", c.Addrs[0])
	case len(c.HostAddrs) > 0:
		return nil, fmt.Errorf("--host-addr %s comes before the first of several --tun: write it after the device it belongs to", c.HostAddrs[0])
	case c.HostNone:
		return nil, fmt.Errorf("--host-addr none comes before the first of several --tun: write it after the device it belongs to")
	}
	return d.named, nil
}

// inherit fills in what the device leaves to the flags before it and the defaults.
func (d *Devices) inherit(s *spec) {
	switch {
	case s.mtuSet:
	case d.common.mtuSet:
		s.MTU = d.common.MTU
	}
	switch {
	case s.offloadSet:
	case d.common.offloadSet:
		s.Offload = d.common.Offload
	default:
		s.Offload = d.defaults.Offload
	}
	switch {
	case s.queuesSet:
	case d.common.queuesSet:
		s.Queues = d.common.Queues
	default:
		s.Queues = d.defaults.Queues
	}
}

// addresses fills in the side that was left out: all addresses from the defaults
// when neither side was given, the peer of each address when one was.
func (d *Devices) addresses(s *spec, only bool) error {
	switch {
	case len(s.Addrs) == 0 && len(s.HostAddrs) == 0:
		if !only {
			return fmt.Errorf("--tun %s has no --addr after it", s.Name)
		}
		s.Addrs = d.defaults.Addrs
		if !s.HostNone {
			s.HostAddrs = d.defaults.HostAddrs
		}
	case len(s.Addrs) == 0:
		s.Addrs = peers(s.HostAddrs)
	case len(s.HostAddrs) == 0 && !s.HostNone:
		s.HostAddrs = peers(s.Addrs)
	}
	if len(s.Addrs) == 0 {
		return fmt.Errorf("--tun %s has no --addr, and none follows from its --host-addr", s.Name)
	}
	return nil
}
