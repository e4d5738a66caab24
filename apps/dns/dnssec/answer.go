package dnssec

import (
	"github.com/weirnet/weir/apps/dns/msg"
)

// judgement gathers the result of an answer.
type judgement struct {
	*session
	a         Answer
	answer    []msg.RRset
	authority []msg.RRset
	denials   map[msg.Name]*denial // by the zone that signed them
	Result
}

func (s *session) answer(a Answer) Result {
	j := &judgement{session: s, a: a, denials: map[msg.Name]*denial{}, Result: Result{Status: Secure, TTL: 1<<32 - 1, AnswerTTL: 1<<32 - 1}}
	j.answer, j.authority = msg.RRsets(a.Message.Answer), msg.RRsets(a.Message.Authority)
	for i := range j.answer {
		j.positive(&j.answer[i])
		if j.Status == Bogus {
			return j.result()
		}
	}
	if name, found := j.end(); !found {
		if len(j.answer) > 0 && !j.denies() {
			j.Rest = name
		} else {
			j.negative(name)
		}
	}
	return j.result()
}

func (j *judgement) result() Result {
	r := j.Result
	if r.Status != Secure {
		r.TTL, r.AnswerTTL, r.Authority, r.Denials = 0, 0, nil, nil
		return r
	}
	for _, d := range j.denials {
		for _, set := range d.sets {
			r.Authority = set.AppendTo(r.Authority, true)
			if set != d.soa {
				r.Denials = append(r.Denials, *set)
			}
		}
	}
	return r
}

// worse makes the answer what one of its parts is, when that is worse than what it was.
func (j *judgement) worse(status Status, ede msg.EDE, err error) {
	if status < j.Status {
		j.Status, j.EDE, j.Err = status, ede, err
	}
}

func (j *judgement) state(z *zoneState) { j.worse(z.status, z.ede, z.err) }

// end follows the CNAMEs of the answer, and returns the name at which they end, and whether the
// answer has what was asked for there.
func (j *judgement) end() (msg.Name, bool) {
	q := j.a.Question
	name := q.Name
	for range len(j.answer) + 1 {
		for i := range j.answer {
			set := &j.answer[i]
			if set.Name.Equal(name) && (set.Type == q.Type || q.Type == msg.TypeANY || q.Type == msg.TypeRRSIG) {
				return name, true
			}
		}
		c := find(j.answer, name, msg.TypeCNAME)
		if c == nil {
			return name, false
		}
		name = c.RRs()[0].Target()
	}
	return name, true // a loop: there is no end to deny
}

// denies reports whether the message says of the name at the end that it, or its type, is absent.
func (j *judgement) denies() bool {
	for i := range j.authority {
		switch j.authority[i].Type {
		case msg.TypeSOA:
			return true
		}
	}
	return false
}

// positive judges a set of the answer section.
func (j *judgement) positive(set *msg.RRset) {
	if len(set.Data) == 0 {
		// Signatures alone, as a question for RRSIG gets them: nothing signs those.
		j.worse(Insecure, msg.EDE{}, nil)
		return
	}
	if j.synthesized(set) {
		return
	}
	if j.v.exempt(set.Name) {
		j.worse(Insecure, msg.EDE{}, nil)
		return
	}
	var worst *zoneState
	for _, signer := range j.signers(set) {
		z := j.zone(signer)
		switch {
		case z.noCut:
			worst = j.bogus(msg.EDEBogus, describe(set)+" is signed by "+signer.String()+", which is no zone")
			continue
		case z.status != Secure:
			j.state(z)
			return
		}
		v, ok := j.verify(set, signer, z.keys, j.now)
		if ok {
			j.TTL, j.AnswerTTL = min(j.TTL, v.ttl), min(j.AnswerTTL, v.ttl)
			j.expansion(set, &v, z)
			return
		}
		worst = j.bogus(v.ede.Code, v.ede.Text)
	}
	if worst == nil {
		worst = j.withoutSignature(set.Name, set.Type, msg.EDERRSIGsMissing, "no signature of "+describe(set))
	}
	j.state(worst)
}

// synthesized reports whether a CNAME without signature follows from a DNAME of the answer, which is judged
// by itself (RFC 6672 section 5.3.1).
func (j *judgement) synthesized(set *msg.RRset) bool {
	if set.Type != msg.TypeCNAME || len(set.Sigs) > 0 || len(set.Data) != 1 {
		return false
	}
	for i := range j.answer {
		d := &j.answer[i]
		if d.Type != msg.TypeDNAME || d.Class != set.Class || len(d.Data) != 1 || len(set.Name) <= len(d.Name) || !set.Name.Under(d.Name) {
			continue
		}
		prefix := set.Name[:len(set.Name)-len(d.Name)]
		if (prefix + d.RRs()[0].Target()).Equal(set.RRs()[0].Target()) {
			return true
		}
	}
	return false
}

// expansion demands, for a set that was made of a wildcard, the proof that nothing closer exists.
func (j *judgement) expansion(set *msg.RRset, v *verified, z *zoneState) {
	if int(v.sig.Labels) == ownerLabels(set.Name) {
		return
	}
	d := j.denialBy(v.sig.Signer.Fold(), z)
	verdict, ede := d.noCloser(set.Name, set.Name.Suffix(int(v.sig.Labels)+1))
	j.prove(d, verdict, ede)
}

func (j *judgement) denialBy(zone msg.Name, z *zoneState) *denial {
	d := j.denials[zone]
	if d == nil {
		d = j.denial(j.authority, zone, z.keys)
		j.denials[zone] = d
	}
	return d
}

func (j *judgement) prove(d *denial, v verdict, ede msg.EDE) {
	switch v {
	case unproven:
		j.worse(Bogus, ede, nil)
	case provenInsecure:
		j.worse(Insecure, ede, nil)
	default:
		j.TTL = min(j.TTL, d.ttl)
	}
}

// withoutSignature is the state of a name whose records are not signed: that of its zone, where that is
// not secure, and else bogus. The hint is tried first; it saves the way down.
func (j *judgement) withoutSignature(name msg.Name, typ msg.Type, code uint16, text string) *zoneState {
	if typ == msg.TypeDS && name != msg.Root {
		name = name.Parent()
	}
	anchor, ok := j.v.anchorAbove(name)
	if hint := j.a.Zone; ok && hint != "" && name.Under(hint) && hint.Under(anchor) {
		if z := j.zone(hint); z.status == Insecure {
			return inherit(z)
		}
	}
	if _, z := j.enclosing(name); z.status != Secure {
		return inherit(z)
	}
	return j.bogus(code, text)
}

// negative judges what the message denies of name.
func (j *judgement) negative(name msg.Name) {
	if j.v.exempt(name) {
		j.worse(Insecure, msg.EDE{}, nil)
		return
	}
	typ := j.a.Question.Type
	from := name
	if typ == msg.TypeDS && name != msg.Root {
		from = name.Parent()
	}
	zone, ok := j.denier(j.authority, from)
	if !ok {
		code, text := msg.EDENSECMissing, "nothing proves that "+name.String()+" has no "+typ.String()
		if len(j.authority) > 0 {
			code, text = msg.EDERRSIGsMissing, "no signature of the denial of "+name.String()+" "+typ.String()
		}
		j.state(j.withoutSignature(name, typ, code, text))
		return
	}
	z := j.zone(zone)
	switch {
	case z.noCut:
		j.state(j.bogus(msg.EDEBogus, "the denial of "+name.String()+" is signed by "+zone.String()+", which is no zone"))
		return
	case z.status != Secure:
		j.state(z)
		return
	}
	d := j.denialBy(zone, z)
	if soa := j.unverifiedSOA(d); soa != nil {
		j.worse(Bogus, d.missing("the signature of "+describe(soa)+" is missing"), nil)
		return
	}
	v, ede := d.absent(name, typ, j.a.Message.Rcode == msg.RcodeNameError)
	j.prove(d, v, ede)
}

// unverifiedSOA returns an SOA record of the denial that has no good signature.
func (j *judgement) unverifiedSOA(d *denial) *msg.RRset {
	for i := range j.authority {
		if set := &j.authority[i]; set.Type == msg.TypeSOA && d.soa != set {
			return set
		}
	}
	return nil
}
