package recursor

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/weirnet/weir/apps/dns/cache"
	"github.com/weirnet/weir/apps/dns/client"
	"github.com/weirnet/weir/apps/dns/msg"
)

// flightKey says which questions are the same.
type flightKey struct {
	name msg.Name // in lower case
	typ  msg.Type
	cd   bool
}

// flight is a question that is being worked on, for all who ask it.
type flight struct {
	done chan struct{}
	out  *outcome // once done is closed
}

// join returns the flight of a question, which is begun if there is none. A flight does not end because somebody
// who waits for it goes.
func (r *Resolver) join(q msg.Question, o QueryOptions) (*flight, error) {
	key := flightKey{q.Name.Fold(), q.Type, o.CD}
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.flights[key]
	if f != nil && o.Trace == nil {
		r.counters[countMerged].Add(1)
		return f, nil
	}
	if r.working >= r.cfg.Limits.InFlight || r.ctx.Err() != nil {
		r.counters[countBusy].Add(1)
		return nil, ErrBusy
	}
	f = &flight{done: make(chan struct{})}
	if o.Trace == nil {
		r.flights[key] = f
	}
	t := &task{r: r, q: q, from: fromServers, cd: o.CD, trace: o.Trace, left: r.work()}
	r.launch(f, t, key)
	return f, nil
}

// refresh fetches anew in the background what the cache has still. Nobody waits for it.
func (r *Resolver) refresh(q msg.Question) {
	key := flightKey{q.Name.Fold(), q.Type, false}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flights[key] != nil || r.working >= r.cfg.Limits.InFlight/2 || r.ctx.Err() != nil {
		return
	}
	r.counters[countPrefetched].Add(1)
	f := &flight{done: make(chan struct{})}
	r.flights[key] = f
	r.launch(f, &task{r: r, q: q, from: fromServers, fresh: true, left: r.work()}, key)
}

// launch works on a flight in a goroutine of its own. r.mu is held.
func (r *Resolver) launch(f *flight, t *task, key flightKey) {
	r.working++
	r.wg.Go(func() {
		ctx, cancel := context.WithTimeout(r.ctx, r.cfg.Limits.Time)
		defer cancel()
		t.ctx = ctx
		f.out = t.question()
		if f.out.fail != nil {
			r.counters[countFailed].Add(1)
			t.rememberFailure(f.out.fail)
		}
		r.mu.Lock()
		r.working--
		if r.flights[key] == f {
			delete(r.flights, key)
		}
		r.mu.Unlock()
		close(f.done)
	})
}

// failureTTL is how long a failure is kept at first, in seconds.
const failureTTL = 5

// rememberFailure keeps a failure for some seconds (RFC 9520), but not that the resolver itself ended, nor one that is kept already. How long is the cache's to
// say: it knows whether the question has failed before.
func (t *task) rememberFailure(f *failure) {
	if t.r.ctx.Err() != nil || f.reason == notCached || f.reason == cachedFailure {
		return
	}
	code := msg.EDENoReachableAuthority
	if len(f.ede) > 0 {
		code = f.ede[0].Code
	}
	e := cache.Entry{Name: t.q.Name, Type: t.q.Type, Kind: cache.Failure, Rank: cache.RankAuthoritative, EDE: code, TTL: failureTTL}
	if f.unvalidated {
		e.Security = cache.Bogus
	}
	t.r.cache.Put(e)
}

// askKey is a question to one server.
type askKey struct {
	to   netip.Addr
	name msg.Name // in lower case
	typ  msg.Type
}

// pending is such a question under way, for all who would ask it.
type pending struct {
	done chan struct{}
	m    *msg.Message // not to be changed
	res  client.Result
	err  error
}

// exchange asks a server, or waits for the answer to the same question if that is under way. What the server
// was like is noted.
func (r *Resolver) exchange(ctx context.Context, to netip.Addr, q msg.Question, timeout time.Duration) (*msg.Message, client.Result, error) {
	q.Name = q.Name.Fold()
	key := askKey{to, q.Name, q.Type}
	r.mu.Lock()
	p := r.asks[key]
	if p == nil {
		p = &pending{done: make(chan struct{})}
		r.asks[key] = p
		r.wg.Go(func() {
			r.send(p, to, q, timeout)
			r.mu.Lock()
			delete(r.asks, key)
			r.mu.Unlock()
			close(p.done)
		})
	} else {
		r.counters[countUpstreamMerged].Add(1)
	}
	r.mu.Unlock()
	select {
	case <-p.done:
		return p.m, p.res, p.err
	case <-ctx.Done():
		return nil, client.Result{}, ctx.Err()
	}
}

func (r *Resolver) send(p *pending, to netip.Addr, q msg.Question, timeout time.Duration) {
	// Signatures are asked for where nobody here checks them, too: a client may (RFC 4035 section 3.2.1).
	m := &msg.Message{Question: []msg.Question{q}, EDNS: &msg.EDNS{DO: true}}
	m.CheckingDisabled = r.check != nil
	r.counters[countUpstream].Add(1)
	begun := time.Now()
	p.m, p.res, p.err = r.client.Exchange(r.ctx, m, netip.AddrPortFrom(to, r.cfg.Port), client.Options{Timeout: timeout})
	var t interface{ Timeout() bool }
	switch {
	case r.ctx.Err() != nil, errors.Is(p.err, client.ErrConnections): // nothing that the server has done
	case p.err == nil:
		r.servers.answered(to, p.res.RTT)
	case asTimeout(p.err, &t) && t.Timeout():
		r.counters[countTimeouts].Add(1)
		r.servers.silent(to, begun)
	default:
		r.servers.unreachable(to)
	}
}
