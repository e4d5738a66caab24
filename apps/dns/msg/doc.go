// Package msg has the words of DNS: names, types, resource records, messages, the options of
// EDNS, and all of it as octets (RFC 1035 section 4.1) and as text (section 5.1).
//
// # Names and rdata are wire form in strings
//
// A [Name] is the uncompressed wire form in a Go string: it is compared, cut to a parent, used as
// the key of a map and sent without any conversion, and it cannot be changed behind anybody's
// back. The same holds for the rdata of an [RR]. Text is made of them for people only, and read
// from what people write.
//
// # Two ways into a message
//
// [Query] is a view over a plain query in the receive buffer: one question, at most an OPT record,
// nothing else. It allocates nothing. Everything else goes through [Message.Unpack], which takes
// any well-formed message and refuses the rest with an error that says what was wrong where.
// What Query accepts, Unpack accepts with the same result.
//
// Unpack checks the rdata of every type that it knows, and writes out the names in it that were
// compressed; records of unknown types are octets (RFC 3597).
//
// # And one way out
//
// [Message.Append] packs with compression: owner names, and the names in the rdata of the types
// of RFC 1035 only (RFC 3597 section 4). Names that differ in case are not compressed onto each
// other, so that the case a name was written in, or asked in, is preserved. What does not fit
// goes by whole RRsets: the additional section first and silently, but for the glue of a
// referral; a set missing anywhere else sets TC (RFC 2181 section 9).
//
// # What stands behind it
//
// Text of records, and the check of rdata, come from github.com/miekg/dns. No type of it is seen
// from outside.
package msg
