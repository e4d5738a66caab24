package tsig

import (
	"crypto"
	"crypto/hmac"
	_ "crypto/sha1"   // registers what Algorithm names
	_ "crypto/sha256" // the same
	_ "crypto/sha512" // the same
	"encoding/base64"
	"fmt"
	"hash"
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Algorithm is a MAC by its name on the wire (RFC 8945 section 6).
type Algorithm msg.Name

// The algorithms. HMACSHA1 is for peers that have nothing else.
const (
	HMACSHA1   Algorithm = "\x09hmac-sha1\x00"
	HMACSHA224 Algorithm = "\x0bhmac-sha224\x00"
	HMACSHA256 Algorithm = "\x0bhmac-sha256\x00"
	HMACSHA384 Algorithm = "\x0bhmac-sha384\x00"
	HMACSHA512 Algorithm = "\x0bhmac-sha512\x00"
)

var hashes = map[Algorithm]crypto.Hash{
	HMACSHA1: crypto.SHA1, HMACSHA224: crypto.SHA224, HMACSHA256: crypto.SHA256,
	HMACSHA384: crypto.SHA384, HMACSHA512: crypto.SHA512,
}

// String returns the algorithm's name without the dot at its end.
func (a Algorithm) String() string { return strings.TrimSuffix(msg.Name(a).String(), ".") }

// ParseAlgorithm reads a name such as hmac-sha256, in any case.
func ParseAlgorithm(s string) (Algorithm, error) {
	n, err := msg.ParseName(s)
	if err == nil {
		if a := Algorithm(n.Fold()); hashes[a] != 0 {
			return a, nil
		}
	}
	return "", fmt.Errorf("%q is no algorithm of TSIG here: write hmac-sha256, hmac-sha384, hmac-sha512, hmac-sha224 or hmac-sha1", s)
}

// Key is a secret, and the name that both sides know it by.
type Key struct {
	Name      msg.Name
	Algorithm Algorithm
	Secret    []byte
	// MACSize is how many octets of the MAC are sent: 0 for all of them. Fewer than half of
	// them, or than ten, are not allowed (RFC 8945 section 5.2.2.1).
	MACSize int
	// MinMAC is how many octets of a MAC are demanded: 0 for all. Fewer are refused with BADTRUNC.
	MinMAC int
}

// ParseKey reads a key as dig -y takes it: [hmac:]name:secret, the secret in base64. The
// algorithm is hmac-sha256 where none is given.
func ParseKey(s string) (Key, error) {
	parts := strings.Split(s, ":")
	if len(parts) == 2 {
		parts = append([]string{HMACSHA256.String()}, parts...)
	}
	if len(parts) != 3 {
		return Key{}, fmt.Errorf("a key of TSIG is algorithm:name:secret, as in hmac-sha256:transfer.example:c2VjcmV0")
	}
	var k Key
	var err error
	if k.Algorithm, err = ParseAlgorithm(parts[0]); err != nil {
		return Key{}, err
	}
	if k.Name, err = msg.ParseName(parts[1]); err != nil {
		return Key{}, fmt.Errorf("name of a key of TSIG: %w", err)
	}
	// The secret itself is in no error.
	if k.Secret, err = base64.StdEncoding.DecodeString(parts[2]); err != nil || len(k.Secret) == 0 {
		return Key{}, fmt.Errorf("the secret of the key %s is no base64", k.Name)
	}
	return k, nil
}

// size is the octets of the whole MAC.
func (k *Key) size() int { return hashes[k.Algorithm].Size() }

func (k *Key) mac() hash.Hash { return hmac.New(hashes[k.Algorithm].New, k.Secret) }

func (k *Key) check() error {
	switch least := max(10, k.size()/2); {
	case hashes[k.Algorithm] == 0:
		return fmt.Errorf("key %s: no algorithm of TSIG is called %s", k.Name, k.Algorithm)
	case !k.Name.Valid():
		return fmt.Errorf("a key of TSIG has a malformed name")
	case k.MACSize != 0 && (k.MACSize < least || k.MACSize > k.size()):
		return fmt.Errorf("key %s: a MAC of %d octets: %s allows %d to %d (RFC 8945 section 5.2.2.1)", k.Name, k.MACSize, k.Algorithm, least, k.size())
	}
	return nil
}

// Room returns the octets that a TSIG record of the key takes, error data included: an answer is packed with so
// much less of a limit.
func (k *Key) Room() int {
	return len(k.Name) + 10 + len(k.Algorithm) + 16 + k.size() + 6
}

// Ring finds a key by its name, which is in lower case.
type Ring func(name msg.Name) (Key, bool)

// Keys returns a ring of those keys.
func Keys(keys ...Key) Ring {
	m := make(map[msg.Name]Key, len(keys))
	for _, k := range keys {
		m[k.Name.Fold()] = k
	}
	return func(n msg.Name) (Key, bool) {
		k, ok := m[n]
		return k, ok
	}
}
