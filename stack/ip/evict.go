package ip

import (
	"net/netip"

	"github.com/weirnet/weir/stack/clock"
)

// Which of a partial's links a list goes by.
const (
	byAge = iota
	bySource
)

// list is partials in the order in which they began.
type list struct{ front, back *partial }

type links struct{ prev, next *partial }

func (l *list) push(q *partial, by int) {
	q.links[by] = links{prev: l.back}
	if l.back == nil {
		l.front = q
	} else {
		l.back.links[by].next = q
	}
	l.back = q
}

func (l *list) remove(q *partial, by int) {
	k := q.links[by]
	if k.prev == nil {
		l.front = k.next
	} else {
		k.prev.links[by].next = k.next
	}
	if k.next == nil {
		l.back = k.prev
	} else {
		k.next.links[by].prev = k.prev
	}
	q.links[by] = links{}
}

// add begins a datagram.
func (r *Reassembler) add(now clock.Time, k key, p *Packet) *partial {
	q := &partial{key: k, end: -1, version: p.Version, loopback: p.Loopback}
	q.deadline = now.Add(r.limits.TimeoutV4)
	if q.version == 6 {
		q.deadline = now.Add(r.limits.TimeoutV6)
	}
	addr := sourceOf(k.src)
	q.source = r.sources[addr]
	if q.source == nil {
		q.source = new(source)
		r.sources[addr] = q.source
	}
	r.partials[k] = q
	r.age(q).push(q, byAge)
	q.source.list.push(q, bySource)
	r.charge(q, partialCost)
	return q
}

// sourceOf is what counts as one source: an IPv4 address, an IPv6 /64.
func sourceOf(a netip.Addr) netip.Addr {
	if a.Is4() {
		return a
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}

// age is the list by age that the datagram is in.
func (r *Reassembler) age(q *partial) *list {
	if q.version == 4 {
		return &r.byAge[0]
	}
	return &r.byAge[1]
}

func (r *Reassembler) charge(q *partial, n int) {
	q.cost += n
	q.source.bytes += n
	r.bytes += n
}

// kill refuses a datagram. What it held is freed; its key stays until the
// timeout, so that the rest of it is refused too ("including those not yet received",
// RFC 5722 §4).
func (r *Reassembler) kill(q *partial, d Drop) {
	q.dead = d
	q.release()
	r.charge(q, partialCost-q.cost)
}

// remove forgets a datagram.
func (r *Reassembler) remove(q *partial) {
	q.release()
	r.charge(q, -q.cost)
	r.age(q).remove(q, byAge)
	q.source.list.remove(q, bySource)
	if q.source.list.front == nil {
		delete(r.sources, sourceOf(q.src))
	}
	delete(r.partials, q.key)
}

// room evicts datagrams, the oldest first, but never q, until n octets more
// are within the limits: those of the same source for the source's share, all for
// the whole. It reports whether they are.
func (r *Reassembler) room(q *partial, n int) bool {
	for q.source.bytes+n > r.limits.SourceBytes {
		if !r.evict(q.source.list.front, bySource, q) {
			return false
		}
	}
	for r.bytes+n > r.limits.Bytes {
		if !r.evict(r.oldest(q), byAge, q) {
			return false
		}
	}
	return true
}

// oldest is the datagram that began first, other than q.
func (r *Reassembler) oldest(q *partial) *partial {
	var first *partial
	for i := range r.byAge {
		f := r.byAge[i].front
		if f == q {
			f = f.links[byAge].next
		}
		if f != nil && (first == nil || r.began(f) < r.began(first)) {
			first = f
		}
	}
	return first
}

// began is when the datagram's first fragment came.
func (r *Reassembler) began(q *partial) clock.Time {
	if q.version == 4 {
		return q.deadline.Add(-r.limits.TimeoutV4)
	}
	return q.deadline.Add(-r.limits.TimeoutV6)
}

// evict removes old, or the one after it where that is q itself.
func (r *Reassembler) evict(old *partial, by int, q *partial) bool {
	if old == q && old != nil {
		old = old.links[by].next
	}
	if old == nil {
		return false
	}
	r.limits.Drops.Add(DropFragmentEvicted)
	r.remove(old)
	return true
}
