package msg

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var (
	errShort    = errors.New("the message ends too early")
	errTrailing = errors.New("octets follow the last record")
	errCounts   = errors.New("the counts are not those of its records")
	errLoop     = errors.New("a compressed name does not point backwards (RFC 1035 section 4.1.4)")
	errPointers = fmt.Errorf("a compressed name has more than %d pointers", maxPointers)
	errLabel    = errors.New("a label is of a kind that is not used (RFC 6891 section 5)")
	errOPT      = errors.New("an OPT record is not alone, not of the root or not in the additional section (RFC 6891 section 6.1.1)")
	errTSIG     = errors.New("a TSIG record is not the last one (RFC 8945 section 5.1)")
)

// minRR is the least octets of a record: the root's name and no rdata.
const minRR = 11

// maxPointers is how many pointers one name may be put together with: as many as it can have labels. Without the bound a
// message of nothing but pointers costs the square of its length.
const maxPointers = 127

// unpacker walks a message.
type unpacker struct{ p []byte }

// Unpack reads a message of which p is all. Nothing of p is kept. What m had is lost; after an
// error the header stands nonetheless, when it was there, and all else is empty.
//
// Unpack is strict: octets after the last record, names that point forwards, counts that are not
// those of the records, a second OPT record, and rdata that its type does not allow are errors.
func (m *Message) Unpack(p []byte) error {
	*m = Message{}
	if len(p) < headerSize {
		return fmt.Errorf("message of %d octets: %w", len(p), errShort)
	}
	m.Header = parseHeader(binary.BigEndian.Uint16(p), binary.BigEndian.Uint16(p[2:]))
	head := m.Header
	if err := m.unpackSections(p); err != nil {
		*m = Message{Header: head}
		return fmt.Errorf("message of %d octets: %w", len(p), err)
	}
	return nil
}

func (m *Message) unpackSections(p []byte) error {
	u := unpacker{p}
	var count [4]int
	for i := range count {
		count[i] = int(binary.BigEndian.Uint16(p[4+2*i:]))
	}
	at := headerSize
	for i := range count[0] {
		var q Question
		var err error
		if q, at, err = u.question(at); err != nil {
			return fmt.Errorf("question %d: %w", i+1, err)
		}
		m.Question = append(m.Question, q)
	}
	for i, section := range []struct {
		name string
		rrs  *[]RR
	}{{"answer", &m.Answer}, {"authority", &m.Authority}, {"additional", &m.Additional}} {
		rrs := make([]RR, 0, min(count[i+1], (len(p)-at)/minRR))
		for k := range count[i+1] {
			r, next, err := u.record(at)
			if err == nil && r.Type == TypeOPT {
				err = m.takeOPT(r, i == 2)
			} else if err == nil {
				rrs = append(rrs, r)
			}
			if err == nil && r.Type == TypeTSIG && (i < 2 || k < count[3]-1) {
				err = errTSIG
			}
			if err != nil {
				return fmt.Errorf("%s record %d: %w", section.name, k+1, err)
			}
			at = next
		}
		if len(rrs) > 0 {
			*section.rrs = rrs
		}
	}
	if at != len(p) {
		return fmt.Errorf("%d %w", len(p)-at, errTrailing)
	}
	return nil
}

func (m *Message) takeOPT(r RR, additional bool) error {
	if m.EDNS != nil || !additional || r.Name != Root {
		return errOPT
	}
	e, high, err := parseEDNS(r.Class, r.TTL, []byte(r.Data))
	if err != nil {
		return err
	}
	m.EDNS = e
	m.Rcode |= high
	return nil
}

func (u unpacker) question(at int) (q Question, next int, err error) {
	if q.Name, next, err = u.name(at); err != nil {
		return q, 0, err
	}
	if next+4 > len(u.p) {
		return q, 0, errShort
	}
	q.Type = Type(binary.BigEndian.Uint16(u.p[next:]))
	q.Class = Class(binary.BigEndian.Uint16(u.p[next+2:]))
	return q, next + 4, nil
}

func (u unpacker) record(at int) (r RR, next int, err error) {
	if r.Name, at, err = u.name(at); err != nil {
		return r, 0, err
	}
	if at+10 > len(u.p) {
		return r, 0, errShort
	}
	h := u.p[at:]
	r.Type = Type(binary.BigEndian.Uint16(h))
	r.Class = Class(binary.BigEndian.Uint16(h[2:]))
	r.TTL = binary.BigEndian.Uint32(h[4:])
	length := int(binary.BigEndian.Uint16(h[8:]))
	at += 10
	if at+length > len(u.p) {
		return r, 0, errShort
	}
	if r.Type == TypeOPT { // read by parseEDNS
		r.Data = string(u.p[at : at+length])
		return r, at + length, nil
	}
	if r.Data, err = rdata(u.p, at, length, r.Type, r.Class); err != nil {
		return r, 0, fmt.Errorf("%s %s: %w", r.Name, r.Type, err)
	}
	return r, at + length, nil
}

func (u unpacker) name(at int) (Name, int, error) {
	var room [maxName]byte
	b, next, _, err := appendName(room[:0], u.p, at)
	return Name(b), next, err
}

// appendName appends the name at p[at:] uncompressed, and returns where it ends and whether it
// was compressed. A pointer must point before the labels that it ends, so that there are no loops,
// and there are no more than maxPointers of them.
func appendName(dst, p []byte, at int) (_ []byte, next int, pointed bool, err error) {
	start, pointers := len(dst), 0
	for limit := at; ; {
		if at >= len(p) {
			return nil, 0, pointed, errShort
		}
		l := int(p[at])
		switch {
		case l == 0:
			if !pointed {
				next = at + 1
			}
			return append(dst, 0), next, pointed, nil
		case l <= maxLabel:
			if at+1+l > len(p) {
				return nil, 0, pointed, errShort
			}
			if len(dst)-start+1+l+1 > maxName {
				return nil, 0, pointed, errNameLong
			}
			dst = append(dst, p[at:at+1+l]...)
			at += 1 + l
		case l >= 0xc0:
			if at+2 > len(p) {
				return nil, 0, pointed, errShort
			}
			if !pointed {
				next = at + 2
			}
			pointed = true
			to := (l&0x3f)<<8 | int(p[at+1])
			if to >= limit || to < headerSize {
				return nil, 0, pointed, errLoop
			}
			if pointers++; pointers > maxPointers {
				return nil, 0, pointed, errPointers
			}
			at, limit = to, to
		default:
			return nil, 0, pointed, errLabel
		}
	}
}
