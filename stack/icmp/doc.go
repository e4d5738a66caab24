// Package icmp is ICMP (RFC 792, RFC 1122 §3.2.2, RFC 1812 §4.3) and ICMPv6 (RFC 4443) as
// functions over packets: echo, errors sent, errors received, and the bound on
// the rate of errors. Both families answer to the same names; a Kind is what an error
// says, whichever family says it. Neighbour discovery is not here.
//
// # The way of a packet
//
// A packet for this stack whose protocol is ICMP goes through Verify first. An
// echo request is answered where it lies by EchoReply, or, where it has options or
// came to a multicast address, by PutEchoReply into a buffer. An echo reply
// is read by ParseEcho. An error is read by ParseError into a Report that names
// the connection it is about: its Errno is what a socket there gets, its MTU goes to
// PathMTU of package ip. Whether such a packet was ever sent, and is still in flight, is for
// the connection to say (RFC 5927 §4): the quoted sequence number is in the Report.
//
// A packet that cannot go where it wants to is answered with an error:
//
//	if icmp.MayError(p, kind) && limiter.Allow(now, p.Src, kind) {
//		n := icmp.PutError(b, src, p, kind, arg)
//		…
//	}
//
// where kind is the driver's own finding (no route, no listener, packet too big), or
// comes from ForProblem (options and extension headers, and fragments that are
// refused) or ForForward. The order matters: what MayError refuses costs no token.
//
// PutError writes the ICMP message only. The IP header before it is the driver's, as
// for all that it sends; RFC 1812 §4.3.2.5 wants errors at precedence 6.
//
// # What is promised
//
// No message makes these functions panic. PutError, PutEcho, PutEchoReply, EchoReply,
// Verify and ParseError allocate nothing; nor does Allow once its table is full. The
// Limiter is bounded by its configuration. Redirects (which need a routing policy) and
// source quenches (RFC 6633) are ignored.
package icmp
