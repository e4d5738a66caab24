package recursor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/msg"
)

// source is where a task may look.
type source uint8

const (
	fromCache   source = iota // nobody is asked
	fromStale                 // nor does it matter that data has expired
	fromServers               // the cache, and then servers
)

// work is what may still be done for a question of a client. All of its tasks run one after the other.
type work struct{ queries, names int }

func (r *Resolver) work() *work { return &work{r.cfg.Limits.Queries, r.cfg.Limits.Names} }

// task finds the answer to one question: a client's, or one that came up on the way to such an answer.
type task struct {
	r        *Resolver
	ctx      context.Context
	q        msg.Question
	from     source
	cd       bool // what does not validate is wanted too
	raw      bool // nothing is validated: for finding servers, and for the validator itself
	fresh    bool // not from the cache, but for the way there
	trace    func(Event)
	left     *work
	depth    int
	parent   *task
	distrust bool         // of what the cache has and nobody has validated: something was bogus
	carry    *msg.Message // the last answer of an upstream: the next link of a chain may be in it

	carriedFor msg.Name // the zone that it was asked about
}

// outcome is what a task has found: links of a chain, of which the last is no CNAME unless that was asked for; or
// why there is no answer.
type outcome struct {
	links   []cache.Entry
	fail    *failure
	refresh bool // something of it nears its end
}

// reason is what kind of failure it was.
type reason uint8

const (
	unreachable reason = iota // of all servers of a zone none was of use
	notCached
	exhausted // a limit was reached
	cyclic
	bogus
	cachedFailure
)

// failure is why there is no answer.
type failure struct {
	reason reason
	ede    []msg.EDE
	// there is one, and it is only that it could not be validated: who asks with CD gets it.
	unvalidated bool
}

func fail(r reason, code uint16, format string, args ...any) *failure {
	return &failure{reason: r, ede: []msg.EDE{{Code: code, Text: fmt.Sprintf(format, args...)}}}
}

func (f *failure) String() string {
	s := "failed"
	for i, e := range f.ede {
		if s = e.String(); i == 0 && e.Text != "" {
			return e.Text
		}
	}
	return s
}

var missing = &failure{reason: notCached}

// sub returns a task for what is needed on the way.
func (t *task) sub(name msg.Name, typ msg.Type) *task {
	return &task{
		r: t.r, ctx: t.ctx, q: msg.Question{Name: name, Type: typ, Class: msg.ClassINET}, from: t.from, cd: true, raw: true,
		trace: t.trace, left: t.left, depth: t.depth + 1, parent: t,
	}
}

// pending reports whether a question is being worked on by a task that waits for this one.
func (t *task) pending(name msg.Name, typ msg.Type) bool {
	for p := t; p != nil; p = p.parent {
		if p.q.Type == typ && p.q.Name.Equal(name) {
			return true
		}
	}
	return false
}

// question follows the chain from the name asked for to its end.
func (t *task) question() *outcome {
	out := &outcome{}
	name := t.q.Name
	for {
		e, f := t.lookup(name, t.q.Type)
		if f != nil {
			out.fail = f
			if f != missing {
				t.event(Event{Kind: Failed, Text: f.String()})
			}
			return out
		}
		out.links = append(out.links, e)
		out.refresh = out.refresh || e.TTL*100 < e.Original*uint32(t.r.cfg.Prefetch)
		if e.Kind != cache.Positive || e.Type != msg.TypeCNAME || t.q.Type == msg.TypeCNAME {
			return out
		}
		target := msg.Name(e.Sets[0].Data[0])
		t.event(Event{Kind: Alias, Question: msg.Question{Name: name, Type: t.q.Type}, Target: target})
		for i := range out.links {
			if out.links[i].Name.Equal(target) {
				out.fail = fail(cyclic, msg.EDEOther, "the names %v and %v are aliases of each other in a circle", name, target)
				return out
			}
		}
		if len(out.links) > t.r.cfg.Limits.Chain {
			out.fail = fail(exhausted, msg.EDEOther, "%v is at the head of more than %d aliases", t.q.Name, t.r.cfg.Limits.Chain)
			return out
		}
		name, t.fresh = target, false
	}
}

// lookup finds what is known of one name and type: from the resolver itself, from the cache, or from servers.
func (t *task) lookup(name msg.Name, typ msg.Type) (cache.Entry, *failure) {
	if e, ok := t.r.local(name, typ); ok {
		t.event(Event{Kind: Local, Question: msg.Question{Name: name, Type: typ}})
		return e, nil
	}
	if !t.fresh {
		e, f := t.cached(name, typ)
		if f == nil || f != missing {
			return e, f
		}
	}
	if t.from != fromServers {
		return cache.Entry{}, missing
	}
	if zone, ok := t.forwardedBy(name, typ); ok {
		return t.forward(name, typ, zone)
	}
	if len(t.r.hints.Sets) == 0 {
		if e, ok := t.carried(msg.Question{Name: name, Type: typ, Class: msg.ClassINET}); ok {
			return e, nil
		}
		return cache.Entry{}, fail(unreachable, msg.EDENotAuthoritative, "%v is in no zone that is forwarded", name)
	}
	return t.iterate(name, typ)
}

// spend takes one of the queries that are left.
func (t *task) spend() *failure {
	if t.left.queries <= 0 {
		t.r.counters[countExhausted].Add(1)
		return fail(exhausted, msg.EDEOther, "it takes more than %d queries", t.r.cfg.Limits.Queries)
	}
	t.left.queries--
	return nil
}

// late returns a failure once the time for the question is over.
func (t *task) late() *failure {
	if t.ctx.Err() == nil {
		return nil
	}
	return fail(exhausted, msg.EDENoReachableAuthority, "it takes longer than %v", t.r.cfg.Limits.Time)
}

// event tells whoever wants to know.
func (t *task) event(e Event) {
	if t.trace == nil && t.r.cfg.Trace == nil {
		return
	}
	e.Time, e.Depth = time.Now(), t.depth
	if e.Question.Name == "" {
		e.Question = t.q
	}
	if t.trace != nil {
		t.trace(e)
	}
	if t.r.cfg.Trace != nil {
		t.r.cfg.Trace(e)
	}
}

func asTimeout(err error, t *interface{ Timeout() bool }) bool { return errors.As(err, t) }
