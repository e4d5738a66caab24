package icmp

import (
	"github.com/weirnet/weir/stack/ip"
	"github.com/weirnet/weir/stack/wire"
)

// Kind is what an ICMP error says, the same for both families. Not every kind has a
// message in both: see TypeCode.
type Kind uint8

// The kinds of error (RFC 792, RFC 1122 §3.2.2, RFC 1812 §5.2.7, RFC 4443 §3).
const (
	KindNone               Kind = iota
	NetUnreachable              // no route to the destination
	HostUnreachable             // address unreachable: nobody answers there
	ProtocolUnreachable         // IPv6: unrecognised next header, whose offset is the argument
	PortUnreachable             // nobody listens
	FragmentationNeeded         // packet too big; the next link's MTU is the argument
	SourceRouteFailed           // IPv4
	NetUnknown                  // IPv4
	HostUnknown                 // IPv4
	HostIsolated                // IPv4
	NetProhibited               // IPv4
	HostProhibited              // IPv4
	NetUnreachableTOS           // IPv4
	HostUnreachableTOS          // IPv4
	AdminProhibited             // forbidden by a filter
	PrecedenceViolation         // IPv4
	PrecedenceCutoff            // IPv4
	BeyondScope                 // IPv6: beyond scope of source address
	PolicyFailed                // IPv6: source address failed ingress or egress policy
	RejectRoute                 // IPv6: reject route to destination
	TimeExceededTransit         // TTL or hop limit used up
	TimeExceededReassembly      // fragments did not all come in time
	ParameterProblem            // erroneous header field, whose offset is the argument
	UnrecognizedOption          // IPv6 option, whose offset is the argument
	IncompleteHeaderChain       // IPv6: first fragment without all headers (RFC 7112)
	HeaderChainTooLong          // IPv6: extension headers too long (RFC 8883)
	TooManyHeaders              // IPv6: too many extension headers (RFC 8883)
	TooManyOptions              // IPv6: too many options in a header (RFC 8883)

	numKinds
)

// FragmentationNeeded and PacketTooBig are the same, by their IPv4 and IPv6 names.
const PacketTooBig = FragmentationNeeded

// ForProblem returns the kind and argument of the parameter problem that the sender
// of p is due for p.Problem; ok is false where it is due none. MayError must still
// be asked.
func ForProblem(p *ip.Packet) (k Kind, arg uint32, ok bool) {
	switch p.Problem.Kind {
	case ip.ProblemNone, ip.ProblemSilent:
		return KindNone, 0, false
	case ip.ProblemReportUnicast:
		if p.Dst.IsMulticast() { // RFC 8200 §4.2, action 11
			return KindNone, 0, false
		}
	}
	switch p.Problem.Code {
	case wire.ICMPv6CodeUnrecognizedNextHeader:
		k = ProtocolUnreachable
	case wire.ICMPv6CodeUnrecognizedOption:
		k = UnrecognizedOption
	case wire.ICMPv6CodeIncompleteChain:
		k = IncompleteHeaderChain
	case wire.ICMPv6CodeChainTooLong:
		k = HeaderChainTooLong
	case wire.ICMPv6CodeTooManyHeaders:
		k = TooManyHeaders
	case wire.ICMPv6CodeTooManyOptions:
		k = TooManyOptions
	default:
		k = ParameterProblem
	}
	return k, p.Problem.Pointer, true
}

// ForForward returns the error that the sender of a packet that was not forwarded is
// due; ok is false where it is due none.
func ForForward(r ip.ForwardResult) (k Kind, ok bool) {
	switch r {
	case ip.ForwardHopLimit:
		return TimeExceededTransit, true
	case ip.ForwardScope:
		return BeyondScope, true
	}
	return KindNone, false
}
