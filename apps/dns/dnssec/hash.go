package dnssec

import (
	"crypto/sha1"
	"encoding/base32"

	"github.com/weirnet/weir/apps/dns/msg"
)

// hashSHA1 is the only hash of names that there is (RFC 5155 section 11).
const hashSHA1 = 1

// hex32 is base32 with the digits in the order of their values, in lower case (RFC 4648 section 7).
var hex32 = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// Hash returns the hash of a name, 20 octets (RFC 5155 section 5).
func Hash(name msg.Name, p msg.NSEC3PARAM) string {
	var b [255 + 255]byte
	in := append(append(b[:0], name.Fold()...), p.Salt...)
	sum := sha1.Sum(in)
	for range p.Iterations {
		in = append(append(b[:0], sum[:]...), p.Salt...)
		sum = sha1.Sum(in)
	}
	return string(sum[:])
}

// OwnerHash returns the hash that the owner of an NSEC3 record stands for (RFC 5155 section 3).
func OwnerHash(owner msg.Name) (string, bool) { return decodeHash(owner.First()) }

// encodeHash returns the label of the NSEC3 record that has the hash.
func encodeHash(hash string) string { return hex32.EncodeToString([]byte(hash)) }

// decodeHash returns the hash that a label stands for, in any case.
func decodeHash(label string) (string, bool) {
	b := []byte(label)
	msg.FoldWire(b)
	hash, err := hex32.DecodeString(string(b))
	return string(hash), err == nil && len(hash) == sha1.Size
}
