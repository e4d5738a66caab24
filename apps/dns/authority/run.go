package authority

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/zone"
)

// Run keeps the zones up until ctx ends: it tells secondaries of changes and fetches what this server is the secondary
// of. It returns when all that it began has ended.
func (s *Set) Run(ctx context.Context) error {
	s.mu.Lock()
	if s.running != nil {
		s.mu.Unlock()
		return errors.New("the zones are run already")
	}
	s.running = ctx
	for _, v := range s.index.Load().zones {
		s.start(v)
	}
	s.mu.Unlock()
	<-ctx.Done()
	s.mu.Lock()
	s.running = nil
	s.mu.Unlock()
	s.work.Wait()
	return nil
}

// start begins the work of one zone.
func (s *Set) start(v *served) {
	if s.cfg.Network == nil {
		return
	}
	ctx, stop := context.WithCancel(s.running)
	v.stop = stop
	if len(v.cfg.Notify) > 0 {
		s.work.Go(func() { s.notifying(ctx, v) })
	}
	if len(v.cfg.Masters) > 0 {
		s.work.Go(func() { s.following(ctx, v) })
	}
}

// notifying tells the zone's secondaries of its latest version, and again when there is another.
func (s *Set) notifying(ctx context.Context, v *served) {
	for {
		tell, newer := context.WithCancel(ctx)
		if z := v.current.Load().zone; z != nil {
			for _, p := range v.cfg.Notify {
				s.work.Go(func() { s.notify(tell, v, p, soaOf(z)) })
			}
		}
		select {
		case <-v.changed:
			newer()
		case <-ctx.Done():
			newer()
			return
		}
	}
}

// notify tells one secondary (RFC 1996 §3.6), until it acknowledges or the tries are used up.
func (s *Set) notify(ctx context.Context, v *served, p Peer, soa msg.RR) {
	wait := s.cfg.NotifyTimeout
	var err error
	for range s.cfg.NotifyTries {
		s.counters.notifySent.Add(1)
		if err = s.notifyOnce(ctx, p, soa, wait); err == nil {
			s.counters.notifyAcked.Add(1)
			return
		}
		if !sleep(ctx, wait) {
			return
		}
		wait *= 2
	}
	s.counters.notifyFailed.Add(1)
	s.cfg.Logger.Warn("dns: a secondary does not acknowledge", "zone", v.cfg.Origin.String(), "secondary", p.address(), "error", err)
}

func (s *Set) notifyOnce(ctx context.Context, p Peer, soa msg.RR, wait time.Duration) error {
	m := &msg.Message{Header: msg.Header{Opcode: msg.OpcodeNotify, Authoritative: true},
		Question: []msg.Question{{Name: soa.Name, Type: msg.TypeSOA, Class: msg.ClassINET}}, Answer: []msg.RR{soa}}
	c, err := s.ask(ctx, "udp", p, m)
	if err != nil {
		return err
	}
	defer c.close()
	_, err = c.next(wait, msg.OpcodeNotify)
	return err
}

// sleep waits, and reports false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// notified answers a NOTIFY (RFC 1996 §3.11) and has the masters asked.
func (r *request) notified(v *served) {
	q := r.Msg.Question[0]
	switch {
	case v == nil || len(v.cfg.Masters) == 0 || !q.Name.Equal(v.cfg.Origin) || q.Type != msg.TypeSOA:
		r.s.counters.notifyRefused.Add(1)
		r.rcode(msg.RcodeNotAuth)
		return
	case !v.notifier(r):
		r.s.counters.notifyRefused.Add(1)
		r.rcode(msg.RcodeRefused)
		return
	}
	r.s.counters.notifyIn.Add(1)
	wake(v.poke)
	m := r.Msg.Reply()
	m.Authoritative = true
	r.write(m)
}

// notifier reports whether a notice from there is heeded.
func (v *served) notifier(r *request) bool {
	for _, p := range v.cfg.Masters {
		if p.Addr.Addr().Unmap() == r.Remote.Addr().Unmap() && (p.Key == nil || p.Key.Name.Equal(r.key)) {
			return true
		}
	}
	return v.cfg.AllowNotify.Allows(r.Remote.Addr(), r.key)
}

// following keeps a zone as its masters have it (RFC 1034 §4.3.5): it asks for the SOA record after the refresh
// interval, or the retry interval where that failed, and gives the zone up when nobody has answered for the expire
// interval.
func (s *Set) following(ctx context.Context, v *served) {
	good := v.since()
	wait, first := time.Duration(0), s.cfg.FirstRetry
	var asked time.Time // when the masters were asked last
	for {
		if !poked(ctx, v, wait, asked.Add(s.cfg.MinRefresh)) {
			return
		}
		asked = time.Now()
		err := s.refresh(ctx, v)
		if ctx.Err() != nil {
			return
		}
		cur := v.current.Load()
		z := cur.zone
		if z == nil {
			z = cur.last
		}
		switch {
		case err == nil:
			good, first = time.Now(), s.cfg.FirstRetry
			v.mu.Lock()
			v.good = good
			v.mu.Unlock()
			wait, _, _ = s.intervals(z.SOA())
		case z == nil:
			wait, first = first, min(2*first, time.Hour)
		default:
			_, wait, _ = s.intervals(z.SOA())
		}
		if err != nil {
			s.counters.refreshFailed.Add(1)
			s.cfg.Logger.Warn("dns: a zone cannot be refreshed", "zone", v.cfg.Origin.String(), "error", err, "next", wait)
		}
		if cur.zone == nil || err == nil {
			continue
		}
		_, _, expire := s.intervals(z.SOA())
		left := time.Until(good.Add(expire))
		if left <= 0 {
			s.expire(v, cur)
			s.followed(v)
			continue
		}
		wait = min(wait, left)
	}
}

// since returns when a master last told that the zone is as it is here: now, where none has.
func (v *served) since() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.good.IsZero() {
		v.good = time.Now()
	}
	return v.good
}

// intervals returns the times of the SOA record within their bounds: whoever writes it has a secondary neither ask without a
// pause, nor keep a zone for decades, nor give it up before it has asked again.
func (s *Set) intervals(soa msg.SOA) (refresh, retry, expire time.Duration) {
	seconds := func(n uint32) time.Duration { return time.Duration(n) * time.Second }
	refresh = max(min(seconds(soa.Refresh), s.cfg.MaxRefresh), s.cfg.MinRefresh)
	retry = max(min(seconds(soa.Retry), s.cfg.MaxRetry), s.cfg.MinRefresh)
	expire = max(min(seconds(soa.Expire), s.cfg.MaxExpire), refresh+retry)
	return refresh, retry, expire
}

// poked waits for a time, or until a master says that it has a new version, but for that not before a point in time: a notice
// over UDP may be anybody's, and many of them would have the masters asked without a pause. It reports false when ctx ends.
func poked(ctx context.Context, v *served, d time.Duration, notBefore time.Time) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-v.poke:
		return sleep(ctx, time.Until(notBefore))
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// expire gives a zone up: queries get SERVFAIL until a master has been reached.
func (s *Set) expire(v *served, cur *version) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.current.Store(&version{last: cur.zone})
	s.cache.sweep(s.index.Load())
	s.cfg.Logger.Error("dns: a zone has expired: no master has answered for it, and queries get SERVFAIL", "zone", v.cfg.Origin.String())
}

// refresh asks the masters in turn whether there is a newer version, and fetches it.
func (s *Set) refresh(ctx context.Context, v *served) error {
	var errs []error
	for _, p := range v.cfg.Masters {
		err := s.refreshFrom(ctx, v, p)
		if err == nil {
			s.counters.refreshed.Add(1)
			return nil
		}
		errs = append(errs, fmt.Errorf("master %s: %w", p.address(), err))
	}
	return errors.Join(errs...)
}

func (s *Set) refreshFrom(ctx context.Context, v *served, p Peer) error {
	soa, err := s.soa(ctx, v, p)
	if err != nil {
		return err
	}
	cur := v.current.Load()
	have := cur.zone
	if have == nil {
		have = cur.last
	}
	if have != nil && !Newer(soa.Serial, have.Serial()) {
		if cur.zone == nil { // it had expired, and is as it was
			s.replace(v, have)
			s.followed(v)
		}
		return nil
	}
	z, changes, err := s.fetch(ctx, v, p, have)
	if err != nil {
		s.counters.fetchFailed.Add(1)
		return fmt.Errorf("transfer: %w", err)
	}
	s.counters.fetched.Add(1)
	how := "AXFR"
	if changes {
		s.counters.fetchedChanges.Add(1)
		how = "IXFR"
	}
	s.cfg.Logger.Info("dns: zone fetched", "zone", v.cfg.Origin.String(), "from", p.address(), "how", how, "serial", z.Serial(), "records", z.Records())
	s.replace(v, z)
	s.followed(v)
	return nil
}

// followed tells whoever wants to know that a zone is not what it was.
func (s *Set) followed(v *served) {
	if s.cfg.Followed != nil {
		s.cfg.Followed(v.cfg.Origin)
	}
}

// soa asks a master for the SOA record: over UDP, and over TCP where that fails.
func (s *Set) soa(ctx context.Context, v *served, p Peer) (msg.SOA, error) {
	soa, err := s.soaOver(ctx, "udp", v, p)
	if err != nil && ctx.Err() == nil {
		soa, err = s.soaOver(ctx, "tcp", v, p)
	}
	return soa, err
}

func (s *Set) soaOver(ctx context.Context, network string, v *served, p Peer) (msg.SOA, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	c, err := s.ask(ctx, network, p, msg.NewQuery(v.cfg.Origin, msg.TypeSOA, false))
	if err != nil {
		return msg.SOA{}, err
	}
	defer c.close()
	m, err := c.next(s.cfg.QueryTimeout, msg.OpcodeQuery)
	if err != nil {
		return msg.SOA{}, err
	}
	for _, rr := range m.Answer {
		if soa, ok := rr.SOA(); ok && rr.Name.Equal(v.cfg.Origin) && m.Authoritative {
			return soa, nil
		}
	}
	return msg.SOA{}, errors.New("it has no SOA record of the zone, or is no authority for it")
}

// fetch gets the zone: what changed, where a version of it is here and the master knows, else all of it. changes tells which; a
// master that does not know may answer a question for the changes with the whole zone too (RFC 1995 §4).
func (s *Set) fetch(ctx context.Context, v *served, p Peer, have *zone.Zone) (z *zone.Zone, changes bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.TransferTimeout)
	defer cancel()
	if have != nil {
		z, changes, err = s.fetchOnce(ctx, v, p, have)
		if err == nil || ctx.Err() != nil {
			return z, changes, err
		}
		s.counters.changesFailed.Add(1)
		s.cfg.Logger.Info("dns: the changes of a zone cannot be had, all of it is fetched", "zone", v.cfg.Origin.String(), "from", p.address(), "error", err)
	}
	return s.fetchOnce(ctx, v, p, nil)
}

func (s *Set) fetchOnce(ctx context.Context, v *served, p Peer, have *zone.Zone) (z *zone.Zone, changes bool, err error) {
	m := msg.NewQuery(v.cfg.Origin, msg.TypeAXFR, false)
	if have != nil {
		m.Question[0].Type = msg.TypeIXFR
		m.Authority = []msg.RR{soaOf(have)}
	}
	c, err := s.ask(ctx, "tcp", p, m)
	if err != nil {
		return nil, false, err
	}
	defer c.close()
	in := incoming{origin: v.cfg.Origin, have: have}
	for !in.done {
		m, err := c.next(s.cfg.TransferIdle, msg.OpcodeQuery)
		if err != nil {
			return nil, false, err
		}
		if c.octets > s.cfg.MaxTransferOctets {
			return nil, false, fmt.Errorf("more than %d octets", s.cfg.MaxTransferOctets)
		}
		for _, rr := range m.Answer {
			if err := in.record(rr); err != nil {
				return nil, false, err
			}
		}
		if len(m.Answer) == 0 {
			return nil, false, errors.New("a message of the transfer has no records")
		}
		in.messages++
		in.only()
	}
	if c.sess != nil {
		if err := c.sess.Done(); err != nil {
			return nil, false, err
		}
	}
	z, err = in.zone()
	return z, in.diffs != nil, err
}
