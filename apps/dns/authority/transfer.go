package authority

import (
	"context"
	"iter"
	"slices"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/zone"
)

// transferOctets is about how much one message of a transfer has before compression. Names can be pointed to within
// the first 16 kB only, so larger ones gain little.
const transferOctets = 48 << 10

// transfer answers AXFR (RFC 5936) and IXFR (RFC 1995).
func (r *request) transfer(ctx context.Context, v *served) {
	q := r.Msg.Question[0]
	cur := v.current.Load()
	switch {
	case !q.Name.Equal(v.cfg.Origin):
		r.rcode(msg.RcodeNotAuth)
		return
	case !v.cfg.Transfer.Allows(r.Remote.Addr(), r.key):
		r.s.counters.transfersRefused.Add(1)
		r.s.cfg.Logger.Info("dns: transfer refused", "zone", v.cfg.Origin.String(), "to", r.Remote.String())
		r.rcode(msg.RcodeRefused)
		return
	case cur.zone == nil:
		r.rcode(msg.RcodeServerFailure)
		return
	case q.Type == msg.TypeAXFR && !r.Transport.Stream(): // RFC 5936 §4.2
		r.rcode(msg.RcodeFormatError)
		return
	}
	select {
	case r.s.transfers <- struct{}{}:
		defer func() { <-r.s.transfers }()
	default:
		r.s.counters.transfersBusy.Add(1)
		r.rcode(msg.RcodeServerFailure)
		return
	}
	r.s.counters.transfers.Add(1)
	if q.Type == msg.TypeIXFR {
		r.incremental(ctx, v, cur.zone)
		return
	}
	r.stream(ctx, whole(cur.zone))
}

// whole yields a zone as AXFR has it: the SOA record at both ends.
func whole(z *zone.Zone) iter.Seq[msg.RR] {
	return func(yield func(msg.RR) bool) {
		for rr := range z.All() {
			if !yield(rr) {
				return
			}
		}
		yield(soaOf(z))
	}
}

func soaOf(z *zone.Zone) msg.RR { return z.SOASet().AppendRRs(nil)[0] }

// incremental answers IXFR: with the changes where they are known and are less than the zone, and the whole
// zone otherwise. Over UDP what does not fit is left to TCP by sending the SOA record alone (RFC 1995 §2 and §4).
func (r *request) incremental(ctx context.Context, v *served, z *zone.Zone) {
	var have msg.SOA
	ok := len(r.Msg.Authority) == 1
	if ok {
		have, ok = r.Msg.Authority[0].SOA()
	}
	if !ok {
		r.rcode(msg.RcodeFormatError)
		return
	}
	soa := soaOf(z)
	if !Newer(z.Serial(), have.Serial) {
		r.one([]msg.RR{soa})
		return
	}
	v.mu.Lock()
	diffs := v.journal.since(have.Serial, z.Serial())
	v.mu.Unlock()
	octets := 0
	for _, d := range diffs {
		octets += d.Octets()
	}
	seq := whole(z)
	if useful := diffs != nil && octets < z.Octets()+1<<16; useful {
		r.s.counters.incremental.Add(1)
		seq = changes(soa, diffs)
	}
	if r.Transport.Stream() {
		r.stream(ctx, seq)
		return
	}
	var rrs []msg.RR
	if diffs != nil && octets < 4*r.Limit {
		rrs = slices.Collect(seq)
	}
	if rrs == nil || !r.fits(rrs) {
		rrs = []msg.RR{soa}
	}
	r.one(rrs)
}

// changes yields differences as IXFR has them.
func changes(soa msg.RR, diffs []*zone.Diff) iter.Seq[msg.RR] {
	return func(yield func(msg.RR) bool) {
		if !yield(soa) {
			return
		}
		for _, d := range diffs {
			for _, list := range [2][]msg.RR{d.Deleted, d.Added} {
				for _, rr := range list {
					if !yield(rr) {
						return
					}
				}
			}
		}
		yield(soa)
	}
}

// one sends an answer of one message.
func (r *request) one(rrs []msg.RR) {
	m := r.Msg.Reply()
	m.Authoritative, m.Answer = true, rrs
	r.write(m)
}

// fits reports whether an answer of those records is within the limit.
func (r *request) fits(rrs []msg.RR) bool {
	m := r.Msg.Reply()
	m.Answer = rrs
	p, err := m.Append(nil, msg.MaxSize)
	room := 0
	if r.sess != nil {
		room = r.sess.Room()
	}
	return err == nil && len(p)+room <= r.Limit
}

// stream sends records in as many messages as it takes.
func (r *request) stream(ctx context.Context, seq iter.Seq[msg.RR]) {
	var batch []msg.RR
	octets, sent, failed := 0, 0, false
	send := func() bool {
		m := r.Msg.Reply()
		m.Authoritative, m.Answer = true, batch
		if sent > 0 {
			m.Question, m.EDNS = nil, nil
		}
		limit := msg.MaxSize
		if r.sess != nil {
			limit -= r.sess.Room()
		}
		p := r.pack(m, limit)
		failed = p == nil || p[2]&2 != 0 || ctx.Err() != nil || r.w.WriteWire(p) != nil
		batch, octets = batch[:0], 0
		sent++
		return !failed
	}
	for rr := range seq {
		n := len(rr.Name) + 10 + len(rr.Data)
		if octets > 0 && octets+n > transferOctets && !send() {
			break
		}
		batch, octets = append(batch, rr), octets+n
	}
	if !failed && len(batch) > 0 {
		send()
	}
	if failed {
		r.s.counters.transfersBroken.Add(1)
		r.s.cfg.Logger.Info("dns: a transfer did not come to its end", "zone", r.Msg.Question[0].Name.String(), "to", r.Remote.String(), "messages", sent)
	}
}
