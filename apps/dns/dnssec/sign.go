package dnssec

import (
	"fmt"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// SignSet returns the RRSIG record by which k signs a set, valid from inception to expiration.
func SignSet(set *msg.RRset, k *Key, inception, expiration time.Time) (msg.RR, error) {
	sig := msg.RRSIG{
		Covered: set.Type, Algorithm: k.Algorithm, Labels: uint8(ownerLabels(set.Name)), OrigTTL: set.TTL,
		Expiration: uint32(expiration.Unix()), Inception: uint32(inception.Unix()), KeyTag: k.Tag(), Signer: k.Zone,
	}
	var err error
	if !set.Name.Under(k.Zone) {
		err = fmt.Errorf("the name is not in the zone %s", k.Zone)
	} else {
		sig.Signature, err = k.sign(signedData(set, &sig))
	}
	if err != nil {
		return msg.RR{}, fmt.Errorf("signature of %s %s: %w", set.Name, set.Type, err)
	}
	return msg.RR{Name: set.Name, Type: msg.TypeRRSIG, Class: set.Class, TTL: set.TTL, Data: sig.Data()}, nil
}

// SignOptions says how a zone is signed.
type SignOptions struct {
	// Keys has the zone's keys. Those with msg.FlagSEP sign the DNSKEY set, and the others all
	// else; where there is one kind only, it signs everything.
	Keys                  []*Key
	Inception, Expiration time.Time
	// NSEC3 makes a zone with NSEC3 records; nil one with NSEC.
	NSEC3 *NSEC3Options
	// TTL is that of the DNSKEY set in seconds: 0 for the SOA's.
	TTL uint32
}

// NSEC3Options is how names are hashed. RFC 9276 section 3.1 wants no iterations and no salt.
type NSEC3Options struct {
	Iterations uint16
	Salt       []byte
	OptOut     bool // unsigned delegations have no NSEC3 record (RFC 5155 section 6)
}

// SignZone returns the records of a zone and those that sign it: DNSKEY, NSEC or NSEC3 with
// NSEC3PARAM, and RRSIG. What of these the records had before is replaced, but for DNSKEY records,
// which stay and are signed with the others. The result has the zone in canonical order, its
// SOA record first. Records outside of the zone, and a zone without its SOA, are errors.
func SignZone(records []msg.RR, origin msg.Name, o SignOptions) ([]msg.RR, error) {
	z, err := newUnsigned(records, origin, o)
	if err != nil {
		return nil, fmt.Errorf("zone %s cannot be signed: %w", origin, err)
	}
	if o.NSEC3 != nil {
		err = z.addNSEC3()
	} else {
		z.addNSEC()
	}
	if err == nil {
		err = z.sign()
	}
	if err != nil {
		return nil, fmt.Errorf("zone %s cannot be signed: %w", origin, err)
	}
	return z.records(), nil
}

// signers returns the keys that sign the DNSKEY set, and those that sign all else.
func (o *SignOptions) signers() (ksk, zsk []*Key) {
	for _, k := range o.Keys {
		if k.Flags&msg.FlagSEP != 0 {
			ksk = append(ksk, k)
		} else {
			zsk = append(zsk, k)
		}
	}
	if len(ksk) == 0 {
		ksk = zsk
	}
	if len(zsk) == 0 {
		zsk = ksk
	}
	return ksk, zsk
}
