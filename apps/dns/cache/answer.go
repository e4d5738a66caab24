package cache

import (
	"encoding/binary"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Answering says how Answer is to answer.
type Answering struct {
	// Validated leaves out what nobody has validated, unless it is asked for with CD.
	Validated bool
	// Prefetch is the percentage of its TTL below which an entry is to be fetched anew; zero is never.
	Prefetch uint32
	// UDPSize is what the answer's OPT record offers to take.
	UDPSize uint16
}

const (
	maxLinks = 12 // of a chain of CNAMEs in the receive path
	optLen   = 11
	pointers = 0xc000
)

// answer is an answer being written.
type answer struct {
	q       *msg.Query
	dst     []byte
	start   int // of the message in dst
	at      int // where in the message the name that is looked for stands
	an, ns  uint16
	rcode   byte
	secure  bool
	refresh bool
	now     uint32
	Answering
}

// Answer appends the answer to a plain query to dst: the whole message, with the question in the case asked. It
// reports false, and dst is as it was, where the cache does not have all of it, or it would be longer than q.Size,
// or needs what only the slow path can do. With refresh true the entry nears its end and nobody has been told yet
// to fetch it anew. It does not allocate if dst has room.
func (c *Cache) Answer(dst []byte, q *msg.Query, how Answering) (out []byte, refresh, ok bool) {
	if q.Class != msg.ClassINET || q.Type.Meta() || q.Type == msg.TypeRRSIG || q.Opcode != msg.OpcodeQuery {
		return dst, false, false
	}
	a := answer{q: q, dst: dst, start: len(dst), at: 12, secure: true, now: c.now(), Answering: how}
	a.dst = append(a.dst, make([]byte, 12)...)
	a.dst = append(a.dst, q.Wire[12:q.NameEnd+4]...)
	if !c.chain(&a) || len(a.dst)-a.start+optLen > int(q.Size) {
		return dst, false, false
	}
	a.finish()
	return a.dst, a.refresh, true
}

// chain writes link after link, until one is not a CNAME.
func (c *Cache) chain(a *answer) bool {
	var buf [256]byte
	name := a.q.Name()
	for range maxLinks {
		if ok, found := c.link(a, name, a.q.Type, Positive.space()); found {
			return ok
		}
		if a.q.Type != msg.TypeCNAME {
			before := len(a.dst)
			if ok, found := c.link(a, name, msg.TypeCNAME, Positive.space()); found && ok && a.an > 0 && a.ns == 0 {
				at := before + a.ownerLen(before) + 10
				name = fold(buf[:0], string(nameAt(a.dst[at:])))
				a.at = at - a.start
				continue
			} else if found {
				return false // with what is counted already: a proof is the slow path's
			}
		}
		ok, found := c.link(a, name, 0, NXDomain.space())
		return ok && found
	}
	return false
}

// ownerLen is the length of the owner that stands at an octet of dst: a pointer or a name.
func (a *answer) ownerLen(at int) int {
	if a.dst[at]&0xc0 != 0 {
		return 2
	}
	return len(nameAt(a.dst[at:]))
}

// nameAt returns the uncompressed name that b begins with.
func nameAt(b []byte) []byte {
	n := 0
	for b[n] != 0 {
		n += 1 + int(b[n])
	}
	return b[:n+1]
}

// link writes what an entry says. found is false where there is none; ok is false where it is not for this query.
func (c *Cache) link(a *answer, name []byte, typ msg.Type, space byte) (ok, found bool) {
	s, tag := c.at(name, typ, space)
	s.mu.Lock()
	defer s.mu.Unlock()
	rec, _ := s.find(tag, name, typ, space)
	if rec == nil || rec.expires() <= a.now || rec.rank() == RankAdditional {
		return false, false
	}
	if typ == msg.TypeCNAME && a.q.Type != typ && rec.kind() == NoData {
		return false, false
	}
	if !a.q.CD && (rec.security() == Bogus || a.Validated && rec.security() == Unchecked) {
		return false, true
	}
	rec.touch()
	s.stats.Hits++
	if typ == a.q.Type || typ == 0 {
		s.stats.Answers++
	}
	left := rec.expires() - a.now
	if left*100 < rec.original()*a.Prefetch && rec[6]&flagPrefetched == 0 {
		rec[6] |= flagPrefetched
		a.refresh = true
	}
	a.secure = a.secure && rec.security() == Secure
	if rec.kind() == NXDomain {
		a.rcode = byte(msg.RcodeNameError)
	}
	a.entry(rec, left)
	return true, true
}

// entry writes an entry's sets.
func (a *answer) entry(rec record, ttl uint32) {
	rest := rec.sets()
	for range rec[20] {
		var v set
		rest = v.next(rest)
		if v.section == InProof && !a.q.DO {
			continue
		}
		n := a.rrs(&v, len(rec.name()), ttl+v.longer)
		if v.section == InAnswer {
			a.an += n
		} else {
			a.ns += n
		}
	}
}

// rrs writes a set's RRs, and its RRSIGs for those who ask with DO. Addresses begin with another one for each id.
func (a *answer) rrs(v *set, nameLen int, ttl uint32) (n uint16) {
	data, sigs, skip := v.data, v.data, 0
	if v.rrs > 1 && (v.typ == msg.TypeA || v.typ == msg.TypeAAAA) {
		skip = int(a.q.ID) % v.rrs
	}
	for range skip {
		data = data[2+int(le.Uint16(data)):]
	}
	for i := range v.rrs {
		if skip > 0 && i == v.rrs-skip {
			sigs, data = data, v.data
		}
		data = a.rr(v, v.typ, data, ttl)
	}
	if skip == 0 {
		sigs = data
	}
	if !a.q.DO {
		return uint16(v.rrs)
	}
	for range v.sig {
		sigs = a.rr(v, msg.TypeRRSIG, sigs, ttl)
	}
	return uint16(v.rrs + v.sig)
}

// rr writes one RR and returns what follows its data.
func (a *answer) rr(v *set, typ msg.Type, data []byte, ttl uint32) (rest []byte) {
	if at := a.at + int(v.at); v.at != ownerFull && at < 1<<14 {
		a.dst = binary.BigEndian.AppendUint16(a.dst, pointers|uint16(at))
	} else if v.at != ownerFull {
		a.dst = append(a.dst, nameAt(a.dst[a.start+at:])...)
	} else {
		a.dst = append(a.dst, v.owner...)
	}
	n := int(le.Uint16(data))
	var head [10]byte
	binary.BigEndian.PutUint16(head[:], uint16(typ))
	binary.BigEndian.PutUint16(head[2:], uint16(msg.ClassINET))
	binary.BigEndian.PutUint32(head[4:], ttl)
	binary.BigEndian.PutUint16(head[8:], uint16(n))
	a.dst = append(append(a.dst, head[:]...), data[2:2+n]...)
	return data[2+n:]
}

// finish writes the header and the OPT record: a response with RA and never AA; AD to those who asked for it by DO
// or AD, if all of it was validated (RFC 6840 §5.8).
func (a *answer) finish() {
	h, q := a.dst[a.start:], a.q
	binary.BigEndian.PutUint16(h, q.ID)
	h[2], h[3] = 0x80, 0x80|a.rcode
	if q.RD {
		h[2] |= 1
	}
	if a.secure && (q.DO || q.AD) {
		h[3] |= 0x20
	}
	if q.CD {
		h[3] |= 0x10
	}
	binary.BigEndian.PutUint16(h[4:], 1)
	binary.BigEndian.PutUint16(h[6:], a.an)
	binary.BigEndian.PutUint16(h[8:], a.ns)
	if !q.EDNS {
		return
	}
	binary.BigEndian.PutUint16(h[10:], 1)
	opt := [optLen]byte{0, 0, byte(msg.TypeOPT), byte(a.UDPSize >> 8), byte(a.UDPSize)}
	if q.DO {
		opt[7] = 0x80
	}
	a.dst = append(a.dst, opt[:]...)
}
