package dnssec

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// zone returns what name is as a zone: with its keys, not signed, bogus, or no zone cut at all.
func (s *session) zone(name msg.Name) *zoneState {
	name = name.Fold()
	if s.v.exempt(name) {
		return &zoneState{status: Insecure}
	}
	if z, ok := s.v.zones.get(name, s.now); ok {
		return z
	}
	z := s.learn(name)
	if z.err == nil && !(s.over && z.status == Bogus) {
		s.v.zones.put(name, z, s.now)
	}
	return z
}

func (s *session) learn(name msg.Name) *zoneState {
	if anchors, ok := s.v.anchors[name]; ok {
		return s.keysOf(name, anchors, uint32(s.limits.MaxTTL.Seconds()))
	}
	if _, ok := s.v.anchorAbove(name); !ok {
		return &zoneState{status: Indeterminate, ede: msg.EDE{Code: msg.EDEIndeterminate, Text: "no trust anchor is above " + name.String()}}
	}
	m, err := s.fetch(name, msg.TypeDS)
	if err != nil {
		return s.unreachable(msg.EDEBogus, "the DS of "+name.String()+" cannot be had", err)
	}
	answer := msg.RRsets(m.Answer)
	if ds := find(answer, name, msg.TypeDS); ds != nil {
		return s.fromDS(name, ds)
	}
	if alias := find(answer, name, msg.TypeCNAME); alias != nil {
		return s.fromAlias(name, alias)
	}
	return s.withoutDS(name, m)
}

// fromDS follows a DS set to the keys of the zone.
func (s *session) fromDS(name msg.Name, ds *msg.RRset) *zoneState {
	v, parent := s.signedAbove(name, ds)
	if parent.status != Secure {
		return parent
	}
	return s.keysOf(name, ds.RRs(), v.ttl)
}

// fromAlias: a name with a CNAME record is no zone cut.
func (s *session) fromAlias(name msg.Name, alias *msg.RRset) *zoneState {
	v, parent := s.signedAbove(name, alias)
	if parent.status != Secure {
		return parent
	}
	return &zoneState{status: Secure, noCut: true, until: s.after(v.ttl)}
}

// signedAbove verifies a set of name with the keys of a zone above it. The state is secure when it is
// good, and otherwise that which name has for it.
func (s *session) signedAbove(name msg.Name, set *msg.RRset) (verified, *zoneState) {
	var worst *zoneState
	for _, signer := range s.signers(set) {
		if signer == name {
			continue
		}
		p := s.zone(signer)
		switch {
		case p.noCut:
			worst = s.bogus(msg.EDEBogus, describe(set)+" is signed by "+signer.String()+", which is no zone")
			continue
		case p.status != Secure:
			return verified{}, inherit(p)
		}
		v, ok := s.verify(set, signer, p.keys, s.now)
		if ok {
			return v, p
		}
		worst = s.bogus(v.ede.Code, v.ede.Text)
	}
	if worst == nil {
		worst = s.unsigned(name, msg.EDERRSIGsMissing, "no signature of "+describe(set))
	}
	return verified{}, worst
}

// unsigned is the state of a name for which the parent's records have no signatures: the parent
// must be insecure itself.
func (s *session) unsigned(name msg.Name, code uint16, text string) *zoneState {
	if _, p := s.enclosing(name.Parent()); p.status != Secure {
		return inherit(p)
	}
	return s.bogus(code, text)
}

// enclosing walks down from the trust anchor to the zone that name is in, or to the first that is
// not secure on the way.
func (s *session) enclosing(name msg.Name) (msg.Name, *zoneState) {
	at, ok := s.v.anchorAbove(name)
	if !ok {
		return "", s.learn(name)
	}
	z := s.zone(at)
	for labels := at.Labels() + 1; labels <= name.Labels() && z.status == Secure; labels++ {
		child := name.Suffix(labels)
		c := s.zone(child)
		switch {
		case c.absent:
			return at, z
		case !c.noCut:
			at, z = child, c
		}
	}
	return at, z
}

// withoutDS reads the denial of a DS record.
func (s *session) withoutDS(name msg.Name, m *msg.Message) *zoneState {
	sets := msg.RRsets(m.Authority)
	signer, ok := s.denier(sets, name.Parent())
	if !ok {
		return s.unsigned(name, msg.EDENSECMissing, "nothing proves that "+name.String()+" has no DS")
	}
	p := s.zone(signer)
	switch {
	case p.noCut:
		return s.bogus(msg.EDEBogus, "the denial of the DS of "+name.String()+" is signed by "+signer.String()+", which is no zone")
	case p.status != Secure:
		return inherit(p)
	}
	d := s.denial(sets, signer, p.keys)
	z := &zoneState{status: Secure, noCut: true, until: s.after(d.ttl)}
	switch cut, ede := d.delegation(name); cut {
	case cutInsecure:
		return &zoneState{status: Insecure, ede: ede, until: z.until}
	case cutNone:
		return z
	case cutAbsent:
		z.absent = true
		return z
	default:
		return s.bogus(ede.Code, ede.Text)
	}
}

// keysOf gets the keys of a zone and has them confirmed by what is trusted of it: DS records, or keys
// in a trust anchor.
func (s *session) keysOf(name msg.Name, trusted []msg.RR, ttl uint32) *zoneState {
	trusted, ede := usableTrust(trusted)
	if len(trusted) == 0 {
		// RFC 4035 section 5.2: as if the zone were not signed.
		return &zoneState{status: Insecure, ede: ede, until: s.after(ttl)}
	}
	if len(trusted) > s.limits.DS {
		trusted = trusted[:s.limits.DS]
	}
	m, err := s.fetch(name, msg.TypeDNSKEY)
	if err != nil {
		return s.unreachable(msg.EDEDNSKEYMissing, "the DNSKEY set of "+name.String()+" cannot be had", err)
	}
	set := find(msg.RRsets(m.Answer), name, msg.TypeDNSKEY)
	if set == nil {
		what := "a DS of its parent"
		if s.anchored(name) {
			what = "a trust anchor"
		}
		return s.untrusted(name, msg.EDEDNSKEYMissing, fmt.Sprintf("%v has no DNSKEY record, and %s", name, what))
	}
	if len(set.Data) > s.limits.Keys {
		return s.untrusted(name, msg.EDEBogus, fmt.Sprintf("%s has %d keys, more than are looked at", name, len(set.Data)))
	}
	var keys []publicKey
	for _, r := range set.RRs() {
		if k, ok := r.DNSKEY(); ok {
			keys = append(keys, newPublicKey(k))
		}
	}
	entry := entryKeys(name, keys, trusted)
	if len(entry) == 0 {
		return s.untrusted(name, msg.EDEDNSKEYMissing, s.mismatch(name, keys, trusted))
	}
	v, ok := s.verify(set, name, entry, s.now)
	if !ok {
		return s.untrusted(name, v.ede.Code, v.ede.Text)
	}
	if list := unknown(name, keys, entry, s.v.anchors[name]); len(list) > 0 {
		s.notice(name, false, fmt.Sprintf("%v has keys that no trust anchor is of: %s", name, strings.Join(list, ", ")))
	}
	return &zoneState{status: Secure, keys: keys, until: s.after(min(ttl, v.ttl))}
}

// untrusted is the state of a zone that has no key that is trusted. That is no fault of the anchors' where the work for
// one answer came to its bounds.
func (s *session) untrusted(zone msg.Name, code uint16, text string) *zoneState {
	if !s.over {
		s.notice(zone, true, text)
	}
	return s.bogus(code, text)
}

// notice tells of a zone with trust anchors.
func (s *session) notice(zone msg.Name, failed bool, text string) {
	if s.anchored(zone) && s.v.config.Notice != nil {
		s.v.config.Notice(Notice{zone, failed, text})
	}
}

func (s *session) anchored(zone msg.Name) bool {
	_, ok := s.v.anchors[zone]
	return ok
}

// unknown returns the tags of the key-signing keys that are not trusted, but for those that are revoked (RFC 5011 §2.1), and those of
// an algorithm that is not known here for which there is an anchor already.
func unknown(zone msg.Name, keys, entry []publicKey, anchors []msg.RR) (tags []string) {
	for i := range keys {
		k := &keys[i]
		trusted := func(e publicKey) bool { return e.Data() == k.Data() }
		switch {
		case k.Flags&msg.FlagSEP == 0 || k.Flags&msg.FlagRevoke != 0 || slices.ContainsFunc(entry, trusted) || len(tags) == 8:
		case !Supported(k.Algorithm) && len(entryKeys(zone, keys[i:i+1], anchors)) > 0:
		default:
			tags = append(tags, fmt.Sprint(k.tag))
		}
	}
	return tags
}

// mismatch says of a zone that none of its keys is trusted, by their tags: where trust begins, somebody must act on it.
func (s *session) mismatch(name msg.Name, keys []publicKey, trusted []msg.RR) string {
	var has, want []string
	for i := range keys {
		if keys[i].Flags&msg.FlagSEP != 0 && len(has) < 8 {
			has = append(has, fmt.Sprint(keys[i].tag))
		}
	}
	for _, r := range trusted {
		tag := uint16(0)
		if ds, ok := r.DS(); ok {
			tag = ds.KeyTag
		} else if k, ok := r.DNSKEY(); ok {
			tag = newPublicKey(k).tag
		}
		if len(want) < 8 {
			want = append(want, fmt.Sprint(tag))
		}
	}
	what := "its DS records"
	if s.anchored(name) {
		what = "the trust anchors configured for it"
	}
	return fmt.Sprintf("no key of %v is trusted: it has %s, %s are of %s", name, orNone(has), what, orNone(want))
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// usableTrust leaves out the DS records whose algorithm or digest is not known, and those with
// SHA-1 where there are others (RFC 4509 section 3). Where none is left it says why.
func usableTrust(all []msg.RR) (usable []msg.RR, why msg.EDE) {
	var weak []msg.RR
	for _, r := range all {
		ds, isDS := r.DS()
		k, _ := r.DNSKEY()
		switch {
		case !isDS && Supported(k.Algorithm):
			usable = append(usable, r)
		case !isDS:
			why = unsupported(k.Algorithm)
		case !Supported(ds.Algorithm):
			why = unsupported(ds.Algorithm)
		case !digestSupported(ds.DigestType):
			why = msg.EDE{Code: msg.EDEUnsupportedDigest, Text: fmt.Sprintf("the digest type of the DS is %d", ds.DigestType)}
		case ds.DigestType == DigestSHA1:
			weak = append(weak, r)
		default:
			usable = append(usable, r)
		}
	}
	if len(usable) == 0 {
		usable = weak
	}
	return usable, why
}

func unsupported(algorithm uint8) msg.EDE {
	return msg.EDE{Code: msg.EDEUnsupportedAlgorithm, Text: "the algorithm of the zone's key is " + AlgorithmName(algorithm)}
}

// entryKeys returns the keys that are trusted. One that does not sign is among them, so that what is
// wrong with it is told.
func entryKeys(zone msg.Name, keys []publicKey, trusted []msg.RR) (entry []publicKey) {
	for i := range keys {
		k := &keys[i]
		for _, r := range trusted {
			if matches(zone, k, r) {
				entry = append(entry, *k)
				break
			}
		}
	}
	return entry
}

func matches(zone msg.Name, k *publicKey, r msg.RR) bool {
	ds, ok := r.DS()
	if !ok {
		return r.Data == k.Data()
	}
	if ds.KeyTag != k.tag || ds.Algorithm != k.Algorithm {
		return false
	}
	own, ok := NewDS(zone, k.DNSKEY, ds.DigestType)
	return ok && subtle.ConstantTimeCompare([]byte(own.Digest), []byte(ds.Digest)) == 1
}
