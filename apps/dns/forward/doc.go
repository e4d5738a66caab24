// Package forward asks other resolvers: about every name, or about those of some zones only, each zone with upstreams
// of its own, over UDP, TCP or TLS. It is the proxy of a home router, and the way into a company's private zones.
//
// Upstreams only asks; New makes a whole forwarder of it, which is a recursor.Resolver without hints: the cache, its bounds,
// merging of equal questions, stale answers, prefetching and validation are the resolver's. A resolver that does
// iterate may have Upstreams too, in recursor.Config.Upstream.
//
// # Which upstream
//
// The zone is the deepest of those configured that the name is in. Its upstreams are asked in the order given. One that
// has not answered twice in a row is left for 30 s, while there are others, and then tried again; one that gives another
// code than NOERROR and NXDOMAIN is passed over for this question only. When all have failed they are tried once more, with
// twice the patience.
//
// # What is believed
//
// An upstream is trusted with the whole chain from the name that was asked for to its end, and with nothing else that
// its answer has. With trust anchors everything is validated here.
//
// # Circles
//
// If an upstream asks us what we are just asking it, it forwards to us: it gets a SERVFAIL at once that says so. In longer
// circles the question meets itself as one that is worked on already, is not sent again, and ends with
// the time for it.
package forward
