package cache

import (
	"encoding/binary"

	"github.com/weirnet/weir/apps/dns/msg"
)

// A record is an entry in octets, little endian:
//
//	0  tag, the low 32 bits of the hash     16 type      21 EDE's code
//	4  size in units of 8 octets            18 space     22 length of the name
//	6  how often asked for, and flags       19 rank and  23 name, lower case, then the sets:
//	7  kind                                    security
//	8  when it expires                      20 number of sets
//	12 its TTL when it was put in
//
// A set is: the octet where its owner begins in the name, or ownerFull and the owner; type (2); section (1);
// number of RRs (2) and of RRSIGs (1); with flagLonger in the section how many seconds it lasts beyond the entry (4); for
// each RR its length (2) and its data.
type record []byte

const (
	headLen   = 23
	unit      = 8 // records begin at multiples of it
	ownerFull = 0xff

	freqMask       = 0x03
	flagPrefetched = 0x40 // somebody was told to fetch it anew
	flagDead       = 0x80
	noEDE          = 0xff

	flagLonger = 0x80 // of a set's section
)

var le = binary.LittleEndian

func (r record) tag() uint32        { return le.Uint32(r) }
func (r record) size() int          { return int(le.Uint16(r[4:])) * unit }
func (r record) dead() bool         { return r[6]&flagDead != 0 }
func (r record) freq() byte         { return r[6] & freqMask }
func (r record) kind() Kind         { return Kind(r[7]) }
func (r record) expires() uint32    { return le.Uint32(r[8:]) }
func (r record) original() uint32   { return le.Uint32(r[12:]) }
func (r record) typ() msg.Type      { return msg.Type(le.Uint16(r[16:])) }
func (r record) space() byte        { return r[18] }
func (r record) rank() Rank         { return Rank(r[19] >> 4) }
func (r record) security() Security { return Security(r[19] & 15) }
func (r record) name() []byte       { return r[headLen : headLen+int(r[22])] }
func (r record) sets() []byte       { return r[headLen+int(r[22]):] }

func (r record) ede() uint16 {
	if r[21] == noEDE {
		return 0
	}
	return uint16(r[21])
}

// touch counts a request.
func (r record) touch() {
	if r.freq() < freqMask {
		r[6]++
	}
}

// again returns how long a failure is kept that comes after the one of the record: twice as long as that where it comes before
// as much time has passed again, no longer than most (RFC 9520 §3.2), else ttl.
func (r record) again(now, ttl, most uint32) uint32 {
	if now >= r.expires()+r.original() {
		return ttl
	}
	if now < r.expires() { // of two that failed at once
		return max(ttl, r.original())
	}
	return min(max(ttl, 2*r.original()), most)
}

// last sets how long a new record lasts.
func (r record) last(ttl, now uint32) {
	le.PutUint32(r[8:], now+ttl)
	le.PutUint32(r[12:], ttl)
}

// is reports whether the record is the entry of a name in lower case.
func (r record) is(name []byte, typ msg.Type, space byte) bool {
	return r.typ() == typ && r.space() == space && string(r.name()) == string(name)
}

// appendRecord appends e as a record to dst, nil if it does not fit one. Its name is in lower case, and its TTLs are capped.
func appendRecord(dst []byte, tag uint32, e *Entry, ttl, expires uint32) []byte {
	start := len(dst)
	var head [headLen]byte
	le.PutUint32(head[:], tag)
	head[7] = byte(e.Kind)
	le.PutUint32(head[8:], expires)
	le.PutUint32(head[12:], ttl)
	le.PutUint16(head[16:], uint16(e.Type))
	head[18] = e.Kind.space()
	head[19] = byte(e.Rank)<<4 | byte(e.Security)
	head[20] = byte(len(e.Sets))
	head[21] = noEDE
	if e.EDE != 0 && e.EDE < noEDE {
		head[21] = byte(e.EDE)
	}
	head[22] = byte(len(e.Name))
	dst = append(append(dst, head[:]...), e.Name...)
	if len(e.Sets) > 255 {
		return nil
	}
	for i := range e.Sets {
		if dst = appendSet(dst, e.Name, &e.Sets[i], ttl); dst == nil || len(dst)-start > maxRecord {
			return nil
		}
	}
	for (len(dst)-start)%unit != 0 {
		dst = append(dst, 0)
	}
	if len(dst)-start > maxRecord {
		return nil
	}
	le.PutUint16(dst[start+4:], uint16((len(dst)-start)/unit))
	return dst
}

func appendSet(dst []byte, name msg.Name, s *Set, ttl uint32) []byte {
	if len(s.Data) > 0xffff || len(s.Sigs) > 255 {
		return nil
	}
	if at := len(name) - len(s.Name); at >= 0 && at < ownerFull && s.Name.Equal(name[at:]) && labelStart(name, at) {
		dst = append(dst, byte(at))
	} else {
		dst = append(append(dst, ownerFull), s.Name.Fold()...)
	}
	dst = le.AppendUint16(dst, uint16(s.Type))
	section := byte(s.Section)
	if s.TTL > ttl {
		section |= flagLonger
	}
	dst = append(dst, section)
	dst = le.AppendUint16(dst, uint16(len(s.Data)))
	dst = append(dst, byte(len(s.Sigs)))
	if s.TTL > ttl {
		dst = le.AppendUint32(dst, s.TTL-ttl)
	}
	for _, list := range [2][]string{s.Data, s.Sigs} {
		for _, d := range list {
			if len(d) > 0xffff {
				return nil
			}
			dst = append(le.AppendUint16(dst, uint16(len(d))), d...)
		}
	}
	return dst
}

// labelStart reports whether a label, or the root, begins at an octet of a name.
func labelStart(name msg.Name, at int) bool {
	i := 0
	for i < at {
		i += 1 + int(name[i])
	}
	return i == at
}

// set is a view of one set in a record.
type set struct {
	at       byte   // where the owner begins in the record's name, or ownerFull
	owner    []byte // the owner where it is given whole
	typ      msg.Type
	section  Section
	rrs, sig int
	longer   uint32 // seconds that it lasts beyond its entry
	data     []byte // of the RRs, then of the RRSIGs, each after its length
}

// next cuts the first set off b. Records are written by appendRecord only, so they are well-formed.
func (s *set) next(b []byte) (rest []byte) {
	s.at, b = b[0], b[1:]
	if s.at == ownerFull {
		n := 0
		for b[n] != 0 {
			n += 1 + int(b[n])
		}
		s.owner, b = b[:n+1], b[n+1:]
	}
	s.typ, s.section = msg.Type(le.Uint16(b)), Section(b[2]&^flagLonger)
	longer := b[2]&flagLonger != 0
	s.rrs, s.sig, s.longer, b = int(le.Uint16(b[3:])), int(b[5]), 0, b[6:]
	if longer {
		s.longer, b = le.Uint32(b), b[4:]
	}
	n := 0
	for range s.rrs + s.sig {
		n += 2 + int(le.Uint16(b[n:]))
	}
	s.data = b[:n]
	return b[n:]
}
