package icmp

import (
	"syscall"
	"testing"
)

func TestBSDErrors(t *testing.T) {
	for k := KindNone; k <= numKinds; k++ {
		want, end := syscall.Errno(0), false
		switch k {
		case FragmentationNeeded:
			want = syscall.EMSGSIZE
		case ProtocolUnreachable, PortUnreachable, NetProhibited, HostProhibited, AdminProhibited:
			want, end = syscall.ECONNREFUSED, true
		case TimeExceededTransit:
			want, end = syscall.EHOSTUNREACH, true
		case NetUnreachable, HostUnreachable, SourceRouteFailed, NetUnknown, HostUnknown, HostIsolated,
			NetUnreachableTOS, HostUnreachableTOS, PrecedenceViolation, PrecedenceCutoff:
			want = syscall.EHOSTUNREACH
		case ParameterProblem, UnrecognizedOption:
			want = syscall.ENOPROTOOPT
		}
		if err, hard := k.BSDErrno(); err != want || hard != end {
			t.Errorf("%v: %v, hard %v", k, err, hard)
		}
	}
}
