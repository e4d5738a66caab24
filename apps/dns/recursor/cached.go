package recursor

import (
	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
)

// staleTTL is what expired data is given out with (RFC 8767 §4).
const staleTTL = 30

// cached returns what the cache has of a name and type: the data, a CNAME or DNAME in its place, that there is none, or
// that it could not be found a moment ago.
func (t *task) cached(name msg.Name, typ msg.Type) (cache.Entry, *failure) {
	e, ok := t.fetch(name, typ)
	if !ok {
		if t.from == fromStale {
			return e, missing
		}
		// One of validation is nothing to who asks with CD (RFC 4035 §3.2.2).
		if f, ok := t.r.cache.Get(name, typ, cache.Failure, false); ok && !t.fresh && !(t.cd && f.Security == cache.Bogus) {
			return e, &failure{
				reason: cachedFailure, ede: []msg.EDE{{Code: f.EDE}, {Code: msg.EDECachedError}}, unvalidated: f.Security == cache.Bogus,
			}
		}
		return e, missing
	}
	if e.Stale {
		e.TTL = staleTTL
		for i := range e.Sets {
			e.Sets[i].TTL = staleTTL
		}
		t.event(Event{Kind: Stale, Question: msg.Question{Name: name, Type: typ}})
	} else {
		t.event(Event{Kind: Cached, Question: msg.Question{Name: name, Type: typ}, TTL: e.TTL, Security: e.Security, Text: describe(&e)})
	}
	if e.Security == cache.Bogus && !t.cd {
		return e, &failure{reason: bogus, ede: []msg.EDE{{Code: or(e.EDE, msg.EDEBogus)}}, unvalidated: true}
	}
	return e, nil
}

func or(a, b uint16) uint16 {
	if a != 0 {
		return a
	}
	return b
}

// fetch looks in the order in which entries say more.
func (t *task) fetch(name msg.Name, typ msg.Type) (cache.Entry, bool) {
	if e, ok := t.get(name, typ, cache.Positive); ok {
		return e, true
	}
	if typ != msg.TypeCNAME {
		if e, ok := t.get(name, msg.TypeCNAME, cache.Positive); ok && e.Kind == cache.Positive {
			return e, true
		}
	}
	if e, ok := t.get(name, 0, cache.NXDomain); ok {
		return e, true
	}
	top, _ := t.forwardedBy(name, typ)
	for n := name; n != msg.Root && !n.Equal(top); {
		n = n.Parent()
		// RFC 8020: nothing is below a name that does not exist. Servers that deny an empty non-terminal are
		// wrong about it, so that only what was validated is taken at its word.
		if e, ok := t.get(n, 0, cache.NXDomain); ok && e.Security == cache.Secure {
			return e, true
		}
		if e, ok := t.get(n, msg.TypeDNAME, cache.Positive); ok && e.Kind == cache.Positive {
			if c, ok := synthesize(e.Sets[0].RRset, name); ok {
				e.Name, e.Type, e.Sets = name, msg.TypeCNAME, append([]cache.Set{{RRset: c}}, e.Sets...)
				return e, true
			}
		}
	}
	if t.r.check != nil && t.from != fromStale && !t.raw {
		if e, ok := t.r.cache.Deny(name, typ); ok && e.Sets[0].Name.Under(top) {
			e.EDE, e.Original = msg.EDESynthesized, e.TTL
			t.r.counters[countSynthesized].Add(1)
			return e, true
		}
	}
	return cache.Entry{}, false
}

// forwardedBy returns the zone by which a name is forwarded, and whether it is; the root where it is not. What the zones above say of the
// name is nothing to us then: a zone of a private network is denied by the public root.
func (t *task) forwardedBy(name msg.Name, typ msg.Type) (zone msg.Name, ok bool) {
	if typ == msg.TypeDS && name != msg.Root {
		name = name.Parent()
	}
	if up := t.r.cfg.Upstream; up != nil {
		if zone, ok = up.Zone(name); ok {
			return zone, true
		}
	}
	return msg.Root, false
}

// get returns an entry that may be used for an answer.
func (t *task) get(name msg.Name, typ msg.Type, kind cache.Kind) (cache.Entry, bool) {
	e, ok := t.r.cache.Get(name, typ, kind, t.from == fromStale)
	if !ok || e.Rank == cache.RankAdditional {
		return e, false
	}
	if t.r.check != nil && e.Security == cache.Unchecked && !t.raw && !t.cd {
		return e, false
	}
	return e, true
}

// describe says in few words what an entry is.
func describe(e *cache.Entry) string {
	switch e.Kind {
	case cache.NXDomain:
		return "there is no such name"
	case cache.NoData:
		return "there is none"
	}
	var sets []msg.RRset
	for _, s := range e.Sets {
		if s.Section == cache.InAnswer {
			sets = append(sets, s.RRset)
		}
	}
	return records(sets)
}
