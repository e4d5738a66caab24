package cidr

import "net/netip"

// Class is what a block of addresses is set aside for.
type Class uint8

// The classes. An address that no block holds is of ClassGlobal.
const (
	ClassInvalid       Class = iota // the zero netip.Addr
	ClassGlobal                     // ordinary unicast
	ClassUnspecified                // 0.0.0.0, ::
	ClassThisNetwork                // 0.0.0.0/8
	ClassLoopback                   // 127.0.0.0/8, ::1
	ClassLinkLocal                  // 169.254.0.0/16, fe80::/10
	ClassPrivate                    // RFC 1918
	ClassUniqueLocal                // fc00::/7
	ClassSiteLocal                  // fec0::/10, deprecated
	ClassShared                     // 100.64.0.0/10, between carriers and customers
	ClassDocumentation              // for examples
	ClassBenchmark                  // for test networks
	ClassMulticast                  // 224.0.0.0/4, ff00::/8
	ClassBroadcast                  // 255.255.255.255
	ClassReserved                   // 240.0.0.0/4
	ClassProtocol                   // assigned to a protocol
	ClassMapped                     // an IPv4 address inside an IPv6 address
	ClassTranslation                // between the families (NAT64, 6to4, Teredo)
	ClassDiscard                    // for traffic to be thrown away
)

var classNames = [...]string{
	ClassInvalid: "invalid", ClassGlobal: "global", ClassUnspecified: "unspecified",
	ClassThisNetwork: "this network", ClassLoopback: "loopback", ClassLinkLocal: "link-local",
	ClassPrivate: "private", ClassUniqueLocal: "unique local", ClassSiteLocal: "site-local",
	ClassShared: "shared", ClassDocumentation: "documentation", ClassBenchmark: "benchmark",
	ClassMulticast: "multicast", ClassBroadcast: "limited broadcast", ClassReserved: "reserved",
	ClassProtocol: "protocol", ClassMapped: "IPv4-mapped", ClassTranslation: "translation",
	ClassDiscard: "discard",
}

// String returns the class's name, as a person would read it.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "unknown"
}

// Info is what the registries of special-purpose addresses say about a block (RFC 6890
// §2.2.1, RFC 8190 §2.1).
type Info struct {
	Prefix netip.Prefix // the block; invalid for ClassGlobal and ClassInvalid
	Class  Class
	Name   string // the block's name
	RFC    int    // the RFC that set it aside; 0 for ClassGlobal and ClassInvalid

	Source      bool // may be the source of a packet that passes through two devices
	Destination bool // may be the destination of one
	Forwardable bool // a router may pass it on between external interfaces
	Global      bool // may be passed on beyond one administrative domain
}

// Lookup returns what is registered for the smallest block that holds the address.
// It searches a table: it is for listings and checks of settings, not for every packet.
func Lookup(addr netip.Addr) Info {
	if !addr.IsValid() {
		return Info{Class: ClassInvalid, Name: "invalid address"}
	}
	best := Info{Class: ClassGlobal, Name: "global unicast", Source: true, Destination: true, Forwardable: true, Global: true}
	addr = addr.WithZone("")
	for i := range registry {
		if r := registry[i].info(); r.Prefix.Contains(addr) && (!best.Prefix.IsValid() || r.Prefix.Bits() > best.Prefix.Bits()) {
			best = r
		}
	}
	return best
}

// ClassOf returns the class of the smallest block that holds the address; see Lookup.
func ClassOf(addr netip.Addr) Class { return Lookup(addr).Class }

// Registered returns the blocks that Lookup knows, in the order of their addresses, for listings.
func Registered() []Info {
	all := make([]Info, len(registry))
	for i := range registry {
		all[i] = registry[i].info()
	}
	return all
}
