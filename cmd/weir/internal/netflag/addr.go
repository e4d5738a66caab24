package netflag

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

const (
	minMTU4 = 68    // RFC 791 §3.2: every internet module forwards 68 octets unfragmented
	minMTU6 = 1280  // RFC 8200 §5
	maxMTU  = 65535 // what an IPv4 packet can be
)

// parseAddr reads an address that a host may have, with its prefix length.
func parseAddr(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		if a, aerr := netip.ParseAddr(s); aerr == nil {
			return netip.Prefix{}, fmt.Errorf("a prefix length is missing, as in %s/%d", s, usualBits(a))
		}
		return netip.Prefix{}, fmt.Errorf("not an address with a prefix length, as in 192.0.2.2/24 or 2001:db8::2/64")
	}
	a := p.Addr()
	switch {
	case a.Is4In6():
		return netip.Prefix{}, errors.New("write an IPv4 address as IPv4")
	case a.IsUnspecified(), a.IsMulticast(), a.IsLoopback(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return netip.Prefix{}, errors.New("no address for a host on a link")
	case a.Is4() && p.Bits() < 31 && a == p.Masked().Addr():
		return netip.Prefix{}, fmt.Errorf("%s is the network's own address: use one inside it", a)
	case a.Is4() && p.Bits() < 31 && a == broadcast(p):
		return netip.Prefix{}, fmt.Errorf("%s is the network's broadcast address: use one inside it", a)
	}
	return p, nil
}

func usualBits(a netip.Addr) int {
	if a.Is4() {
		return 24
	}
	return 64
}

// broadcast returns the last address of an IPv4 prefix.
func broadcast(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

// peers returns, for each prefix, the first address on the same link that is not in
// the list, with the same length; a prefix with room for one address has none.
func peers(of []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range of {
		if q, ok := peer(p, of); ok && !slices.ContainsFunc(out, func(o netip.Prefix) bool { return o.Masked() == q.Masked() }) {
			out = append(out, q)
		}
	}
	return out
}

func peer(p netip.Prefix, taken []netip.Prefix) (netip.Prefix, bool) {
	a := p.Masked().Addr()
	if p.Bits() < p.Addr().BitLen()-1 {
		a = a.Next() // the first is the network's (IPv4) or the routers' anycast (RFC 4291 §2.6.1)
	}
	for ; p.Contains(a); a = a.Next() {
		q := netip.PrefixFrom(a, p.Bits())
		if a.Is4() && p.Bits() < 31 && a == broadcast(p) {
			break
		}
		if !slices.ContainsFunc(taken, func(t netip.Prefix) bool { return t.Addr() == a }) {
			return q, true
		}
	}
	return netip.Prefix{}, false
}

// check says what about a device can not be.
func (s *spec) check() error {
	v6 := false
	for _, p := range s.Addrs {
		v6 = v6 || p.Addr().Is6()
		if slices.ContainsFunc(s.HostAddrs, func(h netip.Prefix) bool { return h.Addr() == p.Addr() }) {
			return fmt.Errorf("--tun %s: %s is both --addr and --host-addr: the two sides need an address each", s.Name, p.Addr())
		}
	}
	switch {
	case s.MTU == 0: // not said
	case s.MTU < minMTU4:
		return fmt.Errorf("--mtu %d: IPv4 needs at least %d (RFC 791)", s.MTU, minMTU4)
	case v6 && s.MTU < minMTU6:
		return fmt.Errorf("--mtu %d: IPv6 needs at least %d (RFC 8200); give a larger MTU or only IPv4 addresses", s.MTU, minMTU6)
	case s.MTU > maxMTU:
		return fmt.Errorf("--mtu %d: the largest is %d", s.MTU, maxMTU)
	}
	return nil
}

// checkName says what about a device's name the kernel would not take.
func checkName(name string) error {
	const max = 15 // IFNAMSIZ less the closing zero
	switch {
	case name == "" || name == "." || name == "..":
		return errors.New("not a name for a device")
	case len(name) > max:
		return fmt.Errorf("a device's name has at most %d characters", max)
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '/' || r == ':' || r == 0x7f }):
		return errors.New("a device's name holds no space, slash or colon")
	case strings.Count(name, "%") > 0 && strings.Count(name, "%d") != strings.Count(name, "%"), strings.Count(name, "%d") > 1:
		return errors.New("a device's name may hold one %d, and no other %")
	}
	return nil
}
