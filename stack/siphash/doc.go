// Package siphash is SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"), the keyed hash by
// which the stack makes numbers that others must not guess: a connection's first sequence number, port and
// timestamp (package isn), and the identification of fragments (package ip).
//
// # Theory of operation
//
// A [State] is fed with whole words of eight octets, since what is hashed here has a fixed length and is at hand as
// numbers. The last word is given to [State.Sum]: it has the message's length modulo 256 in its highest octet,
// and below that the up to seven octets that filled no word (§2.2).
//
// Nothing allocates.
package siphash
