// Package isn chooses the numbers of a new connection that an attacker off the path
// must not guess: the initial sequence number (RFC 6528), the offset of the
// timestamp clock (RFC 7323 §5.4) and the ephemeral port (RFC 6056).
//
// # Theory of operation
//
// Each is a keyed hash of the connection's addresses and ports, SipHash-2-4, so
// that numbers of different connections tell nothing of each other, while those
// of the same four still grow with time, as TIME-WAIT wants (RFC 9293 §3.4.1). The
// secret is given by whoever builds the [Generator], once per start of the stack:
// from a random source in earnest, fixed in a test.
//
// # What is promised
//
//   - The same secret, time and addresses give the same numbers.
//   - Nothing allocates and nothing blocks. A Generator is never written after New
//     and may be used by all at once, and so may Ports.
//   - Zones of IPv6 addresses do not enter the hash, and an IPv4 address hashes as
//     the same address mapped into IPv6.
package isn
