// Package bench measures a path between two hosts: throughput, rate and latency of requests,
// rate of connections, and what becomes of datagrams. One side is a [Server], the other a
// [Client]; each runs on any network with the methods of package net: a *stack.Stack, or the
// host's own.
//
// # What is measured
//
//   - [Bulk]: octets per second of N streams, to the server, from it, or both ways at once. Who
//     receives counts, by its own clock.
//   - [Requests]: N connections, each with one request under way at a time, over TCP or UDP; the
//     latency from the first octet written to the last octet of the reply read.
//   - [Connections]: N workers that each connect, send one record, read one octet, see the
//     server close, and close.
//   - [Datagrams]: a rate of datagrams with sequence numbers and times: loss, duplicates,
//     reordering, and jitter as RFC 3550 §6.4.1 defines it.
//
// Requests are a closed loop: while a reply is awaited no other request is due. The latencies are
// those of a path under that load, not of arrivals at random.
//
// # The course of a test
//
// The client opens a control connection, names a test and its parameters ([Params]), and gets a
// token. It opens the data connections, to the same port, each beginning with a preamble
// of 24 octets that holds the token, then says start, and after the warm-up measure; once a
// second it asks for a sample of what the server has counted, and at the end it says stop. What is
// reported is between measure and stop. Datagrams hold the token too, and a mark on those that
// are sent between measure and stop: the receiver counts these, so that loss is exact.
//
// Control messages are JSON of at most 16 KiB after a length of four octets (message.go). A server
// bounds everything that a client can ask for: sessions, streams, sizes, rates, and how long
// a client may be silent. Whoever has no token gets no answer to a datagram.
//
// # Use
//
// A server answers whoever reaches it with as much traffic as is asked for. It is for a network
// of one's own, for the time of a measurement.
package bench
