package authority

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"github.com/weirnet/weir/apps/dns/msg"
	"github.com/weirnet/weir/apps/dns/server"
	"github.com/weirnet/weir/apps/dns/zone"
)

// maxDirectIterations is how often a name may be hashed again for NSEC3 within the receive path.
const maxDirectIterations = 150

// optSize is the octets of an OPT record without options.
const optSize = 11

// scratch is what an answer is made in.
type scratch struct {
	answer zone.Answer
	m      msg.Message
	q      [1]msg.Question
}

// AnswerDirect implements server.Direct: it answers plain questions of class IN, from the cache or
// from the zone.
func (s *Set) AnswerDirect(dst []byte, q *msg.Query, from netip.AddrPort, t server.Transport) ([]byte, bool) {
	if q.Class != msg.ClassINET || q.Type.Meta() && q.Type != msg.TypeANY {
		return dst, s.pass()
	}
	ix := s.index.Load()
	h := s.cache.hash(q.Name(), q.Type, q.DO)
	if a := s.cache.get(h, q, ix); a != nil && len(a)+s.opt(q) <= int(q.Size) {
		s.counters.hits.Add(1)
		return s.finish(append(dst, a...), len(dst), q), true
	}
	v := ix.find(q.Name(), q.Type)
	if v == nil {
		switch {
		case ix.direct != nil:
			return ix.direct.AnswerDirect(dst, q, from, t)
		case ix.next != nil:
			return dst, false
		}
		s.counters.refused.Add(1)
		return s.finish(s.bare(dst, q, msg.RcodeRefused), len(dst), q), true
	}
	cur := v.current.Load()
	if cur.zone == nil {
		s.counters.expired.Add(1)
		return s.finish(s.bare(dst, q, msg.RcodeServerFailure), len(dst), q), true
	}
	if q.DO && cur.zone.Iterations() > maxDirectIterations {
		return dst, false
	}
	s.counters.misses.Add(1)
	out, whole := s.compile(dst, q, cur.zone)
	if out == nil {
		return dst, false
	}
	if n := len(out) - len(dst); whole && n <= maxCached && s.cache.wants(h) {
		s.cache.put(&entry{hash: h, typ: q.Type, do: q.DO,
			index: ix, zone: v, version: cur, answer: append([]byte(nil), out[len(dst):]...)})
	}
	return s.finish(out, len(dst), q), true
}

// pass is what the receive path says of questions that it does not know: the handler answers.
func (s *Set) pass() bool { return false }

// opt returns the octets that the OPT record of the answer takes.
func (s *Set) opt(q *msg.Query) int {
	if q.EDNS {
		return optSize
	}
	return 0
}

// compile packs the answer of a zone, without an OPT record, and reports whether nothing was left out.
func (s *Set) compile(dst []byte, q *msg.Query, z *zone.Zone) ([]byte, bool) {
	sc := s.scratches.Get().(*scratch)
	defer s.scratches.Put(sc)
	name := msg.Name(unsafe.String(unsafe.SliceData(q.Name()), len(q.Name()))) // read within this call only
	z.Lookup(&sc.answer, name, q.Type, q.DO)
	sc.fill(name, q.Type)
	out, err := sc.m.Append(dst, int(q.Size)-s.opt(q))
	whole := false
	if err == nil {
		p := out[len(dst):]
		whole = int(be16(p[6:])) == len(sc.m.Answer) && int(be16(p[8:])) == len(sc.m.Authority) && int(be16(p[10:])) == len(sc.m.Additional)
	}
	sc.clear()
	if err != nil {
		return nil, false
	}
	return out, whole
}

func be16(p []byte) uint16 { return binary.BigEndian.Uint16(p) }

// fill makes the message of the answer.
func (sc *scratch) fill(name msg.Name, t msg.Type) {
	a, m := &sc.answer, &sc.m
	sc.q[0] = msg.Question{Name: name, Type: t, Class: msg.ClassINET}
	m.Question = sc.q[:]
	m.Header = msg.Header{Response: true, Authoritative: a.Authoritative, Rcode: a.Rcode}
	m.Answer, m.Authority, m.Additional = records(m.Answer[:0], a.Answer), records(m.Authority[:0], a.Authority), records(m.Additional[:0], a.Additional)
}

func records(dst []msg.RR, sets []zone.Set) []msg.RR {
	for i := range sets {
		dst = sets[i].AppendRRs(dst)
	}
	return dst
}

// clear forgets what the scratch points to.
func (sc *scratch) clear() {
	clear(sc.m.Answer)
	clear(sc.m.Authority)
	clear(sc.m.Additional)
	sc.answer.Reset()
	sc.q[0] = msg.Question{}
}

// bare appends an answer without records.
func (s *Set) bare(dst []byte, q *msg.Query, rcode msg.Rcode) []byte {
	dst = append(dst, 0, 0, 0x80, byte(rcode&15), 0, 1, 0, 0, 0, 0, 0, 0)
	dst = append(dst, q.Name()...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(q.Type))
	return binary.BigEndian.AppendUint16(dst, uint16(q.Class))
}

// finish makes the answer at p[at:] that of the query: its id, its RD and CD, its question in the case that
// was asked, and an OPT record where it had one.
func (s *Set) finish(p []byte, at int, q *msg.Query) []byte {
	a := p[at:]
	binary.BigEndian.PutUint16(a, q.ID)
	if q.RD {
		a[2] |= 1
	}
	if q.CD {
		a[3] |= 0x10
	}
	copy(a[12:], q.Asked())
	if !q.EDNS {
		return p
	}
	binary.BigEndian.PutUint16(a[10:], be16(a[10:])+1)
	do := byte(0)
	if q.DO {
		do = 0x80
	}
	return append(p, 0, 0, byte(msg.TypeOPT), byte(s.cfg.UDPSize>>8), byte(s.cfg.UDPSize), 0, 0, do, 0, 0, 0)
}
