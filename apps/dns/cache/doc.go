// Package cache keeps what a resolver has learnt: RRsets, that there is none of a type (NODATA) or
// no such name (NXDOMAIN, RFC 2308), where zones are delegated to, and for some seconds that nobody
// answered (RFC 9520).
//
// # What is believed
//
// Each entry has a rank (RFC 2181 §5.4.1). Live data is replaced by data of its rank or above, never by
// data below. Data that was validated is not replaced by data that was not, while it lives. Which section and zone
// data may come from at all is the resolver's to say: the cache believes who calls Put.
//
// # Memory
//
// The cache is cut into shards by the hash of name, type and kind; each has a lock, an index and
// its entries. An entry is a record of octets: a head of 23, the name in lower case, then RRsets in
// wire form, with owners that are suffixes of the name as one octet. Records lie one after the other in segments of
// 64 KiB, and the index is an open table of eight octets a slot: there is no pointer per entry, so the garbage
// collector has nothing to follow in a million of them.
//
// Config.MaxOctets bounds index and segments together. Eviction is S3-FIFO over segments: what is new goes to a
// small queue and leaves it, unless it was asked for again, without having disturbed the main one; what
// leaves the main queue's end is put in at its head again as often as it was asked for, up to three times, but
// never more than half a segment at a time, so that each round frees something. The names
// of an attack with random labels so push out each other. What leaves the small queue leaves a
// fingerprint behind, and goes to the main queue if it comes back.
//
// An entry that is replaced or flushed is marked dead; its octets come back with its segment.
//
// # Time
//
// Times are whole seconds since the cache was made, by the clock of the runtime, so that it works in the virtual
// time of testing/synctest. What is expired stays for Config.Stale longer, for RFC 8767; Get returns it with
// Entry.Stale set where it is asked to, and a plain answer never uses it.
//
// An entry ends with the first of its sets. The RRset that answers is told with the TTL that it has itself, where that is more: see
// Set. A failure is kept twice as long when the question fails again before as much time has passed once more.
//
// # Answers in the receive path
//
// Answer writes a whole reply to a query from the records, chains of CNAMEs included, with no allocation and one
// short hold of a lock per link. What it cannot do it leaves to the resolver's slow path: DNAME, stale data,
// bogus data, an answer beyond the limit.
//
// # Denial without asking
//
// Spans of validated NSEC and NSEC3 records are kept per zone in their order, that of names or of hashes, and Deny tells from
// them that a name or type does not exist (RFC 8198), with the SOA record that came with the last of them. NSEC3 records with
// opt-out prove nothing about names and are not kept, nor those of many iterations, which would cost more than a question.
package cache
