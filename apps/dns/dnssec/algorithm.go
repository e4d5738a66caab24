package dnssec

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"math/big"
	"strconv"

	"github.com/weirnet/weir/apps/dns/msg"
)

// The algorithms of signatures that are known here (RFC 8624 section 3.1).
const (
	RSASHA256       uint8 = 8
	RSASHA512       uint8 = 10
	ECDSAP256SHA256 uint8 = 13
	ECDSAP384SHA384 uint8 = 14
	ED25519         uint8 = 15
)

var algorithmNames = map[uint8]string{
	RSASHA256: "RSASHA256", RSASHA512: "RSASHA512", ECDSAP256SHA256: "ECDSAP256SHA256",
	ECDSAP384SHA384: "ECDSAP384SHA384", ED25519: "ED25519",
}

// AlgorithmName returns the mnemonic of an algorithm, or its number where it is not known here.
func AlgorithmName(a uint8) string {
	if s, ok := algorithmNames[a]; ok {
		return s
	}
	return strconv.Itoa(int(a))
}

// Supported reports whether signatures of the algorithm can be checked.
func Supported(a uint8) bool { return algorithmNames[a] != "" }

var (
	errKey       = errors.New("the public key is malformed")
	errSignature = errors.New("the signature is not that of the data")
	errAlgorithm = errors.New("the algorithm is not known")
)

// publicKey is a key of a zone, ready to check signatures.
type publicKey struct {
	msg.DNSKEY
	tag uint16
	key crypto.PublicKey // nil: the algorithm is not known, or the key malformed
}

func newPublicKey(k msg.DNSKEY) publicKey {
	p := publicKey{DNSKEY: k, tag: KeyTag(k)}
	p.key, _ = parseKey(k.Algorithm, k.Key)
	return p
}

// usable reports whether the key may sign sets of a zone (RFC 4034 section 2.1, RFC 5011 section 2.1).
func (p *publicKey) usable() bool {
	return p.Flags&msg.FlagZone != 0 && p.Flags&msg.FlagRevoke == 0 && p.Protocol == 3
}

func parseKey(algorithm uint8, key string) (crypto.PublicKey, error) {
	switch algorithm {
	case RSASHA256, RSASHA512:
		return parseRSA(key)
	case ECDSAP256SHA256:
		return parseECDSA(elliptic.P256(), key)
	case ECDSAP384SHA384:
		return parseECDSA(elliptic.P384(), key)
	case ED25519:
		if len(key) != ed25519.PublicKeySize {
			return nil, errKey
		}
		return ed25519.PublicKey(key), nil
	}
	return nil, errAlgorithm
}

// parseRSA reads exponent and modulus (RFC 3110 section 2). What is larger than RFC 3110 allows, or
// has an exponent of more than 31 bits, would only cost time.
func parseRSA(key string) (crypto.PublicKey, error) {
	const maxModulus = 512 // octets
	if len(key) < 1 {
		return nil, errKey
	}
	n, key := int(key[0]), key[1:]
	if n == 0 {
		if len(key) < 2 {
			return nil, errKey
		}
		n, key = int(key[0])<<8|int(key[1]), key[2:]
	}
	if n == 0 || n > 4 || len(key) <= n || len(key)-n > maxModulus {
		return nil, errKey
	}
	e := new(big.Int).SetBytes([]byte(key[:n]))
	if e.BitLen() > 31 || e.Bit(0) == 0 || key[n] == 0 {
		return nil, errKey
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes([]byte(key[n:])), E: int(e.Int64())}, nil
}

// parseECDSA reads the point, both halves without the octet before them (RFC 6605 section 4).
func parseECDSA(curve elliptic.Curve, key string) (crypto.PublicKey, error) {
	if len(key) != 2*((curve.Params().BitSize+7)/8) {
		return nil, errKey
	}
	return ecdsa.ParseUncompressedPublicKey(curve, []byte("\x04"+key))
}

// check checks a signature of data.
func (p *publicKey) check(data []byte, signature string) error {
	sig := []byte(signature)
	ok := false
	switch k := p.key.(type) {
	case *rsa.PublicKey:
		h, sum := digest(p.Algorithm, data)
		ok = rsa.VerifyPKCS1v15(k, h, sum, sig) == nil
	case *ecdsa.PublicKey:
		_, sum := digest(p.Algorithm, data)
		half := len(sig) / 2
		if size := (k.Curve.Params().BitSize + 7) / 8; len(sig) == 2*size {
			ok = ecdsa.Verify(k, sum, new(big.Int).SetBytes(sig[:half]), new(big.Int).SetBytes(sig[half:]))
		}
	case ed25519.PublicKey:
		ok = ed25519.Verify(k, data, sig)
	default:
		return errKey
	}
	if !ok {
		return errSignature
	}
	return nil
}

// digest hashes data as the algorithm does before it signs.
func digest(algorithm uint8, data []byte) (crypto.Hash, []byte) {
	switch algorithm {
	case RSASHA512:
		sum := sha512.Sum512(data)
		return crypto.SHA512, sum[:]
	case ECDSAP384SHA384:
		sum := sha512.Sum384(data)
		return crypto.SHA384, sum[:]
	default:
		sum := sha256.Sum256(data)
		return crypto.SHA256, sum[:]
	}
}
