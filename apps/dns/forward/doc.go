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
// An upstream that forwards to us asks us what we are just asking it, itself or by way of others. The question meets itself as one
// that is worked on already, is not sent again, and ends with the time for it. It cannot be refused at once, for
// whoever else is on the upstream's host may ask the same at that moment, and waits with good reason. But where no upstream answers,
// the failure tells which of them has asked.
package forward
