package recursor

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/dnssec"
	"github.com/weirnet/weir/apps/dns/msg"
)

// checker validates what servers have answered. It is the validator's source of keys: what it asks for is looked up
// by tasks of the question that is being validated.
type checker struct {
	v *dnssec.Validator
	r *Resolver

	mu   sync.Mutex
	told map[told]time.Time
}

// told is what is logged now and then.
type told struct {
	zone   msg.Name
	failed bool
}

// tellAgain is when something that is as it was is logged again.
const tellAgain = time.Hour

func newChecker(r *Resolver, cfg *Config) (*checker, error) {
	c := &checker{r: r, told: map[told]time.Time{}}
	var err error
	c.v, err = dnssec.New(dnssec.Config{Source: c, Anchors: cfg.Anchors, Insecure: cfg.Untrusted, Notice: c.notice})
	return c, err
}

// notice counts and tells that trust anchors do not fit. We do not follow a zone that changes its keys by ourselves (RFC 5011): a person
// must.
func (c *checker) notice(n dnssec.Notice) {
	which, level, text := countAnchorMissing, slog.LevelWarn, "dns: a zone has a key that no trust anchor is of: when it signs with nothing else, no name below it will resolve; add an anchor for it"
	if n.Failed {
		which, level, text = countAnchorFailed, slog.LevelError, "dns: no trust anchor matches, and no name below the zone resolves: look whether the clock is right and nobody answers in the zone's place, then replace the anchors by those that the zone publishes now"
	}
	c.r.counters[which].Add(1)
	if c.r.cfg.Logger == nil {
		return
	}
	c.mu.Lock()
	key, now := told{n.Zone, n.Failed}, time.Now()
	last, ok := c.told[key]
	if ok = ok && now.Sub(last) < tellAgain; !ok {
		c.told[key] = now // there are no more than anchors, twice
	}
	c.mu.Unlock()
	if !ok {
		c.r.cfg.Logger.Log(context.Background(), level, text, "zone", n.Zone.String(), "reason", n.Text)
	}
}

// taskKey is the key of a context's task.
type taskKey struct{}

// Fetch implements dnssec.Source.
func (c *checker) Fetch(ctx context.Context, name msg.Name, typ msg.Type) (*msg.Message, error) {
	t, ok := ctx.Value(taskKey{}).(*task)
	if !ok {
		return nil, errors.New("there is no question that this is for")
	}
	if t.pending(name, typ) && t.depth > 0 || t.depth >= 2*t.r.cfg.Limits.Depth {
		return nil, errors.New("it goes round in a circle")
	}
	sub := t.sub(name, typ)
	sub.from, sub.fresh = fromServers, t.distrust
	out := sub.question()
	if out.fail != nil {
		if out.fail.reason == unreachable { // every name below would ask for it again (RFC 9520 §3.3)
			sub.rememberFailure(out.fail)
		}
		return nil, errors.New(out.fail.String())
	}
	return t.r.message(sub.q, out, QueryOptions{DO: true, CD: true}), nil
}

// validate validates an entry, where anything is validated, and sets its security. What is secure keeps
// nothing that was not validated. What is bogus is a failure of that reason, and what could not be judged, for want of keys or time,
// one of another and stays unchecked. Either is ready to be kept, for those who ask with CD.
func (t *task) validate(zone msg.Name, typ msg.Type, e *cache.Entry) *failure {
	if t.r.check == nil || t.raw {
		return nil
	}
	q := msg.Question{Name: e.Name, Type: typ, Class: msg.ClassINET}
	m := t.r.message(q, &outcome{links: []cache.Entry{*e}}, QueryOptions{DO: true, CD: true})
	ctx := context.WithValue(t.ctx, taskKey{}, t)
	r := t.r.check.v.Validate(ctx, dnssec.Answer{Question: q, Message: m, Zone: zone}, time.Now())
	if f := t.late(); f != nil {
		f.unvalidated = true
		return f
	}
	switch r.Status {
	case dnssec.Secure:
		e.Security = cache.Secure
		e.TTL = min(e.TTL, r.TTL)
		for i := range e.Sets {
			e.Sets[i].TTL = min(e.Sets[i].TTL, r.AnswerTTL)
		}
		t.proven(e, &r)
	case dnssec.Bogus:
		e.Security = cache.Bogus
	default:
		e.Security = cache.Insecure
	}
	e.EDE = r.EDE.Code
	t.r.counters[countValidated].Add(1)
	t.event(Event{Kind: Validated, Question: q, Zone: zone, Security: e.Security, TTL: e.TTL, Text: r.EDE.Text, Err: r.Err})
	if e.Security != cache.Bogus {
		return nil
	}
	t.r.counters[countBogus].Add(1)
	f := &failure{reason: bogus, ede: []msg.EDE{r.EDE}, unvalidated: true}
	if r.Err != nil { // not forged, as far as we know: nobody told us the keys
		f.reason, e.Security = unreachable, cache.Unchecked
		f.ede = append(f.ede, msg.EDE{Code: msg.EDENoReachableAuthority, Text: r.Err.Error()})
	}
	return f
}

// proven puts what was validated of the authority section in the place of what came, and keeps denials for other names.
func (t *task) proven(e *cache.Entry, r *dnssec.Result) {
	keep := e.Sets[:0:0]
	for _, s := range e.Sets {
		if s.Section == cache.InAnswer {
			keep = append(keep, s)
		}
	}
	var soa *msg.RRset
	for _, s := range msg.RRsets(r.Authority) {
		section := cache.InProof
		if s.Type == msg.TypeSOA {
			section, soa = cache.InAuthority, &s
			if e.Kind == cache.Positive {
				continue
			}
		}
		keep = append(keep, cache.Set{RRset: s, Section: section})
	}
	e.Sets = keep
	if soa == nil {
		return
	}
	soa.TTL = min(soa.TTL, r.TTL)
	for i := range r.Denials {
		r.Denials[i].TTL = min(r.Denials[i].TTL, r.TTL)
	}
	t.r.cache.PutDenial(*soa, r.Denials)
}
