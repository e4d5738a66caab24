package dns

import (
	"log/slog"
	"net/netip"

	"github.com/weirnet/weir/apps/dns/authority"
	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/recursor"
	"github.com/weirnet/weir/apps/dns/server"
)

// The ports of DNS (RFC 1035 §4.2, RFC 7858 §3.1).
const (
	Port    = 53
	TLSPort = 853
)

// Config says what a service answers. The zero value is a server that refuses everything.
type Config struct {
	// Network is where other servers are asked: for recursion, forwarding, and the zones of masters. It may be nil where
	// there is none of that. *stack.Stack is one.
	Network client.Network

	// Zones are those that the service answers for. One that has masters and no file is fetched from them.
	Zones []authority.ZoneConfig
	// Authority says how; its Next, Network and Logger are set by New where they are nil.
	Authority authority.Config
	// Reverse are subnets for which zones of PTR records are made of the addresses in Zones, as zone.Reverse makes them: one for a subnet
	// that ends on an octet, or a nibble of IPv6, else as many as it takes to have no other's addresses. A zone of that name in Zones
	// takes precedence. While the service serves, they follow the zones that are fetched from masters.
	Reverse []netip.Prefix

	// Forward are zones whose questions others answer. The longest that fits counts.
	Forward []Forward
	// Recursion finds what is left from the root down; nil: there is none. Its Network is set by New where it is nil.
	Recursion *recursor.Config

	// Allow is who may have what is forwarded and recursion; nil is DefaultAllow(). Unless Server.RateLimit.Exempt says
	// otherwise the answers to them are not limited.
	Allow []netip.Prefix

	// Port and TLSPort are listened at; 0 is 53 and 853. The latter is only where Server.TLS has a certificate.
	Port, TLSPort uint16
	Server        server.Config
	Logger        *slog.Logger // slog.Default() where it is nil
}

// Forward is a zone whose questions somebody else answers.
type Forward struct {
	Zone msg.Name
	To   server.Handler // asked in the receive path too, where it is a server.Direct
}

// nearby are the addresses that are never far away: loopback, private (RFC 1918, RFC 4193), link-local.
var nearby = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fe80::/10"),
}

// DefaultAllow returns who may have recursion by default: loopback, private and link-local addresses, and the
// subnets that are given, which should be those that the server itself is in.
func DefaultAllow(subnets ...netip.Prefix) []netip.Prefix {
	all := append([]netip.Prefix(nil), nearby...)
	for _, p := range subnets {
		if p = p.Masked(); p.Bits() > 0 { // never the whole world
			all = append(all, p)
		}
	}
	return all
}
