package dnssec

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"

	"github.com/weirnet/weir/apps/dns/msg"
)

// Key signs for a zone.
type Key struct {
	msg.DNSKEY
	Zone    msg.Name
	private crypto.Signer
}

// NewKey makes a key of that algorithm for a zone. flags is msg.FlagZone, with msg.FlagSEP for a
// key that a DS points to. With a seed, the same one gives the same key, which is for tests and
// demonstrations; a nil seed gives one that nobody can guess.
func NewKey(zone msg.Name, algorithm uint8, flags uint16, seed []byte) (*Key, error) {
	k := &Key{DNSKEY: msg.DNSKEY{Flags: flags, Protocol: 3, Algorithm: algorithm}, Zone: zone.Fold()}
	var from io.Reader = rand.Reader
	if seed != nil {
		from = newSeeded(append(append([]byte{byte(flags >> 8), byte(flags), algorithm}, k.Zone...), seed...))
	}
	var err error
	switch algorithm {
	case RSASHA256, RSASHA512:
		err = k.rsa(from, seed != nil)
	case ECDSAP256SHA256:
		err = k.ecdsa(elliptic.P256(), from)
	case ECDSAP384SHA384:
		err = k.ecdsa(elliptic.P384(), from)
	case ED25519:
		k.ed25519(from)
	default:
		err = errAlgorithm
	}
	if err != nil {
		return nil, fmt.Errorf("key of algorithm %s for %s: %w", AlgorithmName(algorithm), zone, err)
	}
	return k, nil
}

// Tag returns the key's tag.
func (k *Key) Tag() uint16 { return KeyTag(k.DNSKEY) }

// RR returns the key's DNSKEY record.
func (k *Key) RR(ttl uint32) msg.RR { return msg.NewRR(k.Zone, msg.TypeDNSKEY, ttl, k.DNSKEY.Data()) }

// DS returns the DS record of the key, with SHA-256, which the parent zone has.
func (k *Key) DS(ttl uint32) msg.RR {
	ds, _ := NewDS(k.Zone, k.DNSKEY, DigestSHA256)
	return msg.NewRR(k.Zone, msg.TypeDS, ttl, ds.Data())
}

func (k *Key) ed25519(from io.Reader) {
	seed := make([]byte, ed25519.SeedSize)
	_, _ = io.ReadFull(from, seed) // neither source fails
	private := ed25519.NewKeyFromSeed(seed)
	k.private = private
	k.Key = string(private.Public().(ed25519.PublicKey))
}

// ecdsa makes a scalar below the order of the curve, and not zero, from more octets than it needs.
func (k *Key) ecdsa(curve elliptic.Curve, from io.Reader) error {
	order := curve.Params().N
	size := (curve.Params().BitSize + 7) / 8
	raw := make([]byte, size+16)
	_, _ = io.ReadFull(from, raw) // neither source fails
	d := new(big.Int).SetBytes(raw)
	d.Mod(d, new(big.Int).Sub(order, big.NewInt(1))).Add(d, big.NewInt(1))
	private, err := ecdsa.ParseRawPrivateKey(curve, d.FillBytes(make([]byte, size)))
	if err != nil {
		return err
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		return err
	}
	k.private = private
	k.Key = string(point[1:])
	return nil
}

const rsaBits = 2048

// rsa makes a key. That of the library is never the same for the same source, so that a seeded
// one is made of two primes that are looked for here.
func (k *Key) rsa(from io.Reader, seeded bool) error {
	var private *rsa.PrivateKey
	var err error
	if seeded {
		private, err = seededRSA(from)
	} else {
		private, err = rsa.GenerateKey(from, rsaBits)
	}
	if err != nil {
		return err
	}
	k.private = private
	e := big.NewInt(int64(private.E)).Bytes()
	k.Key = string([]byte{byte(len(e))}) + string(e) + string(private.N.Bytes())
	return nil
}

func seededRSA(from io.Reader) (*rsa.PrivateKey, error) {
	const e = 65537
	one := big.NewInt(1)
	for {
		p, q := seededPrime(from), seededPrime(from)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(big.NewInt(e), phi)
		if d == nil || p.Cmp(q) == 0 {
			continue
		}
		private := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: e}, D: d, Primes: []*big.Int{p, q}}
		private.Precompute()
		return private, private.Validate()
	}
}

// seededPrime returns a prime of half the bits of a modulus, its two uppermost set.
func seededPrime(from io.Reader) *big.Int {
	raw := make([]byte, rsaBits/2/8)
	_, _ = io.ReadFull(from, raw) // the source does not fail
	raw[0] |= 0xc0
	p := new(big.Int).SetBytes(raw)
	p.SetBit(p, 0, 1)
	for !p.ProbablyPrime(20) {
		p.Add(p, big.NewInt(2))
	}
	return p
}

// sign returns the signature of data as an RRSIG has it.
func (k *Key) sign(data []byte) (string, error) {
	switch private := k.private.(type) {
	case ed25519.PrivateKey:
		return string(ed25519.Sign(private, data)), nil
	case *rsa.PrivateKey:
		h, sum := digest(k.Algorithm, data)
		sig, err := rsa.SignPKCS1v15(nil, private, h, sum)
		return string(sig), err
	case *ecdsa.PrivateKey:
		return signECDSA(private, k.Algorithm, data)
	}
	return "", errAlgorithm
}

// signECDSA signs without a random number (RFC 6979): the same zone has the same signatures.
func signECDSA(private *ecdsa.PrivateKey, algorithm uint8, data []byte) (string, error) {
	h, sum := digest(algorithm, data)
	der, err := private.Sign(nil, sum, h)
	if err != nil {
		return "", err
	}
	r, s, ok := derIntegers(der)
	if !ok {
		return "", errSignature
	}
	size := (private.Curve.Params().BitSize + 7) / 8
	sig := make([]byte, 2*size)
	r.FillBytes(sig[:size])
	s.FillBytes(sig[size:])
	return string(sig), nil
}

// derIntegers reads a sequence of two integers, each of fewer than 128 octets.
func derIntegers(der []byte) (r, s *big.Int, ok bool) {
	if len(der) < 2 || der[0] != 0x30 || int(der[1]) != len(der)-2 {
		return nil, nil, false
	}
	der = der[2:]
	var v [2]*big.Int
	for i := range v {
		if len(der) < 2 || der[0] != 2 || int(der[1]) > len(der)-2 {
			return nil, nil, false
		}
		n := int(der[1])
		v[i] = new(big.Int).SetBytes(der[2 : 2+n])
		der = der[2+n:]
	}
	return v[0], v[1], len(der) == 0
}

// seeded is octets without end that follow from a seed.
type seeded struct {
	seed  []byte
	block uint64
	rest  []byte
}

func newSeeded(seed []byte) *seeded { return &seeded{seed: seed} }

func (s *seeded) Read(b []byte) (int, error) {
	for n := 0; n < len(b); {
		if len(s.rest) == 0 {
			h := hmac.New(sha256.New, s.seed)
			h.Write(binary.BigEndian.AppendUint64(nil, s.block))
			s.rest = h.Sum(nil)
			s.block++
		}
		c := copy(b[n:], s.rest)
		s.rest = s.rest[c:]
		n += c
	}
	return len(b), nil
}
