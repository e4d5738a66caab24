package icmp

import (
	"syscall"
	"testing"
)

func TestKindsAndMessagesMatch(t *testing.T) {
	names := map[string]bool{}
	for k := KindNone + 1; k < numKinds; k++ {
		if k.String() == "" || names[k.String()] {
			t.Errorf("kind %d: name %q is empty or taken", k, k)
		}
		names[k.String()] = true
		n := 0
		for _, version := range []uint8{4, 6} {
			typ, code, ok := k.TypeCode(version)
			if !ok {
				continue
			}
			n++
			if got, ok := KindOf(version, typ, code); !ok || got != k {
				t.Errorf("%v over IPv%d is %d/%d, and that is %v", k, version, typ, code, got)
			}
		}
		if n == 0 {
			t.Errorf("%v has no message", k)
		}
		if _, ok := KindOf(4, none, 0); ok {
			t.Error("the mark for no message is a message")
		}
	}
	if numKinds.String() != "unknown" {
		t.Error("a kind that does not exist has a name")
	}
	if _, _, ok := numKinds.TypeCode(4); ok {
		t.Error("a kind that does not exist has a message")
	}
}

func TestUnknownCodesAndTypes(t *testing.T) {
	tests := []struct {
		version, typ, code uint8
		want               Kind
	}{
		{4, 3, 99, HostUnreachable}, {6, 1, 99, HostUnreachable}, {6, 2, 7, PacketTooBig}, // RFC 4443 §3.2: code ignored
		{4, 11, 9, TimeExceededTransit}, {6, 4, 99, ParameterProblem}, {4, 12, 2, ParameterProblem},
		{4, 4, 0, KindNone}, {4, 5, 0, KindNone}, {6, 137, 0, KindNone}, {4, 8, 0, KindNone}, {6, 128, 0, KindNone}, {6, 100, 0, KindNone},
	}
	for _, tt := range tests {
		if got, ok := KindOf(tt.version, tt.typ, tt.code); got != tt.want || ok != (tt.want != KindNone) {
			t.Errorf("IPv%d %d/%d: %v, want %v", tt.version, tt.typ, tt.code, got, tt.want)
		}
	}
}

// The errors are those of Linux: icmp_err_convert in net/ipv4/icmp.c,
// icmpv6_err_convert in net/ipv6/icmp.c.
func TestErrnoIsLinuxs(t *testing.T) {
	tests := []struct {
		version, typ, code uint8
		err                syscall.Errno
		hard               bool
	}{
		{4, 3, 0, syscall.ENETUNREACH, false}, {4, 3, 1, syscall.EHOSTUNREACH, false}, {4, 3, 2, syscall.ENOPROTOOPT, true},
		{4, 3, 3, syscall.ECONNREFUSED, true}, {4, 3, 4, syscall.EMSGSIZE, false}, {4, 3, 5, syscall.EOPNOTSUPP, false},
		{4, 3, 6, syscall.ENETUNREACH, true}, {4, 3, 7, syscall.EHOSTDOWN, true}, {4, 3, 8, syscall.ENONET, true},
		{4, 3, 9, syscall.ENETUNREACH, true}, {4, 3, 10, syscall.EHOSTUNREACH, true}, {4, 3, 11, syscall.ENETUNREACH, false},
		{4, 3, 12, syscall.EHOSTUNREACH, false}, {4, 3, 13, syscall.EHOSTUNREACH, true}, {4, 3, 14, syscall.EHOSTUNREACH, true},
		{4, 3, 15, syscall.EHOSTUNREACH, true}, {4, 11, 0, syscall.EHOSTUNREACH, false}, {4, 11, 1, syscall.EHOSTUNREACH, false},
		{4, 12, 0, syscall.EPROTO, true},
		{6, 1, 0, syscall.ENETUNREACH, false}, {6, 1, 1, syscall.EACCES, true}, {6, 1, 2, syscall.EHOSTUNREACH, false},
		{6, 1, 3, syscall.EHOSTUNREACH, false}, {6, 1, 4, syscall.ECONNREFUSED, true}, {6, 1, 5, syscall.EACCES, true},
		{6, 1, 6, syscall.EACCES, true}, {6, 2, 0, syscall.EMSGSIZE, false}, {6, 3, 0, syscall.EHOSTUNREACH, false},
		{6, 3, 1, syscall.EHOSTUNREACH, false}, {6, 4, 0, syscall.EPROTO, true}, {6, 4, 1, syscall.EPROTO, true},
		{6, 4, 2, syscall.EPROTO, true}, {6, 4, 3, syscall.EPROTO, true},
	}
	for _, tt := range tests {
		k, _ := KindOf(tt.version, tt.typ, tt.code)
		r := Report{Kind: k, Version: tt.version}
		if err, hard := r.Errno(); err != tt.err || hard != tt.hard {
			t.Errorf("IPv%d %d/%d (%v): %v, hard %v; want %v, %v", tt.version, tt.typ, tt.code, k, err, hard, tt.err, tt.hard)
		}
	}
	if err, hard := KindNone.Errno(4); err != 0 || hard {
		t.Error("no kind has an error")
	}
}
