package wire

// ICMP types (RFC 792; IANA "ICMP Type Numbers").
const (
	ICMPv4EchoReply        = 0
	ICMPv4Unreachable      = 3
	ICMPv4SourceQuench     = 4 // deprecated by RFC 6633
	ICMPv4Redirect         = 5
	ICMPv4Echo             = 8
	ICMPv4RouterAdvert     = 9
	ICMPv4RouterSolicit    = 10
	ICMPv4TimeExceeded     = 11
	ICMPv4ParameterProblem = 12
	ICMPv4Timestamp        = 13
	ICMPv4TimestampReply   = 14
)

// Codes of ICMP Destination Unreachable (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1).
const (
	ICMPv4CodeNet                = 0
	ICMPv4CodeHost               = 1
	ICMPv4CodeProtocol           = 2
	ICMPv4CodePort               = 3
	ICMPv4CodeFragmentation      = 4 // fragmentation needed and DF set
	ICMPv4CodeSourceRoute        = 5
	ICMPv4CodeNetUnknown         = 6
	ICMPv4CodeHostUnknown        = 7
	ICMPv4CodeSourceIsolated     = 8
	ICMPv4CodeNetProhibited      = 9
	ICMPv4CodeHostProhibited     = 10
	ICMPv4CodeNetTOS             = 11
	ICMPv4CodeHostTOS            = 12
	ICMPv4CodeProhibited         = 13 // communication administratively prohibited
	ICMPv4CodeHostPrecedence     = 14
	ICMPv4CodePrecedenceCutoff   = 15
	ICMPv4CodeTTLExceeded        = 0 // of Time Exceeded: in transit
	ICMPv4CodeReassemblyExceeded = 1 // of Time Exceeded: fragment reassembly
	ICMPv4CodePointer            = 0 // of Parameter Problem: the pointer indicates the error
	ICMPv4CodeMissingOption      = 1 // of Parameter Problem: a required option is missing
	ICMPv4CodeBadLength          = 2 // of Parameter Problem: bad length
)

// ICMPv6 types (RFC 4443, RFC 4861, RFC 3810).
const (
	ICMPv6Unreachable      = 1
	ICMPv6PacketTooBig     = 2
	ICMPv6TimeExceeded     = 3
	ICMPv6ParameterProblem = 4
	ICMPv6Echo             = 128
	ICMPv6EchoReply        = 129
	ICMPv6MLDQuery         = 130
	ICMPv6MLDReport        = 131
	ICMPv6MLDDone          = 132
	ICMPv6RouterSolicit    = 133
	ICMPv6RouterAdvert     = 134
	ICMPv6NeighborSolicit  = 135
	ICMPv6NeighborAdvert   = 136
	ICMPv6Redirect         = 137
	ICMPv6MLDv2Report      = 143
)

// Codes of ICMPv6 Destination Unreachable (RFC 4443 §3.1).
const (
	ICMPv6CodeNoRoute        = 0
	ICMPv6CodeProhibited     = 1
	ICMPv6CodeBeyondScope    = 2
	ICMPv6CodeAddress        = 3
	ICMPv6CodePort           = 4
	ICMPv6CodeSourcePolicy   = 5
	ICMPv6CodeRejectRoute    = 6
	ICMPv6CodeSourceRouteBad = 7 // RFC 6550 §20.18
)

// Codes of ICMPv6 Time Exceeded (RFC 4443 §3.3).
const (
	ICMPv6CodeHopLimitExceeded   = 0
	ICMPv6CodeReassemblyExceeded = 1
)

// Codes of ICMPv6 Parameter Problem (RFC 4443 §3.4, RFC 7112 §5, RFC 8883 §2).
const (
	ICMPv6CodeErroneousHeader        = 0
	ICMPv6CodeUnrecognizedNextHeader = 1
	ICMPv6CodeUnrecognizedOption     = 2
	ICMPv6CodeIncompleteChain        = 3
	ICMPv6CodeIntermediateNextHeader = 5 // unrecognized by a node on the way
	ICMPv6CodeHeaderTooBig           = 6
	ICMPv6CodeChainTooLong           = 7
	ICMPv6CodeTooManyHeaders         = 8
	ICMPv6CodeTooManyOptions         = 9
	ICMPv6CodeOptionTooBig           = 10
)
