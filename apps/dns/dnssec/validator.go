package dnssec

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Status is what an answer is (RFC 4033 section 5).
type Status uint8

// The states, from the worst to the best: that of an answer is the worst of its parts.
const (
	Bogus Status = iota
	Indeterminate
	Insecure
	Secure
)

var statusNames = [...]string{"bogus", "indeterminate", "insecure", "secure"}

// String returns the state in one word.
func (s Status) String() string { return statusNames[s] }

// Source gets what the validator needs of the zones above an answer.
type Source interface {
	// Fetch returns the answer to the question for that type at name, of class IN, which is DNSKEY, or DS
	// as the parent zone has it: with signatures, and not validated. An error is one of the network
	// or of the servers; a denial is none.
	Fetch(ctx context.Context, name msg.Name, typ msg.Type) (*msg.Message, error)
}

// Config is what a validator works by.
type Config struct {
	Source Source
	// Anchors has the trust anchors: DS or DNSKEY records of zones, several of one zone allowed.
	Anchors []msg.RR
	// Insecure has names at and below which nothing is validated (RFC 7646).
	Insecure []msg.Name
	Limits   Limits
	// Notice is told what somebody must do about a trust anchor, whenever the keys of its zone are looked at. It must be quick, and may be nil.
	Notice func(Notice)
}

// Notice is that the trust anchors of a zone and its keys do not fit.
type Notice struct {
	Zone msg.Name
	// Failed: no key of the zone is trusted, or there is none, so that all below it is bogus. Otherwise the zone has a key-signing key more than there are
	// anchors, signed by one that is trusted: it will begin to sign with it some day (RFC 5011 §2.4).
	Failed bool
	Text   string // which keys those are
}

// Answer is what is to be judged.
type Answer struct {
	Question msg.Question
	Message  *msg.Message // as it came; its additional section does not matter
	// Zone is the zone whose servers gave it, as far as the referrals said. It is a hint that saves
	// questions, and not believed; "" is none.
	Zone msg.Name
}

// Result is the judgement.
type Result struct {
	Status Status
	// EDE says why an answer is bogus, or insecure or indeterminate where it is not simply that a
	// zone is not signed: Code 0 without Text is nothing to say.
	EDE msg.EDE
	// TTL is the seconds that the answer may be kept at most: no signature in it, and no TTL that
	// was signed, lasts longer (RFC 4035 section 5.3.3). It has a meaning when Status is Secure.
	TTL uint32
	// AnswerTTL is the same of the answer section alone. It is more than TTL where a proof that came with what was made of a
	// wildcard ends before.
	AnswerTTL uint32
	// Authority is the part of the authority section that was validated and belongs to the answer: SOA,
	// NSEC and NSEC3 records with their signatures. Empty unless Status is Secure.
	Authority []msg.RR
	// Denials has the validated NSEC and NSEC3 sets of Authority: what may be used for other
	// names as well (RFC 8198), but for NSEC3 records with opt-out.
	Denials []msg.RRset
	// Rest is the name at which a chain of CNAMEs leaves the message: "" when it does not.
	Rest msg.Name
	// Err is the Source's error where it is the reason: then the state may be another soon.
	Err error
}

// Validator judges answers. It is for several goroutines at once.
type Validator struct {
	config  Config
	anchors map[msg.Name][]msg.RR
	zones   zoneTable
}

// New returns a validator. An anchor that is neither DS nor DNSKEY, or one whose rdata is
// malformed, is an error; none at all makes everything indeterminate.
func New(c Config) (*Validator, error) {
	if c.Source == nil {
		return nil, errors.New("a validator without a Source cannot get keys: set Config.Source")
	}
	c.Limits = c.Limits.withDefaults()
	v := &Validator{config: c, anchors: map[msg.Name][]msg.RR{}}
	v.zones.max = c.Limits.Zones
	for _, r := range c.Anchors {
		_, ds := r.DS()
		_, key := r.DNSKEY()
		if !ds && !key || r.Check() != nil {
			return nil, fmt.Errorf("%s is no trust anchor: it must be a DS or DNSKEY record", r)
		}
		name := r.Name.Fold()
		v.anchors[name] = append(v.anchors[name], r)
	}
	return v, nil
}

// Validate judges an answer at that time.
func (v *Validator) Validate(ctx context.Context, a Answer, now time.Time) Result {
	s := newSession(ctx, v, now)
	return s.answer(a)
}
