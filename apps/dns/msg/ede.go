package msg

import (
	"encoding/binary"
	"fmt"
)

// EDE is an extended error (RFC 8914): a code, and what there is to say beyond it.
type EDE struct {
	Code uint16
	Text string
}

// The codes of extended errors (RFC 8914 section 4 and IANA's registry of them).
const (
	EDEOther                       uint16 = 0
	EDEUnsupportedAlgorithm        uint16 = 1
	EDEUnsupportedDigest           uint16 = 2
	EDEStaleAnswer                 uint16 = 3
	EDEForgedAnswer                uint16 = 4
	EDEIndeterminate               uint16 = 5
	EDEBogus                       uint16 = 6
	EDESignatureExpired            uint16 = 7
	EDESignatureNotYetValid        uint16 = 8
	EDEDNSKEYMissing               uint16 = 9
	EDERRSIGsMissing               uint16 = 10
	EDENoZoneKeyBit                uint16 = 11
	EDENSECMissing                 uint16 = 12
	EDECachedError                 uint16 = 13
	EDENotReady                    uint16 = 14
	EDEBlocked                     uint16 = 15
	EDECensored                    uint16 = 16
	EDEFiltered                    uint16 = 17
	EDEProhibited                  uint16 = 18
	EDEStaleNXDomain               uint16 = 19
	EDENotAuthoritative            uint16 = 20
	EDENotSupported                uint16 = 21
	EDENoReachableAuthority        uint16 = 22
	EDENetworkError                uint16 = 23
	EDEInvalidData                 uint16 = 24
	EDESignatureExpiredBeforeValid uint16 = 25
	EDETooEarly                    uint16 = 26
	EDEUnsupportedNSEC3Iterations  uint16 = 27
	EDEUnableToConform             uint16 = 28
	EDESynthesized                 uint16 = 29
)

var edeNames = [...]string{
	EDEOther:                       "Other Error",
	EDEUnsupportedAlgorithm:        "Unsupported DNSKEY Algorithm",
	EDEUnsupportedDigest:           "Unsupported DS Digest Type",
	EDEStaleAnswer:                 "Stale Answer",
	EDEForgedAnswer:                "Forged Answer",
	EDEIndeterminate:               "DNSSEC Indeterminate",
	EDEBogus:                       "DNSSEC Bogus",
	EDESignatureExpired:            "Signature Expired",
	EDESignatureNotYetValid:        "Signature Not Yet Valid",
	EDEDNSKEYMissing:               "DNSKEY Missing",
	EDERRSIGsMissing:               "RRSIGs Missing",
	EDENoZoneKeyBit:                "No Zone Key Bit Set",
	EDENSECMissing:                 "NSEC Missing",
	EDECachedError:                 "Cached Error",
	EDENotReady:                    "Not Ready",
	EDEBlocked:                     "Blocked",
	EDECensored:                    "Censored",
	EDEFiltered:                    "Filtered",
	EDEProhibited:                  "Prohibited",
	EDEStaleNXDomain:               "Stale NXDomain Answer",
	EDENotAuthoritative:            "Not Authoritative",
	EDENotSupported:                "Not Supported",
	EDENoReachableAuthority:        "No Reachable Authority",
	EDENetworkError:                "Network Error",
	EDEInvalidData:                 "Invalid Data",
	EDESignatureExpiredBeforeValid: "Signature Expired before Valid",
	EDETooEarly:                    "Too Early",
	EDEUnsupportedNSEC3Iterations:  "Unsupported NSEC3 Iterations Value",
	EDEUnableToConform:             "Unable to conform to policy",
	EDESynthesized:                 "Synthesized",
}

// Name returns what the registry calls the code.
func (e EDE) Name() string {
	if int(e.Code) < len(edeNames) {
		return edeNames[e.Code]
	}
	return fmt.Sprintf("Extended Error %d", e.Code)
}

// String returns the code, its name and the text, as dig prints them.
func (e EDE) String() string {
	s := fmt.Sprintf("%d (%s)", e.Code, e.Name())
	if e.Text != "" {
		s += ": (" + printable(e.Text) + ")"
	}
	return s
}

// AddEDE adds an extended error to a message. One without EDNS cannot carry any: nothing is added,
// and so when the same code with the same text is there already.
func (m *Message) AddEDE(e EDE) {
	if m.EDNS == nil {
		return
	}
	for _, have := range m.EDE() {
		if have == e {
			return
		}
	}
	data := append(binary.BigEndian.AppendUint16(nil, e.Code), e.Text...)
	m.EDNS.Options = append(m.EDNS.Options, Option{OptionEDE, data})
}

// EDE returns the extended errors of a message. One that is too short to have a code is left out.
func (m *Message) EDE() []EDE {
	if m.EDNS == nil {
		return nil
	}
	var all []EDE
	for _, o := range m.EDNS.Options {
		if o.Code == OptionEDE && len(o.Data) >= 2 {
			all = append(all, EDE{binary.BigEndian.Uint16(o.Data), string(o.Data[2:])})
		}
	}
	return all
}
