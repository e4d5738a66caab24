package wire

import "errors"

// The errors of the parsers. They are values, so that a caller may map each to a
// counter, and so that refusing a packet allocates nothing.
var (
	// ErrTruncated: fewer octets than the smallest header, or than the header says it has.
	ErrTruncated = errors.New("wire: packet shorter than its header")
	// ErrVersion: the IP version is not that of the parser.
	ErrVersion = errors.New("wire: wrong IP version")
	// ErrHeaderLength: the header's own length field is smaller than the header can be.
	ErrHeaderLength = errors.New("wire: impossible header length")
	// ErrTotalLength: a length field disagrees with the octets that are there.
	ErrTotalLength = errors.New("wire: length field disagrees with the packet")
	// ErrTCPOption: a TCP option's length is impossible.
	ErrTCPOption = errors.New("wire: malformed TCP option")
	// ErrHardware: an ARP packet for another hardware or protocol than IPv4 over Ethernet.
	ErrHardware = errors.New("wire: ARP packet not for IPv4 over Ethernet")
	// ErrICMPType: an ICMPv6 message of another type than the parser's.
	ErrICMPType = errors.New("wire: wrong ICMP type or code")
	// ErrNDPOption: a neighbor discovery option of length zero, or one that runs past the message.
	ErrNDPOption = errors.New("wire: malformed neighbor discovery option")
	// ErrNDPTarget: a neighbor discovery target that is a multicast address.
	ErrNDPTarget = errors.New("wire: neighbor discovery target is multicast")
)

// Problem is what is wrong with an IPv4 option or an IPv6 extension header. It says
// whether an ICMP Parameter Problem is due. As an error it allocates nothing.
type Problem uint8

const (
	// ProblemNone: nothing is wrong.
	ProblemNone Problem = iota
	// ProblemTruncated: a header runs past the packet's end. Nothing is sent.
	ProblemTruncated
	// ProblemHeaderField: an erroneous header field: Parameter Problem, code 0
	// (RFC 4443 §3.4; RFC 792).
	ProblemHeaderField
	// ProblemNextHeader: an unrecognized Next Header: code 1 (RFC 8200 §4).
	ProblemNextHeader
	// ProblemOptionDiscard: an unrecognized option whose type begins with 01: discard
	// the packet, send nothing (RFC 8200 §4.2).
	ProblemOptionDiscard
	// ProblemOption: an unrecognized option whose type begins with 10: discard and send
	// code 2, whether or not the destination is multicast (RFC 8200 §4.2).
	ProblemOption
	// ProblemOptionUnicast: an unrecognized option whose type begins with 11: discard,
	// and send code 2 only where the destination is not multicast (RFC 8200 §4.2).
	ProblemOptionUnicast
	// ProblemChainTooLong: the extension headers exceed MaxExtensionOctets: code 7
	// (RFC 8883 §2.4).
	ProblemChainTooLong
	// ProblemTooManyHeaders: more than MaxExtensionHeaders: code 8 (RFC 8883 §2.5).
	ProblemTooManyHeaders
	// ProblemTooManyOptions: more than MaxExtensionOptions in one header: code 9
	// (RFC 8883 §2.6).
	ProblemTooManyOptions
)

var problemText = [...]string{
	ProblemNone:           "no problem",
	ProblemTruncated:      "header runs past the packet",
	ProblemHeaderField:    "erroneous header field",
	ProblemNextHeader:     "unrecognized next header",
	ProblemOptionDiscard:  "unrecognized option, discard",
	ProblemOption:         "unrecognized option",
	ProblemOptionUnicast:  "unrecognized option, report unless multicast",
	ProblemChainTooLong:   "extension headers too long",
	ProblemTooManyHeaders: "too many extension headers",
	ProblemTooManyOptions: "too many options",
}

// String describes the problem in a few words.
func (p Problem) String() string {
	if int(p) < len(problemText) {
		return problemText[p]
	}
	return "unknown problem"
}

// Error makes a Problem an error.
func (p Problem) Error() string { return "wire: " + p.String() }

// err returns the problem as an error, nil where there is none.
func (p Problem) err() error {
	if p == ProblemNone {
		return nil
	}
	return p
}

// ParameterProblem returns the code of the ICMPv6 Parameter Problem that the problem
// calls for. ok is false where the packet is discarded in silence; the caller
// still applies RFC 4443 §2.4(e), and for a multicast destination sends only where
// the problem is ProblemOption.
func (p Problem) ParameterProblem() (code uint8, ok bool) {
	switch p {
	case ProblemHeaderField:
		return ICMPv6CodeErroneousHeader, true
	case ProblemNextHeader:
		return ICMPv6CodeUnrecognizedNextHeader, true
	case ProblemOption, ProblemOptionUnicast:
		return ICMPv6CodeUnrecognizedOption, true
	case ProblemChainTooLong:
		return ICMPv6CodeChainTooLong, true
	case ProblemTooManyHeaders:
		return ICMPv6CodeTooManyHeaders, true
	case ProblemTooManyOptions:
		return ICMPv6CodeTooManyOptions, true
	}
	return 0, false
}
