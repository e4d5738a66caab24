package recursor

import (
	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
)

// QNAME minimisation (RFC 9156 §2.3): one more label at a time for the first few questions, then in steps
// that reach the whole name in maxMinimise.
const (
	maxMinimise     = 10
	minimiseOneLab  = 4
	minimisedAsType = msg.TypeA
)

// walk is the way from the deepest zone that the cache knows down to an answer.
type walk struct {
	*task
	name    msg.Name
	typ     msg.Type
	cut     *cut
	known   int  // labels of the name that were asked for so far, or are the zone's
	steps   int  // minimised questions sent
	retries int  // of bogus answers
	full    bool // no more minimisation
}

// iterate asks servers, from the deepest zone known down.
func (t *task) iterate(name msg.Name, typ msg.Type) (cache.Entry, *failure) {
	c, f := t.deepest(name, typ)
	if f != nil {
		return cache.Entry{}, f
	}
	w := &walk{task: t, name: name, typ: typ, cut: c, known: c.zone.Labels(), full: t.r.cfg.NoMinimisation}
	for {
		q := w.next()
		rep, f := t.ask(w.cut, q)
		if f != nil {
			if f.reason == unreachable && !w.full && q.Name != name && t.late() == nil {
				w.full = true // some servers fail on names that they do not expect (RFC 9156 §2.3)
				w.cut.again()
				continue
			}
			return cache.Entry{}, f
		}
		if e, done, f := w.take(q, rep); done || f != nil {
			return e, f
		}
	}
}

// next returns what to ask the servers of the zone.
func (w *walk) next() msg.Question {
	q := msg.Question{Name: w.name, Type: w.typ, Class: msg.ClassINET}
	labels := w.name.Labels()
	for !w.full && w.steps < maxMinimise {
		step := 1
		if w.steps >= minimiseOneLab {
			step = max(1, (labels-w.known)/(maxMinimise-w.steps))
		}
		if w.known+step >= labels {
			break
		}
		short := w.name.Suffix(w.known + step)
		if _, ok := w.r.cache.Get(short, minimisedAsType, cache.Positive, false); ok {
			w.known += step // no delegation, or one that has expired: then the referral comes all the same
			continue
		}
		w.steps++
		q.Name, q.Type = short, minimisedAsType
		break
	}
	return q
}

// take goes on from a reply. done says that e is the answer.
func (w *walk) take(q msg.Question, rep *reply) (e cache.Entry, done bool, f *failure) {
	if rep.kind == gotReferral {
		if w.typ == msg.TypeDS && rep.set.Name.Equal(w.name) {
			// The parent of a zone that knows no DNSSEC refers to it even when asked for the DS, which it does not have.
			e = cache.Entry{Name: w.name, Type: w.typ, Kind: cache.NoData, Rank: cache.RankAuthority, TTL: rep.ttl}
			return w.keep(q, e, rep)
		}
		w.cut = w.refer(w.cut, rep)
		w.known, w.steps = w.cut.zone.Labels(), min(w.steps, minimiseOneLab)
		return e, false, w.late()
	}
	e = rep.entry(q)
	if q.Name.Equal(w.name) && q.Type == w.typ {
		return w.keep(q, e, rep)
	}
	switch w.known = q.Name.Labels(); rep.kind {
	case gotNXDomain, gotCNAME, gotDNAME:
		w.full = true // a server may deny an empty non-terminal, and what is below a CNAME is not the CNAME's
	default:
		w.r.cache.Put(e) // nobody has validated it
	}
	return e, false, w.late()
}

// keep validates an answer, puts it in the cache and returns it. If it is bogus another server may have a better one.
func (w *walk) keep(q msg.Question, e cache.Entry, rep *reply) (cache.Entry, bool, *failure) {
	f := w.task.validate(w.cut.zone, q.Type, &e)
	if f != nil && f.reason == bogus && w.retries < maxRetries && w.cut.dismiss(rep.from) {
		w.retries++
		w.distrust = true // keys may have come from where the answer did
		w.r.check.v.Flush(w.cut.zone)
		return e, false, w.late()
	}
	w.r.cache.Cap(&e)
	e.Original = e.TTL
	w.remember(e)
	if w.cd {
		f = nil
	}
	return e, true, f
}

// maxRetries is how many other servers are asked when an answer is bogus.
const maxRetries = 2

// remember puts an answer in the cache, and what a CNAME was made of in its place.
func (t *task) remember(e cache.Entry) {
	if len(e.Sets) > 1 && e.Type == msg.TypeCNAME && e.Sets[1].Type == msg.TypeDNAME && e.Sets[1].Section == cache.InAnswer {
		e.Sets = e.Sets[1:]
		e.Name, e.Type = e.Sets[0].Name, msg.TypeDNAME
	}
	t.r.cache.Put(e)
}
