package msg

import "encoding/binary"

// Query is a view over one plain query: one question, at most an OPT record, and nothing else.
// It is the fast path. A Query is used again and again; each Parse replaces what it had.
type Query struct {
	ID         uint16
	Opcode     Opcode // OpcodeQuery always: others are not plain
	RD, CD, AD bool
	EDNS, DO   bool
	Version    uint8  // of EDNS
	Size       uint16 // octets that the sender takes over UDP: 512 without EDNS, and never less
	Type       Type
	Class      Class
	Cookie     []byte // the COOKIE option's data, nil without
	Options    []byte // the OPT record's rdata: all its options
	Wire       []byte // the whole query
	NameEnd    int    // the name as asked is Wire[12:NameEnd]
	Labels     int    // of the name, without the root
	Folded     [255]byte
}

// Name returns the name asked for in lower case. It is valid until the next Parse.
func (q *Query) Name() []byte { return q.Folded[:q.NameEnd-headerSize] }

// Asked returns the name in the case it was asked in.
func (q *Query) Asked() []byte { return q.Wire[headerSize:q.NameEnd] }

// Parse reads the query p, to which q refers afterwards. False means that it is not a plain query,
// and q has no meaning: another opcode, a response, TC set, more or less than one question, records
// other than one OPT record, an OPT record whose name is a pointer, options that do not fit or a cookie
// of no allowed length (RFC 7873 section 5.2.2), or octets that are no message at all. It allocates nothing.
func (q *Query) Parse(p []byte) bool {
	const questions = 4
	if len(p) < headerSize+5 {
		return false
	}
	flags := binary.BigEndian.Uint16(p[2:])
	if flags&(flagQR|flagTC|15<<11|15) != 0 || binary.BigEndian.Uint32(p[questions:]) != 1<<16 {
		return false // one question, no answer
	}
	tail := binary.BigEndian.Uint32(p[8:]) // no authority, at most one additional record
	if tail > 1 {
		return false
	}
	q.ID = binary.BigEndian.Uint16(p)
	q.Opcode = OpcodeQuery
	q.RD, q.AD, q.CD = flags&flagRD != 0, flags&flagAD != 0, flags&flagCD != 0
	q.EDNS, q.DO, q.Version, q.Size = false, false, 0, MinSize
	q.Cookie, q.Options, q.Wire = nil, nil, p
	at, ok := q.name(p)
	if !ok || at+4 > len(p) {
		return false
	}
	q.Type, q.Class = Type(binary.BigEndian.Uint16(p[at:])), Class(binary.BigEndian.Uint16(p[at+2:]))
	at += 4
	if tail == 0 {
		return at == len(p)
	}
	return q.opt(p[at:])
}

// name folds the name of the question and returns where it ends.
func (q *Query) name(p []byte) (int, bool) {
	q.Labels = 0
	for at := headerSize; at < len(p); {
		l := int(p[at])
		end := at + 1 + l
		if l > maxLabel || end > len(p) || end-headerSize > maxName {
			return 0, false
		}
		for i, c := range p[at:end] {
			q.Folded[at-headerSize+i] = lower(c)
		}
		if l == 0 {
			q.NameEnd = end
			return end, true
		}
		at = end
		q.Labels++
	}
	return 0, false
}

// opt reads the OPT record that p must be.
func (q *Query) opt(p []byte) bool {
	if len(p) < minRR || p[0] != 0 || Type(binary.BigEndian.Uint16(p[1:])) != TypeOPT ||
		int(binary.BigEndian.Uint16(p[9:])) != len(p)-minRR {
		return false
	}
	q.EDNS = true
	q.Size = max(binary.BigEndian.Uint16(p[3:]), MinSize) // RFC 6891 section 6.2.3
	if p[5] != 0 {
		return false // a response code, in a query
	}
	q.Version, q.DO = p[6], p[7]&0x80 != 0
	q.Options = p[minRR:]
	for o := q.Options; len(o) > 0; {
		if len(o) < 4 {
			return false
		}
		n := 4 + int(binary.BigEndian.Uint16(o[2:]))
		if n > len(o) {
			return false
		}
		if binary.BigEndian.Uint16(o) == OptionCookie && q.Cookie == nil {
			if q.Cookie = o[4:n]; !cookieLength(len(q.Cookie)) {
				return false
			}
		}
		o = o[n:]
	}
	return true
}

// cookieLength reports whether a cookie may have n octets: the client's 8, or those and a server's
// 8 to 32 (RFC 7873 section 4).
func cookieLength(n int) bool { return n == 8 || n >= 16 && n <= 40 }
