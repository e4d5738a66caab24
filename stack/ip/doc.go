// Package ip is the network layer of both families, as parts that a driver puts together:
// input checks, forwarding, fragmentation, reassembly and the path MTU. Each part
// that has a state is a struct of its own, is told the time and holds no lock;
// the driver guards each by a lock of its own.
//
// # The way of a packet in
//
// Parse (ParseLoopback for a device that is no wire) checks a frame's packet and fills
// a Packet, without copying and without allocating: header lengths, IPv4's
// checksum and options, the IPv6 extension headers, and addresses that no packet on a wire
// may carry. What it refuses has a Drop, which is the name of a counter. The driver
// looks at Dst then:
//
//   - It is ours. CheckLocal says whether the headers that only the destination reads are
//     in order. A Fragment goes to Reassembler.Input, and the datagram that comes
//     of it to Parse again. Protocol and Payload go to the transport; an unknown protocol
//     is an ICMP error about Packet.ProtocolOffset.
//   - It is not ours, and we forward. MayForward refuses what may not leave its link.
//     The route is looked up, the next link's MTU compared to WireSize, TakeHop takes one
//     from the hop limit, and an IPv4 packet without DF goes through Fragment.
//
// # The way of a packet out
//
// PathMTU.Lookup says how large a packet to a destination may be. What is larger goes,
// with its transport checksum finished, through Fragment, with an identification of
// IDs. A connection does better: it makes its segments fit.
//
// # Errors
//
// A refused packet about which the sender is to be told carries a Problem, also when a
// Reassembler refused it; a ForwardResult says the same of one that was not forwarded.
// Reassembler.Expire hands out the first fragment of a datagram that took too long.
// Package icmp turns each into a message.
//
// # Reassembly
//
// Fragments are kept in blocks of their own size, so that a lone fragment costs little,
// and copied together once all are there. Overlapping fragments refuse the whole
// datagram, those to come included (RFC 5722). Memory is bounded three times: over
// all, per source, and by the number of fragments of a datagram; the oldest makes way.
// An attacker who fills the budget with halves thus drives out old halves, his own
// first. Atomic IPv6 fragments (RFC 6946) are never queued: Parse steps over
// their fragment header.
//
// # What is promised
//
// No packet makes this package panic. Parse, PrepareForward and PathMTU.Lookup
// allocate nothing. Every block got from the pool goes back: with the Datagram that
// the caller releases, at a timeout, at an eviction, or by Reset.
package ip
