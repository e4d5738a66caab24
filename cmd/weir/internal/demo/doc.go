// Package demo shows in some seconds, with no set-up, that weir's stack works: it
// brings the stack up, has somebody else speak to it, checks every octet that comes
// back and prints an account of it.
//
// # Who speaks to whom
//
// The demo runs the program again in a user and a network namespace of its own
// (see Isolate): there it is root over a network that nobody else sees. The stack
// is on a TUN device of that namespace, and the far end is the kernel, through
// plain sockets of package net and a raw socket for ICMP.
//
// Where there is no TUN device to be had, the far end is a second weir stack and
// the link is in memory. That shows less, and the demo says so.
//
// # What is held to be shown
//
// Each line of the account is a check: pings of both families, also of 60,000
// octets in fragments; UDP and TCP echo of both families; refused ports; names of the tree
// of apps/dns/tree, whose servers are on the same stack, found by weir's resolver for package net's
// at the far end: from the root down, from the cache, by address, one that is not there and
// one whose records take TCP;
// and a large transfer through TCP echo. What is sent there is hashed before it
// is sent, what comes back while it comes, and both hashes are printed. The demo
// succeeds only if every check held.
package demo
