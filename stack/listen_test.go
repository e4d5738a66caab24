package stack_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/weirnet/weir/stack"
)

// wildcards is what package net of Go 1.26 does on Linux: the address that it listens on, and which families' connections
// and datagrams it gets there. No address is an error.
var wildcards = []struct {
	family, host, local string
	v4, v6              bool
}{
	{"", "", "::", true, true}, {"4", "", "0.0.0.0", true, false}, {"6", "", "::", false, true},
	{"", "0.0.0.0", "::", true, true}, {"4", "0.0.0.0", "0.0.0.0", true, false}, {"6", "0.0.0.0", "", false, false},
	{"", "::", "::", true, true}, {"4", "::", "0.0.0.0", true, false}, {"6", "::", "::", false, true},
	{"", "::ffff:0.0.0.0", "::", true, true}, {"4", "::ffff:0.0.0.0", "0.0.0.0", true, false}, {"6", "::ffff:0.0.0.0", "", false, false},
	{"", "127.0.0.1", "127.0.0.1", true, false}, {"4", "127.0.0.1", "127.0.0.1", true, false}, {"6", "127.0.0.1", "", false, false},
	{"", "::1", "::1", false, true}, {"4", "::1", "", false, false}, {"6", "::1", "::1", false, true},
	{"", "::ffff:127.0.0.1", "127.0.0.1", true, false}, {"4", "::ffff:127.0.0.1", "127.0.0.1", true, false}, {"6", "::ffff:127.0.0.1", "", false, false},
}

func TestListenersGetTheFamiliesThatPackageNetGivesThem(t *testing.T) {
	s := newStack(t, nil, nil, stack.Config{})
	for _, c := range wildcards {
		at := net.JoinHostPort(c.host, "0")
		ln, err := s.Listen("tcp"+c.family, at)
		wantWildcard(t, s, "tcp", c.family, at, c.local, c.v4, c.v6, err, func() (net.Addr, func() error) { return ln.Addr(), ln.Close })
		pc, err := s.ListenPacket("udp"+c.family, at)
		wantWildcard(t, s, "udp", c.family, at, c.local, c.v4, c.v6, err, func() (net.Addr, func() error) {
			go echo(pc)
			return pc.LocalAddr(), pc.Close
		})
	}
}

// echo returns what comes, until pc is closed.
func echo(pc net.PacketConn) {
	for b := make([]byte, 10); ; {
		n, from, err := pc.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		pc.WriteTo(b[:n], from)
	}
}

func wantWildcard(t *testing.T, s *stack.Stack, proto, family, at, local string, v4, v6 bool, err error, open func() (net.Addr, func() error)) {
	t.Helper()
	var op *net.OpError
	if err != nil || local == "" {
		if local != "" || !errors.As(err, &op) {
			t.Errorf("%s%s %s: error %v, want to listen on %q", proto, family, at, err, local)
		}
		return
	}
	addr, end := open()
	defer end()
	host, port, _ := net.SplitHostPort(addr.String())
	if host != local {
		t.Errorf("%s%s %s: listens on %s, want %s", proto, family, at, host, local)
	}
	for ip, want := range map[string]bool{"127.0.0.1": v4, "::1": v6} {
		if got := reached(t, s, proto, net.JoinHostPort(ip, port)); got != want {
			t.Errorf("%s%s %s: reached by %s is %v, want %v", proto, family, at, ip, got, want)
		}
	}
}

// reached reports whether somebody listens there: the other answer is a refusal.
func reached(t *testing.T, s *stack.Stack, proto, to string) bool {
	t.Helper()
	c, err := s.Dial(proto, to)
	if err == nil {
		defer c.Close()
		if proto == "udp" {
			c.SetDeadline(time.Now().Add(30 * time.Second))
			c.Write([]byte("x"))
			_, err = c.Read(make([]byte, 1))
		}
	}
	if err != nil {
		wantErrno(t, err, syscall.ECONNREFUSED)
	}
	return err == nil
}
