package recursor

import (
	"context"
	"net/netip"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
)

// Upstream asks other resolvers about some names in place of the servers of their zones. *forward.Upstreams is one.
type Upstream interface {
	// Zone returns the zone by which a name is forwarded, and whether it is. A DS record is its zone's parent's.
	Zone(name msg.Name) (zone msg.Name, ok bool)
	// Forward asks for q and returns an answer that is NOERROR or NXDOMAIN, by whom it was given and how many questions were
	// sent. Where we validate, check is true: the upstream is not to. The error tells why no upstream was of use.
	Forward(ctx context.Context, q msg.Question, check bool) (m *msg.Message, by netip.AddrPort, sent int, err error)
	// Asked is told of each question that a client asks. One that is being forwarded to a resolver at the client's address may
	// be going round in a circle, which the error of Forward then tells.
	Asked(q msg.Question, by netip.Addr)
}

// forward asks an upstream for a name. Its answer may have links that follow: they are kept for the next lookup. An upstream is
// believed about the zone that is forwarded to it and nothing more, as the servers of a zone are.
func (t *task) forward(name msg.Name, typ msg.Type, zone msg.Name) (cache.Entry, *failure) {
	q := msg.Question{Name: name, Type: typ, Class: msg.ClassINET}
	if t.carriedFor == zone {
		if e, ok := t.carried(q); ok {
			return e, nil
		}
	}
	if f := t.late(); f != nil {
		return cache.Entry{}, f
	}
	if f := t.spend(); f != nil {
		return cache.Entry{}, f
	}
	m, by, sent, err := t.r.cfg.Upstream.Forward(t.ctx, q, t.r.check != nil)
	t.left.queries -= max(sent-1, 0)
	t.r.counters[countUpstream].Add(uint64(sent))
	if err != nil {
		return cache.Entry{}, upstreamFailure(zone, err)
	}
	t.carry, t.carriedFor = m, zone
	rep, err := classify(authoritative(m), zone, q)
	if err != nil {
		return cache.Entry{}, upstreamFailure(zone, err)
	}
	t.tell(Event{Question: q, Zone: zone, Server: by}, rep)
	return t.learn(q, rep)
}

// carried looks for a name in the answer that an upstream gave for the name before it. A name outside the zone that it is
// asked about is only looked for where nobody else could be asked, and then it is not kept: see learn.
func (t *task) carried(q msg.Question) (cache.Entry, bool) {
	if t.carry == nil {
		return cache.Entry{}, false
	}
	within := t.carriedFor
	if !q.Name.Under(within) {
		within = msg.Root
	}
	rep, err := classify(authoritative(t.carry), within, q)
	if err != nil || (rep.kind == gotNoData || rep.kind == gotNXDomain) && rep.ttl == 0 || rep.kind == gotReferral {
		return cache.Entry{}, false
	}
	e, f := t.learn(q, rep)
	return e, f == nil
}

// learn validates what an upstream has answered, and keeps what is of its zone.
func (t *task) learn(q msg.Question, rep *reply) (cache.Entry, *failure) {
	e := rep.entry(q)
	e.Rank = cache.RankAnswer
	f := t.validate(msg.Root, q.Type, &e)
	t.r.cache.Cap(&e)
	if e.Original = e.TTL; q.Name.Under(t.carriedFor) {
		t.remember(e)
	}
	if t.cd {
		f = nil
	}
	return e, f
}

// authoritative is an upstream's answer as classify wants it: we believe it without the AA bit.
func authoritative(m *msg.Message) *msg.Message {
	c := *m
	c.Authoritative = true
	return &c
}

func upstreamFailure(zone msg.Name, err error) *failure {
	f := fail(unreachable, msg.EDENetworkError, "no upstream of %v is of use: %v", zone, err)
	return f
}
