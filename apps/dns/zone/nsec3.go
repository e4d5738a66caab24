package zone

import (
	"crypto/sha1"
	"encoding/base32"
	"hash"
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// MaxIterations is the most NSEC3 iterations that proofs are made with. Validators take more than 100 as
// no proof at all, or fail (RFC 9276 §3.2).
const MaxIterations = 2500

// nsec3Param is the chain that proofs are made from (RFC 5155 §4).
type nsec3Param struct {
	iterations int
	salt       string
	tail       string // what an NSEC3 record of the chain has at the front: iterations, length of the salt and the salt
}

// chooseNSEC3 returns the first chain that can be used: SHA-1, flags zero (RFC 5155 §4.1.2).
func chooseNSEC3(params Set) *nsec3Param {
	for d := range params.Data() {
		if len(d) < 5 || d[0] != 1 || d[1] != 0 || len(d) != 5+int(d[4]) {
			continue
		}
		if n := int(be16(d[2:])); n <= MaxIterations {
			return &nsec3Param{n, d[5:], d[2:]}
		}
	}
	return nil
}

// Iterations returns how often a name is hashed again for a proof, 0 where there is no NSEC3.
func (z *Zone) Iterations() int {
	if z.nsec3 == nil {
		return 0
	}
	return z.nsec3.iterations
}

var base32hex = base32.HexEncoding.WithPadding(base32.NoPadding)

// hash returns the label of a name's hash (RFC 5155 §5), in lower case, as a key.
func (p *nsec3Param) hash(name msg.Name) string {
	var sum [sha1.Size]byte
	h := sha1.New()
	p.round(h, []byte(name.Fold()), &sum)
	for i := 0; i < p.iterations; i++ {
		p.round(h, sum[:], &sum)
	}
	var label [33]byte
	base32hex.Encode(label[:], sum[:])
	for i, c := range label {
		if 'A' <= c && c <= 'V' {
			label[i] = c + 'a' - 'A'
		}
	}
	return string(label[:])
}

func (p *nsec3Param) round(h hash.Hash, in []byte, out *[sha1.Size]byte) {
	h.Reset()
	h.Write(in)
	h.Write([]byte(p.salt))
	h.Sum(out[:0])
}

// hashed returns the hash of the name of a key.
func (l *lookup) hashed(key string) string {
	l.a.Hashes++
	return l.z.nsec3.hash(keyName(key, l.z.folded))
}

// matchHash adds the NSEC3 record of a name and reports whether there is one.
func (l *lookup) matchHash(key string) bool {
	n, ok := l.z.hashes.get(l.hashed(key))
	return ok && l.addNSEC3(n)
}

// coverHash adds the NSEC3 record whose span holds the hash of a name.
func (l *lookup) coverHash(key string) {
	tree := &l.z.hashes
	at, _ := tree.find(l.hashed(key))
	const otherChains = 64 // records of another chain that stand in between, while a zone changes parameters
	for range otherChains {
		before, ok := tree.before(at)
		if !ok { // the span of the last record goes round
			before, ok = tree.before(place{page: len(tree.pages)})
		}
		if !ok || l.addNSEC3(tree.node(before)) {
			return
		}
		at = before
	}
}

// addNSEC3 adds the NSEC3 record of a node if it is of the chain in use.
func (l *lookup) addNSEC3(n node) bool {
	s, ok := n.set(msg.TypeNSEC3)
	if !ok {
		return false
	}
	for d := range s.Data() {
		if len(d) > 2 && d[0] == 1 && strings.HasPrefix(d[2:], l.z.nsec3.tail) {
			s.Name = n.name(l.z.origin)
			l.authority(s)
			return true
		}
	}
	return false
}

// proveEncloser proves that the closest encloser is there and the next closer name, one label longer, is not
// (RFC 5155 §7.2.1).
func (l *lookup) proveEncloser(encloser, key string) {
	l.matchHash(encloser)
	l.coverHash(keyPrefix(key, keyLabels(encloser)+1))
}

// proveAncestor proves it for a name that is there but, by opt-out, has no NSEC3 record: from the
// closest ancestor that has one.
func (l *lookup) proveAncestor(key string) {
	for d := keyLabels(key) - 1; d >= 0; d-- {
		if l.matchHash(keyPrefix(key, d)) {
			l.coverHash(keyPrefix(key, d+1))
			return
		}
	}
}
