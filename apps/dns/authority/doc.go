// Package authority answers questions from zones, and keeps the zones.
//
// # The way of a question
//
// A [Set] is a server.Handler and a server.Direct. In the receive path [Set.AnswerDirect] looks for the packed answer to
// the same question: hash of the folded name, type and DO; one comparison; one copy; then the query's id, flags and case of
// the name, and an OPT record. An answer holds the version of the zone that it was made from, and is none any more when
// the zone has another: a change costs nobody anything. What is not there is looked up and packed on the spot, without
// allocation, and kept in a free slot of its set, or when the same question
// falls on a full set again.
//
// What is rare or slow has a goroutine and goes through [Set.ServeDNS]: signed requests, zone transfers, NOTIFY, class CH,
// NSEC3 with many iterations. A signature is verified whatever the question, and what Config.Next answers to a signed one is signed too.
//
// # Versions
//
// A zone is replaced whole by an atomic pointer ([Set.Replace], [Set.Reload]): a query sees the old version or the new
// one, a transfer goes on with the one that it began with. The difference goes into a bounded journal, which IXFR is
// answered from (RFC 1995), and secondaries are told (RFC 1996). [Set.Assign] does so for
// all that a set serves: which zones there are, who may transfer them, the keys and who is asked for the rest are one index,
// which is replaced whole as well.
//
// # Secondaries
//
// [Set.Run] has one goroutine for each zone that has masters: it asks for the SOA record when the refresh or retry interval has
// passed or a NOTIFY came, fetches what is newer (IXFR, else AXFR; octets and time bounded), and gives the zone up when
// the expire interval has passed without an answer: then queries get SERVFAIL (RFC 1034 §4.3.5). The intervals are those of the
// SOA record within the bounds that Config has. Nothing is kept on disk.
package authority
