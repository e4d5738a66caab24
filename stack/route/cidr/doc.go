// Package cidr is arithmetic on prefixes, and what is special about an address.
//
// It stands apart from package route because it needs nothing but package netip, and
// because more than routing asks its questions: input refuses sources by class,
// output knows a broadcast by its prefix, source selection compares scopes, and a
// command prints the lot.
//
// # Prefixes
//
// An interface's address comes with its prefix length, as in 192.0.2.77/26.
// [Network], [Host], [Last], [Broadcast] and [Usable] take such a prefix apart.
// Two lengths are special. A /31 (RFC 3021) and a /127 (RFC 6164) are links between two
// routers: both addresses are hosts', so there is no broadcast and no
// subnet-router anycast. A /32 or /128 is one host.
//
// # Addresses
//
// [Lookup] names the block of the registries of special-purpose addresses (RFC 6890) that
// an address lies in, and the registry's answers: may it be a source, a destination, may it
// be forwarded, does it reach the whole world. It walks a table of some fifty rows and is
// meant for people; the questions that each packet asks have functions of
// their own, a comparison or two long, which allocate nothing.
//
// [ScopeOf] says how far an address reaches (RFC 4007), for both families, on the
// one scale that RFC 6724 §3 compares them by.
//
// An IPv4-mapped IPv6 address is an IPv6 address here: whoever means the IPv4 address
// unmaps it first. A zone is ignored throughout, as it is in netip.Prefix.
package cidr
