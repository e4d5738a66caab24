package dnssec

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"

	"github.com/weirnet/weir/apps/dns/msg"
)

// The digests of a DS record (RFC 8624 section 3.3). SHA-1 is read, and never made.
const (
	DigestSHA1   uint8 = 1
	DigestSHA256 uint8 = 2
	DigestSHA384 uint8 = 4
)

func digestSupported(d uint8) bool { return d == DigestSHA1 || d == DigestSHA256 || d == DigestSHA384 }

// KeyTag returns the number that helps to find a key (RFC 4034 appendix B).
func KeyTag(k msg.DNSKEY) uint16 {
	sum := uint32(k.Flags) + uint32(k.Protocol)<<8 + uint32(k.Algorithm)
	for i := range len(k.Key) {
		if i&1 == 0 {
			sum += uint32(k.Key[i]) << 8
		} else {
			sum += uint32(k.Key[i])
		}
	}
	return uint16(sum + sum>>16)
}

// NewDS returns the DS rdata of a key of that zone, and false where the digest is not known.
func NewDS(zone msg.Name, k msg.DNSKEY, digestType uint8) (msg.DS, bool) {
	data := []byte(string(zone.Fold()) + k.Data())
	ds := msg.DS{KeyTag: KeyTag(k), Algorithm: k.Algorithm, DigestType: digestType}
	switch digestType {
	case DigestSHA1:
		sum := sha1.Sum(data)
		ds.Digest = string(sum[:])
	case DigestSHA256:
		sum := sha256.Sum256(data)
		ds.Digest = string(sum[:])
	case DigestSHA384:
		sum := sha512.Sum384(data)
		ds.Digest = string(sum[:])
	default:
		return ds, false
	}
	return ds, true
}
