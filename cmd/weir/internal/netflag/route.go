package netflag

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/pflag"
)

// Route is one --route.
type Route struct {
	Dst netip.Prefix
	Via netip.Addr // invalid: the destination is on the link
	Dev string     // empty: the device that reaches Via, or the only one
	// OnLink says that Via is on Dev's link, whatever its addresses.
	OnLink bool
}

// Routes collects the --route flags.
type Routes struct{ list []Route }

// Register adds --route to fs.
func (r *Routes) Register(fs *pflag.FlagSet) {
	fs.Var(&value{kind: "CIDR[,via=ADDR][,dev=NAME][,onlink]", set: r.set}, "route",
		"a route of weir's, `CIDR[,via=ADDR][,dev=NAME][,onlink]`, instead of everything by its one device (repeatable)")
}

func (r *Routes) set(s string) error {
	route, err := parseRoute(s)
	if err == nil {
		r.list = append(r.list, route)
	}
	return err
}

func parseRoute(s string) (Route, error) {
	parts := strings.Split(s, ",")
	dst, err := netip.ParsePrefix(parts[0])
	if err != nil {
		return Route{}, fmt.Errorf("%q is not a destination, as in 203.0.113.0/24 or ::/0", parts[0])
	}
	if dst != dst.Masked() {
		return Route{}, fmt.Errorf("%s has bits beyond its length: did you mean %s", dst, dst.Masked())
	}
	route := Route{Dst: dst}
	for _, part := range parts[1:] {
		if part == "onlink" {
			route.OnLink = true
			continue
		}
		key, val, _ := strings.Cut(part, "=")
		switch key {
		case "via":
			if route.Via, err = netip.ParseAddr(val); err != nil {
				return Route{}, fmt.Errorf("via=%s: not an address", val)
			}
		case "dev":
			if err := checkName(val); err != nil {
				return Route{}, fmt.Errorf("dev=%s: %w", val, err)
			}
			route.Dev = val
		default:
			return Route{}, fmt.Errorf("%q is none of via=ADDR, dev=NAME and onlink", part)
		}
	}
	if route.Via.IsValid() && route.Via.Is4() != dst.Addr().Is4() {
		return Route{}, errors.New("destination and via= are of different families")
	}
	if route.OnLink && !route.Via.IsValid() {
		return Route{}, errors.New("onlink says where a next hop is: give via=ADDR, or leave it out")
	}
	return route, nil
}

// Resolve returns the routes for the devices, each with its device where that is
// known. With one device, a family for which no route was given has one to
// everywhere by that device; with several, weir knows its links and what it is told.
func (r *Routes) Resolve(devices []Device) ([]Route, error) {
	routes := make([]Route, 0, len(r.list)+2)
	told := map[bool]bool{} // by "is IPv4"
	for _, route := range r.list {
		told[route.Dst.Addr().Is4()] = true
		if err := route.settle(devices); err != nil {
			return nil, err
		}
		routes = append(routes, route)
	}
	if len(devices) == 1 {
		for _, dst := range []netip.Prefix{everywhere4, everywhere6} {
			if !told[dst.Addr().Is4()] {
				routes = append(routes, Route{Dst: dst, Dev: devices[0].Name})
			}
		}
	}
	return routes, nil
}

var (
	everywhere4 = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	everywhere6 = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
)

// settle fills in the route's device, or says why it has none.
func (r *Route) settle(devices []Device) error {
	if r.Dev != "" {
		for _, d := range devices {
			if d.Name == r.Dev {
				return nil
			}
		}
		return fmt.Errorf("--route %s,dev=%s: there is no --tun %s", r.Dst, r.Dev, r.Dev)
	}
	if len(devices) == 1 {
		r.Dev = devices[0].Name
		return nil
	}
	for _, d := range devices {
		for _, a := range d.Addrs {
			if r.Via.IsValid() && a.Contains(r.Via) {
				r.Dev = d.Name
				return nil
			}
		}
	}
	if r.Via.IsValid() {
		return fmt.Errorf("--route %s,via=%s: no device has an address on the link of %s; say dev=NAME", r.Dst, r.Via, r.Via)
	}
	return fmt.Errorf("--route %s: say by which of the devices, with via=ADDR or dev=NAME", r.Dst)
}
