package msg

import (
	"errors"
	"fmt"

	"github.com/miekg/dns"
)

var (
	errNoName  = errors.New("the name is malformed")
	errPointer = errors.New("a name in the rdata is compressed, which its type does not allow (RFC 3597 section 4)")
	errEmpty   = errors.New("the rdata is empty")
	errLength  = errors.New("the rdata is shorter or longer than its type allows")
)

// layout says where the names stand in the rdata of a type.
type layout struct {
	before int    // octets before the first name
	names  int    // how many names, one after the other
	after  int    // octets after them, rest for any number
	pack   bool   // we compress them: the types of RFC 1035 (RFC 3597 section 4)
	unpack bool   // others may have: those types, and the others that RFC 3597 section 4 lists
	skip   string // what is before the names instead: s for a character-string
}

const rest = -1

// layouts has the types with names at places that can be told without knowing more of the type.
var layouts = map[Type]layout{
	TypeNS:    {names: 1, pack: true, unpack: true},
	TypeMD:    {names: 1, pack: true, unpack: true},
	TypeMF:    {names: 1, pack: true, unpack: true},
	TypeCNAME: {names: 1, pack: true, unpack: true},
	TypeMB:    {names: 1, pack: true, unpack: true},
	TypeMG:    {names: 1, pack: true, unpack: true},
	TypeMR:    {names: 1, pack: true, unpack: true},
	TypePTR:   {names: 1, pack: true, unpack: true},
	TypeSOA:   {names: 2, after: 20, pack: true, unpack: true},
	TypeMINFO: {names: 2, pack: true, unpack: true},
	TypeMX:    {before: 2, names: 1, pack: true, unpack: true},

	TypeRP:    {names: 2, unpack: true},
	TypeAFSDB: {before: 2, names: 1, unpack: true},
	TypeRT:    {before: 2, names: 1, unpack: true},
	TypeSIG:   {before: 18, names: 1, after: rest, unpack: true},
	TypePX:    {before: 2, names: 2, unpack: true},
	TypeNXT:   {names: 1, after: rest, unpack: true},
	TypeNAPTR: {before: 4, skip: "sss", names: 1, unpack: true},
	TypeSRV:   {before: 6, names: 1, unpack: true},
	TypeKX:    {before: 2, names: 1, unpack: true},
	TypeDNAME: {names: 1, unpack: true}, // "MUST NOT be compressed", and old senders did (RFC 6672 section 2.5)

	TypeRRSIG:   {before: 18, names: 1, after: rest},
	TypeNSEC:    {names: 1, after: rest},
	TypeNSAPPTR: {names: 1},
	TypeTALINK:  {names: 2},
	TypeLP:      {before: 2, names: 1},
	TypeSVCB:    {before: 2, names: 1, after: rest},
	TypeHTTPS:   {before: 2, names: 1, after: rest},
	TypeTKEY:    {names: 1, after: rest},
	TypeTSIG:    {names: 1, after: rest},
}

// mayBeEmpty has the known types whose rdata may have no octet at all.
var mayBeEmpty = map[Type]bool{TypeNULL: true, TypeAPL: true, TypeOPT: true}

// rdata returns the rdata at p[at:at+length] with the names in it uncompressed, or what is wrong
// with it. Records without rdata are allowed in the classes that only updates use
// (RFC 2136 section 2.4).
func rdata(p []byte, at, length int, typ Type, class Class) (string, error) {
	raw := p[at : at+length]
	switch {
	case typ == TypeA && class == ClassINET && length == 4, typ == TypeAAAA && length == 16:
		return string(raw), nil
	case length == 0 && (class == ClassANY || class == ClassNONE):
		return "", nil
	}
	l, ok := layouts[typ]
	if !ok {
		return string(raw), checkData(typ, class, raw)
	}
	return l.expand(p, at, at+length, typ, class)
}

// expand writes the rdata at p[at:end] out: all of it must be there, and nothing else.
func (l layout) expand(p []byte, at, end int, typ Type, class Class) (string, error) {
	names, ok := l.start(p[at:end])
	if !ok {
		return "", errLength
	}
	names += at
	var room [1024]byte
	data := append(room[:0], p[at:names]...)
	next := names
	for range l.names {
		var pointed bool
		var err error
		if data, next, pointed, err = appendName(data, p[:end], next); err != nil {
			return "", fmt.Errorf("in the rdata: %w", err)
		}
		if pointed && !l.unpack {
			return "", errPointer
		}
	}
	if l.after != rest && end-next != l.after {
		return "", errLength
	}
	data = append(data, p[next:end]...)
	if l.after == rest || l.skip != "" {
		return string(data), checkData(typ, class, data)
	}
	return string(data), nil
}

// start returns where the names begin in raw.
func (l layout) start(raw []byte) (int, bool) {
	at := l.before
	for range l.skip {
		if at >= len(raw) {
			return 0, false
		}
		at += 1 + int(raw[at])
	}
	return at, at < len(raw)
}

// checkData has github.com/miekg/dns read rdata whose names are uncompressed.
func checkData(typ Type, class Class, raw []byte) error {
	if len(raw) > 1<<16-1 {
		return errLength
	}
	_, known := dns.TypeToRR[uint16(typ)]
	if !known {
		return nil // RFC 3597: octets
	}
	if len(raw) == 0 {
		if mayBeEmpty[typ] {
			return nil
		}
		return errEmpty
	}
	h := dns.RR_Header{Name: ".", Rrtype: uint16(typ), Class: uint16(class), Rdlength: uint16(len(raw))}
	rr, _, err := dns.UnpackRRWithHeader(h, raw, 0)
	if err != nil {
		return err
	}
	switch typ {
	case TypeHIP, TypeIPSECKEY, TypeAMTRELAY:
		return checkAgain(rr, raw)
	}
	return nil
}

// checkAgain refuses rdata in which a name is compressed, for the types where it stands behind
// what only their reader knows: packed again it is not the same.
func checkAgain(rr dns.RR, raw []byte) error {
	buf := make([]byte, 11+maxName+len(raw))
	n, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		return err
	}
	if string(buf[11:n]) != string(raw) {
		return errPointer
	}
	return nil
}

// checkData reports what is wrong with the record's rdata.
func (r RR) checkData() error {
	if len(r.Data) > 1<<16-1 {
		return errLength
	}
	_, err := rdata([]byte(r.Data), 0, len(r.Data), r.Type, r.Class)
	if err == nil {
		if l, ok := layouts[r.Type]; ok && len(r.Data) > 0 {
			err = l.checkPlain(r.Data)
		}
	}
	return err
}

// checkPlain refuses pointers, which have no meaning in rdata that stands alone.
func (l layout) checkPlain(data string) error {
	at, _ := l.start([]byte(data))
	for range l.names {
		n, next := nameAt(data, at)
		if n == "" {
			return errPointer
		}
		at = next
	}
	return nil
}
