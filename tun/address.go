package tun

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// AddHostAddress gives the kernel an address on the interface; what else the prefix holds
// is routed to the device while it is up. An IPv6 address is usable at once, with no
// duplicate address detection (RFC 4862 §5.4): nobody else is on the link. An address of an
// operator's device that is there already is left alone, also by Close.
//
// The error wraps EADDRINUSE where the address is another interface's, or this one's with
// another prefix length, and EINVAL where it is none, or IPv6 and the MTU is below
// MinIPv6MTU.
func (d *Device) AddHostAddress(p netip.Prefix) error {
	h, err := d.begin("add an address to")
	if err != nil {
		return err
	}
	defer h.mu.Unlock()
	on := fmt.Sprintf("%v to %s", p, d.name)
	if why := d.unusable(p); why != "" {
		return &Error{Op: "add", On: on, Why: why, Err: unix.EINVAL}
	}
	there, err := h.inUse(d, p)
	if there || err != nil {
		return err
	}
	if err := h.addAddress(d, p); err != nil {
		return addressError(on, p, err)
	}
	h.addrs = append(h.addrs, p)
	if l, err := h.nl.LinkByIndex(d.index); err == nil && l.Attrs().RawFlags&unix.IFF_UP != 0 {
		h.waitUsable(p.Addr())
	}
	return nil
}

// waitUsable waits until packets for IPv6 addresses of an interface that is up are taken:
// also without duplicate address detection the kernel lets a worker finish an address, and
// drops what comes before.
func (h *host) waitUsable(addrs ...netip.Addr) {
	end := time.Now().Add(patience)
	for _, a := range addrs {
		for a.Is6() && !a.IsLinkLocalUnicast() && !h.isLocal(a) && time.Now().Before(end) {
			time.Sleep(100 * time.Microsecond)
		}
	}
}

// isLocal reports whether the kernel takes packets for a.
func (h *host) isLocal(a netip.Addr) bool {
	routes, err := h.nl.RouteGet(a.AsSlice())
	return err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL
}

func (h *host) addAddress(d *Device, p netip.Prefix) error {
	a := &netlink.Addr{IPNet: ipNet(p)}
	if p.Addr().Is6() {
		a.Flags = unix.IFA_F_NODAD
	}
	return h.nl.AddrAdd(d.link(), a)
}

// unusable returns why the interface cannot have the address, or "".
func (d *Device) unusable(p netip.Prefix) string {
	a := p.Addr()
	switch {
	case !p.IsValid():
		return "it is not an address with a prefix length"
	case a.Is4In6() || a.Zone() != "":
		return "it is neither a plain IPv4 nor a plain IPv6 address"
	case a.IsMulticast() || a.IsUnspecified():
		return "no interface can have that address"
	case a.Is6() && d.MTU() < MinIPv6MTU:
		return fmt.Sprintf("the MTU is %d and IPv6 needs %d or more", d.MTU(), MinIPv6MTU)
	}
	return ""
}

// inUse looks for the address on all interfaces: the kernel would not mind, and then answer
// for the wrong one.
func (h *host) inUse(d *Device, p netip.Prefix) (there bool, err error) {
	all, err := h.addresses(nil, family(p.Addr()))
	if err != nil {
		return false, hostError("list the addresses beside", d.name, err)
	}
	for _, a := range all {
		got := toPrefix(a.IPNet)
		if got.Addr() != p.Addr() || a.LinkIndex != d.index && p.Addr().IsLinkLocalUnicast() {
			continue
		}
		if a.LinkIndex == d.index && got == p {
			return true, nil
		}
		return false, &Error{Op: "add", On: fmt.Sprintf("%v to %s", p, d.name), Err: unix.EADDRINUSE,
			Why: fmt.Sprintf("the address is in use: %s has %v", h.nameOf(a.LinkIndex), got), Hint: "choose another address"}
	}
	return false, nil
}

// RemoveHostAddress takes an address away from the interface. The error wraps EADDRNOTAVAIL
// where it is not there.
func (d *Device) RemoveHostAddress(p netip.Prefix) error {
	h, err := d.begin("remove an address from")
	if err != nil {
		return err
	}
	defer h.mu.Unlock()
	if !p.IsValid() {
		return &Error{Op: "remove", On: fmt.Sprintf("%v from %s", p, d.name), Why: "it is not an address with a prefix length", Err: unix.EINVAL}
	}
	if err := h.nl.AddrDel(d.link(), &netlink.Addr{IPNet: ipNet(p)}); err != nil {
		e := hostError("remove", fmt.Sprintf("%v from %s", p, d.name), err).(*Error)
		if errors.Is(err, unix.EADDRNOTAVAIL) {
			e.Why = "the interface does not have it"
		}
		return e
	}
	for i := range h.addrs {
		if h.addrs[i] == p {
			h.addrs = append(h.addrs[:i], h.addrs[i+1:]...)
			break
		}
	}
	return nil
}

func addressError(on string, p netip.Prefix, err error) error {
	e := hostError("add", on, err).(*Error)
	switch {
	case errors.Is(err, unix.EEXIST):
		e.Why, e.Err = "the address is in use", errors.Join(unix.EADDRINUSE, err)
	case p.Addr().Is6() && (errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EAFNOSUPPORT)):
		if errors.Is(err, unix.EPERM) {
			break
		}
		e.Why = "IPv6 is switched off here (" + err.Error() + ")"
		e.Hint = "switch it on (sysctl net.ipv6.conf.all.disable_ipv6=0) or leave the IPv6 addresses out"
	}
	return e
}

// addresses lists those of l, or of all interfaces where it is nil.
func (h *host) addresses(l netlink.Link, family int) ([]netlink.Addr, error) {
	for tries := 0; ; tries++ {
		addrs, err := h.nl.AddrList(l, family)
		// The kernel says so when the list changed while it was read.
		if errors.Is(err, netlink.ErrDumpInterrupted) && tries < 10 {
			continue
		}
		return addrs, err
	}
}

func (h *host) nameOf(index int) string {
	if l, err := h.nl.LinkByIndex(index); err == nil {
		return l.Attrs().Name
	}
	return "interface " + itoa(index)
}

func family(a netip.Addr) int {
	if a.Is4() {
		return netlink.FAMILY_V4
	}
	return netlink.FAMILY_V6
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// toPrefix returns the invalid Prefix for nil.
func toPrefix(n *net.IPNet) netip.Prefix {
	if n == nil {
		return netip.Prefix{}
	}
	a, _ := netip.AddrFromSlice(n.IP)
	ones, _ := n.Mask.Size()
	return netip.PrefixFrom(a.Unmap(), ones)
}
