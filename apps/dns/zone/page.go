package zone

import (
	"encoding/binary"
	"unsafe"

	"github.com/weirnet/weir/apps/dns/msg"
)

// A page is a string of some kilooctets that holds a run of nodes in order:
//
//	count     uint16
//	offsets   count × uint16, from the page's beginning
//	nodes     key length as varint, key, flags, [owner as written], number of sets as varint, sets
//	set       type uint16, TTL uint32, records and signatures as varints, octets of both as varint,
//	          then each rdata with its length as varint, the records first
//
// Being a string it is never changed, and what a lookup returns is parts of it.
type page string

// pageSize is about how many octets a page has. Larger ones waste less and cost more to change.
const pageSize = 4096

// What is kept of a node beside its sets.
const (
	flagCut   = 1 << iota // NS below the apex: a delegation
	flagDNAME             // names below are elsewhere
	flagCased             // the owner was not written in lower case
)

func (p page) len() int { return int(be16(string(p))) }

func be16(s string) uint16 { return uint16(s[0])<<8 | uint16(s[1]) }

func be32(s string) uint32 {
	return uint32(s[0])<<24 | uint32(s[1])<<16 | uint32(s[2])<<8 | uint32(s[3])
}

// varint reads a number of seven bits an octet, the lowest first, and returns what follows it.
func varint(s string) (int, string) {
	if s[0] < 0x80 {
		return int(s[0]), s[1:]
	}
	n, shift := 0, 0
	for i := 0; ; i++ {
		n |= int(s[i]&0x7f) << shift
		if s[i] < 0x80 {
			return n, s[i+1:]
		}
		shift += 7
	}
}

// key returns the key of the node i.
func (p page) key(i int) string {
	n, rest := varint(string(p[be16(string(p[2+2*i:])):]))
	return rest[:n]
}

// node returns the node i.
func (p page) node(i int) node {
	n, rest := varint(string(p[be16(string(p[2+2*i:])):]))
	nd := node{key: rest[:n], flags: rest[n]}
	rest = rest[n+1:]
	if nd.flags&flagCased != 0 {
		k, r := varint(rest)
		nd.cased, rest = r[:k], r[k:]
	}
	nd.sets, nd.body = varint(rest)
	return nd
}

// search returns the first node whose key is not less than key, and whether it is that key.
func (p page) search(key string) (int, bool) {
	lo, hi := 0, p.len()
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if p.key(mid) < key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < p.len() && p.key(lo) == key
}

// node is one name of a zone and what is there.
type node struct {
	key   string
	flags byte
	cased string // the owner as written, without the origin; "" in lower case
	sets  int
	body  string
}

// name returns the owner as the master file wrote it.
func (n node) name(origin msg.Name) msg.Name {
	if n.cased != "" {
		return msg.Name(n.cased + string(origin))
	}
	return keyName(n.key, origin)
}

// set returns the set of a type, without an owner, and whether there is one.
func (n node) set(t msg.Type) (Set, bool) {
	body := n.body
	for i := 0; i < n.sets; i++ {
		if msg.Type(be16(body)) == t {
			s, _ := cutSet(body)
			return s, s.records > 0
		}
		body = skipSet(body)
	}
	return Set{}, false
}

// each calls f with every set of the node until f says false.
func (n node) each(f func(Set) bool) {
	body := n.body
	for i := 0; i < n.sets; i++ {
		var s Set
		if s, body = cutSet(body); !f(s) {
			return
		}
	}
}

// cutSet takes one set off the front of a body.
func cutSet(body string) (Set, string) {
	s := Set{Type: msg.Type(be16(body)), TTL: be32(body[2:])}
	body = body[6:]
	var octets int
	s.records, body = varint(body)
	s.sigs, body = varint(body)
	octets, body = varint(body)
	s.data = body[:octets]
	return s, body[octets:]
}

func skipSet(body string) string {
	_, body = varint(body[6:])
	_, body = varint(body)
	octets, body := varint(body)
	return body[octets:]
}

// appendNode appends a node in the form that pages have.
func appendNode(dst []byte, key string, flags byte, cased string, sets []pack) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(key)))
	dst = append(dst, key...)
	if cased != "" {
		flags |= flagCased
	}
	dst = append(dst, flags)
	if cased != "" {
		dst = binary.AppendUvarint(dst, uint64(len(cased)))
		dst = append(dst, cased...)
	}
	dst = binary.AppendUvarint(dst, uint64(len(sets)))
	for i := range sets {
		dst = sets[i].append(dst)
	}
	return dst
}

// pack is a set on its way into a page.
type pack struct {
	typ        msg.Type
	ttl        uint32
	data, sigs []string
	octets     int // of both, as a message has them
}

func (p *pack) append(dst []byte) []byte {
	octets := 0
	for _, list := range [2][]string{p.data, p.sigs} {
		for _, d := range list {
			octets += uvarintLen(len(d)) + len(d)
		}
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(p.typ))
	dst = binary.BigEndian.AppendUint32(dst, p.ttl)
	dst = binary.AppendUvarint(dst, uint64(len(p.data)))
	dst = binary.AppendUvarint(dst, uint64(len(p.sigs)))
	dst = binary.AppendUvarint(dst, uint64(octets))
	for _, list := range [2][]string{p.data, p.sigs} {
		for _, d := range list {
			dst = binary.AppendUvarint(dst, uint64(len(d)))
			dst = append(dst, d...)
		}
	}
	return dst
}

func uvarintLen(n int) int {
	l := 1
	for n >>= 7; n > 0; n >>= 7 {
		l++
	}
	return l
}

// text views octets as a string for the length of a call that keeps nothing of it.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
