package msg

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var (
	errNoRoom   = errors.New("the question, the OPT and the TSIG record alone are more")
	errRcode    = errors.New("a response code above 15 needs EDNS (RFC 6891 section 6.1.3)")
	errTooMany  = errors.New("more than 65535 records in a section")
	errBigRdata = errors.New("rdata of more than 65535 octets")
	errBigOPT   = errors.New("options of EDNS of more than 65535 octets")
)

// Append packs the message with compression and appends it to dst. It has at most limit octets,
// or MaxSize where limit is zero. What does not fit is left out by whole RRsets: of the additional
// section silently, unless it is glue that a referral needs (RFC 9471), of the others with TC
// set (RFC 2181 section 9). m.Truncated itself is not changed.
//
// The signatures of an RRset that follow it go with it. An error is of what cannot be packed at
// all: a malformed name, a response code above 15 without EDNS, no room for the question. dst is
// returned as it was then.
func (m *Message) Append(dst []byte, limit int) ([]byte, error) {
	if limit <= 0 || limit > MaxSize {
		limit = MaxSize
	}
	p := builder{b: dst, base: len(dst), limit: limit}
	if err := p.message(m); err != nil {
		return dst, fmt.Errorf("message not packed into %d octets: %w", limit, err)
	}
	return p.b, nil
}

// builder is a message being packed.
type builder struct {
	b     []byte
	base  int // where in b the message begins
	limit int // octets that it may have
	names table
}

func (p *builder) size() int { return len(p.b) - p.base }

func (p *builder) message(m *Message) error {
	reserved, tail, err := reserve(m)
	if err != nil {
		return err
	}
	p.b = append(p.b, make([]byte, headerSize)...)
	for _, q := range m.Question {
		if !q.Name.Valid() {
			return errNoName
		}
		p.name(q.Name)
		p.b = binary.BigEndian.AppendUint16(p.b, uint16(q.Type))
		p.b = binary.BigEndian.AppendUint16(p.b, uint16(q.Class))
	}
	if p.size()+reserved > p.limit {
		return errNoRoom
	}
	counts := [4]int{0: len(m.Question)}
	truncated := m.Truncated
	for i, rrs := range [][]RR{m.Answer, m.Authority, m.Additional[:len(m.Additional)-len(tail)]} {
		n, cut, err := p.section(m, rrs, p.limit-reserved, i == 2)
		if err != nil {
			return err
		}
		counts[i+1] = n
		if cut {
			truncated = true
			break
		}
	}
	if m.EDNS != nil {
		p.b = m.EDNS.appendTo(p.b, m.Rcode)
		counts[3]++
	}
	for _, r := range tail {
		p.b = r.appendTo(p.b)
		counts[3]++
	}
	return p.header(m, truncated, counts)
}

// reserve returns the octets that the records take which must be there, and the TSIG record.
func reserve(m *Message) (octets int, tail []RR, err error) {
	if m.EDNS != nil {
		if octets = m.EDNS.size(); octets > minRR+1<<16-1 {
			return 0, nil, errBigOPT
		}
	} else if m.Rcode > 15 {
		return 0, nil, errRcode
	}
	if n := len(m.Additional); n > 0 && m.Additional[n-1].Type == TypeTSIG {
		tail = m.Additional[n-1:]
		octets += len(tail[0].Name) + 10 + len(tail[0].Data)
	}
	return octets, tail, nil
}

func (p *builder) header(m *Message, truncated bool, counts [4]int) error {
	h := m.Header
	h.Truncated = truncated
	b := p.b[p.base:]
	binary.BigEndian.PutUint16(b, h.ID)
	binary.BigEndian.PutUint16(b[2:], h.flags())
	for i, n := range counts {
		if n > 1<<16-1 {
			return errTooMany
		}
		binary.BigEndian.PutUint16(b[4+2*i:], uint16(n))
	}
	return nil
}

// section packs RRset after RRset while there is room. cut says that one is missing which must
// not be without TC; after one in the answer or the authority section no other is packed.
func (p *builder) section(m *Message, rrs []RR, limit int, additional bool) (count int, cut bool, err error) {
	for i := 0; i < len(rrs); {
		end := setEnd(rrs, i)
		mark := len(p.b)
		for _, r := range rrs[i:end] {
			if err := p.record(r); err != nil {
				return count, cut, err
			}
			if p.size() > limit {
				break
			}
		}
		switch {
		case p.size() <= limit:
			count += end - i
		case !additional:
			p.drop(mark)
			return count, true, nil
		default:
			p.drop(mark)
			cut = cut || m.needsGlue(rrs[i])
		}
		i = end
	}
	return count, cut, nil
}

// setEnd returns where the RRset ends that begins at i, the signatures of it that follow included.
func setEnd(rrs []RR, i int) int {
	first := &rrs[i]
	end := i + 1
	for ; end < len(rrs); end++ {
		r := &rrs[end]
		if r.Class != first.Class || !r.Name.Equal(first.Name) {
			break
		}
		if r.Type != first.Type && !(r.Type == TypeRRSIG && len(r.Data) >= 2 && Type(be16(r.Data)) == first.Type) {
			break
		}
	}
	return end
}

// needsGlue reports whether m is a referral and r an address without which it does not help:
// that of a server whose name is in the zone referred to (RFC 9471 section 2).
func (m *Message) needsGlue(r RR) bool {
	if m.Authoritative || len(m.Answer) > 0 || r.Type != TypeA && r.Type != TypeAAAA {
		return false
	}
	for _, ns := range m.Authority {
		if ns.Type == TypeNS && r.Name.Under(ns.Name) && ns.Target().Equal(r.Name) {
			return true
		}
	}
	return false
}

func (p *builder) record(r RR) error {
	if !r.Name.Valid() {
		return errNoName
	}
	p.name(r.Name)
	p.b = binary.BigEndian.AppendUint16(p.b, uint16(r.Type))
	p.b = binary.BigEndian.AppendUint16(p.b, uint16(r.Class))
	p.b = binary.BigEndian.AppendUint32(p.b, r.TTL)
	at := len(p.b)
	p.b = append(p.b, 0, 0)
	p.data(r)
	length := len(p.b) - at - 2
	if length > 1<<16-1 {
		return errBigRdata
	}
	binary.BigEndian.PutUint16(p.b[at:], uint16(length))
	return nil
}

// data packs rdata, with its names compressed where the type allows it.
func (p *builder) data(r RR) {
	switch r.Type {
	case TypeA, TypeAAAA, TypeTXT: // without a look into the map
		p.b = append(p.b, r.Data...)
		return
	}
	l, ok := layouts[r.Type]
	if !ok || !l.pack || len(r.Data) <= l.before {
		p.b = append(p.b, r.Data...)
		return
	}
	p.b = append(p.b, r.Data[:l.before]...)
	at := l.before
	for range l.names {
		n, next := nameAt(r.Data, at)
		if n == "" {
			break
		}
		p.name(n)
		at = next
	}
	p.b = append(p.b, r.Data[at:]...)
}
