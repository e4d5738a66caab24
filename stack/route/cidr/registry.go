package cidr

import "net/netip"

// What a block's addresses may do, as the four columns of the registries say it.
const (
	src     = 1 << iota // Source
	dst                 // Destination
	forward             // Forwardable
	global              // Globally Reachable

	no  = 0
	all = src | dst | forward | global
)

// registry is the IANA IPv4 and IPv6 Special-Purpose Address Registries, with the rows that
// other documents set aside: multicast (RFC 5771, RFC 4291) and the deprecated
// site-local block (RFC 3879). Blocks nest; the smallest counts.
var registry = [...]block{
	{"0.0.0.0/8", ClassThisNetwork, "this network", 791, src},
	{"0.0.0.0/32", ClassUnspecified, "this host on this network", 1122, src},
	{"10.0.0.0/8", ClassPrivate, "private use", 1918, src | dst | forward},
	{"100.64.0.0/10", ClassShared, "shared address space", 6598, src | dst | forward},
	{"127.0.0.0/8", ClassLoopback, "loopback", 1122, no},
	{"169.254.0.0/16", ClassLinkLocal, "link-local", 3927, src | dst},
	{"172.16.0.0/12", ClassPrivate, "private use", 1918, src | dst | forward},
	{"192.0.0.0/24", ClassProtocol, "IETF protocol assignments", 6890, no},
	{"192.0.0.0/29", ClassProtocol, "IPv4 service continuity", 7335, src | dst | forward},
	{"192.0.0.8/32", ClassProtocol, "IPv4 dummy address", 7600, src},
	{"192.0.0.9/32", ClassProtocol, "port control protocol anycast", 7723, all},
	{"192.0.0.10/32", ClassProtocol, "TURN anycast", 8155, all},
	{"192.0.0.170/31", ClassProtocol, "NAT64/DNS64 discovery", 8880, no},
	{"192.0.2.0/24", ClassDocumentation, "TEST-NET-1", 5737, no},
	{"192.31.196.0/24", ClassProtocol, "AS112-v4", 7535, all},
	{"192.52.193.0/24", ClassProtocol, "AMT", 7450, all},
	{"192.88.99.0/24", ClassTranslation, "6to4 relay anycast (deprecated)", 7526, all},
	{"192.168.0.0/16", ClassPrivate, "private use", 1918, src | dst | forward},
	{"192.175.48.0/24", ClassProtocol, "direct delegation AS112 service", 7534, all},
	{"198.18.0.0/15", ClassBenchmark, "benchmarking", 2544, src | dst | forward},
	{"198.51.100.0/24", ClassDocumentation, "TEST-NET-2", 5737, no},
	{"203.0.113.0/24", ClassDocumentation, "TEST-NET-3", 5737, no},
	{"224.0.0.0/4", ClassMulticast, "multicast", 5771, dst | forward | global},
	{"224.0.0.0/24", ClassMulticast, "local network control block", 5771, dst},
	{"233.252.0.0/24", ClassDocumentation, "MCAST-TEST-NET", 6676, no},
	{"239.0.0.0/8", ClassMulticast, "administratively scoped multicast", 2365, dst | forward},
	{"240.0.0.0/4", ClassReserved, "reserved for future use", 1112, no},
	{"255.255.255.255/32", ClassBroadcast, "limited broadcast", 919, dst},

	{"::/128", ClassUnspecified, "unspecified address", 4291, src},
	{"::1/128", ClassLoopback, "loopback", 4291, no},
	{"::ffff:0:0/96", ClassMapped, "IPv4-mapped", 4291, no},
	{"64:ff9b::/96", ClassTranslation, "IPv4-IPv6 translation", 6052, all},
	{"64:ff9b:1::/48", ClassTranslation, "local-use IPv4-IPv6 translation", 8215, src | dst | forward},
	{"100::/64", ClassDiscard, "discard-only", 6666, src | dst | forward},
	{"100:0:0:1::/64", ClassProtocol, "dummy prefix", 9780, src},
	{"2001::/23", ClassProtocol, "IETF protocol assignments", 2928, no},
	{"2001::/32", ClassTranslation, "Teredo", 4380, src | dst | forward},
	{"2001:1::1/128", ClassProtocol, "port control protocol anycast", 7723, all},
	{"2001:1::2/128", ClassProtocol, "TURN anycast", 8155, all},
	{"2001:1::3/128", ClassProtocol, "DNS-SD SRP anycast", 9665, all},
	{"2001:2::/48", ClassBenchmark, "benchmarking", 5180, src | dst | forward},
	{"2001:3::/32", ClassProtocol, "AMT", 7450, all},
	{"2001:4:112::/48", ClassProtocol, "AS112-v6", 7535, all},
	{"2001:20::/28", ClassProtocol, "ORCHIDv2", 7343, all},
	{"2001:30::/28", ClassProtocol, "drone remote identification", 9374, all},
	{"2001:db8::/32", ClassDocumentation, "documentation", 3849, no},
	{"2002::/16", ClassTranslation, "6to4", 3056, src | dst | forward},
	{"2620:4f:8000::/48", ClassProtocol, "direct delegation AS112 service", 7534, all},
	{"3fff::/20", ClassDocumentation, "documentation", 9637, no},
	{"5f00::/16", ClassProtocol, "segment routing identifiers", 9602, src | dst | forward},
	{"fc00::/7", ClassUniqueLocal, "unique local", 4193, src | dst | forward},
	{"fe80::/10", ClassLinkLocal, "link-local", 4291, src | dst},
	{"fec0::/10", ClassSiteLocal, "site-local (deprecated)", 3879, src | dst | forward},
	{"ff00::/8", ClassMulticast, "multicast", 4291, dst | forward | global},
	{"ff01::/16", ClassMulticast, "interface-local multicast", 4291, no},
	{"ff02::/16", ClassMulticast, "link-local multicast", 4291, dst},
}

// block is a row of the registries. Prefixes are read when they are looked at, so that the table
// costs nothing where nobody looks, neither at a program's start nor in its size.
type block struct {
	prefix string
	class  Class
	name   string
	rfc    int
	may    uint8
}

func (b *block) info() Info {
	return Info{
		Prefix: netip.MustParsePrefix(b.prefix), Class: b.class, Name: b.name, RFC: b.rfc,
		Source: b.may&src != 0, Destination: b.may&dst != 0, Forwardable: b.may&forward != 0, Global: b.may&global != 0,
	}
}
