// Package dnssec signs zones, and tells what is signed from what is forged (RFC 4033 to 4035, 5155, 6840, 9276).
//
// It reads no clock and no network. Time is an argument; what the validator needs and does not
// have, DNSKEY and DS records of zones on the way down from a trust anchor, it asks of a [Source].
//
// # How an answer is judged
//
// [Validator.Validate] takes an answer as the servers of a zone gave it, and says what it is
// (RFC 4033 section 5): [Secure], when signatures lead from a trust anchor to each record and prove
// the absence of what is absent; [Insecure], when they prove that the zone is not signed, or by
// means that are not known here; [Bogus], when what must be signed is not, or not well; and
// [Indeterminate] where no trust anchor is above the name.
//
//	signed set     the signer's name in its RRSIG is the zone whose keys are needed
//	unsigned set   some zone cut above it must be proven to have no DS, else it is bogus
//	a zone's keys  DNSKEY set signed by a key that a DS of the parent names; the DS set signed
//	               by the parent; and so on up to an anchor
//	no DS          NSEC or NSEC3 of the parent, with the NS bit and without the DS bit, or opt-out
//
// What was learnt of a zone (its keys, or that it is not signed, or that a name is no zone cut)
// is remembered until its TTL ends, in a table of fixed size.
//
// A denial is judged as RFC 4035 section 5.4, RFC 5155 section 8 and RFC 6840 section 4 say. The
// NSEC of a delegation says nothing of what is below it, nor that of a DNAME; a DS is denied by the
// parent and all else at a cut by the child. Behind an opt-out span a name is insecure at best.
//
// # Trust anchors
//
// An anchor is a DS or DNSKEY record of a zone, given in [Config].Anchors. [RootAnchors] has both keys of the public root, 20326
// (KSK-2017) and 38696 (KSK-2024): one that matches is enough, so the roll from the one to the other needs nothing. Further keys
// come with a release, or are given by whoever runs the validator; RFC 5011, by which a validator would learn them itself, is
// not done. When none of the anchors matches a key of the zone all below it is bogus, with the extended error 9 (DNSKEY Missing)
// and a text that has the tags of both. Config.Notice is told of that, and before, while it can still be mended, of a key-signing key
// that no anchor is of.
//
// # Limits
//
// Signatures are checked by number: per set, per answer, and per answer those that fail, with at
// most so many keys of one tag (CVE-2023-50387); NSEC3 hashes are counted per answer
// (CVE-2023-50868), and NSEC3 with more iterations than [Limits] has makes a zone insecure (RFC 9276
// section 3.2). Questions to the Source are counted too. An answer that goes beyond is bogus, and the text of
// its extended error says so.
//
// # What a resolver does with it
//
// Its Source resolves the question with CD in mind: it returns what the zone's servers said,
// validated by nobody, and must not call Validate for it. It may answer from its cache. The questions are for
// DNSKEY at a zone and for DS at a name, which the servers of the parent zone answer, and the answer has its
// RRSIGs and for an absent DS the authority section with SOA and NSEC or NSEC3 records.
//
//	r := v.Validate(ctx, dnssec.Answer{Question: q, Message: m, Zone: zone}, now)
//	switch r.Status {
//	case dnssec.Bogus:         // SERVFAIL with r.EDE, unless CD is set
//	case dnssec.Secure:        // AD; Authority is r.Authority, TTLs at most r.TTL
//	default:                   // the answer as it is, without AD; r.EDE says why where it is not plain
//	}
//
// A chain of CNAMEs that leaves the message is judged as far as it goes, and r.Rest is what is to
// be asked next.
//
// # Signing
//
// [SignZone] makes a signed zone of an unsigned one, with NSEC or NSEC3; [SignSet] signs one
// set. Keys are made by [NewKey], from a seed where the same zone is to be made again.
package dnssec
