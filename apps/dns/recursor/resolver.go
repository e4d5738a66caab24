package recursor

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/msg"
)

// Resolver finds names from the root down. Its methods may be called at once by many.
type Resolver struct {
	cfg     Config
	cache   *cache.Cache
	client  *client.Client
	servers *table
	hints   cache.Entry
	check   *checker // nil: nothing is validated

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	flights  map[flightKey]*flight
	asks     map[askKey]*pending
	working  int
	counters [counters]atomic.Uint64
}

// QueryOptions is what a client says about its question beside it.
type QueryOptions struct {
	// DO wants DNSSEC records, CD also what did not validate, AD whether all was validated.
	DO, CD, AD bool
	// CacheOnly answers from the cache or not at all: RD was not set.
	CacheOnly bool
	// Trace is told of every step for this question, which is then not merged with others like it.
	Trace func(Event)
}

// What New and Resolve fail with, beside a SERVFAIL that says why.
var (
	ErrHints     = errors.New("recursor: the hints name no server of the root with an address: give the NS records of \".\" and A or AAAA records of their targets")
	ErrBusy      = errors.New("recursor: too many questions are worked on")
	ErrNotCached = errors.New("recursor: not in the cache, and it is not to be resolved")
)

// New returns a Resolver. Close it when it is not needed any more.
func New(cfg Config) (*Resolver, error) {
	cfg.Limits.fill()
	if cfg.StaleAfter <= 0 {
		cfg.StaleAfter = 1800 * time.Millisecond
	}
	if cfg.Port == 0 {
		cfg.Port = 53
	}
	r := &Resolver{
		cfg: cfg, cache: cfg.Cache, client: cfg.Client, servers: newTable(32768),
		flights: map[flightKey]*flight{}, asks: map[askKey]*pending{},
	}
	if r.cache == nil {
		r.cache = cache.New(cache.Config{})
	}
	if r.client == nil {
		r.client = &client.Client{Network: cfg.Network}
	}
	var err error
	if cfg.Upstream == nil || len(cfg.Hints) > 0 {
		if r.hints, err = hints(cfg.Hints); err != nil {
			return nil, err
		}
	}
	if len(cfg.Anchors) > 0 {
		if r.check, err = newChecker(r, &cfg); err != nil {
			return nil, err
		}
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r, nil
}

// Close ends what is under way and waits for it.
func (r *Resolver) Close() {
	r.mu.Lock()
	r.cancel() // whoever begins something has looked at this, with the lock held
	r.mu.Unlock()
	if r.cfg.Client == nil || r.cfg.OwnClient {
		r.client.Close()
	}
	r.wg.Wait()
}

// Cache returns the resolver's cache.
func (r *Resolver) Cache() *cache.Cache { return r.cache }

// Validating reports whether there are trust anchors.
func (r *Resolver) Validating() bool { return r.check != nil }

// Resolve answers a question. What could not be resolved is a SERVFAIL that says why (RFC 8914), and no error; that is
// for a context that has ended, for too much work, and for what the cache does not have and must not be asked for. The
// answer has EDNS; a server takes that away where the client has none.
func (r *Resolver) Resolve(ctx context.Context, q msg.Question, o QueryOptions) (*msg.Message, error) {
	r.counters[countQuestions].Add(1)
	if m := unresolvable(q); m != nil {
		return r.finish(m, o), nil
	}
	out := r.inline(q, o, fromCache)
	switch {
	case out.fail == nil:
		r.counters[countCached].Add(1)
		if out.refresh {
			r.refresh(q)
		}
		return r.message(q, out, o), nil
	case out.fail.reason == notCached && o.CacheOnly:
		return nil, ErrNotCached
	case out.fail.reason != notCached:
		return r.message(q, r.orStale(q, o, out), o), nil
	}
	f, err := r.join(q, o)
	if err != nil {
		if out = r.orStale(q, o, out); out.fail == nil {
			return r.message(q, out, o), nil
		}
		return nil, err
	}
	if out, err = r.wait(ctx, f, q, o); err != nil {
		return nil, err
	}
	return r.message(q, out, o), nil
}

// wait waits for a flight, and with ServeStale not longer than for StaleAfter if the cache has what has expired.
func (r *Resolver) wait(ctx context.Context, f *flight, q msg.Question, o QueryOptions) (*outcome, error) {
	var patience <-chan time.Time
	if r.cfg.ServeStale {
		timer := time.NewTimer(r.cfg.StaleAfter)
		defer timer.Stop()
		patience = timer.C
	}
	for {
		select {
		case <-f.done:
			if f.out.fail != nil {
				return r.orStale(q, o, f.out), nil
			}
			return f.out, nil
		case <-patience:
			if out := r.inline(q, o, fromStale); out.fail == nil {
				r.counters[countStale].Add(1)
				return out, nil
			}
			patience = nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// orStale returns what has expired in place of a failure, if it may: not in place of an answer that came and could not be
// validated, for that is no server that is gone (RFC 8767 §5).
func (r *Resolver) orStale(q msg.Question, o QueryOptions, out *outcome) *outcome {
	if !r.cfg.ServeStale || out.fail.unvalidated {
		return out
	}
	stale := r.inline(q, o, fromStale)
	if stale.fail != nil {
		return out
	}
	r.counters[countStale].Add(1)
	return stale
}

// inline looks into the cache, in the caller's goroutine.
func (r *Resolver) inline(q msg.Question, o QueryOptions, from source) *outcome {
	t := &task{r: r, ctx: r.ctx, q: q, from: from, cd: o.CD, trace: o.Trace, left: &work{}}
	return t.question()
}
