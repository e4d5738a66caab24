package cache

import (
	"fmt"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Kind is what an entry says.
type Kind uint8

// The kinds of entries. A name has one entry per type that is Positive or NoData, and beside them at
// most one of NXDomain, one Delegation, and one Failure per type.
const (
	Positive   Kind = iota // the RRset of the type
	NoData                 // the name has none of the type
	NXDomain               // there is no such name, nor anything below it (RFC 8020)
	Delegation             // the NS RRset of a zone as its parent gave it
	Failure                // nobody gave a usable answer
)

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

var kindNames = [...]string{"positive", "nodata", "nxdomain", "delegation", "failure"}

// space keeps entries of one name and type apart that do not replace each other.
func (k Kind) space() byte {
	if k == NoData {
		return byte(Positive)
	}
	return byte(k)
}

// Rank says how far data is to be believed (RFC 2181 §5.4.1), the least first.
type Rank uint8

// The ranks of what a resolver hears.
const (
	RankAdditional    Rank = iota // glue, and what stands beside an answer: good for asking servers, never an answer
	RankAnswer                    // the answer of a server without authority, as an upstream of a forwarder
	RankAuthority                 // the authority section of an authoritative answer
	RankAuthoritative             // the answer section of an authoritative answer
)

// Security is what validation found (RFC 4035 §4.3).
type Security uint8

// The states of validation.
const (
	Unchecked Security = iota // nobody has validated
	Insecure                  // proven to be unsigned
	Secure
	Bogus // only those get it who ask with CD
)

func (s Security) String() string {
	return [...]string{"unchecked", "insecure", "secure", "bogus"}[s&3]
}

// Section is where an RRset of an entry goes in an answer.
type Section uint8

// The sections. A proof goes to the authority section, to those who ask with DO only.
const (
	InAnswer Section = iota
	InAuthority
	InProof
)

// Set is an RRset of an entry with its place. In the answer of a Positive entry it may last longer than the entry, and then has a
// larger TTL than that: what was made of a wildcard is asked for again when the proof of that ends, and may be kept by those who got
// it for as long as it says itself (RFC 4035 §5.3.3). Every other set lasts as long as its entry, whatever its TTL.
type Set struct {
	msg.RRset
	Section Section
}

// Entry is what is known of a name and type, or of a name.
type Entry struct {
	Name     msg.Name
	Type     msg.Type // what was asked; zero for NXDomain, NS for Delegation
	Kind     Kind
	Rank     Rank
	Security Security
	EDE      uint16 // why it failed or is bogus (RFC 8914), or zero for no code
	TTL      uint32 // to Put: as it was learnt; from Get: what is left, zero where Stale
	Sets     []Set  // Positive and Delegation: the RRset first

	// Only from Get.
	Original uint32 // the TTL that it had when it was put in
	Stale    bool   // it has expired
}

// lasts returns the TTL of one of the sets, where the entry's is ttl.
func (e *Entry) lasts(i int, ttl uint32) uint32 {
	if s := &e.Sets[i]; e.Kind == Positive && e.Security != Bogus && s.Section == InAnswer {
		return max(ttl, s.TTL)
	}
	return ttl
}

// RRset returns the RRset that the entry is about, nil where there is none, with the TTL that is left.
func (e *Entry) RRset() *msg.RRset {
	if len(e.Sets) == 0 || e.Kind != Positive && e.Kind != Delegation {
		return nil
	}
	return &e.Sets[0].RRset
}
