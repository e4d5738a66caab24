package route

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
)

// Route is where packets to a prefix go.
type Route struct {
	// Dst is the destination. Bits beyond its length are cleared on insertion.
	Dst netip.Prefix
	// Via is the next hop, of the family of Dst. The zero value says that the
	// destination is on the link.
	Via netip.Addr
	// Interface is the index of the interface that packets leave by.
	Interface int
	// Metric ranks the routes of one prefix: lower is better.
	Metric int
	// Src is the source address that packets prefer, of the family of Dst. The
	// zero value leaves it to source address selection.
	Src netip.Addr
	// OnLink says that Via is on the interface's link, whether or not a route says so.
	OnLink bool
}

// NextHop returns the address that a packet to dst is handed to on the link: Via, or dst
// itself where the destination is on the link.
func (r *Route) NextHop(dst netip.Addr) netip.Addr {
	if r.Via.IsValid() {
		return r.Via
	}
	return dst
}

// String returns the route as "ip route" would print it, with the interface's index.
func (r Route) String() string {
	s := r.Dst.String()
	if r.Via.IsValid() {
		s += " via " + r.Via.String()
	}
	s += fmt.Sprintf(" dev %d metric %d", r.Interface, r.Metric)
	if r.Src.IsValid() {
		s += " src " + r.Src.String()
	}
	if r.OnLink {
		s += " onlink"
	}
	return s
}

// What Insert and With refuse.
var (
	ErrDestination = errors.New("route: the destination is not a prefix, or is IPv4-mapped")
	ErrNextHop     = errors.New("route: the next hop is of another family than the destination, or no host's address")
	ErrSource      = errors.New("route: the source is of another family than the destination, or no host's address")
)

// normal returns the route as the table keeps it, or why it cannot.
func (r Route) normal() (Route, error) {
	if !r.Dst.IsValid() || r.Dst.Addr().Is4In6() {
		return r, fmt.Errorf("%w: %v", ErrDestination, r.Dst)
	}
	r.Dst = r.Dst.Masked()
	if !hostOf(r.Dst, r.Via) {
		return r, fmt.Errorf("%w: %v via %v", ErrNextHop, r.Dst, r.Via)
	}
	if !hostOf(r.Dst, r.Src) {
		return r, fmt.Errorf("%w: %v src %v", ErrSource, r.Dst, r.Src)
	}
	return r, nil
}

// hostOf reports whether addr is unset or may be a host's, in the family of dst.
func hostOf(dst netip.Prefix, addr netip.Addr) bool {
	if !addr.IsValid() {
		return true
	}
	return addr.BitLen() == dst.Addr().BitLen() && !addr.IsUnspecified() && !addr.IsMulticast()
}

// compare orders the routes of one prefix, the best first. Equal routes are the same
// route: neither can stand beside the other.
func (r *Route) compare(o *Route) int {
	return cmp.Or(
		cmp.Compare(r.Metric, o.Metric),
		cmp.Compare(r.Interface, o.Interface),
		r.Via.Compare(o.Via),
	)
}
