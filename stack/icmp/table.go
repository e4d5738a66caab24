package icmp

import (
	"syscall"

	"github.com/weirnet/weir/stack/wire"
)

// none marks a kind that a family has no message for.
const none = 0xff

// meaning is a kind's name, its message in each family and the error that a socket
// gets for it, as Linux has them in icmp_err_convert and icmpv6_err_convert. A hard
// error ends what it hits; a soft one may pass (RFC 1122 §4.2.3.9).
type meaning struct {
	name         string
	type4, code4 uint8
	type6, code6 uint8
	errno4       syscall.Errno
	hard4        bool
	errno6       syscall.Errno
	hard6        bool
}

var meanings = [numKinds]meaning{
	KindNone:               {"none", none, 0, none, 0, 0, false, 0, false},
	NetUnreachable:         {"network unreachable", 3, 0, 1, 0, syscall.ENETUNREACH, false, syscall.ENETUNREACH, false},
	HostUnreachable:        {"host unreachable", 3, 1, 1, 3, syscall.EHOSTUNREACH, false, syscall.EHOSTUNREACH, false},
	ProtocolUnreachable:    {"protocol unreachable", 3, 2, 4, 1, syscall.ENOPROTOOPT, true, syscall.EPROTO, true},
	PortUnreachable:        {"port unreachable", 3, 3, 1, 4, syscall.ECONNREFUSED, true, syscall.ECONNREFUSED, true},
	FragmentationNeeded:    {"packet too big", 3, 4, 2, 0, syscall.EMSGSIZE, false, syscall.EMSGSIZE, false},
	SourceRouteFailed:      {"source route failed", 3, 5, none, 0, syscall.EOPNOTSUPP, false, syscall.EPROTO, true},
	NetUnknown:             {"network unknown", 3, 6, none, 0, syscall.ENETUNREACH, true, syscall.EPROTO, true},
	HostUnknown:            {"host unknown", 3, 7, none, 0, syscall.EHOSTDOWN, true, syscall.EPROTO, true},
	HostIsolated:           {"source host isolated", 3, 8, none, 0, syscall.ENONET, true, syscall.EPROTO, true},
	NetProhibited:          {"network prohibited", 3, 9, none, 0, syscall.ENETUNREACH, true, syscall.EPROTO, true},
	HostProhibited:         {"host prohibited", 3, 10, none, 0, syscall.EHOSTUNREACH, true, syscall.EPROTO, true},
	NetUnreachableTOS:      {"network unreachable for type of service", 3, 11, none, 0, syscall.ENETUNREACH, false, syscall.EPROTO, true},
	HostUnreachableTOS:     {"host unreachable for type of service", 3, 12, none, 0, syscall.EHOSTUNREACH, false, syscall.EPROTO, true},
	AdminProhibited:        {"administratively prohibited", 3, 13, 1, 1, syscall.EHOSTUNREACH, true, syscall.EACCES, true},
	PrecedenceViolation:    {"host precedence violation", 3, 14, none, 0, syscall.EHOSTUNREACH, true, syscall.EPROTO, true},
	PrecedenceCutoff:       {"precedence cutoff in effect", 3, 15, none, 0, syscall.EHOSTUNREACH, true, syscall.EPROTO, true},
	BeyondScope:            {"beyond scope of source address", none, 0, 1, 2, syscall.EHOSTUNREACH, false, syscall.EHOSTUNREACH, false},
	PolicyFailed:           {"source address failed policy", none, 0, 1, 5, syscall.EHOSTUNREACH, true, syscall.EACCES, true},
	RejectRoute:            {"reject route to destination", none, 0, 1, 6, syscall.EHOSTUNREACH, true, syscall.EACCES, true},
	TimeExceededTransit:    {"time to live exceeded", 11, 0, 3, 0, syscall.EHOSTUNREACH, false, syscall.EHOSTUNREACH, false},
	TimeExceededReassembly: {"reassembly time exceeded", 11, 1, 3, 1, syscall.EHOSTUNREACH, false, syscall.EHOSTUNREACH, false},
	ParameterProblem:       {"parameter problem", 12, 0, 4, 0, syscall.EPROTO, true, syscall.EPROTO, true},
	UnrecognizedOption:     {"unrecognized option", none, 0, 4, 2, syscall.EPROTO, true, syscall.EPROTO, true},
	IncompleteHeaderChain:  {"first fragment has incomplete header chain", none, 0, 4, 3, syscall.EPROTO, true, syscall.EPROTO, true},
	HeaderChainTooLong:     {"extension header chain too long", none, 0, 4, 7, syscall.EPROTO, true, syscall.EPROTO, true},
	TooManyHeaders:         {"too many extension headers", none, 0, 4, 8, syscall.EPROTO, true, syscall.EPROTO, true},
	TooManyOptions:         {"too many options", none, 0, 4, 9, syscall.EPROTO, true, syscall.EPROTO, true},
}

// String returns what the error says, in a few words.
func (k Kind) String() string {
	if k < numKinds {
		return meanings[k].name
	}
	return "unknown"
}

// TypeCode returns the ICMP type and code of the kind for IP version 4 or 6. ok is
// false where that family has no such message.
func (k Kind) TypeCode(version uint8) (typ, code uint8, ok bool) {
	if k >= numKinds {
		return 0, 0, false
	}
	m := &meanings[k]
	if version == 4 {
		return m.type4, m.code4, m.type4 != none
	}
	return m.type6, m.code6, m.type6 != none
}

// KindOf returns the kind of a received message. A code that is not known stands
// for its type's most general kind; a type that is no error, or one to be ignored
// (source quench, RFC 6633 §3; redirects), gives false.
func KindOf(version, typ, code uint8) (Kind, bool) {
	general := KindNone
	for k := KindNone + 1; k < numKinds; k++ {
		t, c, ok := k.TypeCode(version)
		if !ok || t != typ {
			continue
		}
		if c == code {
			return k, true
		}
		if general == KindNone {
			general = k
		}
	}
	return generalKind(version, typ, general)
}

// generalKind is what an unknown code of a known type is taken for.
func generalKind(version, typ uint8, first Kind) (Kind, bool) {
	switch {
	case first == KindNone:
		return KindNone, false
	case version == 4 && typ == wire.ICMPv4Unreachable, version == 6 && typ == wire.ICMPv6Unreachable:
		return HostUnreachable, true
	case version == 6 && typ == wire.ICMPv6ParameterProblem:
		return ParameterProblem, true
	}
	return first, true
}

// Errno returns the error that a socket gets for the kind, told over IP version 4 or
// 6, and whether it is hard: whether a connectionless socket reports it unasked
// and a connection in the making ends by it. It is Linux's icmp_err_convert and
// icmpv6_err_convert. A kind that the family has no message for gives what Linux
// gives for a code that it does not know.
func (k Kind) Errno(version uint8) (err syscall.Errno, hard bool) {
	if k == KindNone || k >= numKinds {
		return 0, false
	}
	m := &meanings[k]
	if version == 4 {
		return m.errno4, m.hard4
	}
	return m.errno6, m.hard6
}
