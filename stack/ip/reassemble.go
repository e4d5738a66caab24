package ip

import (
	"net/netip"
	"time"

	"github.com/weirnet/weir/stack/clock"
	"github.com/weirnet/weir/stack/mem"
	"github.com/weirnet/weir/stack/wire"
)

// Limits bounds a Reassembler. A zero field stands for its default.
type Limits struct {
	// Bytes is the memory, in octets, that all half-done datagrams may take, bookkeeping
	// included: 4 MiB. The oldest datagram makes way for a new one.
	Bytes int
	// SourceBytes is the part of Bytes that one source may take, an IPv6 source being
	// a /64: a quarter. The source's own oldest datagram makes way.
	SourceBytes int
	// Fragments is how many fragments one datagram may have: 1,400, enough for the
	// largest datagram over the smallest IPv4 link (48 octets in each, RFC 791 §3.2).
	Fragments int
	// TimeoutV4 and TimeoutV6 are how long a datagram may take from its first fragment:
	// 30 s as Linux has it, and 60 s (RFC 8200 §4.5).
	TimeoutV4, TimeoutV6 time.Duration
	// Drops, when not nil, counts the datagrams that timed out or were evicted.
	// What Input returns is counted by its caller.
	Drops *Drops
}

// withDefaults fills in the fields that are zero.
func (l Limits) withDefaults() Limits {
	set := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	set(&l.Bytes, 4<<20)
	set(&l.SourceBytes, l.Bytes/4)
	set(&l.Fragments, 1400)
	if l.TimeoutV4 <= 0 {
		l.TimeoutV4 = 30 * time.Second
	}
	if l.TimeoutV6 <= 0 {
		l.TimeoutV6 = 60 * time.Second
	}
	return l
}

// Reassembler puts fragmented datagrams of both families together. It is told the
// time and is not safe for concurrent use.
type Reassembler struct {
	limits   Limits
	pool     *mem.Pool
	partials map[key]*partial
	sources  map[netip.Addr]*source
	byAge    [2]list // of IPv4, of IPv6; the oldest, which is the first to time out, at the front
	bytes    int
}

// key is what makes fragments one datagram: RFC 791 §3.2 for IPv4, RFC 8200 §4.5 for
// IPv6, whose protocol is not part of it.
type key struct {
	src, dst netip.Addr
	id       uint32
	protocol uint8
}

// source is what one source has under way.
type source struct {
	list  list
	bytes int
}

// NewReassembler returns a Reassembler that takes its buffers from the pool.
func NewReassembler(pool *mem.Pool, l Limits) *Reassembler {
	return &Reassembler{
		limits:   l.withDefaults(),
		pool:     pool,
		partials: make(map[key]*partial),
		sources:  make(map[netip.Addr]*source),
	}
}

// Input takes a fragment that is for this stack, as Parse and CheckLocal let it pass.
// It copies what it keeps. The fragment that completes a datagram returns it, in
// a buffer of its own that the caller must Release; it is to be parsed like
// a packet that just came in. Otherwise the Datagram is nil, and Drop is DropNone
// where the fragment was kept. On a drop p.Problem may say what the sender
// is to be told (RFC 8200 §4.5).
func (r *Reassembler) Input(now clock.Time, p *Packet) (*Datagram, Drop) {
	if d := checkFragment(p); d != DropNone {
		return nil, d
	}
	k := key{src: p.Src, dst: p.Dst, id: p.FragID}
	if p.Version == 4 {
		k.protocol = p.Protocol
	}
	q := r.partials[k]
	if q == nil {
		q = r.add(now, k, p)
	}
	if q.dead != DropNone {
		return nil, q.dead
	}
	at, d := q.place(p)
	switch d {
	case DropFragmentDuplicate:
		return nil, d
	case DropNone:
		d = r.insert(q, p, at)
	}
	if d != DropNone {
		r.kill(q, d)
		return nil, d
	}
	if q.have != q.end {
		return nil, DropNone
	}
	whole, d := r.assemble(q)
	r.remove(q)
	return whole, d
}

// checkFragment makes the checks that need no other fragment (RFC 8200 §4.5). A
// fragment refused here spoils nothing but itself.
func checkFragment(p *Packet) Drop {
	n := len(p.Payload)
	if n == 0 || p.MoreFragments && n%8 != 0 {
		if p.Version == 6 && n%8 != 0 { // "pointing to the Payload Length field"
			p.problem(ProblemReportUnicast, wire.ICMPv6CodeErroneousHeader, 4, DropFragmentLength)
		}
		return DropFragmentLength
	}
	if p.FragOffset+n > maxFragmentable(p.Version, len(p.Header)) {
		if p.Version == 6 { // "pointing to the Fragment Offset field"
			p.problem(ProblemReportUnicast, wire.ICMPv6CodeErroneousHeader, p.fragHeader+2, DropFragmentTooLarge)
		}
		return DropFragmentTooLarge
	}
	return DropNone
}

// maxFragmentable is the longest payload that a datagram may have which has the header
// of a fragment, header octets long: IPv4 counts its header in the total length,
// IPv6 its extension headers, but not the fragment header, in the payload length.
func maxFragmentable(version uint8, header int) int {
	if version == 4 {
		return 0xffff - header
	}
	return 0xffff - (header - wire.IPv6Header - wire.IPv6FragmentHeader)
}

// Deadline returns when Expire next has something to do.
func (r *Reassembler) Deadline() clock.Time {
	at := clock.Never
	for i := range r.byAge {
		if q := r.byAge[i].front; q != nil && q.deadline < at {
			at = q.deadline
		}
	}
	return at
}

// Expire gives up the datagrams whose time has passed. For one whose first
// fragment is there, emit, when not nil, is called with that fragment, about which a
// time exceeded (code 1) is due (RFC 1122 §3.3.2, RFC 8200 §4.5). The packet
// is good during the call only.
func (r *Reassembler) Expire(now clock.Time, emit func(first *Packet)) {
	for i := range r.byAge {
		for q := r.byAge[i].front; q != nil && q.deadline.Reached(now); q = r.byAge[i].front {
			r.limits.Drops.Add(DropFragmentTimeout)
			if emit != nil {
				q.emitFirst(emit)
			}
			r.remove(q)
		}
	}
}

// Reset gives up everything and returns every buffer.
func (r *Reassembler) Reset() {
	for i := range r.byAge {
		for r.byAge[i].front != nil {
			r.remove(r.byAge[i].front)
		}
	}
}

// InUse returns the octets that count towards Limits.Bytes.
func (r *Reassembler) InUse() int { return r.bytes }

// Len returns how many datagrams are under way, refused ones that await their timeout
// included.
func (r *Reassembler) Len() int { return len(r.partials) }
