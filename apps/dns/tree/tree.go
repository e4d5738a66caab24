package tree

import (
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Options say how a tree is made. The zero value is the tree that the documentation shows, not signed.
type Options struct {
	// Prefix4 and Prefix6 hold the addresses of its servers and hosts; the zero values are 203.0.113.0/24 and
	// 2001:db8:53::/64. A /24 and a /64 at least.
	Prefix4, Prefix6 netip.Prefix
	// Signed signs every zone (RFC 4034), with NSEC3 for the top-level domains and NSEC elsewhere.
	Signed bool
	// Unsigned are zones that are left as they are, with no DS record in their parent: islands that are insecure.
	Unsigned []msg.Name
	// Now is the middle of the signatures' time; zero is the time of the call.
	Now time.Time
	// Rand is where keys come from; nil is the system's.
	Rand io.Reader
	// TTL is that of every record but those of SOA and NS, in seconds; zero is 300.
	TTL uint32
}

// Tree is a set of zones, and the servers that have them.
type Tree struct {
	// Zones are the zones, the root first and parents before their children.
	Zones []Zone
	// Servers are who serves them, each at addresses of its own.
	Servers []Server
	// Hints are the names and addresses of the root's servers.
	Hints []msg.RR
	// Anchors are the DS records of the root's keys, where the tree is signed.
	Anchors []msg.RR

	prefix4, prefix6 netip.Prefix
}

// Zone is a zone, whole.
type Zone struct {
	Origin  msg.Name
	Records []msg.RR // its SOA first
}

// Server is a name server of the tree.
type Server struct {
	Name  msg.Name
	Addrs []netip.Addr // one of each family
	Zones []msg.Name   // what it is an authority for
}

// The last octets of the addresses. Those from 200 on are nobody's, for who needs some on the same link.
const (
	hostAddr     = 1 // the host's side of a device, where the tree is on one
	rootA        = 4
	rootB        = 5
	tldExample   = 6
	tldTest      = 7
	weir1        = 8
	weir2        = 9
	hostTest     = 10
	lab          = 11
	arpa         = 12
	resolverAddr = 53
	web          = 80
	mail         = 25
	pages        = 81
	shop         = 82
	hostNew      = 83
	wild         = 84
	labHost      = 85
)

var (
	defaultPrefix4 = netip.MustParsePrefix("203.0.113.0/24")
	defaultPrefix6 = netip.MustParsePrefix("2001:db8:53::/64")
)

// New makes the tree. The error says what is wrong with the options.
func New(o Options) (*Tree, error) {
	t := &Tree{prefix4: defaultPrefix4, prefix6: defaultPrefix6}
	if o.Prefix4.IsValid() {
		t.prefix4 = o.Prefix4.Masked()
	}
	if o.Prefix6.IsValid() {
		t.prefix6 = o.Prefix6.Masked()
	}
	if !t.prefix4.Addr().Is4() || t.prefix4.Bits() > 24 || !t.prefix6.Addr().Is6() || t.prefix6.Bits() > 64 {
		return nil, fmt.Errorf("a tree needs 256 IPv4 addresses and a subnet of IPv6: %v and %v are not a /24 and a /64 at least", t.prefix4, t.prefix6)
	}
	if o.TTL == 0 {
		o.TTL = 300
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	b := &builder{t: t, ttl: o.TTL}
	b.build()
	if b.err != nil {
		return nil, b.err
	}
	if o.Signed {
		if err := t.sign(o); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// addr4 and addr6 are the addresses that end in n.
func (t *Tree) addr4(n byte) netip.Addr {
	a := t.prefix4.Addr().As4()
	a[3] = n
	return netip.AddrFrom4(a)
}

func (t *Tree) addr6(n byte) netip.Addr {
	a := t.prefix6.Addr().As16()
	a[15] = n
	return netip.AddrFrom16(a)
}

func (t *Tree) both(n byte) []netip.Addr { return []netip.Addr{t.addr4(n), t.addr6(n)} }

// Prefixes are the subnets that the addresses are in.
func (t *Tree) Prefixes() []netip.Prefix { return []netip.Prefix{t.prefix4, t.prefix6} }

// Resolver is where a recursive server for the tree is expected, one address of each family. Nothing serves there
// by itself.
func (t *Tree) Resolver() []netip.Addr { return t.both(resolverAddr) }

// Neighbour is the address of each family that is left for the other side of the tree's device.
func (t *Tree) Neighbour() []netip.Addr { return t.both(hostAddr) }

// Addrs are the addresses of the servers, the resolver and the hosts that the tree names, with the lengths of their
// subnets: what an interface needs to be all of them.
func (t *Tree) Addrs() (list []netip.Prefix) {
	seen := map[netip.Addr]bool{}
	add := func(a netip.Addr) {
		p := t.prefix6
		if a.Is4() {
			p = t.prefix4
		}
		if p.Contains(a) && !seen[a] {
			seen[a] = true
			list = append(list, netip.PrefixFrom(a, p.Bits()))
		}
	}
	for _, a := range t.Resolver() {
		add(a)
	}
	for _, z := range t.Zones {
		for _, rr := range z.Records {
			if a := rr.Addr(); a.IsValid() {
				add(a)
			}
		}
	}
	return list
}

// Zone returns the zone of that name.
func (t *Tree) Zone(origin msg.Name) (Zone, bool) {
	for _, z := range t.Zones {
		if z.Origin.Equal(origin) {
			return z, true
		}
	}
	return Zone{}, false
}
