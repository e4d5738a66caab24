package script

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
	"github.com/weirnet/weir/stack/socket"
)

// optionOf is what setsockopt and getsockopt begin with: the descriptor, and the level and the name of the option.
func (r *runner) optionOf(c *ast.Syscall) (fd int, e *endpoint, option []int, err error) {
	if err = argCount(c, 5); err == nil {
		fd, e, err = r.live(c, 0)
	}
	if err == nil {
		option, err = r.ints(c, 1, 2)
	}
	return fd, e, option, err
}

func (r *runner) callSetsockopt(c *ast.Syscall) (*invocation, error) {
	fd, e, v, err := r.optionOf(c)
	if err != nil {
		return nil, err
	}
	if v[1] == tcpFunctionBlk {
		return r.functionBlock(c)
	}
	b, err := r.optionValue(c.Args[3])
	if err != nil {
		return nil, err
	}
	if e != nil && e.typ == socket.SOCK_STREAM && asksForErrors(v[0], v[1], b) && r.opt.Backend == nil {
		return nil, skipf("needs the error queue of a TCP socket")
	}
	if !isEllipsis(c.Args[4]) {
		n, err := r.bracketed(c.Args[4])
		if err != nil {
			return nil, err
		}
		if n < 0 || n > maxBuffer {
			return nil, skipf("passes an option of %d octets", n)
		}
		more, err := r.octets(max(0, n-int64(len(b))))
		if err != nil {
			return nil, err
		}
		b = append(b, more...)[:n]
	}
	return &invocation{do: func() (int, error) { return done(r.b.Calls().Setsockopt(fd, v[0], v[1], b)) }}, nil
}

// asksForErrors reports whether an option turns the error queue on. On a TCP socket it also changes
// which errors of ICMP end a connection.
func asksForErrors(level, name int, value []byte) bool {
	on := len(value) >= 4 && binary.NativeEndian.Uint32(value) != 0
	return on && (level == socket.SOL_IP && name == socket.IP_RECVERR || level == socket.SOL_IPV6 && name == socket.IPV6_RECVERR)
}

// functionBlock answers FreeBSD's choice of a TCP implementation: its own is the one whose
// behaviour the profile has.
func (r *runner) functionBlock(c *ast.Syscall) (*invocation, error) {
	if s, ok := c.Args[3].(*ast.Struct); ok {
		if name, ok := s.Field("function_set_name").(*ast.String); ok && name.Value == "freebsd" {
			return &invocation{do: func() (int, error) { return 0, nil }}, nil
		}
	}
	return nil, skipf("needs FreeBSD's RACK or BBR implementation of TCP")
}

// optionValue is the octets of an option's value.
func (r *runner) optionValue(e ast.Expr) ([]byte, error) {
	switch x := e.(type) {
	case *ast.String:
		return append([]byte(x.Value), 0), nil
	case *ast.Struct:
		return r.optionStruct(x)
	case *ast.Ellipsis:
		return make([]byte, 4), nil
	case *ast.List:
		var b []byte
		for _, v := range x.Elems {
			n, err := r.integer(v)
			if err != nil {
				return nil, err
			}
			b = binary.NativeEndian.AppendUint32(b, uint32(n))
		}
		return b, nil
	}
	n, err := r.integer(e)
	return binary.NativeEndian.AppendUint32(nil, uint32(n)), err
}

// optionStruct is the octets of a struct linger or a struct timeval.
func (r *runner) optionStruct(s *ast.Struct) ([]byte, error) {
	var v []int64
	for _, f := range s.Fields {
		n, err := r.integer(f.Value)
		if err != nil {
			return nil, err
		}
		v = append(v, n)
	}
	if len(v) != 2 {
		return nil, skipf("uses the option value %s", s)
	}
	first := s.Fields[0].Name
	switch {
	case strings.Contains(first, "sec"):
		return binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint64(nil, uint64(v[0])), uint64(v[1])), nil
	case first == "" || strings.Contains(first, "onoff"):
		return binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, uint32(v[0])), uint32(v[1])), nil
	}
	return nil, skipf("uses the option value %s", s)
}

func (r *runner) callGetsockopt(c *ast.Syscall) (*invocation, error) {
	fd, _, v, err := r.optionOf(c)
	if err != nil {
		return nil, err
	}
	if v[1] == tcpFunctionBlk {
		return r.functionBlock(c)
	}
	if s, ok := c.Args[3].(*ast.Struct); ok && v[1] == socket.TCP_INFO {
		return r.getTCPInfo(c, fd, s), nil
	}
	size, want := int64(4), int64(-1)
	if !isEllipsis(c.Args[4]) {
		if size, err = r.bracketed(c.Args[4]); err != nil {
			return nil, err
		}
		want = size
	}
	if size < 0 || size > maxBuffer {
		return nil, skipf("passes an option of %d octets", size)
	}
	b, err := r.octets(size)
	if err != nil {
		return nil, err
	}
	n := 0
	inv := &invocation{do: func() (int, error) {
		n, err = r.b.Calls().Getsockopt(fd, v[0], v[1], b)
		return done(err)
	}}
	inv.check = func(result int, _ error) error {
		if result < 0 {
			return nil
		}
		if want >= 0 && int64(n) != want {
			return r.fail(fmt.Sprintf("getsockopt() wrote %d octets, not %d", n, want), "", "")
		}
		return r.compareOption(c, b[:n])
	}
	return inv, nil
}

func (r *runner) compareOption(c *ast.Syscall, got []byte) error {
	switch x := c.Args[3].(type) {
	case *ast.Ellipsis:
		return nil
	case *ast.String:
		want := []byte(x.Value)
		got = bytes.TrimRight(got, "\x00")
		if !bytes.Equal(want, got) && !(x.Open && bytes.HasPrefix(got, want)) {
			return r.fail("getsockopt() wrote another string", ast.Quote(x.Value), ast.Quote(string(got)))
		}
		return nil
	case *ast.Struct:
		want, err := r.optionStruct(x)
		if err != nil || bytes.Equal(want, got) {
			return err
		}
		return r.fail("getsockopt() wrote another value", fmt.Sprintf("%x", want), fmt.Sprintf("%x", got))
	}
	if len(got) < 4 {
		got = append(got[:len(got):len(got)], 0, 0, 0, 0)
	}
	return r.compareWritten(c, c.Args[3], int64(int32(binary.NativeEndian.Uint32(got))))
}

// getTCPInfo compares the members of struct tcp_info that a script names.
func (r *runner) getTCPInfo(c *ast.Syscall, fd int, s *ast.Struct) *invocation {
	var info socket.TCPInfo
	inv := &invocation{do: func() (n int, err error) {
		info, err = r.b.Calls().GetTCPInfo(fd)
		return done(err)
	}}
	inv.check = func(n int, _ error) error {
		if n < 0 {
			return nil
		}
		have := r.figures(&info)
		for _, f := range s.Fields {
			got, ok := have[f.Name]
			if !ok {
				return skipf("needs %s of tcp_info", f.Name)
			}
			if isEllipsis(f.Value) {
				continue
			}
			want, err := r.integer(f.Value)
			if err != nil {
				return err
			}
			if uint64(want) != got {
				return r.fail(fmt.Sprintf("%s is %d, not %d", f.Name, got, want), fmt.Sprint(want), fmt.Sprint(got))
			}
		}
		return nil
	}
	return inv
}

// freebsdState is the number that FreeBSD's tcp_fsm.h has for a state of Linux's.
func freebsdState(linux uint64) uint64 {
	names := map[uint64]string{
		socket.TCP_ESTABLISHED: "TCPS_ESTABLISHED", socket.TCP_SYN_SENT: "TCPS_SYN_SENT", socket.TCP_SYN_RECV: "TCPS_SYN_RECEIVED",
		socket.TCP_FIN_WAIT1: "TCPS_FIN_WAIT_1", socket.TCP_FIN_WAIT2: "TCPS_FIN_WAIT_2", socket.TCP_TIME_WAIT: "TCPS_TIME_WAIT",
		socket.TCP_CLOSE: "TCPS_CLOSED", socket.TCP_CLOSE_WAIT: "TCPS_CLOSE_WAIT", socket.TCP_LAST_ACK: "TCPS_LAST_ACK",
		socket.TCP_LISTEN: "TCPS_LISTEN", socket.TCP_CLOSING: "TCPS_CLOSING",
	}
	return uint64(others[names[linux]])
}
