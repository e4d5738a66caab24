// Package zone is a DNS zone in memory: read from a master file, checked, asked, changed by differences, written out.
//
// # A version never changes
//
// A [Zone] is one version of a zone's content. Readers hold a pointer to it and need no lock; a new version is read
// whole ([LoadFile]) or made of the old one and a difference ([Zone.Apply]), and put in its place by whoever
// holds the pointer. A transfer that takes minutes sends the version that it began with.
//
// # A name costs some forty octets
//
// Names and their RRsets lie in wire form in pages, strings of four kilooctets, sorted in canonical order
// (RFC 4034 §6.1). A page has an index of offsets; the zone has the list of pages, with the first octets of each.
// There is nothing else: no map, no pointer and no object per name. What a lookup returns, [Set], is views on
// pages. A difference copies the pages that it touches and shares the others.
//
// A name is found by two binary searches. The order does the rest: the neighbours of the place
// where a name would be tell whether it is an empty non-terminal, what its closest encloser is, and which NSEC
// record covers it. NSEC3 records are in a tree of their own, since their owners are not names that one can ask for
// (RFC 5155 §7.2.8).
//
// # Master files
//
// [Reader] reads them with github.com/miekg/dns; $GENERATE and the counting of lines are done before that parser
// sees the text, so that every record and every error has its file and line. Octets, records and included files are
// bounded.
package zone
