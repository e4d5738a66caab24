// Package route decides where a packet goes and which address it comes from: the
// routing table, and the selection of source and destination addresses.
//
// # Theory of operation
//
// A [Table] holds the routes of both families. Below it is bart, a balanced routing
// table: a multibit trie of eight bits a step, whose nodes find the longest
// matching prefix with bit operations on 256-bit sets, so a lookup is a few cache lines
// however many routes there are, and allocates nothing. A trie knows one
// value for a prefix; a routing table may have several routes to it, by different
// interfaces and next hops, so the value is a short list, the lowest metric first.
//
// A route's identity is its destination, metric, interface and next hop. Among routes of
// one prefix and metric the lower interface index comes first, then the lower next
// hop, so that the choice depends on what is in the table and not on the order it came in.
//
// # The way of a packet
//
// Whoever sends a packet looks its destination up: [Table.Lookup] answers with the
// best route, [Table.LookupWhere] with the best that the caller can use, where
// interfaces may be down or the socket is bound to one; it goes on to shorter prefixes
// when no route of the longest will do. [Route.NextHop] is then the address to resolve
// on the link. A packet that has no source yet takes the route's Src, or the choice of
// [SelectSource] among the addresses of the stack (RFC 6724 §5, RFC 1122 §3.3.4.3). Where
// a name has several addresses, [SortDestinations] says which to try first (RFC 6724 §6).
//
// # Changing a table while others read it
//
// A Table is safe for concurrent readers, not for a writer beside them. The stack keeps
// a pointer to a table that nobody changes any more; to change a route it takes
// [Table.With] or [Table.Without], which copy the few trie nodes on the way and
// share the rest, and swaps the pointer. [Table.Insert] and [Table.Remove] change in place,
// which is cheaper for many routes at once; [Table.Clone] gives a table for that purpose
// that shares nothing.
package route
