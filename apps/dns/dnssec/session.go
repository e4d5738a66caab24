package dnssec

import (
	"context"
	"errors"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
)

// session is one call of Validate.
type session struct {
	ctx context.Context
	v   *Validator
	now time.Time
	budget
}

func newSession(ctx context.Context, v *Validator, now time.Time) *session {
	return &session{ctx: ctx, v: v, now: now, budget: budget{limits: v.config.Limits}}
}

var errFetches = errors.New("more questions for keys than are asked for one answer")

func (s *session) fetch(name msg.Name, typ msg.Type) (*msg.Message, error) {
	if s.fetches >= s.limits.Fetches {
		s.over = true
		return nil, errFetches
	}
	s.fetches++
	m, err := s.v.config.Source.Fetch(s.ctx, name, typ)
	if err == nil && m == nil {
		err = errors.New("the source has no answer")
	}
	return m, err
}

// anchorAbove returns the closest name at or above name that has a trust anchor. What is signed
// from above it does not count.
func (v *Validator) anchorAbove(name msg.Name) (msg.Name, bool) {
	for n := name.Fold(); ; n = n.Parent() {
		if _, ok := v.anchors[n]; ok {
			return n, true
		}
		if n == msg.Root || n == "" {
			return "", false
		}
	}
}

// exempt reports whether name is at or below a negative trust anchor.
func (v *Validator) exempt(name msg.Name) bool {
	for _, n := range v.config.Insecure {
		if name.Under(n) {
			return true
		}
	}
	return false
}

func (s *session) bogus(code uint16, text string) *zoneState {
	return &zoneState{status: Bogus, ede: msg.EDE{Code: code, Text: text}, until: s.now.Add(s.limits.BogusTTL)}
}

// unreachable is the state of a zone whose keys could not be had: it is not remembered.
func (s *session) unreachable(code uint16, text string, err error) *zoneState {
	return &zoneState{status: Bogus, ede: msg.EDE{Code: code, Text: text + ": " + err.Error()}, err: err}
}

// inherit is the state of a zone below one that is not secure.
func inherit(p *zoneState) *zoneState {
	return &zoneState{status: p.status, ede: p.ede, err: p.err, until: p.until}
}

func (s *session) after(ttl uint32) time.Time {
	return s.now.Add(min(time.Duration(ttl)*time.Second, s.limits.MaxTTL))
}

// find returns the set of that name and type.
func find(sets []msg.RRset, name msg.Name, typ msg.Type) *msg.RRset {
	for i := range sets {
		if sets[i].Type == typ && len(sets[i].Data) > 0 && sets[i].Name.Equal(name) {
			return &sets[i]
		}
	}
	return nil
}

// signers returns who claims to have signed a set, each once and the closest to the name first:
// zones at or above its name, and not above the trust anchor that counts there. A DS set is signed
// by the parent (RFC 4035 section 2.4).
func (s *session) signers(set *msg.RRset) []msg.Name {
	anchor, ok := s.v.anchorAbove(set.Name)
	if !ok {
		return nil
	}
	var zones []msg.Name
	for i, data := range set.Sigs {
		sig, ok := msg.ParseRRSIG(data)
		if !ok || i >= s.limits.SigsPerSet || !set.Name.Under(sig.Signer) || !sig.Signer.Under(anchor) {
			continue
		}
		if set.Type == msg.TypeDS && sig.Signer.Equal(set.Name) {
			continue
		}
		zones = insertZone(zones, sig.Signer.Fold())
	}
	return zones
}

// insertZone adds zone where it belongs among others above the same name, the longest first.
func insertZone(zones []msg.Name, zone msg.Name) []msg.Name {
	for i, z := range zones {
		if z == zone {
			return zones
		}
		if len(z) < len(zone) {
			return append(zones[:i], append([]msg.Name{zone}, zones[i:]...)...)
		}
	}
	return append(zones, zone)
}
