package icmp

import "syscall"

// BSDErrno returns the error that a TCP connection gets for the kind where errors mean what they
// mean in BSD's kernels, 0 for a kind that means nothing there, and whether it is hard: whether it
// ends a connection in SYN-SENT. That is so of what tells that nobody will ever answer: a refusal,
// by the host or by a filter on the way, and a path that goes in circles. What a router says of the
// network may pass (RFC 1122 §4.2.3.9, RFC 5461 §2).
func (k Kind) BSDErrno() (err syscall.Errno, hard bool) {
	switch k {
	case FragmentationNeeded:
		return syscall.EMSGSIZE, false
	case ProtocolUnreachable, PortUnreachable, NetProhibited, HostProhibited, AdminProhibited:
		return syscall.ECONNREFUSED, true
	case NetUnreachable, HostUnreachable, SourceRouteFailed, NetUnknown, HostUnknown, HostIsolated,
		NetUnreachableTOS, HostUnreachableTOS, PrecedenceViolation, PrecedenceCutoff:
		return syscall.EHOSTUNREACH, false
	case TimeExceededTransit:
		return syscall.EHOSTUNREACH, true
	case ParameterProblem, UnrecognizedOption:
		return syscall.ENOPROTOOPT, false
	}
	return 0, false
}
