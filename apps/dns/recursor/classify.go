package recursor

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
)

// replyKind is what a server's answer amounts to.
type replyKind uint8

const (
	gotAnswer replyKind = iota
	gotCNAME
	gotDNAME
	gotNoData
	gotNXDomain
	gotReferral
)

// reply is an answer of a server, of which only what the server may speak of is left.
type reply struct {
	kind  replyKind
	m     *msg.Message
	set   msg.RRset   // the RRset asked for, the CNAME, the DNAME, or the NS records of a referral
	auth  []msg.RRset // the authority section: SOA and proofs
	glue  []msg.RRset // addresses for a referral's servers
	ttl   uint32
	cname msg.RRset // made from the DNAME
	from  netip.Addr
}

var (
	errNotAuthoritative = errors.New("it has no authority over the zone")
	errUpward           = errors.New("it refers us to where we come from")
	errEmpty            = errors.New("its answer says nothing")
	errTruncated        = errors.New("its answer is truncated, even over TCP")
	errTooLong          = errors.New("the DNAME makes a name that is too long (YXDOMAIN)")
)

// classify says what a server of a zone has answered. What is not of class IN or not under the zone is
// left out before anything else: a server is believed about its zone and nothing more.
func classify(m *msg.Message, zone msg.Name, q msg.Question) (*reply, error) {
	r := &reply{m: m}
	if m.Truncated { // RFC 2181 §9: not to be kept
		return nil, errTruncated
	}
	switch m.Rcode {
	case msg.RcodeSuccess, msg.RcodeNameError:
	case msg.RcodeYXDomain: // of a DNAME whose target would be too long: SERVFAIL is all that can be told
		return nil, errTooLong
	default:
		return nil, &rcodeError{m.Rcode}
	}
	answer := msg.RRsets(within(m.Answer, zone))
	r.auth = msg.RRsets(within(m.Authority, zone))
	if len(answer) > 0 && !m.Authoritative {
		return nil, errNotAuthoritative
	}
	if r.answered(answer, q) {
		return r, nil
	}
	if r.denied(zone, q) {
		if !m.Authoritative {
			return nil, errNotAuthoritative
		}
		return r, nil
	}
	if ok, err := r.referred(zone, q); ok || err != nil {
		return r, err
	}
	if !m.Authoritative {
		return nil, errEmpty
	}
	r.kind = gotNoData // without an SOA record: not to be kept
	if m.Rcode == msg.RcodeNameError {
		r.kind = gotNXDomain
	}
	return r, nil
}

// rcodeError is a response code that is no answer.
type rcodeError struct{ rcode msg.Rcode }

func (e *rcodeError) Error() string { return fmt.Sprintf("it answers %v", e.rcode) }

// within returns the records of class IN whose owner is under a zone. A TTL with the highest bit set is zero (RFC 2181 §8).
func within(rrs []msg.RR, zone msg.Name) []msg.RR {
	keep := make([]msg.RR, 0, len(rrs))
	for _, rr := range rrs {
		if rr.Class == msg.ClassINET && rr.Name.Under(zone) {
			if rr.TTL > 1<<31-1 {
				rr.TTL = 0
			}
			keep = append(keep, rr)
		}
	}
	return keep
}

// answered looks for what was asked, or a CNAME or DNAME in its place.
func (r *reply) answered(answer []msg.RRset, q msg.Question) bool {
	for _, s := range answer {
		if len(s.Data) == 0 || !s.Name.Equal(q.Name) {
			continue
		}
		switch {
		case s.Type == q.Type:
			r.kind, r.set, r.ttl = gotAnswer, s, s.TTL
			return true
		case s.Type == msg.TypeCNAME && len(s.Data) == 1:
			r.kind, r.set, r.ttl = gotCNAME, s, s.TTL
		}
	}
	for _, s := range answer { // a DNAME goes before the CNAME that the server made from it (RFC 6672 §3)
		if s.Type == msg.TypeDNAME && len(s.Data) == 1 && q.Name.Under(s.Name) && !q.Name.Equal(s.Name) {
			if c, ok := synthesize(s, q.Name); ok {
				r.kind, r.set, r.cname, r.ttl = gotDNAME, s, c, s.TTL
				return true
			}
		}
	}
	return r.kind == gotCNAME
}

// synthesize makes the CNAME that a DNAME stands for (RFC 6672 §2.2).
func synthesize(dname msg.RRset, name msg.Name) (msg.RRset, bool) {
	target := msg.RR{Type: msg.TypeDNAME, Data: dname.Data[0]}.Target()
	if target == "" {
		return msg.RRset{}, false
	}
	to := name[:len(name)-len(dname.Name)] + target
	if !to.Valid() {
		return msg.RRset{}, false
	}
	return msg.RRset{Name: name, Type: msg.TypeCNAME, Class: msg.ClassINET, TTL: dname.TTL, Data: []string{string(to)}}, true
}

// denied looks for the SOA record that a denial comes with (RFC 2308 §2).
func (r *reply) denied(zone msg.Name, q msg.Question) bool {
	for _, s := range r.auth {
		if s.Type != msg.TypeSOA || len(s.Data) != 1 || !q.Name.Under(s.Name) {
			continue
		}
		soa, ok := s.RRs()[0].SOA()
		if !ok {
			continue
		}
		if r.kind = gotNoData; r.m.Rcode == msg.RcodeNameError {
			r.kind = gotNXDomain
		}
		r.ttl = min(s.TTL, soa.Minimum)
		return true
	}
	return false
}

// referred looks for a referral: it must lead down, towards the name. An NXDOMAIN is never one.
func (r *reply) referred(zone msg.Name, q msg.Question) (bool, error) {
	for _, s := range r.auth {
		if s.Type != msg.TypeNS || len(s.Data) == 0 || r.m.Rcode != msg.RcodeSuccess {
			continue
		}
		if s.Name.Equal(zone) {
			return false, errUpward
		}
		if !q.Name.Under(s.Name) {
			continue
		}
		r.kind, r.set, r.ttl = gotReferral, s, s.TTL
		for _, g := range msg.RRsets(within(r.m.Additional, zone)) {
			if (g.Type == msg.TypeA || g.Type == msg.TypeAAAA) && len(g.Data) > 0 && names(s, g.Name) {
				g.Sigs = nil
				r.glue = append(r.glue, g)
			}
		}
		return true, nil
	}
	if len(r.auth) == 0 && !r.m.Authoritative {
		for _, rr := range r.m.Authority {
			if rr.Type == msg.TypeNS {
				return false, errUpward // out of its zone
			}
		}
	}
	return false, nil
}

// names reports whether an NS RRset names a server.
func names(ns msg.RRset, server msg.Name) bool {
	for _, d := range ns.Data {
		if msg.Name(d).Equal(server) {
			return true
		}
	}
	return false
}

// entry makes what is to be remembered, and told, of a reply.
func (r *reply) entry(q msg.Question) cache.Entry {
	e := cache.Entry{Name: q.Name, Type: q.Type, Kind: cache.Positive, Rank: cache.RankAuthoritative, TTL: r.ttl}
	switch r.kind {
	case gotAnswer:
		e.Sets = []cache.Set{{RRset: r.set}}
	case gotCNAME:
		e.Type, e.Sets = msg.TypeCNAME, []cache.Set{{RRset: r.set}}
	case gotDNAME:
		e.Type, e.Sets = msg.TypeCNAME, []cache.Set{{RRset: r.cname}, {RRset: r.set}}
	case gotNoData:
		e.Kind, e.Rank = cache.NoData, cache.RankAuthority
	case gotNXDomain:
		e.Kind, e.Rank, e.Type = cache.NXDomain, cache.RankAuthority, 0
	}
	for _, s := range r.auth {
		switch s.Type {
		case msg.TypeSOA:
			if (e.Kind == cache.NoData || e.Kind == cache.NXDomain) && len(s.Data) > 0 {
				e.Sets = append(e.Sets, cache.Set{RRset: s, Section: cache.InAuthority})
				e.TTL = min(e.TTL, s.TTL)
			}
		case msg.TypeNSEC, msg.TypeNSEC3:
			if len(s.Data) > 0 && len(s.Sigs) > 0 && (e.Kind != cache.Positive || expanded(r.set)) {
				e.Sets = append(e.Sets, cache.Set{RRset: s, Section: cache.InProof})
				e.TTL = min(e.TTL, s.TTL)
			}
		}
	}
	return e
}

// expanded reports whether an RRset was made of a wildcard, as its signatures have it (RFC 4035 §5.3.4): then a proof belongs to it. Other
// NSEC records that came with an alias are about its target.
func expanded(set msg.RRset) bool {
	labels := set.Name.Labels()
	if set.Name.IsWildcard() {
		labels--
	}
	for _, data := range set.Sigs {
		if sig, ok := msg.ParseRRSIG(data); ok && int(sig.Labels) < labels {
			return true
		}
	}
	return false
}
