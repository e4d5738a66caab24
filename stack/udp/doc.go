// Package udp is the User Datagram Protocol (RFC 768) without its sockets: what makes
// a datagram acceptable, what one to be sent must hold, and the queue in which
// received ones wait for their reader.
//
// # Theory of operation
//
// UDP has no state between two datagrams, so there is no machine here. [Parse] says
// whether a received datagram may be believed, and if not, by which rule. [Put] writes
// the header of one to be sent. A [Queue] is one socket's received datagrams, bounded
// in octets of memory and in number, with the errors that ICMP reported for it. An
// [ErrorQueue] holds those errors one by one, for a socket that asked for them (IP_RECVERR).
// Which socket a datagram is for is the driver's to find, as are locks.
//
// # The way of a datagram
//
// In: the network layer has checked the IP header and reassembled; Parse checks the
// length and the checksum; the driver finds the socket, by the full four of
// addresses and ports, then by what is bound, and gives the payload to [Queue.Push],
// which copies it to a block of its own, or [Queue.PushBlock], which may keep the one that it came in;
// datagrams that came coalesced stay so until they are read; the reader takes it with [Queue.Pop] and
// gives back the block with [Datagram.Release]. With no socket, the driver answers with
// an ICMP port unreachable (RFC 1122 §4.1.3.1).
//
// Out: the driver puts the payload behind room for the headers, and Put writes the UDP
// header and its checksum, or the part of it that a link with checksum offload
// wants to find there.
//
// # What is promised
//
//   - No input panics; each datagram refused is counted under its reason.
//   - An empty queue holds no block, and nothing allocates once the pool and the
//     queue's ring are warm.
//   - A Queue is not safe for concurrent use. Counters are.
package udp
