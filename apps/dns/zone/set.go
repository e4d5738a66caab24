package zone

import (
	"iter"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Set is an RRset of a zone as an answer holds it: a view that costs nothing to make or copy and
// stays good for as long as anybody holds it. The class is IN.
type Set struct {
	Name msg.Name // the owner as the answer has it: that of the question where a wildcard stood in
	Type msg.Type
	TTL  uint32

	records, sigs int
	data          string
}

// Len returns the number of records.
func (s Set) Len() int { return s.records }

// Signatures returns the number of RRSIG records that go with the set.
func (s Set) Signatures() int { return s.sigs }

// Data yields the rdata of each record, in wire form without compression, in canonical order.
func (s Set) Data() iter.Seq[string] {
	return func(yield func(string) bool) {
		data := s.data
		for i := 0; i < s.records; i++ {
			var d string
			if d, data = cutData(data); !yield(d) {
				return
			}
		}
	}
}

// Sigs yields the rdata of each RRSIG that covers the set. Their TTL is the set's (RFC 4034 §3).
func (s Set) Sigs() iter.Seq[string] {
	return func(yield func(string) bool) {
		data := s.data
		for i := 0; i < s.records+s.sigs; i++ {
			var d string
			if d, data = cutData(data); i >= s.records && !yield(d) {
				return
			}
		}
	}
}

func cutData(s string) (data, rest string) {
	n, rest := varint(s)
	return rest[:n], rest[n:]
}

// first returns the rdata of the first record.
func (s Set) first() string {
	d, _ := cutData(s.data)
	return d
}

// RRset returns the set as the packages around speak of it.
func (s Set) RRset() msg.RRset {
	r := msg.RRset{Name: s.Name, Type: s.Type, Class: msg.ClassINET, TTL: s.TTL}
	for d := range s.Data() {
		r.Data = append(r.Data, d)
	}
	for d := range s.Sigs() {
		r.Sigs = append(r.Sigs, d)
	}
	return r
}

// AppendRRs appends the records and then the signatures.
func (s Set) AppendRRs(dst []msg.RR) []msg.RR {
	for d := range s.Data() {
		dst = append(dst, msg.NewRR(s.Name, s.Type, s.TTL, d))
	}
	for d := range s.Sigs() {
		dst = append(dst, msg.NewRR(s.Name, msg.TypeRRSIG, s.TTL, d))
	}
	return dst
}

// unsigned returns the set without its signatures.
func (s Set) unsigned() Set {
	s.sigs = 0
	return s
}

// only returns the signatures alone, as the set of type RRSIG that they are.
func (s Set) only() Set {
	o := Set{Name: s.Name, Type: msg.TypeRRSIG, TTL: s.TTL, records: s.sigs, data: s.data}
	for i := 0; i < s.records; i++ {
		_, o.data = cutData(o.data)
	}
	return o
}

// makeSet returns a set of one record that stands in no zone.
func makeSet(name msg.Name, t msg.Type, ttl uint32, data string) Set {
	p := pack{typ: t, ttl: ttl, data: []string{data}}
	s, _ := cutSet(string(p.append(nil)))
	s.Name = name
	return s
}
