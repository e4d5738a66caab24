package msg

import "encoding/binary"

// RRSIG is the rdata of an RRSIG record (RFC 4034 section 3).
type RRSIG struct {
	Covered               Type
	Algorithm, Labels     uint8
	OrigTTL               uint32 // seconds
	Expiration, Inception uint32 // seconds since 1970, compared as serial numbers (RFC 1982)
	KeyTag                uint16
	Signer                Name
	Signature             string // octets
}

// RRSIG returns the record's rdata, and false if it is none of an RRSIG.
func (r RR) RRSIG() (RRSIG, bool) {
	if r.Type != TypeRRSIG {
		return RRSIG{}, false
	}
	return ParseRRSIG(r.Data)
}

// ParseRRSIG reads rdata, as RRset.Sigs has it.
func ParseRRSIG(d string) (RRSIG, bool) {
	if len(d) < 19 {
		return RRSIG{}, false
	}
	signer, at := nameAt(d, 18)
	if signer == "" {
		return RRSIG{}, false
	}
	return RRSIG{Covered: Type(be16(d)), Algorithm: d[2], Labels: d[3], OrigTTL: be32(d[4:]), Expiration: be32(d[8:]),
		Inception: be32(d[12:]), KeyTag: be16(d[16:]), Signer: signer, Signature: d[at:]}, true
}

// Data returns the rdata in wire form.
func (s RRSIG) Data() string {
	b := binary.BigEndian.AppendUint16(nil, uint16(s.Covered))
	b = append(b, s.Algorithm, s.Labels)
	b = binary.BigEndian.AppendUint32(b, s.OrigTTL)
	b = binary.BigEndian.AppendUint32(b, s.Expiration)
	b = binary.BigEndian.AppendUint32(b, s.Inception)
	b = binary.BigEndian.AppendUint16(b, s.KeyTag)
	return string(append(append(b, s.Signer...), s.Signature...))
}

// DNSKEY is the rdata of a DNSKEY record (RFC 4034 section 2).
type DNSKEY struct {
	Flags               uint16
	Protocol, Algorithm uint8
	Key                 string // octets
}

// The flags of a DNSKEY.
const (
	FlagZone   uint16 = 1 << 8 // a key of a zone, the only kind that signs (RFC 4034 section 2.1.1)
	FlagRevoke uint16 = 1 << 7 // RFC 5011 section 3
	FlagSEP    uint16 = 1      // a key that a DS may point to (RFC 3757)
)

// DNSKEY returns the rdata of a DNSKEY or CDNSKEY record, and false if it is none.
func (r RR) DNSKEY() (DNSKEY, bool) {
	if r.Type != TypeDNSKEY && r.Type != TypeCDNSKEY || len(r.Data) < 4 {
		return DNSKEY{}, false
	}
	d := r.Data
	return DNSKEY{Flags: be16(d), Protocol: d[2], Algorithm: d[3], Key: d[4:]}, true
}

// Data returns the rdata in wire form.
func (k DNSKEY) Data() string {
	b := binary.BigEndian.AppendUint16(nil, k.Flags)
	return string(append(b, k.Protocol, k.Algorithm)) + k.Key
}

// DS is the rdata of a DS record (RFC 4034 section 5).
type DS struct {
	KeyTag                uint16
	Algorithm, DigestType uint8
	Digest                string // octets
}

// DS returns the rdata of a DS or CDS record, and false if it is none.
func (r RR) DS() (DS, bool) {
	if r.Type != TypeDS && r.Type != TypeCDS || len(r.Data) < 4 {
		return DS{}, false
	}
	d := r.Data
	return DS{KeyTag: be16(d), Algorithm: d[2], DigestType: d[3], Digest: d[4:]}, true
}

// Data returns the rdata in wire form.
func (s DS) Data() string {
	return string(append(binary.BigEndian.AppendUint16(nil, s.KeyTag), s.Algorithm, s.DigestType)) + s.Digest
}

// NSEC is the rdata of an NSEC record (RFC 4034 section 4).
type NSEC struct {
	Next  Name
	Types TypeSet
}

// NSEC returns the record's rdata, and false if it is none of an NSEC.
func (r RR) NSEC() (NSEC, bool) {
	if r.Type != TypeNSEC {
		return NSEC{}, false
	}
	n, at := nameAt(r.Data, 0)
	return NSEC{n, TypeSet(r.Data[at:])}, n != ""
}

// Data returns the rdata in wire form.
func (n NSEC) Data() string { return string(n.Next) + string(n.Types) }

// NSEC3 is the rdata of an NSEC3 record (RFC 5155 section 3).
type NSEC3 struct {
	Hash, Flags uint8
	Iterations  uint16
	Salt, Next  string // octets; Next is a hash
	Types       TypeSet
}

// FlagOptOut in an NSEC3 says that unsigned delegations may be in its span (RFC 5155 section 3.1.2.1).
const FlagOptOut uint8 = 1

// NSEC3 returns the record's rdata, and false if it is none of an NSEC3.
func (r RR) NSEC3() (NSEC3, bool) {
	d := r.Data
	if r.Type != TypeNSEC3 || len(d) < 5 || len(d) < 6+int(d[4]) {
		return NSEC3{}, false
	}
	n := NSEC3{Hash: d[0], Flags: d[1], Iterations: be16(d[2:]), Salt: d[5 : 5+int(d[4])]}
	d = d[5+int(d[4]):]
	if len(d) < 1+int(d[0]) {
		return NSEC3{}, false
	}
	n.Next, n.Types = d[1:1+int(d[0])], TypeSet(d[1+int(d[0]):])
	return n, true
}

// Data returns the rdata in wire form.
func (n NSEC3) Data() string {
	b := binary.BigEndian.AppendUint16([]byte{n.Hash, n.Flags}, n.Iterations)
	b = append(append(b, byte(len(n.Salt))), n.Salt...)
	b = append(append(b, byte(len(n.Next))), n.Next...)
	return string(append(b, n.Types...))
}

// NSEC3PARAM is the rdata of an NSEC3PARAM record (RFC 5155 section 4).
type NSEC3PARAM struct {
	Hash, Flags uint8
	Iterations  uint16
	Salt        string // octets
}

// NSEC3PARAM returns the record's rdata, and false if it is none of an NSEC3PARAM.
func (r RR) NSEC3PARAM() (NSEC3PARAM, bool) {
	d := r.Data
	if r.Type != TypeNSEC3PARAM || len(d) < 5 || len(d) != 5+int(d[4]) {
		return NSEC3PARAM{}, false
	}
	return NSEC3PARAM{Hash: d[0], Flags: d[1], Iterations: be16(d[2:]), Salt: d[5:]}, true
}

// Data returns the rdata in wire form.
func (n NSEC3PARAM) Data() string {
	b := binary.BigEndian.AppendUint16([]byte{n.Hash, n.Flags}, n.Iterations)
	return string(append(append(b, byte(len(n.Salt))), n.Salt...))
}
