// Package dns is a DNS server and resolver, put together from the packages below it: zones of its own, zones that are
// forwarded to other servers, and recursion for those who may have it, behind one pair of ports.
//
// # The way of a query
//
// Package server takes it from a socket and looks at its header. Where a zone of this server's has the name, package
// authority answers, in the receive path where it can. Else the longest zone that is forwarded and has the
// name decides where it goes; else, the recursor has it. The last two are for clients in Config.Allow
// only, by default those nearby: everybody else is told REFUSED, and why (RFC 8914), so that the
// server is nobody's tool against others.
//
// # In use
//
//	svc, err := dns.New(dns.Config{
//		Network: st,
//		Zones:   []authority.ZoneConfig{{Origin: msg.MustName("example."), File: "example.zone"}},
//	})
//	...
//	if err := svc.Listen(st); err != nil { ... }
//	err = svc.Serve(ctx) // until ctx is done
//
// Reload reads the zones' files again while queries are answered from what was there before; Reconfigure has the service answer by
// another configuration, all of it or nothing.
package dns
