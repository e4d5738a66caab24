package msg

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// Type is the type of a record or of a question.
type Type uint16

// The types that have a name here; others have one in text all the same, where it is known.
const (
	TypeA          Type = 1
	TypeNS         Type = 2
	TypeMD         Type = 3
	TypeMF         Type = 4
	TypeCNAME      Type = 5
	TypeSOA        Type = 6
	TypeMB         Type = 7
	TypeMG         Type = 8
	TypeMR         Type = 9
	TypeNULL       Type = 10
	TypeWKS        Type = 11
	TypePTR        Type = 12
	TypeHINFO      Type = 13
	TypeMINFO      Type = 14
	TypeMX         Type = 15
	TypeTXT        Type = 16
	TypeRP         Type = 17
	TypeAFSDB      Type = 18
	TypeX25        Type = 19
	TypeISDN       Type = 20
	TypeRT         Type = 21
	TypeNSAPPTR    Type = 23
	TypeSIG        Type = 24
	TypeKEY        Type = 25
	TypePX         Type = 26
	TypeAAAA       Type = 28
	TypeLOC        Type = 29
	TypeNXT        Type = 30
	TypeSRV        Type = 33
	TypeNAPTR      Type = 35
	TypeKX         Type = 36
	TypeCERT       Type = 37
	TypeDNAME      Type = 39
	TypeOPT        Type = 41
	TypeAPL        Type = 42
	TypeDS         Type = 43
	TypeSSHFP      Type = 44
	TypeIPSECKEY   Type = 45
	TypeRRSIG      Type = 46
	TypeNSEC       Type = 47
	TypeDNSKEY     Type = 48
	TypeDHCID      Type = 49
	TypeNSEC3      Type = 50
	TypeNSEC3PARAM Type = 51
	TypeTLSA       Type = 52
	TypeSMIMEA     Type = 53
	TypeHIP        Type = 55
	TypeTALINK     Type = 58
	TypeCDS        Type = 59
	TypeCDNSKEY    Type = 60
	TypeOPENPGPKEY Type = 61
	TypeCSYNC      Type = 62
	TypeZONEMD     Type = 63
	TypeSVCB       Type = 64
	TypeHTTPS      Type = 65
	TypeSPF        Type = 99
	TypeLP         Type = 107
	TypeEUI48      Type = 108
	TypeEUI64      Type = 109
	TypeNXNAME     Type = 128
	TypeTKEY       Type = 249
	TypeTSIG       Type = 250
	TypeIXFR       Type = 251
	TypeAXFR       Type = 252
	TypeMAILB      Type = 253
	TypeMAILA      Type = 254
	TypeANY        Type = 255
	TypeURI        Type = 256
	TypeCAA        Type = 257
	TypeAMTRELAY   Type = 260
)

// String returns the type's mnemonic, or TYPE and its number (RFC 3597 section 5).
func (t Type) String() string {
	if s, ok := dns.TypeToString[uint16(t)]; ok && t != 0 && t != 65535 {
		return s
	}
	return "TYPE" + strconv.Itoa(int(t))
}

// ParseType reads a type as String writes it, in any case.
func ParseType(s string) (Type, error) {
	u := strings.ToUpper(s)
	if t, ok := dns.StringToType[u]; ok && t != 0 && t != 65535 {
		return Type(t), nil
	}
	n, err := parseNumbered(u, "TYPE")
	if err != nil {
		return 0, fmt.Errorf("%q is no type of DNS record: write a mnemonic such as AAAA, or TYPE and a number up to 65535", s)
	}
	return Type(n), nil
}

func parseNumbered(s, prefix string) (uint16, error) {
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok || digits == "" || !isDigit(digits[0]) {
		return 0, strconv.ErrSyntax
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	return uint16(n), err
}

// Meta reports whether t is of questions and messages only, and never of data in a zone
// (RFC 6895 section 3.1).
func (t Type) Meta() bool { return t == 0 || t == TypeOPT || t >= 128 && t <= 255 }

// Class is the class of a record or of a question.
type Class uint16

// The classes (RFC 6895 section 3.2).
const (
	ClassINET   Class = 1
	ClassCHAOS  Class = 3
	ClassHESIOD Class = 4
	ClassNONE   Class = 254
	ClassANY    Class = 255
)

var classNames = map[Class]string{
	ClassINET: "IN", ClassCHAOS: "CH", ClassHESIOD: "HS", ClassNONE: "NONE", ClassANY: "ANY",
}

// String returns the class's mnemonic, or CLASS and its number (RFC 3597 section 5).
func (c Class) String() string {
	if s, ok := classNames[c]; ok {
		return s
	}
	return "CLASS" + strconv.Itoa(int(c))
}

// ParseClass reads a class as String writes it, in any case.
func ParseClass(s string) (Class, error) {
	u := strings.ToUpper(s)
	for c, name := range classNames {
		if u == name {
			return c, nil
		}
	}
	n, err := parseNumbered(u, "CLASS")
	if err != nil {
		return 0, fmt.Errorf("%q is no class of DNS record: write IN, CH, HS, NONE, ANY, or CLASS and a number up to 65535", s)
	}
	return Class(n), nil
}
