// Package recursor is a recursive resolver: it finds the answer to a question by asking the root's servers, those
// that they refer it to, and so on down to the servers of the name's zone.
//
// # The way of a question
//
// Resolve looks into the cache first, in the caller's goroutine; AnswerDirect does so in the receive path. What is not
// there becomes a flight: one goroutine that works on the question for all who ask it, until it has an
// answer or has used up Limits. A flight is a task, which follows the chain of CNAMEs, and for each name in it a walk,
// which begins at the deepest zone whose delegation the cache has. What must be found out on the way
// (addresses of servers, keys) is a task of the same flight, one after the other, on the same account of queries and
// time. The same question to the same server is sent once, and all flights that need it wait for it.
//
// # What is believed
//
// A server is believed about the zone that it was asked for as a server of, and what is below: everything
// else in its answer is left out before it is looked at. Of the answer section the RRset asked for is taken, or the
// CNAME or DNAME in its place; the rest of a chain is asked for. Glue is kept inside of the delegation that
// it came with and serves to ask that zone's servers, nothing else. Delegations are those that parents give, so that a zone
// that its parent has withdrawn is gone when the TTL is over.
//
// # Servers
//
// Of a zone's servers, over both families, the one with the shortest smoothed round trip is asked; one that is not
// known yet is taken for a fast one, and one time in twenty any is asked. After three timeouts in a row a server is
// left alone for a minute, one that has no authority over the zone for a quarter of an hour, as long as
// there are others.
//
// # Bounds
//
// Limits bounds queries, time, depth, chains and looked-up names of servers per question (NXNSAttack, TsuNAME). A
// name whose address is needed to find itself is recognized by the chain of tasks, and skipped. Failures are kept in the
// cache for five seconds, and twice as long each time that the same question fails again at once, up to half a minute (RFC 9520 §3.2);
// what is wrong with one server only is kept with the server. One of validation is not told to who asks with CD.
//
// # Validation
//
// Trust anchors are in Config.Anchors, DS or DNSKEY records: those of the public root are dnssec.RootAnchors, which are as new as the
// release; there is no RFC 5011. What does not fit between them and the keys of their zones is counted, and told to Config.Logger once in an hour. With trust anchors every answer for a client is validated before it is put in the cache. What it takes on the
// way there (addresses of servers, keys, what minimised questions find) is kept as unchecked, and
// no answer is made of that. Bogus data is kept for a minute, and what could not be judged for want of keys
// for as long as it says, for those who ask with CD.
package recursor
