// Package server is a DNS server without answers of its own: the transports, and what every server must do
// whatever it serves. A [Handler] has the answers; one that is a [Direct] as well gives some of them in the receive path.
//
// # The way of a datagram
//
// On a *stack.Stack it is looked at in the receive round that it came in, on another network in a loop that reads a
// net.PacketConn. What has no header, is a response, or comes from where no client can be is dropped. A plain query is
// parsed by msg.Query, without an allocation, its cookie is checked, and Direct is asked; its answer gets the
// server's options, passes the rate limit, is counted, and leaves with the others of the round. Queries that Direct does
// not have, and messages that are not plain, are copied and given to a pool of goroutines, of which there
// are at most Config.Workers: they unpack, answer what is malformed (FORMERR), of another EDNS version (BADVERS) or has
// no question, and call ServeDNS. What the pool has no room for is dropped and counted, or refused. An opcode
// that nobody serves (NOTIMP) and more than one question (RFC 9619) are answered at once from the header.
//
// # The way of a stream
//
// A connection has one goroutine that reads (RFC 7766). What Direct answers it answers itself, as many queries as
// have arrived at a time, in one write. The rest goes to the pool, and comes back in any order: who has an answer puts it
// in line, and one of them writes what is there while the others go on. No more than Streams.Pipeline queries of a
// connection are at work, and no more are read while its client leaves 256 KiB of answers lying. What is at work then is put
// in line all the same, within Streams.MaxUntaken for all connections, so that a client that takes nothing holds one goroutine of
// the pool and not one for each query; only a transfer waits for room. Connections are bounded in
// number, by network too; one that is idle, slow or sends what is no DNS is closed.
//
// # Who is believed
//
// Over UDP anybody may send in anybody's name. A source is proven by a stream or by a cookie (RFC 7873, 9018) that
// this server has given to that address; others fall under RateLimit, by network and kind of answer, and under
// Config.MaxAmplification. Above the limit some are told to come again by TCP, or with the cookie that is enclosed, and the rest
// get nothing. An answer is never longer than Config.MaxUDP, than what the client takes, or than 512 octets
// without EDNS.
//
// # What is known of it
//
// [Server.Snapshot] has counters of queries, answers, what was dropped and why, and how long answers took;
// [Snapshot.WritePrometheus] writes them. [QueryLog] has one line for each query or for one in so many. Neither waits for
// anybody: counters are atomic and kept in several places, lines that nobody takes are dropped and counted.
//
// # The end
//
// Close, or the end of Serve's context, closes the sockets and connections and ends the handlers' contexts. Serve returns
// when the last of them has returned.
package server
