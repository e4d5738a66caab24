// Package tree is a name tree of its own, small enough to be read and large enough to show how a name is found: a
// root, two top-level domains, several authorities each at an address of its own, and a reverse tree. It is what
// weir dns trace --tree walks, what weir demo shows, and what tests serve from weir or
// from another name server.
//
//	.                        a.roots.test, b.roots.test      hints
//	├── example.             ns.tld.example
//	│   ├── weir.example.    ns1 and ns2.weir.example        hosts, and every common type
//	│   │   └── lab          ns.lab.weir.example             a zone below a zone
//	│   └── shop.example.    ns.host.test                    no glue: a name in the other tree
//	├── test.                ns.tld.test
//	│   └── host.test.       ns.host.test
//	└── arpa.                ns.arpa
//	    └── …in-addr.arpa., …ip6.arpa.   ns1 and ns2.weir.example   the hosts' names by address
//
// The names are of the top-level domains that RFC 2606 sets aside and the addresses of the documentation prefixes, so
// that nothing of it can be taken for somebody's.
//
// # What there is to ask for
//
//	www.weir.example        A, AAAA, HTTPS      a plain host
//	ftp.weir.example        CNAME               an alias in its own zone
//	blog.weir.example       CNAME               a chain across both trees: pages.host.test, web.shop.example
//	x.wild.weir.example     A, TXT              a wildcard (RFC 4592); *.wild
//	host.old.weir.example   DNAME               old is new.weir.example (RFC 6672)
//	big.weir.example        TXT                 4 kB: too large for UDP
//	loop.weir.example       CNAME               to pool, and back
//	nobody.weir.example                         no such name
//	empty.weir.example                          no record, but names below (an empty non-terminal)
//
// A [Tree] is data: [New] makes it, [Tree.Write] writes it as zone files and lists of hints and anchors that any name
// server reads, and [Tree.Serve] serves it. Signed, every zone has keys of its own, made from Options.Rand,
// and Anchors holds the root's. A test that wants something wrong changes the records before it serves them.
package tree
