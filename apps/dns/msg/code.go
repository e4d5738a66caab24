package msg

import "strconv"

// Rcode is how a query went: with EDNS, twelve bits (RFC 6895 section 2.3).
type Rcode uint16

// The response codes. Those from RcodeBadKey to RcodeBadTrunc are TSIG's own, and so is 16 in
// a TSIG record, where it means BADSIG.
const (
	RcodeSuccess        Rcode = 0
	RcodeFormatError    Rcode = 1
	RcodeServerFailure  Rcode = 2
	RcodeNameError      Rcode = 3
	RcodeNotImplemented Rcode = 4
	RcodeRefused        Rcode = 5
	RcodeYXDomain       Rcode = 6
	RcodeYXRRSet        Rcode = 7
	RcodeNXRRSet        Rcode = 8
	RcodeNotAuth        Rcode = 9
	RcodeNotZone        Rcode = 10
	RcodeDSOTypeNI      Rcode = 11
	RcodeBadVers        Rcode = 16
	RcodeBadKey         Rcode = 17
	RcodeBadTime        Rcode = 18
	RcodeBadMode        Rcode = 19
	RcodeBadName        Rcode = 20
	RcodeBadAlg         Rcode = 21
	RcodeBadTrunc       Rcode = 22
	RcodeBadCookie      Rcode = 23
)

// RcodeBadSig is what 16 means in the error field of a TSIG record (RFC 8945 section 3).
const RcodeBadSig = RcodeBadVers

var rcodeNames = map[Rcode]string{
	RcodeSuccess:        "NOERROR",
	RcodeFormatError:    "FORMERR",
	RcodeServerFailure:  "SERVFAIL",
	RcodeNameError:      "NXDOMAIN",
	RcodeNotImplemented: "NOTIMP",
	RcodeRefused:        "REFUSED",
	RcodeYXDomain:       "YXDOMAIN",
	RcodeYXRRSet:        "YXRRSET",
	RcodeNXRRSet:        "NXRRSET",
	RcodeNotAuth:        "NOTAUTH",
	RcodeNotZone:        "NOTZONE",
	RcodeDSOTypeNI:      "DSOTYPENI",
	RcodeBadVers:        "BADVERS",
	RcodeBadKey:         "BADKEY",
	RcodeBadTime:        "BADTIME",
	RcodeBadMode:        "BADMODE",
	RcodeBadName:        "BADNAME",
	RcodeBadAlg:         "BADALG",
	RcodeBadTrunc:       "BADTRUNC",
	RcodeBadCookie:      "BADCOOKIE",
}

// String returns the code's mnemonic, or RCODE and its number.
func (r Rcode) String() string {
	if s, ok := rcodeNames[r]; ok {
		return s
	}
	return "RCODE" + strconv.Itoa(int(r))
}

// Opcode is what kind of query a message is.
type Opcode uint8

// The opcodes (RFC 6895 section 2.2).
const (
	OpcodeQuery  Opcode = 0
	OpcodeIQuery Opcode = 1
	OpcodeStatus Opcode = 2
	OpcodeNotify Opcode = 4
	OpcodeUpdate Opcode = 5
	OpcodeDSO    Opcode = 6
)

var opcodeNames = map[Opcode]string{
	OpcodeQuery: "QUERY", OpcodeIQuery: "IQUERY", OpcodeStatus: "STATUS",
	OpcodeNotify: "NOTIFY", OpcodeUpdate: "UPDATE", OpcodeDSO: "DSO",
}

// String returns the opcode's mnemonic, or OPCODE and its number.
func (o Opcode) String() string {
	if s, ok := opcodeNames[o]; ok {
		return s
	}
	return "OPCODE" + strconv.Itoa(int(o))
}
