// Package client exchanges one question and its answer with one server, and makes it hard for others to answer in
// its place.
//
// Over UDP each exchange has a socket of its own, connected to the server, on a port that the network picks, an id
// from crypto/rand, and the letters of the question in random case; the server's cookie is kept and given back (RFC
// 7873). A datagram is the answer only if id, question, case and cookie are right. What is not is
// counted and ignored, and the wait goes on (RFC 5452 §9.1); after Client.MaxMismatches of them somebody is guessing,
// and the question goes over TCP, where guesses do not help.
//
// A server that does not keep the case of a question is asked over TCP, and if that answers the same way is
// remembered to be so. If it has no TCP it is asked twice over UDP without random case, from two ports: two answers that are the
// same are believed, of at most three, and it is remembered too. What a guess must get right is then the id and the port, as with
// resolvers that do not vary the case (RFC 5452 §4.5), but nobody brings us there by a single guess. One that does not know EDNS (FORMERR, NOTIMP, or BADVERS without it) is asked without and
// remembered too. What a server is remembered for is forgotten after Client.Remember, and the memory is bounded.
//
// A truncated answer is asked for again over TCP. TCP and TLS connections (RFC 7766, 7858) are kept for
// Client.Idle and shared: many questions may be under way on one, and answers come in any order. There are at most
// Client.MaxConnections of them to all servers together; the one that was idle for the longest time makes room for another,
// and where none is idle the oldest call that had no answer in a second.
//
// Bad input never panics: a message that does not parse is counted like any other that is not the answer.
package client
