// Package tsig signs messages with a secret that both sides have, and checks them (RFC 8945).
// It works on packed messages: the last thing done to one before it is sent, and the first to
// one that came.
//
// A client has a [Session] from [Request], which signs the query; Verify then checks each answer.
// A server has one from [Accept], which checks the query; Sign then signs each answer. Over TCP
// an answer may be many messages (a zone transfer): Sign and Verify are called for each in turn,
// since the MAC of each covers the one before (section 5.3.1). Verify lets up to 99 messages
// in a row be unsigned, as the RFC has it, and [Session.Done] says whether the last one was signed:
// before that nothing of them may be believed.
//
// # When a query is refused
//
// Accept returns an [Error] then, and a session all the same: the answer that tells it, with the
// rcode that Error.Rcode gives, goes through Sign like any other, which signs it where the RFC says
// that it is (BADTIME, BADTRUNC), adds a record without a MAC where nothing could be signed
// (BADKEY, BADSIG), and adds nothing to a FORMERR. A query without a TSIG record is none of this
// package: Accept returns neither a session nor an error.
//
// Time is an argument everywhere. It is checked with the fudge that the message has, and no
// more than [MaxFudge] of it.
package tsig
