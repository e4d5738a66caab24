package tun

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// route is one that was added through the device.
type route struct {
	dst netip.Prefix
	via netip.Addr
}

func (r route) String() string {
	if r.via.IsValid() {
		return fmt.Sprintf("%v via %v", r.dst, r.via)
	}
	return r.dst.String()
}

// AddRoute makes the kernel send what is for dst out by the interface; via is the next hop
// and may be the zero Addr, since a TUN device needs none. The interface must be up. A
// route that is there already, the same in all of this, is left alone, also by Close.
//
// The error wraps EEXIST where dst has a route by another way, ENETDOWN where the interface
// is down, ENETUNREACH where via is not on the interface's link, and EINVAL where dst and
// via do not fit together.
func (d *Device) AddRoute(dst netip.Prefix, via netip.Addr) error {
	h, err := d.begin("add a route through")
	if err != nil {
		return err
	}
	defer h.mu.Unlock()
	r := route{dst.Masked(), via}
	if err := d.checkRoute("add", r); err != nil {
		return err
	}
	err = h.nl.RouteAdd(r.netlink(d.index))
	if errors.Is(err, unix.EEXIST) {
		return h.routeExists(d, r)
	}
	if err != nil {
		if _, gone := h.nl.LinkByIndex(d.index); errors.As(gone, &netlink.LinkNotFoundError{}) {
			err = unix.ENODEV // the kernel speaks of the next hop instead
		}
		return routeError("add", r, d.name, err)
	}
	h.routes = append(h.routes, r)
	return nil
}

// RemoveRoute takes a route away that AddRoute added. The error wraps ESRCH where there is
// none.
func (d *Device) RemoveRoute(dst netip.Prefix, via netip.Addr) error {
	h, err := d.begin("remove a route through")
	if err != nil {
		return err
	}
	defer h.mu.Unlock()
	r := route{dst.Masked(), via}
	if err := d.checkRoute("remove", r); err != nil {
		return err
	}
	if err := h.nl.RouteDel(r.netlink(d.index)); err != nil {
		return routeError("remove", r, d.name, err)
	}
	for i := range h.routes {
		if h.routes[i] == r {
			h.routes = append(h.routes[:i], h.routes[i+1:]...)
			break
		}
	}
	return nil
}

func (d *Device) checkRoute(op string, r route) error {
	if r.dst.IsValid() && (!r.via.IsValid() || r.via.Is4() == r.dst.Addr().Is4()) {
		return nil
	}
	return &Error{Op: op + " the route", On: fmt.Sprintf("%v by %s", r, d.name), Err: unix.EINVAL,
		Why: "destination and next hop are not of one address family"}
}

func (r route) netlink(index int) *netlink.Route {
	n := &netlink.Route{LinkIndex: index, Dst: ipNet(r.dst)}
	if r.via.IsValid() {
		n.Gw = r.via.AsSlice()
	} else if r.dst.Addr().Is4() {
		n.Scope = netlink.SCOPE_LINK
	}
	return n
}

// routeExists tells the same route from another one to the same destination.
func (h *host) routeExists(d *Device, r route) error {
	routes, err := h.nl.RouteListFiltered(family(r.dst.Addr()), &netlink.Route{Dst: ipNet(r.dst)}, netlink.RT_FILTER_DST)
	if err != nil {
		return routeError("add", r, d.name, unix.EEXIST)
	}
	other := "another interface"
	for _, got := range routes {
		gw, _ := netip.AddrFromSlice(got.Gw)
		if got.LinkIndex == d.index && gw.Unmap() == r.via {
			return nil
		}
		other = h.nameOf(got.LinkIndex)
	}
	e := routeError("add", r, d.name, unix.EEXIST).(*Error)
	e.Why = "there is one by " + other + " already"
	e.Hint = "remove that one or choose another destination"
	return e
}

func routeError(op string, r route, name string, err error) error {
	e := hostError(op+" the route", fmt.Sprintf("%v by %s", r, name), err).(*Error)
	switch {
	case errors.Is(err, unix.ENETDOWN):
		e.Why, e.Hint = "the interface is down", "set it up first"
	case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTUNREACH):
		e.Why, e.Hint = "the next hop is not on the interface's link", "give the interface an address beside it first"
	case errors.Is(err, unix.ESRCH):
		e.Why = "there is no such route"
	}
	return e
}
