// Package stub looks names up as package net's Resolver does, over any network: over weir's own stack,
// or over the host's sockets.
//
//	r := stub.New(stub.Config{Network: st, Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")}})
//	st.SetResolver(r)
//	c, err := st.Dial("tcp", "www.example:80")
//
// # Theory of operation
//
// A stub resolver walks no tree: it asks a recursive server, which does. What it adds is what a person
// means by a name. A name that is an address is that address. A name in the hosts file is what
// stands there. Any other is completed by the search list, where it has fewer dots than ndots
// says, and each of the completed names is asked for until one is there.
//
// One name and type is one question: the servers are asked in their order, or one
// further each time with rotate, each for at most the timeout, and all of them again until the
// attempts are used up. "No such name" and "no such record" are answers, and
// end the question; SERVFAIL, REFUSED, silence and an answer that leads nowhere have the next
// server asked. Addresses are two questions, which are asked at once and each told when it is
// answered ([Resolver.LookupEager]), so that Happy Eyeballs need not wait for the slower.
//
// The files are looked at again when they are used, at most once a second, and read again when
// they have changed. Nothing is cached but those: a cache is the recursive server's business.
//
// How one question goes over the wire, with random ports and numbers, the case of letters mixed,
// cookies and TCP where the answer is too large, is package client's.
//
// # What is as in package net
//
// The results, their order and the errors: every error is a *net.DNSError, with IsNotFound for what is
// not there, IsTimeout and IsTemporary. A table of tests asks both resolvers the same. What is
// not: addresses of LookupNetIP are never IPv4-mapped, a zone is kept, a name below onion is an
// error, and LookupCNAME follows a chain to its end.
package stub
