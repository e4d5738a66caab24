package dnssec

import (
	"fmt"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// budget is the work that one answer may still cost.
type budget struct {
	limits                           Limits
	checks, failed, fetches, hashing int
	over                             bool // some limit was reached
}

// verified is what the check of a set found.
type verified struct {
	sig msg.RRSIG // the signature that is good
	ttl uint32    // seconds that the set may be kept (RFC 4035 section 5.3.3)
	ede msg.EDE   // why it is bogus, when none is good
}

// verify looks for a signature of the set by one of the keys of the zone. ok is false when there
// is none, and then ede says of the one that came farthest what is wrong with it.
func (b *budget) verify(set *msg.RRset, zone msg.Name, keys []publicKey, now time.Time) (v verified, ok bool) {
	v.ede = msg.EDE{Code: msg.EDERRSIGsMissing, Text: "no signature of " + describe(set) + " by " + zone.String()}
	rank := 0
	fail := func(r int, code uint16, text string) {
		if r > rank {
			rank = r
			v.ede = msg.EDE{Code: code, Text: text}
		}
	}
	tried := 0
	for _, data := range set.Sigs {
		sig, is := msg.ParseRRSIG(data)
		if !is || !sig.Signer.Equal(zone) || sig.Covered != set.Type {
			continue
		}
		if tried++; tried > b.limits.SigsPerSet {
			fail(9, msg.EDEBogus, describe(set)+" has more signatures than are tried")
			break
		}
		if int(sig.Labels) > ownerLabels(set.Name) || !set.Name.Under(zone) || int(sig.Labels) < zone.Labels() {
			fail(1, msg.EDEBogus, "the signature of "+describe(set)+" is of another name")
			continue
		}
		if code, text := period(&sig, now); code != 0 {
			fail(4, code, "the signature of "+describe(set)+" "+text)
			continue
		}
		err := b.try(set, &sig, keys, fail)
		if err == nil {
			v.sig, v.ede = sig, msg.EDE{}
			v.ttl = min(set.TTL, sig.OrigTTL, sig.Expiration-uint32(now.Unix()))
			return v, true
		}
		if b.over {
			break
		}
	}
	return v, false
}

// period returns what is wrong with the time of a signature, and 0 where nothing is.
func period(sig *msg.RRSIG, now time.Time) (uint16, string) {
	at := uint32(now.Unix())
	day := func(t uint32) string {
		// The time nearest to now that has these 32 bits (RFC 4034 section 3.1.5).
		return time.Unix(now.Unix()+int64(int32(t-at)), 0).UTC().Format("2006-01-02 15:04:05")
	}
	switch {
	case serialLess(sig.Expiration, sig.Inception):
		return msg.EDESignatureExpiredBeforeValid, "expires before it begins"
	case serialLess(sig.Expiration, at):
		return msg.EDESignatureExpired, "expired at " + day(sig.Expiration)
	case serialLess(at, sig.Inception):
		return msg.EDESignatureNotYetValid, "begins at " + day(sig.Inception)
	}
	return 0, ""
}

// try checks one signature with the keys that it can be of (RFC 4035 section 5.3.1).
func (b *budget) try(set *msg.RRset, sig *msg.RRSIG, keys []publicKey, fail func(int, uint16, string)) error {
	same := 0
	var data []byte
	for i := range keys {
		k := &keys[i]
		if k.tag != sig.KeyTag || k.Algorithm != sig.Algorithm {
			continue
		}
		if !k.usable() {
			fail(3, msg.EDENoZoneKeyBit, fmt.Sprintf("the key %d is not one that signs", k.tag))
			continue
		}
		if k.key == nil {
			if Supported(k.Algorithm) {
				fail(3, msg.EDEBogus, fmt.Sprintf("the key %d is malformed", k.tag))
			} else {
				fail(2, msg.EDEUnsupportedAlgorithm, "the key's algorithm is "+AlgorithmName(k.Algorithm))
			}
			continue
		}
		if same++; same > b.limits.KeysPerTag {
			fail(9, msg.EDEBogus, fmt.Sprintf("more keys than are tried have the tag %d", k.tag))
			break
		}
		if !b.spend() {
			fail(10, msg.EDEBogus, "more signatures than are checked for one answer")
			return errSignature
		}
		if data == nil {
			data = signedData(set, sig)
		}
		if k.check(data, sig.Signature) == nil {
			return nil
		}
		b.failed++
		fail(6, msg.EDEBogus, fmt.Sprintf("the signature of %s by the key %d is not that of its data", describe(set), k.tag))
	}
	if same == 0 {
		fail(2, msg.EDEDNSKEYMissing, fmt.Sprintf("%s has no key %d that signed %s", sig.Signer, sig.KeyTag, describe(set)))
	}
	return errSignature
}

// spend takes one check of a signature from the budget.
func (b *budget) spend() bool {
	if b.checks >= b.limits.Checks || b.failed >= b.limits.FailedCheck {
		b.over = true
		return false
	}
	b.checks++
	return true
}

// hash takes a hash from the budget.
func (b *budget) hash() bool {
	if b.hashing >= b.limits.Hashes {
		b.over = true
		return false
	}
	b.hashing++
	return true
}

func describe(set *msg.RRset) string { return set.Name.String() + " " + set.Type.String() }

// VerifySet reports whether one of the keys, DNSKEY records of zone, signed the set, and for how
// many seconds it may be kept. That a set which was made of a wildcard has nothing closer to its name is for
// the caller to prove: Validator does. The error is the reason as an extended error in words.
func VerifySet(set *msg.RRset, zone msg.Name, keys []msg.RR, now time.Time) (ttl uint32, err error) {
	b := budget{limits: Limits{}.withDefaults()}
	var public []publicKey
	for _, r := range keys {
		if k, ok := r.DNSKEY(); ok && len(public) < b.limits.Keys {
			public = append(public, newPublicKey(k))
		}
	}
	v, ok := b.verify(set, zone, public, now)
	if !ok {
		return 0, &Error{v.ede}
	}
	return v.ttl, nil
}

// Error is an extended error as an error.
type Error struct{ EDE msg.EDE }

// Error returns the code, its name and the text.
func (e *Error) Error() string { return "DNSSEC: " + e.EDE.String() }
