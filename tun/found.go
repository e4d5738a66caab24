package tun

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// found is an operator's device as it was when Open found it: what Close goes back to.
type found struct {
	link    *netlink.Tuntap
	addrs   []netlink.Addr
	routes  []netlink.Route
	addrGen int // addr_gen_mode, which the kernel changes when a TUN device first goes up; -1 not known
	spare   int // descriptor bound to no device, to put the attach flags back with; -1 none
}

func (f *found) multiQueue() bool { return f.link.Flags&netlink.TUNTAP_MULTI_QUEUE != 0 }

func (f *found) up() bool { return f.link.RawFlags&unix.IFF_UP != 0 }

// find looks for a device of the name in cfg: nil where there is none, an error where there
// is one that cannot be attached to.
func (h *host) find(cfg *Config) (*found, error) {
	l, err := h.nl.LinkByName(cfg.Name)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil, nil
	}
	if err != nil {
		return nil, hostError("look up", cfg.Name, err)
	}
	no := func(err error, why, hint string) error {
		return &Error{Op: "open", On: cfg.Name, Err: err, Why: why, Hint: hint}
	}
	t, ok := l.(*netlink.Tuntap)
	switch {
	case !ok:
		return nil, no(unix.EEXIST, "the name is in use by a device of another kind ("+l.Type()+")", "choose another name")
	case t.Mode != netlink.TUNTAP_MODE_TUN:
		return nil, no(unix.EEXIST, "the name is in use by a TAP device", "choose another name")
	case t.NonPersist || t.Queues > 0:
		return nil, no(unix.EBUSY, "the name is in use by another program's device", "stop that program or choose another name")
	case cfg.Queues > 1 && t.Flags&netlink.TUNTAP_MULTI_QUEUE == 0:
		return nil, no(unix.EINVAL, "the device that is there takes one queue only", "ask for one queue, or make it with multi_queue")
	}
	f := &found{link: t, addrGen: -1, spare: -1}
	if mode, err := os.ReadFile(ipv6Setting(t.Name, "addr_gen_mode")); err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(mode))); err == nil {
			f.addrGen = n
		}
	}
	if f.addrs, err = h.addresses(t, netlink.FAMILY_ALL); err == nil {
		f.routes, err = h.routesOf(t.Index)
	}
	if err != nil {
		return nil, hostError("look at", cfg.Name, err)
	}
	return f, nil
}

// routesOf lists the routes of an interface in all tables but those that the kernel made
// itself.
func (h *host) routesOf(index int) ([]netlink.Route, error) {
	filter := &netlink.Route{LinkIndex: index, Table: unix.RT_TABLE_UNSPEC}
	var kept []netlink.Route
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		all, err := h.nl.RouteListFiltered(family, filter, netlink.RT_FILTER_OIF|netlink.RT_FILTER_TABLE)
		if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
			return nil, err
		}
		for _, r := range all {
			if r.Protocol != unix.RTPROT_KERNEL {
				kept = append(kept, r)
			}
		}
	}
	return kept, nil
}

// restore puts an operator's device back as it was found. What the operator has changed
// meanwhile stays. It goes on after a failure and returns all of them.
func (h *host) restore(d *Device) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	now, err := h.nl.LinkByIndex(d.index)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil // deleted underneath, and what was on it with it
	}
	if err != nil {
		return hostError("put back", d.name, err)
	}
	var errs []error
	note := func(what string, err error) {
		if err != nil {
			errs = append(errs, hostError("put back "+what+" of", d.name, err))
		}
	}
	for _, r := range h.routes {
		note(fmt.Sprintf("the lack of a route to %v", r), unless(unix.ESRCH, h.nl.RouteDel(r.netlink(d.index))))
	}
	for _, p := range h.addrs {
		note(fmt.Sprintf("the lack of address %v", p), unless(unix.EADDRNOTAVAIL, h.nl.AddrDel(now, &netlink.Addr{IPNet: ipNet(p)})))
	}
	if h.mtu != 0 && h.mtu == now.Attrs().MTU && h.mtu != h.found.link.MTU {
		note("the MTU", h.nl.LinkSetMTU(now, h.found.link.MTU))
	}
	if h.upDown && h.found.up() {
		note("the up state", h.nl.LinkSetUp(now))
	} else if h.upDown {
		note("the down state", h.nl.LinkSetDown(now))
	}
	h.unconfigure(d, note)
	if h.upDown {
		h.replenish(d, note)
	}
	return errors.Join(errs...)
}

// unconfigure takes back what the kernel did by itself when the device got its carrier: it
// made up a link-local address and chose how to.
func (h *host) unconfigure(d *Device, note func(string, error)) {
	addrs, err := h.addresses(d.link(), netlink.FAMILY_V6)
	note("the addresses", err)
	for _, a := range addrs {
		own := a.IP.IsLinkLocalUnicast() && a.Flags&unix.IFA_F_STABLE_PRIVACY != 0
		if own && !slices.ContainsFunc(h.found.addrs, func(b netlink.Addr) bool { return b.IP.Equal(a.IP) }) {
			err := unless(unix.EADDRNOTAVAIL, h.nl.AddrDel(d.link(), &a))
			// Who attached without CAP_NET_ADMIN, as the device's owner, cannot.
			note("the lack of address "+a.IPNet.String(), unless(unix.EPERM, err))
		}
	}
	if h.found.addrGen >= 0 {
		note("the address generation mode", unless(unix.EPERM, h.nl.LinkSetIP6AddrGenMode(d.link(), h.found.addrGen)))
	}
}

// replenish adds what the kernel took away when the interface went down.
func (h *host) replenish(d *Device, note func(string, error)) {
	for _, a := range h.found.addrs {
		if a.Flags&unix.IFA_F_PERMANENT == 0 {
			continue // it has a lifetime, and who gave it will give it again
		}
		a.Flags |= unix.IFA_F_NODAD
		note("address "+a.IPNet.String(), unless(unix.EEXIST, h.nl.AddrAdd(d.link(), &a)))
	}
	for _, r := range h.found.routes {
		// The list also says what state the next hop was in, which the kernel does not want
		// to be told.
		r.Flags &= unix.RTNH_F_ONLINK
		note("the route to "+fmt.Sprint(r.Dst), unless(unix.EEXIST, h.nl.RouteAdd(&r)))
	}
}

// resetFlags gives an operator's device the attach flags that it had: they show in
// listings. They can only be set by attaching.
func (f *found) resetFlags(h *host) {
	if f.spare < 0 {
		return
	}
	defer unix.Close(f.spare)
	l, err := h.nl.LinkByIndex(f.link.Index)
	if err != nil {
		return
	}
	const kept = netlink.TUNTAP_NO_PI | netlink.TUNTAP_VNET_HDR | netlink.TUNTAP_MULTI_QUEUE
	t, ok := l.(*netlink.Tuntap)
	// Not where another device has the name, for that would be made or taken; nor where
	// somebody else is attached by now.
	if !ok || t.Name != f.link.Name || t.Queues > 0 || t.Flags&kept == f.link.Flags&kept {
		return
	}
	setIff(f.spare, t.Name, uint16(unix.IFF_TUN|f.link.Flags&kept))
}

// unless returns err, or nil where it is the one that does no harm.
func unless(harmless unix.Errno, err error) error {
	if errors.Is(err, harmless) || errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return err
}
